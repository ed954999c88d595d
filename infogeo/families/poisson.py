"""The Poisson family."""
from dataclasses import dataclass
from functools import partial
from math import lgamma, log, pi, sqrt

import numpy as np

from ..backend import arrays
from ..domains.convex import Orthant, RealSpace
from ..domains.supports import Integers, Interval
from ..geometry.manifolds.arc_length import ArcLength
from ..numerics.factorials import deviance, factorial_gap
from ..numerics.special import kl_terms, piecewise
from .base import ExponentialFamily

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(ArcLength, ExponentialFamily):
    """Counts of independent events at a constant rate λ.

    Mathematically,

    - support {0, 1, 2, …}; T(x) = x; h(x) = 1 / x!
    - θ = log λ in R; η = λ > 0
    - ψ(θ) = e^θ; φ(η) = η log η − η
    - metric λ; dual metric 1 / λ

    Ordinary parameters: `rate`, shape (...), positive.
    """

    dim = 1
    theta_domain = RealSpace(1)
    eta_domain = Orthant(1)
    support = Integers(0)
    ordinary = {"rate": Interval(0)}

    def potential(self, theta):
        xp, theta = self.point(theta)
        return xp.exp(theta[..., 0])

    def to_eta(self, theta):
        xp, theta = self.point(theta)
        return xp.exp(theta)

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return xp.log(eta)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return (xp.xlogy(eta, eta) - eta)[..., 0]

    def second(self, theta):
        return self.to_eta(theta)

    third = second

    def dual_second(self, eta):
        return 1.0 / self.point(eta)[1]

    def arc_length(self, theta):
        """2 √λ."""
        xp, theta = self.point(theta)
        return 2.0 * xp.exp(0.5 * theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        with np.errstate(invalid="ignore", divide="ignore"):
            return 2.0 * xp.log(0.5 * s)

    def arc_between(self, theta_p, theta_q):
        """2 √λ_q − 2 √λ_p."""
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        return 4.0 * xp.exp(0.25 * (theta_p + theta_q)) * xp.sinh(0.25 * (theta_q - theta_p))

    def sufficient_statistic(self, x):
        return arrays(x)[1][..., None]

    def log_base_measure(self, x):
        xp, x = arrays(x)
        return -xp.gammaln(x + 1.0)

    def _log_density(self, xp, theta, x):
        """−(log x! − x log x + x) − (x log(x / λ) − x + λ), of which neither cancels where counts are large."""
        rate = xp.exp(theta[..., 0])
        return -factorial_gap(xp, x) - deviance(xp, x, rate - x, theta[..., 0])

    def expected_log_base_measure(self, theta):
        """−E[log x!] = θ e^θ − e^θ + entropy, with the sign of the dual potential."""
        xp, theta = self.point(theta)
        return -self.entropy(theta) - self.dual_potential(self.to_eta(theta))

    def entropy(self, theta):
        """−E[log p] by summing the series; from λ = 400 by its asymptotic expansion.

        Source: Evans & Boersma, The entropy of a Poisson distribution, SIAM Review 30 (1988).
        """
        xp, theta = self.point(theta)
        by_series, by_expansion = partial(_entropy_by_series, xp), partial(_entropy_of_large_rate, xp)
        return piecewise(xp, theta[..., 0] < log(400.0), by_series, by_expansion, theta[..., 0])

    def kl(self, theta_p, theta_q):
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        return kl_terms(xp, xp.exp(theta_p), xp.exp(theta_q), theta_q - theta_p)[..., 0]

    def _draw(self, draws, theta, shape):
        return draws.poisson(draws.xp.exp(theta[..., 0]), shape)

    def _theta_from(self, xp, rate):
        return xp.log(rate)[..., None]

    def parameters(self, theta):
        xp, theta = self.point(theta)
        return {"rate": xp.exp(theta[..., 0])}


def _entropy_by_series(xp, theta):
    """Σ −p(x) log p(x), up to where the tail of the largest rate is below rounding."""
    rate = xp.exp(theta)
    largest = float(xp.max(rate)) if rate.size else 0.0
    probability = xp.exp(-rate)
    total = probability * rate
    for x in range(1, int(largest + 12.0 * sqrt(largest) + 30.0)):
        probability = probability * (rate / x)
        total = total + probability * (rate - x * theta + lgamma(x + 1.0))
    return total


def _entropy_of_large_rate(xp, theta):
    inverse = xp.exp(-theta)
    tail = inverse * (1 / 12 + inverse * (1 / 24 + inverse * (19 / 360 + inverse * (9 / 80 + inverse * (863 / 2520)))))
    return 0.5 * (theta + log(2 * pi) + 1.0) - tail
