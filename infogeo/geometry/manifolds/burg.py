"""Burg's entropy, with the Itakura–Saito divergence."""
from dataclasses import dataclass


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

    def _potential(self, xp, theta):
        return -xp.sum(xp.log(theta), axis=-1)

    def _dual_potential(self, xp, eta):
        return -xp.sum(xp.log(-eta), axis=-1) - float(self.dim)

    def _to_eta(self, xp, theta):
        return -1.0 / theta

    def _to_theta(self, xp, eta):
        return xp.where(eta < 0, -1.0 / eta, xp.full_like(eta, xp.nan))

    def _second(self, xp, theta):
        return 1.0 / theta ** 2

    _dual_second = _second

    def _third(self, xp, theta):
        return -2.0 / theta ** 3

    def _arc_length(self, xp, theta):
        """log x."""
        return xp.log(theta)

    def _from_arc_length(self, xp, s):
        return xp.exp(s)

    def _arc_between(self, xp, p, q):
        """log(q / p)."""
        return log_ratio(xp, p, q, q - p)

    def _divergence(self, xp, p, q):
        """Σ r − 1 − log r with r = q / p."""
        return xp.sum(ratio_gap(xp, q / p, (q - p) / p), axis=-1)
