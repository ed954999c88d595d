"""Steps along geodesics of the metric."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..backend import Array, column
from .based import Based
from .update import NaturalUpdate, Update

__all__ = ["Geodesic"]


@dataclass(frozen=True)
class Geodesic(Based):
    """The Fisher–Rao geodesic in the direction of another update: x(h) = exp_x(−h v), with its velocity −v at x.

    Mathematically, natural gradient descent follows the straight line of its chart, the e-geodesic, mirror descent that of the
    dual chart, the m-geodesic, and this the shortest path: all three have the same velocity and differ by O(h²). It does not
    depend on the chart. In closed form where the manifold has one (`exp_map`), else by collocation.

    Parameters
    ----------
    base : Update
        `NaturalUpdate`; `GradientUpdate` for the steepest descent in the chart.

    Raises
    ------
    ConvergenceError
        In a run, where a geodesic without a closed form is not found.

    Examples
    --------
    >>> M = ig.Exponential()     # −e^{ht}: a rate stays positive
    >>> f = ig.CrossEntropy(M, [2.0])
    >>> run = ig.descend(f, [-1.0], geometry=M, update=ig.Geodesic(), step=1.0,
    ...                  max_steps=1)
    >>> run.x.round(6), float(np.exp(-1.0).round(6))
    (array([-0.367879]), 0.367879)
    """

    base: Update = NaturalUpdate()

    @property
    def needs(self) -> tuple[str, ...]:         # type: ignore[override]
        return (*self.base.needs, "exp")

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return geometry.exp(x, column(h) * self.base.velocity(geometry, x, covector)), state
