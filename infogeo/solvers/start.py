"""Where a run starts."""
from dataclasses import fields, is_dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays.joined import listed
from ..backend import Array, arrays, asarray, backend_of, batch_contiguous
from ..domains.convex import RealSpace
from ..errors import ShapeError, shown
from .step import Constant
from .update import Update

__all__ = ["Coordinates", "as_step", "as_update", "beside", "spread", "start", "together"]


class Coordinates:
    """R^d without a metric: the place of a run that names no geometry.

    Updates that bring a metric of their own, or want none, run here; what asks for more is told what is missing.
    """

    state: Any = None       # nothing for a snapshot to keep

    def __init__(self, dim: int) -> None:
        self.dim, self.domain = dim, RealSpace(dim)

    def __repr__(self) -> str:
        return f"R^{self.dim} without a metric"

    def on(self, objective: Any) -> "Coordinates":
        return self

    def part(self, rows: Any) -> "Coordinates":
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):           # asked by Python, or by who wants to know whether this is an array
            raise AttributeError(name)
        raise TypeError(f"the run needs a geometry, whose {name} its update, its step rule or its tol asks for: geometry=…")


def start(objective: Any, x0: Array, geometry: Any, update: Any, step: Any = None) -> tuple[Any, Array, tuple[int, ...]]:
    """``(geometry, x, batch)``: x0 in the domain of the geometry, and the batch shape that it, objective and step rule say.

    Raises
    ------
    DomainError, ShapeError
        For x0.
    TypeError
        Where the geometry is none, or lacks what update or step rule ask of it.
    """
    x0 = listed(x0, objective, update, step)
    if geometry is None:
        x0 = arrays(x0)[1]
        geometry = Coordinates(x0.shape[-1] if x0.ndim else 1)
    if isinstance(geometry, type) or not hasattr(geometry, "domain"):
        raise TypeError(f"geometry must be a Riemannian or a DuallyFlat, an object with a domain; got {shown(geometry)}")
    for part in (update, step):
        for name in getattr(part, "needs", ()):
            if not hasattr(geometry, name):
                raise TypeError(f"{type(part).__name__} needs a dually flat geometry, with {' and '.join(part.needs)}; got "
                                f"{geometry!r}")
    x = geometry.domain.require("x0", x0)
    return geometry, x, together(x, getattr(objective, "rows", None) or (), getattr(step, "rows", ()))


def as_update(update: Any, rng: Any = None) -> Any:
    """The update, or one of a class of updates that needs no arguments, which draws from the generator of the run.

    Raises
    ------
    TypeError
        Where it is neither.
    """
    if isinstance(update, type) and issubclass(update, Update):
        try:
            return update().seeded(rng)
        except TypeError as error:
            raise TypeError(f"update must be an object, {update.__name__}(…), not the class: {error}") from None
    if isinstance(update, type) or not all(callable(getattr(update, name, None)) for name in ("init", "on", "__call__")):
        raise TypeError(f"update must be an Update, such as GradientUpdate() or NaturalUpdate(); got {shown(update)}")
    return update.seeded(rng) if isinstance(update, Update) else update


def as_step(step: Any) -> Any:
    """The step rule; a number or an array as `Constant`.

    Raises
    ------
    TypeError
        Where it is neither.
    """
    if isinstance(step, type) or not callable(step):
        if isinstance(step, (Real, list, tuple)) or is_array_api_obj(step):
            return Constant(step)
        raise TypeError(f"step must be a step rule, such as Constant(0.1), or a positive number; got {shown(step)}")
    return step


def beside(rule: Any, x: Array) -> Any:
    """A rule whose arrays are of the library of the points: those of NumPy, which lists become, are moved there.

    Raises
    ------
    TypeError
        For arrays of a third library, or of another device.
    """
    if not is_dataclass(rule):
        return rule
    moved = {}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if is_array_api_obj(value) and backend_of(x, *[] if isinstance(value, np.ndarray) else [value]) is not backend_of(value):
            moved[field.name] = asarray(value, like=x)
    return replace(rule, **moved) if moved else rule       # type: ignore[type-var]


def together(x: Array, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The batch shape of points x and of these.

    Raises
    ------
    ShapeError
        Where they do not broadcast.
    """
    try:
        return tuple(np.broadcast_shapes(x.shape[:-1], *shapes))
    except ValueError:
        raise ShapeError("the batch shapes of x0, of the objective and of the step rule must broadcast; got "
                         f"{', '.join(map(str, (tuple(x.shape[:-1]), *shapes)))}") from None


def spread(x: Array, batch: tuple[int, ...]) -> Array:
    """x for all rows of a batch, contiguous along it."""
    return batch_contiguous(backend_of(x).broadcast_to(x, (*together(x, batch), x.shape[-1])))
