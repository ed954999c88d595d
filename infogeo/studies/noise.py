"""The floor that mini-batch noise puts under KL, predicted and simulated."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..objectives.base import Objective
from ..solvers.descend import descend
from ..solvers.moment import Moment
from ..solvers.result import Status
from ..solvers.step import Constant
from .bars import Jobs
from .effort import FULL, Effort
from .methods import METHODS, Method
from .problem import Problem
from .spectrum import Spectrum
from .sweep import SWEPT

__all__ = ["NoiseFloor", "noise", "predicted_floor"]

FRACTIONS = (1.0, 0.5, 0.1)     # of the optimal step
DRAWN = 500_000                 # draws at a time: a few megabytes


@dataclass(frozen=True)
class NoiseFloor:
    """The stationary mean of KL when every step sees a fresh mini-batch of `batch_size` draws from the target.

    Mathematically, to first order in 1/B, E KL = (h / 2B) Σ μ_i / (2 − h μ_i) with μ the eigenvalues of the Hessian that rules
    the method; for another divergence the same times its curvature f″(1). The simulation follows independent runs from the
    target itself and averages over runs and steps; a run that leaves the domain does not count. Mini-batches are taken from a
    pool of `pool` of them. In the reverse direction the target moves by G⁻¹ times the mini-batch's error in η.

    Shapes: methods as in `SWEPT` first; h, predicted, simulated, error (methods, fractions), `error` being the standard error of
    `simulated`; left (methods, fractions), runs that did not stay; steps (methods, fractions); simulated is NaN where
    more than `longest` steps were needed to forget the start, or where no run stayed.
    Units: nats.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> found = ig.studies.conditioning(problem, starts=1, steps=3,
    ...                                 batch_size=100, effort=few).noise
    >>> i = found.methods.index("ng_theta")         # h / (2B (2 − h))
    >>> h = found.h[i]
    >>> bool(np.isclose(found.predicted[i], h / (200 * (2 - h))).all())
    True
    """

    methods: tuple[str, ...]
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
    longest: int


class _MiniBatches(Objective):
    """A divergence whose differential is that of a mini-batch's target, and whose value is that of the target itself.

    Mathematically, in θ the differential is η − η̂ (forward) or G(θ)(θ − θ̂) (reverse): the target's less the mini-batch's error.
    """

    def __init__(self, problem: Problem, moves: Array, rows: int) -> None:
        self.problem, self.moves, self.rows = problem, moves, (rows,)
        self.manifold = problem.family

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        return self.problem.objective.value_and_gradient(theta)

    def draw(self, rng: np.random.Generator) -> Objective:
        xp = backend_of(self.moves)
        chosen = xp.asarray(rng.integers(self.moves.shape[0], size=self.rows))
        return _Seen(self, xp.take(self.moves, chosen, axis=0))


class _Seen(Objective):
    def __init__(self, whole: _MiniBatches, move: Array) -> None:
        self.whole, self.move, self.manifold, self.rows = whole, move, whole.manifold, whole.rows

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        value, covector = self.whole.value_and_gradient(theta)
        return value, covector - self.whole.problem.differential(theta, self.move)


def predicted_floor(h: float, eigenvalues: np.ndarray, batch_size: int) -> float:
    """(h / 2B) Σ μ_i / (2 − h μ_i), nats; infinite where some h μ_i ≥ 2.

    Examples
    --------
    >>> mu = np.ones(2)                             # (h / 2B) · 2 / (2 − h)
    >>> round(ig.studies.predicted_floor(0.5, mu, batch_size=100), 6)
    0.003333
    >>> ig.studies.predicted_floor(2.0, mu, batch_size=100)
    inf
    """
    slack = 2.0 - h * eigenvalues
    if not (slack > 0).all():
        return np.inf
    return float(0.5 * h / batch_size * np.sum(eigenvalues / slack))


def noise(problem: Problem, spectrum: Spectrum, rng: np.random.Generator, batch_size: int, effort: Effort = FULL,
          jobs: Jobs = Jobs(0)) -> NoiseFloor:
    """The `NoiseFloor` of a problem."""
    moves = _pool_of_moves(problem, rng, batch_size, effort.pooled)
    shape = (len(SWEPT), len(FRACTIONS))
    h, predicted, simulated, error = (np.full(shape, np.nan) for _ in range(4))
    left, steps = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    for i, name in enumerate(SWEPT):
        method = METHODS[name]
        mu = spectrum.eigenvalues[method.hessian]
        for j, fraction in enumerate(FRACTIONS):
            h[i, j] = fraction * spectrum.optimal_step[method.hessian]
            predicted[i, j] = problem.curvature * predicted_floor(h[i, j], mu, batch_size)
            steps[i, j] = _steps_to_forget(h[i, j], mu) + effort.averaged
            told = jobs.begin(f"noise: {method.label}", int(steps[i, j]))
            if steps[i, j] <= effort.noisy_steps:
                found = _simulate(problem, method, moves, rng, h[i, j], int(steps[i, j]), effort, told)
                simulated[i, j], error[i, j], left[i, j] = found
    return NoiseFloor(SWEPT, np.array(FRACTIONS), h, predicted, simulated, error, left, steps, batch_size, effort.noisy_runs,
                      moves.shape[0], effort.noisy_steps)


def _steps_to_forget(h: float, mu: np.ndarray) -> int:
    """Until the variance along every axis is within a thousandth of its stationary value: |1 − h μ|^(2k) = 1e-3."""
    slowest = np.max(abs(1.0 - h * mu))
    return int(np.ceil(0.5 * np.log(1e-3) / np.log(slowest))) if 0.0 < slowest < 1.0 else 1


def _simulate(problem: Problem, method: Method, moves: Array, rng: np.random.Generator, h: float, steps: int,
              effort: Effort, told: Sequence[Callable[[Moment], None]]) -> tuple[float, float, int]:
    """(mean, standard error, runs that left)."""
    chart, runs = method.chart, effort.noisy_runs
    objective, x = chart.objective(_MiniBatches(problem, moves, runs)), chart.coordinates(problem.family, problem.theta)
    x0 = backend_of(x).broadcast_to(x, (runs, x.shape[-1]))
    result = descend(objective, x0, geometry=chart.manifold(problem.family), update=method.update, step=Constant(float(h)),
                     max_steps=steps, rng=rng, record="values", callbacks=told)
    stayed = to_numpy(result.status) == int(Status.MAX_STEPS)
    if not stayed.any():
        return np.nan, np.nan, runs
    averages = to_numpy(result.values)[-effort.averaged:, stayed].mean(axis=0)
    spread = averages.std(ddof=1) / np.sqrt(stayed.sum()) if stayed.sum() > 1 else np.nan
    return averages.mean(), spread, runs - int(stayed.sum())


def _pool_of_moves(problem: Problem, rng: np.random.Generator, batch_size: int, pooled: int) -> Array:
    """By how much the targets of mini-batches are off, shape (pool, d), in the chart in which natural gradient is straight."""
    family, theta = problem.family, problem.theta
    xp = backend_of(theta)
    pool = int(np.clip(pooled // batch_size, 1000, 40_000))
    block = max(1, DRAWN // batch_size)
    means = [xp.mean(family.sufficient_statistic(family.sample(rng, theta, (min(block, pool - n), batch_size))), axis=1)
             for n in range(0, pool, block)]
    return problem.displacement(xp.concat(means, axis=0) - problem.eta)
