"""What a run keeps of its steps: values and points, in arrays that are made at its start."""
from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf, prod
from typing import Any

import numpy as np

from ..backend import Array, backend_of, set_at
from ..errors import require_count
from .place import Place

__all__ = ["Every", "Points", "Record", "Values", "memory", "records_of", "recorded"]


@dataclass(frozen=True)
class Every:
    """As `record` of a run: what another record keeps, of every m-th step and of the last.

    Parameters
    ----------
    m : int
    of : "path" or "values"

    Examples
    --------
    >>> import infogeo as ig
    >>> f = lambda x: (x[0]**2 / 2, [x[0]])
    >>> run = ig.descend(f, [8.0], update=ig.GradientUpdate(), step=0.5, max_steps=5, record=ig.Every(2))
    >>> run.path[:, 0], run.recorded
    (array([8.  , 2.  , 0.5 , 0.25]), array([0, 2, 4, 5]))
    """

    m: int
    of: str = "path"

    def __post_init__(self) -> None:
        require_count("m", self.m)
        if self.of not in ("path", "values"):
            raise ValueError(f"of must be 'path' or 'values'; got {self.of!r}")


class Record(ABC):
    """A record of a run at every m-th step, and at the last.

    Attributes
    ----------
    data : array, records first
    """

    data: Array

    def __init__(self, x: Array, max_steps: int, m: int = 1, data: Array = None) -> None:
        """For a run from x, whose arrays are as its; into the array `data` where one is given."""
        self.m, self.last, self.xp = m, None, backend_of(x)
        shape = (-(-max_steps // m) + 1, *self.shape(x))
        if data is None:
            _require_room(prod(shape) * int(self.xp.finfo(x.dtype).bits) // 8, shape[0])
        self.data = self.xp.empty(shape, dtype=x.dtype) if data is None else data

    @staticmethod
    @abstractmethod
    def shape(x: Array) -> tuple[int, ...]:
        """Of one record."""

    @staticmethod
    @abstractmethod
    def seen(at: Place) -> Array:
        """What there is to keep, of that shape."""

    @staticmethod
    def whole(data: Array) -> Array:
        """The records as a run gives them back, of shape (records, ...)."""
        return data

    def put(self, at: Place) -> None:
        """Keep what there is to keep of the step `at.k`."""
        self.last = self.seen(at)
        if not isinstance(at.k, int):           # a traced one: what a record stands for is written until the next one begins
            self.data = set_at(self.xp, self.data, (-(-at.k // self.m), ...), self.last)
        elif at.k % self.m == 0:
            self.data = set_at(self.xp, self.data, (at.k // self.m, ...), self.last)

    def close(self, k: int) -> Array:
        """The records of a run that ends after k steps, the last among them, as it gives them back."""
        if k % self.m:
            self.data = set_at(self.xp, self.data, (k // self.m + 1, ...), self.last)
        return self.whole(self.data[:-(-k // self.m) + 1, ...])

    def filled(self, at: Place) -> Array:
        """The records of a run of which nobody knows yet when it ended: from then on they are the last one."""
        xp, count = self.xp, self.data.shape[0]
        after = xp.reshape(xp.arange(count), (count, *(1,) * (self.data.ndim - 1))) > -(-at.k // self.m)
        return self.whole(xp.where(after, self.seen(at), self.data))

    def kept(self, k: int) -> Array:
        """The records of the steps before k, for a snapshot."""
        return self.data[:-(-k // self.m), ...]

    def restore(self, kept: Array) -> None:
        """Go on from there."""
        self.data = set_at(self.xp, self.data, (slice(kept.shape[0]), ...), kept)


def _require_room(size: int, records: int) -> None:
    """Nothing, for a record that the memory of this machine can hold; what the operating system lends goes beyond it."""
    room = memory()
    if size > room:
        raise MemoryError(f"the record of a run, {records} times a point, takes {size / 2**30:.3g} GiB, more than the "
                          f"{room / 2**30:.3g} of this machine: record='values' keeps the values alone, record=None nothing, and "
                          "Every(m) what every m-th step gives")


def memory() -> float:
    """The bytes of memory of this machine; ∞ where the operating system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return inf


class Values(Record):
    """The values, shape (records, ...)."""

    @staticmethod
    def shape(x: Array) -> tuple[int, ...]:
        return tuple(x.shape[:-1])

    @staticmethod
    def seen(at: Place) -> Array:
        return at.value

    def put(self, at: Place) -> None:
        if self.m == 1 and type(self.data) is np.ndarray:           # the way of one row, at a third of the price
            self.data[at.k, ...] = at.value
        else:
            super().put(at)


class Points(Record):
    """The points, shape (records, ..., d); in `data` each is contiguous along the batch, shape (records, d, ...)."""

    @staticmethod
    def shape(x: Array) -> tuple[int, ...]:
        return x.shape[-1], *x.shape[:-1]

    @staticmethod
    def seen(at: Place) -> Array:
        return at.x if at.x.ndim == 1 else backend_of(at.x).moveaxis(at.x, -1, 0)

    @staticmethod
    def whole(data: Array) -> Array:
        return backend_of(data).moveaxis(data, 1, -1)


# record= -> what is kept
KINDS: dict[Any, dict[str, type[Record]]] = {
    "path": {"path": Points, "values": Values}, "values": {"values": Values}, None: {}}


def kinds_of(record: Any) -> tuple[dict[str, type[Record]], int]:
    """What is kept, and of every how many steps.

    Raises
    ------
    ValueError
        Where `record` is something else.
    """
    kind, m = (record.of, record.m) if isinstance(record, Every) else (record, 1)
    if not (kind is None or isinstance(kind, str)) or kind not in KINDS:
        raise ValueError(f"record must be 'path', 'values' or None; got {record!r}. Every(m, of) keeps those of every m-th step")
    return KINDS[kind], m


def records_of(record: Any, x: Array, max_steps: int, valued: bool = True,
               into: dict[str, Array] | None = None) -> dict[str, Record]:
    """The records of a run from x, without values where there are none; into given arrays."""
    kinds, m = kinds_of(record)
    data = into or {}
    return {name: kind(x, max_steps, m, data.get(name)) for name, kind in kinds.items() if valued or name != "values"}


def recorded(record: Any, k: int) -> Any:
    """The numbers of steps after which the records of a run of k steps were taken, shape (records,), NumPy."""
    m = kinds_of(record)[1]
    return np.minimum(m * np.arange(-(-k // m) + 1), k)
