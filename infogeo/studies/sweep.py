"""The learning-rate sweep: every start with every learning rate."""
from dataclasses import dataclass

import numpy as np

from ..backend import backend_of, to_numpy
from ..solvers.descend import descend
from ..solvers.result import Status
from ..solvers.step import Constant
from .problem import METHODS

__all__ = ["SWEPT", "Sweep", "sweep"]

SWEPT = ("gd_theta", "gd_eta", "ng_theta", "ng_eta")     # mirror descent repeats the last two
RATES = 61
RANGE = (2e-3, 2.0)    # of the step 2/λ_max, where descent near the target becomes unstable
MARGIN = 0.05


@dataclass(frozen=True)
class Sweep:
    """Rise times: the first step from which KL stays below `level`.

    Mathematically, where the entropy H of the target is positive and the direction is forward, the level is that of a
    cross-entropy below 1.05 H; elsewhere it is 0.05 nats. A run that left the domain has not risen, wherever it stopped.
    `worst` is the largest rise time over the starts, and `most` the one that nine starts in ten keep; a learning rate is usable
    if every start rises within `steps`.

    Shapes: methods as in `SWEPT` first; h (methods, rates); rise (methods, rates, starts), −1 where a run has not risen;
    worst and most (methods, rates), infinite where a run that they count has not; window (methods, 2), the ends of the longest
    stretch of usable learning rates, NaN where there is none, and most_window the same for nine starts in ten; best (methods,),
    the learning rate of the least worst rise time, and best_rise; status (methods, 4), counts in the order of `Status`.
    """

    methods: tuple
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


def sweep(problem, spectrum, theta0, steps, progress=False):
    """The `Sweep` of a problem; theta0 (starts, d)."""
    level, relative = _level(problem)
    h, rise, status = [], [], []
    for name in SWEPT:
        method = METHODS[name]
        geometry, objective = problem.setting(method)
        x0 = problem.from_theta(method.chart, theta0)
        rates = spectrum.stable_step[method.hessian] * np.geomspace(*RANGE, RATES)
        step = Constant(backend_of(x0).asarray(rates, dtype=x0.dtype)[:, None])
        result = descend(objective, x0, geometry=geometry, update=method.update, step=step, max_steps=steps,
                         record="values", progress=progress)
        ended = to_numpy(result.status)
        h.append(rates)
        rise.append(_rise(to_numpy(result.values), ended, level))
        status.append([(ended == int(s)).sum() for s in Status])
    h, rise = np.stack(h), np.stack(rise)
    ranked = np.sort(np.where(rise < 0, np.inf, rise), axis=-1)
    worst, most = ranked[..., -1], ranked[..., int(np.ceil(0.9 * ranked.shape[-1])) - 1]
    window, most_window = (np.stack([_longest_stretch(*row) for row in zip(h, np.isfinite(kept))]) for kept in (worst, most))
    at = worst.argmin(axis=-1)[:, None]
    best_rise = np.take_along_axis(worst, at, -1)[:, 0]
    best = np.where(np.isfinite(best_rise), np.take_along_axis(h, at, -1)[:, 0], np.nan)
    return Sweep(SWEPT, h, rise, worst, most, window, most_window, best, best_rise, np.array(status), steps, level, relative)


def _level(problem):
    entropy = float(to_numpy(problem.family.entropy(problem.theta)))
    relative = problem.direction == "forward" and entropy > 0
    return (MARGIN * entropy, True) if relative else (MARGIN, False)


def _rise(kl, status, level):
    """The first step from which KL stays below the level, shape of status."""
    above = ~(kl < level)
    last_above = kl.shape[0] - 1 - above[::-1].argmax(axis=0)
    first = np.where(above.any(axis=0), last_above + 1, 0)
    gone = (first == kl.shape[0]) | (status == int(Status.LEFT_DOMAIN)) | (status == int(Status.NONFINITE))
    return np.where(gone, -1, first)


def _longest_stretch(h, usable):
    """(lowest, highest) of the longest run of neighbouring usable learning rates."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], usable.astype(int), [0]])))
    if edges.size == 0:
        return np.array([np.nan, np.nan])
    first, past = edges[::2], edges[1::2]
    i = (past - first).argmax()
    return np.array([h[first[i]], h[past[i] - 1]])
