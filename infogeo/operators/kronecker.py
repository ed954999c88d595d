"""Kronecker products: curvature of a layer's weight matrix.

One convention: a vector v of length a·b is the matrix X of shape (a, b), row by row, and (A ⊗ B) v is A X Bᵀ, so that the dense
matrix is ``numpy.kron(A, B)``. A layer keeps its weights as W of shape (inputs, outputs); row by row this is the paper's
vec of the (outputs, inputs) matrix, columns stacked, and the paper's Ā ⊗ G is ``Kronecker(A, G)`` letter for letter.
"""
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays
from ..errors import ShapeError
from ..numerics.linalg import cholesky, inverse_lower
from .base import LinearOperator, common_dtype
from .dense import SymmetricDense, as_operator

__all__ = ["EigenKronecker", "Kronecker", "KroneckerPair"]


class _OnMatrices(LinearOperator):
    """An operator on matrices (a, b), held as vectors row by row."""

    def __init__(self, sizes: Iterable[int], xp: Namespace, dtype: Any) -> None:
        self.sizes = tuple(sizes)
        n = self.sizes[0] * self.sizes[1]
        super().__init__((n, n), xp, dtype)

    def _matrix(self, v: Array) -> Array:
        return self.xp.reshape(v, (*v.shape[:-1], *self.sizes))

    def _flat(self, X: Array) -> Array:
        return self.xp.reshape(X, (*X.shape[:-2], X.shape[-2] * X.shape[-1]))


class Kronecker(LinearOperator):
    """A ⊗ B, v = X ↦ A X Bᵀ.

    Mathematically, (A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹, tr = tr A tr B, det = (det A)^b (det B)^a for A of order a and B of order b.

    Parameters
    ----------
    A, B : LinearOperator or array
        An array is taken as `DenseOperator`; wrap a symmetric one in `SymmetricDense`, as `shifted` and Cholesky solves need.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 3.

    Examples
    --------
    >>> A = ig.operators.Kronecker(np.eye(2), np.ones((1, 1)))
    >>> A @ np.array([1.0, 2.0])
    array([1., 2.])
    """

    def __init__(self, A: LinearOperator | Array, B: LinearOperator | Array) -> None:
        self.A, self.B = as_operator(A), as_operator(B)
        self.symmetric = self.A.symmetric and self.B.symmetric
        shape = [m * n for m, n in zip(self.A.shape, self.B.shape)]
        super().__init__(shape, self.A.xp, common_dtype([self.A, self.B]))

    @property
    def T(self) -> LinearOperator:
        return self if self.symmetric else Kronecker(self.A.T, self.B.T)

    def _both(self, v: Array, axis: int, f: Callable[[Array], Array], g: Callable[[Array], Array]) -> Array:
        """f along the rows' axis and g along the columns' axis of v as a matrix of the factors' shapes[axis]."""
        xp = self.xp
        X = xp.reshape(v, (*v.shape[:-1], self.A.shape[axis], self.B.shape[axis]))
        X = xp.matrix_transpose(f(xp.matrix_transpose(g(X))))
        return xp.reshape(X, (*X.shape[:-2], X.shape[-2] * X.shape[-1]))

    def _matvec(self, v: Array) -> Array:
        return self._both(v, 1, self.A._matvec, self.B._matvec)

    def _rmatvec(self, v: Array) -> Array:
        return self._both(v, 0, self.A._rmatvec, self.B._rmatvec)

    @property
    def _square_factors(self) -> bool:
        return self.A.shape[0] == self.A.shape[1] and self.B.shape[0] == self.B.shape[1]

    def _solve(self, b: Array) -> Array:
        return self._both(b, 0, self.A._solve, self.B._solve) if self._square_factors else super()._solve(b)

    def _root(self, z: Array) -> Array:
        return self._both(z, 0, self.A._root, self.B._root) if self._square_factors else super()._root(z)

    def _inverse_root(self, z: Array) -> Array:
        return self._both(z, 0, self.A._inverse_root, self.B._inverse_root) if self._square_factors else super()._inverse_root(z)

    def dense(self) -> Array:
        A, B = self.A.dense(), self.B.dense()
        return self.xp.reshape(A[:, None, :, None] * B[None, :, None, :], self.shape)

    def diagonal(self) -> Array:
        if not self._square_factors:
            return super().diagonal()
        return self.xp.reshape(self.A.diagonal()[:, None] * self.B.diagonal()[None, :], (-1,))

    def trace(self) -> Array:
        return self.A.trace() * self.B.trace() if self._square_factors else super().trace()

    def slogdet(self) -> tuple[Array, Array]:
        if not self._square_factors:
            return super().slogdet()
        (sign_a, size_a), (sign_b, size_b) = self.A.slogdet(), self.B.slogdet()
        a, b = self.A.dim, self.B.dim
        return sign_a**b * sign_b**a, b * size_a + a * size_b

    def eigenbasis(self) -> "EigenKronecker":
        """The same operator in the eigenbases of its factors, an `EigenKronecker`; both factors must be symmetric."""
        (s_a, Q_a), (s_b, Q_b) = (_eigensystem(factor) for factor in (self.A, self.B))
        return EigenKronecker(Q_a, Q_b, s_a[:, None] * s_b[None, :], self.dtype)

    def shifted(self, c: float) -> LinearOperator:
        """A ⊗ B + c I exactly, in the eigenbases of the factors where these are symmetric."""
        return self.eigenbasis().shifted(c) if self.symmetric else super().shifted(c)

    def factored_shift(self, c: float) -> LinearOperator:
        """(A + π √c I) ⊗ (B + √c / π I) with π² = (tr A / dim A) / (tr B / dim B): factored Tikhonov damping, for c ≥ 0.

        It differs from A ⊗ B + c I by two terms, which the π of Martens & Grosse (2015, section 6.3) balances. Where the
        damped operator is a Kronecker product itself it is exact: a factor of order 1 stays as it is and the other takes all of
        c; a factor of trace 0, for instance behind a unit that is never active, leaves c I.
        """
        xp, (A, B) = self.xp, (self.A, self.B)
        mean_a, mean_b = float(A.trace()) / A.dim, float(B.trace()) / B.dim
        root = float(c) ** 0.5
        if mean_a == 0 or mean_b == 0:
            eyes = (root * xp.eye(f.dim, dtype=f.dtype) for f in (A, B))
            return Kronecker(*map(SymmetricDense, eyes))
        if A.dim == 1 or B.dim == 1:
            return Kronecker(A.shifted(c / mean_b) if B.dim == 1 else A, B if B.dim == 1 else B.shifted(c / mean_a))
        pi = (mean_a / mean_b) ** 0.5
        return Kronecker(A.shifted(pi * root), B.shifted(root / pi))


def _eigensystem(factor: LinearOperator) -> tuple[Array, Array]:
    if isinstance(factor, SymmetricDense):
        return factor.eigensystem
    if not factor.symmetric:
        raise TypeError(f"the eigenbasis needs symmetric factors, such as SymmetricDense; got {factor!r}")
    return SymmetricDense(factor.dense()).eigensystem


class EigenKronecker(_OnMatrices):
    """(Q_a ⊗ Q_b) diag(S) (Q_a ⊗ Q_b)ᵀ with orthogonal Q_a and Q_b: a Kronecker product plus c I, or one with free eigenvalues.

    Parameters
    ----------
    Q_a, Q_b : arrays, shapes (a, a) and (b, b)
    S : array, shape (a, b)
        The eigenvalues.
    dtype : dtype, optional
        Of the vectors, that of the arrays unless given; these are rounded to it.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018), section 3.

    Examples
    --------
    >>> A = ig.operators.EigenKronecker(np.eye(2), np.eye(1), [[1.0], [4.0]])
    >>> A.solve([1.0, 1.0]), A.shifted(1.0).solve([1.0, 1.0])
    (array([1.  , 0.25]), array([0.5, 0.2]))
    """

    # `root` is the symmetric one, of the operator alone: eigenvectors have any sign, and of equal eigenvalues any direction
    symmetric: bool = True

    def __init__(self, Q_a: Array, Q_b: Array, S: Array, dtype: Any = None) -> None:
        xp, *parts = arrays(Q_a, Q_b, S)
        dtype = xp.result_type(*parts) if dtype is None else dtype
        self.Q_a, self.Q_b, self.S = (xp.astype(x, dtype, copy=False) for x in parts)
        a, b = ((*x.shape, 0)[0] for x in (self.Q_a, self.Q_b))
        if self.Q_a.shape != (a, a) or self.Q_b.shape != (b, b) or self.S.shape != (a, b):
            raise ShapeError(f"Q_a, Q_b and S must have shapes (a, a), (b, b) and (a, b); got {tuple(self.Q_a.shape)}, "
                             f"{tuple(self.Q_b.shape)} and {tuple(self.S.shape)}")
        super().__init__((a, b), xp, dtype)

    def _to_basis(self, X: Array) -> Array:
        return self.xp.matmul(self.xp.matmul(self.xp.matrix_transpose(self.Q_a), X), self.Q_b)

    def _from_basis(self, X: Array) -> Array:
        return self.xp.matmul(self.xp.matmul(self.Q_a, X), self.xp.matrix_transpose(self.Q_b))

    def _matvec(self, v: Array) -> Array:
        return self._flat(self._from_basis(self._to_basis(self._matrix(v)) * self.S))

    def _solve(self, b: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._flat(self._from_basis(self._to_basis(self._matrix(b)) / self.S))

    def _root(self, z: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return self._flat(self._from_basis(self._to_basis(self._matrix(z)) * self.xp.sqrt(self.S)))

    def _inverse_root(self, z: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._flat(self._from_basis(self._to_basis(self._matrix(z)) / self.xp.sqrt(self.S)))

    def diagonal(self) -> Array:
        xp = self.xp
        return self._flat(xp.matmul(xp.matmul(self.Q_a**2, self.S), xp.matrix_transpose(self.Q_b**2)))

    def trace(self) -> Array:
        return self.xp.sum(self.S)

    def slogdet(self) -> tuple[Array, Array]:
        xp = self.xp
        with np.errstate(divide="ignore"):
            return xp.prod(xp.sign(self.S)), xp.sum(xp.log(xp.abs(self.S)))

    def shifted(self, c: float) -> LinearOperator:
        return EigenKronecker(self.Q_a, self.Q_b, self.S + c)


class KroneckerPair(_OnMatrices):
    """A ⊗ B + σ C ⊗ D with σ = 1 or −1, A and B positive definite, C and D symmetric, solved in O(a³ + b³).

    Mathematically, K_aᵀ A K_a = I, K_aᵀ C K_a = diag(s_a) and likewise for B and D, so that
    (A ⊗ B + σ C ⊗ D)⁻¹ = (K_a ⊗ K_b) diag(1 / (1 + σ s_a s_bᵀ)) (K_a ⊗ K_b)ᵀ.

    Parameters
    ----------
    A, B, C, D : arrays, shapes (a, a), (b, b), (a, a), (b, b)
    sign : int
        σ.
    dtype : dtype, optional
        Of the vectors, that of the arrays unless given; the decomposition keeps the precision of the arrays.

    Source: Martens & Grosse (2015), appendix B.

    Examples
    --------
    >>> I, A = np.eye(2), np.diag([1.0, 2.0])
    >>> pair = ig.operators.KroneckerPair(A, A, I, I)  # diag(1, 2, 2, 4) + I
    >>> pair.solve([2.0, 3.0, 3.0, 5.0]).round(12)
    array([1., 1., 1., 1.])
    """

    symmetric: bool = True

    def __init__(self, A: Array, B: Array, C: Array, D: Array, sign: int = 1, dtype: Any = None) -> None:
        xp, self.A, self.B, self.C, self.D = arrays(A, B, C, D)
        a, b = ((*x.shape, 0)[0] for x in (self.A, self.B))
        shapes = [tuple(x.shape) for x in (self.A, self.B, self.C, self.D)]
        if shapes != [(a, a), (b, b)] * 2:
            raise ShapeError(f"A, B, C and D must have shapes (a, a), (b, b), (a, a), (b, b); got {', '.join(map(str, shapes))}")
        if sign not in (1, -1):
            raise ValueError(f"sign must be 1 or -1; got {sign!r}")
        self.sign = sign
        super().__init__((a, b), xp, xp.result_type(self.A, self.B, self.C, self.D) if dtype is None else dtype)

    def _rounded(self, *matrices: Array) -> list[Array]:
        """In the dtype of the vectors."""
        return [self.xp.astype(x, self.dtype, copy=False) for x in matrices]

    @cached_property
    def _factors(self) -> list[Array]:
        return self._rounded(self.A, self.B, self.C, self.D)

    @cached_property
    def _basis(self) -> list[Array]:
        """(K_a, K_b, K_a⁻ᵀ, K_b⁻ᵀ, E_aᵀ, E_bᵀ, 1 + σ s_a s_bᵀ); NaN where A or B is not positive definite."""
        xp = self.xp
        (K_a, J_a, E_a, s_a), (K_b, J_b, E_b, s_b) = _both_diagonal(xp, self.A, self.C), _both_diagonal(xp, self.B, self.D)
        T_a, T_b = xp.matrix_transpose(E_a), xp.matrix_transpose(E_b)
        return self._rounded(K_a, K_b, J_a, J_b, T_a, T_b, 1.0 + self.sign * s_a[:, None] * s_b[None, :])

    def _sandwich(self, left: Array, X: Array, right: Array) -> Array:
        """left X rightᵀ."""
        return self.xp.matmul(self.xp.matmul(left, X), self.xp.matrix_transpose(right))

    def _matvec(self, v: Array) -> Array:
        X, (A, B, C, D) = self._matrix(v), self._factors
        return self._flat(self._sandwich(A, X, B) + self.sign * self._sandwich(C, X, D))

    def _solve(self, b: Array) -> Array:
        K_a, K_b, *_, scale = self._basis
        inner = self._sandwich(self.xp.matrix_transpose(K_a), self._matrix(b), self.xp.matrix_transpose(K_b))
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._flat(self._sandwich(K_a, inner / scale, K_b))

    def _root(self, z: Array) -> Array:
        """By (E_a ⊗ E_b)ᵀ z, so that it does not depend on the signs of eigenvectors."""
        _, _, J_a, J_b, T_a, T_b, scale = self._basis
        with np.errstate(invalid="ignore"):
            return self._flat(self._sandwich(J_a, self._sandwich(T_a, self._matrix(z), T_b) * self.xp.sqrt(scale), J_b))

    def _inverse_root(self, z: Array) -> Array:
        K_a, K_b, _, _, T_a, T_b, scale = self._basis
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._flat(self._sandwich(K_a, self._sandwich(T_a, self._matrix(z), T_b) / self.xp.sqrt(scale), K_b))

    def diagonal(self) -> Array:
        A, B, C, D = map(self.xp.linalg.diagonal, self._factors)
        return self._flat(A[:, None] * B[None, :] + self.sign * C[:, None] * D[None, :])

    def trace(self) -> Array:
        A, B, C, D = map(self.xp.linalg.trace, self._factors)
        return A * B + self.sign * C * D

    def slogdet(self) -> tuple[Array, Array]:
        xp, scale = self.xp, self._basis[-1]
        a, b = self.sizes
        size = b * SymmetricDense(self.A, self.dtype).slogdet()[1] + a * SymmetricDense(self.B, self.dtype).slogdet()[1]
        with np.errstate(divide="ignore"):
            return xp.prod(xp.sign(scale)), size + xp.sum(xp.log(xp.abs(scale)))


def _both_diagonal(xp: Namespace, A: Array, C: Array) -> tuple[Array, Array, Array, Array]:
    """(K, K⁻ᵀ, E, s) with Kᵀ A K = I and Kᵀ C K = diag(s), by A = L Lᵀ and L⁻¹ C L⁻ᵀ = E diag(s) Eᵀ: K = L⁻ᵀ E, K⁻ᵀ = L E."""
    lower = cholesky(xp, A)
    inverse = inverse_lower(xp, lower)
    white = xp.matmul(xp.matmul(inverse, C), xp.matrix_transpose(inverse))
    if not bool(xp.all(xp.isfinite(white))):        # for which a library's decomposition raises
        return lower, lower, lower, lower[0, :] * xp.nan
    s, E = xp.linalg.eigh(0.5 * (white + xp.matrix_transpose(white)))
    return xp.matmul(xp.matrix_transpose(inverse), E), xp.matmul(lower, E), E, s
