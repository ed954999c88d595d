"""The support of a model in pieces on which its log-density is smooth."""
from abc import ABC, abstractmethod
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, product

import numpy as np
import sympy as sp

from ..geometry.divergences.integration import Quadrature
from ..numerics.lattice import panels
from .algebra import tidy
from .functions import stable
from .integrals import density_product, expanded_log, mellin, series, simple_logarithms
from .printer import kernel

__all__ = ["pieces_of"]

FEW = 16            # states of a finite range that are summed one by one in symbols
RELATIONAL = sp.core.relational.Relational


class _Piece(ABC):
    """A part of the support as the image x = φ(y) of a standard set of y.

    `log_density` is that of y: log |φ′| is a part of it. The score is that of x, at x = φ(y).
    """

    def __init__(self, model, x, y, log_slope=sp.S.Zero):
        self.x, self.y, self.parameters, self._symbol = x, y, model.parameters, model.observation
        self.log_density = self.at(model.expanded_log_density) + log_slope
        smooth = stable(self.log_density)
        if smooth != -sp.oo and smooth.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
            raise ValueError(f"log_density must be finite on the support, or -oo where a linear condition on {model.x} says so; "
                             f"on the part {model.x} = {x} it is {smooth}")
        score = [self.at(sp.diff(stable(model.expanded_log_density), u)) for u in self.parameters]
        self._kernel = kernel((y, *self.parameters), [smooth, *score])

    def at(self, expression):
        """The expression in x as one in y; conditions and signs are decided where the assumptions do."""
        expression = expression.subs(self._symbol, self.x)
        expression = expression.replace(lambda e: isinstance(e, RELATIONAL), lambda e: e.func(tidy(e.lhs - e.rhs), 0))
        return expression.replace(lambda e: isinstance(e, (sp.Abs, sp.sign)), lambda e: e.func(tidy(e.args[0])))

    def values(self, xp, y, columns):
        """The log-density and the components of the score, shape (rows, n) each."""
        found = self._kernel(xp, y, *columns)
        return [xp.full_like(y, v) if isinstance(v, float) else xp.broadcast_to(v, y.shape) for v in found]

    def log(self, xp, y, columns):
        """The log-density for the search of its largest value: −∞ where it is not a number."""
        value = self.values(xp, y, columns)[0]
        return xp.where(xp.isnan(value), xp.full_like(value, -np.inf), value)

    @abstractmethod
    def place(self, xp, columns):
        """Where the mass is, for `moments`."""

    @abstractmethod
    def moments(self, xp, columns, place, level):
        """The integrals of p (1, s_i, s_i s_j for i ≤ j) by the rule of this level, shape (rows, 1 + d + d (d + 1) / 2)."""

    @abstractmethod
    def integral(self, f):
        """The integral of f p in symbols, for f in x; None where none is known."""


class _State(_Piece):
    """One value of x with a probability of its own."""

    def place(self, xp, columns):
        return xp.zeros_like(columns[0])

    def moments(self, xp, columns, place, level):
        log_p, *score = self.values(xp, place, columns)
        return _summed(xp, xp.exp(log_p), score)

    def integral(self, f):
        return self.at(f) * sp.exp(self.log_density)


class _Counts(_Piece):
    """x = φ(y) with y = 0, 1, 2, …, up to a last one or without end."""

    def __init__(self, model, x, y, last=np.inf):
        super().__init__(model, x, y)
        self.last = last

    def spread(self, xp, s):
        return xp.minimum(xp.floor(xp.exp(s)), xp.full_like(s, self.last))

    def room(self, xp, origin):
        """How many integers there are below and above, shape (rows,)."""
        return origin, self.last - origin

    def place(self, xp, columns):
        return self.spread(xp, _peak(xp, lambda s: self.log(xp, self.spread(xp, s), columns), columns[0], -1.0, 43.0))

    def moments(self, xp, columns, place, level):
        """By panels of integers, which start one integer further at each level: two levels share no node of a wide panel."""
        origin = xp.minimum(place + float(level), xp.full_like(place, self.last))
        top = self.values(xp, origin, columns)[0]
        total = 0.0
        for t, weight in panels(xp, lambda t: self.values(xp, origin + t, columns)[0] - top, *self.room(xp, origin[:, 0])):
            total = total + _summed(xp, weight * xp.exp(top), self.values(xp, origin + t, columns)[1:])
        return total

    def integral(self, f):
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


class _Whole(_Counts):
    """x = y, all integers."""

    def spread(self, xp, s):
        return xp.round(xp.sinh(s))

    def room(self, xp, origin):
        return xp.full_like(origin, np.inf), xp.full_like(origin, np.inf)

    def place(self, xp, columns):
        return self.spread(xp, _peak(xp, lambda s: self.log(xp, self.spread(xp, s), columns), columns[0], -43.0, 43.0))

    def integral(self, f):
        return None


class _Line(_Piece):
    """x = y, the real line."""

    reach = 30.0

    def spread(self, xp, s):
        """The coordinate z from that of the search."""
        return xp.sinh(s)

    def coordinate(self, xp, z):
        """(y, log dy/dz)."""
        return z, xp.zeros_like(z)

    def _log_at(self, xp, z, columns):
        y, log_slope = self.coordinate(xp, z)
        return self.log(xp, y, columns) + log_slope

    def place(self, xp, columns):
        """The mode of the density of z, and the distance from it at which that has fallen by a factor e on one side."""
        found = _peak(xp, lambda s: self._log_at(xp, self.spread(xp, s), columns), columns[0], -self.reach, self.reach)
        centre = self.spread(xp, found)
        distance = xp.asarray(2.0 ** np.arange(-60.0, 60.0), dtype=centre.dtype) + xp.zeros_like(centre)
        edge = self._log_at(xp, centre, columns) - 1.0
        fallen = (self._log_at(xp, centre + distance, columns) <= edge) | (self._log_at(xp, centre - distance, columns) <= edge)
        width = xp.min(xp.where(fallen, distance, xp.full_like(distance, np.inf)), axis=-1, keepdims=True)
        return xp.concat([centre, width], axis=-1)

    def moments(self, xp, columns, place, level):
        """By the double-exponential rule about the mode."""
        centre, width = place[:, :1], place[:, 1:]
        node, log_weight = (xp.asarray(a, dtype=centre.dtype) for a in _rule(level))
        y, log_slope = self.coordinate(xp, centre + width * node)
        inside = xp.isfinite(y) & xp.isfinite(log_slope)
        y = xp.where(inside, y, self.coordinate(xp, centre)[0])
        log_p, *score = self.values(xp, y, columns)
        nothing = ~inside | (log_p <= -708.0)               # a density below the normal numbers has no digits for a score
        mass = xp.where(nothing, xp.zeros_like(y), xp.exp(log_p + log_slope + log_weight + xp.log(width)))
        return _summed(xp, mass, score)

    @cached_property
    def _standard(self):
        """v and (y, log dy/dv) with the y = a + b v that leaves the fewest parameters in the density of v."""
        v = sp.Dummy("v", real=True)
        scales = [sp.S.One, *(u for u in self.parameters if u.is_positive)]
        maps = [a + b * v for a, b in product((sp.S.Zero, *self.parameters), scales)]
        return v, min(((y, sp.log(sp.diff(y, v))) for y in maps), key=lambda found: self._left(found, v))

    def _left(self, found, v):
        """How many parameters the density of v has, then how long it is."""
        y, log_slope = found
        density = expanded_log(simple_logarithms(sp.expand(self.log_density.subs(self.y, y) + log_slope)))
        return len(sp.expand(density).free_symbols & set(self.parameters)), sp.count_ops(density)

    def _charts(self):
        """v and lists of (y, log |dy/dv|) that cover the piece from v > 0: the line folded, or as log v."""
        u, (y, log_slope) = self._standard
        v = sp.Dummy("v", positive=True)
        folded = [(y.subs(u, w), log_slope) for w in (v, -v)]
        return v, [folded, [(y.subs(u, sp.log(v)), log_slope - sp.log(v))]]

    @property
    def _is_mixture(self):
        """Whether there is the logarithm of a sum of two or more exponentials: no integral is known, and algebra is long."""
        sums = [sp.Add.make_args(g.args[0]) for g in self.log_density.atoms(sp.log)]
        return any(sum(term.has(sp.exp) and term.has(self.y) for term in terms) > 1 for terms in sums)

    def integral(self, f):
        if self._is_mixture:
            return None
        v, charts = self._charts()
        for chart in charts:
            products = [density_product(self._tidied(f, y), self.log_density.subs(self.y, y) + slope) for y, slope in chart]
            parts = [mellin(p, v) for p in products]
            if None not in parts:
                return sum(parts)
        return None

    def _tidied(self, f, y):
        return sp.Mul(*(tidy(sp.expand(self.at(g).subs(self.y, y))) for g in sp.Mul.make_args(f)))


class _HalfLine(_Line):
    """x = a + y or a − y, for y > 0."""

    reach = 60.0

    def spread(self, xp, s):
        """The coordinate z = log y is that of the search."""
        return s

    def coordinate(self, xp, z):
        y = xp.exp(z)
        return xp.where((y > 1e-300) & (y < 1e300), y, xp.full_like(y, np.inf)), z      # beyond, y over a scale may be 0 or inf

    def _charts(self):
        """v and the (y, log dy/dv) with the y = b v^(1/c) that leaves the fewest parameters."""
        v = sp.Dummy("v", positive=True)
        free = [sp.S.One, *(u for u in self.parameters if u.is_positive)]
        maps = [b * v**(1 / c) for b, c in product(free, free) if b == 1 or b != c]
        return v, [[min(((y, expanded_log(sp.log(sp.diff(y, v)))) for y in maps), key=lambda found: self._left(found, v))]]


class _Interval(_HalfLine):
    """x = (a + b y) / (1 + y) between a and b, for y > 0."""

    def __init__(self, model, a, b):
        y = sp.Dummy("y", positive=True)
        super().__init__(model, (a + b * y) / (1 + y), y, sp.log(b - a) - 2 * sp.log(1 + y))

    def at(self, expression):
        """As it is, but log(1 − y/(1 + y)) as log(1/(1 + y)), which does not cancel."""
        return super().at(expression).replace(lambda e: isinstance(e, sp.log) and e.args[0].is_rational_function(self.y),
                                              lambda e: sp.log(tidy(e.args[0])))


def _summed(xp, mass, score):
    """Σ m (1, s_i, s_i s_j for i ≤ j) over the last axis; where there is no mass a score that overflows does not count."""
    score = [xp.where(mass > 0.0, s, xp.zeros_like(s)) for s in score]
    pairs = [a * b for a, b in combinations_with_replacement(score, 2)]
    return xp.stack([xp.sum(mass * f, axis=-1) for f in (xp.ones_like(mass), *score, *pairs)], axis=-1)


def _peak(xp, f, like, low, high):
    """The place of the largest value of a unimodal function, shape (rows, 1): grids, each on the two cells about the best."""
    left, cell = xp.full_like(like, low), (high - low) / 256
    for count in (256, *(64,) * 9):
        s = left + cell * xp.arange(count + 1.0, dtype=like.dtype)
        value = f(s)
        best = xp.astype(xp.argmax(value, axis=-1, keepdims=True), like.dtype)
        left, cell = left + cell * (best - 1.0), cell / 32
        if xp.all(xp.max(value, axis=-1) - xp.min(value, axis=-1) < 0.01):
            break                                           # it is flat there
    return left + 32 * cell


@lru_cache
def _rule(level):
    """Nodes on the line and logarithms of their weights."""
    return Quadrature(nodes=2**(7 + level) + 1).rule()


def _breaks(log_density, x):
    """The x at which an Abs, a sign, a Max, a Min or a condition changes, where that is linear in x."""
    turning = {g.args[0] for g in log_density.atoms(sp.Abs, sp.sign, sp.Heaviside)}
    turning |= {g.lhs - g.rhs for g in log_density.atoms(RELATIONAL)}
    turning |= {a - b for g in log_density.atoms(sp.Max, sp.Min) for a, b in product(g.args, g.args) if a != b}
    slopes = {g: sp.diff(g, x) for g in turning if g.has(x)}
    return {tidy(-g.subs(x, 0) / slope) for g, slope in slopes.items() if not slope.has(x) and slope != 0}


def _in_order(points):
    """The points in increasing order.

    Raises
    ------
    ValueError
        Where the assumptions do not decide it.
    """
    ordered: list = []
    for point in sorted(points, key=sp.default_sort_key):
        after = [(point - other).is_extended_nonnegative for other in ordered]
        if None in after:
            raise ValueError(f"log_density has kinks, or ends of the support, at {', '.join(map(str, points))}, whose order the "
                             "assumptions of the symbols do not decide")
        ordered.insert(sum(after), point)
    return ordered


def _intervals(model, support):
    """An interval as lines, half-lines and intervals between kinks."""
    outside = lambda point: (point - support.inf).is_extended_nonpositive or (support.sup - point).is_extended_nonpositive
    kinks = [point for point in _breaks(model.expanded_log_density, model.observation) if not outside(point)]
    ends = _in_order([support.inf, *kinks, support.sup])
    for a, b in zip(ends, ends[1:]):
        y = sp.Dummy("y", real=True) if a == -sp.oo and b == sp.oo else sp.Dummy("y", positive=True)
        if a == -sp.oo and b == sp.oo:
            yield _Line(model, y, y)
        elif a == -sp.oo or b == sp.oo:
            yield _HalfLine(model, a + y if b == sp.oo else b - y, y)
        else:
            yield _Interval(model, a, b)


def _integers(model, support):
    """Consecutive integers as states and half-lines of integers between them."""
    step = support.step if isinstance(support, sp.Range) else sp.S.One
    breaks = {sp.floor(k) for k in _breaks(model.expanded_log_density, model.observation) if k.is_number}
    breaks = {k for k in breaks if k in support}
    ends = [support.inf - abs(step), *sorted(breaks), support.sup + abs(step)]
    for k in sorted(breaks):
        yield _State(model, k, sp.Dummy("y"))
    for a, b in zip(ends, ends[1:]):
        count = (b - a) / abs(step) - 1
        if count == 0:
            continue
        y = sp.Dummy("y", nonnegative=True) if a > -sp.oo or b < sp.oo else sp.Dummy("y", real=True)
        if a == -sp.oo and b == sp.oo:
            yield _Whole(model, y, y)
        else:
            yield _Counts(model, a + abs(step) * (y + 1) if a > -sp.oo else b - abs(step) * (y + 1), y, float(count) - 1.0)


def pieces_of(model, support):
    if isinstance(support, sp.FiniteSet):
        return [_State(model, k, sp.Dummy("y")) for k in support]
    cut = _intervals if isinstance(support, sp.Interval) else _integers
    return [piece for piece in cut(model, support) if piece.log_density != -sp.oo]
