"""Natural steps of the factors of a product, one after the other."""
from dataclasses import dataclass, replace
from typing import Any

from ..backend import Array, backend_of, column
from ..solvers.update import SameForAllRows

__all__ = ["CoordinateUpdate"]


@dataclass(frozen=True)
class CoordinateUpdate(SameForAllRows):
    """Natural steps of the factors of a product, one after the other, each from where those before it have got.

    Mathematically, θ_i⁺ = θ_i − h ∂f/∂η_i at (η_1⁺, …, η_{i−1}⁺, η_i, …): with h = 1 coordinate ascent of the mean field, which
    never lowers the bound, where a step of all factors at once may.

    Examples
    --------
    >>> X, y = np.ones((5, 1)), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> model = ig.inference.LinearRegression(X, y, prior_precision=0.01)
    >>> q, f = model.q, ig.inference.NegativeELBO(model.q, model)
    >>> run = ig.descend(f, q.to_eta(model.prior_theta), geometry=q.dual,
    ...                  step=1.0, max_steps=8,
    ...                  update=ig.inference.CoordinateUpdate())
    >>> q.parameters(q.to_theta(run.x))["mean_0"].round(2)
    array([2.99])
    >>> bool((np.diff(run.values[:4]) < 0).all())
    True
    """

    objective: Any = None

    needs = ("primal",)

    def on(self, objective: Any) -> "CoordinateUpdate":
        return replace(self, objective=objective)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        xp, start = backend_of(x), 0
        for factor in getattr(geometry.primal, "factors", (geometry.primal,)):
            if start:
                covector = self.objective.value_and_gradient(x)[1]
            stop = start + factor.dim
            moved = factor.to_eta(factor.to_theta(x[..., start:stop]) - column(h) * covector[..., start:stop])
            x = xp.concat([x[..., :start], moved, x[..., stop:]], axis=-1)
            start = stop
        return x, state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -geometry.sharp(x, covector)
