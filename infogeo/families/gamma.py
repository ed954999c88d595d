"""The gamma family."""
from dataclasses import dataclass

from ..arrays.draws import Draws
from ..arrays.sums import average, centred
from ..arrays.tracing import surely
from ..backend import Array, Namespace, coerced
from ..domains.chart import Chart
from ..domains.convex import MappedDomain, Orthant
from ..domains.supports import ClosedInterval, Interval
from ..numerics.exponentials import log_quotient, ratio_gap
from ..numerics.gamma_functions import (digamma_gap, log_gamma_bregman, log_gamma_weight, polygamma, stirling_bregman,
                                        stirling_gap, trigamma_gap)
from ..numerics.linalg import symmetric2
from ..numerics.piecewise import unless_cancelled, unless_lost
from ..numerics.root import root
from .base import ExponentialFamily
from .cumulative import Carried, StandardGamma

__all__ = ["Gamma", "limit_of_power", "mean_log_gap"]


class _LogGapChart(Chart):
    """(c, m) to (log m − c, m), with c = log E x − E log x > 0, a function of the shape alone, and the mean m."""

    def __call__(self, u: Array) -> Array:
        xp, u = coerced(u)
        return xp.stack([xp.log(u[..., 1]) - u[..., 0], u[..., 1]], axis=-1)

    def inverse(self, x: Array) -> Array:
        return self(x)                      # twice is the identity

    def push_forward(self, u: Array, vector: Array) -> Array:
        xp, u, vector = coerced(u, vector)
        first = vector[..., 1] / u[..., 1] - vector[..., 0]
        return xp.stack([first, vector[..., 1] + 0.0 * first], axis=-1)

    pull_in = push_forward                  # J is its own inverse

    def pull_back(self, u: Array, covector: Array) -> Array:
        xp, u, covector = coerced(u, covector)
        second = covector[..., 0] / u[..., 1] + covector[..., 1]
        return xp.stack([0.0 * second - covector[..., 0], second], axis=-1)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, u, vector, covector = coerced(u, vector, covector)
        second = -covector[..., 0] * vector[..., 1] / u[..., 1] ** 2
        return xp.stack([0.0 * second, second], axis=-1)


@dataclass(frozen=True)
class Gamma(ExponentialFamily):
    """The gamma distribution of shape α and rate β.

    Mathematically,

    - support x ≥ 0; T(x) = (log x, x); h(x) = 1 / x
    - θ = (α, −β), θ₁ > 0 > θ₂; η = (digamma(α) − log β, α / β), η₁ < log η₂
    - ψ(θ) = log Γ(α) − α log β; φ(η) = α digamma(α) − α − log Γ(α)
    - metric [[trigamma(α), 1/β], [1/β, α/β²]]

    θ₁ is α itself, not α − 1, so that a small shape keeps its digits; the base measure makes up for it.

    Ordinary parameters: `shape`, `rate`, positive, shapes (...).

    Examples
    --------
    >>> M = ig.Gamma()
    >>> M.kl(M.theta_from(shape=2.0, rate=1.0), M.theta_from(shape=[2.0, 3.0], rate=1.0)).round(4)
    array([0.    , 0.2704])
    """

    dim = 2
    theta_domain = Orthant(1, -1)
    eta_domain = MappedDomain(Orthant(1, 1), _LogGapChart(),
                              lambda xp, eta: (eta[..., 1] > 0) & (eta[..., 0] < xp.log(eta[..., 1])),
                              lambda name: f"{name}[1] > 0 and {name}[0] < log({name}[1])")
    support = ClosedInterval(0)
    observed = 1
    ordinary = {"shape": Interval(0), "rate": Interval(0)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return xp.gammaln(theta[..., 0]) - theta[..., 0] * xp.log(-theta[..., 1])

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return xp.stack([xp.digamma(theta[..., 0]) - xp.log(-theta[..., 1]), -theta[..., 0] / theta[..., 1]], axis=-1)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        inverse = -1.0 / theta[..., 1]
        return symmetric2(xp, polygamma(1, theta[..., 0]), inverse, theta[..., 0] * inverse**2)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        alpha, inverse = theta[..., 0], -1.0 / theta[..., 1]
        zero = 0.0 * alpha
        first = symmetric2(xp, polygamma(2, alpha), zero, inverse**2)
        second = symmetric2(xp, zero, inverse**2, 2.0 * alpha * inverse**3)
        return xp.stack([first, second], axis=-3)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        alpha = shape_from_log_gap(xp, xp.log(eta[..., 1]) - eta[..., 0])
        return xp.stack([alpha, -alpha / eta[..., 1]], axis=-1)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return _shape_potential(xp, self.to_theta(eta)[..., 0])

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        alpha, inverse = theta[..., 0], -1.0 / theta[..., 1]
        a, b = vector[..., 0], vector[..., 1]
        return xp.stack([polygamma(1, alpha) * a + inverse * b, inverse * (a + alpha * inverse * b)], axis=-1)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        alpha, beta = theta[..., 0], -theta[..., 1]
        scaled = beta / alpha * covector[..., 1]
        a = (covector[..., 0] - scaled) / trigamma_gap(xp, alpha)
        return xp.stack([a, beta * (scaled - a / alpha)], axis=-1)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        theta = self.to_theta(eta)
        alpha, beta = theta[..., 0], -theta[..., 1]
        determinant = trigamma_gap(xp, alpha)      # of the metric, times β²/α
        return symmetric2(xp, 1.0 / determinant, -beta / (alpha * determinant),
                          polygamma(1, alpha) * beta**2 / (alpha * determinant))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([xp.log(x), x], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -self._to_eta(xp, theta)[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        scaled = -theta[..., 1] * x
        return log_gamma_weight(xp, theta[..., 0], scaled, xp.log(scaled)) - xp.log(x)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return limit_of_power(xp, theta[..., 0] - 1.0, xp.log(-theta[..., 1]) + 0.0 * x)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._to_eta(xp, theta)[..., 0] - _shape_potential(xp, theta[..., 0])

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """α_q (r − 1 − log r) + B_s(α_q : α_p), with r the ratio of the means and s the Stirling remainder of log Γ.

        Far points by the textbook formula B_{log Γ}(α_q : α_p) − α_q log(β_q / β_p) + α_p (β_q / β_p − 1).
        """
        shapes, size = log_gamma_bregman(xp, theta_q[..., 0], theta_p[..., 0])
        ratio = theta_q[..., 1] / theta_p[..., 1]
        logarithm = theta_q[..., 0] * log_quotient(xp, theta_q[..., 1], theta_p[..., 1])
        excess = theta_p[..., 0] * (ratio - 1.0)
        size = size + xp.abs(logarithm) + xp.abs(excess) + theta_p[..., 0] + theta_q[..., 0]   # for the rounding of the ratio
        return unless_cancelled(xp, shapes - logarithm + excess, size, self._careful_kl, theta_p, theta_q)

    def _careful_kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        shape_p, shape_q = theta_p[..., 0], theta_q[..., 0]
        # r − 1 = (α_p β_q − α_q β_p) / (α_q β_p), from differences of coordinates
        step = theta_q - theta_p
        growth = (shape_p * step[..., 1] - theta_p[..., 1] * step[..., 0]) / (shape_q * theta_p[..., 1])
        ratio = (shape_p / shape_q) * (theta_q[..., 1] / theta_p[..., 1])
        growth = xp.where(xp.abs(ratio - 1.0) < 0.5, growth, ratio - 1.0)
        means = unless_lost(xp, shape_q * ratio_gap(xp, ratio, growth), ~((ratio > 1e-30) & (ratio < 1e30)), self._far_means,
                            theta_p, theta_q)
        return means + stirling_bregman(xp, shape_q, shape_p)

    @staticmethod
    def _far_means(xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """α_q (r − 1 − log r) where r may be out of range: α_q r is α_p β_q / β_p."""
        (shape_p, rate_p), (shape_q, rate_q) = ((theta[..., 0], theta[..., 1]) for theta in (theta_p, theta_q))
        logarithm = log_quotient(xp, shape_p, shape_q) + log_quotient(xp, rate_q, rate_p)
        return shape_p * (rate_q / rate_p) - shape_q - shape_q * logarithm

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        alpha, rate = theta[..., 0], -theta[..., 1]
        return Carried(StandardGamma(xp, alpha), lambda x: rate * x, lambda z: z / rate)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From log mean − mean log, formed from deviations from the mean, so that a large shape keeps its digits."""
        mean, away = centred(xp, weights, x)
        alpha = shape_from_log_gap(xp, mean_log_gap(xp, weights, x, mean, away))
        return xp.stack([alpha, -alpha / mean], axis=-1)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.gamma(theta[..., 0], shape) / -theta[..., 1]

    def _theta_from(self, xp: Namespace, shape: Array, rate: Array) -> Array:
        shape, rate = xp.broadcast_arrays(shape, rate)
        return xp.stack([shape, -rate], axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"shape": theta[..., 0], "rate": -theta[..., 1]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        vector = self._sharp(xp, theta, d_eta)
        return {"shape": vector[..., 0], "rate": -vector[..., 1]}

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        """With r = βx/α: dα = (digamma(α) − log α + r − 1 − log r) / (trigamma(α) − 1/α), dβ = β (dα/α + r − 1).

        η − T(x) of a large shape is a difference of near numbers; this is none.
        """
        alpha, beta = theta[..., 0], -theta[..., 1]
        growth = (beta * x - alpha) / alpha
        d_shape = (digamma_gap(xp, alpha) + ratio_gap(xp, beta * x / alpha, growth)) / trigamma_gap(xp, alpha)
        return {"shape": d_shape, "rate": beta * (d_shape / alpha + growth)}


def mean_log_gap(xp: Namespace, weights: Array, x: Array, mean: Array, away: Array) -> Array:
    """log E[x] − E[log x] ≥ 0 of a sample of positive numbers with this mean and these deviations from it.

    As a difference, where that keeps 14 digits; of a narrow sample as the mean of r − 1 − log r, r = x / E[x].
    """
    log_x, log_mean = xp.log(x), xp.log(mean)
    direct = log_mean - average(xp, weights, log_x)
    if surely(xp, xp.all(direct > 1e-2 * (xp.abs(log_mean) + xp.max(xp.abs(log_x), axis=0)))):
        return direct
    return average(xp, weights, ratio_gap(xp, x / mean, away / mean))


def limit_of_power(xp: Namespace, exponent: Array, level: Array) -> Array:
    """The limit of level + exponent · log x as x falls to 0: ∓∞ for an exponent of either sign."""
    at_zero = xp.where(exponent > 0, xp.full_like(level, -xp.inf), level)
    return xp.where(exponent < 0, xp.full_like(at_zero, xp.inf), at_zero)


def _shape_potential(xp: Namespace, alpha: Array) -> Array:
    """φ = α digamma(α) − α − log Γ(α) = α s′(α) − s(α), with s the Stirling remainder."""
    return alpha * digamma_gap(xp, alpha) - stirling_gap(xp, alpha)


def shape_from_log_gap(xp: Namespace, gap: Array) -> Array:
    """The shape α with log α − digamma(α) = gap > 0; NaN for other gaps.

    Source: Minka, Estimating a gamma distribution (2002), equations 9 and 10: a start of 3 % accuracy, then Newton in 1/α.
    """
    gap = xp.where(gap > 0, gap, xp.full_like(gap, xp.nan))
    alpha = (3.0 - gap + xp.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap)
    alpha = xp.where(gap > 100.0, 1.0 / gap, alpha)         # where 3 − gap and the root cancel

    def newton(alpha: Array, gap: Array) -> tuple[Array, Array]:
        """1/α⁺ = 1/α + (log α − digamma(α) − gap) / (α² (1/α − trigamma(α)))."""
        correction = (digamma_gap(xp, alpha) + gap) / (alpha * trigamma_gap(xp, alpha))
        return alpha / (1.0 + correction), correction

    return root(xp, alpha, newton, "gamma shape", gap)
