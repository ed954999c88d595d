"""A weighted square in coordinates that a layer reaches, with the generalised inverse as its solve."""
from functools import cached_property

from ..backend import Array, Namespace, arrays, to_numpy
from ..errors import ShapeError
from .base import LinearOperator
from .dense import SymmetricDense
from .kronecker import Kronecker

__all__ = ["ReachedSquare"]


class ReachedSquare(LinearOperator):
    """X ↦ Pᵀ (N ∘ (P X Tᵀ)) T on matrices X (a, b), held row by row: (P ⊗ T)ᵀ diag(N) (P ⊗ T).

    Mathematically, its solve is b ↦ P⁺ ((P⁺ᵀ b T⁺) / N) T⁺ᵀ with pseudo-inverses, 0 where N is 0. Where the coordinates that P
    and T reach are each a first few of all, as for layers of a chain, diag(N) keeps them, and the solve is a generalised inverse:
    A A⁻ A = A, and A⁻ = A⁻¹ where that is.

    Parameters
    ----------
    P, T : arrays, shapes (r, a) and (d, b)
    N : array, shape (r, d)
        Not negative.

    Examples
    --------
    >>> A = ig.operators.ReachedSquare(np.eye(2), [[1.0, 1.0]], [[1.0], [4.0]])
    >>> A.dense()
    array([[1., 1., 0., 0.],
           [1., 1., 0., 0.],
           [0., 0., 4., 4.],
           [0., 0., 4., 4.]])
    """

    symmetric: bool = True

    def __init__(self, P: Array, T: Array, N: Array) -> None:
        xp, self.P, self.T_, self.N = arrays(P, T, N)
        if self.P.ndim != 2 or self.T_.ndim != 2 or self.N.shape != (self.P.shape[0], self.T_.shape[0]):
            raise ShapeError(f"P, T and N must have shapes (r, a), (d, b) and (r, d); got {tuple(self.P.shape)}, "
                             f"{tuple(self.T_.shape)} and {tuple(self.N.shape)}")
        self.sizes = self.P.shape[1], self.T_.shape[1]
        super().__init__((self.sizes[0] * self.sizes[1],) * 2, xp, xp.result_type(self.P, self.T_, self.N))

    def _through(self, v: Array, P: Array, T: Array, N: Array) -> Array:
        """Pᵀ (N ∘ (P X Tᵀ)) T of the matrices X of vectors v."""
        xp = self.xp
        inner = N * xp.matmul(xp.matmul(P, xp.reshape(v, (*v.shape[:-1], *self.sizes))), xp.matrix_transpose(T))
        found = xp.matmul(xp.matmul(xp.matrix_transpose(P), inner), T)
        return xp.reshape(found, (*found.shape[:-2], self.dim))

    @cached_property
    def _pseudo(self) -> tuple[Array, Array, Array]:
        """P⁺ᵀ, T⁺ᵀ and 1/N."""
        xp, one = self.xp, self.xp.ones_like(self.N)
        reciprocal = xp.where(self.N > 0, one / xp.where(self.N > 0, self.N, one), 0.0 * one)
        return _pinv_transposed(xp, self.P), _pinv_transposed(xp, self.T_), reciprocal

    def _matvec(self, v: Array) -> Array:
        return self._through(v, self.P, self.T_, self.N)

    def _solve(self, b: Array) -> Array:
        return self._through(b, *self._pseudo)

    def diagonal(self) -> Array:
        xp = self.xp
        return xp.reshape(xp.matmul(xp.matmul(xp.matrix_transpose(self.P**2), self.N), self.T_**2), (-1,))

    def shifted(self, c: float) -> LinearOperator:
        """In the eigenbases of PᵀP and TᵀT where N is one number, else as a matrix."""
        xp, N = self.xp, to_numpy(self.N)
        if N.size and N.min() == N.max():
            squares = (SymmetricDense(xp.matmul(xp.matrix_transpose(X), X)) for X in (self.P, float(N.max())**0.5 * self.T_))
            return Kronecker(*squares).shifted(c)
        return SymmetricDense(self.dense() + c * xp.eye(self.dim, dtype=self.dtype))


def _pinv_transposed(xp: Namespace, X: Array) -> Array:
    """X⁺ᵀ, shape of X; singular values below 1e-10 of the largest, or in float32 1e-5, are none."""
    U, s, V = xp.linalg.svd(X, full_matrices=False)
    if 0 in s.shape:                        # no samples: no direction is reached
        return X
    least = (1e-10 if float(xp.finfo(X.dtype).eps) < 1e-10 else 1e-5) * xp.max(s)
    inverse = xp.where(s > least, 1.0 / xp.where(s > least, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(U * inverse, V)
