"""Large batches in blocks: temporaries that stay in the cache, and the blocks shared out over the cores.

NumPy lets go of the interpreter inside its loops, so blocks of one batch run side by side. A process uses the cores that it may
run on, or as many as the environment variable OMP_NUM_THREADS says: 1 for none beside the caller's own. Plain threads stand in
place of `concurrent.futures`, whose pools know neither the caller's context variables nor the first error of a loop.
"""
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from contextvars import copy_context
from functools import lru_cache
from threading import Lock, Thread, current_thread, main_thread
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from ..backend import Array, batch_contiguous

__all__ = ["gather", "in_blocks", "is_large", "share", "slices", "threads"]

# Of one operand in a block, half a megabyte of doubles: `kl` of 100 000 points of Categorical(10) took 10.9 ms whole, 6.6 in
# these blocks and 10.1 in blocks of 8192 (best of 7, one thread).
ELEMENTS = 65536
# glibc gives freed memory back to the system when it is more than twice the largest array that was ever freed, up to this size,
# and every temporary of a formula would then fault in its pages again: `kl` of 10 000 inverse Gaussian laws took 580 µs, and 250
# after one such array, of which no page is touched and which costs microseconds.
KEPT = 2**25 - 2**13
np.empty(KEPT, dtype=np.uint8)
SHARE = 2           # blocks, at the least, for each thread: a thread costs as much as a cheap block


def is_large(xs: Sequence[Array]) -> bool:
    """Whether points, shapes (..., d), are a large C-ordered NumPy batch, which goes in blocks."""
    first = xs[0]
    if type(first) is not np.ndarray or first.size <= 2 * ELEMENTS or first.ndim < 2 or not first.flags.c_contiguous:
        return False
    return all(type(x) is np.ndarray and x.ndim > 0 for x in xs)


def in_blocks(function: Callable[..., Any], *xs: Array, contiguous: bool) -> Any:
    """``function(*xs)`` of a large batch, block by block.

    The points have shapes (..., d) and broadcast; the result, an array or a tuple of arrays, has the batch axes first.

    Parameters
    ----------
    contiguous : bool
        Whether to lay each block out with the batch contiguous: reductions over the coordinates of a point are several times
        faster that way, while points of one or two coordinates are taken as they lie. From eight coordinates on such a sum goes
        in another order than NumPy's pairwise one, and the last bits may differ from those of the same point in a small batch.
    """
    batch = np.broadcast_shapes(*(x.shape[:-1] for x in xs))
    flat = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in xs]
    count = len(flat[0])
    pairs = -(-count // (2 * max(256, ELEMENTS // xs[0].shape[-1])))
    rows = -(-count // (2 * pairs))         # an even number of even blocks
    outs: list[Array] = []
    lock, several = Lock(), False

    def fill(start: int) -> None:
        nonlocal several
        blocks = (x[start:start + rows] for x in flat)
        found = function(*(map(batch_contiguous, blocks) if contiguous else blocks))
        parts = found if type(found) is tuple else (found,)
        with lock:
            if not outs:
                outs.extend(np.empty((count, *part.shape[1:]), part.dtype) for part in parts)
                several = type(found) is tuple
        for out, part in zip(outs, parts):
            out[start:start + rows] = part

    share(fill, range(0, count, rows))
    whole = tuple(out.reshape(*batch, *out.shape[1:]) for out in outs)
    return whole if several else whole[0]


def threads() -> int:
    """How many threads a call may use: OMP_NUM_THREADS where that is set, else one for each core of this process.

    On a thread other than the main one it is 1: whoever started that one has shared out the cores.
    """
    if current_thread() is not main_thread():
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(task: Callable[[Any], object], items: Iterable[Any]) -> None:
    """``task(item)`` for every item, side by side on several threads where there are items enough.

    The threads see the caller's context variables, NumPy's error state among them. Where items fail, the error of the first of
    them is raised, as in a plain loop, and no further one is begun.
    """
    left = deque(enumerate(items))
    failures: list[tuple[int, BaseException]] = []

    def work() -> None:
        while left:
            try:
                k, item = left.popleft()
            except IndexError:                  # another thread took the last one
                return
            try:
                task(item)
            except BaseException as error:
                left.clear()
                failures.append((k, error))

    helpers = [Thread(target=copy_context().run, args=(work,)) for _ in range(min(threads(), len(left) // SHARE) - 1)]
    try:
        with _blas().limit(limits=1) if helpers else nullcontext():         # the cores are taken
            for helper in helpers:
                helper.start()
            work()
    finally:                                    # an interrupt, too, waits for the blocks at hand
        left.clear()
        for helper in helpers:
            helper.join()
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]


@lru_cache
def _blas() -> ThreadpoolController:
    """The matrix libraries of the process, whose own threads would wait for each other."""
    return ThreadpoolController().select(user_api="blas")


def slices(n: int, step: int) -> list[slice]:
    """Slices of that many, one after the other, up to n."""
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def gather(task: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """The list of ``task(item)`` for every item, in their order, as by `share`."""
    found: list[Any] = [None] * len(items)

    def one(i: int) -> None:
        found[i] = task(items[i])

    share(one, range(len(items)))
    return found
