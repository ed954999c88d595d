"""Pieces of the line: the whole of it, half-lines, and segments."""
from functools import cached_property, lru_cache
from itertools import product
from typing import TypeAlias

import numpy as np
import sympy as sp

from ..backend import Array, Namespace
from ..geometry.divergences.integration import Quadrature
from .algebra import tidy
from .integrals import density_product, expanded_log, mellin, simple_logarithms
from .piece import Density, Piece, peak, summed

__all__ = ["HalfLine", "Line", "Segment"]

Charts: TypeAlias = tuple[sp.Symbol, list[list[tuple[sp.Expr, sp.Expr]]]]       # v, and lists of (y, log |dy/dv|)


class Line(Piece):
    """x = y, the real line."""

    reach = 30.0

    def spread(self, xp: Namespace, s: Array) -> Array:
        """The coordinate z from that of the search."""
        return xp.sinh(s)

    def coordinate(self, xp: Namespace, z: Array) -> tuple[Array, Array]:
        """(y, log dy/dz)."""
        return z, xp.zeros_like(z)

    def _log_at(self, xp: Namespace, z: Array, columns: list[Array]) -> Array:
        y, log_slope = self.coordinate(xp, z)
        return self.log(xp, y, columns) + log_slope

    def place(self, xp: Namespace, columns: list[Array]) -> Array:
        """The mode of the density of z, and the distance from it at which that has fallen by a factor e on one side."""
        found = peak(xp, lambda s: self._log_at(xp, self.spread(xp, s), columns), columns[0], -self.reach, self.reach)
        centre = self.spread(xp, found)
        distance = xp.asarray(2.0 ** np.arange(-60.0, 60.0), dtype=centre.dtype) + xp.zeros_like(centre)
        edge = self._log_at(xp, centre, columns) - 1.0
        fallen = (self._log_at(xp, centre + distance, columns) <= edge) | (self._log_at(xp, centre - distance, columns) <= edge)
        width = xp.min(xp.where(fallen, distance, xp.full_like(distance, np.inf)), axis=-1, keepdims=True)
        return xp.concat([centre, width], axis=-1)

    def moments(self, xp: Namespace, columns: list[Array], place: Array, level: int) -> Array:
        """By the double-exponential rule about the mode."""
        centre, width = place[:, :1], place[:, 1:]
        node, log_weight = (xp.asarray(a, dtype=centre.dtype) for a in _rule(level))
        y, log_slope = self.coordinate(xp, centre + width * node)
        inside = xp.isfinite(y) & xp.isfinite(log_slope)
        y = xp.where(inside, y, self.coordinate(xp, centre)[0])
        log_p, *score = self.values(xp, y, columns)
        nothing = ~inside | (log_p <= -708.0)               # a density below the normal numbers has no digits for a score
        mass = xp.where(nothing, xp.zeros_like(y), xp.exp(log_p + log_slope + log_weight + xp.log(width)))
        return summed(xp, mass, score)

    @cached_property
    def _standard(self) -> tuple[sp.Symbol, tuple[sp.Expr, sp.Expr]]:
        """v and (y, log dy/dv) with the y = a + b v that leaves the fewest parameters in the density of v."""
        v = sp.Dummy("v", real=True)
        scales = [sp.S.One, *(u for u in self.parameters if u.is_positive)]
        maps = [a + b * v for a, b in product((sp.S.Zero, *self.parameters), scales)]
        return v, min(((y, sp.log(sp.diff(y, v))) for y in maps), key=lambda found: self._left(found, v))

    def _left(self, found: tuple[sp.Expr, sp.Expr], v: sp.Symbol) -> tuple[int, int]:
        """How many parameters the density of v has, then how long it is."""
        y, log_slope = found
        density = expanded_log(simple_logarithms(sp.expand(self.log_density.subs(self.y, y) + log_slope)))
        return len(sp.expand(density).free_symbols & set(self.parameters)), sp.count_ops(density)

    def _charts(self) -> Charts:
        """v and lists of (y, log |dy/dv|) that cover the piece from v > 0: the line folded, or as log v."""
        u, (y, log_slope) = self._standard
        v = sp.Dummy("v", positive=True)
        folded = [(y.subs(u, w), log_slope) for w in (v, -v)]
        return v, [folded, [(y.subs(u, sp.log(v)), log_slope - sp.log(v))]]

    @property
    def _is_mixture(self) -> bool:
        """Whether there is the logarithm of a sum of two or more exponentials: no integral is known, and algebra is long."""
        sums = [sp.Add.make_args(g.args[0]) for g in self.log_density.atoms(sp.log)]
        return any(sum(term.has(sp.exp) and term.has(self.y) for term in terms) > 1 for terms in sums)

    def integral(self, f: sp.Expr) -> sp.Expr | None:
        if self._is_mixture:
            return None
        v, charts = self._charts()
        for chart in charts:
            products = [density_product(self._tidied(f, y), self.log_density.subs(self.y, y) + slope) for y, slope in chart]
            parts = [mellin(p, v) for p in products]
            if None not in parts:
                return sp.Add(*parts)
        return None

    def _tidied(self, f: sp.Expr, y: sp.Expr) -> sp.Expr:
        return sp.Mul(*(tidy(sp.expand(self.at(g).subs(self.y, y))) for g in sp.Mul.make_args(f)))


class HalfLine(Line):
    """x = a + y or a − y, for y > 0."""

    reach = 60.0

    def spread(self, xp: Namespace, s: Array) -> Array:
        """The coordinate z = log y is that of the search."""
        return s

    def coordinate(self, xp: Namespace, z: Array) -> tuple[Array, Array]:
        y = xp.exp(z)
        return xp.where((y > 1e-300) & (y < 1e300), y, xp.full_like(y, np.inf)), z      # beyond, y over a scale may be 0 or inf

    def _charts(self) -> Charts:
        """v and the (y, log dy/dv) with the y = b v^(1/c) that leaves the fewest parameters."""
        v = sp.Dummy("v", positive=True)
        free = [sp.S.One, *(u for u in self.parameters if u.is_positive)]
        maps = [b * v**(1 / c) for b, c in product(free, free) if b == 1 or b != c]
        return v, [[min(((y, expanded_log(sp.log(sp.diff(y, v)))) for y in maps), key=lambda found: self._left(found, v))]]


class Segment(HalfLine):
    """x = (a + b y) / (1 + y) between a and b, for y > 0."""

    def __init__(self, model: Density, a: sp.Expr, b: sp.Expr) -> None:
        y = sp.Dummy("y", positive=True)
        super().__init__(model, (a + b * y) / (1 + y), y, sp.log(b - a) - 2 * sp.log(1 + y))

    def at(self, expression: sp.Expr) -> sp.Expr:
        """As it is, but log(1 − y/(1 + y)) as log(1/(1 + y)), which does not cancel."""
        return super().at(expression).replace(lambda e: isinstance(e, sp.log) and e.args[0].is_rational_function(self.y),
                                              lambda e: sp.log(tidy(e.args[0])))


@lru_cache
def _rule(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes on the line and logarithms of their weights."""
    return Quadrature(nodes=2**(7 + level) + 1).rule()
