"""Supports of observations and sets of ordinary parameters: intervals, whole numbers, probability vectors, matrices."""
from functools import lru_cache

import numpy as np

from ..backend import NUMPY, Array, Namespace, arrays, to_numpy
from ..numerics.linalg import positive_definite, self_adjoint
from .base import Domain
from .bijections import ExponentialChart, LogitChart
from .chart import Chart, IdentityChart

__all__ = ["ClosedInterval", "ClosedSimplexPoints", "Integers", "Interval", "LimitPoints", "PositiveDefiniteMatrix",
           "SimplexPoints"]


class Interval(Domain):
    """Numbers, elementwise, strictly between two bounds.

    Examples
    --------
    >>> ig.domains.Interval(0).contains([[-1.0], [2.0]])
    array([[False],
           [ True]])
    """

    def __init__(self, lower: float = -np.inf, upper: float = np.inf) -> None:
        self.lower, self.upper = lower, upper

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return (x > self.lower) & (x < self.upper)

    def rule(self, name: str) -> str:
        if np.isinf(self.lower) and np.isinf(self.upper):
            return f"{name} finite"
        lower = "" if np.isinf(self.lower) else f"{self.lower:g} < "
        upper = "" if np.isinf(self.upper) else f" < {self.upper:g}"
        return f"{name} > {self.lower:g}" if lower and not upper else f"{lower}{name}{upper}"

    def inward(self, x: Array) -> Array:
        if np.isinf(self.lower) and np.isinf(self.upper):
            return x
        xp, x = arrays(x)
        if xp is NUMPY and x.size and self.lower < x.min() and x.max() < self.upper:
            return x
        within = _within(self.lower, self.upper, to_numpy(xp.zeros(0, dtype=x.dtype)).dtype)
        low, high = (xp.asarray(end, dtype=x.dtype) for end in within)
        return xp.where(x == self.lower, low, xp.where(x == self.upper, high, x))

    @property
    def chart(self) -> Chart:
        """A smooth bijection from R, elementwise: u itself, the distance e^u from the one bound, or a logistic function."""
        if np.isinf(self.lower) and np.isinf(self.upper):
            return IdentityChart()
        if np.isinf(self.upper):
            return ExponentialChart(1, origin=self.lower)
        return ExponentialChart(-1, origin=self.upper) if np.isinf(self.lower) else LogitChart(self.lower, self.upper)


@lru_cache
def _within(lower: float, upper: float, dtype: np.dtype) -> tuple[float, float]:
    """The least and the largest number strictly between; beside 0 the smallest one of all digits."""
    numbers, tiny = np.finfo(dtype), float(np.finfo(dtype).smallest_normal)
    low, high = (float(np.nextafter(dtype.type(end), dtype.type(to))) for end, to in ((lower, np.inf), (upper, -np.inf)))
    return tiny if lower == 0 else max(low, float(numbers.min)), -tiny if upper == 0 else min(high, float(numbers.max))


class ClosedInterval(Interval):
    """Finite numbers, elementwise, between two bounds, which belong to the set.

    Examples
    --------
    >>> ig.domains.ClosedInterval(0).contains([-1.0, 0.0, np.inf])
    array([False,  True, False])
    """

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return (x >= self.lower) & (x <= self.upper) & xp.isfinite(x)

    def interior(self, x: Array) -> Array:
        return Interval.contains(self, x)

    def rule(self, name: str) -> str:
        if np.isinf(self.lower):
            return f"{name} <= {self.upper:g}" if np.isfinite(self.upper) else f"{name} finite"
        upper = "" if np.isinf(self.upper) else f" <= {self.upper:g}"
        return f"{self.lower:g} <= {name}{upper}" if upper else f"{name} >= {self.lower:g}"


class Integers(Domain):
    """Whole numbers, elementwise, between two bounds, which belong to the set.

    Examples
    --------
    >>> ig.domains.Integers(0, 10).contains([3.0, 3.5, 11.0])
    array([ True, False, False])
    """

    def __init__(self, lower: float = 0, upper: float = np.inf) -> None:
        self.lower, self.upper = lower, upper

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return (x >= self.lower) & (x <= self.upper) & (x == xp.floor(x)) & xp.isfinite(x)

    def inward(self, x: Array) -> Array:
        xp, x = arrays(x)
        return x if np.isfinite(self.upper) else xp.where(x == np.inf, xp.asarray(float(xp.finfo(x.dtype).max), dtype=x.dtype), x)

    def rule(self, name: str) -> str:
        upper = "" if np.isinf(self.upper) else f" <= {self.upper:g}"
        return f"{name} an integer, {self.lower:g} <= {name}{upper}"


class LimitPoints(Domain):
    """Coordinates that may be −∞ or, where `upper` is ∞, one of them +∞: of members of a family and of their limits.

    Examples
    --------
    >>> ig.domains.LimitPoints(1).contains([[-np.inf], [np.inf]])
    array([ True, False])
    >>> ig.Poisson().to_eta([-np.inf])  # the limit of the rate 0
    array([0.])
    """

    def __init__(self, dim: int, upper: float = np.inf, vertices: bool = False) -> None:
        self.dim, self.upper, self.vertices = dim, upper, vertices

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.dim,)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        if not self.vertices:
            return xp.all(x < self.upper, axis=-1)
        return ~xp.any(xp.isnan(x), axis=-1) & (xp.sum(xp.astype(x == np.inf, xp.int64), axis=-1) <= 1)

    def rule(self, name: str) -> str:
        return f"{name} finite or infinite, +inf once at most" if self.vertices else f"{name} < {self.upper:g}"


class SimplexPoints(Domain):
    """Vectors of k positive numbers with sum 1 (to the rounding of k additions).

    Examples
    --------
    >>> ig.domains.SimplexPoints(2).contains([[0.1, 0.9], [1.0, 0.0]])
    array([ True, False])
    """

    def __init__(self, k: int) -> None:
        self.k = k

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.k,)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(x > 0, axis=-1) & self._is_whole(xp, x)

    def _is_whole(self, xp: Namespace, x: Array) -> Array:
        # a sum of k numbers errs by at most k roundings; the rest is for those that the vector itself was normalised with
        slack = 16 * self.k * float(xp.finfo(x.dtype).eps)
        return abs(xp.sum(x, axis=-1) - 1.0) <= slack

    def inward(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.where(x == 0, xp.asarray(float(xp.finfo(x.dtype).smallest_normal), dtype=x.dtype), x)

    def rule(self, name: str) -> str:
        return f"{name} > 0 and sum({name}) = 1"


class ClosedSimplexPoints(SimplexPoints):
    """Vectors of k numbers with sum 1 (to the rounding of k additions), none negative.

    Examples
    --------
    >>> ig.domains.ClosedSimplexPoints(2).contains([[1.0, 0.0], [0.5, 0.4]])
    array([ True, False])
    """

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(x >= 0, axis=-1) & self._is_whole(xp, x)

    def interior(self, x: Array) -> Array:
        return SimplexPoints.contains(self, x)

    def rule(self, name: str) -> str:
        return f"{name} >= 0 and sum({name}) = 1"


class PositiveDefiniteMatrix(Domain):
    """Symmetric positive definite p × p matrices, not packed.

    Examples
    --------
    >>> domain = ig.domains.PositiveDefiniteMatrix(2)
    >>> domain.contains([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]])
    array([ True, False])
    """

    def __init__(self, p: int) -> None:
        self.p = p

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.p, self.p)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return positive_definite(xp, x) & self_adjoint(xp, x)

    def rule(self, name: str) -> str:
        return f"{name} symmetric and positive definite"
