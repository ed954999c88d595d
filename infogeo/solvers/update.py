"""Updates: which curve a step follows. None of them knows more of the geometry than it names."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backend import Array, column

__all__ = ["GradientUpdate", "MirrorUpdate", "NaturalUpdate", "SameForAllRows", "Update"]


class Update(ABC):
    """A rule x, covector, h ↦ x⁺, possibly with a state that it carries from step to step.

    Shapes: x and covector (..., d); h (...) or a number.

    Attributes
    ----------
    needs : tuple of str
        The methods that it asks of the geometry.

    Examples
    --------
    >>> class SignDescent(ig.Update):
    ...     def __call__(self, geometry, x, covector, h, state=None):
    ...         return x - h * np.sign(covector), state
    ...     def velocity(self, geometry, x, covector):
    ...         return -np.sign(covector)
    >>> run = ig.descend(lambda x: (x @ x / 2, x), [3.0, -1.0],
    ...                  update=SignDescent(), step=1.0, max_steps=3)
    >>> run.x
    array([0., 0.])
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def init(self, x: Array) -> Any:
        """The state before the first step."""
        return None

    def seeded(self, rng: Any) -> Update:
        """The update of a run with this generator, for updates that draw and were given none of their own."""
        return self

    def on(self, objective: Any) -> Update:
        """The update of a step that sees this objective, for updates that look at more of it than its differential."""
        return self

    def part(self, rows: Any) -> Update | None:
        """The update for some rows of the batch, as `Objective.part`; None where it cannot say."""
        return None

    def answer(self, x: Array, state: Any) -> Array:
        """What the method reports, `Result.x`, where that is another point than the one at which it takes its gradients."""
        return x

    @abstractmethod
    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        """``(x_new, state)`` after a step of size h against the covector."""

    @abstractmethod
    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """The direction of the curve at h = 0, shape (..., d): the vector field of the continuous-time limit."""


class SameForAllRows(Update):
    """An update without arrays of its own."""

    def part(self, rows: Any) -> Update:
        return self


@dataclass(frozen=True)
class GradientUpdate(SameForAllRows):
    """Gradient descent in the chart at hand: x − h c.

    Examples
    --------
    >>> run = ig.descend(lambda x: (x[0]**2, [2 * x[0]]), [4.0], update=ig.GradientUpdate(), step=0.25, max_steps=3)
    >>> run.path[:, 0]
    array([4. , 2. , 1. , 0.5])
    """

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return x - column(h) * covector, state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -covector


@dataclass(frozen=True)
class NaturalUpdate(SameForAllRows):
    """Natural gradient descent: x − h G(x)⁻¹ c. Source: Amari, Natural gradient works efficiently in learning (1998).

    Examples
    --------
    >>> M = ig.Exponential()
    >>> run = ig.descend(ig.CrossEntropy(M, [2.0]), [-1.0], geometry=M, update=ig.NaturalUpdate(), step=0.5,
    ...                  max_steps=40)
    >>> run.x.round(6)          # −1/η
    array([-0.5])
    """

    needs = ("sharp",)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return x - column(h) * geometry.sharp(x, covector), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -geometry.sharp(x, covector)


@dataclass(frozen=True)
class MirrorUpdate(SameForAllRows):
    """Mirror descent: ∇ψ*(∇ψ(x) − h c), equal to natural gradient on the dual manifold.

    Source: Raskutti & Mukherjee, The information geometry of mirror descent (2015).

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> run = ig.descend(ig.CrossEntropy(M, [0.5, 0.3]), [0.0, 0.0], geometry=M, update=ig.MirrorUpdate(), step=1.0,
    ...                  max_steps=1)
    >>> M.to_eta(run.x).round(6)
    array([0.5, 0.3])
    """

    needs = ("to_eta", "to_theta")

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return geometry.to_theta(geometry.to_eta(x) - column(h) * covector), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -geometry.sharp(x, covector)
