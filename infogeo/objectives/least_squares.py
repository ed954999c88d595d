"""Least squares, and what it is smooth relative to."""
from copy import copy
from typing import Any

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..arrays.tracing import still
from ..backend import Array, dot
from ..errors import ShapeError, require
from ..numerics.linalg import matvec
from .base import Objective

__all__ = ["LeastSquares"]


class LeastSquares(Objective):
    """f(x) = ½ |A x − b|², df = Aᵀ(A x − b).

    Parameters
    ----------
    A : array, shape (m, d)
    b : array, shape (..., m)
        A copy of each is kept.

    Attributes
    ----------
    relative_smoothness : float
        max |AᵀA|_ij: f is so smooth relative to the negative entropy on the simplex, as on the dual of a `Categorical`, and
        mirror descent with h = 1 / relative_smoothness lowers it at every step.
    smoothness : float
        ‖A‖², the largest eigenvalue of AᵀA: that relative to ½ |x|².

    Source: Bauschke, Bolte & Teboulle, A descent lemma beyond Lipschitz gradient continuity (2017); by Pinsker's inequality,
    |AᵀA|_ij ≤ L gives |A v|² ≤ L ‖v‖₁² ≤ 2 L KL.

    Examples
    --------
    >>> f = ig.LeastSquares([[1.0, 0.0], [1.0, 1.0]], [1.0, 3.0])
    >>> ig.descend(f, [0.0, 0.0], update=ig.GradientUpdate(), step=0.5, max_steps=100).x.round(6)
    array([1., 2.])
    """

    def __init__(self, A: Array, b: Array) -> None:
        xp, A, b = gathered(A, b)
        if A.ndim != 2 or b.ndim == 0 or b.shape[-1] != A.shape[0]:
            raise ShapeError(f"A and b must have shapes (m, d) and (..., m); got {tuple(A.shape)} and {tuple(b.shape)}")
        for name, x in (("A", A), ("b", b)):
            require(name, f"{name} finite", xp.all(xp.isfinite(x), axis=-1), x)
        self.A, self.b, self.rows = kept(A), kept(b), tuple(b.shape[:-1])
        self.gram = kept(xp.matmul(xp.matrix_transpose(A), A))
        self.relative_smoothness = float(still(xp, xp.max(xp.abs(self.gram))))
        self.smoothness = float(still(xp, xp.linalg.matrix_norm(A, ord=2))) ** 2

    def __repr__(self) -> str:
        return f"LeastSquares(A of shape {tuple(self.A.shape)}, b of shape {tuple(self.b.shape)})"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        xp, x, A, b = joined(x, self.A, self.b)
        residual = matvec(xp, A, x) - b
        return 0.5 * dot(residual, residual), matvec(xp, xp.matrix_transpose(A), residual)

    def part(self, rows: Any) -> Objective:
        part = copy(self)
        part.b = rows(self.b, 1)
        part.rows = tuple(part.b.shape[:-1])
        return part

    def hessian(self, x: Array) -> Array:
        """AᵀA, shape (d, d)."""
        xp, _, gram = joined(x, self.gram)
        return xp.asarray(gram, copy=True)
