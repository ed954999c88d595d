"""Fisher–Rao lengths of families of one coordinate far down, where the metric is a sum of exponentials of θ."""
from typing import Any, NamedTuple

from ..backend import Array, Namespace
from ..geometry.manifolds.manifold import DuallyFlat

__all__ = ["LowerTail", "WithLowerTail"]


class LowerTail(NamedTuple):
    """The length from θ = −∞, Σ a e^{bθ} for θ ≤ `start`, with the pairs (a, b)."""

    start: float
    terms: tuple[tuple[float, float], ...]

    def between(self, xp: Namespace, low: Array, high: Array) -> Array:
        """The length from `low` to `high`, neither above the start; low may be −∞, and near points do not cancel."""
        total = xp.zeros_like(high)
        for a, b in self.terms:
            total = total + a * xp.exp(b * high) * -xp.expm1(b * (low - high))
        return total


class WithLowerTail(DuallyFlat):
    """A manifold of one coordinate with `lower_tail`, where ψ and η tend to 0: geodesics are looked for above its start only."""

    lower_tail: Any     # LowerTail

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        """θ η − ψ, two negative terms."""
        theta = self.to_theta(eta)
        product = xp.where(eta > 0, theta * eta, -eta)          # −η: 0 of the limit, NaN of NaN
        return product[..., 0] - self._potential(xp, theta)

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        start = self.lower_tail.start
        low, high = xp.minimum(x, y)[..., 0], xp.maximum(x, y)[..., 0]
        below = self.lower_tail.between(xp, xp.minimum(low, start + 0.0 * low), xp.minimum(high, start + 0.0 * high))
        above = xp.maximum(x, start + 0.0 * x), xp.maximum(y, start + 0.0 * y)
        return below + xp.where(high > start, super()._distance(xp, *above), 0.0 * high)
