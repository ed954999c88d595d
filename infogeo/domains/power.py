"""Several points of one convex set, side by side: all of them at once, as a batch."""
from typing import Any

from ..backend import Array, Namespace, arrays, coerced
from ..errors import takes
from .chart import Chart
from .convex import ConvexDomain

__all__ = ["PowerChart", "PowerDomain"]


class PowerChart(Chart):
    """n times the same chart of `dim` coordinates, on consecutive ones."""

    def __init__(self, chart: Chart, n: int, dim: int) -> None:
        self.chart, self.n, self.dim, self.affine = chart, n, dim, chart.affine

    def _over(self, method: Any, *xs: Array) -> Array:
        xp, *rows = coerced(*xs)
        found = method(*(xp.reshape(x, (*x.shape[:-1], self.n, self.dim)) for x in rows))
        return xp.reshape(found, (*found.shape[:-2], self.n * self.dim))

    def __call__(self, u: Array) -> Array:
        return self._over(self.chart, u)

    def inverse(self, x: Array) -> Array:
        return self._over(self.chart.inverse, x)

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self._over(self.chart.push_forward, u, vector)

    def pull_in(self, u: Array, vector: Array) -> Array:
        return self._over(self.chart.pull_in, u, vector)

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self._over(self.chart.pull_back, u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        return self._over(self.chart.pull_back_tangent, u, vector, covector)


class PowerDomain(ConvexDomain):
    """n points of one set, their coordinates one after the other.

    Examples
    --------
    >>> domain = ig.domains.PowerDomain(ig.domains.OpenSimplex(2), 2)
    >>> domain.contains([[0.1, 0.8, 0.8, 0.1], [0.1, 0.8, 0.8, 0.8]])
    array([ True, False])
    """

    @takes(source=ConvexDomain)
    def __init__(self, source: ConvexDomain, n: int) -> None:
        self.source, self.n, self.dim, self.whole = source, n, n * source.dim, source.whole

    def _rows(self, xp: Namespace, x: Array) -> Array:
        return xp.reshape(x, (*x.shape[:-1], self.n, self.source.dim))

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(self.source.contains(self._rows(xp, x)), axis=-1)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        rows = self.source.outside(xp, self._rows(xp, x))
        return None if rows is None else xp.any(rows, axis=-1)

    def rule(self, name: str) -> str:
        if self.whole or self.n == 1:
            return self.source.rule(name)
        d = self.source.dim
        return f"{self.source.rule('x')} for each x = {name}[{d}i:{d}(i + 1)]" if d > 1 else self.source.rule(name)

    @property
    def chart(self) -> Chart:
        return PowerChart(self.source.chart, self.n, self.source.dim)
