"""Newton's method, and the damped step by its decrement."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..arrays.memo import once_each
from ..backend import Array, arrays, backend_of, column, dot
from ..numerics.linalg import solve
from .place import Place
from .step import Step
from .update import Update

__all__ = ["Damped", "Newton"]


@dataclass(frozen=True)
class Newton(Update):
    """x − h H(x)⁻¹ c with the Hessian of the objective in the chart at hand.

    Mathematically, for KL(p̂‖p_θ) in θ and for KL(p_η‖q) in η the Hessian is the Fisher metric everywhere, and Newton's method is
    `NaturalUpdate` with h = 1; in the other chart of each it is not. On the weights of a network it is `NaturalUpdate` on a
    `WeightSpace` with `infogeo.curvature.hessian`.

    Parameters
    ----------
    hessian : function (x) -> array, shape (..., d, d), optional
        That of the step's objective, its method `hessian`, where none is given.

    Raises
    ------
    TypeError
        In a run, where there is none.

    Examples
    --------
    >>> f, M = ig.CrossEntropy(ig.Bernoulli(), [0.8]), ig.Bernoulli()
    >>> run = ig.descend(f, [0.0], geometry=M, update=ig.Newton(), step=1.0,
    ...                  max_steps=4)
    >>> error = abs(run.path[:, 0] - np.log(4))     # squared at each step
    >>> [f"{one:.0e}" for one in error]
    ['1e+00', '2e-01', '9e-03', '3e-05', '2e-10']
    """

    hessian: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        if self.hessian is not None and not callable(self.hessian):
            raise TypeError(f"hessian must be a function of points; got {self.hessian!r}")

    def on(self, objective: Any) -> Newton:
        if self.hessian is not None:
            return self
        if not callable(getattr(objective, "hessian", None)):
            raise TypeError("Newton needs the Hessian of the objective, its method hessian(x) or Newton(hessian); "
                            f"{objective!r} has none")
        return Newton(objective.hessian)

    @once_each
    def _step(self, x: Array, covector: Array) -> Array:
        """H⁻¹ c."""
        if self.hessian is None:
            raise TypeError("Newton needs the objective of its step: use on(objective), as descend does, or Newton(hessian)")
        xp, x, covector = arrays(x, covector)
        return solve(xp, xp.asarray(self.hessian(x), dtype=x.dtype), covector)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return x - column(h) * self._step(x, covector), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -self._step(x, covector)


@dataclass(frozen=True)
class Damped(Step):
    """h = 1 / (1 + λ) with the decrement λ² = c·v of the update's direction −v.

    Mathematically, with `Newton`, or `NaturalUpdate` where the metric is the Hessian, damped Newton's method: for a
    self-concordant function it stays in the domain, lowers the value at every step, and is quadratic near the minimum.

    Source: Nesterov & Nemirovskii, Interior-point polynomial algorithms in convex programming (1994), section 2.2.

    Examples
    --------
    >>> M = ig.Burg(1)                              # with the metric 1/x²
    >>> f = lambda x: (x[0] - np.log(x[0]), 1 - 1 / x)
    >>> run = ig.descend(f, [9.0], geometry=M, update=ig.NaturalUpdate(),
    ...                  step=ig.Damped(), max_steps=1)
    >>> run.x.round(6)                              # λ = 8; h = 1 leads to −63
    array([1.])
    """

    steady, looks_back = True, False

    def part(self, rows: Any) -> Step:
        return self

    def __call__(self, at: Place) -> Array:
        xp, squared = backend_of(at.x), -dot(at.covector, at.direction())
        return 1.0 / (1.0 + xp.sqrt(xp.where(squared > 0, squared, xp.zeros_like(squared))))
