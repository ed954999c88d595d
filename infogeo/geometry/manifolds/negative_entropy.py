"""The negative entropy: the mirror map of the exponentiated gradient."""
from dataclasses import dataclass

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, Orthant, RealSpace
from ...errors import require_count
from ...numerics.exponentials import kl_terms
from .arc_length import ArcLength

__all__ = ["NegativeEntropy"]


@dataclass(frozen=True)
class NegativeEntropy(ArcLength):
    """ψ(x) = Σ x_i log x_i − x_i on the positive orthant: η = log x, D(p‖q) = Σ x_q log(x_q / x_p) − x_q + x_p.

    Mirror descent is the exponentiated gradient x ← x e^{−h c}.

    Examples
    --------
    >>> ig.NegativeEntropy(2).divergence([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]]).round(4)
    array([0.    , 0.6931])
    """

    dim: int

    def __post_init__(self) -> None:
        require_count("dim", self.dim)

    @property
    def theta_domain(self) -> ConvexDomain:
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return xp.sum(xp.xlogy(theta, theta) - theta, axis=-1)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return xp.sum(xp.exp(eta), axis=-1)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return xp.log(theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return xp.exp(eta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return 1.0 / theta

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return -1.0 / theta ** 2

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return self.to_theta(eta)

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """2 √x."""
        return 2.0 * xp.sqrt(theta)

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        return (0.5 * xp.where(s > 0, s, xp.full_like(s, xp.nan))) ** 2

    def _arc_between(self, xp: Namespace, p: Array, q: Array) -> Array:
        """2 √q − 2 √p."""
        return 2.0 * (q - p) / (xp.sqrt(p) + xp.sqrt(q))

    def _divergence(self, xp: Namespace, p: Array, q: Array) -> Array:
        """Σ q log(q / p) − q + p."""
        # Within a factor of 2 the difference p − q is exact, and log1p of it keeps the digits that log p − log q loses.
        near = xp.log1p(xp.clip((p - q) / q, -0.5, 1.0))
        log_ratio = xp.where(xp.abs(p - q) < 0.5 * q, near, xp.log(p) - xp.log(q))
        return xp.sum(kl_terms(xp, q, p, log_ratio), axis=-1)
