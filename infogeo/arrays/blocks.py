"""Large batches in blocks: temporaries that stay in the cache, and the blocks shared out over the cores.

NumPy lets go of the interpreter inside its loops, so blocks of one batch run side by side. A process uses the cores that it may
run on, or as many as the environment variable OMP_NUM_THREADS says: 1 for none beside the caller's own.
"""
import os
from collections import deque
from contextlib import nullcontext
from contextvars import copy_context
from functools import lru_cache, wraps
from threading import Lock, Thread, current_thread, main_thread

import numpy as np
from threadpoolctl import ThreadpoolController

from ..backend import batch_contiguous

__all__ = ["blockwise", "gather", "rowwise", "share", "slices", "threads"]

ELEMENTS = 65536    # of one operand in a block: half a megabyte of doubles
# glibc gives freed memory back to the system when it is more than twice the largest array that was ever freed, up to this size,
# and every block would then fault in its pages again. One such array, of which no page is touched, costs microseconds.
KEPT = 2**25 - 2**13
SHARE = 2           # blocks, at the least, for each thread: a thread costs as much as a cheap block


def blockwise(method):
    """Evaluate ``method(self, *points)`` of a large C-ordered NumPy batch block by block; anything else as it is.

    The points have shapes (..., d) and broadcast; the result has the batch axes first. Reductions over the few coordinates of a
    point are several times faster where the batch is contiguous, and so are chains of operations that fit into the cache.
    """
    return _in_blocks(method, batch_contiguous)


def rowwise(method):
    """As `blockwise`, with the points as they lie in memory, for methods that have no use for another order."""
    return _in_blocks(method, lambda x: x)


def _in_blocks(method, laid_out):
    @wraps(method)
    def blocked(self, *xs):
        first = xs[0]
        if type(first) is not np.ndarray or first.size <= 2 * ELEMENTS or first.ndim < 2 or not first.flags.c_contiguous:
            return method(self, *xs)
        if not all(type(x) is np.ndarray and x.ndim > 0 for x in xs):
            return method(self, *xs)
        batch = np.broadcast_shapes(*(x.shape[:-1] for x in xs))
        flat = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in xs]
        count = len(flat[0])
        pairs = -(-count // (2 * max(256, ELEMENTS // first.shape[-1])))
        rows = -(-count // (2 * pairs))         # an even number of even blocks
        out, lock = None, Lock()

        def fill(start):
            nonlocal out
            part = method(self, *(laid_out(x[start:start + rows]) for x in flat))
            with lock:
                if out is None:
                    out = np.empty((count, *part.shape[1:]), part.dtype)
            out[start:start + rows] = part

        share(fill, range(0, count, rows))
        return out.reshape(*batch, *out.shape[1:])
    return blocked


def threads():
    """How many threads a call may use: OMP_NUM_THREADS where that is set, else one for each core of this process.

    On a thread other than the main one it is 1: whoever started that one has shared out the cores.
    """
    if current_thread() is not main_thread():
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(task, items):
    """``task(item)`` for every item, side by side on several threads where there are items enough.

    The threads see the caller's context variables, NumPy's error state among them. Where items fail, the error of the first of
    them is raised, as in a plain loop, and no further one is begun.
    """
    np.empty(KEPT, dtype=np.uint8)
    left, failures = deque(enumerate(items)), []

    def work():
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
def _blas():
    """The matrix libraries of the process, whose own threads would wait for each other."""
    return ThreadpoolController().select(user_api="blas")


def slices(n, step):
    """Slices of that many, one after the other, up to n."""
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def gather(task, items):
    """The list of ``task(item)`` for every item, in their order, as by `share`."""
    found = [None] * len(items)

    def one(i):
        found[i] = task(items[i])

    share(one, range(len(items)))
    return found
