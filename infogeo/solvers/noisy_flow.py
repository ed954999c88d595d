"""Noisy flows: the stochastic differential equation of an update, by the method of Euler and Maruyama."""
from dataclasses import dataclass
from math import ceil
from numbers import Real
from typing import Any

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..errors import DomainError, require, require_positive
from ..objectives.base import Objective
from ..objectives.function import Function, as_objective
from ..objectives.random import Noisy
from .averages import Average
from .descend import descend
from .moment import Moment
from .place import Place
from .result import Result, Status
from .step import Step

__all__ = ["NoisyFlowResult", "noisy_flow"]


@dataclass(frozen=True, repr=False)
class NoisyFlowResult(Result):
    """A run of `noisy_flow`: ``path[k]`` is the point at ``times[k]``, ``average[k]`` the mean (1/t) ∫₀ᵗ x ds up to then.

    Examples
    --------
    >>> f, rng = lambda x: (x @ x / 2, x), np.random.default_rng(0)
    >>> run = ig.noisy_flow(f, [1.0], update=ig.GradientUpdate(), noise=0.0,
    ...                     times=[0.0, 1.0, 4.0], rng=rng, h=0.01)
    >>> run.average[:, 0].round(2)                  # (1 − e^{−t}) / t
    array([1.  , 0.63, 0.25])
    """

    average: Array = None


def noisy_flow(objective: Any, x0: Array, *, geometry: Any = None, update: Any, times: Array, noise: float, rng: Any,
               h: float) -> NoisyFlowResult:
    """Follow the flow of an update whose covector is disturbed by white noise, c dt + σ dW, from x0 at time 0.

    Mathematically, with `MirrorUpdate` dz = −c(x) dt + σ dW, x = ∇ψ*(z), stochastic mirror descent in continuous time: of a
    convex f the ergodic average has E f(x̄) − f* ≤ B_ψ(x* : x₀) / t + d σ² / (2 K), ψ being K-strongly convex. With
    `GradientUpdate` it is dx = −c dt + σ dW, Langevin's equation at the temperature σ² / 2; with `NaturalUpdate`
    dx = −G⁻¹(c dt + σ dW), by Itô. A step of the method of Euler & Maruyama is the update's own step of size h with noise of
    deviation σ / √h on the covector; expectations converge with h.

    Parameters
    ----------
    objective, x0, geometry, update
        As in `descend`. The objective is not drawn.
    times : array, shape (records,)
        Increasing, from 0 on. The path is recorded at exactly these.
    noise : float
        σ, not negative.
    rng : numpy.random.Generator
    h : float
        The longest step; those between two times are equal.

    Returns
    -------
    NoisyFlowResult
        A row that leaves the domain stays where it did, and its status says so; FINISHED at the last time.

    Raises
    ------
    DomainError
        For times that are not increasing from 0 on, and for x0.

    Source: Mertikopoulos & Staudigl, On the convergence of gradient-like flows with noisy gradient input (2018); Kloeden &
    Platen, Numerical solution of stochastic differential equations (1992), section 9.1.

    Examples
    --------
    >>> f, rng = ig.LeastSquares([[1.0]], [0.0]), np.random.default_rng(0)
    >>> run = ig.noisy_flow(f, np.zeros((500, 1)), update=ig.GradientUpdate(),
    ...                     noise=1.0, times=[0.0, 4.0], rng=rng, h=0.02)
    >>> round(float(run.x.var()), 1)     # σ²/2: Langevin's temperature
    0.5
    """
    times = np.atleast_1d(np.asarray(to_numpy(times), dtype=float))
    if times.ndim != 1 or not times.size or not times[0] >= 0 or not np.all(np.diff(times) > 0) or not np.isfinite(times[-1]):
        raise DomainError("times must satisfy 0 <= times[0] < times[1] < …, finite")
    require("noise", "noise >= 0, finite", isinstance(noise, Real) and 0 <= float(noise) < np.inf, noise)
    require_positive("h", h)
    objective, gaps = as_objective(objective), np.diff(times, prepend=0.0)
    counts = [ceil(gap / h) for gap in gaps]                    # none to a first time 0
    sizes = np.repeat(gaps / np.maximum(counts, 1), counts)
    kept = _Kept(np.cumsum(counts))
    run = descend(_White(objective, noise, sizes), x0, geometry=geometry, update=update, step=_Sizes(sizes),
                  max_steps=len(sizes), rng=rng, record=None, callbacks=[kept])
    xp = backend_of(run.x)
    points, averages = (xp.stack(part) for part in zip(*kept.up_to(times, run.x)))
    values = xp.stack([xp.asarray(objective.value_and_gradient(points[k, ...])[0]) for k in range(times.size)])
    status = xp.where(run.status == int(Status.MAX_STEPS), int(Status.FINISHED), run.status)
    return NoisyFlowResult(run.x, points, values, status, run.steps, run.state, average=averages)


class _Kept:
    """The points after so many steps, and their averages."""

    def __init__(self, steps: Any) -> None:
        self.steps, self.found = set(steps.tolist()), list[tuple[Array, Array]]()
        self.average = Average(weight=lambda moment: moment.h, point=lambda moment: moment.before)

    def __call__(self, moment: Moment) -> None:
        if moment.k == 1 and 0 in self.steps:
            self.found.append((moment.before, moment.before))
        self.average(moment)
        if moment.k in self.steps:
            self.found.append((moment.x, self.average.x))

    def up_to(self, times: Any, x: Array) -> list[tuple[Array, Array]]:
        """Those at all times; the points x where the run ended, as no row was left, stay."""
        mean, spent = (x, 0.0) if self.average.state is None else self.average.state
        return self.found + [(x, mean + (1.0 - spent / max(t, spent, 1e-300)) * (x - mean)) for t in times[len(self.found):]]


class _White(Objective):
    """The objective with the noise of every step."""

    def __init__(self, f: Any, noise: float, sizes: Any) -> None:
        self.f, self.noise, self.sizes, self.rows = f, noise, sizes, getattr(f, "rows", None)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        found: tuple[Array, Array] = self.f.value_and_gradient(x)
        return found

    def at_step(self, k: int, rng: Any) -> Objective:
        sigma = self.noise / float(self.sizes[k]) ** 0.5
        return Noisy(self.f, sigma).draw(rng) if sigma else Function(self.f.value_and_gradient)


class _Sizes(Step):
    """Given step sizes, one after the other."""

    def __init__(self, sizes: Any) -> None:
        self.sizes = sizes

    def __call__(self, at: Place) -> Array:
        return float(self.sizes[at.k])
