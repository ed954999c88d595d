"""Steps of expectation–maximisation: plain ones, and those that look further where that is no worse."""
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, arrays, backend_of
from ..solvers.accelerated_bregman import AcceleratedBregman

__all__ = ["SQUAREM", "At", "MirrorSteps", "PlainSteps", "SquaredSteps", "steps_of"]


@dataclass(frozen=True)
class SQUAREM:
    """Squared extrapolation: two steps tell how fast they shrink, and the point to which they lead on.

    Mathematically, with r = θ₁ − θ₀, v = θ₂ − θ₁ − r and α = −|r| / |v|, at most −1, the next point is a step from
    θ₀ − 2αr + α²v, where its likelihood is no less than that of θ₂, and θ₂ else.

    Source: Varadhan & Roland, Simple and globally convergent methods for accelerating the convergence of any EM algorithm (2008).

    Examples
    --------
    >>> from infogeo.statistics import SQUAREM, MixtureModel, em
    >>> x, M = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0], MixtureModel(ig.Poisson())
    >>> run = dict(start=(np.log([[1.0], [5.0]]), [0.5, 0.5]), tol=1e-9,
    ...            max_steps=999)
    >>> plain, fast = em(M, x, **run), em(M, x, **run, acceleration=SQUAREM())
    >>> len(fast.values) < len(plain.values) / 3
    True
    """

    def __call__(self, first: Array, second: Array, third: Array) -> Array:
        """θ₀ − 2αr + α²v of three points, shape (d,)."""
        xp, first, second, third = arrays(first, second, third)
        r, v = second - first, third - 2.0 * second + first
        size = xp.sqrt(xp.sum(v * v))
        alpha = xp.minimum(-xp.sqrt(xp.sum(r * r)) / xp.where(size > 0, size, xp.ones_like(size)), -xp.ones_like(size))
        return first - 2.0 * alpha * r + alpha**2 * v


class At(NamedTuple):
    """Parameters, their log-likelihood an observation, and the expected statistics there."""

    theta: Any
    value: Any
    statistics: Any


class PlainSteps:
    """Maximisations at the expected statistics, one after the other."""

    def __init__(self, model: Any, x: Any) -> None:
        self.model, self.x = model, x

    def at(self, theta: Any) -> At:
        return At(theta, *self.model.expect(self.x, theta))

    def plain(self, at: At) -> tuple[At, Array]:
        """The next point, and what the maximisation gains at least."""
        new = self.model.maximise(self.x, at.statistics)
        return self.at(new), self.model.divergence(self.x, at.statistics, new, at.theta)

    def step(self, at: At, tol: float) -> tuple[At, Array]:
        return self.plain(at)

    def tried(self, vector: Array, like: Any) -> At | None:
        """The point of these coordinates; None where it is outside, or has closed in on the boundary."""
        with np.errstate(all="ignore"):
            try:
                found = self.at(self.model.from_vector(vector, like))
            except ValueError:
                return None
        return found if bool(backend_of(found.value).isfinite(found.value)) else None


class SquaredSteps(PlainSteps):
    """Of every two steps a third one is tried, from where they lead to."""

    def __init__(self, model: Any, x: Any, acceleration: SQUAREM) -> None:
        super().__init__(model, x)
        self.acceleration = acceleration
        self.points: list[Any] = []

    def step(self, at: At, tol: float) -> tuple[At, Array]:
        new, divergence = self.plain(at)
        self.points = [*(self.points or [at.theta]), new.theta]
        if len(self.points) == 3:
            further = self._further(new)
            new = further if further is not None and bool(further.value >= new.value) else new
            self.points = [new.theta]
        return new, divergence

    def _further(self, last: At) -> At | None:
        """A step from the point to which three lead on."""
        with np.errstate(all="ignore"):
            guess = self.tried(self.acceleration(*map(self.model.vector, self.points)), last.theta)
            try:
                return None if guess is None else self.plain(guess)[0]
            except ValueError:
                return None


class MirrorSteps(PlainSteps):
    """Mirror steps with momentum, in the coordinates and the moments of the model.

    A step that does not raise the likelihood by more than the tolerance is taken back: a plain one takes its place, and the
    momentum starts anew. Of others the least gain is 0.
    """

    def __init__(self, model: Any, x: Any, acceleration: AcceleratedBregman) -> None:
        super().__init__(model, x)
        self.acceleration, self.state = acceleration, acceleration.init(())
        self.ahead: At | None = None

    def step(self, at: At, tol: float) -> tuple[At, Array]:
        found = self._answer(at.theta)
        if found is not None and bool(found.value > at.value + tol):
            return found, 0.0 * found.value
        new, divergence = self.plain(at)
        self.state = self.acceleration.init(self.model.vector(at.theta))
        self._move(at, new.theta)
        return new, divergence

    def _answer(self, like: Any) -> At | None:
        """The answer after a step with the differential at the point ahead; None where there is none."""
        with np.errstate(all="ignore"):
            try:
                moved = None if self.ahead is None else self.model.maximise(self.x, self.ahead.statistics)
            except ValueError:
                moved = None
        return None if moved is None else self.tried(self._move(self.ahead, moved), like)       # type: ignore[arg-type]

    def _move(self, at: At, maximised: Any) -> Array:
        """The coordinates of the answer after a step with the differential at a point; the next point ahead is kept."""
        vector = self.model.vector(at.theta)
        with np.errstate(all="ignore"):
            moments = [self.model.moments(v, at.theta) for v in (vector, self.model.vector(maximised))]
            size = backend_of(vector).ones((), dtype=vector.dtype)
            ahead, self.state = self.acceleration(_Moments(self.model, at.theta), vector, moments[0] - moments[1], size,
                                                  self.state)
        self.ahead = self.tried(ahead, at.theta)
        return self.acceleration.answer(ahead, self.state)


class _Moments(NamedTuple):
    """The complete model as a manifold of `AcceleratedBregman`."""

    model: Any
    like: Any

    def to_eta(self, vector: Array) -> Array:
        return self.model.moments(vector, self.like)

    def to_theta(self, moments: Array) -> Array:
        return self.model.from_moments(moments, self.like)


def steps_of(acceleration: SQUAREM | AcceleratedBregman | None, model: Any, x: Any) -> PlainSteps:
    """The steps of an acceleration, or plain ones."""
    if isinstance(acceleration, SQUAREM):
        return SquaredSteps(model, x, acceleration)
    return PlainSteps(model, x) if acceleration is None else MirrorSteps(model, x, acceleration)
