"""The claim about gradients that are wrong by a factor: how large a relative error a method survives."""
import numpy as np

from ..backend import backend_of, to_numpy
from ..solvers.descend import descend
from ..solvers.step import Constant
from .claim import Claim
from .methods import METHODS, Method
from .problem import Problem
from .spectrum import Spectrum

__all__ = ["relative_error", "worst_factor"]

NEAR = 1e-6         # Riemannian distance from the target where factors are measured: far above rounding, far below curvature
RESOLVED = 1e6      # condition number beyond which 1 ± 1/κ is not told from 1 there


def worst_factor(problem: Problem, spectrum: Spectrum, method: Method, delta: float) -> float:
    """The factor of the error in one step with the optimal step size, where the gradient is too long by the factor 1 + δ.

    Mathematically, of all errors e of the gradient c with |e| ≤ δ|c| the worst is e = δc on the axis of the largest eigenvalue;
    there the factor is ρ + (1 + ρ)δ with ρ = (κ − 1)/(κ + 1): below 1 exactly for δ < 1/κ. Two steps are measured: the terms of
    second order cancel.
    """
    chart, row = method.chart, method.hessian
    values, axes = spectrum.eigenvalues[chart.row], spectrum.eigenvectors[chart.row]
    x = chart.coordinates(problem.family, problem.theta)
    x0 = x + backend_of(x).asarray(NEAR * axes[:, -1] / np.sqrt(values[-1]), dtype=x.dtype)
    run = descend(chart.objective(problem.objective), x0, geometry=chart.manifold(problem.family), update=method.update,
                  step=Constant(float((1.0 + delta) * spectrum.optimal_step[row])), max_steps=2, record="values")
    kl = to_numpy(run.values)
    return float((kl[-1] / kl[0]) ** 0.25)


def relative_error(problem: Problem, spectrum: Spectrum) -> Claim:
    """Gradient descent with its optimal step is sure to converge for δ < 1/κ, natural gradient with step 1 for δ < 1."""
    kappa = float(spectrum.condition[0])
    statement = ("Where the gradient has the relative error δ, gradient descent with its optimal step is sure to converge only "
                 "for δ < 1/κ, natural gradient with step 1 for all δ < 1.")
    if kappa > RESOLVED:
        return Claim("relative error", statement, None, f"with 1/κ = {1 / kappa:.3g} the two sides of 1/κ look alike.")
    natural = METHODS[f"ng_{problem.straight.name}"]
    limits = (METHODS["gd_theta"], 1 / kappa), (METHODS["gd_eta"], 1 / kappa), (natural, 1.0)
    factors = [[worst_factor(problem, spectrum, method, share * limit) for share in (0.5, 2.0)] for method, limit in limits]
    holds = all(below < 1.0 < above for below, above in factors)
    words = [f"by {below:.6g} and {above:.6g} in {method.chart.letter}" for (method, _), (below, above) in zip(limits, factors)]
    return Claim("relative error", statement, holds,
                 f"with δ = 1/(2κ) and 2/κ the worst error changes a gradient step's distance {words[0]}, {words[1]}; with "
                 f"δ = 1/2 and 2 that of a natural-gradient step {words[2]}; κ = {kappa:.6g}.")
