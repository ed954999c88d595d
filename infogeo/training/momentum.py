"""Momentum: updates that keep a part of their last step."""
from dataclasses import dataclass, replace
from typing import Any

from ..backend import Array, column
from ..errors import require
from ..solvers.update import GradientUpdate, Update

__all__ = ["Momentum", "Nesterov"]


@dataclass(frozen=True)
class _WithVelocity(Update):
    decay: float
    base: Update = GradientUpdate()

    def __post_init__(self) -> None:
        require("decay", "0 <= decay < 1", 0 <= self.decay < 1, self.decay)

    def init(self, x: Array) -> Array:
        return 0.0 * x

    def part(self, rows: Any) -> Update | None:
        base = self.base.part(rows)
        return None if base is None else replace(self, base=base)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """That of steps that add up, 1 / (1 − β) times that of the base."""
        return self.base.velocity(geometry, x, covector) / (1.0 - self.decay)


@dataclass(frozen=True)
class Momentum(_WithVelocity):
    """The heavy ball: v ← β v + h d, x ← x + v with the direction d of another update, −c or −G⁻¹ c.

    Parameters
    ----------
    decay : float
        β, from 0 to 1.
    base : Update
        `GradientUpdate` or `NaturalUpdate`.

    Source: Polyak, Some methods of speeding up the convergence of iteration methods (1964).

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 0.1]), [0.0, 0.0])          # κ = 100
    >>> for update in (ig.GradientUpdate(), ig.training.Momentum(0.8)):
    ...     run = ig.descend(f, [1.0, 1.0], update=update, step=1.0,
    ...                      max_steps=60)
    ...     print(f"{run.values[-1]:.0e}")
    1e-03
    3e-06
    """

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        v = self.decay * state + column(h) * self.base.velocity(geometry, x, covector)
        return x + v, v


@dataclass(frozen=True)
class Nesterov(_WithVelocity):
    """Nesterov's accelerated gradient: v ← β v + h d(y), y ← y + β v + h d(y), where the y = x + β v are the points of the run.

    Mathematically, x ← x + v is heavy-ball momentum whose direction is taken at the point y ahead of x.

    Parameters
    ----------
    decay : float
        β, from 0 to 1.
    base : Update
        `GradientUpdate` or `NaturalUpdate`.

    Source: Nesterov (1983); Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning
    (2013), equations 3 and 4.

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 0.1]), [0.0, 0.0])          # κ = 100
    >>> for update in (ig.GradientUpdate(), ig.training.Nesterov(0.8)):
    ...     run = ig.descend(f, [1.0, 1.0], update=update, step=1.0,
    ...                      max_steps=60)
    ...     print(f"{run.values[-1]:.0e}")
    1e-03
    3e-06
    """

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        step = column(h) * self.base.velocity(geometry, x, covector)
        v = self.decay * state + step
        return x + self.decay * v + step, v
