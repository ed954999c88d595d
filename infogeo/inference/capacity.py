"""Capacity of a channel and the rate–distortion function, as natural steps on the simplex with bounds on both sides."""
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..arrays.kept import kept
from ..backend import Array, Namespace, arrays, backend_of
from ..errors import ShapeError, require, require_count, require_positive
from ..geometry.manifolds.simplex import Simplex
from ..objectives.base import Objective
from ..solvers.descend import descend
from ..solvers.place import Place
from ..solvers.result import Result
from ..solvers.step import Search, positive_field, require_factor, rows_of
from ..solvers.update import MirrorUpdate, NaturalUpdate, Update

__all__ = ["Capacity", "Guaranteed", "RateDistortion", "channel_capacity", "rate_distortion"]


@dataclass(frozen=True)
class Guaranteed(Search):
    """Steps of a convex objective that are never shorter than h, which theory guarantees, and grow where they do not overshoot.

    Mathematically, the largest of γ h₋ β^j for which ⟨∇f(x⁺), x⁺ − x⟩ ≤ 0, h₋ the last step, and else h: then f(x⁺) ≤ f(x), as f
    is convex, without a look at values, whose differences near the optimum are all rounding.

    Parameters
    ----------
    h : float
    growth, factor : float
        γ > 1 and β < 1.

    Examples
    --------
    >>> f = lambda x: (x[0]**2 / 200, [x[0] / 100])           # asks for h = 100
    >>> run = ig.descend(f, [1.0], geometry=ig.Euclidean(1),
    ...                  update=ig.MirrorUpdate(),
    ...                  step=ig.inference.Guaranteed(1.0), max_steps=6)
    >>> run.path[:, 0].round(3)
    array([1.   , 0.99 , 0.96 , 0.874, 0.638, 0.121, 0.02 ])
    """

    h: float = 1.0
    growth: float = 3.0
    factor: float = 0.7

    def __post_init__(self) -> None:
        positive_field(self, "h")
        require("growth", "growth > 1", isinstance(self.growth, Real) and 1 < self.growth < float("inf"), self.growth)
        require_factor(self.factor)

    def __call__(self, at: Place) -> Array:
        xp, x, value = arrays(at.x, at.value)
        h = rows_of(xp, value, self.h if at.h is None else self.growth * at.h)
        with np.errstate(all="ignore"):
            while True:
                h = xp.maximum(h, xp.zeros_like(h) + self.h)
                trial = at.curve(h)
                inside = at.geometry.domain.contains(trial)
                slope = at.objective.value_and_gradient(xp.where(inside[..., None], trial, x))[1]
                good = (h <= self.h) | inside & (xp.sum(slope * (trial - x), axis=-1) <= 0.0)
                if xp.all(good):
                    return h
                h = xp.where(good, h, self.factor * h)


class Capacity(NamedTuple):
    """The capacity of channels, and the law of the input that attains it; nats.

    Attributes
    ----------
    p : array, shape (..., X)
        Of the input.
    lower, upper : arrays, shape (steps + 1, ...)
        Bounds of max I(p) − cost·p at every step: the value at p, and max over x of D(W_x‖pW) − cost_x.
    run : Result
        Of `descend`.

    Examples
    --------
    >>> Z = [[1.0, 0.0], [0.5, 0.5]]                # P(y|x); log₂(5/4) bits
    >>> found = ig.inference.channel_capacity(Z)
    >>> found.p.round(4), float((found.value / np.log(2)).round(4))
    (array([0.6, 0.4]), 0.3219)
    """

    p: Any
    lower: Any
    upper: Any
    run: Result

    @property
    def value(self) -> Any:
        """The last lower bound, shape (...): the rate that p attains, less what it costs."""
        return self.lower[-1, ...]


class RateDistortion(NamedTuple):
    """The point of slope −β of rate–distortion functions, and the law of the reproduction that attains it; nats.

    Attributes
    ----------
    r : array, shape (..., Y)
        Of the reproduction.
    rate, distortion : arrays, shape (...)
    lower, upper : arrays, shape (steps + 1, ...)
        Bounds of min I + β D at every step.
    run : Result
        Of `descend`.

    Examples
    --------
    >>> errors = [[0.0, 1.0], [1.0, 0.0]]           # of a fair coin
    >>> found = ig.inference.rate_distortion([0.5, 0.5], errors, 2.0)
    >>> float(found.distortion.round(4)), float((1 / (1 + np.exp(2))).round(4))
    (0.1192, 0.1192)
    """

    r: Any
    rate: Any
    distortion: Any
    lower: Any
    upper: Any
    run: Result


class _MinusInformation(Objective):
    """cost·p − I(p; W), whose differential is cost_x − D(W_x‖pW), up to a constant."""

    def __init__(self, W: Array, cost: Array) -> None:
        self.W, self.cost = W, cost
        self.rows = tuple(np.broadcast_shapes(W.shape[:-2], cost.shape[:-1]))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        xp, p = arrays(x)
        out = xp.matmul(p[..., None, :], self.W)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = xp.where(self.W > 0, self.W / out, xp.ones_like(self.W))
        covector = self.cost - xp.sum(self.W * xp.log(ratio), axis=-1)
        return xp.sum(xp.where(p > 0, p * covector, xp.zeros_like(covector)), axis=-1), covector


class _MinusLogMean(Objective):
    """−Σ p log Z, Z(x) = Σ r(y) K(x, y), whose differential is −c(y), c = Σ p K / Z."""

    def __init__(self, source: Array, kernel: Array) -> None:
        self.source, self.kernel = source, kernel
        self.rows = tuple(np.broadcast_shapes(source.shape[:-1], kernel.shape[:-2]))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        xp, r = arrays(x)
        Z = xp.sum(self.kernel * r[..., None, :], axis=-1)
        covector = -xp.sum((self.source / Z)[..., None] * self.kernel, axis=-2)
        return -xp.sum(self.source * xp.log(Z), axis=-1), covector


def channel_capacity(W: Array, cost: Array | None = None, *, step: Any = Guaranteed(1.0), tol: float = 1e-10,
                     max_steps: int = 10_000) -> Capacity:
    """The capacity max I(p) − cost·p of channels of X inputs and Y outputs, by the algorithm of Blahut and Arimoto.

    Mathematically, mirror descent on the simplex, p⁺ ∝ p e^{h (D(W_x‖pW) − cost_x)}, with p·(D − cost) ≤ C ≤ max(D − cost) at
    every step. The objective is smooth relative to the entropy with the constant 1, so that h = 1 is safe; it grows where it can
    (`Guaranteed`): 19 steps for a channel of the tests, where h = 1 takes 99 and the best of h = 1, 2, 3, 4 takes 20.

    Parameters
    ----------
    W : array, shape (..., X, Y)
        W[x, y] = P(y | x); leading axes are a batch of channels.
    cost : array, shape (..., X), optional
        Of a symbol, in nats: a price s times what it costs.
    step : step rule or number
        Of `descend`.
    tol : float
        Ends where the bounds differ by at most this.
    max_steps : int

    Raises
    ------
    DomainError, ShapeError
        Where rows of W are no probabilities, or cost is not finite.

    Source: Blahut, Computation of channel capacity and rate-distortion functions (1972); Arimoto (1972); He, Saunderson & Fawzi,
    A Bregman proximal perspective on classical and quantum Blahut–Arimoto algorithms (2023).

    Examples
    --------
    >>> import infogeo as ig
    >>> found = ig.inference.channel_capacity([[0.9, 0.1], [0.1, 0.9]])
    >>> found.value.round(12), found.p
    (np.float64(0.368064207168), array([0.5, 0.5]))
    """
    xp, W, cost = arrays(W, 0.0 if cost is None else cost)
    if W.ndim < 2 or W.shape[-2] < 2:
        raise ShapeError(f"W must have shape (..., X, Y) with X >= 2; got {tuple(W.shape)}")
    _require_laws("W", W)
    cost = cost + xp.zeros_like(W[..., 0]) if cost.ndim == 0 else cost
    if cost.shape[-1] != W.shape[-2]:
        raise ShapeError(f"cost must have shape (..., {W.shape[-2]}); got {tuple(cost.shape)}")
    require("cost", "cost finite", xp.isfinite(cost), cost)
    f = _MinusInformation(kept(W), kept(cost))

    def bound(value: Array, covector: Array) -> Array:
        return xp.min(covector, axis=-1)

    run, lower, upper = _bounded(xp, f, W.shape[-2], W.dtype, MirrorUpdate(), bound, step, tol, max_steps)
    return Capacity(run.x, -upper, -lower, run)


def rate_distortion(source: Array, distortion: Array, beta: Array, *, step: Any = Guaranteed(1.0), tol: float = 1e-10,
                    max_steps: int = 10_000) -> RateDistortion:
    """The points (D, R) where the rate–distortion function has the slope −β: the least I(X; Y) + β E[d(X, Y)].

    Mathematically, with Z(x) = Σ r(y) e^{−β d(x, y)} and c(y) = Σ p(x) e^{−β d(x, y)} / Z(x), natural descent on the simplex of
    r ↦ −Σ p log Z, r⁺ = r (1 + h (c − 1)); h = 1 is Blahut's step r c, and safe, as it is one of expectation–maximisation. At
    every step −Σ p log Z − log max c ≤ min I + β D ≤ −Σ p log Z.

    Parameters
    ----------
    source : array, shape (..., X)
        p.
    distortion : array, shape (..., X, Y)
        d, not negative.
    beta : array, shape (...)
        Positive; it broadcasts with the batches of the others.
    step, tol, max_steps
        As of `channel_capacity`.

    Raises
    ------
    DomainError, ShapeError

    Examples
    --------
    >>> found = ig.inference.rate_distortion([0.5, 0.5], [[0.0, 1.0], [1.0, 0.0]], 2.0)
    >>> found.distortion.round(12), found.rate.round(12)            # 1 / (1 + e²), log 2 − H(D)
    (np.float64(0.119202922022), np.float64(0.327813325473))
    """
    xp, source, distortion, beta = arrays(source, distortion, beta)
    if source.ndim < 1 or distortion.ndim < 2 or distortion.shape[-2] != source.shape[-1] or distortion.shape[-1] < 2:
        raise ShapeError("source must have shape (..., X) and distortion (..., X, Y) with Y >= 2; got "
                         f"{tuple(source.shape)} and {tuple(distortion.shape)}")
    _require_laws("source", source)
    require("distortion", "distortion >= 0", (distortion >= 0) & xp.isfinite(distortion), distortion)
    require_positive("beta", beta)
    least = xp.min(distortion, axis=-1, keepdims=True)          # a constant for every x, so that Z does not underflow
    size = beta[..., None, None]
    f = _MinusLogMean(kept(source), kept(xp.exp(-size * (distortion - least))))
    shift = beta * xp.sum(source * least[..., 0], axis=-1)

    def bound(value: Array, covector: Array) -> Array:
        return value - xp.log(xp.max(-covector, axis=-1))

    run, lower, upper = _bounded(xp, f, distortion.shape[-1], f.kernel.dtype, NaturalUpdate(), bound, step, tol, max_steps)
    joint = f.kernel * run.x[..., None, :]
    joint = f.source[..., None] * joint / xp.sum(joint, axis=-1, keepdims=True)
    mean = xp.sum(joint * distortion, axis=(-2, -1))
    return RateDistortion(run.x, upper[-1, ...] + shift - beta * mean, mean, lower + shift, upper + shift, run)


def _bounded(xp: Namespace, f: Any, k: int, dtype: Any, update: Update, bound: Callable[[Array, Array], Array], step: Any,
             tol: float, max_steps: int) -> tuple[Result, Array, Array]:
    """A run from the middle of the simplex with the bounds of the minimum of f at every step."""
    require_positive("tol", tol)
    require_count("max_steps", max_steps)
    start = xp.full((k,), 1.0 / k, dtype=dtype)
    run = descend(f, start, geometry=Simplex(k), update=update, step=step, max_steps=max_steps,
                  tol=lambda at: at.value - bound(at.value, at.covector) <= tol)
    values, covectors = f.value_and_gradient(run.path)
    return run, bound(values, covectors), values


def _require_laws(name: str, p: Array) -> None:
    xp = backend_of(p)
    rounding = 32 * p.shape[-1] * float(xp.finfo(p.dtype).eps)
    good = xp.all(p >= 0, axis=-1) & (xp.abs(xp.sum(p, axis=-1) - 1.0) <= rounding)
    require(name, f"{name} >= 0 with rows that sum to 1", good, xp.sum(p, axis=-1))
