"""Blocks of low rank, one for each unit of a layer."""
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ..backend import Array, arrays
from ..errors import ShapeError
from ..numerics.linalg import eigh
from .base import LinearOperator

__all__ = ["LowRankBlocks"]


class LowRankBlocks(LinearOperator):
    """X_j X_jᵀ + c I for every unit j of a layer, solved through the small matrices X_jᵀ X_j.

    Mathematically, with X_jᵀ X_j = V diag(s) Vᵀ a function of a block is f(c) I + X_j V diag((f(s + c) − f(c)) / s) Vᵀ X_jᵀ: for
    the inverse I / c − X_j V diag(1 / (c (s + c))) Vᵀ X_jᵀ. A product costs O(p r) a unit, a solve as much after O(p r²) once.

    Parameters
    ----------
    X : array, shape (k, p, r)
        Of k units with p weights into each.
    c : float
        Where it is 0, solves are infinite or NaN.

    Shapes: vectors hold a (p, k) matrix row by row, as the weights of a layer do.
    Source: Le Roux, Manzagol & Bengio, Topmoumoute online natural gradient algorithm (2008).

    Examples
    --------
    >>> X = np.array([[[1.0], [1.0]]])  # one unit of two weights
    >>> A = ig.operators.LowRankBlocks(X, 1.0)
    >>> A.solve([3.0, 0.0]).round(12)  # [[2, 1], [1, 2]] x = (3, 0)
    array([ 2., -1.])
    """

    symmetric: bool = True

    def __init__(self, X: Array, c: float = 0.0) -> None:
        xp, self.X = arrays(X)
        if self.X.ndim != 3:
            raise ShapeError(f"X must have shape (k, p, r); got {tuple(self.X.shape)}")
        self.c, (self.units, self.size, _) = float(c), self.X.shape
        super().__init__((self.units * self.size,) * 2, xp, self.X.dtype)

    def _columns(self, v: Array) -> Array:
        """The parts of a vector as columns, shape (..., k, p, 1)."""
        return self.xp.matrix_transpose(self.xp.reshape(v, (*v.shape[:-1], self.size, self.units)))[..., None]

    def _flat(self, parts: Array) -> Array:
        parts = self.xp.matrix_transpose(parts[..., 0])
        return self.xp.reshape(parts, (*parts.shape[:-2], self.dim))

    @cached_property
    def _eigen(self) -> tuple[Array, Array]:
        """(s, X V), shapes (k, 1, r) and (k, p, r)."""
        xp = self.xp
        s, V = eigh(xp, xp.matmul(xp.matrix_transpose(self.X), self.X))
        return xp.maximum(s, xp.zeros_like(s))[:, None, :], xp.matmul(self.X, V)

    def _function(self, v: Array, at_c: Callable[[float], float], weight: Callable[[Array, float], Array]) -> Array:
        """f(c) v + X V diag(weight) Vᵀ Xᵀ v, given f and (f(s + c) − f(c)) / s."""
        columns, (s, XV) = self._columns(v), self._eigen
        with np.errstate(divide="ignore", invalid="ignore"):
            c = np.float64(self.c)
            inner = self.xp.matrix_transpose(weight(s, float(c))) * self.xp.matmul(self.xp.matrix_transpose(XV), columns)
            return self._flat(float(at_c(c)) * columns + self.xp.matmul(XV, inner))

    def _matvec(self, v: Array) -> Array:
        columns = self._columns(v)
        product = self.xp.matmul(self.X, self.xp.matmul(self.xp.matrix_transpose(self.X), columns))
        return self._flat(product) + self.c * v

    def _solve(self, b: Array) -> Array:
        return self._function(b, lambda c: 1.0 / c, lambda s, c: -1.0 / ((s + c) * c))

    def _root(self, z: Array) -> Array:
        return self._function(z, lambda c: c**0.5, lambda s, c: 1.0 / (self.xp.sqrt(s + c) + c**0.5))

    def _inverse_root(self, z: Array) -> Array:
        def weight(s: Array, c: float) -> Array:
            root = self.xp.sqrt(s + c)
            return -1.0 / (c**0.5 * root * (c**0.5 + root))
        return self._function(z, lambda c: c**-0.5, weight)

    def diagonal(self) -> Array:
        return self._flat(self.xp.sum(self.X**2, axis=-1)[..., None]) + self.c

    def slogdet(self) -> tuple[Array, Array]:
        xp, (s, _) = self.xp, self._eigen
        with np.errstate(divide="ignore", invalid="ignore"):
            size = xp.sum(xp.log1p(s / self.c)) + self.dim * float(np.log(self.c)) if self.c else xp.sum(s) * 0.0 - xp.inf
        return xp.sign(self.c * xp.ones_like(size)), size

    def shifted(self, c: float) -> LinearOperator:
        return LowRankBlocks(self.X, self.c + c)
