"""Log-densities of a family as changes from one place, for the far tails of truncated laws."""
from typing import TYPE_CHECKING, Any

from ..backend import Array, Namespace, dot

if TYPE_CHECKING:
    from .base import ExponentialFamily

__all__ = ["Anchored"]


class Anchored:
    """A family whose density is 1 at an anchor o(θ), the point of [low, high] next to the mean.

    Mathematically, the log-density is log p(x) − log p(o), and ψ is θ·T(o) + log h(o). At z deviations from the mean log p itself
    is z² / 2, of whose rounding at 10⁸ nothing would be left: the change from the bound has the digits of z.

    Parameters
    ----------
    family : ExponentialFamily
        With a kernel ``_log_density_change(xp, theta, origin, x)``, log p(x) − log p(origin).
    low, high : float
    """

    def __init__(self, family: "ExponentialFamily", low: float, high: float) -> None:
        self.family, self.low, self.high = family, low, high

    def __getattr__(self, name: str) -> Any:
        return getattr(self.family, name)

    def origin(self, xp: Namespace, theta: Array) -> Array:
        """o(θ), shape (...)."""
        return xp.clip(self.family._mean_of_x(xp, theta), self.low, self.high)

    def log_at_origin(self, xp: Namespace, theta: Array) -> Array:
        """log p(o), shape (...)."""
        return self.family._log_density(xp, theta, self.origin(xp, theta))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        origin = self.origin(xp, theta)
        return dot(theta, self.family._sufficient_statistic(xp, origin)) + self.family._log_base_measure(xp, origin)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        found: Array = self.family._log_density_change(xp, theta, self.origin(xp, theta), x)    # type: ignore[attr-defined]
        return found

    _log_density_anywhere = _log_density
