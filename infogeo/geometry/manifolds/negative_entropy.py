"""The negative entropy: the mirror map of the exponentiated gradient."""
from dataclasses import dataclass


from ...domains.convex import Orthant, RealSpace
from ...numerics.special import kl_terms
from .arc_length import ArcLength

__all__ = ["NegativeEntropy"]


@dataclass(frozen=True)
class NegativeEntropy(ArcLength):
    """ψ(x) = Σ x_i log x_i − x_i on the positive orthant: η = log x, D(p‖q) = Σ x_q log(x_q / x_p) − x_q + x_p.

    Mirror descent is the exponentiated gradient x ← x e^{−h c}.
    """

    dim: int

    @property
    def theta_domain(self):
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self):
        return RealSpace(self.dim)

    def _potential(self, xp, theta):
        return xp.sum(xp.xlogy(theta, theta) - theta, axis=-1)

    def _dual_potential(self, xp, eta):
        return xp.sum(xp.exp(eta), axis=-1)

    def _to_eta(self, xp, theta):
        return xp.log(theta)

    def _to_theta(self, xp, eta):
        return xp.exp(eta)

    def _second(self, xp, theta):
        return 1.0 / theta

    def _third(self, xp, theta):
        return -1.0 / theta ** 2

    def _dual_second(self, xp, eta):
        return self.to_theta(eta)

    def _arc_length(self, xp, theta):
        """2 √x."""
        return 2.0 * xp.sqrt(theta)

    def _from_arc_length(self, xp, s):
        return (0.5 * xp.where(s > 0, s, xp.full_like(s, xp.nan))) ** 2

    def _arc_between(self, xp, p, q):
        """2 √q − 2 √p."""
        return 2.0 * (q - p) / (xp.sqrt(p) + xp.sqrt(q))

    def _divergence(self, xp, p, q):
        """Σ q log(q / p) − q + p."""
        near = xp.log1p(xp.clip((p - q) / q, -0.5, 1.0))
        log_ratio = xp.where(xp.abs(p - q) < 0.5 * q, near, xp.log(p) - xp.log(q))
        return xp.sum(kl_terms(xp, q, p, log_ratio), axis=-1)
