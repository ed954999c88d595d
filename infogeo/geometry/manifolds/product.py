"""Products of dually flat manifolds."""
from collections.abc import Callable
from functools import reduce
from math import prod
from operator import add
from typing import Any

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, ProductDomain
from ...errors import ShapeError, takes
from .interface import Formula
from .manifold import DuallyFlat
from .wrapped import Wrapped

__all__ = ["LENGTHS", "ProductManifold"]

LENGTHS = {"_distance", "_norm"}      # of them the squares add


class ProductManifold(Wrapped):
    """The coordinates of several manifolds, one after the other.

    Mathematically, ψ(θ) = Σ ψ_a(θ_a); the metric and its inverse are block diagonal, divergences add, and so do the squares of
    lengths.

    Examples
    --------
    >>> M = ig.geometry.ProductManifold(ig.Poisson(), ig.Euclidean(2))
    >>> M.to_eta([0.0, 3.0, 4.0])
    array([1., 3., 4.])
    >>> float(M.divergence([0.0, 0.0, 0.0], [0.0, 3.0, 4.0]))  # 0 + 25 / 2
    12.5
    """

    factors: tuple[DuallyFlat, ...]
    dim: int
    theta_domain: ConvexDomain
    eta_domain: ConvexDomain
    smooth: bool
    steep: bool
    nan_outside: tuple[str, ...]

    @takes(factors=DuallyFlat)
    def __init__(self, *factors: DuallyFlat) -> None:
        if not factors:
            raise ShapeError("a product needs at least one factor")
        self.factors, self.dim = factors, sum(f.dim for f in factors)
        self.theta_domain = ProductDomain(*(f.theta_domain for f in factors))
        self.eta_domain = ProductDomain(*(f.eta_domain for f in factors))
        self.smooth, self.steep = all(f.smooth for f in factors), all(f.steep for f in factors)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.factors))})"

    def split(self, x: Array) -> list[Array]:
        """The coordinates of each factor."""
        start, parts = 0, []
        for factor in self.factors:
            parts.append(x[..., start:start + factor.dim])
            start += factor.dim
        return parts

    @staticmethod
    def _rule(kernel: str, formula: Formula) -> Callable[..., Any]:
        kinds, axes = formula

        def joined(self: "ProductManifold", xp: Namespace, *xs: Array) -> Any:
            own = zip(*([x] * len(self.factors) if kind == "t" else self.split(x) for kind, x in zip(kinds, xs)))
            found = [getattr(f, kernel)(xp, *parts) for f, parts in zip(self.factors, own)]
            if kernel in LENGTHS:
                return xp.sqrt(reduce(add, (length * length for length in found)))
            if axes == 0:
                return reduce(add, found)
            if kernel == "_potential_and_eta":
                potentials, etas = zip(*found)
                return reduce(add, potentials), xp.concat(etas, axis=-1)
            return xp.concat(found, axis=-1) if axes == 1 else self._diagonal(xp, found, axes)
        return joined

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        return xp.concat([f._mean_of_points(xp, part, weights) for f, part in zip(self.factors, self.split(theta))], axis=-1)

    def _diagonal(self, xp: Namespace, parts: list[Array], axes: int) -> Array:
        """Square blocks (or cubes) along the diagonal."""
        blocks, start = [], 0
        for part, factor in zip(parts, self.factors):
            for axis in range(1, axes):                 # every axis but the first of the block is widened to dim
                shape = [*part.shape]
                around = []
                for width in (start, self.dim - start - factor.dim):
                    shape[-axis] = width
                    around.append(xp.zeros(tuple(shape), dtype=part.dtype))
                part = xp.concat([around[0], part, around[1]], axis=-axis)
            blocks.append(part)
            start += factor.dim
        return xp.concat(blocks, axis=-axes)

    def total_volume(self) -> float:
        return prod(f.total_volume() for f in self.factors)
