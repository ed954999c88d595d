"""Affine changes of coordinates."""
from typing import Any

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..backend import Array
from ..errors import ShapeError
from ..numerics.linalg import matvec, solve

__all__ = ["AffineMap"]


class AffineMap:
    """u ↦ A u + b, a change of affine coordinates.

    Parameters
    ----------
    A : array, shape (d, m)
    b : array, shape (d,), optional

    Examples
    --------
    >>> A = ig.AffineMap([[2.0, 0.0], [0.0, 1.0]], b=[1.0, 0.0])
    >>> A([3.0, 4.0]), A.inverse([7.0, 4.0])
    (array([7., 4.]), array([3., 4.]))
    >>> A.pull_back([0.0, 0.0], [1.0, 1.0])         # a covector: Aᵀ c
    array([2., 1.])
    """

    def __init__(self, A: Array, b: Array | None = None) -> None:
        xp, A, *shift = gathered(A) if b is None else gathered(A, b)
        if A.ndim != 2:
            raise ShapeError(f"A must have shape (d, m); got {tuple(A.shape)}")
        b = shift[0] if shift else xp.zeros(A.shape[0], dtype=A.dtype)
        if b.shape != (A.shape[0],):
            raise ShapeError(f"b must have shape ({A.shape[0]},); got {tuple(b.shape)}")
        self.A, self.b = kept(A), kept(b)

    def __repr__(self) -> str:
        return f"AffineMap(R^{self.A.shape[1]} -> R^{self.A.shape[0]})"

    def __call__(self, u: Array) -> Array:
        xp, u, A, b = joined(u, self.A, self.b)
        return matvec(xp, A, u) + b

    def part(self, rows: Any) -> "AffineMap":
        """The same map for all rows."""
        return self

    def inverse(self, x: Array) -> Array:
        """A⁻¹ (x − b), for a square A.

        Raises
        ------
        ShapeError
        """
        xp, x, A, b = joined(x, self.A, self.b)
        if A.shape[0] != A.shape[1]:
            raise ShapeError(f"A must be square to have an inverse; got shape {tuple(A.shape)}")
        return solve(xp, A, x - b)

    def pull_back(self, u: Array, covector: Array) -> Array:
        """Aᵀ c."""
        xp, covector, A = joined(covector, self.A)
        return matvec(xp, xp.matrix_transpose(A), covector)
