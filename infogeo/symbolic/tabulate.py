"""The values of kernels at points, block by block."""
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..arrays.blocks import ELEMENTS, share
from ..backend import NUMPY, Array, Namespace, batch_contiguous
from .kernel import Kernel

__all__ = ["placed", "tabulate"]


def tabulate(function: Kernel, shape: tuple[int, ...], places: Iterable[Iterable[tuple[int, ...]]], xp: Namespace,
             *xs: Array) -> Array:
    """The values of a kernel at points, shape (..., *shape): the arguments are the coordinates of the points.

    Large NumPy batches go block by block, side by side on the cores that there are.

    Parameters
    ----------
    function : callable (xp, *arrays) -> values
    places : for each value its indices in the last axes, one or several
    xs : points, vectors, shapes (..., n), which broadcast
    """
    batch = np.broadcast_shapes(*(x.shape[:-1] for x in xs))

    def at(*points: Array) -> Sequence[Any]:
        # of 7000 points of 9 coordinates the copy takes 58 µs, and one exp of each coordinate 103 in place of 253 (timeit)
        near = [x if x.shape[-1] < 3 else batch_contiguous(x) for x in points]
        return function(xp, *(x[..., i] for x in near for i in range(x.shape[-1])))

    if xp is not NUMPY:
        return placed(xp, at(*xs), places, batch, shape, xp.result_type(*xs))
    out = np.empty((*batch, *shape), dtype=np.result_type(*xs))

    def fill(part: Array, *points: Array) -> None:
        for value, indices in zip(at(*points), places):
            for index in indices:
                part[(..., *index)] = value

    count, width = int(np.prod(batch)), max(x.shape[-1] for x in xs)
    with np.errstate(all="ignore"):                 # outside the domain the formulas give NaN or inf
        if count * width <= 2 * ELEMENTS:
            fill(out, *xs)
        else:
            table, rows = out.reshape(-1, *shape), max(256, ELEMENTS // width)
            wide = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in xs]
            share(lambda k: fill(table[k:k + rows], *(x[k:k + rows] for x in wide)), range(0, count, rows))
    return out if batch or shape else out[()]


def placed(xp: Namespace, values: Sequence[Any], places: Iterable[Iterable[tuple[int, ...]]], batch: tuple[int, ...],
           shape: tuple[int, ...], dtype: Any) -> Array:
    """A new array, shape (*batch, *shape), of these values, numbers or arrays, at their places; none is written to."""
    wide = [xp.broadcast_to(xp.asarray(value, dtype=dtype), batch) for value in values]
    cells = {index: value for value, indices in zip(wide, places) for index in indices}
    return xp.reshape(xp.stack([cells[index] for index in np.ndindex(*shape)], axis=-1), (*batch, *shape))
