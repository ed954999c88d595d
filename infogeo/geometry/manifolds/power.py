"""Several points of one dually flat manifold."""
from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import NUMPY, Array, Namespace
from ...domains.power import PowerDomain
from ...errors import require_count
from .interface import Formula
from .manifold import DuallyFlat
from .product import LENGTHS, ProductManifold

__all__ = ["PowerManifold"]


class PowerManifold(ProductManifold):
    """n points of one manifold, their coordinates one after the other: the product of n equal factors.

    All factors are evaluated at once, as a batch (..., n, d) of the one manifold.
    """

    def __init__(self, base: DuallyFlat, n: int) -> None:
        self.base, self.n = base, require_count("n", n)
        self.dim = self.n * base.dim
        self.theta_domain, self.eta_domain = PowerDomain(base.theta_domain, self.n), PowerDomain(base.eta_domain, self.n)
        self.smooth, self.steep, self.nan_outside = base.smooth, base.steep, base.nan_outside

    @property
    def factors(self) -> tuple[DuallyFlat, ...]:      # type: ignore[override]
        return (self.base,) * self.n

    def __repr__(self) -> str:
        return f"PowerManifold({self.base!r}, {self.n})"

    def rows(self, xp: Namespace, x: Array) -> Array:
        """Coordinates (..., n d) as (..., n, d)."""
        return xp.reshape(x, (*x.shape[:-1], self.n, self.base.dim))

    def joined(self, xp: Namespace, rows: Array) -> Array:
        """The inverse of `rows`."""
        return xp.reshape(rows, (*rows.shape[:-2], self.dim))

    @staticmethod
    def _rule(kernel: str, formula: Formula) -> Callable[..., Any]:
        kinds, axes = formula

        def at_once(self: "PowerManifold", xp: Namespace, *xs: Array) -> Any:
            own = [x[..., None] if kind == "t" else self.rows(xp, x) for kind, x in zip(kinds, xs)]
            found = getattr(self.base, kernel)(xp, *own)
            if kernel in LENGTHS:
                return xp.sqrt(xp.sum(found * found, axis=-1))
            if axes == 0:
                return xp.sum(found, axis=-1)
            if kernel == "_potential_and_eta":
                return xp.sum(found[0], axis=-1), self._whole(xp, self.joined(xp, found[1]), 1)
            return self._whole(xp, self.joined(xp, found) if axes == 1 else self._spread(xp, found, axes), axes)
        return at_once

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        return self.joined(xp, self.base._mean_of_points(xp, self.rows(xp, theta), weights[..., None]))

    def _whole(self, xp: Namespace, found: Array, axes: int) -> Array:
        """NaN throughout where one of the factors is outside its domain and says so by itself.

        A second factorisation to look at the domain would double the price of a power of multivariate normal distributions.
        """
        if not self.nan_outside or (xp is NUMPY and not np.isnan(found).any()):
            return found
        lost = xp.any(xp.isnan(found), axis=tuple(range(-axes, 0)), keepdims=True)
        return xp.where(lost, xp.asarray(xp.nan, dtype=found.dtype), found)

    def _spread(self, xp: Namespace, blocks: Array, axes: int) -> Array:
        """Blocks (..., n, d, …, d) along the diagonal, (..., n d, …, n d)."""
        d, batch = self.base.dim, blocks.shape[:-axes - 1]
        wide = xp.reshape(blocks, (*batch, self.n, d, *(1, d) * (axes - 1)))
        i, same = xp.arange(self.n), True
        for axis in range(1, axes):
            same = same & (xp.reshape(i, (-1, *(1,) * (2 * axes - 1))) == xp.reshape(i, (-1, *(1,) * (2 * (axes - axis) - 1))))
        return xp.reshape(xp.where(same, wide, xp.zeros((), dtype=blocks.dtype)), (*batch, *(self.dim,) * axes))

    def total_volume(self) -> float:
        return self.base.total_volume() ** self.n
