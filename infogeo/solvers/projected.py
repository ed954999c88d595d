"""Steps followed by a projection onto a flat set."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..backend import Array, arrays, backend_of, column
from ..errors import ConvergenceError, ShapeError
from ..geometry.projections.flat_sets import FlatSet
from ..numerics.linalg import matvec
from .based import Based
from .update import Update

__all__ = ["Projected"]


@dataclass(frozen=True)
class Projected(Based):
    """The step of another update, then the Bregman projection of the geometry at hand onto a set that is flat in its chart.

    Mathematically, with `MirrorUpdate` x⁺ = argmin over y in the set of h c·y + B_ψ(y : x), mirror descent with constraints. Rows
    whose step ends in the set are left untouched, bit by bit. The set may meet the domain in such a way that the minimum lies on
    the boundary. A row whose projection is not found (`m_project`) ends there, with status LEFT_DOMAIN; the others go on.

    Parameters
    ----------
    base : Update
    onto : FlatSet
        `Halfspaces`, `AffineConstraints`, `AffineSubmanifold` or an `Intersection`, in the coordinates of the run.

    Raises
    ------
    DomainError
        In a run, where the set meets nothing of the domain.

    Source: Censor & Lent, An iterative row-action method for interval convex programming (1981); Beck & Teboulle (2003).
    """

    base: Update
    onto: FlatSet

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.onto, FlatSet):
            raise TypeError(f"onto must be a FlatSet, such as Halfspaces(normals, offsets); got {self.onto!r}")

    @property
    def needs(self) -> tuple[str, ...]:         # type: ignore[override]
        return (*self.base.needs, "to_eta", "to_theta")

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        there, state = self.base(geometry, x, covector, h, state)
        xp, there = arrays(there)
        outside = ~_contains(self.onto, there) & geometry.domain.contains(there)
        if not xp.any(outside):
            return there, state
        # rows that are in the set, or nowhere, have nothing to project: the others' points stand in for them
        rows = xp.where(column(outside), there, x)
        return xp.where(column(outside), self._nearest(geometry, rows, x, outside), there), state

    def _nearest(self, geometry: Any, rows: Array, x: Array, asked: Array) -> Array:
        """The projections of the rows that are asked, NaN where there is none: one that is not found is sought by halves."""
        try:
            return self.onto.nearest(geometry, rows)
        except ConvergenceError:
            xp = backend_of(rows)
            count = int(xp.sum(xp.astype(asked, xp.int64)))
            if count <= 1:
                return xp.where(column(asked), xp.asarray(xp.nan, dtype=rows.dtype), rows)
            place = xp.reshape(xp.cumulative_sum(xp.astype(xp.reshape(asked, (-1,)), xp.int64), axis=0), asked.shape)
            first, second = (asked & half for half in (place <= count // 2, place > count // 2))
            halves = (self._nearest(geometry, xp.where(column(half), rows, x), x, half) for half in (first, second))
            return xp.where(column(first), *halves)


def _contains(onto: FlatSet, x: Array) -> Array:
    """Which points satisfy all equations and inequalities of the set as they are rounded, shape (...)."""
    xp, x, C, d, A, b = arrays(x, *onto.equations(), *onto.inequalities())
    if A.shape[-1] != x.shape[-1]:
        raise ShapeError(f"onto must be a set of dimension {x.shape[-1]}, that of the run; got one of dimension {A.shape[-1]}")
    return xp.all(matvec(xp, C, x) == d, axis=-1) & xp.all(matvec(xp, A, x) <= b, axis=-1)
