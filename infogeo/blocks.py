"""Large batches in blocks: temporaries that stay in the cache, with the batch contiguous in memory."""
from functools import wraps

import numpy as np

from .backend import batch_contiguous

__all__ = ["blockwise"]

ELEMENTS = 32768    # of one operand in a block: a quarter of a megabyte


def blockwise(method):
    """Evaluate ``method(self, *points)`` of a large C-ordered NumPy batch block by block; anything else as it is.

    The points have shapes (..., d) and broadcast; the result has the batch axes first. Reductions over the few coordinates of a
    point are several times faster where the batch is contiguous, and so are chains of operations that fit into the cache.
    """
    @wraps(method)
    def blocked(self, *xs):
        first = xs[0]
        if type(first) is not np.ndarray or first.size <= 2 * ELEMENTS or first.ndim < 2 or not first.flags.c_contiguous:
            return method(self, *xs)
        if not all(type(x) is np.ndarray and x.ndim > 0 for x in xs):
            return method(self, *xs)
        batch = np.broadcast_shapes(*(x.shape[:-1] for x in xs))
        flat = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in xs]
        count, rows, out = len(flat[0]), max(256, ELEMENTS // first.shape[-1]), None
        for start in range(0, count, rows):
            part = method(self, *(batch_contiguous(x[start:start + rows]) for x in flat))
            if out is None:
                out = np.empty((count, *part.shape[1:]), part.dtype)
            out[start:start + rows] = part
        return out.reshape(*batch, *out.shape[1:])
    return blocked
