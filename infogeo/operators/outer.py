"""Sums of outer products of a few vectors that are known by their products alone."""
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ..backend import Array
from ..errors import takes
from .base import LinearOperator
from .dense import SymmetricDense

__all__ = ["Columns", "OuterProducts", "ShiftedOuterProducts"]


class Columns(LinearOperator):
    """A matrix U of k columns in R^n, never formed, together with the inner products of its columns.

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1))
    >>> model = ig.networks.ConditionalModel(network, ig.Poisson())
    >>> batch = [[1.0], [3.0]], [0.0, 1.0]
    >>> U = ig.curvature.fisher(model, np.zeros(2), batch).U  # of gradients
    >>> U.shape, U.gram.round(12)
    ((2, 2), array([[1., 2.],
           [2., 5.]]))
    """

    @property
    @abstractmethod
    def gram(self) -> Array:
        """UᵀU, shape (k, k), in float64."""

    @abstractmethod
    def squared(self) -> Array:
        """The diagonal of U Uᵀ, shape (n,)."""

    def outer(self) -> Array:
        """The matrix U Uᵀ, shape (n, n)."""
        U = self.dense()
        return self.xp.matmul(U, self.xp.matrix_transpose(U))


class OuterProducts(LinearOperator):
    """U Uᵀ = Σ u_i u_iᵀ, solved after a shift through the smaller of UᵀU and U Uᵀ.

    Without a shift it is singular where U has fewer columns than rows, and its solutions are NaN.

    Parameters
    ----------
    U : Columns

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1))
    >>> model = ig.networks.ConditionalModel(network, ig.Poisson())
    >>> A = ig.curvature.fisher(model, np.zeros(2), ([[1.0], [3.0]], [0, 1]))
    >>> A.dense().round(12)  # the mean of (x, 1)(x, 1)ᵀ
    array([[5., 2.],
           [2., 1.]])
    """

    symmetric: bool = True

    @takes(U=Columns)
    def __init__(self, U: Columns) -> None:
        self.U = U
        super().__init__((U.shape[0],) * 2, U.xp, U.dtype)

    @property
    def rank(self) -> int:
        """The number of columns, which the rank does not exceed."""
        return self.U.shape[1]

    @cached_property
    def _formed(self) -> SymmetricDense:
        return SymmetricDense(self.U.outer())

    def _matvec(self, v: Array) -> Array:
        return self.U._matvec(self.U._rmatvec(v))

    def _solve(self, b: Array) -> Array:
        return self.xp.full_like(b, self.xp.nan) if self.rank < self.dim else self._formed._solve(b)

    def _root(self, z: Array) -> Array:
        return self.xp.full_like(z, self.xp.nan) if self.rank < self.dim else self._formed._root(z)

    def _inverse_root(self, z: Array) -> Array:
        return self.xp.full_like(z, self.xp.nan) if self.rank < self.dim else self._formed._inverse_root(z)

    def dense(self) -> Array:
        return self._formed.dense()

    def diagonal(self) -> Array:
        return self.U.squared()

    def slogdet(self) -> tuple[Array, Array]:
        if self.rank >= self.dim:
            return self._formed.slogdet()
        zero = self.xp.zeros((), dtype=self.dtype)
        return zero, zero - self.xp.inf

    def shifted(self, c: float) -> LinearOperator:
        return ShiftedOuterProducts(self, c) if self.rank < self.dim else self._formed.shifted(c)

    def leading(self, rank: int) -> Array:
        """Columns X, shape (n, rank or fewer), with X Xᵀ the best approximation of U Uᵀ by a matrix of that rank.

        Mathematically, with the eigenvectors V of the largest eigenvalues of UᵀU, X = U V.
        """
        xp = self.xp
        if self.rank > self.dim:
            values, Q = self._formed.eigensystem
            keep = max(0, self.dim - rank)
            # the matrix is positive semidefinite: what rounding makes negative is 0
            return Q[:, keep:] * xp.sqrt(xp.maximum(values[keep:], xp.zeros_like(values[keep:])))
        _, V = xp.linalg.eigh(self.U.gram)
        V = xp.astype(V[:, max(0, self.rank - rank):], self.dtype)
        return xp.matrix_transpose(self.U._matvec(xp.matrix_transpose(V)))


class ShiftedOuterProducts(LinearOperator):
    """c I + U Uᵀ, solved exactly through the Gram matrix K = UᵀU of the columns.

    Mathematically, with K = V diag(g) Vᵀ, a function of the operator is
    f(c I + U Uᵀ) = f(c) I + U V diag((f(c + g) − f(c)) / g) Vᵀ Uᵀ. The inverse is (I − U (c I + K)⁻¹ Uᵀ) / c, and the determinant
    c^{n − k} det(c I + K) for n rows and k columns.

    Parameters
    ----------
    A : OuterProducts
    c : float
        Positive.

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1))
    >>> model = ig.networks.ConditionalModel(network, ig.Poisson())
    >>> A = ig.curvature.fisher(model, np.zeros(2), ([[1.0], [3.0]], [0, 1]))
    >>> A.shifted(1.0).solve([8.0, 4.0]).round(12)  # [[6, 2], [2, 2]]⁻¹
    array([1., 1.])
    """

    symmetric: bool = True

    @takes(A=OuterProducts)
    def __init__(self, A: OuterProducts, c: float) -> None:
        self.A, self.U, self.c = A, A.U, float(c)
        super().__init__(A.shape, A.xp, A.dtype)

    @cached_property
    def _inner(self) -> SymmetricDense:
        """c I + K."""
        return SymmetricDense(self.U.gram).shifted(self.c)

    def _between(self, f: Callable[[Array], Array], z: Array) -> Array:
        """U f(Uᵀ z), the middle in float64."""
        # the Gram matrix has the squares of the singular values of U: in float32 half of its digits would be gone
        inner = f(self.xp.astype(self.U._rmatvec(z), self.xp.float64))
        return self.U._matvec(self.xp.astype(inner, self.dtype))

    def _function(self, z: Array, weight: Callable[[Array], Array]) -> Array:
        """U V diag(weight(g)) Vᵀ Uᵀ z."""
        shifted, V = self._inner.eigensystem
        with np.errstate(invalid="ignore"):
            weights = weight(shifted - self.c)
        return self._between(lambda a: self.xp.matmul(self.xp.matmul(a, V) * weights, self.xp.matrix_transpose(V)), z)

    def _matvec(self, v: Array) -> Array:
        return self.c * v + self.A._matvec(v)

    def _solve(self, b: Array) -> Array:
        return (b - self._between(self._inner._solve, b)) / self.c

    def _root(self, z: Array) -> Array:
        root = self.c**0.5
        return root * z + self._function(z, lambda g: 1.0 / (self.xp.sqrt(self.c + g) + root))

    def _inverse_root(self, z: Array) -> Array:
        root = self.c**0.5

        def weight(g: Array) -> Array:
            stretch = self.xp.sqrt(self.c + g)
            return -1.0 / (root * stretch * (root + stretch))
        return z / root + self._function(z, weight)

    def dense(self) -> Array:
        return self.A.dense() + self.c * self.xp.eye(self.dim, dtype=self.dtype)

    def diagonal(self) -> Array:
        return self.A.diagonal() + self.c

    def slogdet(self) -> tuple[Array, Array]:
        sign, size = self._inner.slogdet()
        size = size + (self.dim - self.U.shape[1]) * float(np.log(self.c))
        return self.xp.astype(sign, self.dtype), self.xp.astype(size, self.dtype)

    def shifted(self, c: float) -> LinearOperator:
        return ShiftedOuterProducts(self.A, self.c + c)
