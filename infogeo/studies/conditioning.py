"""The conditioning study: θ against η against natural gradient, on one target."""
from dataclasses import dataclass

import numpy as np

from ..backend import to_numpy
from ..errors import require_count
from .claims import Claim, claims
from .discrete import Discrete, discrete
from .noise import NoiseFloor, noise
from .problem import Problem
from .rates import Flow, measured_flows
from .spectrum import Spectrum, spectrum
from .sweep import LearningRateSweep, sweep

__all__ = ["Conditioning", "conditioning"]

FLOWN = 4   # starts whose flows are integrated: more lines hide each other in the figures


@dataclass(frozen=True)
class Conditioning:
    """All that the study found, as NumPy arrays; how it was set comes first.

    Shapes: theta, eta (d,); parameters, the ordinary parameters of the target by name; starts (n + 1, d), in θ. `problem` is what
    was solved: the figures evaluate its divergence; no file holds it.
    Units: nats.
    """

    family: str
    direction: str
    seed: int
    theta: np.ndarray
    eta: np.ndarray
    parameters: dict[str, np.ndarray]
    entropy: float
    starts: np.ndarray
    spectrum: Spectrum
    flows: tuple[Flow, ...]
    discrete: Discrete
    sweep: LearningRateSweep
    noise: NoiseFloor
    claims: tuple[Claim, ...]
    problem: Problem


def conditioning(problem: Problem, *, starts: int = 100, seed: int = 0, batch_size: int = 100, steps: int = 100,
                 progress: bool = False) -> Conditioning:
    """Compare gradient descent in θ and in η, natural gradient and mirror descent on KL to a target of a family.

    Parameters
    ----------
    problem : Problem
        `ForwardProblem` (KL(q‖p)) or `ReverseProblem` (KL(p‖q)) of a family and a target q.
    starts : int
        Random starts, beside one more: the uniform distribution on the simplex.
    seed : int
        Of all draws; the same seed gives the same result.
    batch_size : int
        Observations in a mini-batch of the noise floor.
    steps : int
        Steps of every run of the learning-rate sweep.
    progress : bool
        Show a progress bar for each batch of runs (tqdm).

    Returns
    -------
    Conditioning

    Raises
    ------
    DomainError
        For sizes that are not positive.
    """
    for name, value in (("starts", starts), ("batch_size", batch_size), ("steps", steps)):
        require_count(name, value)
    family, rng = problem.family, np.random.default_rng(seed)
    found = spectrum(problem)
    theta0 = problem.starts(rng, starts)
    flows = measured_flows(problem, found, theta0[:min(FLOWN, starts + 1), ...])
    runs = discrete(problem, found, theta0, progress)
    return Conditioning(
        family=repr(family), direction=problem.direction, seed=seed, theta=to_numpy(problem.theta), eta=to_numpy(problem.eta),
        parameters={name: to_numpy(value) for name, value in family.parameters(problem.theta).items()},
        entropy=float(to_numpy(family.entropy(problem.theta))), starts=to_numpy(theta0), spectrum=found, flows=flows,
        discrete=runs, sweep=sweep(problem, found, theta0, steps, progress),
        noise=noise(problem, found, rng, batch_size, progress),
        claims=claims(problem, found, runs, theta0), problem=problem)
