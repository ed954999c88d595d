"""Pieces of counting measure: single states, and ranges of integers."""
import numpy as np
import sympy as sp

from ..backend import Array, Namespace
from ..numerics.lattice import panels
from .integrals import density_product, series
from .piece import Density, Piece, peak, summed

__all__ = ["Counts", "State", "Whole"]

FEW = 16            # states of a finite range that are summed one by one in symbols


class State(Piece):
    """One value of x with a probability of its own."""

    def place(self, xp: Namespace, columns: list[Array]) -> Array:
        return xp.zeros_like(columns[0])

    def moments(self, xp: Namespace, columns: list[Array], place: Array, level: int) -> Array:
        log_p, *score = self.values(xp, place, columns)
        return summed(xp, xp.exp(log_p), score)

    def integral(self, f: sp.Expr) -> sp.Expr:
        return self.at(f) * sp.exp(self.log_density)


class Counts(Piece):
    """x = φ(y) with y = 0, 1, 2, …, up to a last one or without end."""

    def __init__(self, model: Density, x: sp.Expr, y: sp.Symbol, last: float = np.inf) -> None:
        super().__init__(model, x, y)
        self.last = last

    def spread(self, xp: Namespace, s: Array) -> Array:
        return xp.minimum(xp.floor(xp.exp(s)), xp.full_like(s, self.last))

    def room(self, xp: Namespace, origin: Array) -> tuple[Array, Array]:
        """How many integers there are below and above, shape (rows,)."""
        return origin, self.last - origin

    def place(self, xp: Namespace, columns: list[Array]) -> Array:
        return self.spread(xp, peak(xp, lambda s: self.log(xp, self.spread(xp, s), columns), columns[0], -1.0, 43.0))

    def moments(self, xp: Namespace, columns: list[Array], place: Array, level: int) -> Array:
        """By panels of integers, which start one integer further at each level: two levels share no node of a wide panel."""
        origin = xp.minimum(place + float(level), xp.full_like(place, self.last))
        top = self.values(xp, origin, columns)[0]
        total = 0.0
        for t, weight in panels(xp, lambda t: self.values(xp, origin + t, columns)[0] - top, *self.room(xp, origin[:, 0])):
            total = total + summed(xp, weight * xp.exp(top), self.values(xp, origin + t, columns)[1:])
        return total

    def integral(self, f: sp.Expr) -> sp.Expr | None:
        """The terms one by one where they are few, else over all x ≥ 0 less those before the first; None for another step.

        Of an infinite range f must be a polynomial, with which the sum converges as that of p does.
        """
        first = self.x.subs(self.y, 0)
        if self.last < FEW:
            return sum((self.at(f) * sp.exp(self.log_density)).subs(self.y, k) for k in range(int(self.last) + 1))
        if self.last < np.inf or self.x != first + self.y or not 0 <= first <= FEW:
            return None
        n = sp.Dummy("n", nonnegative=True)
        f, log_p = (e.subs(self.y, n - first) for e in (self.at(f), self.log_density))
        if not f.is_polynomial(n):
            return None
        whole = series(density_product(f, log_p), n)
        return None if whole is None else whole - sum((f * sp.exp(log_p)).subs(n, k) for k in range(int(first)))


class Whole(Counts):
    """x = y, all integers."""

    def spread(self, xp: Namespace, s: Array) -> Array:
        return xp.round(xp.sinh(s))

    def room(self, xp: Namespace, origin: Array) -> tuple[Array, Array]:
        return xp.full_like(origin, np.inf), xp.full_like(origin, np.inf)

    def place(self, xp: Namespace, columns: list[Array]) -> Array:
        return self.spread(xp, peak(xp, lambda s: self.log(xp, self.spread(xp, s), columns), columns[0], -43.0, 43.0))

    def integral(self, f: sp.Expr) -> None:
        return None
