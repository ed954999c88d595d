"""The chi-squared and the chi families."""
from dataclasses import dataclass
from math import log, pi

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.convex import Orthant, RealSpace
from ..domains.supports import ClosedInterval, Interval
from ..geometry.manifolds.separable import Separable
from ..numerics.exponentials import kl_terms, log_quotient
from ..numerics.gamma_functions import digamma_gap, inverse_digamma, log_gamma_weight, polygamma, stirling_bregman, stirling_gap
from ..numerics.piecewise import piecewise
from .base import ExponentialFamily
from .cumulative import Carried, StandardGamma
from .gamma import limit_of_power
from .transformed import Transformed

__all__ = ["Chi", "ChiSquared"]


@dataclass(frozen=True)
class ChiSquared(Separable, ExponentialFamily):
    """The sum of ν squared standard normal variables, for any real ν > 0.

    Mathematically,

    - support x ≥ 0; T(x) = log(x / 2); h(x) = e^{−x/2} / x
    - θ = ν / 2 > 0; η = digamma(ν / 2) in R
    - ψ(θ) = log Γ(θ); φ(η) = θ digamma(θ) − log Γ(θ)
    - metric trigamma(θ)

    θ is ν/2 itself, not ν/2 − 1, so that a small ν keeps its digits; the base measure makes up for it.

    Ordinary parameters: `degrees_of_freedom`, shape (...), positive.

    Examples
    --------
    >>> M = ig.ChiSquared()
    >>> theta = M.theta_from(degrees_of_freedom=3.0)
    >>> float(M.variance(theta)), float(M.quantile(theta, 0.95).round(3))
    (6.0, 7.815)
    """

    dim = 1
    theta_domain = Orthant(1)
    eta_domain = RealSpace(1)
    support = ClosedInterval(0)
    ordinary = {"degrees_of_freedom": Interval(0)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return xp.gammaln(theta)[..., 0]

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return xp.digamma(theta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return polygamma(1, theta)

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return polygamma(2, theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        # where e^η leaves the range of the numbers, Newton's corrections would be ∞ − ∞
        top = 0.98 * log(float(xp.finfo(eta.dtype).max))
        return piecewise(xp, ~(eta > top), lambda y: inverse_digamma(xp, y), xp.exp, eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        theta = self.to_theta(eta)
        return (theta + _gap_potential(xp, theta))[..., 0]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.log(0.5 * x)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -0.5 * x - xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return (-theta - self._to_eta(xp, theta))[..., 0] - log(2.0)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        alpha = theta[..., 0]
        return log_gamma_weight(xp, alpha, 0.5 * x, xp.log(0.5 * x)) - xp.log(x)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return limit_of_power(xp, theta[..., 0] - 1.0, -log(2.0) + 0.0 * (theta[..., 0] + x))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return (self._to_eta(xp, theta) - _gap_potential(xp, theta))[..., 0] + log(2.0)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """The Bregman divergences of x log x − x and of the Stirling remainder, whose sum log Γ is."""
        growth = (theta_p - theta_q) / theta_q
        far = log_quotient(xp, theta_p, theta_q)
        log_ratio = xp.where(xp.abs(growth) < 0.5, xp.log1p(xp.clip(growth, -0.5, 0.5)), far)
        return (kl_terms(xp, theta_q, theta_p, log_ratio) + stirling_bregman(xp, theta_q, theta_p))[..., 0]

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        return Carried(StandardGamma(xp, theta[..., 0]), lambda x: 0.5 * x, lambda z: 2.0 * z)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return 2.0 * theta[..., 0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return 4.0 * theta[..., 0]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return 2.0 * draws.gamma(theta[..., 0], shape)

    def _theta_from(self, xp: Namespace, degrees_of_freedom: Array) -> Array:
        return 0.5 * degrees_of_freedom[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"degrees_of_freedom": 2.0 * theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"degrees_of_freedom": 2.0 * self._sharp(xp, theta, d_eta)[..., 0]}


@dataclass(frozen=True)
class Chi(Transformed):
    """The length of a vector of ν standard normal variables, for any real ν > 0.

    Mathematically, x² follows `ChiSquared`, and

    - support x ≥ 0; T(x) = log(x² / 2); h(x) = 2 e^{−x²/2} / x
    - θ = ν / 2 > 0; η = digamma(ν / 2) in R
    - ψ(θ) = log Γ(θ); φ(η) = θ digamma(θ) − log Γ(θ)
    - metric trigamma(θ)

    Ordinary parameters: `degrees_of_freedom`, shape (...), positive.

    Examples
    --------
    >>> M = ig.Chi()
    >>> theta = M.theta_from(degrees_of_freedom=[1.0, 2.0])
    >>> M.mean(theta).round(4)  # √(2 / π), half-normal; √(π / 2), Rayleigh
    array([0.7979, 1.2533])
    """

    base = ChiSquared()
    support = ClosedInterval(0)
    ordinary = ChiSquared.ordinary

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return (2.0 * xp.log(x) - log(2.0))[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return log(2.0) - 0.5 * x**2 - xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return (-theta - 0.5 * self._to_eta(xp, theta))[..., 0] + 0.5 * log(2.0)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        log_x = xp.log(x)
        return log_gamma_weight(xp, theta[..., 0], 0.5 * x**2, 2.0 * log_x - log(2.0)) + log(2.0) - log_x

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return limit_of_power(xp, theta[..., 0] - 0.5, 0.5 * log(2.0 / pi) + 0.0 * (theta[..., 0] + x))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """That of x² minus E[log 2x]."""
        return self.base._entropy(xp, theta) - 0.5 * self._to_eta(xp, theta)[..., 0] - 1.5 * log(2.0)

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        return Carried(StandardGamma(xp, theta[..., 0]), lambda x: 0.5 * x * x, lambda z: xp.sqrt(2.0 * z))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        """√2 Γ(θ + ½) / Γ(θ) = √(2θ) e^{−g}."""
        return xp.sqrt(2.0 * theta[..., 0]) * xp.exp(-_half_step_gap(xp, theta[..., 0]))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        """2θ − E[x]²."""
        return -2.0 * theta[..., 0] * xp.expm1(-2.0 * _half_step_gap(xp, theta[..., 0]))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.sqrt(self.base._draw(draws, theta, shape))

    def _theta_from(self, xp: Namespace, degrees_of_freedom: Array) -> Array:
        return self.base._theta_from(xp, degrees_of_freedom)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return self.base._parameters(xp, theta)

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return self.base._from_eta_tangent(xp, theta, d_eta)


def _gap_potential(xp: Namespace, theta: Array) -> Array:
    """θ s′(θ) − s(θ) with s the Stirling remainder: φ without the parts of log Γ that cancel elsewhere."""
    return theta * digamma_gap(xp, theta) - stirling_gap(xp, theta)


def _half_step_gap(xp: Namespace, theta: Array) -> Array:
    """½ log θ − log(Γ(θ + ½) / Γ(θ)) > 0: by steps up, each of one sign, then by the asymptotic series.

    Source: Tricomi & Erdélyi, The asymptotic expansion of a ratio of gamma functions (1951).
    """
    total, steps = 0.0 * theta, 12      # what the series leaves out is below 1e-17 from 12 on
    for j in range(steps):
        total = total + 0.5 * xp.log1p(0.25 / ((theta + j) * (theta + (j + 1))))
    inverse = 1.0 / (theta + steps)
    square = inverse * inverse
    return total + inverse * (1 / 8 - square * (1 / 192 - square * (1 / 640 - square * (17 / 14336 - square * (31 / 18432)))))
