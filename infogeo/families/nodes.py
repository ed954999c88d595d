"""Where laws on the line are summed: the states of whole numbers, Gauss–Legendre nodes of intervals."""
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays.draws import Draws, draw_states
from ..arrays.tracing import repeat, still
from ..backend import NUMPY, Array, Namespace
from ..domains.supports import Integers, Interval
from ..numerics.quadrature import gauss

__all__ = ["Nodes", "PanelNodes", "StateNodes"]

# Of a panel. Of log P of 12 truncated normal and gamma laws, the error is 4e-15 with 8 nodes, below 1e-15 with 10, 12, 16 or 20
# (`Truncated.log_probability` beside mpmath)
_NODES = 16
# The ends of the panels on each side of the mode, in units of the distance over which the density falls by a factor e or less:
# short at the mode, where it may have a corner, longer in the tail, which falls at least exponentially
_PANELS = (0.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 80.0)
_NEGLIGIBLE = 40.0     # fall of log p, from the mode, where a sum may end: e^{−40} is 4e-18
_FEWEST, _STATES = 2**5, 2**22          # that are summed at least, and at most: an array of the latter has 32 MB


class Nodes(ABC):
    """Points x of a support and the logarithms of their weights, for each θ.

    Parameters
    ----------
    family : ExponentialFamily
        The whole family, with scalar observations.
    support : Interval or Integers
        The part of its support that is left.
    """

    def __init__(self, family: Any, support: Interval | Integers) -> None:
        self.family, self.support = family, support
        self.whole: Any = family.support
        self.low, self.high = support.lower, support.upper

    @property
    @abstractmethod
    def somewhere(self) -> float:
        """A point of the support."""

    @property
    @abstractmethod
    def ends(self) -> list[float]:
        """The least and the largest x that are counted."""

    @abstractmethod
    def all_over(self, theta: Array) -> Array:
        """Points all over the support, as NumPy: where a statistic may have an extreme."""

    @abstractmethod
    def weighted(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """(x, log weights) for every θ, shapes (..., m), which broadcast."""

    @abstractmethod
    def draw(self, draws: Draws, theta: Array, p: Array, shape: tuple[int, ...]) -> Array:
        """Draws of x from the probabilities p (..., m) of the nodes."""

    def log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """log p(x; θ) in the whole family, shapes (..., dim) and (..., m) to (..., m); −∞ outside its support."""
        inside, x = self.family.supported(x)
        value = self.family._log_density(xp, theta[..., None, :], x)
        return xp.where(inside & ~xp.isnan(value), value, xp.full_like(value, -np.inf))


class StateNodes(Nodes):
    """Whole numbers, each of weight 1."""

    @property
    def somewhere(self) -> float:
        return float(self.low if np.isfinite(self.low) else self.high)

    @property
    def ends(self) -> list[float]:
        return [self.low, min(self.high, 1e15)]     # whole numbers below 2⁵³ are exact

    def all_over(self, theta: Array) -> Array:
        return self.low + np.arange(64.0)

    def weighted(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """All states, or the 2ᵏ first, where those beyond are negligible: k is that of the row, the others weigh 0.

        Zeros up to the next power of two do not change how a sum is grouped, so a row does not depend on its batch. Where 2²²
        states do not suffice all weigh 0, and the law is NaN.
        """
        if np.isfinite(self.high):
            x = self.low + xp.arange(int(self.high - self.low) + 1, dtype=theta.dtype)
            return x, xp.zeros_like(x)
        own = self.count(xp, theta)
        count = xp.arange(max(_FEWEST, int(xp.max(own))) if own.size else _FEWEST, dtype=theta.dtype)
        return self.low + count, xp.where(count < own, xp.zeros_like(own), xp.full_like(own, -np.inf))

    def count(self, xp: Namespace, theta: Array) -> Array:
        """How many states count where there is no last one: 2ᵏ, k ≥ 5, or 0 where 2²² do not suffice, shape (..., 1)."""
        sizes = 2.0 ** np.arange(_FEWEST.bit_length() - 1, _STATES.bit_length())
        at = np.concatenate([np.arange(8.0), 2.0 ** np.arange(3, _STATES.bit_length())])
        value = self.log_density(xp, theta, self.low + xp.asarray(at, dtype=theta.dtype))
        until = xp.asarray(at <= sizes[:, None])
        top = xp.max(xp.where(until, value[..., None, :], -np.inf + 0.0 * value[..., None, :]), axis=-1)
        negligible = value[..., -len(sizes):] < top - _NEGLIGIBLE
        sizes = xp.asarray(sizes, dtype=theta.dtype) + xp.zeros_like(top)
        found = xp.min(xp.where(negligible, sizes, xp.full_like(sizes, np.inf)), axis=-1, keepdims=True)
        return still(xp, xp.where(xp.isfinite(found), found, xp.zeros_like(found)))

    def draw(self, draws: Draws, theta: Array, p: Array, shape: tuple[int, ...]) -> Array:
        """By inverse CDF."""
        return self.low + draws.xp.astype(draw_states(draws, p, shape), theta.dtype)


class PanelNodes(Nodes):
    """The nodes of Gauss–Legendre rules on panels about the mode, in a coordinate t = x, log(x − a) or log((x − a) / (b − x)).

    Here (a, b) is the support of the whole family, whose density is log-concave in t.
    """

    @property
    def somewhere(self) -> float:
        low, high = self.low, self.high
        if np.isfinite(low) and np.isfinite(high):
            return 0.5 * (low + high)
        return low + 1.0 if np.isfinite(low) else high - 1.0 if np.isfinite(high) else 0.0

    @property
    def ends(self) -> list[float]:
        return [float(self.point(NUMPY, np.asarray(t))[0]) for t in self.bounds]

    def all_over(self, theta: Array) -> Array:
        return self.weighted(NUMPY, theta)[0]

    def point(self, xp: Namespace, t: Array) -> tuple[Array, Array]:
        """(x, log dx/dt) of the coordinate t."""
        a, b = self.whole.lower, self.whole.upper
        if np.isinf(a) and np.isinf(b):
            return t, xp.zeros_like(t)
        if np.isinf(b):
            return a + xp.exp(t), t
        if np.isinf(a):
            return b - xp.exp(-t), -t
        share, rest = xp.expit(t), xp.expit(-t)
        return a + (b - a) * share, xp.log(b - a + xp.zeros_like(t)) + xp.log(share) + xp.log(rest)

    def coordinate(self, xp: Namespace, x: Array) -> Array:
        """t of the point x."""
        a, b = self.whole.lower, self.whole.upper
        if np.isinf(a) and np.isinf(b):
            return x
        if np.isinf(b):
            return xp.log(x - a)
        return -xp.log(b - x) if np.isinf(a) else xp.log(x - a) - xp.log(b - x)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The bounds in the coordinate t, both finite."""
        a, b = self.whole.lower, self.whole.upper
        # e^{±700} are about the ends of the numbers, 1 / (1 + e^{−36}) is the last one below 1
        farthest = 1e18 if np.isinf(a) and np.isinf(b) else 700.0
        with np.errstate(divide="ignore"):
            low, high = (float(self.coordinate(NUMPY, np.asarray(end, dtype=float))) for end in (self.low, self.high))
        return max(low, -farthest), min(high, 36.0 if np.isfinite(a) and np.isfinite(b) else farthest)

    def value(self, xp: Namespace, theta: Array, t: Array) -> Array:
        """The log-density of the whole family in the coordinate t, shapes (..., dim) and (..., m) to (..., m)."""
        x, slope = self.point(xp, t)
        return self.log_density(xp, theta, x) + slope

    def panels(self, xp: Namespace, theta: Array, mode: Array, bottom: Array, top: Array) -> tuple[Array, Array]:
        """(inner, outer) ends of the panels on both sides of the mode between two bounds, in the coordinate t.

        Shapes: mode, bottom and top (..., 1), or the bounds numbers, to (..., number of panels).
        """
        peak = self.value(xp, theta, mode)
        shrink = 2.0 ** -xp.arange(120, dtype=theta.dtype)      # from the whole range down to rounding
        ends = xp.asarray(_PANELS, dtype=theta.dtype)
        sides = []
        for sign, reach in ((-1.0, mode - bottom), (1.0, top - mode)):
            distance = reach * shrink
            within = self.value(xp, theta, mode + sign * distance) >= peak - 1.0
            width = xp.max(xp.where(within, distance, xp.zeros_like(distance)), axis=-1, keepdims=True)
            sides.append(mode + sign * xp.minimum(width * ends, reach))
        inner, outer = (xp.concat([side[..., part] for side in sides], axis=-1) for part in (slice(None, -1), slice(1, None)))
        return inner, outer

    def mode(self, xp: Namespace, theta: Array) -> Array:
        """The place of the maximum of the density, a concave function of t, shape (..., 1)."""
        bottom, top = self.bounds
        grid = xp.linspace(0.0, 1.0, 33, dtype=theta.dtype)
        low = xp.full(theta.shape[:-1], bottom, dtype=theta.dtype)[..., None]
        high = xp.full_like(low, top)
        eps = float(xp.finfo(theta.dtype).eps)

        def further(low: Array, high: Array, mode: Array, peak: Array, done: Array) -> tuple[Array, ...]:
            t = low * (1.0 - grid) + high * grid
            value = self.value(xp, theta, t)
            around = xp.clip(xp.argmax(value, axis=-1, keepdims=True) + xp.arange(-1, 2), 0, 32)
            t, value = (xp.take_along_axis(along, around, axis=-1) for along in (t, value))
            mode, peak = xp.where(done, mode, t[..., 1:2]), xp.where(done, peak, value[..., 1:2])
            low, high = t[..., :1], t[..., 2:]
            # the density is flat to rounding between the neighbours of the maximum
            return low, high, mode, peak, done | (peak - xp.min(value, axis=-1, keepdims=True) <= 8 * eps * (1.0 + xp.abs(peak)))

        start = (low, high, low, xp.full_like(low, -np.inf), xp.zeros(low.shape, dtype=xp.bool))
        # each round keeps a sixteenth: 2e18 becomes a rounding of 1
        return repeat(xp, lambda *state: ~xp.all(state[-1]), further, start, 26)[2]

    def weighted(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """The nodes of all panels."""
        return self.placed(xp, *self.panels(xp, theta, self.mode(xp, theta), *self.bounds))

    def placed(self, xp: Namespace, inner: Array, outer: Array) -> tuple[Array, Array]:
        """(x, log weights) of the nodes of these panels."""
        node, weight = (xp.asarray(column, dtype=inner.dtype) for column in gauss(_NODES))
        width, flat = outer - inner, (*inner.shape[:-1], inner.shape[-1] * _NODES)
        x, slope = self.point(xp, xp.reshape(inner[..., None] + width[..., None] * node, flat))
        return x, xp.reshape(xp.log(xp.abs(width))[..., None] + xp.log(weight), flat) + slope

    def draw(self, draws: Draws, theta: Array, p: Array, shape: tuple[int, ...]) -> Array:
        """A panel by inverse CDF, and in it t by rejection: the density is largest at the inner end."""
        xp = draws.xp
        inner, outer = self.panels(xp, theta, self.mode(xp, theta), *self.bounds)
        panel = draw_states(draws, xp.sum(xp.reshape(p, (*inner.shape, _NODES)), axis=-1), shape)[..., None]
        inner, outer = (xp.take_along_axis(xp.broadcast_to(end, (*shape, end.shape[-1])), panel, axis=-1)
                        for end in (inner, outer))
        ceiling = self.value(xp, theta, inner)
        t, waiting = inner, xp.ones(inner.shape, dtype=xp.bool)
        while xp.any(waiting):
            trial = inner + (outer - inner) * draws.uniform(inner.shape)
            accepted = xp.log1p(-draws.uniform(inner.shape)) <= self.value(xp, theta, trial) - ceiling
            t, waiting = xp.where(waiting & accepted, trial, t), waiting & ~accepted
        return self.point(xp, t)[0][..., 0]
