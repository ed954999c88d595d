"""A diagonal and two directions for each unit of a layer, with its bias: products and solves of O(n) a unit."""
from functools import cached_property

import numpy as np

from ..backend import Array, arrays
from ..errors import ShapeError
from .base import LinearOperator

__all__ = ["UnitsWithTwoDirections"]


class UnitsWithTwoDirections(LinearOperator):
    """Blocks diag(a s², 0) + B M Bᵀ + c I with B = [(f, 0), (m, 1)], unit by unit.

    Mathematically, they are the second moments of k (x, 1) of inputs x of mean m and variances s² where the factor k of a unit
    depends on one linear function of x only. The bias is eliminated, which leaves S = diag(a s² + c) + [f m] M′ [f m]ᵀ with
    M′ = M − r rᵀ / p, r the second column of M and p = M_22 + c; and S⁻¹ follows from a 2 × 2 matrix (Woodbury). Without a bias
    the block is diag(a s² + c) + [f m] M [f m]ᵀ.

    Parameters
    ----------
    a : array, shape (k,)
        Of k units.
    squares, mean : arrays, shape (p,)
        s² and m of p inputs.
    f : array, shape (p, k)
    M : array, shape (k, 2, 2)
        Symmetric.
    bias : bool
    c : float

    Shapes: vectors hold a (p + bias, k) matrix row by row, the last row the biases.
    Source: Amari, Karakida & Oizumi, Fisher information and natural gradient learning in random deep networks (2019), for inputs
    of mean 0 and variance 1; the rest is derived here.

    Examples
    --------
    >>> A = ig.operators.UnitsWithTwoDirections(
    ...     [2.0], [1.0, 3.0], [0.0, 0.0], [[0.0], [0.0]], [np.eye(2)])
    >>> A.dense()
    array([[2., 0., 0.],
           [0., 6., 0.],
           [0., 0., 1.]])
    """

    symmetric: bool = True

    def __init__(self, a: Array, squares: Array, mean: Array, f: Array, M: Array, bias: bool = True, c: float = 0.0) -> None:
        xp, self.a, self.squares, self.mean, self.f, self.M = arrays(a, squares, mean, f, M)
        p, k = (*self.f.shape, 0, 0)[:2]
        shapes = [tuple(x.shape) for x in (self.a, self.squares, self.mean, self.f, self.M)]
        if shapes != [(k,), (p,), (p,), (p, k), (k, 2, 2)]:
            raise ShapeError("a, squares, mean, f and M must have shapes (k,), (p,), (p,), (p, k) and (k, 2, 2); got "
                             + ", ".join(map(str, shapes)))
        self.bias, self.c, self.size, self.units = bool(bias), float(c), p, k
        super().__init__(((p + self.bias) * k,) * 2, xp, xp.result_type(self.a, self.squares, self.mean, self.f, self.M))

    def _parts(self, v: Array) -> tuple[Array, Array]:
        """The weights (..., p, k) and the biases (..., k) of a vector; these are 0 where there are none."""
        v = self.xp.reshape(v, (*v.shape[:-1], self.size + self.bias, self.units))
        return v[..., :self.size, :], (v[..., -1, :] if self.bias else 0.0 * v[..., 0, :])

    def _join(self, weights: Array, bias: Array) -> Array:
        v = self.xp.concat([weights, bias[..., None, :]], axis=-2) if self.bias else weights
        return self.xp.reshape(v, (*v.shape[:-2], self.dim))

    @cached_property
    def _columns(self) -> Array:
        """[f m], shape (2, p, k)."""
        return self.xp.stack([self.f, self.mean[:, None] + self.xp.zeros_like(self.f)])

    def _inside(self, weights: Array) -> Array:
        """(f·v, m·v), shape (..., 2, k)."""
        sums = [self.xp.sum(self._columns[i, ...] * weights, axis=-2) for i in range(2)]
        return self.xp.stack(sums, axis=-2)

    def _outside(self, z: Array) -> Array:
        """f z_1 + m z_2, shape (..., p, k)."""
        return self.f * z[..., :1, :] + self._columns[1, ...] * z[..., 1:, :]

    def _times(self, M: Array, z: Array) -> Array:
        """M z of each unit, shapes (k, 2, 2) and (..., 2, k)."""
        xp = self.xp
        return xp.matrix_transpose(xp.matmul(M, xp.matrix_transpose(z)[..., None])[..., 0])

    @cached_property
    def _diagonal(self) -> Array:
        """a s² + c, shape (p, k)."""
        return self.squares[:, None] * self.a + self.c

    def _matvec(self, v: Array) -> Array:
        weights, bias = self._parts(v)
        z = self._inside(weights)
        z = self._times(self.M, self.xp.stack([z[..., 0, :], z[..., 1, :] + bias], axis=-2))
        return self._join(self._diagonal * weights + self._outside(z), z[..., 1, :] + self.c * bias)

    @cached_property
    def _eliminated(self) -> tuple[Array, Array, Array]:
        """(r, p, N) with S⁻¹ = D⁻¹ − D⁻¹ [f m] N [f m]ᵀ D⁻¹, N = (I + M′ K)⁻¹ M′ and K = [f m]ᵀ D⁻¹ [f m]."""
        xp, B = self.xp, self._columns
        with np.errstate(divide="ignore", invalid="ignore"):
            r, pivot = self.M[:, :, 1], self.M[:, 1, 1] + self.c
            left = self.M - r[:, :, None] * r[:, None, :] / pivot[:, None, None] if self.bias else self.M
            K = xp.permute_dims(xp.sum(B[:, None, ...] * B[None, ...] / self._diagonal, axis=-2), (2, 0, 1))
            A = xp.eye(2, dtype=self.dtype) + xp.matmul(left, K)
            det = A[:, 0, 0] * A[:, 1, 1] - A[:, 0, 1] * A[:, 1, 0]
            rows = xp.stack([A[:, 1, 1], -A[:, 0, 1]], axis=-1), xp.stack([-A[:, 1, 0], A[:, 0, 0]], axis=-1)
            adjugate = xp.stack(rows, axis=-2)
            return r, pivot, xp.matmul(adjugate, left) / det[:, None, None]

    def _solve(self, b: Array) -> Array:
        (weights, bias), (r, pivot, N) = self._parts(b), self._eliminated
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.bias:
                weights = weights - self._outside(self.xp.matrix_transpose(r) * (bias / pivot)[..., None, :])
            white = weights / self._diagonal
            solved = white - self._outside(self._times(N, self._inside(white))) / self._diagonal
            along = self.xp.sum(self.xp.matrix_transpose(r) * self._inside(solved), axis=-2)
            return self._join(solved, (bias - along) / pivot)

    def diagonal(self) -> Array:
        weights = self._diagonal + self.f**2 * self.M[:, 0, 0] + 2.0 * self.f * self.mean[:, None] * self.M[:, 0, 1]
        return self._join(weights + self.mean[:, None]**2 * self.M[:, 1, 1], self.M[:, 1, 1] + self.c)

    def shifted(self, c: float) -> LinearOperator:
        return UnitsWithTwoDirections(self.a, self.squares, self.mean, self.f, self.M, self.bias, self.c + c)
