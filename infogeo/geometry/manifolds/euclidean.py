"""The squared length: the mirror map of gradient descent."""
from dataclasses import dataclass

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, RealSpace
from ...errors import require_count
from .arc_length import ConstantMetric
from .separable import Separable

__all__ = ["Euclidean"]


@dataclass(frozen=True)
class Euclidean(ConstantMetric, Separable):
    """ψ(x) = ½ |x|² on R^d: η = x, D(p‖q) = ½ |x_p − x_q|². Mirror descent is gradient descent.

    Examples
    --------
    >>> ig.Euclidean(2).divergence([0.0, 0.0], [[3.0, 4.0], [1.0, 0.0]])
    array([12.5,  0.5])
    """

    dim: int

    def __post_init__(self) -> None:
        require_count("dim", self.dim)

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    eta_domain = theta_domain

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * xp.sum(theta * theta, axis=-1)

    _dual_potential = _potential    # type: ignore[assignment]     # of another argument's name, here and below

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return theta

    _to_theta = _to_eta    # type: ignore[assignment]

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return 1.0 + 0.0 * theta            # NaN where θ is

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return 0.0 * theta

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return vector + 0.0 * theta

    _sharp = _dual_flat = _dual_sharp = _flat    # type: ignore[assignment]

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._potential(xp, theta_p - theta_q)
