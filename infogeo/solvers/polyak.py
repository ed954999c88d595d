"""Polyak's step size: how far the value is above the minimum, over how steep it is."""
from dataclasses import dataclass
from numbers import Real
from typing import Any

from array_api_compat import is_array_api_obj

from ..backend import Array, arrays, backend_of, dot
from ..errors import require, require_positive
from .place import Place
from .step import Search, Step, part_of

__all__ = ["Polyak"]


@dataclass(frozen=True)
class Polyak(Search):
    """h = a (f(x) − f*) / c·v with the update's direction −v; 0 at the minimum.

    Mathematically, for v = G⁻¹c it is the step to where the linear model of f along the direction is f*, in the metric.

    Parameters
    ----------
    lower : number, array of shape (...), or function (Place) -> array
        f*, the value of the minimum or a bound below it.
    scale : positive number
        a.

    Source: Polyak, Introduction to optimization (1987), section 5.3.

    Examples
    --------
    >>> f = lambda x: (abs(x[0]), np.sign(x))  # |x|: a constant step never ends
    >>> run = ig.descend(f, [3.0], update=ig.GradientUpdate(),
    ...                  step=ig.Polyak(0.0), max_steps=1)
    >>> run.x
    array([0.])
    """

    lower: Any
    scale: float = 1.0

    def __post_init__(self) -> None:
        number = isinstance(self.lower, Real) or is_array_api_obj(self.lower)
        if isinstance(self.lower, type) or not (number or callable(self.lower)):
            raise TypeError(f"lower must be a number, an array, or a function of a Place; got {self.lower!r}")
        if number:
            bound = arrays(self.lower)[1]
            require("lower", "lower finite", backend_of(bound).isfinite(bound), bound)
        require_positive("scale", self.scale)

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(getattr(self.lower, "shape", ()))

    def part(self, rows: Any) -> Step | None:
        return None if callable(self.lower) else part_of(self, rows, "lower")

    def __call__(self, at: Place) -> Array:
        xp, slope = backend_of(at.x), -dot(at.covector, at.direction())
        above = at.value - (self.lower(at) if callable(self.lower) else self.lower)
        good = (slope > 0) & (above > 0)
        return xp.where(good, self.scale * above / xp.where(good, slope, xp.ones_like(slope)), xp.zeros_like(slope))
