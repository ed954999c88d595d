"""Hermitian matrices in real arithmetic: their isometric packing, the definite ones as domains, and the chart of these.

A Hermitian matrix H = A + iB is the real symmetric matrix [[A, −B], [B, A]]: products, inverses and positive definiteness carry
over, and the trace and log det are twice those of H.
"""
from functools import lru_cache

import numpy as np

from ..backend import Array, Namespace, arrays, backend_of
from ..domains.bijections import LogCholeskyChart
from ..domains.chart import Chart
from ..domains.convex import ConvexDomain
from ..domains.supports import PositiveDefiniteMatrix
from ..numerics.linalg import cholesky, positive_definite, self_adjoint

__all__ = ["HermitianDefinite", "HermitianMatrix", "as_complex", "pack_hermitian", "real_matrix", "unpack_hermitian"]


@lru_cache
def _indices(p: int) -> tuple[Array, Array, Array, Array]:
    """(position, sign, taken, weight) between the p² packed coordinates of H and the entries of its real matrix."""
    position, sign = np.zeros((2 * p, 2 * p), dtype=np.int64), np.zeros((2 * p, 2 * p))
    taken: list[int] = []
    weight: list[float] = []

    def put(entries: dict[tuple[int, int], int], factor: float) -> None:
        for (i, j), s in entries.items():
            position[i, j], sign[i, j] = len(taken), s * factor
        first, = list(entries)[:1]
        taken.append(2 * p * first[0] + first[1])
        weight.append(1.0 / factor)

    half = np.sqrt(0.5)
    for i in range(p):
        put({(i, i): 1, (p + i, p + i): 1}, 1.0)
        for j in range(i + 1, p):
            put({(i, j): 1, (j, i): 1, (p + i, p + j): 1, (p + j, p + i): 1}, half)                      # Re H_ij
            put({(p + i, j): 1, (p + j, i): -1, (j, p + i): 1, (i, p + j): -1}, half)                    # Im H_ij
    return position.reshape(-1), sign, np.asarray(taken), np.asarray(weight)


def unpack_hermitian(xp: Namespace, x: Array, p: int) -> Array:
    """The real matrix of packed coordinates, shape (..., p²) to (..., 2p, 2p)."""
    position, sign, _, _ = _indices(p)
    full = xp.take(x, xp.asarray(position), axis=-1)
    return xp.reshape(full, (*x.shape[:-1], 2 * p, 2 * p)) * xp.asarray(sign, dtype=x.dtype)


def pack_hermitian(xp: Namespace, matrix: Array, p: int) -> Array:
    """The inverse of `unpack_hermitian`; the matrix is symmetrised."""
    _, _, taken, weight = _indices(p)
    symmetric = 0.5 * (matrix + xp.matrix_transpose(matrix))
    flat = xp.reshape(symmetric, (*matrix.shape[:-2], 4 * p * p))
    return xp.take(flat, xp.asarray(taken), axis=-1) * xp.asarray(weight, dtype=matrix.dtype)


def real_matrix(xp: Namespace, real: Array, imaginary: Array) -> Array:
    """That of real and imaginary part, shapes (..., p, p) to (..., 2p, 2p)."""
    return xp.concat([xp.concat([real, -imaginary], axis=-1), xp.concat([imaginary, real], axis=-1)], axis=-2)


class HermitianDefinite(ConvexDomain):
    """Packed Hermitian p × p matrices that are positive (sign 1) or negative (sign −1) definite."""

    def __init__(self, p: int, sign: int) -> None:
        self.p, self.sign, self.dim = p, sign, p * p

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        with np.errstate(invalid="ignore"):
            return positive_definite(xp, self.sign * unpack_hermitian(xp, x, self.p))

    def rule(self, name: str) -> str:
        return f"the Hermitian matrix of {name} {'positive' if self.sign > 0 else 'negative'} definite"

    @property
    def chart(self) -> Chart:
        return _HermitianCholeskyChart(self.p, self.sign)


class _HermitianCholeskyChart(LogCholeskyChart):
    """L Lᴴ with L lower triangular, its diagonal e^u, all as real matrices of twice the order."""

    def _unpack(self, xp: Namespace, x: Array) -> Array:
        return unpack_hermitian(xp, x, self.p)

    def _pack(self, xp: Namespace, matrix: Array) -> Array:
        return pack_hermitian(xp, matrix, self.p)

    def _pattern(self, xp: Namespace, like: Array) -> tuple[Array, Array]:
        ones = np.tril(np.ones((self.p, self.p)), -1)
        return xp.asarray(np.tile(ones, (2, 2)), dtype=like.dtype), xp.eye(2 * self.p, dtype=like.dtype)

    def _factor(self, xp: Namespace, matrix: Array) -> Array:
        """The real Cholesky factor, once the real and the imaginary part of a coordinate are neighbours: L then is triangular."""
        order = np.arange(2 * self.p).reshape(2, self.p).T.reshape(-1)

        def both(x: Array, order: Array) -> Array:
            return xp.take(xp.take(x, xp.asarray(order), axis=-1), xp.asarray(order), axis=-2)

        return both(cholesky(xp, both(matrix, order)), np.argsort(order))

    def pull_in(self, u: Array, vector: Array) -> Array:
        return Chart.pull_in(self, u, vector)


class HermitianMatrix(PositiveDefiniteMatrix):
    """Hermitian positive definite p × p matrices, not packed."""

    def contains(self, x: Array) -> Array:
        xp, x = as_complex(x)
        return positive_definite(xp, real_matrix(xp, xp.real(x), xp.imag(x))) & self_adjoint(xp, x)

    def rule(self, name: str) -> str:
        return f"{name} Hermitian and positive definite"


def as_complex(x: Array) -> tuple[Namespace, Array]:
    """(xp, x) with x as a complex array; numbers and lists follow the chosen backend."""
    xp = backend_of(x)
    if not hasattr(x, "dtype"):
        return xp, xp.asarray(x, dtype=xp.complex128)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp, x
    x = arrays(x)[1]
    return xp, xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128)
