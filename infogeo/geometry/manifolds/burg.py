"""Burg's entropy, with the Itakura–Saito divergence."""
from dataclasses import dataclass

import numpy as np

from ...domains.convex import Orthant
from ...numerics.special import ratio_gap
from .arc_length import ArcLength, log_ratio

__all__ = ["Burg"]


@dataclass(frozen=True)
class Burg(ArcLength):
    """ψ(x) = −Σ log x_i on the positive orthant: η = −1 / x, D(p‖q) = Σ r − 1 − log r with r = x_q / x_p (Itakura–Saito).

    Mirror descent is x ← x / (1 + h x c).
    """

    dim: int

    @property
    def theta_domain(self):
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self):
        return Orthant(*[-1] * self.dim)

    def potential(self, theta):
        xp, theta = self.point(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return -xp.sum(xp.log(theta), axis=-1)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return -xp.sum(xp.log(-eta), axis=-1) - float(self.dim)

    def to_eta(self, theta):
        return -1.0 / self.point(theta)[1]

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        return xp.where(eta < 0, -1.0 / eta, xp.full_like(eta, xp.nan))

    def second(self, theta):
        return 1.0 / self.point(theta)[1] ** 2

    dual_second = second

    def third(self, theta):
        return -2.0 / self.point(theta)[1] ** 3

    def arc_length(self, theta):
        """log x."""
        xp, theta = self.point(theta)
        return xp.log(theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        return xp.exp(s)

    def arc_between(self, theta_p, theta_q):
        """log(q / p)."""
        xp, p, q = self.point(theta_p, theta_q)
        return log_ratio(xp, p, q, q - p)

    def divergence(self, theta_p, theta_q):
        """Σ r − 1 − log r with r = q / p."""
        xp, p, q = self.point(theta_p, theta_q)
        return xp.sum(ratio_gap(xp, q / p, (q - p) / p), axis=-1)
