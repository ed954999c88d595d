"""Expectation–maximisation, for any model with latent variables: one engine."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, arrays, backend_of
from ..errors import require, require_count, takes

__all__ = ["EMResult", "LatentModel", "SQUAREM", "em", "require_parts"]


class LatentModel(ABC):
    """A model p(x, z; θ) of which x is seen: what `em` asks for.

    Mathematically, with the expected statistics s̄ = E[s | x; θ], the step is the maximum θ⁺ of the complete likelihood at s̄.
    Where the complete model is an exponential family, ∇A(θ⁺) = s̄ = ∇A(θ) − ∇L(θ), L the negative log-likelihood: mirror descent
    of step 1 on the complete family, natural gradient on its dual. In any case L(θ) − L(θ⁺) ≥ `divergence`.

    Parameters of a model are a tuple of arrays.
    """

    @abstractmethod
    def prepared(self, x: Array, start: Any) -> tuple[Array, Any]:
        """x and the start, checked. Raises DomainError, ShapeError."""

    @abstractmethod
    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """``(log p(x; θ) / n, s̄)``: the first is what the steps raise, a number, in nats per observation."""

    @abstractmethod
    def maximise(self, x: Array, statistics: Any) -> Any:
        """θ⁺ from the expected statistics."""

    @abstractmethod
    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        """What the maximisation gains of E[log p(x, z; θ) | x] / n: KL(θ⁺‖θ) of the complete model at the expected numbers."""

    @abstractmethod
    def vector(self, theta: Any) -> Array:
        """θ as one vector of coordinates, in which means of points are points as far as may be."""

    @abstractmethod
    def from_vector(self, vector: Array, like: Any) -> Any:
        """The inverse of `vector`, of the shapes of `like`."""


def require_parts(start: Any, *names: str) -> Any:
    """The parameters, if there are as many as names. Raises TypeError."""
    if not isinstance(start, (tuple, list)) or len(start) != len(names):
        got = f"{len(start)} things" if isinstance(start, (tuple, list)) else repr(start)
        raise TypeError(f"start must be a tuple ({', '.join(names)}); got {got}")
    return start


class EMResult(NamedTuple):
    """Where expectation–maximisation ended, and how it got there.

    Attributes
    ----------
    theta : tuple of arrays
        The parameters of the model.
    values : array, shape (steps + 1,)
        log p(x; θ) / n before the first step and after each, which never falls; nats.
    divergences : array, shape (steps,)
        The least by which theory lets the values rise, KL(θ⁺‖θ) of the complete model.
    converged : bool
        Whether the last step raised the value by at most `tol`.
    """

    theta: Any
    values: Any
    divergences: Any
    converged: bool


@dataclass(frozen=True)
class SQUAREM:
    """Squared extrapolation: two steps tell how fast they shrink, and the point to which they lead on.

    Mathematically, with r = θ₁ − θ₀, v = θ₂ − θ₁ − r and α = −|r| / |v|, at most −1, the next point is a step from
    θ₀ − 2αr + α²v, where its likelihood is no less than that of θ₂, and θ₂ else.

    Source: Varadhan & Roland, Simple and globally convergent methods for accelerating the convergence of any EM algorithm (2008).
    """

    def __call__(self, first: Array, second: Array, third: Array) -> Array:
        """θ₀ − 2αr + α²v of three points, shape (d,)."""
        xp, first, second, third = arrays(first, second, third)
        r, v = second - first, third - 2.0 * second + first
        size = xp.sqrt(xp.sum(v * v))
        alpha = xp.minimum(-xp.sqrt(xp.sum(r * r)) / xp.where(size > 0, size, xp.ones_like(size)), -xp.ones_like(size))
        return first - 2.0 * alpha * r + alpha**2 * v


@takes(model=LatentModel, acceleration=SQUAREM)
def em(model: LatentModel, x: Array, start: Any, *, tol: float, max_steps: int,
       acceleration: SQUAREM | None = None) -> EMResult:
    """A local maximum of the likelihood of a model with latent variables, by expectation–maximisation.

    Parameters
    ----------
    model : LatentModel
        `MixtureModel`, and in `infogeo.inference` `HiddenMarkov`, `FactorAnalysis`, `MissingNormal`, `LinearExperts`.
    x : array
        As the model says.
    start : tuple of arrays
        The parameters where to start, as the model says.
    tol : float
        Ends when a step raises the log-likelihood of an observation, in nats, by at most this.
    max_steps : int
    acceleration : SQUAREM, optional
        Of every two steps a third one is tried; it is counted as one, and taken where it is no worse.

    Raises
    ------
    DomainError, ShapeError

    Source: Dempster, Laird & Rubin (1977); Kunstner, Kumar & Schmidt, Homeomorphic-invariance of EM (2021).
    """
    require("tol", "tol >= 0", tol >= 0, tol)
    require_count("max_steps", max_steps, 0)
    x, theta = model.prepared(x, start)
    value, statistics = model.expect(x, theta)
    values, divergences, points, converged = [value], [], [theta], False
    for _ in range(max_steps):
        new = model.maximise(x, statistics)
        divergence = model.divergence(x, statistics, new, theta)
        theta, (value, statistics) = new, model.expect(x, new)
        points.append(theta)
        if acceleration is not None and len(points) == 3:
            theta, value, statistics = _further(model, acceleration, x, points, value, statistics)
            points = [theta]
        values.append(value)
        divergences.append(divergence)
        converged = bool(value - values[-2] <= tol)
        if converged:
            break
    xp = backend_of(value)
    found = xp.stack(divergences) if divergences else xp.zeros((0,), dtype=value.dtype)
    return EMResult(theta, xp.stack(values), found, converged)


def _further(model: LatentModel, acceleration: SQUAREM, x: Array, points: list[Any], value: Array,
             statistics: Any) -> tuple[Any, Array, Any]:
    """The point to which three lead on, after a step from there, or the last of them where that is better."""
    with np.errstate(all="ignore"):
        guess = model.from_vector(acceleration(*map(model.vector, points)), points[-1])
        try:
            theta = model.maximise(x, model.expect(x, guess)[1])
            found, its_own = model.expect(x, theta)
        except ValueError:              # the guess is outside, or has closed in on the boundary
            return points[-1], value, statistics
    return (theta, found, its_own) if bool(found >= value) else (points[-1], value, statistics)
