"""Spectra of the Hessian at the optimum and what they predict."""
from dataclasses import dataclass

import numpy as np

from ..backend import to_numpy
from ..errors import takes
from .problem import Problem

__all__ = ["HESSIANS", "NATURAL", "Spectrum", "spectrum"]

HESSIANS = ("theta", "eta", "natural")
NATURAL = HESSIANS.index("natural")


@dataclass(frozen=True)
class Spectrum:
    """The Hessian H of the divergence at its minimum, in θ, in η, and as the natural gradient sees it (G⁻¹H).

    Mathematically, for both directions of KL H is the Fisher metric: ∇²ψ in θ, its inverse in η, and G⁻¹H = I; for another
    divergence it is the same times the problem's `curvature`, f″(1). With eigenvalues λ,

    - the gradient flow loses KL at the rate 2 λ_min
    - gradient descent is stable for steps below 2/λ_max
    - the step 2/(λ_min + λ_max) is the best, and contracts the error by (κ − 1)/(κ + 1) with κ = λ_max/λ_min

    Shapes: the first axis goes with `HESSIANS`; eigenvalues (3, d), ascending; eigenvectors (2, d, d), those of θ and η, in
    columns; everything else (3,).

    Examples
    --------
    >>> M = ig.Bernoulli()                          # G = p (1 − p) = 0.16
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> found = ig.studies.spectrum(problem)
    >>> found.eigenvalues[:, 0].round(4), found.stable_step.round(4)
    (array([0.16, 6.25, 1.  ]), array([12.5 ,  0.32,  2.  ]))
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    condition: np.ndarray
    rate: np.ndarray
    optimal_step: np.ndarray
    stable_step: np.ndarray
    contraction: np.ndarray


@takes(Problem)
def spectrum(problem: Problem) -> Spectrum:
    """The `Spectrum` of a problem.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[0.5, 0.3, 0.2])
    >>> problem = ig.studies.ForwardProblem(M, theta)
    >>> ig.studies.spectrum(problem).condition.round(4)       # θ, η, natural
    array([4.847, 4.847, 1.   ])
    """
    family, theta = problem.family, problem.theta
    metric = family.metric(theta)
    in_theta, axes_theta = np.linalg.eigh(to_numpy(metric))
    in_eta, axes_eta = np.linalg.eigh(to_numpy(family.dual_metric(problem.eta)))
    natural = np.sort(np.linalg.eigvals(to_numpy(family.sharp(theta, metric))).real)
    eigenvalues = problem.curvature * np.stack([in_theta, in_eta, natural])
    low, high = eigenvalues[:, 0], eigenvalues[:, -1]
    condition = high / low
    return Spectrum(eigenvalues, np.stack([axes_theta, axes_eta]), condition, 2.0 * low, 2.0 / (low + high), 2.0 / high,
                    (condition - 1.0) / (condition + 1.0))
