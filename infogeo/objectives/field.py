"""Vector fields: what a game or a variational inequality has in place of a function and its differential."""
from collections.abc import Callable

from ..backend import Array, arrays
from ..errors import ShapeError
from .base import Objective

__all__ = ["VectorField"]


class VectorField(Objective):
    """A field of covectors x ↦ F(x) that need not be the differential of any function: no value is claimed.

    Mathematically, a point x* solves the variational inequality of F if F(x*)·(x − x*) ≥ 0 for all x. Of a game in which every
    player i lowers f_i(x), F is (∂f_1/∂x_1, …, ∂f_n/∂x_n), for min_p max_q f(p, q) it is (∂f/∂p, −∂f/∂q), and the solutions are
    equilibria. Values are NaN: a run keeps none, and what compares values, as line searches do, is refused.

    Parameters
    ----------
    F : function (x) -> covector, shapes (..., d)

    Examples
    --------
    >>> import infogeo as ig
    >>> turn = ig.VectorField(lambda x: [x[1], -x[0]])        # min over x_0, max over x_1 of x_0 x_1
    >>> run = ig.descend(turn, [3.0, 4.0], geometry=ig.Euclidean(2), update=ig.MirrorProx(), step=0.5, max_steps=200)
    >>> run.values is None, bool(abs(run.x).max() < 1e-6)
    (True, True)
    """

    valued = False

    def __init__(self, F: Callable[[Array], Array]) -> None:
        if isinstance(F, type) or not callable(F):
            raise TypeError(f"VectorField takes a function x -> F(x); got {F!r}")
        self.F = F

    def __repr__(self) -> str:
        return f"VectorField({getattr(self.F, '__name__', repr(self.F))})"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """``(NaN, F(x))``, shapes (...) and (..., d)."""
        found = self.F(x)
        try:
            xp, covector = arrays(found)
        except ValueError:
            raise ShapeError(f"{self!r} must give a covector of shape (..., d), as x; got {found!r}") from None
        covector = xp.astype(covector, x.dtype, copy=False)
        return xp.full(covector.shape[:-1], xp.nan, dtype=x.dtype), covector
