"""Families that share the geometry of another manifold."""
from collections.abc import Callable
from typing import Any

from ..arrays.memo import is_standing
from ..backend import Array, Namespace
from ..domains.convex import ConvexDomain
from ..geometry.manifolds.interface import Formula
from ..geometry.manifolds.manifold import DuallyFlat
from ..geometry.manifolds.wrapped import Wrapped
from .base import ExponentialFamily

__all__ = ["Transformed"]


class Transformed(Wrapped, ExponentialFamily):
    """A family with the log-partition of another manifold, `base`, and observations of its own.

    Mathematically, ψ is that of `base`, and with it the charts, the metric and every divergence; T, h and the support differ.
    This is so where a transform of x follows another family, or a sum of independent copies does.

    Examples
    --------
    >>> M = ig.LogNormal()  # one of them
    >>> M.base, M.support
    (Normal(), Interval(lower=0, upper=inf))
    >>> theta = M.theta_from(mean=0.0, variance=1.0)
    >>> np.array_equal(M.metric(theta), M.base.metric(theta))
    True
    """

    base: DuallyFlat

    @property
    def dim(self) -> int:
        return self.base.dim    # type: ignore[no-any-return]

    @property
    def theta_domain(self) -> ConvexDomain:
        return self.base.theta_domain    # type: ignore[no-any-return]

    @property
    def eta_domain(self) -> ConvexDomain:
        return self.base.eta_domain    # type: ignore[no-any-return]

    @property
    def nan_outside(self) -> tuple[str, ...]:
        return self.base.nan_outside    # type: ignore[no-any-return]

    @property
    def smooth(self) -> bool:
        return self.base.smooth    # type: ignore[no-any-return]

    @property
    def steep(self) -> bool:
        return self.base.steep    # type: ignore[no-any-return]

    @staticmethod
    def _rule(kernel: str, formula: Formula) -> Callable[..., Any]:
        return lambda self, xp, *xs: getattr(self.base, kernel)(xp, *xs)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        # Where a solver stands by the public name, which is remembered for its point
        return self.base.to_theta(eta) if is_standing() else self.base._to_theta(xp, eta)

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        return self.base._mean_of_points(xp, theta, weights)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self.base._divergence(xp, theta_p, theta_q)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._kl(xp, theta_p, theta_q)

    def total_volume(self) -> float:
        return self.base.total_volume()
