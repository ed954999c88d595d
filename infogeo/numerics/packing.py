"""Symmetric matrices as coordinate vectors: the isometric half-vectorisation."""
from functools import lru_cache

import numpy as np

from ..backend import Array, arrays

__all__ = ["packed_size", "pack", "unpack"]


def packed_size(p: int) -> int:
    """p (p + 1) / 2."""
    return p * (p + 1) // 2


@lru_cache
def _indices(p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, columns = np.triu_indices(p)
    position = np.zeros((p, p), dtype=np.int64)
    position[rows, columns] = position[columns, rows] = np.arange(rows.size)
    weight = np.where(rows == columns, 1.0, np.sqrt(2.0))
    return rows * p + columns, position.reshape(-1), weight


def pack(matrix: Array) -> Array:
    """The upper triangle row by row, off-diagonal entries × √2, so that pack(A)·pack(B) = tr(AB).

    Shapes: (..., p, p) to (..., p (p + 1) / 2). The matrix is symmetrised.
    """
    xp, matrix = arrays(matrix)
    p = matrix.shape[-1]
    taken, _, weight = _indices(p)
    symmetric = 0.5 * (matrix + xp.matrix_transpose(matrix))
    flat = xp.reshape(symmetric, (*matrix.shape[:-2], p * p))
    return xp.take(flat, xp.asarray(taken), axis=-1) * xp.asarray(weight, dtype=matrix.dtype)


def unpack(vector: Array, p: int) -> Array:
    """The symmetric matrix of a packed vector, the inverse of `pack`.

    Shapes: (..., p (p + 1) / 2) to (..., p, p).

    Examples
    --------
    >>> ig.unpack(ig.pack([[1.0, 2.0], [2.0, 3.0]]), 2).round(12)
    array([[1., 2.],
           [2., 3.]])
    """
    xp, vector = arrays(vector)
    _, position, weight = _indices(p)
    full = xp.take(vector / xp.asarray(weight, dtype=vector.dtype), xp.asarray(position), axis=-1)
    return xp.reshape(full, (*vector.shape[:-1], p, p))
