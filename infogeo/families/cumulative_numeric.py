"""Distribution functions and moments on the line by sums: the reference beside closed forms, and where there is none."""
from collections.abc import Callable
from functools import cached_property
from math import inf, prod
from typing import Any

import numpy as np

from ..arrays.tracing import Factor, Forward, Partial, is_differentiated, repeat, ruled, still
from ..backend import Array, Namespace
from ..numerics.lattice import panel_sums
from ..numerics.root import root_between
from .cumulative import MOST, ContinuousCumulative, Law, binary_search, log_sum, log_unless_high
from .nodes import PanelNodes

__all__ = ["IntegratedCumulative", "SummedCumulative"]

_ROWS = 2**12       # that are integrated at a time: an array of all their nodes has 19 MB
_COUNTS = 2.0**53   # whole numbers beyond are not told apart


class IntegratedCumulative(Law, ContinuousCumulative):
    """Integrals of the density over the part of the support on each side of x, by the nodes of `PanelNodes`.

    They assume that in the coordinate of the nodes the density rises to one mode and falls from it, at least exponentially, in
    each of the pieces. Probability beyond |log distance| = 700 from an end of the support is not counted: a gamma law of shape
    0.01 has e^{−7} of it there. Nor are moments found to full precision where a density falls as a power: the nodes end where it
    has fallen by e^{−40}, which x² times it has not.

    Parameters
    ----------
    theta : array, shape (..., dim)
    nodes : PanelNodes
    log_total : array, shape (...)
        The logarithm of the probability of the support under the family of the nodes.
    pieces : callable (xp, theta) -> list of triples of arrays, shapes (..., 1), optional
        Ends and mode of the intervals that make up the support, where the density has more than one mode.
    """

    def __init__(self, xp: Namespace, theta: Array, nodes: PanelNodes, log_total: Array,
                 pieces: Callable[..., list[tuple[Array, Array, Array]] | None] = lambda xp, theta: None) -> None:
        self.xp, self.theta, self.nodes, self.log_total, self._given = xp, theta, nodes, log_total, pieces

    def at(self, theta: Array, log_total: Array) -> "IntegratedCumulative":
        """The law of another θ."""
        return IntegratedCumulative(self.xp, theta, self.nodes, log_total, self._given)

    @cached_property
    def pieces(self) -> Array:
        """(start, end, mode) of all pieces, shape (..., k, 3)."""
        xp, (bottom, top) = self.xp, self.nodes.bounds
        found = self._given(xp, self.theta)
        if found is None:
            mode = self._by_rows(lambda theta: self.nodes.mode(xp, theta), self.theta.shape[:-1], self.theta)
            found = [(xp.full_like(mode, bottom), xp.full_like(mode, top), mode)]
        return xp.stack([xp.concat(piece, axis=-1) for piece in found], axis=-2)

    @cached_property
    def _widest(self) -> Array:
        """(start, end, mode) of the widest piece, shape (..., 3): another one may be a single point."""
        xp, widest = self.xp, self.pieces[..., 0, :]
        for i in range(1, self.pieces.shape[-2]):
            piece = self.pieces[..., i, :]
            widest = xp.where(piece[..., 1:2] - piece[..., :1] > widest[..., 1:2] - widest[..., :1], piece, widest)
        return widest

    @cached_property
    def _width(self) -> Array:
        """About the width of the law in the coordinate of the nodes, shape (...)."""
        xp = self.xp
        start, end, mode = (self._widest[..., j:j + 1] for j in range(3))
        _, outer = self.nodes.panels(xp, self.theta, mode, start, end)
        return (xp.max(outer, axis=-1) - xp.min(outer, axis=-1)) / 80.0

    def _by_rows(self, function: Callable[..., Array], batch: tuple[int, ...], *xs: Array) -> Array:
        """A function of rows (r, …) of arrays (*batch, …), a few rows at a time."""
        xp = self.xp
        flat = [xp.reshape(x, (prod(batch), *x.shape[len(batch):])) for x in xs]
        stops = [(start, min(start + _ROWS, prod(batch))) for start in range(0, max(1, prod(batch)), _ROWS)]
        parts = [function(*(x[start:stop, ...] for x in flat)) for start, stop in stops]
        whole = parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)
        return xp.reshape(whole, (*batch, *whole.shape[1:]))

    def _log_tail(self, t: Array, lower: Array) -> Array:
        """log P(T ≤ t) where `lower`, log P(T > t) elsewhere; its derivatives are those in θ, with the nodes where they are."""
        xp, nodes, k = self.xp, self.nodes, self.pieces.shape[-2]
        batch = np.broadcast_shapes(t.shape, self.theta.shape[:-1])

        def mass(theta: Array, pieces: Array, low: Array, high: Array) -> Array:
            logs = []
            for i in range(k):
                start, end, mode = (pieces[:, i, j:j + 1] for j in range(3))
                a, b = xp.clip(low[:, None], start, end), xp.clip(high[:, None], start, end)
                x, log_weight = nodes.placed(xp, *nodes.panels(xp, theta, xp.clip(mode, a, b), a, b))
                logs.append(nodes.log_density(xp, theta, still(xp, x)) + still(xp, log_weight))
            every = logs[0] if k == 1 else xp.concat(logs, axis=-1)
            return log_sum(xp, xp.where(xp.isnan(every), xp.full_like(every, -inf), every))

        low, high = xp.where(lower, xp.full_like(t, -inf), t), xp.where(lower, t, xp.full_like(t, inf))
        theta, pieces = xp.broadcast_to(self.theta, (*batch, self.theta.shape[-1])), xp.broadcast_to(self.pieces, (*batch, k, 3))
        low, high = xp.broadcast_to(low, batch), xp.broadcast_to(high, batch)
        return self._by_rows(mass, batch, theta, pieces, low, high) - self.log_total

    def _tails(self, x: Array) -> tuple[Array, Array]:
        """(log P(X ≤ x), log P(X > x))."""
        return self._tail(x, True), self._tail(x, False)

    def _tail(self, x: Array, lower: bool) -> Array:
        xp, t = self.xp, self.nodes.coordinate(self.xp, x)

        def log_tail(theta: Array, log_total: Array, t: Array) -> Array:
            return self.at(theta, log_total)._log_tail(t, xp.full(t.shape, lower, dtype=xp.bool))

        if not is_differentiated(xp, self.theta, self.log_total, t):
            return self._log_tail(t, xp.full(t.shape, lower, dtype=xp.bool))

        def rule(tail: Array, theta: Array, log_total: Array, t: Array) -> list[Partial]:
            rate = self.at(theta, log_total).rate(t, tail)
            return [Forward(lambda theta: log_tail(theta, log_total, t), theta),
                    Factor(lambda: -xp.ones_like(tail)), Factor(lambda: rate if lower else -rate)]

        return ruled(xp, log_tail, rule, *self._together(t))

    def _together(self, x: Array) -> tuple[Array, Array, Array]:
        """θ, log_total and x of one batch."""
        xp, batch = self.xp, np.broadcast_shapes(x.shape, self.theta.shape[:-1])
        return (xp.broadcast_to(self.theta, (*batch, self.theta.shape[-1])), xp.broadcast_to(self.log_total, batch),
                xp.broadcast_to(x, batch))

    def rate(self, t: Array, tail: Array) -> Array:
        """The density of t in units of e^tail, shape (...)."""
        x, slope = self.nodes.point(self.xp, t)
        log_p = self.nodes.log_density(self.xp, self.theta, x[..., None])[..., 0] + slope
        return self.xp.exp(log_p - self.log_total - tail)

    def cdf(self, x: Array) -> Array:
        return self.xp.exp(self.xp.minimum(self._tail(x, True), 0.0 * x))

    def survival(self, x: Array) -> Array:
        return self.xp.exp(self.xp.minimum(self._tail(x, False), 0.0 * x))

    def log_cdf(self, x: Array) -> Array:
        below, above = self._tails(x)
        return log_unless_high(self.xp, below, above)

    def log_survival(self, x: Array) -> Array:
        below, above = self._tails(x)
        return log_unless_high(self.xp, above, below)

    def quantile(self, q: Array) -> Array:
        return self._at_level(q, False)

    def upper_quantile(self, q: Array) -> Array:
        return self._at_level(q, True)

    def _at_level(self, q: Array, upper: bool) -> Array:
        """x with P(X ≤ x) = q or, of the upper tail, P(X > x) = q; the derivatives are those of implicit functions."""
        xp = self.xp
        if not is_differentiated(xp, self.theta, self.log_total, q):
            return self.nodes.point(xp, self._solve(*self._side(q, upper)))[0]

        def rule(t: Array, theta: Array, log_total: Array, q: Array) -> list[Partial]:
            lower, level = self._side(q, upper)
            rise = self.at(theta, log_total).rate(t, level) * xp.where(lower, 1.0, -1.0)
            direct = xp.exp(-level) * xp.where(lower != upper, 1.0, -1.0)
            return [Forward(lambda theta: -self.at(theta, log_total)._log_tail(t, lower) / rise, theta),
                    Factor(lambda: 1.0 / rise), Factor(lambda: direct / rise)]

        def solve(theta: Array, log_total: Array, q: Array) -> Array:
            return self.at(theta, log_total)._solve(*self._side(q, upper))

        return self.nodes.point(xp, ruled(xp, solve, rule, *self._together(q)))[0]

    def _side(self, q: Array, upper: bool) -> tuple[Array, Array]:
        """Where the lower tail is the smaller one, and the logarithm of that."""
        low = self.xp.where(q <= 0.5, self.xp.log(q), self.xp.log1p(-q))
        return (q > 0.5 if upper else q <= 0.5), low

    def _solve(self, lower: Array, log_q: Array) -> Array:
        """t with log P(T ≤ t) = log q where `lower`, log P(T > t) = log q elsewhere, by Newton's method in a bracket."""
        xp, (bottom, top) = self.xp, (self.pieces[..., 0, 0], self.pieces[..., -1, 1])
        log_q = log_q + 0.0 * bottom
        lower, bottom, top = (xp.broadcast_to(v, log_q.shape) for v in (lower, bottom, top))

        def excess(t: Array) -> Array:
            """Increasing in t, 0 at the root."""
            gap = self._log_tail(t, lower) - log_q
            return xp.where(lower, gap, -gap)

        mode = xp.broadcast_to(self._widest[..., 2], log_q.shape)
        rises = excess(mode) < 0

        def wider(inner: Array, outer: Array, step: Array, waiting: Array) -> tuple[Array, ...]:
            trial = xp.clip(xp.where(rises, outer + step, outer - step), bottom, top)
            passed = ((excess(trial) < 0) != rises) | (trial == bottom) | (trial == top)
            return xp.where(waiting, outer, inner), xp.where(waiting, trial, outer), 4.0 * step, waiting & ~passed

        start = (mode, mode, xp.broadcast_to(self._width, log_q.shape), xp.ones(log_q.shape, dtype=xp.bool))
        inner, outer, *_ = repeat(xp, lambda *state: xp.any(state[-1]), wider, start, MOST)

        def newton(t: Array) -> tuple[Array, Array, Array]:
            """By the logarithm, or, as near an end at which the density does not fall off, by the probability itself."""
            gap = excess(t)
            rate = self.rate(t, log_q + xp.where(lower, gap, -gap))
            return gap, t - gap / rate, t + xp.where(lower, xp.expm1(-gap), -xp.expm1(gap)) / rate

        return root_between(xp, xp.minimum(inner, outer), xp.maximum(inner, outer), newton, "quantile")

    def moments(self) -> tuple[Array, Array]:
        xp, nodes = self.xp, self.nodes

        def of_rows(theta: Array, pieces: Array) -> Array:
            parts = [nodes.placed(xp, *nodes.panels(xp, theta, pieces[:, i, 2:], pieces[:, i, :1], pieces[:, i, 1:2]))
                     for i in range(pieces.shape[1])]
            x, log_weight = (still(xp, xp.concat(part, axis=-1)) for part in zip(*parts))
            logs = nodes.log_density(xp, theta, x) + log_weight
            p = xp.exp(xp.where(xp.isnan(logs), xp.full_like(logs, -inf), logs) - log_sum(xp, logs)[:, None])
            x = xp.where(p > 0, x, xp.zeros_like(x))
            centre = xp.sum(p * x, axis=-1, keepdims=True)
            shift = xp.sum(p * (x - centre), axis=-1, keepdims=True)        # what rounding of the mean leaves
            return xp.concat([centre + shift, xp.sum(p * (x - centre - shift) ** 2, axis=-1, keepdims=True)], axis=-1)

        found = self._by_rows(of_rows, self.theta.shape[:-1], self.theta, self.pieces)
        return found[..., 0], found[..., 1]


class SummedCumulative(Law):
    """Sums over the whole numbers on each side of x, by the panels of `numerics.lattice`.

    They assume that the probabilities rise to one mode and fall from it, and are smooth between the integers.

    Parameters
    ----------
    theta : array, shape (..., dim)
    family : ExponentialFamily
        With observations on whole numbers.
    first, last : float
        The whole numbers that count; the last one may be infinite.
    log_total : array, shape (...)
        The logarithm of the probability of these under the family.
    """

    def __init__(self, xp: Namespace, theta: Array, family: Any, first: float, last: float,
                 log_total: Array) -> None:
        self.xp, self.theta, self.family, self.first, self.last, self.log_total = xp, theta, family, first, last, log_total

    def _log_p(self, x: Array) -> Array:
        """log p of x of shape (..., n)."""
        return self.family._log_density(self.xp, self.theta[..., None, :], x)

    @cached_property
    def mode(self) -> Array:
        """The smallest x from which the probabilities do not rise, shape (...)."""
        xp, start = self.xp, self.xp.full_like(self.theta[..., 0], self.first)

        def falls(x: Array) -> Array:
            value = self._log_p(xp.stack([x, xp.minimum(x + 1.0, xp.full_like(x, self.last))], axis=-1))
            return value[..., 1] <= value[..., 0]

        return binary_search(xp, falls, start, xp.ones_like(start), self.first, min(self.last, _COUNTS))

    def _sums(self, first: Array, last: Array, terms: Callable[[Array, Array], tuple[Array, ...]],
              n: int) -> tuple[Array, Array, list[Array]]:
        """(the largest x between, its log p, n sums of ``terms(t, weight)`` over the x = that + t between)."""
        xp = self.xp
        start = xp.clip(self.mode, first, last)
        top = self._log_p(start[..., None])
        return start, top[..., 0], panel_sums(xp, lambda t: self._log_p(start[..., None] + t) - top, start - first, last - start,
                                              lambda t, _, weight: terms(t, weight), n)

    def _log_sum(self, first: Array, last: Array) -> Array:
        _, top, (total,) = self._sums(first, last, lambda t, weight: (weight,), 1)
        return top + self.xp.log(total)

    def _tail(self, x: Array, lower: bool) -> Array:
        """log P(X ≤ x) or log P(X > x); the derivative in θ goes forwards through the sums."""
        xp = self.xp
        if not is_differentiated(xp, self.theta, x):
            return self._log_tail(x + 0.0 * self.mode, lower) - self.log_total
        batch = np.broadcast_shapes(x.shape, self.theta.shape[:-1])
        theta, x = xp.broadcast_to(self.theta, (*batch, self.theta.shape[-1])), xp.broadcast_to(x, batch)

        def tail(theta: Array, x: Array) -> Array:
            return SummedCumulative(xp, theta, self.family, self.first, self.last, self.log_total)._log_tail(x, lower)

        return ruled(xp, tail, lambda found, theta, x: (Forward(lambda theta: tail(theta, x), theta), Partial()),
                     theta, x) - self.log_total

    def _log_tail(self, x: Array, lower: bool) -> Array:
        xp = self.xp
        return self._log_sum(*((xp.full_like(x, self.first), x) if lower else (x + 1.0, xp.full_like(x, self.last))))

    def cdf(self, x: Array) -> Array:
        value = self.xp.exp(self._tail(x, True))
        return self.xp.minimum(value, 1.0 + 0.0 * value)

    def survival(self, x: Array) -> Array:
        value = self.xp.exp(self._tail(x, False))
        return self.xp.minimum(value, 1.0 + 0.0 * value)

    def log_cdf(self, x: Array) -> Array:
        return log_unless_high(self.xp, self._tail(x, True), self._tail(x, False))

    def log_survival(self, x: Array) -> Array:
        return log_unless_high(self.xp, self._tail(x, False), self._tail(x, True))

    def moments(self) -> tuple[Array, Array]:
        first = self.xp.full_like(self.theta[..., 0], self.first)
        mode, _, (mass, mean, square) = self._sums(first, self.xp.full_like(first, self.last),
                                                   lambda t, weight: (weight, weight * t, weight * t * t), 3)
        mean = mean / mass
        return mode + mean, square / mass - mean * mean
