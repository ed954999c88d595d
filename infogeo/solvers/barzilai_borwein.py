"""The step size of Barzilai and Borwein, in the metric."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array, arrays, dot
from .place import Place
from .step import Step, part_of, positive_field, rows_of

__all__ = ["BarzilaiBorwein"]


@dataclass(frozen=True)
class BarzilaiBorwein(Step):
    """h = ⟨s, G s⟩ / ⟨s, Δc⟩ with the last step s = x − x⁻ and what it did to the covector, Δc = c − c⁻; h₀ at first.

    Mathematically, 1/h is the Rayleigh quotient of the Hessian against the metric G at x along the last step: the size that a
    quadratic model along it asks of `NaturalUpdate`, and in a Euclidean geometry of `GradientUpdate`. A row along whose last step
    the slope did not rise keeps its step size. The values need not fall at every step.

    Parameters
    ----------
    h : positive number or array, shape (...)
        h₀.

    Source: Barzilai & Borwein, Two-point step size gradient methods (1988), equation 5.

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 10.0]), [0.0, 0.0])         # κ = 100
    >>> run = ig.descend(f, [1.0, 1.0], geometry=ig.Euclidean(2),
    ...                  update=ig.GradientUpdate(),
    ...                  step=ig.BarzilaiBorwein(0.01), max_steps=40, tol=1e-8)
    >>> ig.Status(run.status).name, bool(run.steps < 20)
    ('CONVERGED', True)
    """

    needs = ("flat",)
    h: Any = 1.0

    def __post_init__(self) -> None:
        positive_field(self, "h")

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        xp, x, value, covector = arrays(at.x, at.value, at.covector)
        if at.h is None:
            return rows_of(xp, value, self.h)
        s, rise = x - at.last[0], dot(x - at.last[0], covector - at.last[2])
        h = dot(s, at.geometry.flat(x, s)) / xp.where(rise > 0, rise, xp.ones_like(rise))
        return xp.where((rise > 0) & (h > 0) & xp.isfinite(h), h, rows_of(xp, value, at.h))
