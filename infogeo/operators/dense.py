"""Operators that are matrices: general, symmetric, diagonal."""
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays.host import on_host
from ..arrays.tracing import surely
from ..backend import NUMPY, Array, arrays, set_at, to_numpy
from ..errors import ShapeError
from ..numerics.block_cholesky import BlockCholesky, block_cholesky
from ..numerics.linalg import cholesky, eigh, inverse_lower
from .base import LinearOperator, solve_rows

__all__ = ["DenseOperator", "DiagonalOperator", "Factorization", "SymmetricDense", "as_operator"]

# Up to this bound tr A / c of its condition number A + c I is factored in the dtype of A, also where float64 is asked for: what
# rounding has made of A is more. On the autoencoder of benchmarks/curvature.py a float32 step errs by 1.0e-5 at c = 0.01, where
# tr A / c is up to 803, and by 1.3e-5 without float64; at 1e-4, up to 8025, by 7.2e-5 and 1.0e-4
BOUNDED = 1e4


def as_operator(x: LinearOperator | Array) -> LinearOperator:
    """The operator itself, or the matrix as one.

    Examples
    --------
    >>> A = ig.operators.as_operator([[1.0, 2.0], [3.0, 4.0]])
    >>> A is ig.operators.as_operator(A), A @ np.array([1.0, 1.0])
    (True, array([3., 7.]))
    """
    return x if isinstance(x, LinearOperator) else DenseOperator(x)


class DenseOperator(LinearOperator):
    """A matrix of any shape.

    Parameters
    ----------
    matrix : array, shape (m, n)
        Kept, not copied: it must not change afterwards.

    Examples
    --------
    >>> A = ig.operators.DenseOperator([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> A @ np.array([[1.0, 0.0], [0.0, 1.0]])  # of a batch of two vectors
    array([[1., 2.],
           [3., 4.],
           [5., 6.]])
    """

    def __init__(self, matrix: Array) -> None:
        xp, self.matrix = arrays(matrix)
        if self.matrix.ndim != 2:
            raise ShapeError(f"matrix must have shape (m, n); got {tuple(self.matrix.shape)}")
        super().__init__(self.matrix.shape, xp, self.matrix.dtype)

    @property
    def T(self) -> LinearOperator:
        return DenseOperator(self.xp.matrix_transpose(self.matrix))

    def _matvec(self, v: Array) -> Array:
        return self.xp.matmul(v, self.xp.matrix_transpose(self.matrix))

    def _rmatvec(self, v: Array) -> Array:
        return self.xp.matmul(v, self.matrix)

    def matmat(self, columns: Array) -> Array:
        return self.xp.matmul(self.matrix, arrays(columns)[1])

    def _solve(self, b: Array) -> Array:
        return solve_rows(self.xp, self.matrix, b)

    def dense(self) -> Array:
        return self.matrix

    def diagonal(self) -> Array:
        self._require_square("diagonal")
        return self.xp.linalg.diagonal(self.matrix)


@dataclass(frozen=True)
class Factorization:
    """How a symmetric matrix was factored.

    method : "cholesky" or "eigendecomposition", the second where the first failed
    not_positive : how many eigenvalues are not positive; 0 after a Cholesky factorisation
    smallest, largest : the extreme eigenvalues where they are known, else None

    Examples
    --------
    >>> A = ig.operators.SymmetricDense([[1.0, 2.0], [2.0, 1.0]])
    >>> how = A.factorization
    >>> how.method, how.not_positive, round(how.smallest, 12)
    ('eigendecomposition', 1, -1.0)
    """

    method: str
    not_positive: int = 0
    smallest: float | None = None
    largest: float | None = None

    def __str__(self) -> str:
        if self.method == "cholesky":
            return "Cholesky factorisation"
        return (f"eigendecomposition, as the Cholesky factorisation failed: {self.not_positive} eigenvalues are not positive, "
                f"in a spectrum from {self.smallest:.3g} to {self.largest:.3g}")


class SymmetricDense(DenseOperator):
    """A symmetric matrix, solved by Cholesky factorisation.

    Where the factorisation fails, as for a matrix that is positive definite up to rounding only, an eigendecomposition takes its
    place; `factorization` says which one it was and how many eigenvalues are not positive. Nothing is added to the diagonal: what
    is singular up to rounding gives infinite or NaN solutions, but for right sides in its range, for which it is the shortest;
    `shifted` is the way to damp it.

    Parameters
    ----------
    matrix : array, shape (n, n)
        Symmetric; only one triangle may be read.
    dtype : dtype, optional
        Of the vectors and of all results, for a matrix that is to be factored in float64 whatever its own dtype. The factor is
        rounded to this dtype after that: a float32 solve then errs by the root of the condition number instead of the condition
        number. Unless given everything is in the dtype of the matrix.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense([[2.0, 1.0], [1.0, 2.0]])
    >>> A.solve([3.0, 3.0]).round(12), float(A.logdet().round(4))  # log 3
    (array([1., 1.]), 1.0986)
    """

    symmetric: bool = True

    def __init__(self, matrix: Array, dtype: Any = None) -> None:
        super().__init__(matrix)
        self._require_square("SymmetricDense")
        self._mixed = dtype is not None
        self.dtype = self.dtype if dtype is None else dtype

    @property
    def T(self) -> LinearOperator:
        return self

    @property
    def _precision(self) -> Any:
        """The dtype of the factorisation."""
        return self.xp.float64 if self._in_double else self._terms[0].dtype

    @property
    def _in_double(self) -> bool:
        return self._mixed

    @property
    def _rounding(self) -> float:
        """What a pivot is of its diagonal entry where its row depends on those before, by rounding alone."""
        return 10.0 * float(self.xp.finfo(self.matrix.dtype).eps)

    def _rounded(self, x: Array) -> Array:
        """In the dtype of the vectors."""
        return x if x.dtype == self.dtype else self.xp.astype(x, self.dtype)

    @cached_property
    def _rounded_matrix(self) -> Array:
        return self._rounded(self.matrix)

    def _matvec(self, v: Array) -> Array:
        return self.xp.matmul(v, self._rounded_matrix)

    _rmatvec = _matvec

    def matmat(self, columns: Array) -> Array:
        return self.xp.matmul(self._rounded_matrix, arrays(columns)[1])

    def dense(self) -> Array:
        return self._rounded_matrix

    def diagonal(self) -> Array:
        return self._rounded(self.xp.linalg.diagonal(self.matrix))

    @cached_property
    def _lower(self) -> Array:
        """L with A = L Lᵀ; NaN where A is not positive definite."""
        return self._factor.lower if self.xp is NUMPY else self._rounded(cholesky(self.xp, self._copy()))

    @cached_property
    def _factor(self) -> BlockCholesky:
        """L, and what solves with it on the host."""
        return block_cholesky(*self._terms, self._precision, self.dtype) if self.xp is NUMPY else BlockCholesky.of_tensor(
            self.xp, self._lower)

    @property
    def _terms(self) -> tuple[Array, float]:
        """(B, c) of which it is B + c I."""
        return self.matrix, 0.0

    def _copy(self) -> Array:
        """The matrix in the precision of the factorisation, an array of its own."""
        return self.xp.astype(self.matrix, self._precision)

    @cached_property
    def _inverse_lower(self) -> Array:
        return inverse_lower(self.xp, self._lower)

    @cached_property
    def eigensystem(self) -> tuple[Array, Array]:
        """``(values, vectors)`` with A = Q diag(s) Qᵀ, shapes (n,) and (n, n), values ascending, NaN where A is not finite."""
        return eigh(self.xp, self._copy())

    @cached_property
    def factorization(self) -> Factorization:
        """The `Factorization` that `solve` and `slogdet` use."""
        pivots = self.xp.linalg.diagonal(self._lower)       # NaN wherever it arises goes on to the last pivot
        if bool(self.xp.isfinite(pivots[-1]) & self.xp.all(pivots**2 > self._rounding * self.diagonal())):
            return Factorization("cholesky")
        values = to_numpy(self.eigensystem[0])
        return Factorization("eigendecomposition", int((~(values > 0)).sum()), float(values[0]), float(values[-1]))

    def _solve(self, b: Array) -> Array:
        xp = self.xp
        if self.factorization.method == "eigendecomposition":
            return self._solve_in_eigenbasis(b)
        if self._goes_in_blocks(b):
            return self._factor.solve(b.reshape(-1, self.dim).T).T.reshape(b.shape)
        if xp.name == "torch":      # 1000 right sides of order 1001, float32: 33 ms, with the inverse of the factor 93
            return xp.cholesky_solve(b.reshape(-1, self.dim).T, self._lower).T.reshape(b.shape)
        return xp.matmul(xp.matmul(b, xp.matrix_transpose(self._inverse_lower)), self._inverse_lower)

    def _goes_in_blocks(self, b: Array) -> bool:
        return on_host(self.xp, b) and on_host(self.xp, self._lower)

    def _solve_in_eigenbasis(self, b: Array) -> Array:
        """Eigenvalues that rounding may have left are 0: along them b has no solution, or where it is rounding, too, 0."""
        xp, (values, vectors) = self.xp, self.eigensystem
        null = xp.abs(values) <= self.dim * self._rounding * xp.max(xp.abs(values))
        values, vectors = self._rounded(xp.where(null, xp.zeros_like(values), values)), self._rounded(vectors)
        along = xp.matmul(b, vectors)
        size = xp.abs(along)
        room = self.dim * 10.0 * float(xp.finfo(along.dtype).eps) * xp.max(size) if 0 not in size.shape else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            found = xp.where(null & (size <= room), xp.zeros_like(along), along / values)
        return xp.matmul(found, xp.matrix_transpose(vectors))

    def _root(self, z: Array) -> Array:
        return self.xp.matmul(z, self.xp.matrix_transpose(self._lower))

    def _inverse_root(self, z: Array) -> Array:
        if self._goes_in_blocks(z):
            return self._factor.solve_transposed(z.reshape(-1, self.dim).T).T.reshape(z.shape)
        return self.xp.matmul(z, self._inverse_lower)

    def slogdet(self) -> tuple[Array, Array]:
        xp = self.xp
        if self.factorization.method == "cholesky":
            return xp.ones((), dtype=self.dtype), 2.0 * xp.sum(xp.log(xp.linalg.diagonal(self._lower)))
        values = self.eigensystem[0]
        with np.errstate(divide="ignore"):
            return self._rounded(xp.prod(xp.sign(values))), self._rounded(xp.sum(xp.log(xp.abs(values))))

    def shifted(self, c: float) -> "SymmetricDense":
        return _ShiftedDense(self, c)


class _ShiftedDense(SymmetricDense):
    """A + c I of a symmetric matrix, which is formed only where it is asked for."""

    def __init__(self, A: SymmetricDense, c: float) -> None:
        LinearOperator.__init__(self, A.shape, A.xp, A.dtype)       # past the parent, which keeps a matrix
        self.A, self.c, self._mixed = A, c, A._mixed

    _rounding = 0.0         # what is added makes up for it

    @property
    def _in_double(self) -> bool:
        return self._mixed and not surely(self.xp, self.A.trace() <= BOUNDED * self.c)

    @cached_property
    def matrix(self) -> Array:
        return self.A.matrix + self.c * self.xp.eye(self.dim, dtype=self.A.matrix.dtype)

    def _matvec(self, v: Array) -> Array:
        return self.A._matvec(v) + self.c * v

    _rmatvec = _matvec

    def diagonal(self) -> Array:
        return self.A.diagonal() + self.c

    @property
    def _terms(self) -> tuple[Array, float]:
        return self.A.matrix, self.c

    def _copy(self) -> Array:
        xp, diagonal = self.xp, slice(None, None, self.dim + 1)
        numbers = xp.reshape(xp.astype(self.A.matrix, self._precision), (-1,))
        return xp.reshape(set_at(xp, numbers, diagonal, numbers[diagonal] + self.c), self.shape)     # not a sum with all of c I

    @cached_property
    def eigensystem(self) -> tuple[Array, Array]:
        values, vectors = self.A.eigensystem
        return values + self.c, vectors

    def shifted(self, c: float) -> "SymmetricDense":
        return _ShiftedDense(self.A, self.c + c)


class DiagonalOperator(LinearOperator):
    """diag(d).

    Parameters
    ----------
    d : array, shape (n,)

    Examples
    --------
    >>> ig.operators.DiagonalOperator([1.0, 2.0, 4.0]).solve([1.0, 1.0, 1.0])
    array([1.  , 0.5 , 0.25])
    """

    symmetric: bool = True

    def __init__(self, d: Array) -> None:
        xp, self.d = arrays(d)
        if self.d.ndim != 1:
            raise ShapeError(f"d must have shape (n,); got {tuple(self.d.shape)}")
        super().__init__((self.d.shape[0],) * 2, xp, self.d.dtype)

    def _matvec(self, v: Array) -> Array:
        return self.d * v

    def _solve(self, b: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return b / self.d

    def _root(self, z: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return self.xp.sqrt(self.d) * z

    def _inverse_root(self, z: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return z / self.xp.sqrt(self.d)

    def dense(self) -> Array:
        return self.xp.eye(self.dim, dtype=self.dtype) * self.d

    def diagonal(self) -> Array:
        return self.d

    def slogdet(self) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            return self.xp.prod(self.xp.sign(self.d)), self.xp.sum(self.xp.log(self.xp.abs(self.d)))

    def shifted(self, c: float) -> LinearOperator:
        return DiagonalOperator(self.d + c)
