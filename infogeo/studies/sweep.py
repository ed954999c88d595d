"""The learning-rate sweep: every start with every learning rate."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..solvers.descend import descend
from ..solvers.result import LOST, Status
from ..solvers.step import Constant
from .bars import Jobs
from .methods import METHODS, Method
from .problem import Problem
from .spectrum import Spectrum

__all__ = ["SWEPT", "LearningRateSweep", "sweep"]

SWEPT = ("gd_theta", "gd_eta", "ng_theta", "ng_eta")     # mirror descent repeats the last two
RATES = 61             # twenty a decade
RANGE = (2e-3, 2.0)    # of the step 2/λ_max, where descent near the target becomes unstable
MARGIN = 0.05          # of the entropy, or nats


@dataclass(frozen=True)
class LearningRateSweep:
    """Rise times: the first step from which KL stays below `level`.

    Mathematically, where the divergence is a cross-entropy less the entropy H > 0 of the target, the level is that of a
    cross-entropy below 1.05 H; elsewhere it is 0.05 nats. A run that left the domain has not risen, wherever it stopped.
    `worst` is the largest rise time over the starts, and `most` the one that nine starts in ten keep; a learning rate is usable
    if every start rises within `steps`.

    Shapes: methods as in `SWEPT` first; h (methods, rates); rise (methods, rates, starts), −1 where a run has not risen;
    worst and most (methods, rates), infinite where a run that they count has not; window (methods, 2), the ends of the longest
    stretch of usable learning rates, NaN where there is none, and most_window the same for nine starts in ten; best (methods,),
    the learning rate of the least worst rise time, and best_rise; status (methods, statuses), counts in the order of `Status`.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50)
    >>> run = ig.studies.ConditioningRun(problem, starts=1, steps=20,
    ...                                  effort=few)
    >>> for name, part in run.parts():
    ...     if name == "sweep":
    ...         break
    >>> part.methods, part.best_rise.astype(int)
    (('gd_theta', 'gd_eta', 'ng_theta', 'ng_eta'), array([1, 3, 2, 1]))
    """

    methods: tuple[str, ...]
    h: np.ndarray
    rise: np.ndarray
    worst: np.ndarray
    most: np.ndarray
    window: np.ndarray
    most_window: np.ndarray
    best: np.ndarray
    best_rise: np.ndarray
    status: np.ndarray
    steps: int
    level: float
    level_is_relative: bool


def sweep(problem: Problem, spectrum: Spectrum, theta0: Array, steps: int, jobs: Jobs = Jobs(0)) -> LearningRateSweep:
    """The `LearningRateSweep` of a problem; theta0 (starts, d)."""
    level, relative = _level(problem)
    found = [_runs(problem, METHODS[name], spectrum, theta0, steps, level, jobs) for name in SWEPT]
    h, rise, status = (np.stack(parts) for parts in zip(*found))
    ranked = np.sort(np.where(rise < 0, np.inf, rise), axis=-1)
    worst, most = ranked[..., -1], ranked[..., int(np.ceil(0.9 * ranked.shape[-1])) - 1]
    window, most_window = (np.stack([_longest_stretch(*row) for row in zip(h, np.isfinite(kept))]) for kept in (worst, most))
    at = worst.argmin(axis=-1)[:, None]
    best_rise = np.take_along_axis(worst, at, -1)[:, 0]
    best = np.where(np.isfinite(best_rise), np.take_along_axis(h, at, -1)[:, 0], np.nan)
    return LearningRateSweep(SWEPT, h, rise, worst, most, window, most_window, best, best_rise, status, steps, level, relative)


def _runs(problem: Problem, method: Method, spectrum: Spectrum, theta0: Array, steps: int, level: float,
          jobs: Jobs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(h, rise, counts of the statuses) of every start with every learning rate, in one call."""
    chart, rates = method.chart, spectrum.stable_step[method.hessian] * np.geomspace(*RANGE, RATES)
    x0 = chart.coordinates(problem.family, theta0)
    step = Constant(backend_of(x0).asarray(rates, dtype=x0.dtype)[:, None])
    result = descend(chart.objective(problem.objective), x0, geometry=chart.manifold(problem.family), update=method.update,
                     step=step, max_steps=steps, record="values", callbacks=jobs.begin(f"sweep: {method.label}", steps))
    ended = to_numpy(result.status)
    return rates, _rise(to_numpy(result.values), ended, level), np.array([(ended == int(s)).sum() for s in Status])


def _level(problem: Problem) -> tuple[float, bool]:
    entropy = float(to_numpy(problem.family.entropy(problem.theta)))
    relative = problem.is_cross_entropy and entropy > 0
    return (MARGIN * entropy, True) if relative else (MARGIN, False)


def _rise(kl: np.ndarray, status: np.ndarray, level: float) -> np.ndarray:
    """The first step from which KL stays below the level, shape of status."""
    above = ~(kl < level)
    last_above = kl.shape[0] - 1 - above[::-1].argmax(axis=0)
    first = np.where(above.any(axis=0), last_above + 1, 0)
    gone = (first == kl.shape[0]) | np.isin(status, LOST)
    return np.where(gone, -1, first)


def _longest_stretch(h: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(lowest, highest) of the longest run of neighbouring usable learning rates."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], usable.astype(int), [0]])))
    if edges.size == 0:
        return np.array([np.nan, np.nan])
    first, past = edges[::2], edges[1::2]
    i = (past - first).argmax()
    return np.array([h[first[i]], h[past[i] - 1]])
