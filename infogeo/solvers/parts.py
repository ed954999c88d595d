"""Runs of many rows, in blocks of rows that fit the cache, side by side on the cores.

Rows are independent, so that a block can run to its end before the next one begins: what a step reads was written by the step
before and is still in the cache, and the memory that a run takes beside its results is that of one block a thread. The blocks
depend on the shapes alone, and the result on them alone: it is the same to the last bit for any number of threads.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from operator import itemgetter
from typing import Any

import numpy as np

from ..arrays.blocks import ELEMENTS, share
from ..backend import Array
from .records import recorded, records_of
from .result import Result

__all__ = ["RowsOf", "cuts", "gathered"]


@dataclass(frozen=True)
class RowsOf:
    """Some rows of a batch: ``rows(array, trailing)`` is that part of an array of shape (..., *trailing axes).

    Attributes
    ----------
    axis : int
        The axis of the batch that is cut, from the end: −1 is the last one.
    which : slice
    """

    axis: int
    which: slice

    def __call__(self, x: Array, trailing: int = 0) -> Array:
        axis = self.axis - trailing
        if len(x.shape) < -axis or x.shape[axis] == 1:          # the same for all rows
            return x
        return x[(..., self.which, *[slice(None)] * (-1 - axis))]


def cuts(x: Array, batch: tuple[int, ...], parts: list[Any]) -> list[tuple[RowsOf, list[Any]]]:
    """The blocks of a run from points x with this batch shape: the rows, and the parts of the run for them; [] for one piece.

    Mathematically, the longest axis of the batch is cut, into blocks of half a megabyte of points or one index. A run goes in
    one piece where it is small, on another library than NumPy, or where a part does not say what it is for some rows, its method
    ``part(rows)``; a part that is None is one for all.
    """
    rows, d = prod(batch), x.shape[-1]
    if type(x) is not np.ndarray or rows * d <= 2 * ELEMENTS or max(batch, default=1) == 1:
        return []
    axis = int(np.argmax(batch)) - len(batch)
    length = batch[axis]
    size = max(1, ELEMENTS // d * length // rows)
    count = min(2 * -(-length // (2 * size)), length)           # an even number of even blocks
    edges = [i * length // count for i in range(count + 1)]
    blocks = [RowsOf(axis, slice(a, b)) for a, b in zip(edges, edges[1:])]
    said = [[_part(part, block) for part in parts] for block in blocks[:1]]
    if getattr(parts[0], "rows", None) is None or any(part is None and whole is not None for part, whole in zip(said[0], parts)):
        return []
    return [(block, [_part(part, block) for part in parts]) for block in blocks]


def _part(part: Any, rows: RowsOf) -> Any:
    """A part of a run for some rows; None where there is none, or it does not say."""
    of = getattr(part, "part", None)
    return of(rows) if callable(of) else None


def gathered(blocks: list[tuple[RowsOf, list[Any]]], x: Array, batch: tuple[int, ...], max_steps: int, record: Any,
             follow: Callable[..., Result]) -> Result:
    """The run of all rows, by ``follow(failed, x, into, *parts)``, the run of one block with the arrays for its records.

    Where a block fails, or is interrupted, the list `failed` is no longer empty, and those that run beside it may end.
    """
    x = np.broadcast_to(x, (*batch, x.shape[-1]))
    records = records_of(record, x, max_steps)
    last, status, steps = np.empty(x.shape, x.dtype), np.empty(batch, int), np.empty(batch, int)
    ended: list[Any] = [None] * len(blocks)
    failed: list[BaseException] = []

    def one(i: int) -> None:
        rows, parts = blocks[i]
        try:
            run = follow(failed, rows(x, 1), {name: rows(kept.data) for name, kept in records.items()}, *parts)
        except BaseException as error:
            failed.append(error)
            raise
        rows(last, 1)[...], rows(status)[...], rows(steps)[...] = run.x, run.status, run.steps
        ended[i] = int(run.recorded[-1]), run.state, len(run.recorded)

    share(one, range(len(blocks)))
    longest, _, count = max(ended, key=itemgetter(0))
    for (rows, _), (_, _, n) in zip(blocks, ended):             # rows that all ended keep their last record
        for data in (rows(kept.data) for kept in records.values()):
            data[n:count, ...] = data[n - 1, ...]
    found = {name: kept.whole(kept.data[:count, ...]) for name, kept in records.items()}
    state = _joined([state for _, state, _ in ended], [k for k, _, _ in ended], blocks[0][0].axis, len(batch))
    return Result(last, found.get("path"), found.get("values"), status, steps, state, recorded(record, longest))


def _joined(states: list[Any], ends: list[int], axis: int, batch: int) -> Any:
    """The states of all blocks as one: arrays of their rows, joined; what has no rows, of the block that went on for longest."""
    first = states[0]
    if isinstance(first, tuple):
        parts = [_joined(list(part), ends, axis, batch) for part in zip(*states)]
        return first._make(parts) if hasattr(first, "_make") else tuple(parts)
    if isinstance(first, np.ndarray) and first.ndim >= batch:
        return np.concatenate(states, axis=batch + axis)
    return states[ends.index(max(ends))]
