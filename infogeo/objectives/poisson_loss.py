"""The loss of a linear model of Poisson counts."""
from typing import Any

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..arrays.tracing import still
from ..backend import Array
from ..errors import ShapeError, require
from ..numerics.linalg import matvec
from .base import Objective

__all__ = ["PoissonLoss"]


class PoissonLoss(Objective):
    """f(x) = Σ_i (A x)_i − b_i log (A x)_i for x > 0: KL(b ‖ A x) of positive measures, up to a constant.

    Mathematically, df = Aᵀ(1 − b / A x): deconvolution of counts b with the intensities A x.

    Parameters
    ----------
    A : array, shape (m, d)
        Not negative, without a row of zeros.
    b : array, shape (m,)
        Not negative. A copy of each is kept.

    Attributes
    ----------
    relative_smoothness : float
        Σ_i b_i: f is so smooth relative to Burg's entropy −Σ log x_i, and mirror descent on `Burg` with h = 1 / Σ b lowers it at
        every step, though its gradient is unbounded near the boundary.

    Source: Bauschke, Bolte & Teboulle, A descent lemma beyond Lipschitz gradient continuity (2017), lemma 7.

    Examples
    --------
    >>> f = ig.PoissonLoss([[1.0, 0.0], [1.0, 1.0]], [2.0, 6.0])
    >>> run = ig.descend(f, [1.0, 1.0], geometry=ig.Burg(2),
    ...                  update=ig.MirrorUpdate(),
    ...                  step=1 / f.relative_smoothness, max_steps=100)
    >>> run.x.round(4), bool((np.diff(run.values[:20]) < 0).all())
    (array([2., 4.]), True)
    """

    rows = ()

    def __init__(self, A: Array, b: Array) -> None:
        xp, A, b = gathered(A, b)
        if A.ndim != 2 or b.shape != A.shape[:1]:
            raise ShapeError(f"A and b must have shapes (m, d) and (m,); got {tuple(A.shape)} and {tuple(b.shape)}")
        good = xp.all((A >= 0) & xp.isfinite(A), axis=-1) & xp.any(A > 0, axis=-1)
        require("A", "A >= 0 without a row of zeros", good, A)
        require("b", "b >= 0", (b >= 0) & xp.isfinite(b), b)
        self.A, self.b, self.relative_smoothness = kept(A), kept(b), float(still(xp, xp.sum(b)))

    def __repr__(self) -> str:
        return f"PoissonLoss(A of shape {tuple(self.A.shape)})"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        xp, x, A, b = joined(x, self.A, self.b)
        mean = matvec(xp, A, x)
        return xp.sum(mean - xp.xlogy(b, mean), axis=-1), matvec(xp, xp.matrix_transpose(A), 1.0 - b / mean)

    def part(self, rows: Any) -> Objective:
        return self

    def hessian(self, x: Array) -> Array:
        """Aᵀ diag(b / (A x)²) A, shape (..., d, d)."""
        xp, x, A, b = joined(x, self.A, self.b)
        weight = b / matvec(xp, A, x) ** 2
        return xp.matmul(xp.matrix_transpose(A), weight[..., :, None] * A)
