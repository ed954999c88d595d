"""What a run keeps of every step: values and points, in arrays that are made at its start."""
from abc import ABC, abstractmethod

from ..backend import Array, backend_of
from .place import Place

__all__ = ["KINDS", "Points", "Record", "Values"]


class Record(ABC):
    """A record of a run at every step.

    Attributes
    ----------
    data : array, records first
    """

    data: Array

    @abstractmethod
    def __init__(self, x: Array, max_steps: int) -> None:
        """For a run from x, whose arrays are as its."""

    @abstractmethod
    def put(self, at: Place) -> None:
        """Keep what there is to keep of the step `at.k`."""

    @abstractmethod
    def up_to(self, k: int) -> Array:
        """The records, shape (records, ...), those of step k the last."""

    def kept(self, k: int) -> Array:
        """The records of the steps before k, for a snapshot."""
        return self.data[:k, ...]

    def restore(self, kept: Array) -> None:
        """Go on from there."""
        self.data[:kept.shape[0], ...] = kept


class Values(Record):
    """The values, shape (records, ...)."""

    def __init__(self, x: Array, max_steps: int) -> None:
        self.data = backend_of(x).empty((max_steps + 1, *x.shape[:-1]), dtype=x.dtype)

    def put(self, at: Place) -> None:
        self.data[at.k, ...] = at.value

    def up_to(self, k: int) -> Array:
        return self.data[:k + 1, ...]


class Points(Record):
    """The points, shape (records, ..., d); in `data` each is contiguous along the batch, shape (records, d, ...)."""

    def __init__(self, x: Array, max_steps: int) -> None:
        self.xp = backend_of(x)
        self.data = self.xp.empty((max_steps + 1, x.shape[-1], *x.shape[:-1]), dtype=x.dtype)

    def put(self, at: Place) -> None:
        self.data[at.k, ...] = at.x if at.x.ndim == 1 else self.xp.moveaxis(at.x, -1, 0)

    def up_to(self, k: int) -> Array:
        return self.xp.moveaxis(self.data[:k + 1, ...], 1, -1)


# record= -> what is kept of every step
KINDS: dict[str | None, dict[str, type[Record]]] = {
    "path": {"path": Points, "values": Values}, "values": {"values": Values}, None: {}}
