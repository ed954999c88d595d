"""Updates that look at the examples of a step: K-FAC, adaptive, relative and structured natural gradient."""
from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

from ..backend import Array
from ..errors import ShapeError
from ..networks.model import NegativeLogLikelihood
from ..objectives.function import Coerced
from ..solvers.update import Update
from .data import Regularised

__all__ = ["ExampleUpdate", "Seen"]


@dataclass(frozen=True)
class Seen:
    """What a step sees.

    Attributes
    ----------
    objective : Objective
        As it is, with what is added to the loss.
    loss : NegativeLogLikelihood
        That of the model and the examples of the step.
    decay : float
        The weight decay beside it, c of (c/2) |w|².
    """

    objective: Any
    loss: NegativeLogLikelihood
    decay: float

    @classmethod
    def of(cls, objective: Any) -> Seen:
        """An objective taken apart.

        Raises
        ------
        TypeError
            If it is not made of the loss of a conditional model.
        """
        loss, decay = objective, 0.0
        while isinstance(loss, (Regularised, Coerced)):
            loss, decay = loss.f, decay + (loss.c if isinstance(loss, Regularised) else 0.0)
        if not isinstance(loss, NegativeLogLikelihood):
            raise TypeError("the update needs the likelihood of a model and examples as its objective, such as "
                            f"model.objective(batch), with or without weight decay; got {objective!r}")
        return cls(objective, loss, decay)

    def like(self, w: Array) -> Seen:
        """The same with examples of the dtype of weights, where they were of a wider one."""
        loss = self.loss.like(w)
        return self if loss is self.loss else replace(self, loss=loss)


class ExampleUpdate(Update):
    """An update whose metric is made of the examples that a step sees, for one model at a time; it may draw covectors, `outputs`.

    Mathematically, a step has two parts: the metric learns from the examples at x, whatever the step size; then x moves.

    Shapes: x and covector (d,).
    """

    @abstractmethod
    def learned(self, seen: Seen, x: Array, covector: Array, state: Any) -> Any:
        """The state once the examples are taken in, at x and the covector of the step there."""

    @abstractmethod
    def step(self, x: Array, covector: Array, h: Array, state: Any) -> tuple[Array, Any]:
        """``(x_new, state)`` with a state that has taken the examples in."""

    @property
    def state(self) -> Any:
        """The state of the generator of its outputs, for snapshots; None where nothing is drawn."""
        rng = getattr(getattr(self, "outputs", None), "rng", None)
        return None if rng is None else rng.bit_generator.state

    @state.setter
    def state(self, state: Any) -> None:
        self.outputs.rng.bit_generator.state = state        # type: ignore[attr-defined]

    def on(self, objective: Any) -> Update:
        return _Seeing(self, Seen.of(objective))

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        raise TypeError(f"{type(self).__name__} needs the examples of its step: use on(objective), as descend does")

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """−G⁻¹ c in the geometry at hand, whose metric the update learns: the limit of small steps."""
        return -geometry.sharp(x, covector)


class _Seeing(Update):
    """An `ExampleUpdate` with what one step sees; it needs no geometry."""

    def __init__(self, update: ExampleUpdate, seen: Seen) -> None:
        self.update, self.seen = update, seen
        self._last: tuple[Any, Any, Any] = None, None, None

    def init(self, x: Array) -> Any:
        return self.update.init(x)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        if x.ndim != 1:
            raise ShapeError(f"{type(self.update).__name__} takes one model at a time, x of shape (d,); got {tuple(x.shape)}")
        at, known, learned = self._last              # a step rule that tries several step sizes asks again and again
        if at is not x or known is not state:
            learned = self.update.learned(self.seen.like(x), x, covector, state)
            self._last = x, state, learned
        return self.update.step(x, covector, h, learned)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return self.update.velocity(geometry, x, covector)
