"""The continuous ranked probability score of any law of one number, by one pass over nodes of every row.

Mathematically, with r(x) the natural gradient of −log p(x; θ) in the chart and G the Fisher metric there, ∂F(t) = −G R(t) with
R(t) = E[r(x); x ≤ t]: one cumulative sum. The score's gradient is 2 ∫ (F − 1{y ≤ t}) ∂F dt, its metric 2 ∫ ∂F ∂Fᵀ dt.
"""
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend import NUMPY, Array
from ..domains.supports import Integers
from ..errors import require
from ..families.base import ExponentialFamily
from ..families.nodes import PanelNodes
from ..numerics.quadrature import gauss
from .charts import ParameterChart, times

__all__ = ["crps_by_nodes", "crps_law"]

# Quantiles between which there are panels, in so many parts, on each side of the median; eight Gauss nodes in each panel. The
# score of a normal law then is that of the closed form to 1e-9 of its size, its gradient to 1e-8 (tests/facts/
# test_boosting_scores.py). Quantiles cost more than the rest: a gamma law's 1 µs each
_TAIL, _PARTS = (1e-12, 1e-3, 0.1), (3, 2, 2)
_NODES = 8
_ENTRIES = 2**19        # nodes that are held at a time, 4 MB an array
_STATES = 2**20
_LAST = 1e-13           # probability of the counts that are left out on each side


class CrpsLaw(ABC):
    """Sums over the nodes of every row.

    Shapes: θ (n, d), y (n,).
    """

    def __init__(self, family: ExponentialFamily) -> None:
        self.family = family

    @abstractmethod
    def pieces(self, theta: Array) -> Iterator[tuple[slice, Any]]:
        """Rows, a few at a time, with their nodes."""

    def derivatives(self, chart: ParameterChart, u: Array, theta: Array, y: Array | None) -> tuple[Array, Array]:
        """(∂S/∂u, its metric), shapes (n, d) and (n, d, d); the first is 0 where there is no y."""
        slope, spread = np.zeros(theta.shape), np.empty((*theta.shape, theta.shape[-1]))
        for rows, nodes in self.pieces(theta):
            vector = chart.residual(u[rows, None, :], theta[rows, None, :], nodes.x)
            R = nodes.cumulated(nodes.density[..., None] * vector, 0.0)[0]
            spread[rows] = 2.0 * nodes.integral(R[..., :, None] * R[..., None, :])
            if y is not None:
                slope[rows] = 2.0 * (nodes.integral(nodes.cdf[..., None] * R) - nodes.beyond(y[rows], R))
        metric = chart.metric(u, theta)
        return -times(metric, slope), np.matmul(metric, np.matmul(spread, metric))

    def value(self, theta: Array, y: Array) -> Array:
        """∫ (F(t) − 1{y ≤ t})² dt."""
        out = np.empty(theta.shape[:-1])
        for rows, nodes in self.pieces(theta):
            inside = np.clip(y[rows], nodes.x[:, 0], nodes.x[:, -1])
            out[rows] = nodes.upto(inside, nodes.cdf**2) + nodes.beyond(inside, nodes.survival**2) + np.abs(y[rows] - inside)
        return out


class _Panels:
    """Gauss–Legendre nodes s in [0, 1] of panels in a coordinate t of x, and integrals over x."""

    def __init__(self, nodes: PanelNodes, family: ExponentialFamily, theta: Array, edges: Array, first: float) -> None:
        self.nodes, self.edges = nodes, edges
        node, self.weight = gauss(_NODES)
        width = np.diff(edges, axis=-1)[..., None]
        x, log_slope = nodes.point(NUMPY, edges[:, :-1, None] + width * node)
        self.slope = width * np.exp(log_slope)                  # dx/ds, shape (rows, panels, nodes)
        self.x = np.reshape(x, (len(x), -1))
        self.density = np.exp(family.log_density(theta[:, None, :], self.x))
        self.cdf, self.survival = (side + first for side in self.cumulated(self.density, 1.0 - 2.0 * first))

    def _rates(self, values: Array) -> Array:
        """Values (rows, nodes of all panels, …) times dx/ds, by panels."""
        shape = (*self.slope.shape, *values.shape[2:])
        return np.reshape(values, shape) * np.reshape(self.slope, (*self.slope.shape, *(1,) * (values.ndim - 2)))

    def integral(self, values: Array) -> Array:
        return np.einsum("npm...,m->n...", self._rates(values), self.weight)

    def cumulated(self, values: Array, total: float) -> tuple[Array, Array]:
        """∫ up to each node and from it on, exact for polynomials in each panel; both from the nearer end.

        A rounding of 1e-16 at a node where dx is 1e17, far out in a power tail, would be all of an integral over x.
        """
        rates = self._rates(values)
        each = np.einsum("npm...,m->np...", rates, self.weight)
        within = np.einsum("npm...,im->npi...", rates, _integrals(gauss(_NODES)[0]))
        up = within + (np.cumsum(each, axis=1) - each)[:, :, None]
        down = each[:, :, None] - within + (np.flip(np.cumsum(np.flip(each, 1), axis=1), 1) - each)[:, :, None]
        half = rates.shape[1] // 2
        below = np.concatenate([up[:, :half], total - down[:, half:]], axis=1)
        above = np.concatenate([total - up[:, :half], down[:, half:]], axis=1)
        return np.reshape(below, values.shape), np.reshape(above, values.shape)

    def upto(self, y: Array, values: Array) -> Array:
        """∫ over x < y."""
        t, rates, row = self.nodes.coordinate(NUMPY, y), self._rates(values), np.arange(len(y))
        t = np.clip(t, self.edges[:, 0], self.edges[:, -1])
        panel = np.clip(np.sum(self.edges <= t[:, None], axis=1) - 1, 0, rates.shape[1] - 1)
        start, end = self.edges[row, panel], self.edges[row, panel + 1]
        each = np.einsum("npm...,m->np...", rates, self.weight)
        before = (np.cumsum(each, axis=1) - each)[row, panel]
        share = (t - start) / np.where(end > start, end - start, 1.0)
        return before + np.einsum("nm...,nm->n...", rates[row, panel], _integrals(share))

    def beyond(self, y: Array, values: Array) -> Array:
        """∫ over x > y."""
        return self.integral(values) - self.upto(y, values)


@lru_cache
def _lagrange() -> Array:
    """The coefficients of the Lagrange polynomials of the nodes, one a column."""
    return np.linalg.inv(np.vander(gauss(_NODES)[0], increasing=True))


def _integrals(s: Array) -> Array:
    """∫₀^s of each Lagrange polynomial, shape (..., nodes)."""
    powers = np.arange(1, _NODES + 1)
    return np.matmul(s[..., None] ** powers / powers, _lagrange())


class _OfDensity(CrpsLaw):
    """Of a law with a density: panels between quantiles, in the coordinate of `PanelNodes`."""

    def pieces(self, theta: Array) -> Iterator[tuple[slice, _Panels]]:
        nodes, tail = PanelNodes(self.family, self.family.support), np.asarray(_TAIL)
        levels = np.concatenate([tail, [0.5], 1.0 - tail[::-1]])
        step = max(1, _ENTRIES // (2 * _NODES * sum(_PARTS)))
        for start in range(0, len(theta), step):
            rows = slice(start, start + step)
            with np.errstate(divide="ignore"):          # a quantile may underflow to an end of the support
                edges = nodes.coordinate(NUMPY, self.family.quantile(theta[rows, None, :], levels))
            edges = _divided(np.clip(edges, *nodes.bounds), (*_PARTS, *_PARTS[::-1]))
            yield rows, _Panels(nodes, self.family, theta[rows], edges, float(tail[0]))


def _divided(edges: Array, parts: tuple[int, ...]) -> Array:
    """Ends of panels: each interval in so many of one width."""
    inner = [edges[:, k:k + 1] + (edges[:, k + 1:k + 2] - edges[:, k:k + 1]) * (np.arange(n) / n) for k, n in enumerate(parts)]
    return np.concatenate([*inner, edges[:, -1:]], axis=1)


class _Counts:
    """Consecutive whole numbers, each of weight 1."""

    def __init__(self, family: ExponentialFamily, theta: Array, x: Array) -> None:
        self.x = x
        self.density = np.exp(family.log_density(theta[:, None, :], x))
        self.cdf = np.minimum(np.cumsum(self.density, axis=1), 1.0)
        self.survival = 1.0 - self.cdf

    def integral(self, values: Array) -> Array:
        return np.sum(values, axis=1)

    def cumulated(self, values: Array, total: float) -> tuple[Array, Array]:
        below = np.cumsum(values, axis=1)
        return below, total - below

    def upto(self, y: Array, values: Array) -> Array:
        """Σ over x < y."""
        return self.integral(values) - self.beyond(y, values)

    def beyond(self, y: Array, values: Array) -> Array:
        """Σ over x ≥ y."""
        later = np.reshape(self.x >= y[:, None], (*self.x.shape, *(1,) * (values.ndim - 2)))
        return np.sum(values * later, axis=1)


class _OfCounts(CrpsLaw):
    """Of a law of whole numbers: all states but those in both tails."""

    def pieces(self, theta: Array) -> Iterator[tuple[slice, _Counts]]:
        low, high = (np.clip(self.family.quantile(theta, q), -(2.0**53), 2.0**53) for q in (_LAST, 1.0 - _LAST))
        rule = f"fewer than {_STATES} between the quantiles of {_LAST:g} and 1 - {_LAST:g} (use the log score)"
        require(f"the CRPS of {self.family!r} sums over counts, which", rule, high - low < _STATES, theta)
        start = 0
        while start < len(theta):
            width = np.maximum.accumulate(high[start:] - low[start:]) + 1.0
            count = max(1, int(np.sum(width * np.arange(1, len(width) + 1) <= _ENTRIES)))
            rows = slice(start, start + count)
            x = low[rows, None] + np.arange(width[count - 1])
            last = self.family.support.upper
            yield rows, _Counts(self.family, theta[rows], x if np.isinf(last) else np.minimum(x, last + 1.0))
            start += count


def crps_law(family: Any) -> CrpsLaw:
    """The sums of this family.

    Raises
    ------
    TypeError
        Where an observation is not one number.
    """
    if family.support.shape:
        raise TypeError(f"the CRPS is one of numbers: {family!r} has observations of shape {family.support.shape}; use the log "
                        "score")
    return _OfCounts(family) if isinstance(family.support, Integers) else _OfDensity(family)


def crps_by_nodes(family: ExponentialFamily, theta: Array, y: Array) -> Array:
    """The score, shapes (..., d) and (...) to (...)."""
    law, batch = crps_law(family), np.broadcast_shapes(theta.shape[:-1], np.shape(y))
    rows = np.reshape(np.broadcast_to(theta, (*batch, theta.shape[-1])), (-1, theta.shape[-1]))
    return np.reshape(law.value(rows, np.reshape(np.broadcast_to(y, batch), -1)), batch)
