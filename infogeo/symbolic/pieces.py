"""The support of a model in pieces on which its log-density is smooth."""
from collections.abc import Iterator, Sequence
from itertools import product

import sympy as sp

from .algebra import tidy
from .lines import HalfLine, Line, Segment
from .piece import RELATIONAL, Density, Piece
from .states import Counts, State, Whole

__all__ = ["pieces_of"]


def _breaks(log_density: sp.Expr, x: sp.Symbol) -> set[sp.Expr]:
    """The x at which an Abs, a sign, a Max, a Min or a condition changes, where that is linear in x."""
    turning = {g.args[0] for g in log_density.atoms(sp.Abs, sp.sign, sp.Heaviside)}
    turning |= {g.lhs - g.rhs for g in log_density.atoms(RELATIONAL)}
    turning |= {a - b for g in log_density.atoms(sp.Max, sp.Min) for a, b in product(g.args, g.args) if a != b}
    slopes = {g: sp.diff(g, x) for g in turning if g.has(x)}
    return {tidy(-g.subs(x, 0) / slope) for g, slope in slopes.items() if not slope.has(x) and slope != 0}


def _in_order(points: Sequence[sp.Expr]) -> list[sp.Expr]:
    """The points in increasing order.

    Raises
    ------
    ValueError
        Where the assumptions do not decide it.
    """
    ordered: list[sp.Expr] = []
    for point in sorted(points, key=sp.default_sort_key):
        after = [(point - other).is_extended_nonnegative for other in ordered]
        if None in after:
            raise ValueError(f"log_density has kinks, or ends of the support, at {', '.join(map(str, points))}, whose order the "
                             "assumptions of the symbols do not decide")
        ordered.insert(sum(after), point)
    return ordered


def _intervals(model: Density, support: sp.Set) -> Iterator[Piece]:
    """An interval as lines, half-lines and intervals between kinks."""
    breaks = _breaks(model.expanded_log_density, model.observation)
    kinks = [k for k in breaks if not ((k - support.inf).is_extended_nonpositive or (support.sup - k).is_extended_nonpositive)]
    ends = _in_order([support.inf, *kinks, support.sup])
    for a, b in zip(ends, ends[1:]):
        y = sp.Dummy("y", real=True) if a == -sp.oo and b == sp.oo else sp.Dummy("y", positive=True)
        if a == -sp.oo and b == sp.oo:
            yield Line(model, y, y)
        elif a == -sp.oo or b == sp.oo:
            yield HalfLine(model, a + y if b == sp.oo else b - y, y)
        else:
            yield Segment(model, a, b)


def _integers(model: Density, support: sp.Set) -> Iterator[Piece]:
    """Consecutive integers as states and half-lines of integers between them."""
    step = support.step if isinstance(support, sp.Range) else sp.S.One
    breaks = {sp.floor(k) for k in _breaks(model.expanded_log_density, model.observation) if k.is_number}
    breaks = {k for k in breaks if k in support}
    ends = [support.inf - abs(step), *sorted(breaks), support.sup + abs(step)]
    for k in sorted(breaks):
        yield State(model, k, sp.Dummy("y"))
    for a, b in zip(ends, ends[1:]):
        count = (b - a) / abs(step) - 1
        if count == 0:
            continue
        y = sp.Dummy("y", nonnegative=True) if a > -sp.oo or b < sp.oo else sp.Dummy("y", real=True)
        if a == -sp.oo and b == sp.oo:
            yield Whole(model, y, y)
        else:
            yield Counts(model, a + abs(step) * (y + 1) if a > -sp.oo else b - abs(step) * (y + 1), y, float(count) - 1.0)


def pieces_of(model: Density, support: sp.Set) -> list[Piece]:
    if isinstance(support, sp.FiniteSet):
        return [State(model, k, sp.Dummy("y")) for k in support]
    cut = _intervals if isinstance(support, sp.Interval) else _integers
    return [piece for piece in cut(model, support) if piece.log_density != -sp.oo]
