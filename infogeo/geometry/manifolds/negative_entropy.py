"""The negative entropy: the mirror map of the exponentiated gradient."""
from dataclasses import dataclass

import numpy as np

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

    def potential(self, theta):
        xp, theta = self.point(theta)
        return xp.sum(xp.xlogy(theta, theta) - theta, axis=-1)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return xp.sum(xp.exp(eta), axis=-1)

    def to_eta(self, theta):
        xp, theta = self.point(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return xp.log(theta)

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        return xp.exp(eta)

    def second(self, theta):
        return 1.0 / self.point(theta)[1]

    def third(self, theta):
        return -1.0 / self.point(theta)[1] ** 2

    def dual_second(self, eta):
        return self.to_theta(eta)

    def arc_length(self, theta):
        """2 √x."""
        xp, theta = self.point(theta)
        return 2.0 * xp.sqrt(theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        return (0.5 * xp.where(s > 0, s, xp.full_like(s, xp.nan))) ** 2

    def arc_between(self, theta_p, theta_q):
        """2 √q − 2 √p."""
        xp, p, q = self.point(theta_p, theta_q)
        return 2.0 * (q - p) / (xp.sqrt(p) + xp.sqrt(q))

    def divergence(self, theta_p, theta_q):
        """Σ q log(q / p) − q + p."""
        xp, p, q = self.point(theta_p, theta_q)
        near = xp.log1p(xp.clip((p - q) / q, -0.5, 1.0))
        log_ratio = xp.where(xp.abs(p - q) < 0.5 * q, near, xp.log(p) - xp.log(q))
        return xp.sum(kl_terms(xp, q, p, log_ratio), axis=-1)
