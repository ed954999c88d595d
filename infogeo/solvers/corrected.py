"""Natural gradient with the second-order correction that makes it nearly independent of the chart."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array, column
from ..geometry.connections.connection import christoffel_first
from ..numerics.linalg import matvec
from .update import SameForAllRows

__all__ = ["CorrectedNatural"]


@dataclass(frozen=True)
class CorrectedNatural(SameForAllRows):
    """θ − h v − ½ h² Γ(v, v) with v = G⁻¹ c and the Levi-Civita connection Γ of the metric: two terms of the geodesic.

    Mathematically, it agrees with the step along the Fisher–Rao geodesic, which no chart changes, to O(h³), natural gradient to
    O(h²). In the chart θ of a dually flat manifold Γ(v, v) = ½ G⁻¹ T(v, v). The tensor Γ is formed: O(d³) numbers a row.

    Source: Song, Song & Ermon, Accelerating natural gradient with higher-order invariance (2018).

    Examples
    --------
    >>> M, f = ig.Exponential(), lambda x: (x[0], [1.0])
    >>> for update in (ig.NaturalUpdate(), ig.CorrectedNatural(),
    ...                ig.Geodesic()):
    ...     run = ig.descend(f, [-1.0], geometry=M, update=update, step=0.1,
    ...                      max_steps=1)
    ...     print(run.x.round(4))                   # −1 − h − h²/2 − …: −e^h
    [-1.1]
    [-1.105]
    [-1.1052]
    """

    needs = ("sharp",)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        xp, _, v = geometry.point(x, geometry.sharp(x, covector))
        force = matvec(xp, matvec(xp, xp.moveaxis(christoffel_first(geometry, x, 0.0), -1, -3), v[..., None, :]), v)
        return x - column(h) * v - column(0.5 * h * h) * geometry.sharp(x, force), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -geometry.sharp(x, covector)
