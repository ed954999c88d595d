"""Cholesky factors by blocks, in products of matrices: one library of matrix routines, whose threads wait for no other's.

NumPy has no triangular solves, and SciPy brings matrix routines of its own. Of two threads those of the library used before stay
on a core for a while, waiting for work: five products of order 1000 in float32 took 23 ms, and 43 after a factorisation by SciPy.
"""
from typing import Any, NamedTuple

import numpy as np

from ..arrays.blocks import slices
from ..backend import NUMPY, Array, Namespace

__all__ = ["BlockCholesky", "block_cholesky"]

# Order of the blocks on the diagonal. Order 1001 in float32, 785 right sides, two threads: the factor takes 2.9, 3.2, 3.6 and
# 4.8 ms with 64, 96, 128 and 256, its two solves 8.1, 7.9, 8.1 and 8.5, where a product with the whole matrix takes 6.5.
# PyTorch's `cholesky_solve` took 12.2, and 9.7 in blocks of 96
BLOCK = 96
INVERTED = 32           # up to this order a block is inverted by the library's routine


class BlockCholesky(NamedTuple):
    """L with A = L Lᵀ, and the inverses of the blocks on its diagonal: of NumPy's arrays, or of PyTorch's on the host.

    Attributes
    ----------
    xp : Namespace
    lower : array, shape (n, n)
    inverses : list of arrays
    """

    xp: Namespace
    lower: Array
    inverses: list[Array]

    @classmethod
    def of_tensor(cls, xp: Namespace, lower: Array) -> "BlockCholesky":
        """From PyTorch's L, whose blocks are inverted together: of order 1001 in 0.4 ms, one after the other in 1.6."""
        *whole, last = [lower[rows, rows] for rows in slices(len(lower), BLOCK)]
        return cls(xp, lower, [*(_inverse(xp, xp.stack(whole)) if whole else ()), _inverse(xp, last)])

    def solve(self, B: Array) -> Array:
        """A⁻¹ B, shape (n, k)."""
        return self.solve_transposed(self.solve_lower(B))

    def solve_lower(self, B: Array) -> Array:
        """L⁻¹ B, shape (n, k), from the first block of rows to the last."""
        X = self._like(B)
        for rows, inverse in zip(slices(len(B), BLOCK), self.inverses):
            X[rows] = _product(inverse, _less(B[rows], self.lower[rows, :rows.start], X[:rows.start]))
        return X

    def solve_transposed(self, B: Array) -> Array:
        """L⁻ᵀ B, shape (n, k), from the last block of rows to the first."""
        X = self._like(B)
        for rows, inverse in zip(slices(len(B), BLOCK)[::-1], self.inverses[::-1]):
            X[rows] = _product(inverse.T, _less(B[rows], self.lower[rows.stop:, rows].T, X[rows.stop:]))
        return X

    def _like(self, B: Array) -> Array:
        """An array for a solution, in memory as B is."""
        return self.xp.empty_like(B, dtype=self.xp.result_type(B, self.lower))


def block_cholesky(matrix: np.ndarray, shift: float, precision: Any, dtype: Any) -> BlockCholesky:
    """The factor of A + c I, computed in one dtype and rounded to another; NaN where it is not positive definite.

    Parameters
    ----------
    matrix : array, shape (n, n)
        A, of which the lower triangle is read.
    shift : float
        c.
    """
    lower, inverses = np.zeros(matrix.shape, precision), []
    try:
        for rows in slices(len(matrix), BLOCK):
            size, before = rows.stop - rows.start, slice(0, rows.start)
            panel = _less(matrix[rows.start:, rows].astype(precision), lower[rows.start:, before], lower[rows, before].T)
            np.einsum("ii->i", panel[:size])[:] += shift
            lower[rows, rows] = np.linalg.cholesky(panel[:size])
            inverses.append(_inverse(NUMPY, lower[rows, rows]))
            lower[rows.stop:, rows] = panel[size:] @ inverses[-1].T
    except np.linalg.LinAlgError:
        lower[:] = np.nan
        inverses = [lower[rows, rows] for rows in slices(len(matrix), BLOCK)]
    return BlockCholesky(NUMPY, lower.astype(dtype, copy=False), [part.astype(dtype, copy=False) for part in inverses])


def _less(B: Array, M: Array, X: Array) -> Array:
    """B − M X."""
    return B - _product(M, X) if len(X) else B


def _product(M: Array, X: Array) -> Array:
    """M X, in memory as X is: one of the other order would be copied number by number."""
    first, second = X.strides if type(X) is np.ndarray else X.stride()
    return M @ X if first >= second else (X.T @ M.T).T


def _inverse(xp: Namespace, lower: Array) -> Array:
    """L⁻¹ of lower triangular L, shape (..., n, n), from those of its halves."""
    n = lower.shape[-1]
    if n <= INVERTED:
        return xp.linalg.inv(lower)
    h, out = n // 2, xp.zeros_like(lower)
    first, second = (..., slice(h), slice(h)), (..., slice(h, n), slice(h, n))
    out[first], out[second] = _inverse(xp, lower[first]), _inverse(xp, lower[second])
    out[..., h:, :h] = -out[second] @ lower[..., h:, :h] @ out[first]
    return out
