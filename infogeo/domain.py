"""Sets that points belong to: open convex sets for coordinates, supports for observations.

One object serves the check (`contains`, `require`), the data of tests (`sample`, `sample_near_boundary`) and the
documentation (`str`).
"""
from abc import ABC, abstractmethod
from operator import index

import numpy as np

from .backend import arrays, asarray, to_numpy
from .errors import DomainError, ShapeError
from .linalg import positive_definite
from .packing import pack, packed_size, unpack

__all__ = ["ClosedInterval", "ConvexDomain", "Domain", "Integers", "Interval", "MappedDomain", "OpenSimplex", "Orthant",
           "PositiveDefinite", "PositiveDefiniteMatrix", "ProductDomain", "RealSpace", "ScaledDomain", "SimplexPoints",
           "batch_shape"]


class Domain(ABC):
    """A set of points. A point has the trailing shape `shape`; leading axes are a batch."""

    shape: tuple = ()

    @abstractmethod
    def contains(self, x):
        """Whether each point lies in the set, shape (...). A point with a NaN does not."""

    @abstractmethod
    def rule(self, name):
        """The condition in words, for a point called `name`."""

    def require(self, name, x):
        """The coerced array, if every point lies in the set.

        Raises
        ------
        ShapeError, DomainError
            Naming the argument, the rule, how many points break it, and the first that does.
        """
        x = arrays(x)[1]
        n = len(self.shape)
        if x.ndim < n or tuple(x.shape[x.ndim - n:]) != self.shape:
            axes = ", ".join(["...", *map(str, self.shape)])
            raise ShapeError(f"{name} must have shape ({axes}); got {tuple(x.shape)}")
        inside = to_numpy(self.contains(x))
        if not inside.all():
            first = tuple(int(i) for i in np.argwhere(~inside)[0])
            bad, total = int((~inside).sum()), inside.size
            verb = "does" if bad == 1 else "do"
            where = f"{bad} of {total} points {verb} not, first at index {first}: " if inside.ndim else "got "
            raise DomainError(f"{name} must satisfy {self.rule(name)}; {where}{to_numpy(x)[first]}")
        return x

    def __str__(self):
        space = "R" + "".join(f"^{n}" if i == 0 else f" x {n}" for i, n in enumerate(self.shape))
        return f"{{x in {space} : {self.rule('x')}}}"

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash((type(self), tuple(vars(self).items())))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class ConvexDomain(Domain):
    """An open convex set of coordinate vectors, given also as the image of R^d under a smooth bijection."""

    dim: int
    whole = False   # whether the set is all of R^d

    @property
    def shape(self):
        return (self.dim,)

    @abstractmethod
    def from_unconstrained(self, u):
        """A smooth bijection from R^dim onto the set, shape (..., dim) to (..., dim)."""

    @property
    def interior_point(self):
        """A point well inside, shape (dim,), on the chosen backend."""
        return self.from_unconstrained(asarray([0.0] * self.dim))

    def sample(self, rng, shape=(), scale=1.0):
        """Points of the bulk: the image of normal vectors, shape (*shape, dim)."""
        return asarray(self.from_unconstrained(scale * rng.standard_normal((*batch_shape(shape), self.dim))))

    def sample_near_boundary(self, rng, shape=(), scale=6.0):
        """Points that are near the boundary, or far out where there is none, shape (*shape, dim)."""
        u = rng.standard_normal((*batch_shape(shape), self.dim))
        return asarray(self.from_unconstrained(scale * u / abs(u).max(axis=-1, keepdims=True)))


def batch_shape(shape):
    """A shape as a tuple, from an integer or integers."""
    try:
        return tuple(map(index, shape if np.iterable(shape) else (shape,)))
    except TypeError:
        raise TypeError(f"shape must be an integer or integers; got {shape!r}") from None


class RealSpace(ConvexDomain):
    """R^d."""

    whole = True

    def __init__(self, dim):
        self.dim = dim

    def contains(self, x):
        xp, x = arrays(x)
        return xp.all(xp.isfinite(x), axis=-1)

    def rule(self, name):
        return f"{name} finite"

    def from_unconstrained(self, u):
        return arrays(u)[1]


class Orthant(ConvexDomain):
    """Coordinates of given signs, for instance ``Orthant(1, -1)``: the first positive, the second negative."""

    def __init__(self, *signs):
        self.signs, self.dim = signs, len(signs)

    def contains(self, x):
        xp, x = arrays(x)
        inside = xp.isfinite(x) & (x * self._signs(xp, x) > 0)
        return xp.all(inside, axis=-1)

    def rule(self, name):
        if len(set(self.signs)) == 1:
            return f"{name} {'>' if self.signs[0] > 0 else '<'} 0"
        return " and ".join(f"{name}[{i}] {'>' if s > 0 else '<'} 0" for i, s in enumerate(self.signs))

    def from_unconstrained(self, u):
        xp, u = arrays(u)
        return self._signs(xp, u) * xp.exp(u)

    def _signs(self, xp, x):
        if len(set(self.signs)) == 1:
            return float(self.signs[0])
        return xp.asarray(self.signs, dtype=x.dtype)


class OpenSimplex(ConvexDomain):
    """Positive coordinates with sum below 1."""

    def __init__(self, dim):
        self.dim = dim

    def contains(self, x):
        xp, x = arrays(x)
        return xp.all(x > 0, axis=-1) & (xp.sum(x, axis=-1) < 1)

    def rule(self, name):
        return f"{name} > 0 and sum({name}) < 1" if self.dim > 1 else f"0 < {name} < 1"

    def from_unconstrained(self, u):
        xp, u = arrays(u)
        top = xp.maximum(xp.max(u, axis=-1, keepdims=True), xp.zeros_like(u[..., :1]))
        weight = xp.exp(u - top)
        return weight / (xp.exp(-top) + xp.sum(weight, axis=-1, keepdims=True))


class PositiveDefinite(ConvexDomain):
    """Packed symmetric p × p matrices that are positive (sign 1) or negative (sign −1) definite."""

    def __init__(self, p, sign=1):
        self.p, self.sign, self.dim = p, sign, packed_size(p)

    def contains(self, x):
        xp, x = arrays(x)
        return positive_definite(xp, self.sign * unpack(x, self.p))

    def rule(self, name):
        return f"{name} {'positive' if self.sign > 0 else 'negative'} definite"

    def from_unconstrained(self, u):
        """L Lᵀ with L lower triangular, its diagonal e^u (log-Cholesky chart)."""
        xp, u = arrays(u)
        entries = unpack(u, self.p)
        eye = xp.eye(self.p, dtype=u.dtype)
        lower = xp.tril(entries) * (1.0 - eye) + xp.exp(entries * eye) * eye
        return self.sign * pack(xp.matmul(lower, xp.matrix_transpose(lower)))


class ProductDomain(ConvexDomain):
    """Coordinates of several sets, one after the other."""

    def __init__(self, *factors):
        self.factors, self.dim = factors, sum(f.dim for f in factors)
        self.whole = all(f.whole for f in factors)

    def _parts(self, x):
        start = 0
        for factor in self.factors:
            yield factor, x[..., start:start + factor.dim], start
            start += factor.dim

    def contains(self, x):
        x = arrays(x)[1]
        inside = True
        for factor, part, _ in self._parts(x):
            inside = factor.contains(part) & inside
        return inside

    def rule(self, name):
        return " and ".join(f.rule(f"{name}[{start}:{start + f.dim}]" if f.dim > 1 else f"{name}[{start}]")
                            for f, _, start in self._parts(np.empty(self.dim)) if not f.whole) or f"{name} finite"

    def from_unconstrained(self, u):
        xp, u = arrays(u)
        return xp.concat([factor.from_unconstrained(part) for factor, part, _ in self._parts(u)], axis=-1)


class MappedDomain(ConvexDomain):
    """The image of a convex domain under a bijection, given with the inequality that describes it.

    Parameters
    ----------
    source : ConvexDomain
    forward : callable (xp, z) -> x
        From `source` onto this set.
    inside : callable (xp, x) -> bool array (...)
    words : callable (name) -> str
    """

    def __init__(self, source, forward, inside, words):
        self.source, self.forward, self.inside, self.words, self.dim = source, forward, inside, words, source.dim

    def contains(self, x):
        xp, x = arrays(x)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.inside(xp, x) & xp.all(xp.isfinite(x), axis=-1)

    def rule(self, name):
        return self.words(name)

    def __repr__(self):
        return f"MappedDomain({self.words('x')})"

    def from_unconstrained(self, u):
        z = self.source.from_unconstrained(u)
        return self.forward(arrays(z)[0], z)


class ScaledDomain(ConvexDomain):
    """The points c x for the points x of another domain, c > 0."""

    def __init__(self, source, factor):
        self.source, self.factor, self.dim, self.whole = source, factor, source.dim, source.whole

    def contains(self, x):
        return self.source.contains(arrays(x)[1] / self.factor)

    def rule(self, name):
        return self.source.rule(name) if self.factor == 1 or self.whole else self.source.rule(f"({name} / {self.factor:g})")

    def from_unconstrained(self, u):
        return self.factor * self.source.from_unconstrained(u)


class Interval(Domain):
    """Numbers, elementwise, strictly between two bounds."""

    def __init__(self, lower=-np.inf, upper=np.inf):
        self.lower, self.upper = lower, upper

    def contains(self, x):
        xp, x = arrays(x)
        return (x > self.lower) & (x < self.upper)

    def rule(self, name):
        if np.isinf(self.lower) and np.isinf(self.upper):
            return f"{name} finite"
        lower = "" if np.isinf(self.lower) else f"{self.lower:g} < "
        upper = "" if np.isinf(self.upper) else f" < {self.upper:g}"
        return f"{name} > {self.lower:g}" if lower and not upper else f"{lower}{name}{upper}"


class ClosedInterval(Domain):
    """Finite numbers, elementwise, between two bounds, which belong to the set."""

    def __init__(self, lower=-np.inf, upper=np.inf):
        self.lower, self.upper = lower, upper

    def contains(self, x):
        xp, x = arrays(x)
        return (x >= self.lower) & (x <= self.upper) & xp.isfinite(x)

    def rule(self, name):
        upper = "" if np.isinf(self.upper) else f" <= {self.upper:g}"
        return f"{self.lower:g} <= {name}{upper}" if upper else f"{name} >= {self.lower:g}"


class Integers(Domain):
    """Whole numbers, elementwise, between two bounds, which belong to the set."""

    def __init__(self, lower=0, upper=np.inf):
        self.lower, self.upper = lower, upper

    def contains(self, x):
        xp, x = arrays(x)
        return (x >= self.lower) & (x <= self.upper) & (x == xp.floor(x)) & xp.isfinite(x)

    def rule(self, name):
        upper = "" if np.isinf(self.upper) else f" <= {self.upper:g}"
        return f"{name} an integer, {self.lower:g} <= {name}{upper}"


class SimplexPoints(Domain):
    """Vectors of k positive numbers with sum 1 (to the rounding of k additions)."""

    def __init__(self, k):
        self.k = k

    @property
    def shape(self):
        return (self.k,)

    def contains(self, x):
        xp, x = arrays(x)
        slack = 16 * self.k * float(xp.finfo(x.dtype).eps)
        return xp.all(x > 0, axis=-1) & (abs(xp.sum(x, axis=-1) - 1.0) <= slack)

    def rule(self, name):
        return f"{name} > 0 and sum({name}) = 1"


class PositiveDefiniteMatrix(Domain):
    """Symmetric positive definite p × p matrices, not packed."""

    def __init__(self, p):
        self.p = p

    @property
    def shape(self):
        return (self.p, self.p)

    def contains(self, x):
        xp, x = arrays(x)
        with np.errstate(invalid="ignore"):
            gap = xp.max(xp.abs(x - xp.matrix_transpose(x)), axis=(-2, -1))
        size = xp.max(xp.abs(x), axis=(-2, -1))
        return positive_definite(xp, x) & (gap <= 64 * float(xp.finfo(x.dtype).eps) * size)

    def rule(self, name):
        return f"{name} symmetric and positive definite"
