"""Symmetric matrices as coordinate vectors, looked at before they are packed."""
from ..backend import Array, arrays
from ..errors import ShapeError, require
from ..numerics import packing

__all__ = ["pack"]


def pack(matrix: Array) -> Array:
    """The upper triangle row by row, off-diagonal entries × √2, so that pack(A)·pack(B) = tr(AB).

    Shapes: (..., p, p) to (..., p (p + 1) / 2).

    Raises
    ------
    DomainError, ShapeError
        For a matrix that is not symmetric, to 1000 ε of its greatest entry, or not square.

    Examples
    --------
    >>> A = ig.pack([[1.0, 2.0], [2.0, 3.0]])
    >>> A.round(3), float((A @ A).round(12))  # tr(AA)
    (array([1.   , 2.828, 3.   ]), 18.0)
    """
    xp, matrix = arrays(matrix)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or matrix.shape[-1] == 0:
        raise ShapeError(f"matrix must have shape (..., p, p); got {tuple(matrix.shape)}")
    size, gap = (xp.max(xp.abs(a), axis=(-2, -1)) for a in (matrix, matrix - xp.matrix_transpose(matrix)))
    require("matrix", "matrix symmetric", ~(gap > 1e3 * float(xp.finfo(matrix.dtype).eps) * size), matrix)
    return packing.pack(matrix)
