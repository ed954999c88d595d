"""Functions, and objects with the one method, as objectives."""
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..backend import Array, arrays, backend_of
from ..errors import ShapeError
from .base import Objective

__all__ = ["Coerced", "Function", "as_objective", "first_of", "require_pair", "seen_by"]


class Function(Objective):
    """A function x ↦ (f(x), df(x)) as an objective."""

    def __init__(self, f: Any) -> None:
        self.f = f

    def __repr__(self) -> str:
        return f"Function({getattr(self.f, '__name__', repr(self.f))})"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return require_pair(self.f, self.f(x))


class Coerced:
    """An objective whose value and gradient are numbers, lists, or of another dtype than its points, as arrays like the points.

    Whatever else is asked of it is its own.
    """

    def __init__(self, f: Any) -> None:
        self.f = f

    def __repr__(self) -> str:
        return repr(self.f)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.f, name)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, covector = require_pair(self.f, self.f.value_and_gradient(x))
        xp = backend_of(x)
        return xp.asarray(value, dtype=x.dtype), xp.asarray(covector, dtype=x.dtype)

    def at_step(self, k: int, rng: Any) -> Any:
        see = seen_by(self.f)
        seen = self.f if see is None else see(k, rng)
        return self if seen is self.f else Coerced(seen)


def seen_by(objective: Any) -> Callable[[int, Any], Any] | None:
    """The function (k, rng) to the objective that step k sees, of one that has ``at_step(k, rng)`` or ``draw(rng)``; or None.

    It is None, too, where every step sees the objective itself.
    """
    if isinstance(objective, Coerced) and seen_by(objective.f) is None:
        return None
    cls = type(objective)
    if isinstance(objective, Objective) and (cls.at_step, cls.draw) == (Objective.at_step, Objective.draw):
        return None
    if hasattr(objective, "at_step"):
        return cast(Callable[[int, Any], Any], objective.at_step)
    draw = getattr(objective, "draw", None)
    return None if draw is None else lambda k, rng: draw(rng)


def as_objective(objective: Any) -> Any:
    """The objective as it is, or made of a function.

    Raises
    ------
    TypeError
        Where it is neither.
    """
    if isinstance(objective, type):
        raise TypeError(f"objective must be an object, not a class: {objective.__name__}(…)")
    if hasattr(objective, "value_and_gradient"):
        return objective
    if callable(objective):
        return Function(objective)
    raise TypeError("objective must have the method value_and_gradient(x) -> (value, gradient), or be a function that returns "
                    f"this pair; got {objective!r}")


def require_pair(f: Any, found: Any) -> tuple[Any, Any]:
    """The value and the gradient that a function returned, where it did return two things."""
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        got = f"{len(found)} things" if isinstance(found, (tuple, list)) else type(found).__name__
        raise TypeError(f"objective must return a pair (value, gradient); {f!r} returned {got}")
    return found[0], found[1]


def first_of(objective: Any, x: Array, found: tuple[Any, Any]) -> tuple[Any, Array, Array]:
    """``(objective, value, gradient)``: what an objective gave at x as arrays, and the objective that gives arrays from then on.

    Raises
    ------
    ShapeError
        Where the gradient is not of shape (..., d), or the value not of the shape of its batch.
    """
    value, covector = require_pair(objective, found)
    xp = backend_of(x)
    if not all(hasattr(part, "shape") and part.dtype == x.dtype and backend_of(part) is xp for part in (value, covector)):
        objective, (_, value, covector) = Coerced(objective), arrays(value, covector)
        value, covector = (xp.asarray(part, dtype=x.dtype) for part in (value, covector))
    d = x.shape[-1]
    if covector.ndim == 0 or covector.shape[-1] != d:
        raise ShapeError(f"the gradient of the objective must have shape (..., {d}), as x0; got {tuple(covector.shape)}")
    try:
        np.broadcast_shapes(value.shape, covector.shape[:-1])
    except ValueError:
        raise ShapeError("the value of the objective must have the shape of the batch, (...) beside a gradient (..., "
                         f"{d}); got {tuple(value.shape)} and {tuple(covector.shape)}") from None
    return objective, value, covector
