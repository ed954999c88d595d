"""Open convex sets of coordinate vectors, each the image of R^d under a smooth bijection."""
from abc import abstractmethod

import numpy as np

from ..backend import arrays, asarray
from ..numerics.linalg import positive_definite
from ..numerics.packing import pack, packed_size, unpack
from .base import Domain, batch_shape

__all__ = ["ConvexDomain", "MappedDomain", "OpenSimplex", "Orthant", "PositiveDefinite", "ProductDomain", "RealSpace",
           "ScaledDomain"]


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
