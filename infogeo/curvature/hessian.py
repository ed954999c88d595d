"""The Hessian of the loss, by exact products."""
from typing import Any

from ..backend import Array, coerced
from ..errors import takes
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..operators.base import LinearOperator
from ..operators.krylov import minres
from .per_layer import recorded

__all__ = ["Hessian", "hessian"]


@takes(ConditionalModel)
def hessian(model: ConditionalModel, w: Array, batch: Batch, *, tol: float = 1e-6, max_steps: int | None = None) -> "Hessian":
    """The Hessian H of the loss L = −(1/n) Σ log p(y_n | θ_n) at the weights, a `Hessian`.

    Mathematically, H = F + (1/n) Σ (η_n − T(y_n)) · ∂²θ_n with the Fisher metric F: of any signature, and F itself where θ is
    linear in w or the residuals vanish. A product costs about two gradients.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    tol : float
        The relative residual ‖b − H x‖ / ‖b‖ that `solve` reaches.
    max_steps : int, optional
        10 size where it is not given.

    Source: Pearlmutter, Fast exact multiplication by the Hessian (1994).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> H = ig.curvature.hessian(model, np.zeros(2), ([[1.0], [3.0]], [0, 1]))
    >>> H.dense()                                   # F: θ is linear in w
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    """
    return Hessian(recorded(model, w, batch), model.objective(batch).statistic, 0.0, {"tol": tol, "max_steps": max_steps})


class Hessian(LinearOperator):
    """H + c I, with `solve` by `minres`: a `ConvergenceError` where the tolerance is not reached.

    Parameters
    ----------
    done : ModelPass
    statistic : array, shape (n, d)
        T(y).
    c : float
    options : dict
        tol and max_steps.
    """

    symmetric: bool = True

    def __init__(self, done: ModelPass, statistic: Array, c: float, options: dict[str, Any]) -> None:
        self.done, self.statistic, self.c, self.options = done, statistic, float(c), options
        super().__init__((done.model.network.size,) * 2, coerced(done.theta)[0], done.theta.dtype)

    def _matvec(self, v: Array) -> Array:
        return self.done.hessian_vector(self.statistic, v) + self.c * v

    def _solve(self, b: Array) -> Array:
        return minres(self, b, **self.options)

    def shifted(self, c: float) -> LinearOperator:
        return Hessian(self.done, self.statistic, self.c + c, self.options)
