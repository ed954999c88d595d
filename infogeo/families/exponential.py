"""The exponential distributions."""
from dataclasses import dataclass

import numpy as np

from ..backend import arrays
from ..domains.convex import Orthant
from ..domains.supports import Interval
from ..geometry.manifolds.arc_length import ArcLength, log_ratio
from ..numerics.special import ratio_gap
from .base import ConstantBaseMeasure

__all__ = ["Exponential"]


@dataclass(frozen=True)
class Exponential(ArcLength, ConstantBaseMeasure):
    """Waiting times of rate β.

    Mathematically,

    - support x > 0; T(x) = x; h(x) = 1
    - θ = −β < 0; η = 1 / β > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `rate`, shape (...), positive.
    """

    dim = 1
    theta_domain = Orthant(-1)
    eta_domain = Orthant(1)
    support = Interval(0)
    ordinary = {"rate": Interval(0)}

    def potential(self, theta):
        xp, theta = self.point(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return -xp.log(-theta[..., 0])

    def to_eta(self, theta):
        theta = self.point(theta)[1]
        return -1.0 / theta

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        return xp.where(eta > 0, -1.0 / eta, xp.full_like(eta, xp.nan))

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return -1.0 - xp.log(eta[..., 0])

    def second(self, theta):
        return 1.0 / self.point(theta)[1] ** 2

    dual_second = second

    def third(self, theta):
        return -2.0 / self.point(theta)[1] ** 3

    def arc_length(self, theta):
        """−log(−θ), the logarithm of the mean."""
        xp, theta = self.point(theta)
        return -xp.log(-theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        return -xp.exp(-s)

    def arc_between(self, theta_p, theta_q):
        """log(θ_p / θ_q)."""
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        return log_ratio(xp, -theta_q, -theta_p, theta_q - theta_p)

    def sufficient_statistic(self, x):
        return arrays(x)[1][..., None]

    def kl(self, theta_p, theta_q):
        """r − 1 − log r with the ratio of rates r = θ_q / θ_p."""
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        return ratio_gap(xp, theta_q / theta_p, (theta_q - theta_p) / theta_p)[..., 0]

    def _draw(self, draws, theta, shape):
        return draws.xp.log1p(-draws.uniform(shape)) / theta[..., 0]

    def _theta_from(self, xp, rate):
        return -rate[..., None]

    def parameters(self, theta):
        theta = self.point(theta)[1]
        return {"rate": -theta[..., 0]}
