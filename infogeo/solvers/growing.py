"""A line search that remembers its last step size, and lets it grow again."""
from dataclasses import dataclass
from numbers import Real

from ..backend import Array, Namespace
from ..errors import require
from .place import Place
from .step import Backtracking, rows_of

__all__ = ["Growing"]


@dataclass(frozen=True)
class Growing(Backtracking):
    """Armijo's rule as `Backtracking`, from `growth` times the last step size on: the largest h₋ γ β^j that decreases enough.

    Mathematically, where the right step size changes slowly, about one and a half trials a step, and none too many at the start.
    A row that found no step before starts at h again.

    Parameters
    ----------
    h, factor, sufficient, halvings
        As of `Backtracking`; h is where the first step starts.
    growth : float
        γ, above 1.

    Examples
    --------
    >>> f = lambda x: (x[0]**2 / 200, [x[0] / 100])     # asks for h = 100
    >>> for step in (ig.Backtracking(1.0), ig.Growing(1.0)):
    ...     run = ig.descend(f, [1.0], update=ig.GradientUpdate(), step=step,
    ...                      max_steps=7)
    ...     print(run.x.round(3))
    [0.932]
    [0.176]
    """

    looks_back = True
    growth: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("growth", "growth > 1", isinstance(self.growth, Real) and 1 < float(self.growth) < float("inf"), self.growth)

    def first(self, xp: Namespace, at: Place, value: Array) -> Array:
        h = rows_of(xp, value, self.h)
        if at.h is None:
            return h
        last = self.growth * rows_of(xp, value, at.h)
        largest = xp.full_like(h, float(xp.finfo(h.dtype).max) ** 0.5)      # an objective that falls for ever lets it grow so far
        return xp.where(last > 0, xp.minimum(last, largest), h)
