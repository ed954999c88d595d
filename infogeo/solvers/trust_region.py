"""Trust regions: the step whose divergence from the point is what is allowed."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array, arrays, dot
from ..errors import require_count
from .place import Place
from .step import Search, Step, part_of, positive_field, require_factor, shrink

__all__ = ["TrustRegion"]


@dataclass(frozen=True)
class TrustRegion(Search):
    """h = √(2δ / c·v), shrunk by the factor until D(x ‖ x(h)) ≤ δ and the value falls; 0 for a row for which neither ever does.

    Mathematically, v is the direction of the update, x(h) = x − h v + O(h²), and D(x ‖ x(h)) = ½ h² v·G v + O(h³), which for the
    natural gradient v = G⁻¹c is δ at this h: the longest step that the quadratic model allows. The geometry has a `divergence`:
    that of a family is KL(p ‖ p(h)), that of a `WeightSpace` the mean of those of its outputs.

    Parameters
    ----------
    delta : positive number or array, shape (...)
        δ, nats; an array gives each row its own.
    factor : float
        From 0 to 1.
    halvings : int
        How many step sizes are tried.

    Source: Schulman, Levine, Moritz, Jordan & Abbeel, Trust region policy optimization (2015), appendix C.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> run = ig.descend(ig.CrossEntropy(M, [4.0]), [0.0], geometry=M, update=ig.NaturalUpdate(),
    ...                  step=ig.TrustRegion(0.1), max_steps=80)
    >>> M.to_eta(run.x).round(6)
    array([4.])
    """

    needs = ("divergence",)
    delta: Any
    factor: float = 0.8
    halvings: int = 100

    def __post_init__(self) -> None:
        positive_field(self, "delta")
        require_factor(self.factor)
        require_count("halvings", self.halvings)

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(getattr(self.delta, "shape", ()))

    def part(self, rows: Any) -> Step:
        return part_of(self, rows, "delta")

    def __call__(self, at: Place) -> Array:
        xp, x, value, covector = arrays(at.x, at.value, at.covector)
        slope = -dot(covector, at.direction())
        downhill = slope > 0

        def close_and_lower(trial: Array, trial_value: Array, h: Array) -> Array:
            inside = at.geometry.domain.contains(trial)
            near = at.geometry.divergence(x, xp.where(inside[..., None], trial, x)) <= self.delta
            return inside & near & (trial_value < value)

        h = xp.where(downhill, xp.sqrt(2.0 * self.delta / xp.where(downhill, slope, xp.ones_like(slope))), xp.zeros_like(slope))
        return shrink(at, h, self.factor, self.halvings, close_and_lower)
