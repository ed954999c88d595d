"""Several sequences of observations, of lengths that may differ, as one array."""
from typing import Any, NamedTuple

import numpy as np

from ..arrays.joined import moved
from ..backend import Array, Namespace, coerced
from ..errors import ShapeError
from ..families.base import ExponentialFamily

__all__ = ["Sequences", "sequences"]


class Sequences(NamedTuple):
    """Sequences side by side; those that end early go on with their first observation, which is not seen.

    Attributes
    ----------
    values : array, shape (sequences, T, *support.shape)
    seen : array of truths, shape (T, sequences)
    n : int
        Observations in all.
    """

    values: Any
    seen: Any
    n: int

    @property
    def flat(self) -> Array:
        """All observations, step by step, shape (T · sequences, *support.shape)."""
        xp = coerced(self.values)[0]
        return xp.reshape(xp.moveaxis(self.values, 1, 0), (-1, *self.values.shape[2:]))


def sequences(family: ExponentialFamily, x: Any, *like: Array) -> tuple[Any, ...]:
    """``(xp, Sequences, *like)``: x as an array (sequences, T, …) or a list of arrays (T_i, …), beside other arrays.

    Raises
    ------
    DomainError, ShapeError
        For observations outside the support, of another shape, and for a sequence without any.
    """
    if isinstance(x, Sequences):
        xp, *others = coerced(x.values, *like)
        return xp, x, *others[1:]
    parts, shape = _parts(x), family.support.shape
    xp, *found = coerced(*moved(*parts, *like))
    parts, others = found[:len(parts)], found[len(parts):]
    if not parts or any(part.ndim != 1 + len(shape) or tuple(part.shape[1:]) != shape or part.shape[0] == 0 for part in parts):
        rest = "".join(f", {n}" for n in shape)
        got = tuple(x.shape) if hasattr(x, "shape") else [tuple(part.shape) for part in parts]
        raise ShapeError(f"x must have shape (sequences, T{rest}), or be a list of arrays of shapes (T_i{rest or ','}); "
                         f"got {got}")
    lengths = [int(part.shape[0]) for part in parts]
    T = max(lengths)
    values = xp.stack([_longer(xp, part, T) for part in parts])
    seen = xp.arange(T)[:, None] < xp.asarray(lengths)[None, :]
    return xp, Sequences(family.require_observations("x", values), seen, sum(lengths)), *others


def _parts(x: Any) -> list[Any]:
    """The sequences of an array or a list. Raises ShapeError for one number."""
    if tuple(getattr(x, "shape", (len(x),) if hasattr(x, "__len__") else ())) == ():
        raise ShapeError(f"x must have shape (sequences, T); got {x!r}")
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:      # arrays of lengths that differ, as NumPy holds them
        return list(x)
    return [x[i, ...] for i in range(x.shape[0])] if hasattr(x, "shape") else list(x)


def _longer(xp: Namespace, part: Array, T: int) -> Array:
    first = xp.broadcast_to(part[:1, ...], (T - part.shape[0], *part.shape[1:]))
    return xp.concat([part, first], axis=0)
