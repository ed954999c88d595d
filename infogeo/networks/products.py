"""Products and sums over the samples as the machine likes them: what layers ask for, apart from their mathematics.

The figures are in float32, NumPy with OpenBLAS on one thread of a shared machine, the best of seven rounds.
"""
from math import gcd
from typing import Any

import numpy as np

from ..arrays.blocks import slices
from ..arrays.host import on_host
from ..backend import Array, Namespace, set_at

__all__ = ["add_at", "add_to_rows", "moment_into", "outer_into", "product_into", "second_moment", "sum_of_rows"]

# Numbers in a run of whole rows: (100 352, 8) takes 0.55 ms row by row and 0.10, 0.09, 0.08 and 0.09 ms in runs of 64, 256, 512
# and 1024; rows of 250 and more take the same either way
RUN = 256
# Columns of a symmetric product that are computed together, those above the diagonal by symmetry: (512, 1000) with its transpose
# takes PyTorch 3.0 ms on two threads, 3.2 with 256, and 4.8 as a whole; NumPy, which knows such a product, 2.9 and 3.0
PANEL = 128


def second_moment(xp: Namespace, rows: Array) -> Array:
    """Σ r rᵀ over samples and positions, shapes (..., n, L, k) to (..., k, k)."""
    k = rows.shape[-1]
    return moment_into(xp, rows, xp.empty((*rows.shape[:-3], k, k), dtype=rows.dtype))


def moment_into(xp: Namespace, rows: Array, out: Array) -> Array:
    """The array (..., m, m), m ≥ k, with Σ r rᵀ as its first k rows and columns, shape (..., n, L, k), by `set_at`."""
    k = rows.shape[-1]
    if _is_in_columns(xp, rows) and k <= min(PANEL, rows.shape[-2]):        # products of samples no larger than their rows
        return set_at(xp, out, (..., slice(k), slice(k)), xp.sum(xp.matmul(xp.matrix_transpose(rows), rows), axis=-3))
    rows = xp.reshape(rows, (*rows.shape[:-3], rows.shape[-3] * rows.shape[-2], k))
    columns = xp.matrix_transpose(rows)
    if k <= PANEL or not on_host(xp, rows):
        return set_at(xp, out, (..., slice(k), slice(k)), xp.matmul(columns, rows))
    for part in slices(k, PANEL):
        below = slice(part.stop, k)
        out[..., part.start:k, part] = xp.matmul(columns[..., part.start:, :], rows[..., part])
        out[..., part, below] = xp.matrix_transpose(out[..., below, part])
    return out


def _is_in_columns(xp: Namespace, rows: Array) -> bool:
    """Whether the numbers of a row lie apart in memory, as in PyTorch's images, so that one product of all would copy them.

    512 samples with 784 positions of 9 numbers take 1.8 ms as products of the samples and 7.4 with a copy, with 196 of 16 0.7 and
    1.4; where rows lie in a run one product takes 3.8 and 0.6.
    """
    return xp.name == "torch" and bool(rows.stride(-1) > rows.stride(-2))


def add_to_rows(xp: Namespace, s: Array, b: Array) -> Array:
    """s + b for a row b, shapes (..., n, k) and (..., 1, k), in s itself: it is new and large.

    Short rows go several at a time, as a loop over a few numbers costs more than the numbers.
    """
    n, k = s.shape[-2:]
    if n == 1 and s.ndim == 2 == b.ndim:                # a roll-out: one state in 11 µs where two layers took 15
        s += b
        return s
    together = gcd(n, max(1, RUN // k))                 # as many rows as divide n and are at most `RUN` numbers
    whole = xp.reshape(s, (*s.shape[:-2], n // together, together * k))
    whole += xp.concat([b] * together, axis=-1)
    return xp.reshape(whole, s.shape)


def sum_of_rows(xp: Namespace, g: Array) -> Array:
    """Σ of the rows, shape (..., n, k) to (..., k), as a product: (100 352, 16) in 0.08 ms where a sum takes 2.7."""
    return xp.matmul(xp.ones(g.shape[-2], dtype=g.dtype), g)


def add_at(xp: Namespace, x: Array, index: Any, value: Array) -> Array:
    """The array with ``x[index] += value``, as `set_at` gives it."""
    if xp.name == "jax":
        return x.at[index].add(value)
    x[index] += value
    return x


def product_into(xp: Namespace, a: Array, b: Array, out: Array) -> Array:
    """The array (..., k), k ≥ m p, with a b as its first m p numbers, shapes (..., m, n) and (..., n, p), by `set_at`."""
    m, p = a.shape[-2], b.shape[-1]
    if xp.name == "numpy":      # without a copy of the result: 12.2 ms, not 13.0, for (784, 512) times (512, 1000)
        np.matmul(a, b, out=np.reshape(out[..., :m * p], (*out.shape[:-1], m, p), copy=False))
        return out
    return set_at(xp, out, (..., slice(m * p)), xp.reshape(xp.matmul(a, b), (*out.shape[:-1], m * p)))


def outer_into(xp: Namespace, a: Array, b: Array, out: Array) -> Array:
    """The array (..., k), k ≥ m p, with a bᵀ of vectors (..., m) and (..., p) as its first m p numbers, by `set_at`."""
    m, p = a.shape[-1], b.shape[-1]
    if xp.name == "numpy":      # 512 of (785, 100) in 26 ms, by a copy in 62, by a matrix product for each sample in 93
        np.multiply(a[..., None], b[..., None, :], out=np.reshape(out[..., :m * p], (*out.shape[:-1], m, p), copy=False))
        return out
    if all(on_host(xp, x) for x in (a, b, out)):        # 512 gradients of 2.8 million weights: 1.3 s, by products and copies 5.2
        xp.multiply(a[..., None], b[..., None, :], out=out[..., :m * p].unflatten(-1, (m, p)))
        return out
    return set_at(xp, out, (..., slice(m * p)), xp.reshape(a[..., None] * b[..., None, :], (*out.shape[:-1], m * p)))
