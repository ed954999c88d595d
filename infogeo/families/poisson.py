"""The Poisson family."""
from dataclasses import dataclass
from functools import partial
from math import inf, lgamma, log, pi, prod, sqrt

from ..arrays.draws import Draws
from ..arrays.tracing import accumulate, is_traced, still
from ..backend import Array, Namespace
from ..domains.convex import Orthant, RealSpace
from ..domains.supports import ClosedInterval, Integers, Interval, LimitPoints
from ..geometry.manifolds.arc_length import ArcLength
from ..numerics.exponentials import kl_terms
from ..numerics.factorials import deviance, factorial_gap
from ..numerics.incomplete_gamma import log_lower_gamma, log_upper_gamma, lower_gamma, upper_gamma
from ..numerics.piecewise import piecewise, positive
from .base import ExponentialFamily
from .cumulative import Cumulative
from .limits import HasLimits

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(HasLimits, ArcLength, ExponentialFamily):
    """Counts of independent events at a constant rate λ.

    Mathematically,

    - support {0, 1, 2, …}; T(x) = x; h(x) = 1 / x!
    - θ = log λ in R; η = λ > 0
    - ψ(θ) = e^θ; φ(η) = η log η − η
    - metric λ; dual metric 1 / λ

    Ordinary parameters: `rate`, shape (...), positive.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> M.survival(M.theta_from(rate=3.0), [3.0, 30.0])
    array([3.52768111e-01, 4.12540520e-21])
    """

    dim = 1
    nan_outside = ("eta",)
    theta_domain = RealSpace(1)
    eta_domain = Orthant(1)
    support = Integers(0)
    observed = 0
    ordinary = {"rate": Interval(0)}
    theta_closure = LimitPoints(1)
    eta_total = inf
    ordinary_closure = {"rate": ClosedInterval(0)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return xp.exp(theta[..., 0])

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return xp.exp(theta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return xp.exp(theta)

    _third = _second

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return xp.log(eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return (xp.xlogy(eta, eta) - eta)[..., 0]

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return 1.0 / positive(xp, eta)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.gammaln(x + 1.0)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """−E[log x!] = θ e^θ − e^θ + entropy, with the sign of the dual potential."""
        return -self._entropy(xp, theta) - self._dual_potential(xp, self._to_eta(xp, theta))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−(log x! − x log x + x) − (x log(x / λ) − x + λ), of which neither cancels where counts are large."""
        rate = xp.exp(theta[..., 0])
        return -factorial_gap(xp, x) - deviance(xp, x, rate - x, theta[..., 0])

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """−E[log p] by summing the series; from λ = 400 by its asymptotic expansion.

        Source: Evans & Boersma, The entropy of a Poisson distribution, SIAM Review 30 (1988).
        """
        by_series, by_expansion = partial(_entropy_by_series, xp), partial(_entropy_of_large_rate, xp)
        return piecewise(xp, theta[..., 0] < log(400.0), by_series, by_expansion, theta[..., 0])

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return kl_terms(xp, xp.exp(theta_p), xp.exp(theta_q), theta_q - theta_p)[..., 0]

    def _cumulative(self, xp: Namespace, theta: Array) -> Cumulative:
        return _Arrivals(xp, xp.exp(theta[..., 0]))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.poisson(draws.xp.exp(theta[..., 0]), shape)

    def _theta_from(self, xp: Namespace, rate: Array) -> Array:
        return xp.log(rate)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"rate": xp.exp(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"rate": d_eta[..., 0]}

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """2 √λ."""
        return 2.0 * xp.exp(0.5 * theta)

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        return 2.0 * xp.log(0.5 * s)

    def _arc_between(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """2 √λ_q − 2 √λ_p."""
        return 4.0 * xp.exp(0.25 * (theta_p + theta_q)) * xp.sinh(0.25 * (theta_q - theta_p))


@dataclass(frozen=True)
class _Arrivals(Cumulative):
    """More than x events at the rate λ: the gamma variable of shape x + 1, the time of the last of them, is below λ."""

    xp: Namespace
    rate: Array

    def cdf(self, x: Array) -> Array:
        return upper_gamma(self.xp, x + 1.0, self.rate)

    def survival(self, x: Array) -> Array:
        return lower_gamma(self.xp, x + 1.0, self.rate)

    def log_cdf(self, x: Array) -> Array:
        return log_upper_gamma(self.xp, x + 1.0, self.rate)

    def log_survival(self, x: Array) -> Array:
        return log_lower_gamma(self.xp, x + 1.0, self.rate)


def _entropy_by_series(xp: Namespace, theta: Array) -> Array:
    """Σ −p(x) log p(x), up to where the tail of the largest rate is below rounding."""
    rate = xp.exp(theta)
    if is_traced(xp, theta):
        return _traced_series(xp, theta, rate)
    largest = float(xp.max(still(xp, rate))) if prod(rate.shape) else 0.0
    probability = xp.exp(-rate)
    total = probability * rate
    for x in range(1, int(largest + 12.0 * sqrt(largest) + 30.0)):
        probability = probability * (rate / x)
        total = total + probability * (rate - x * theta + lgamma(x + 1.0))
    return total


def _traced_series(xp: Namespace, theta: Array, rate: Array) -> Array:
    """The same sum, one term after the other inside the library."""
    largest = xp.max(xp.where(rate > 0, rate, xp.zeros_like(rate)))
    count = largest + 12.0 * xp.sqrt(largest) + 30.0

    def further(x: Array, probability: Array, total: Array) -> tuple[Array, ...]:
        probability = probability * (rate / x)
        return x + 1.0, probability, total + probability * (rate - x * theta + xp.gammaln(x + 1.0))

    start = xp.exp(-rate)
    return accumulate(xp, lambda x, *_: x < count, further, (xp.ones_like(count), start, start * rate))[2]


def _entropy_of_large_rate(xp: Namespace, theta: Array) -> Array:
    inverse = xp.exp(-theta)
    tail = inverse * (1 / 12 + inverse * (1 / 24 + inverse * (19 / 360 + inverse * (9 / 80 + inverse * (863 / 2520)))))
    return 0.5 * (theta + log(2 * pi) + 1.0) - tail
