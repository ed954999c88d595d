"""Derivatives of tensor fields by extrapolated central differences, in steps that the metric sets."""
from collections.abc import Callable

from ..backend import Array, Namespace
from .linalg import cholesky, inverse_lower

__all__ = ["along", "derivative", "frame"]

STEP, LEVELS = 0.04, 4      # of a difference: an error of order h⁸, and rounding of 400 ε


def frame(xp: Namespace, metric: Array) -> tuple[Array, Array]:
    """(E, E G): an orthonormal basis, one vector a row, E G Eᵀ = I, and the dual basis of covectors, shapes (..., d, d)."""
    rows = inverse_lower(xp, cholesky(xp, metric))
    return rows, xp.matmul(rows, metric)


def derivative(xp: Namespace, f: Callable[[Array], Array], x: Array, metric: Array) -> Array:
    """∂_k f(x), k last, for a tensor field f of shape (..., d) to (..., *), by differences along an orthonormal basis.

    Mathematically, central differences at steps of length h, h/2, h/4, h/8 in the metric, h = 0.04, extrapolated to h = 0
    (Richardson): the error is of order h⁸, and rounding enters as about 400 ε |f|.

    Shapes: x (..., d), metric (..., d, d); to (..., *, d).
    """
    rows, covectors = frame(xp, metric)
    total = 0.0
    for a in range(x.shape[-1]):
        slope = _extrapolated(f, x, rows[..., a, :])[..., None]
        covector = covectors[..., a, :]
        for _ in range(slope.ndim - covector.ndim):
            covector = covector[..., None, :]
        total = total + slope * covector
    return total


def along(xp: Namespace, f: Callable[[Array], Array], x: Array, vector: Array, length: Array) -> Array:
    """The derivative of f (..., *) along a vector (..., d) of this length (...) in the metric, by the same differences."""
    some = xp.where(length > 0, length, xp.ones_like(length))
    slope = _extrapolated(f, x, vector / some[..., None])
    return slope * xp.reshape(some, (*some.shape, *(1,) * (slope.ndim - some.ndim)))


def _extrapolated(f: Callable[[Array], Array], x: Array, unit: Array) -> Array:
    """The derivative along a vector of length 1."""
    table = [(f(x + h * unit) - f(x - h * unit)) / (2.0 * h) for h in (STEP / 2**k for k in range(LEVELS))]
    for order in range(1, LEVELS):
        table = [(4**order * fine - coarse) / (4**order - 1) for coarse, fine in zip(table, table[1:])]
    return table[0]
