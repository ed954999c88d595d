"""Diagonal in all but one entry of each unit: the bias, which goes with every weight into its unit."""
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ..backend import Array, arrays
from ..errors import ShapeError
from .base import LinearOperator

__all__ = ["QuasiDiagonal"]


class QuasiDiagonal(LinearOperator):
    """M + c I, with M the covariance of a bias v_0 of variance s and weights v = r v_0 + noise of variance d, unit by unit.

    Mathematically, the block of a unit is M = [[diag(d) + s r rᵀ, s r], [s rᵀ, s]]: of all positive definite matrices with its
    diagonal and its last row, the one whose inverse has no other entries. With p = s + c and S = diag(d + c) + (s c / p) r rᵀ,
    what is left of the block once the bias is eliminated, products and solves cost O(n).

    Parameters
    ----------
    d, r : arrays, shape (p, k)
        For p weights into each of k units.
    s : array, shape (k,)
    c : float

    Shapes: vectors hold a (p + 1, k) matrix row by row, the last row the biases.
    Source: Ollivier, Riemannian metrics for neural networks I: feedforward networks (2015).

    Examples
    --------
    >>> A = ig.operators.QuasiDiagonal([[1.0], [1.0]], [[2.0], [3.0]], [1.0])
    >>> A.dense()
    array([[ 5.,  6.,  2.],
           [ 6., 10.,  3.],
           [ 2.,  3.,  1.]])
    >>> A.inverse().dense().round(12)
    array([[ 1.,  0., -2.],
           [ 0.,  1., -3.],
           [-2., -3., 14.]])
    """

    symmetric: bool = True

    def __init__(self, d: Array, r: Array, s: Array, c: float = 0.0) -> None:
        xp, self.d, self.r, self.s = arrays(d, r, s)
        if self.d.ndim != 2 or self.d.shape != self.r.shape or self.s.shape != self.d.shape[1:]:
            raise ShapeError(f"d, r and s must have shapes (p, k), (p, k) and (k,); got {tuple(self.d.shape)}, "
                             f"{tuple(self.r.shape)} and {tuple(self.s.shape)}")
        self.c, (self.size, self.units) = float(c), self.d.shape
        n = (self.size + 1) * self.units
        super().__init__((n, n), xp, xp.result_type(self.d, self.r, self.s))

    def _parts(self, v: Array) -> tuple[Array, Array]:
        """The weights (..., p, k) and the biases (..., k) of a vector."""
        v = self.xp.reshape(v, (*v.shape[:-1], self.size + 1, self.units))
        return v[..., :-1, :], v[..., -1, :]

    def _join(self, weights: Array, bias: Array) -> Array:
        v = self.xp.concat([weights, bias[..., None, :]], axis=-2)
        return self.xp.reshape(v, (*v.shape[:-2], self.dim))

    def _along_r(self, weights: Array) -> Array:
        """r · v of each unit."""
        return self.xp.sum(self.r * weights, axis=-2)

    @cached_property
    def _eliminated(self) -> tuple[Array, Array, Array, Array]:
        """(p, e, u, g): the pivots s + c, and S = diag(e) + (√e u) (√e u)ᵀ with g = |u|²."""
        xp = self.xp
        with np.errstate(divide="ignore", invalid="ignore"):
            pivot, e = self.s + self.c, self.d + self.c
            u = xp.sqrt(self.s * self.c / pivot) * self.r / xp.sqrt(e)
        return pivot, e, u, xp.sum(u**2, axis=-2)

    def _white(self, z: Array, weight: Callable[[Array], Array]) -> Array:
        """(I + weight(g) u uᵀ) z."""
        _, _, u, g = self._eliminated
        return z + u * (weight(g) * self.xp.sum(u * z, axis=-2))[..., None, :]

    def _matvec(self, v: Array) -> Array:
        weights, bias = self._parts(v)
        total = self.s * (self._along_r(weights) + bias)
        return self._join(self.d * weights + self.r * total[..., None, :], total) + self.c * v

    def _solve(self, b: Array) -> Array:
        (weights, bias), (pivot, e, _, _) = self._parts(b), self._eliminated
        with np.errstate(divide="ignore", invalid="ignore"):
            scale, share = self.xp.sqrt(e), self.s / pivot
            left = weights - self.r * (share * bias)[..., None, :]
            solved = self._white(left / scale, lambda g: -1.0 / (1.0 + g)) / scale
            return self._join(solved, bias / pivot - share * self._along_r(solved))

    def _root(self, z: Array) -> Array:
        (weights, bias), (pivot, e, _, _) = self._parts(z), self._eliminated
        with np.errstate(divide="ignore", invalid="ignore"):
            root = self.xp.sqrt(pivot)
            S_root = self.xp.sqrt(e) * self._white(weights, lambda g: 1.0 / (1.0 + self.xp.sqrt(1.0 + g)))
            return self._join(S_root + self.r * (self.s / root * bias)[..., None, :], root * bias)

    def _inverse_root(self, z: Array) -> Array:
        (weights, bias), (pivot, e, _, _) = self._parts(z), self._eliminated

        def weight(g: Array) -> Array:
            stretch = self.xp.sqrt(1.0 + g)
            return -1.0 / (stretch * (1.0 + stretch))
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = self._white(weights, weight) / self.xp.sqrt(e)
            return self._join(weights, bias / self.xp.sqrt(pivot) - self.s / pivot * self._along_r(weights))

    def diagonal(self) -> Array:
        return self._join(self.d + self.s * self.r**2, self.s) + self.c

    def slogdet(self) -> tuple[Array, Array]:
        xp, (pivot, e, _, g) = self.xp, self._eliminated
        with np.errstate(divide="ignore", invalid="ignore"):
            size = xp.sum(xp.log(pivot)) + xp.sum(xp.log(e)) + xp.sum(xp.log1p(g))
        return xp.ones_like(size), size

    def shifted(self, c: float) -> LinearOperator:
        return QuasiDiagonal(self.d, self.r, self.s, self.c + c)
