"""Momentum on a Riemannian manifold."""
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from ..backend import Array, column
from ..errors import require
from .based import Based
from .update import NaturalUpdate, Update

__all__ = ["RiemannianMomentum"]


@dataclass(frozen=True)
class RiemannianMomentum(Based):
    """The heavy ball along geodesics: v ← β τ(v) + h d, x ← exp_x(v), with the direction d of the base and τ the transport to x.

    Mathematically, the tangent of a geodesic is parallel along it, so that the velocity of the last step, carried to the point
    where it arrived, is τ(v) = −log_{x⁺}(x): parallel transport by `log`, for steps along shortest geodesics. Transport along an
    e- or m-geodesic is the identity in its flat chart: there `infogeo.training.Momentum` is the same method.

    Parameters
    ----------
    decay : float
        β, from 0 to 1.
    base : Update
        `NaturalUpdate`, or another with a direction.

    Examples
    --------
    >>> M = ig.Exponential()
    >>> f = ig.CrossEntropy(M, [2.0])
    >>> for update in (ig.Geodesic(), ig.RiemannianMomentum(0.0),
    ...                ig.RiemannianMomentum(0.5)):
    ...     run = ig.descend(f, [-1.0], geometry=M, update=update, step=0.1,
    ...                      max_steps=9)
    ...     print(run.x.round(3))                   # on the way to −0.5
    [-0.616]
    [-0.616]
    [-0.51]
    """

    decay: float
    base: Update = NaturalUpdate()

    def __post_init__(self) -> None:
        super().__post_init__()
        require("decay", "0 <= decay < 1", isinstance(self.decay, Real) and 0 <= float(self.decay) < 1, self.decay)

    @property
    def needs(self) -> tuple[str, ...]:         # type: ignore[override]
        return (*self.base.needs, "exp", "log")

    def init(self, x: Array) -> Array:
        return 0.0 * x

    def part(self, rows: Any) -> Update | None:
        base = self.base.part(rows)
        return None if base is None else replace(self, base=base)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        v = self.decay * state + column(h) * self.base.velocity(geometry, x, covector)
        ahead = geometry.exp(x, v)
        return ahead, -geometry.log(ahead, x)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """That of steps that add up, 1 / (1 − β) times that of the base."""
        return self.base.velocity(geometry, x, covector) / (1.0 - self.decay)
