"""The floor that mini-batch noise puts under KL, predicted and simulated."""
from dataclasses import dataclass

import numpy as np

from ..backend import backend_of, to_numpy
from ..solvers.descend import descend
from ..solvers.objective import Objective
from ..solvers.result import Status
from ..solvers.step import Constant
from .problem import METHODS
from .sweep import SWEPT

__all__ = ["Noise", "noise", "predicted_floor"]

FRACTIONS = (1.0, 0.5, 0.1)     # of the optimal step
RUNS = 256
AVERAGED = 200                  # steps whose KL is averaged, after the start is forgotten
LONGEST = 4000                  # steps


@dataclass(frozen=True)
class Noise:
    """The stationary mean of KL when every step sees a fresh mini-batch of `batch_size` draws from the target.

    Mathematically, to first order in 1/B, E KL = (h / 2B) Σ μ_i / (2 − h μ_i) with μ the eigenvalues of the Hessian that rules
    the method. The simulation follows independent runs from the target itself and averages over runs and steps; a run that
    leaves the domain does not count. Mini-batches are taken from a pool of `pool` of them. In the reverse direction the target
    moves by G⁻¹ times the mini-batch's error in η.

    Shapes: methods as in `SWEPT` first; h, predicted, simulated, error (methods, fractions), `error` being the standard error of
    `simulated`; left (methods, fractions), runs that did not stay; steps (methods, fractions); simulated is NaN where
    more than `longest` steps were needed to forget the start, or where no run stayed.
    Units: nats.
    """

    methods: tuple
    fractions: np.ndarray
    h: np.ndarray
    predicted: np.ndarray
    simulated: np.ndarray
    error: np.ndarray
    left: np.ndarray
    steps: np.ndarray
    batch_size: int
    runs: int
    pool: int
    longest: int = LONGEST


class _MiniBatches(Objective):
    """A divergence whose differential is that of a mini-batch's target, and whose value is that of the target itself.

    Mathematically, in θ the differential is η − η̂ (forward) or G(θ)(θ − θ̂) (reverse): the target's less the mini-batch's error.
    """

    def __init__(self, problem, errors, rows):
        self.problem, self.errors, self.rows = problem, errors, rows
        self.manifold = problem.family

    def value_and_gradient(self, theta):
        return self.problem.objective.value_and_gradient(theta)

    def draw(self, rng):
        xp = backend_of(self.errors)
        chosen = xp.asarray(rng.integers(self.errors.shape[0], size=self.rows))
        return _Seen(self, xp.take(self.errors, chosen, axis=0))


class _Seen(Objective):
    def __init__(self, whole, error):
        self.whole, self.error, self.manifold = whole, error, whole.manifold

    def value_and_gradient(self, theta):
        value, covector = self.whole.value_and_gradient(theta)
        reverse = self.whole.problem.direction == "reverse"
        return value, covector - (self.manifold.flat(theta, self.error) if reverse else self.error)


def predicted_floor(h, eigenvalues, batch_size):
    """(h / 2B) Σ μ_i / (2 − h μ_i), nats; infinite where some h μ_i ≥ 2."""
    slack = 2.0 - h * eigenvalues
    if not (slack > 0).all():
        return np.inf
    return float(0.5 * h / batch_size * np.sum(eigenvalues / slack))


def noise(problem, spectrum, rng, batch_size, progress=False):
    """The `Noise` of a problem."""
    errors = _pool_of_errors(problem, rng, batch_size)
    shape = (len(SWEPT), len(FRACTIONS))
    h, predicted, simulated, error = (np.full(shape, np.nan) for _ in range(4))
    left, steps = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    for i, name in enumerate(SWEPT):
        method = METHODS[name]
        mu = spectrum.eigenvalues[method.hessian]
        for j, fraction in enumerate(FRACTIONS):
            h[i, j] = fraction * spectrum.optimal_step[method.hessian]
            predicted[i, j] = predicted_floor(h[i, j], mu, batch_size)
            steps[i, j] = _steps_to_forget(h[i, j], mu) + AVERAGED
            if steps[i, j] <= LONGEST:
                found = _simulate(problem, method, errors, rng, h[i, j], int(steps[i, j]), progress)
                simulated[i, j], error[i, j], left[i, j] = found
    return Noise(SWEPT, np.array(FRACTIONS), h, predicted, simulated, error, left, steps, batch_size, RUNS, errors.shape[0])


def _steps_to_forget(h, mu):
    """Until the variance along every axis is within a thousandth of its stationary value."""
    slowest = np.max(abs(1.0 - h * mu))
    return int(np.ceil(0.5 * np.log(1e-3) / np.log(slowest))) if 0.0 < slowest < 1.0 else 1


def _simulate(problem, method, errors, rng, h, steps, progress):
    """(mean, standard error, runs that left)."""
    objective = _MiniBatches(problem, errors, RUNS)
    if method.chart == "eta":
        objective = objective.in_dual_coordinates()
    geometry, _ = problem.setting(method)
    x = problem.target_in(method.chart)
    x0 = backend_of(x).broadcast_to(x, (RUNS, x.shape[-1]))
    result = descend(objective, x0, geometry=geometry, update=method.update, step=Constant(float(h)), max_steps=steps, rng=rng,
                     record="values", progress=progress)
    stayed = to_numpy(result.status) == int(Status.MAX_STEPS)
    if not stayed.any():
        return np.nan, np.nan, RUNS
    averages = to_numpy(result.values)[-AVERAGED:, stayed].mean(axis=0)
    spread = averages.std(ddof=1) / np.sqrt(stayed.sum()) if stayed.sum() > 1 else np.nan
    return averages.mean(), spread, RUNS - int(stayed.sum())


def _pool_of_errors(problem, rng, batch_size):
    """Errors of mini-batch targets, shape (pool, d): of η in the forward direction, of θ in the reverse one."""
    family, theta = problem.family, problem.theta
    xp = backend_of(theta)
    pool = int(np.clip(4_000_000 // batch_size, 1000, 40_000))
    block = max(1, 500_000 // batch_size)
    means = [xp.mean(family.sufficient_statistic(family.sample(rng, theta, (min(block, pool - n), batch_size))), axis=1)
             for n in range(0, pool, block)]
    errors = xp.concat(means, axis=0) - problem.eta
    return errors if problem.direction == "forward" else family.sharp(theta, errors)
