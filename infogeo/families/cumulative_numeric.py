"""Distribution functions and moments on the line by sums: the reference beside closed forms, and where there is none."""
from collections.abc import Callable, Iterator
from functools import cached_property
from math import inf, prod
from typing import Any

import numpy as np

from ..backend import Array, Namespace
from ..numerics.lattice import panels
from ..numerics.root import root
from .cumulative import ContinuousCumulative, Law, binary_search, log_sum, log_unless_high
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
    pieces : list of triples of arrays, shapes (..., 1), optional
        Ends and mode of the intervals that make up the support, where the density has more than one mode.
    """

    def __init__(self, xp: Namespace, theta: Array, nodes: PanelNodes, log_total: Array,
                 pieces: list[tuple[Array, Array, Array]] | None = None) -> None:
        self.xp, self.theta, self.nodes, self.log_total, self._given = xp, theta, nodes, log_total, pieces

    @cached_property
    def pieces(self) -> Array:
        """(start, end, mode) of all pieces, shape (..., k, 3)."""
        xp, (bottom, top) = self.xp, self.nodes.bounds
        if self._given is None:
            mode = self._by_rows(lambda theta: self.nodes.mode(xp, theta), self.theta.shape[:-1], self.theta)
            found = [(xp.full_like(mode, bottom), xp.full_like(mode, top), mode)]
        else:
            found = self._given
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
        """log P(T ≤ t) where `lower`, log P(T > t) elsewhere."""
        xp, nodes, k = self.xp, self.nodes, self.pieces.shape[-2]
        batch = np.broadcast_shapes(t.shape, self.theta.shape[:-1])

        def mass(theta: Array, pieces: Array, low: Array, high: Array) -> Array:
            logs = []
            for i in range(k):
                start, end, mode = (pieces[:, i, j:j + 1] for j in range(3))
                a, b = xp.clip(low[:, None], start, end), xp.clip(high[:, None], start, end)
                x, log_weight = nodes.placed(xp, *nodes.panels(xp, theta, xp.clip(mode, a, b), a, b))
                logs.append(nodes.log_density(xp, theta, x) + log_weight)
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
        return self._log_tail(t, xp.full(t.shape, lower, dtype=xp.bool))

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
        return self._solve(q <= 0.5, self.xp.where(q <= 0.5, self.xp.log(q), self.xp.log1p(-q)))

    def upper_quantile(self, q: Array) -> Array:
        return self._solve(q > 0.5, self.xp.where(q > 0.5, self.xp.log1p(-q), self.xp.log(q)))

    def _solve(self, lower: Array, log_q: Array) -> Array:
        """x with log P(X ≤ x) = log q where `lower`, log P(X > x) = log q elsewhere, by Newton's method in a bracket."""
        xp, (bottom, top) = self.xp, (self.pieces[..., 0, 0], self.pieces[..., -1, 1])
        log_q = log_q + 0.0 * bottom
        lower, bottom, top = (xp.broadcast_to(v, log_q.shape) for v in (lower, bottom, top))

        def excess(t: Array) -> Array:
            """Increasing in t, 0 at the root."""
            gap = self._log_tail(t, lower) - log_q
            return xp.where(lower, gap, -gap)

        mode = xp.broadcast_to(self._widest[..., 2], log_q.shape)
        rises, inner, outer = excess(mode) < 0, mode, mode
        step, waiting = xp.broadcast_to(self._width, log_q.shape), xp.ones(log_q.shape, dtype=xp.bool)
        while xp.any(waiting):
            trial = xp.clip(xp.where(rises, outer + step, outer - step), bottom, top)
            passed = ((excess(trial) < 0) != rises) | (trial == bottom) | (trial == top)
            inner, outer = xp.where(waiting, outer, inner), xp.where(waiting, trial, outer)
            waiting, step = waiting & ~passed, 4.0 * step
        low, high = xp.minimum(inner, outer), xp.maximum(inner, outer)
        before = xp.full_like(high, inf)

        def newton(t: Array) -> tuple[Array, Array]:
            nonlocal low, high, before
            gap = excess(t)
            low, high = xp.where(gap < 0, t, low), xp.where(gap > 0, t, high)
            halved, before = high - low <= 0.5 * before, high - low
            tail = log_q + xp.where(lower, gap, -gap)
            x, slope = self.nodes.point(xp, t)
            rate = xp.exp(self.nodes.log_density(xp, self.theta, x[..., None])[..., 0] + slope - self.log_total - tail)
            ahead = t - gap / rate
            # where the logarithm leads out, near an end at which the density does not fall off, by the probability itself; where
            # that goes too slowly, as from the near side of a tail that does, to the middle
            straight = t + xp.where(lower, xp.expm1(-gap), -xp.expm1(gap)) / rate
            ahead = xp.where((ahead >= low) & (ahead <= high) | ~halved, ahead, straight)
            inside = (ahead >= low) & (ahead <= high)
            rounding = 4.0 * float(xp.finfo(t.dtype).eps) * xp.abs(t)
            closed = (high - low <= rounding) | (xp.abs(ahead - t) <= rounding)
            ahead = xp.where(inside, ahead, 0.5 * (low + high))
            return xp.where(closed, t, ahead), xp.where(closed, xp.zeros_like(gap), gap)

        t = root(xp, 0.5 * (low + high), newton, "quantile", max_steps=200)
        return self.nodes.point(xp, t)[0]

    def moments(self) -> tuple[Array, Array]:
        xp, nodes = self.xp, self.nodes

        def of_rows(theta: Array, pieces: Array) -> Array:
            parts = [nodes.placed(xp, *nodes.panels(xp, theta, pieces[:, i, 2:], pieces[:, i, :1], pieces[:, i, 1:2]))
                     for i in range(pieces.shape[1])]
            x, log_weight = (xp.concat(part, axis=-1) for part in zip(*parts))
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

    def _terms(self, first: Array, last: Array) -> tuple[Array, Array, Iterator[tuple[Array, Array]]]:
        """(the largest x between, its log p, the pairs (t, weight) of `panels` about it)."""
        xp = self.xp
        start = xp.clip(self.mode, first, last)
        top = self._log_p(start[..., None])
        return start, top[..., 0], panels(xp, lambda t: self._log_p(start[..., None] + t) - top, start - first, last - start)

    def _log_sum(self, first: Array, last: Array) -> Array:
        xp = self.xp
        _, top, terms = self._terms(first, last)
        total = xp.zeros_like(top)
        for _, weight in terms:
            total = total + xp.sum(weight, axis=-1)
        return top + xp.log(total) - self.log_total

    def _below(self, x: Array) -> Array:
        """log P(X ≤ x)."""
        x = x + 0.0 * self.mode
        return self._log_sum(self.xp.full_like(x, self.first), x)

    def _above(self, x: Array) -> Array:
        """log P(X > x)."""
        x = x + 0.0 * self.mode
        return self._log_sum(x + 1.0, self.xp.full_like(x, self.last))

    def cdf(self, x: Array) -> Array:
        value = self.xp.exp(self._below(x))
        return self.xp.minimum(value, 1.0 + 0.0 * value)

    def survival(self, x: Array) -> Array:
        value = self.xp.exp(self._above(x))
        return self.xp.minimum(value, 1.0 + 0.0 * value)

    def log_cdf(self, x: Array) -> Array:
        return log_unless_high(self.xp, self._below(x), self._above(x))

    def log_survival(self, x: Array) -> Array:
        return log_unless_high(self.xp, self._above(x), self._below(x))

    def moments(self) -> tuple[Array, Array]:
        xp, first = self.xp, self.xp.full_like(self.theta[..., 0], self.first)
        mode, _, terms = self._terms(first, xp.full_like(first, self.last))
        mass, mean, square = 0.0 * mode, 0.0 * mode, 0.0 * mode
        for t, weight in terms:
            mass, mean = mass + xp.sum(weight, axis=-1), mean + xp.sum(weight * t, axis=-1)
            square = square + xp.sum(weight * t * t, axis=-1)
        mean = mean / mass
        return mode + mean, square / mass - mean * mean
