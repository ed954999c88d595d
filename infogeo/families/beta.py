"""The beta family."""
from dataclasses import dataclass

import numpy as np

from ..arrays.draws import Draws
from ..arrays.sums import average, centred
from ..backend import Array, Namespace
from ..domains.supports import ClosedInterval, Interval
from ..numerics.incomplete_beta import log_beta_weight
from .cumulative import StandardBeta
from .dirichlet import Dirichlet, concentration_of_sample
from .gamma import limit_of_power
from .transformed import Transformed

__all__ = ["Beta"]


@dataclass(frozen=True)
class Beta(Transformed):
    """The beta distribution of a probability, with parameters α and β.

    Mathematically, (x, 1 − x) follows `Dirichlet(2)`, and with α₀ = α + β

    - support 0 ≤ x ≤ 1; T(x) = (log x, log(1 − x)); h(x) = 1 / (x (1 − x))
    - θ = (α, β) > 0; η = (digamma(α) − digamma(α₀), digamma(β) − digamma(α₀)), e^{η₁} + e^{η₂} < 1
    - ψ(θ) = log Γ(α) + log Γ(β) − log Γ(α₀)
    - metric diag(trigamma(α), trigamma(β)) − trigamma(α₀) 11ᵀ

    θ is (α, β) itself, not less 1, so that small parameters keep their digits; the base measure makes up for it.

    Ordinary parameters: `alpha`, `beta`, positive, shapes (...).

    Examples
    --------
    >>> M = ig.Beta()
    >>> M.cdf(M.theta_from(alpha=2.0, beta=3.0), [0.2, 0.5]).round(4)
    array([0.1808, 0.6875])
    """

    base = Dirichlet(2)
    support = ClosedInterval(0, 1)
    ordinary = {"alpha": Interval(0), "beta": Interval(0)}
    _somewhere = np.asarray(0.5)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([xp.log(x), xp.log1p(-x)], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x) - xp.log1p(-x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self.base._expected_log_base_measure(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return log_beta_density(xp, theta[..., 0], theta[..., 1], x, 1.0 - x)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        alpha, beta = theta[..., 0], theta[..., 1]
        at_zero = limit_of_power(xp, alpha - 1.0, xp.log(beta) + 0.0 * x)
        return xp.where(x == 0, at_zero, limit_of_power(xp, beta - 1.0, xp.log(alpha) + 0.0 * x))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self.base._entropy(xp, theta)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From deviations from the mean, so that a narrow sample keeps its digits."""
        mean, away = centred(xp, weights, x)
        both = xp.stack([mean, average(xp, weights, 1.0 - x)], axis=-1)
        return concentration_of_sample(xp, weights, xp.stack([x, 1.0 - x], axis=-1), both, xp.stack([away, -away], axis=-1))

    def _cumulative(self, xp: Namespace, theta: Array) -> StandardBeta:
        return StandardBeta.of_parameters(xp, theta[..., 0], theta[..., 1])

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return theta[..., 0] / xp.sum(theta, axis=-1)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        total = xp.sum(theta, axis=-1)
        return theta[..., 0] / total * (theta[..., 1] / total) / (total + 1.0)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.base._draw(draws, theta, shape)[..., 0]

    def _theta_from(self, xp: Namespace, alpha: Array, beta: Array) -> Array:
        return xp.stack(xp.broadcast_arrays(alpha, beta), axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"alpha": theta[..., 0], "beta": theta[..., 1]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        vector = self._sharp(xp, theta, d_eta)
        return {"alpha": vector[..., 0], "beta": vector[..., 1]}


def log_beta_density(xp: Namespace, alpha: Array, beta: Array, x: Array, y: Array) -> Array:
    """log of the density x^{α−1} y^{β−1} / B(α, β), y = 1 − x, also where α and β are large."""
    return log_beta_weight(xp, alpha, beta, x, y) - xp.log(x) - xp.where(x < 0.5, xp.log1p(-x), xp.log(y))
