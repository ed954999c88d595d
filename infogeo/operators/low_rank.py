"""A diagonal matrix plus one of low rank."""
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ..backend import Array, arrays
from ..errors import ShapeError
from .base import LinearOperator
from .dense import SymmetricDense

__all__ = ["DiagonalPlusLowRank", "LowRank", "ScalarOffSubspace"]


class LowRank(LinearOperator):
    """U Uᵀ, with U of few columns; `shifted` gives it an inverse.

    Parameters
    ----------
    U : array, shape (n, k)

    Examples
    --------
    >>> A = ig.operators.LowRank([[1.0], [1.0]])
    >>> A.dense()
    array([[1., 1.],
           [1., 1.]])
    >>> A.shifted(1.0).solve([3.0, 3.0]).round(12)
    array([1., 1.])
    """

    symmetric: bool = True

    def __init__(self, U: Array) -> None:
        xp, self.U = arrays(U)
        if self.U.ndim != 2:
            raise ShapeError(f"U must have shape (n, k); got {tuple(self.U.shape)}")
        super().__init__((self.U.shape[0],) * 2, xp, self.U.dtype)

    def _matvec(self, v: Array) -> Array:
        return self.xp.matmul(self.xp.matmul(v, self.U), self.xp.matrix_transpose(self.U))

    def dense(self) -> Array:
        return self.xp.matmul(self.U, self.xp.matrix_transpose(self.U))

    def diagonal(self) -> Array:
        return self.xp.sum(self.U**2, axis=-1)

    def shifted(self, c: float) -> LinearOperator:
        return DiagonalPlusLowRank(self.xp.zeros(self.dim, dtype=self.dtype) + c, self.U)


class DiagonalPlusLowRank(LinearOperator):
    """diag(d) + U Uᵀ with d > 0, at O(n k) a product and O(n k²) once.

    Mathematically, with the singular value decomposition D^{−1/2} U = P diag(s) Vᵀ, a function of the whitened operator is
    f(I + P diag(s²) Pᵀ) = f(1) I + P diag(f(1 + s²) − f(1)) Pᵀ. This gives the inverse (the formula of Woodbury),
    D^{−1/2} (I − P diag(s² / (1 + s²)) Pᵀ) D^{−1/2}, the determinant Π d Π (1 + s²), and square roots to sample by,
    F = D^{1/2} (I + P diag(√(1 + s²) − 1) Pᵀ).

    Parameters
    ----------
    d : array, shape (n,)
        Positive; where it is not, `solve`, `slogdet` and the roots are NaN or infinite.
    U : array, shape (n, k)

    Examples
    --------
    >>> A = ig.operators.DiagonalPlusLowRank([1.0, 1.0], [[1.0], [1.0]])
    >>> A.solve([3.0, 0.0]).round(12), float(A.logdet().round(4))  # log 3
    (array([ 2., -1.]), 1.0986)
    """

    symmetric: bool = True

    def __init__(self, d: Array, U: Array) -> None:
        xp, self.d, self.U = arrays(d, U)
        if self.U.ndim != 2 or self.d.shape != self.U.shape[:1]:
            raise ShapeError(f"d and U must have shapes (n,) and (n, k); got {tuple(self.d.shape)} and {tuple(self.U.shape)}")
        super().__init__((self.U.shape[0],) * 2, xp, xp.result_type(self.d, self.U))

    @cached_property
    def _white(self) -> tuple[Array, Array, Array]:
        """(√d, P, s²) of D^{−1/2} U = P diag(s) Vᵀ."""
        xp = self.xp
        with np.errstate(invalid="ignore", divide="ignore"):
            root = xp.sqrt(self.d)
            W = self.U / root[:, None]
        if not bool(xp.all(xp.isfinite(W))):        # for which a library's decomposition raises
            return root, W * xp.nan, W[0, :] * xp.nan
        P, s, _ = xp.linalg.svd(W, full_matrices=False)
        return root, P, s**2

    def _function(self, z: Array, weight: Callable[[Array], Array]) -> Array:
        """(I + P diag(weight(s²)) Pᵀ) z."""
        _, P, g = self._white
        return z + self.xp.matmul(self.xp.matmul(z, P) * weight(g), self.xp.matrix_transpose(P))

    def _matvec(self, v: Array) -> Array:
        return self.d * v + self.xp.matmul(self.xp.matmul(v, self.U), self.xp.matrix_transpose(self.U))

    def _solve(self, b: Array) -> Array:
        root = self._white[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._function(b / root, lambda g: -g / (1.0 + g)) / root

    def _root(self, z: Array) -> Array:
        return self._white[0] * self._function(z, lambda g: g / (1.0 + self.xp.sqrt(1.0 + g)))

    def _inverse_root(self, z: Array) -> Array:
        def weight(g: Array) -> Array:
            stretch = self.xp.sqrt(1.0 + g)
            return -g / (stretch * (1.0 + stretch))     # 1 / √(1 + g) − 1, which does not cancel
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._function(z, weight) / self._white[0]

    def dense(self) -> Array:
        return self.xp.eye(self.dim, dtype=self.dtype) * self.d + self.xp.matmul(self.U, self.xp.matrix_transpose(self.U))

    def diagonal(self) -> Array:
        return self.d + self.xp.sum(self.U**2, axis=-1)

    def inverse_diagonal(self) -> Array:
        """The diagonal of the inverse, shape (n,), at O(n k): the variances of a normal law of this precision."""
        root, P, g = self._white
        with np.errstate(divide="ignore", invalid="ignore"):
            return (1.0 - self.xp.sum(P**2 * (g / (1.0 + g)), axis=-1)) / root**2

    def slogdet(self) -> tuple[Array, Array]:
        xp, g = self.xp, self._white[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            size = xp.sum(xp.log(self.d)) + xp.sum(xp.log1p(g))
        return xp.ones_like(size), size

    def shifted(self, c: float) -> LinearOperator:
        return DiagonalPlusLowRank(self.d + c, self.U)


class ScalarOffSubspace(LinearOperator):
    """c I off a subspace of few dimensions, and a small symmetric matrix M in it: c (I − Q Qᵀ) + Q M Qᵀ.

    Mathematically, a function of it is f(c) (I − Q Qᵀ) + Q f(M) Qᵀ: all of them cost O(n k).

    Parameters
    ----------
    c : float
    Q : array, shape (n, k)
        With orthonormal columns.
    M : array, shape (k, k)

    Examples
    --------
    >>> A = ig.operators.ScalarOffSubspace(2.0, [[1.0], [0.0], [0.0]], [[10.0]])
    >>> A.diagonal(), A.solve([1.0, 1.0, 1.0])
    (array([10.,  2.,  2.]), array([0.1, 0.5, 0.5]))
    """

    symmetric: bool = True

    def __init__(self, c: float, Q: Array, M: Array) -> None:
        xp, self.Q, M = arrays(Q, M)
        if self.Q.ndim != 2 or M.shape != (self.Q.shape[1],) * 2:
            raise ShapeError(f"Q and M must have shapes (n, k) and (k, k); got {tuple(self.Q.shape)} and {tuple(M.shape)}")
        self.c, self.M = float(c), SymmetricDense(M)
        super().__init__((self.Q.shape[0],) * 2, xp, xp.result_type(self.Q, M))

    def _function(self, v: Array, at_c: float, at_M: Callable[[Array], Array]) -> Array:
        """f(c) (I − Q Qᵀ) v + Q f(M) Qᵀ v."""
        inside = self.xp.matmul(v, self.Q)
        return at_c * v + self.xp.matmul(at_M(inside) - at_c * inside, self.xp.matrix_transpose(self.Q))

    def _matvec(self, v: Array) -> Array:
        return self._function(v, self.c, self.M._matvec)

    def _power(self, exponent: float) -> float:
        """c^exponent, infinite or NaN where it does not exist."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.float64(self.c) ** exponent)

    def _solve(self, b: Array) -> Array:
        return self._function(b, self._power(-1.0), self.M._solve)

    def _root(self, z: Array) -> Array:
        return self._function(z, self._power(0.5), self.M._root)

    def _inverse_root(self, z: Array) -> Array:
        return self._function(z, self._power(-0.5), self.M._inverse_root)

    def diagonal(self) -> Array:
        Q = self.Q
        return self.c * (1.0 - self.xp.sum(Q**2, axis=-1)) + self.xp.sum(self.xp.matmul(Q, self.M.dense()) * Q, axis=-1)

    def slogdet(self) -> tuple[Array, Array]:
        (sign, size), rest = self.M.slogdet(), self.dim - self.M.dim
        with np.errstate(divide="ignore"):
            return sign * float(np.sign(self.c) ** rest), size + rest * float(np.log(np.abs(self.c)))

    def shifted(self, c: float) -> LinearOperator:
        return ScalarOffSubspace(self.c + c, self.Q, self.M.shifted(c).matrix)
