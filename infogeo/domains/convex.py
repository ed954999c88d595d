"""Convex sets of coordinate vectors, open unless they say otherwise, each the image of R^d under a smooth bijection."""
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..backend import NUMPY, Array, Namespace, arrays, asarray, generator_of
from ..errors import takes
from ..numerics.linalg import positive_definite
from ..numerics.packing import packed_size, unpack
from .base import Domain, batch_shape
from .bijections import BallChart, ExponentialChart, LogCholeskyChart, SoftmaxChart
from .chart import BareChart, Chart, ComposedChart, IdentityChart, ScaledChart, StackedChart

__all__ = ["ConvexDomain", "MappedDomain", "OpenBall", "OpenSimplex", "Orthant", "PositiveDefinite", "ProductDomain", "RealSpace",
           "ScaledDomain"]


class ConvexDomain(Domain):
    """An open convex set of coordinate vectors, given also as the image of R^d under a smooth bijection, its `chart`.

    A chart of one's own is set in a subclass, ``class Positive(Orthant): chart = SquareRoot()``.

    Examples
    --------
    >>> domain = ig.domains.OpenSimplex(2)  # one of them
    >>> x = domain.sample(np.random.default_rng(0), 1000)
    >>> x.shape, bool(domain.contains(x).all())
    ((1000, 2), True)
    """

    dim: int
    whole: bool = False   # whether the set is all of R^d
    closed: bool = False  # whether its boundary belongs to it

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.dim,)

    @property
    @abstractmethod
    def chart(self) -> Chart:
        """A smooth bijection from R^dim onto the set."""

    def possible(self, x: Array) -> Array:
        """A condition that members satisfy and that costs no inversion, shape (...): membership, where that costs none."""
        return self.contains(x)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        """Which rows of coerced coordinates (..., dim) lie outside, shape (...); None where a look says that there are none."""
        outside = ~self.contains(x)
        return outside if xp is not NUMPY or outside.any() else None

    @property
    def interior_point(self) -> Array:
        """A point well inside, shape (dim,), on the chosen backend."""
        return self.chart(asarray([0.0] * self.dim))

    def sample(self, rng: np.random.Generator, shape: int | Iterable[int] = (), scale: float = 1.0) -> Array:
        """Points of the bulk: the image of normal vectors, shape (*shape, dim)."""
        return asarray(self.chart(scale * generator_of(rng).standard_normal((*batch_shape(shape), self.dim))))

    def sample_near_boundary(self, rng: np.random.Generator, shape: int | Iterable[int] = (), scale: float = 6.0) -> Array:
        """Points that are near the boundary, or far out where there is none, shape (*shape, dim).

        The largest coordinate of u is `scale`: at 6, e⁻⁶ or a quarter of a per cent of the way is left to the boundary.
        """
        xp, u = arrays(generator_of(rng).standard_normal((*batch_shape(shape), self.dim)))
        return asarray(self.chart(scale * u / xp.max(xp.abs(u), axis=-1, keepdims=True)))


class RealSpace(ConvexDomain):
    """R^d.

    Examples
    --------
    >>> ig.domains.RealSpace(2).contains([[1.0, -5.0], [np.inf, 0.0]])
    array([ True, False])
    """

    whole = True

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(xp.isfinite(x), axis=-1)

    def outside(self, xp: Namespace, x: Array) -> None:
        """None: θ = ±∞ is a limit, of which the formulas say what they say."""

    def rule(self, name: str) -> str:
        return f"{name} finite"

    @property
    def chart(self) -> Chart:
        return IdentityChart()


class Orthant(ConvexDomain):
    """Coordinates of given signs, for instance ``Orthant(1, -1)``: the first positive, the second negative.

    Examples
    --------
    >>> ig.domains.Orthant(1, -1).contains([[2.0, -3.0], [2.0, 3.0]])
    array([ True, False])
    """

    def __init__(self, *signs: int) -> None:
        self.signs, self.dim = signs, len(signs)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        inside = xp.isfinite(x) & (x * self._signs(xp, x) > 0)
        return xp.all(inside, axis=-1)

    def rule(self, name: str) -> str:
        if len(set(self.signs)) == 1:
            return f"{name} {'>' if self.signs[0] > 0 else '<'} 0"
        return " and ".join(f"{name}[{i}] {'>' if s > 0 else '<'} 0" for i, s in enumerate(self.signs))

    @property
    def chart(self) -> Chart:
        return ExponentialChart(*self.signs)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        if xp is NUMPY and x.size:              # the extremes decide, at a fraction of the price of a mask
            if x.ndim == 1:
                inside = all(v > 0 if s > 0 else v < 0 for v, s in zip(x.tolist(), self.signs))
            elif len(set(self.signs)) == 1:
                inside = x.min() > 0 if self.signs[0] > 0 else x.max() < 0
            else:
                inside = all(x[..., i].min() > 0 if s > 0 else x[..., i].max() < 0 for i, s in enumerate(self.signs))
            if inside:
                return None
        return ~xp.all(x * self._signs(xp, x) > 0, axis=-1)

    def _signs(self, xp: Namespace, x: Array) -> Array:
        if len(set(self.signs)) == 1:           # a number, which costs no array at each call
            return float(self.signs[0])
        return xp.asarray(self.signs, dtype=x.dtype)


class OpenSimplex(ConvexDomain):
    """Positive coordinates with sum below 1.

    Examples
    --------
    >>> ig.domains.OpenSimplex(2).contains([[0.5, 0.3], [0.7, 0.3]])
    array([ True, False])
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(x > 0, axis=-1) & (xp.sum(x, axis=-1) < 1)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        total = xp.matmul(x, xp.ones(self.dim, dtype=x.dtype))     # a product is faster than a sum over few coordinates
        if xp is NUMPY and x.size and x.min() > 0 and total.max() < 1:
            return None
        return ~(xp.all(x > 0, axis=-1) & (total < 1))

    def rule(self, name: str) -> str:
        return f"{name} > 0 and sum({name}) < 1" if self.dim > 1 else f"0 < {name} < 1"

    @property
    def chart(self) -> Chart:
        return SoftmaxChart()


class OpenBall(ConvexDomain):
    """Vectors of length below 1.

    Examples
    --------
    >>> ig.domains.OpenBall(2).contains([[0.6, 0.6], [0.6, 0.8]])
    array([ True, False])
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        with np.errstate(over="ignore"):
            return xp.sum(x * x, axis=-1) < 1

    def rule(self, name: str) -> str:
        return f"|{name}| < 1"

    @property
    def chart(self) -> Chart:
        return BallChart()


class PositiveDefinite(ConvexDomain):
    """Packed symmetric p × p matrices that are positive (sign 1) or negative (sign −1) definite.

    Examples
    --------
    >>> domain, A = ig.domains.PositiveDefinite(2), np.ones((2, 2))
    >>> domain.contains(ig.pack([A + np.eye(2), A - np.eye(2)]))
    array([ True, False])
    """

    def __init__(self, p: int, sign: int = 1) -> None:
        self.p, self.sign, self.dim = p, sign, packed_size(p)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return positive_definite(xp, self.sign * unpack(x, self.p))

    def rule(self, name: str) -> str:
        return f"{name} {'positive' if self.sign > 0 else 'negative'} definite"

    @property
    def chart(self) -> Chart:
        return LogCholeskyChart(self.p, self.sign)


class ProductDomain(ConvexDomain):
    """Coordinates of several sets, one after the other.

    Examples
    --------
    >>> from infogeo.domains import Orthant, ProductDomain, RealSpace
    >>> domain = ProductDomain(RealSpace(1), Orthant(1))  # a mean, a variance
    >>> domain.contains([[-3.0, 2.0], [-3.0, -2.0]])
    array([ True, False])
    """

    @takes(factors=ConvexDomain)
    def __init__(self, *factors: ConvexDomain) -> None:
        self.factors, self.dim = factors, sum(f.dim for f in factors)
        self.whole = all(f.whole for f in factors)

    def _parts(self, x: Array) -> Iterator[tuple[ConvexDomain, Array, int]]:
        start = 0
        for factor in self.factors:
            yield factor, x[..., start:start + factor.dim], start
            start += factor.dim

    def contains(self, x: Array) -> Array:
        x = arrays(x)[1]
        inside = True
        for factor, part, _ in self._parts(x):
            inside = factor.contains(part) & inside
        return inside

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        found = [factor.outside(xp, part) for factor, part, _ in self._parts(x) if not factor.whole]
        found = [rows for rows in found if rows is not None]
        return xp.any(xp.stack(found), axis=0) if found else None

    def rule(self, name: str) -> str:
        return " and ".join(f.rule(f"{name}[{start}:{start + f.dim}]" if f.dim > 1 else f"{name}[{start}]")
                            for f, _, start in self._parts(np.empty(self.dim)) if not f.whole) or f"{name} finite"

    @property
    def chart(self) -> Chart:
        return IdentityChart() if self.whole else StackedChart(*((factor.chart, factor.dim) for factor in self.factors))


class MappedDomain(ConvexDomain):
    """The image of a convex domain under a bijection, given with the inequality that describes it.

    Parameters
    ----------
    source : ConvexDomain
    forward : Chart, or callable (xp, z) -> x
        From `source` onto this set. With a callable the chart of this domain has no inverse and no derivatives: it raises a
        TypeError where they are asked for.
    inside : callable (xp, x) -> bool array (...)
    words : callable (name) -> str

    Examples
    --------
    >>> from infogeo.domains import BallChart, MappedDomain, RealSpace
    >>> disk = MappedDomain(RealSpace(2), BallChart(),
    ...                     lambda xp, x: xp.sum(x**2, axis=-1) < 1.0,
    ...                     lambda x: f"|{x}| < 1")
    >>> disk.contains([[0.2, 0.2], [0.9, 0.9]]), str(disk)
    (array([ True, False]), '{x in R^2 : |x| < 1}')
    """

    @takes(source=ConvexDomain)
    def __init__(self, source: ConvexDomain, forward: Chart | Callable[[Namespace, Array], Array],
                 inside: Callable[[Namespace, Array], Array], words: Callable[[str], str]) -> None:
        self.source, self.forward, self.inside, self.words, self.dim = source, forward, inside, words, source.dim

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.inside(xp, x) & xp.all(xp.isfinite(x), axis=-1)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        outside = ~self.inside(xp, x)
        return outside if xp is not NUMPY or outside.any() else None

    def rule(self, name: str) -> str:
        return self.words(name)

    def __repr__(self) -> str:
        return f"MappedDomain({self.words('x')})"

    @property
    def chart(self) -> Chart:
        forward = self.forward if isinstance(self.forward, Chart) else BareChart(self.forward, repr(self))
        return ComposedChart(self.source.chart, forward)


class ScaledDomain(ConvexDomain):
    """The points c x for the points x of another domain, c > 0.

    Examples
    --------
    >>> domain = ig.domains.ScaledDomain(ig.domains.OpenSimplex(2), 10.0)
    >>> domain.contains([[4.0, 5.0], [4.0, 7.0]])
    array([ True, False])
    """

    @takes(source=ConvexDomain)
    def __init__(self, source: ConvexDomain, factor: float) -> None:
        self.source, self.factor, self.dim, self.whole = source, factor, source.dim, source.whole

    def contains(self, x: Array) -> Array:
        return self.source.contains(arrays(x)[1] / self.factor)

    def outside(self, xp: Namespace, x: Array) -> Array | None:
        return self.source.outside(xp, x / self.factor)

    def rule(self, name: str) -> str:
        return self.source.rule(name) if self.factor == 1 or self.whole else self.source.rule(f"({name} / {self.factor:g})")

    @property
    def chart(self) -> Chart:
        return ScaledChart(self.source.chart, self.factor)
