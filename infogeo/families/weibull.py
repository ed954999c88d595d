"""The Weibull family of known shape, and the Rayleigh family."""
from dataclasses import dataclass
from math import exp, expm1, lgamma, log, pi, sqrt

import numpy as np
from scipy.special import zeta

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.supports import ClosedInterval, Interval
from .cumulative import Carried, StandardExponential
from .exponential import Exponential
from .gamma import limit_of_power
from .known import known_positive
from .transformed import Transformed

__all__ = ["Rayleigh", "Weibull"]


@dataclass(frozen=True)
class Weibull(Transformed):
    """The Weibull distribution of scale λ, with k = `shape` known.

    Mathematically, x^k follows `Exponential`, and

    - support x ≥ 0, without 0 where k > 1; T(x) = x^k; h(x) = k x^{k−1}
    - θ = −λ^{−k} < 0; η = λ^k > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `scale`, shape (...), positive.

    Examples
    --------
    >>> M = ig.Weibull(2.0)
    >>> M.cdf(M.theta_from(scale=3.0), [1.0, 3.0]).round(4)  # 1 − e^{−(x / 3)²}
    array([0.1052, 0.6321])
    """

    shape: float
    base = Exponential()
    ordinary = {"scale": Interval(0)}

    def __post_init__(self) -> None:
        known_positive(self, "shape")

    @property
    def support(self) -> Domain:
        return Interval(0) if self.shape > 1.0 else ClosedInterval(0)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None] ** self.shape

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return log(self.shape) + (self.shape - 1.0) * xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """log k + (1 − 1/k) E[log x^k], E[log x^k] = −γ − log(−θ)."""
        return log(self.shape) - (1.0 - 1.0 / self.shape) * (float(np.euler_gamma) + xp.log(-theta[..., 0]))

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """θ = −1 / η, 0 or −∞ where λ^k is beyond the numbers; NaN where all x are 0."""
        theta = -1.0 / self._mean_statistic(xp, x, weights)
        seen = xp.any((weights > 0) & (x > 0), axis=0)
        return xp.where(seen[..., None], theta, xp.full_like(theta, xp.nan))

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        k, scale = self.shape, (-theta[..., 0]) ** (-1.0 / self.shape)
        return Carried(StandardExponential(xp), lambda x: (x / scale) ** k, lambda z: scale * z ** (1.0 / k))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        """λ Γ(1 + 1/k)."""
        return exp(lgamma(1.0 + 1.0 / self.shape)) * (-theta[..., 0]) ** (-1.0 / self.shape)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        """E[x]² (Γ(1 + 2/k) / Γ(1 + 1/k)² − 1)."""
        return expm1(_log_gamma_spread(1.0 / self.shape)) * self._mean_of_x(xp, theta) ** 2

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return limit_of_power(xp, self.shape - 1.0 + 0.0 * x, xp.log(-theta[..., 0]) + 0.0 * x)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.base._draw(draws, theta, shape) ** (1.0 / self.shape)

    def _theta_from(self, xp: Namespace, scale: Array) -> Array:
        return -(scale[..., None] ** -self.shape)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"scale": (-theta[..., 0]) ** (-1.0 / self.shape)}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dλ = λ^{1−k} dη / k."""
        return {"scale": -theta[..., 0] * self._parameters(xp, theta)["scale"] / self.shape * d_eta[..., 0]}


@dataclass(frozen=True)
class Rayleigh(Transformed):
    """The length of a vector of two normal variables with mean 0 and variance σ².

    Mathematically, x² follows `Exponential`, and

    - support x > 0; T(x) = x²; h(x) = 2x
    - θ = −1 / (2σ²) < 0; η = 2σ² > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `scale` (σ), shape (...), positive.

    Examples
    --------
    >>> M = ig.Rayleigh()
    >>> theta = M.theta_from(scale=1.0)
    >>> float(M.mean(theta).round(4))  # √(π / 2)
    1.2533
    """

    base = Exponential()
    support = Interval(0)
    ordinary = {"scale": Interval(0)}

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None] ** 2

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return log(2.0) + xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """log 2 + ½ E[log x²], E[log x²] = −γ − log(−θ)."""
        return log(2.0) - 0.5 * (float(np.euler_gamma) + xp.log(-theta[..., 0]))

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        root = xp.sqrt(-theta[..., 0])
        return Carried(StandardExponential(xp), lambda x: (root * x) ** 2, lambda z: xp.sqrt(z) / root)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * sqrt(pi) / xp.sqrt(-theta[..., 0])

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return (0.25 * pi - 1.0) / theta[..., 0]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.sqrt(self.base._draw(draws, theta, shape))

    def _theta_from(self, xp: Namespace, scale: Array) -> Array:
        return -0.5 / scale[..., None] ** 2

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"scale": xp.sqrt(-0.5 / theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dσ = dη / (4σ)."""
        return {"scale": 0.25 / self._parameters(xp, theta)["scale"] * d_eta[..., 0]}


def _log_gamma_spread(u: float) -> float:
    """log Γ(1 + 2u) − 2 log Γ(1 + u), for small u as Σ ζ(k) (−u)^k (2^k − 2) / k."""
    if u > 0.2:
        return lgamma(1.0 + 2.0 * u) - 2.0 * lgamma(1.0 + u)
    return sum(float(zeta(k)) * (-u) ** k * (2.0**k - 2.0) / k for k in range(2, 42))       # 0.4^42 = 2e-17
