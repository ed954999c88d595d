"""Probabilities of all outcomes: the closed simplex, a convex set of the plane Σ p = 1 in R^k."""
from math import sqrt

from ..backend import NUMPY, Array, Namespace, arrays, coerced
from .chart import Chart
from .convex import ConvexDomain

__all__ = ["AllOutcomesChart", "ClosedSimplex"]


class ClosedSimplex(ConvexDomain):
    """Vectors of k numbers that are not negative and have the sum 1, its faces and vertices among them.

    Not open, and of dimension k − 1: tangent vectors have the sum 0, and covectors that differ by a constant are one. The sum may
    be off by √ε / 16 (1e-9 in float64, 2e-5 in float32): every step of a run adds a rounding to it.

    Examples
    --------
    >>> domain = ig.domains.ClosedSimplex(3)
    >>> domain.contains([[0.5, 0.5, 0.0], [0.5, 0.6, -0.1]])
    array([ True, False])
    """

    closed = True

    def __init__(self, k: int) -> None:
        self.dim = k

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(x >= 0, axis=-1) & (xp.abs(xp.sum(x, axis=-1) - 1.0) <= _slack(xp, x))

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        off = xp.abs(xp.matmul(x, xp.ones(self.dim, dtype=x.dtype)) - 1.0)
        if xp is NUMPY and x.size and x.min() >= 0 and off.max() <= _slack(xp, x):
            return None
        return ~(xp.all(x >= 0, axis=-1) & (off <= _slack(xp, x)))

    def rule(self, name: str) -> str:
        return f"{name} >= 0 and sum({name}) = 1"

    @property
    def chart(self) -> Chart:
        return AllOutcomesChart()


class AllOutcomesChart(Chart):
    """x_i = e^{u_i} / Σ e^{u_j}: u and u plus a constant are one point; `inverse` gives log x.

    Mathematically, J = diag(x) − x xᵀ, of rank k − 1.

    Examples
    --------
    >>> chart, u = ig.domains.AllOutcomesChart(), np.log([1.0, 1.0, 2.0])
    >>> chart([u, u + 5.0]).round(12)
    array([[0.25, 0.25, 0.5 ],
           [0.25, 0.25, 0.5 ]])
    """

    def __call__(self, u: Array) -> Array:
        xp, u = coerced(u)
        weight = xp.exp(u - xp.max(u, axis=-1, keepdims=True))
        return weight / xp.sum(weight, axis=-1, keepdims=True)

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        return xp.log(x)

    def push_forward(self, u: Array, vector: Array) -> Array:
        x = self(u)
        return x * (vector - _dot(x, vector))

    def pull_in(self, u: Array, vector: Array) -> Array:
        """dx / x, up to a constant, for dx of sum 0."""
        return vector / self(u)

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.push_forward(u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        x, dx = self(u), self.push_forward(u, vector)
        return dx * (covector - _dot(x, covector)) - x * _dot(dx, covector)


def _slack(xp: Namespace, x: Array) -> float:
    return sqrt(xp.finfo(x.dtype).eps) / 16


def _dot(a: Array, b: Array) -> Array:
    xp, a, b = coerced(a, b)
    return xp.sum(a * b, axis=-1, keepdims=True)
