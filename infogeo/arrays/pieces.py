"""Collections that lie in pieces, on the workers of a cluster or on a disk: Dask's arrays, data frames and series."""
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from ..errors import ShapeError

__all__ = ["first_mean", "folded", "is_in_pieces", "reduced"]

T = TypeVar("T")


def is_in_pieces(x: Any) -> bool:
    """Whether it is a Dask collection: nothing of it is looked at."""
    return hasattr(x, "__dask_graph__")


def folded(parts: Iterable[T], merge: Callable[[T, T], T]) -> T:
    """merge(…) of all of them as a tree: each part is in log₂ n merges, and no more than log₂ n wait.

    Raises
    ------
    ShapeError
        Where there is none.
    """
    waiting: list[tuple[int, T]] = []       # (level, part), the levels in falling order
    for part in parts:
        level = 0
        while waiting and waiting[-1][0] == level:
            part, level = merge(waiting.pop()[1], part), level + 1
        waiting.append((level, part))
    if not waiting:
        raise ShapeError("at least one piece of the sample is needed; got none")
    whole = waiting.pop()[1]
    while waiting:
        whole = merge(waiting.pop()[1], whole)
    return whole


def reduced(f: Callable[..., T], merge: Callable[[T, T], T], *collections: Any) -> T:
    """merge(…) of f of every piece along axis 0, as a tree, by whatever scheduler Dask has at hand.

    The collections have the same pieces; NumPy arrays among them are cut like the first one. Each piece is loaded once, and
    none travels: what f makes of it does.

    Raises
    ------
    ShapeError
        Where they are not cut alike.
    """
    from dask.delayed import delayed
    first = collections[0]
    cut = [_pieces(first if one is first else _like(first, one)) for one in collections]
    if len({len(pieces) for pieces in cut}) > 1:
        raise ShapeError(f"weights must be cut as the sample is, in {len(cut[0])} pieces; got {len(cut[1])}")
    work, joined = delayed(f, pure=False), delayed(merge, pure=False)
    whole: Any = folded([work(*pieces) for pieces in zip(*cut)], joined)
    found: T = whole.compute()
    return found


def first_mean(collection: Any) -> Any:
    """The mean over axis 0 of the first piece that has rows, 0 where it is not finite; that piece is loaded."""
    for piece in _pieces(collection):
        first = np.asarray(piece.compute())
        if first.shape[:1] > (0,):
            mean = np.mean(first, axis=0, dtype=first.dtype if first.dtype.kind == "f" else float)
            return np.where(np.isfinite(mean), mean, 0.0).astype(mean.dtype)
    return 0.0


def _pieces(collection: Any) -> list[Any]:
    """Delayed pieces along axis 0, each whole along the other axes."""
    if hasattr(collection, "rechunk"):
        collection = collection.rechunk({axis: -1 for axis in range(1, collection.ndim)})
        return list(collection.to_delayed().ravel())
    return list(collection.to_delayed())


def _like(first: Any, other: Any) -> Any:
    """Cut along axis 0 as the first one is; a frame stays as it is."""
    if not hasattr(first, "chunks") or is_in_pieces(other) and not hasattr(other, "rechunk"):
        return other
    from dask.array import asarray
    if tuple(other.shape[:1]) != tuple(first.shape[:1]) and first.shape[0] == first.shape[0]:
        raise ShapeError(f"weights must have shape ({first.shape[0]},) or (n, ...); got {tuple(other.shape)}")
    known = all(size == size for size in first.chunks[0])       # sizes that are not known are NaN
    return asarray(other).rechunk({0: first.chunks[0]}) if known else other
