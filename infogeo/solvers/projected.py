"""Steps followed by a projection onto a flat set."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arrays.joined import joined
from ..arrays.tracing import is_differentiated, is_traced
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

    Examples
    --------
    >>> f, M = ig.LeastSquares(np.eye(2), [1.0, 1.0]), ig.Euclidean(2)
    >>> inside = ig.Projected(ig.MirrorUpdate(),
    ...                       ig.Halfspaces([[1.0, 1.0]], [1.0]))
    >>> run = ig.descend(f, [0.0, 0.0], geometry=M, update=inside, step=0.5,
    ...                  max_steps=9)
    >>> run.x.round(6)
    array([0.5, 0.5])
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
        outside = geometry.domain.contains(there)
        if not is_differentiated(xp, there) or not self.onto.equations()[0].shape[0]:
            outside = outside & ~_contains(self.onto, there)    # else what satisfies equations has their derivative, too
        if is_traced(xp, outside):
            found = self.onto.nearest(geometry, xp.where(column(outside), there, x))
            return xp.where(column(outside), found, there), state
        if not xp.any(outside):
            return there, state
        return self._nearest(geometry, x, there, outside), state

    def _nearest(self, geometry: Any, x: Array, there: Array, asked: Array) -> Array:
        """The points that are asked projected, NaN where no projection is found; the others as they are."""
        xp = backend_of(there)
        lost = xp.zeros_like(asked)
        while xp.any(asked):            # rows with nothing to project: the points that they come from stand in for them
            try:
                found = self.onto.nearest(geometry, xp.where(column(asked), there, x))
                there = xp.where(column(asked), found, there)
                break
            except ConvergenceError as error:
                if error.converged is None or error.converged.shape != asked.shape or not xp.any(asked & ~error.converged):
                    raise
                lost, asked = lost | asked & ~error.converged, asked & error.converged
        return xp.where(column(lost), xp.asarray(xp.nan, dtype=there.dtype), there)


def _contains(onto: FlatSet, x: Array) -> Array:
    """Which points satisfy all equations and inequalities of the set as they are rounded, shape (...)."""
    xp, x, C, d, A, b = joined(x, *onto.equations(), *onto.inequalities())
    if A.shape[-1] != x.shape[-1]:
        raise ShapeError(f"onto must be a set of dimension {x.shape[-1]}, that of the run; got one of dimension {A.shape[-1]}")
    return xp.all(matvec(xp, C, x) == d, axis=-1) & xp.all(matvec(xp, A, x) <= b, axis=-1)
