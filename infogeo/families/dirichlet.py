"""The Dirichlet family."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.sums import centred
from ..arrays.tracing import by_rows, computed
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, MappedDomain, OpenSimplex, Orthant
from ..domains.supports import ClosedSimplexPoints
from ..numerics.exponentials import kl_terms, log_quotient
from ..numerics.gamma_functions import (digamma_difference, digamma_gap, digamma_trigamma, log_gamma_bregman,
                                        log_gamma_difference, polygamma, stirling_bregman, stirling_gap, trigamma_difference,
                                        trigamma_gap)
from ..numerics.linalg import covariance_of_shares, with_diagonal
from ..numerics.piecewise import mended, unless_cancelled, unless_lost
from ..numerics.root import approach, root
from .base import ExponentialFamily
from .gamma import limit_of_power, mean_log_gap
from .known import known_integer

__all__ = ["Dirichlet", "concentration_of_sample"]


@lru_cache
def _mean_logarithms(k: int) -> MappedDomain:
    """The set Σ e^{η_i} < 1."""
    return MappedDomain(OpenSimplex(k), lambda xp, z: xp.log(z), lambda xp, eta: xp.sum(xp.exp(eta), axis=-1) < 1,
                        lambda name: f"sum(exp({name})) < 1")


@dataclass(frozen=True)
class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution of k probabilities, with concentration α.

    Mathematically, with α₀ = Σ α_i,

    - support: x in R^k, not negative, with sum 1; T(x) = log x; h(x) = Π 1 / x_i
    - θ = α > 0; η_i = digamma(α_i) − digamma(α₀), which fill the set Σ e^{η_i} < 1
    - ψ(θ) = Σ log Γ(α_i) − log Γ(α₀)
    - metric diag(trigamma(α_i)) − trigamma(α₀) 11ᵀ: diagonal plus rank one, so `flat` and `sharp` are O(k)

    θ is α itself, not α − 1, so that a small concentration keeps its digits; the base measure makes up for it. Densities are
    with respect to the first k − 1 coordinates.

    Ordinary parameters: `concentration`, shape (..., k), positive.

    Examples
    --------
    >>> M = ig.Dirichlet(3)
    >>> M.mean(M.theta_from(concentration=[1.0, 2.0, 5.0]))
    array([0.125, 0.25 , 0.625])
    """

    k: int

    def __post_init__(self) -> None:
        known_integer(self, "k", 2)

    @property
    def dim(self) -> int:
        return self.k

    @property
    def theta_domain(self) -> ConvexDomain:
        return Orthant(*[1] * self.k)

    @property
    def eta_domain(self) -> ConvexDomain:
        return _mean_logarithms(self.k)

    @property
    def support(self) -> Domain:
        return ClosedSimplexPoints(self.k)

    @property
    def _somewhere(self) -> Array:
        return np.full(self.k, 1.0 / self.k)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"concentration": self.theta_domain}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        own, common = xp.gammaln(theta), xp.gammaln(xp.sum(theta, axis=-1))
        direct, size = xp.sum(own, axis=-1) - common, xp.sum(xp.abs(own), axis=-1) + xp.abs(common)
        return unless_cancelled(xp, direct, size, self._careful_potential, theta)

    def _careful_potential(self, xp: Namespace, theta: Array) -> Array:
        """Σ_{i≠m} log Γ(α_i) − log(Γ(α₀) / Γ(α_m)), with α_m the largest, which may take nearly all of α₀."""
        others = xp.astype(xp.arange(self.k) != xp.argmax(theta, axis=-1, keepdims=True), theta.dtype)
        common = log_gamma_difference(xp, xp.max(theta, axis=-1), xp.sum(others * theta, axis=-1))
        return xp.sum(others * xp.gammaln(theta), axis=-1) - common

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        at_theta, at_total = xp.digamma(theta), xp.digamma(xp.sum(theta, axis=-1, keepdims=True))
        eta = at_theta - at_total
        # two of sixteen digits may go, as in `unless_cancelled`
        kept = eta < -1e-2 * (xp.abs(at_theta) + xp.abs(at_total))
        return unless_lost(xp, eta, xp.any(~(kept | xp.isnan(eta)), axis=-1), self._careful_to_eta, theta)

    @staticmethod
    def _careful_to_eta(xp: Namespace, theta: Array) -> Array:
        return -digamma_difference(xp, theta, _others(xp, theta))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        own, common = self._curvatures(xp, theta)
        diagonal = mended(xp, own - common, ~(common < 0.5 * own), lambda a, rest: trigamma_difference(xp, a, rest), theta,
                          _others(xp, theta))
        return with_diagonal(xp, xp.ones((self.k, self.k), dtype=theta.dtype) * -common[..., None], diagonal)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        own, common = polygamma(2, theta), polygamma(2, xp.sum(theta, axis=-1, keepdims=True))
        eye = xp.eye(self.k, dtype=theta.dtype)
        return eye[:, :, None] * eye[:, None, :] * own[..., None, None] - common[..., None, None]

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return by_rows(xp, partial(_concentration, xp), eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._negative_entropy(xp, self.to_theta(eta))

    def _negative_entropy(self, xp: Namespace, theta: Array) -> Array:
        """φ = Σ f(α_i) − f(α₀) with f(a) = a s′(a) − s(a): the parts of log Γ that cancel are left out."""
        total = xp.sum(theta, axis=-1)

        def f(a: Array) -> Array:
            return a * digamma_gap(xp, a) - stirling_gap(xp, a)

        return xp.sum(f(theta), axis=-1) - f(total)

    @once
    def _curvatures(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """trigamma of α (..., k) and of α₀ (..., 1)."""
        return computed(xp, polygamma(1, theta), polygamma(1, xp.sum(theta, axis=-1, keepdims=True)))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        own, common = self._curvatures(xp, theta)
        return own * vector - common * xp.sum(vector, axis=-1, keepdims=True)

    @once
    def _inverse(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """(1 / trigamma(α), Σ 1 / trigamma(α_i) − 1 / trigamma(α₀))."""
        own, common = self._curvatures(xp, theta)
        return 1.0 / own, _slack(xp, theta, own, common)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        inverse, slack = self._inverse(xp, theta)
        scaled = inverse * covector
        return scaled - inverse * (xp.sum(scaled, axis=-1, keepdims=True) / slack)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        inverse, slack = self._inverse(xp, self.to_theta(eta))
        outer = inverse[..., :, None] * inverse[..., None, :]
        return xp.eye(self.k, dtype=eta.dtype) * inverse[..., None] - outer / slack[..., None]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.log(x)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.sum(xp.log(x), axis=-1)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -xp.sum(self._to_eta(xp, theta), axis=-1)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−ψ + Σ (α_i − 1) log x_i with 0 log 0 = 0; NaN where the powers of two coordinates that are 0 differ in sign."""
        at_zero, excess = x == 0, theta - 1.0
        terms = excess * xp.log(xp.where(at_zero, xp.ones_like(x), x))
        limits = limit_of_power(xp, excess, xp.zeros_like(terms))
        return xp.sum(xp.where(at_zero, limits, terms), axis=-1) - self._potential(xp, theta)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return -self._negative_entropy(xp, theta) - self._expected_log_base_measure(xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """α₀q KL(m_q‖m_p) + Σ B_s(α_qi : α_pi) − B_s(α_q0 : α_p0), with m = α / α₀ and s the Stirling remainder of log Γ."""
        total_p, total_q = xp.sum(theta_p, axis=-1), xp.sum(theta_q, axis=-1)
        own, own_size = log_gamma_bregman(xp, theta_q, theta_p)
        common, common_size = log_gamma_bregman(xp, total_q, total_p)
        direct, size = xp.sum(own, axis=-1) - common, xp.sum(own_size, axis=-1) + common_size
        return unless_cancelled(xp, direct, size, self._careful_kl, theta_p, theta_q)

    def _careful_kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """With the largest coordinate α_m and the total α₀ taken together, which may agree to rounding; else `_near_kl`.

        Mathematically, Σ_{i≠m} B(α_qi : α_pi) − log(Γ(α_q0) / Γ(α_qm)) + log(Γ(α_p0) / Γ(α_pm))
        + (α_qm − α_pm) (digamma(α_p0) − digamma(α_pm)) + (h_q − h_p) digamma(α_p0), with B that of log Γ and h = α₀ − α_m.
        """
        largest = xp.astype(xp.arange(self.k) == xp.argmax(theta_p, axis=-1, keepdims=True), theta_p.dtype)
        a_p, a_q = xp.sum(largest * theta_p, axis=-1), xp.sum(largest * theta_q, axis=-1)
        h_p, h_q = xp.sum((1.0 - largest) * theta_p, axis=-1), xp.sum((1.0 - largest) * theta_q, axis=-1)
        own, own_size = log_gamma_bregman(xp, theta_q, theta_p)
        terms = [xp.sum((1.0 - largest) * own, axis=-1), -log_gamma_difference(xp, a_q, h_q), log_gamma_difference(xp, a_p, h_p),
                 (a_q - a_p) * digamma_difference(xp, a_p, h_p), (h_q - h_p) * xp.digamma(a_p + h_p)]
        size = xp.sum((1.0 - largest) * own_size, axis=-1) + sum(xp.abs(term) for term in terms[1:])
        return unless_cancelled(xp, sum(terms), size, self._near_kl, theta_p, theta_q)

    def _near_kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        total_p, total_q = xp.sum(theta_p, axis=-1, keepdims=True), xp.sum(theta_q, axis=-1, keepdims=True)
        # m_p / m_q − 1, from differences of coordinates, without the share of a coordinate in its own total
        step = theta_q - theta_p
        total_step = xp.sum(step, axis=-1, keepdims=True)
        apart = xp.abs(step) > 0.5 * theta_p
        change, end = xp.where(apart, theta_q, step), xp.where(apart, _others(xp, theta_q), _others(xp, step))
        growth = (theta_p * end - change * _others(xp, theta_p)) / (theta_q * total_p)
        far = log_quotient(xp, theta_p, theta_q) + log_quotient(xp, total_q, total_p)
        log_ratio = xp.where(xp.abs(growth) < 0.5, xp.log1p(xp.clip(growth, -0.5, 0.5)), far)
        means = kl_terms(xp, theta_q, theta_p * (total_q / total_p), log_ratio)
        shapes = xp.sum(stirling_bregman(xp, theta_q, theta_p), axis=-1)
        return xp.sum(means, axis=-1) + (shapes - stirling_bregman(xp, total_q, total_p, total_step)[..., 0])

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From deviations from the mean, so that a narrow sample keeps its digits."""
        mean, away = centred(xp, weights, x)
        return concentration_of_sample(xp, weights, x, mean, away)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return theta / xp.sum(theta, axis=-1, keepdims=True)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return covariance_of_shares(xp, theta) / (xp.sum(theta, axis=-1) + 1.0)[..., None, None]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """Normalised gammas, in logarithms: a gamma of shape α is one of shape α + 1 times U^{1/α}."""
        xp, full = draws.xp, (*shape, self.k)
        log_gamma = xp.log(draws.gamma(theta + 1.0, full)) + xp.log1p(-draws.uniform(full)) / theta
        weight = xp.exp(log_gamma - xp.max(log_gamma, axis=-1, keepdims=True))
        return weight / xp.sum(weight, axis=-1, keepdims=True)

    def _theta_from(self, xp: Namespace, concentration: Array) -> Array:
        return concentration

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"concentration": theta}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"concentration": self._sharp(xp, theta, d_eta)}


def concentration_of_sample(xp: Namespace, weights: Array, x: Array, mean: Array, away: Array) -> Array:
    """α of a sample x (n, ..., k) with this mean and these deviations from it; NaN where all are 0.

    Mathematically, with g_i = log m_i − E[log x_i] > 0, α_i = α₀ m_i (1 + e_i) and d(a) = digamma(a) − log a: the equations
    log(1 + e_i) + d(α_i) − d(α₀) + g_i = 0, Σ m_i e_i = 0, whose terms are all of size 1/α₀ where α₀ is large. Newton's step is
    that for α, and e_i follows from it without a difference.
    """
    gap = mean_log_gap(xp, weights, x, mean, away)
    gap = xp.where(xp.any(gap > 0, axis=-1, keepdims=True), gap, xp.full_like(gap, xp.nan))
    missing = -xp.sum(mean * xp.expm1(-gap), axis=-1, keepdims=True)              # 1 − Σ e^{η_i}
    alpha = _concentration_near(xp, xp.log(mean) - gap, 0.5 * (gap.shape[-1] - 1.0 + missing) / missing)
    total = xp.sum(alpha, axis=-1, keepdims=True)

    def balanced(excess: Array) -> Array:
        """Without Σ m_i e_i, which rounding of the means leaves."""
        return excess - xp.sum(mean * excess, axis=-1, keepdims=True) / xp.sum(mean, axis=-1, keepdims=True)

    def newton(state: Array) -> tuple[Array, Array]:
        total, excess = state[..., :1], state[..., 1:]
        alpha = total * mean * (1.0 + excess)
        residual = xp.log1p(excess) + digamma_gap(xp, alpha) - digamma_gap(xp, total) + gap
        step = -_newton_step(xp, alpha, residual, polygamma(1, alpha), polygamma(1, total))
        bound = xp.min(xp.where(step < 0, -0.75 * alpha / step, xp.ones_like(step)), axis=-1, keepdims=True)
        step = xp.minimum(bound, 1.0 + 0.0 * bound) * step
        grown = total + xp.sum(step, axis=-1, keepdims=True)
        ahead = (excess * total * mean + step - mean * (grown - total)) / (grown * mean)
        return xp.concat([grown, balanced(ahead)], axis=-1), xp.max(xp.abs(step) / alpha, axis=-1, keepdims=True)

    state = root(xp, xp.concat([total, balanced(alpha / (total * mean) - 1.0)], axis=-1), newton, "Dirichlet concentration")
    return state[..., :1] * mean * (1.0 + state[..., 1:])


def _concentration(xp: Namespace, eta: Array) -> Array:
    """α > 0 with digamma(α_i) − digamma(Σ α) = η_i, Σ e^{η_i} < 1; NaN where that sum is 1 up to the rounding of its terms.

    Newton on all of α, whose Hessian is diagonal plus rank one: first with digammas to an absolute ε, which are cheap, then,
    mostly once, with the differences of `to_eta`, which do not cancel.
    """
    k, eps = eta.shape[-1], float(xp.finfo(eta.dtype).eps)

    def stepped(alpha: Array, residual: Array, own: Array, common: Array) -> tuple[Array, Array]:
        step = _newton_step(xp, alpha, residual, own, common)
        return xp.maximum(alpha - step, 0.25 * alpha), xp.max(xp.abs(step) / alpha, axis=-1, keepdims=True)

    def rough(alpha: Array) -> Array:
        first, own = digamma_trigamma(xp, alpha)
        first_total, common = digamma_trigamma(xp, xp.sum(alpha, axis=-1, keepdims=True))
        return stepped(alpha, first - first_total - eta, own, common)

    def exact(alpha: Array) -> Array:
        own, common = polygamma(1, alpha), polygamma(1, xp.sum(alpha, axis=-1, keepdims=True))
        return stepped(alpha, -digamma_difference(xp, alpha, _others(xp, alpha)) - eta, own, common)

    spread = xp.sum(xp.exp(eta), axis=-1, keepdims=True)
    left = xp.where(1.0 - spread > k * eps, 1.0 - spread, xp.nan)       # (k − 1) / (2 Σ α): beyond 1e15 it has no digit
    start = _concentration_near(xp, eta, 0.5 * (k - spread) / left)
    alpha, _, _ = approach(xp, start, rough, 0.1 * eps**0.5, 20)
    return root(xp, alpha, exact, "Dirichlet concentration")


def _concentration_near(xp: Namespace, eta: Array, total: Array) -> Array:
    """A start: Σ digamma⁻¹(η_i + digamma(s)) = s to a percent, by Newton in log s from s = `total`, shape (..., 1).

    Mathematically, the k equations reduce to this one in s = Σ α; with the elementary approximation of digamma⁻¹, Minka 2000,
    appendix C.
    """
    def newton(s: Array) -> tuple[Array, Array]:
        alpha, slope = _elementary_inverse_digamma(xp, eta + xp.digamma(s))
        excess = xp.sum(alpha, axis=-1, keepdims=True) - s
        change = excess / (s * (1.0 - polygamma(1, s) * xp.sum(slope, axis=-1, keepdims=True)))
        change = xp.where(xp.isfinite(change), change, xp.sign(excess) + xp.zeros_like(change))
        return s * xp.exp(xp.clip(change, -3.0, 3.0)), change

    total, _, _ = approach(xp, total, newton, 1e-2, 12)
    return _elementary_inverse_digamma(xp, eta + xp.digamma(total))[0]


def _others(xp: Namespace, alpha: Array) -> Array:
    """Σ_{j≠i} α_j for every i, from sums before and after it: a small rest of a large total keeps its digits."""
    k = alpha.shape[-1]
    zero = xp.zeros_like(alpha[..., :1])
    before = xp.concat([zero, xp.cumulative_sum(alpha[..., :k - 1], axis=-1)], axis=-1)
    after = xp.concat([zero, xp.cumulative_sum(xp.flip(alpha[..., 1:], axis=-1), axis=-1)], axis=-1)
    return before + xp.flip(after, axis=-1)


def _newton_step(xp: Namespace, alpha: Array, residual: Array, own: Array, common: Array) -> Array:
    """The inverse metric at α, of trigammas `own` and `common`, applied to the residual."""
    scaled = residual / own
    return scaled - xp.sum(scaled, axis=-1, keepdims=True) / (_slack(xp, alpha, own, common) * own)


def _slack(xp: Namespace, alpha: Array, own: Array, common: Array) -> Array:
    """Σ 1 / trigamma(α_i) − 1 / trigamma(α₀), from 1 / trigamma(a) = a − a s″(a) / trigamma(a), in which the sums of a cancel."""
    total = xp.sum(alpha, axis=-1, keepdims=True)
    rest = xp.sum(alpha * trigamma_gap(xp, alpha, own) / own, axis=-1, keepdims=True)
    return total * trigamma_gap(xp, total, common) / common - rest


def _elementary_inverse_digamma(xp: Namespace, y: Array) -> tuple[Array, Array]:
    """An approximation of digamma⁻¹ to a few percent, and its slope."""
    large = xp.exp(xp.minimum(y, 600.0 + 0.0 * y))
    small = -1.0 / (y + 0.5772156649015329)
    near_zero = y < -2.22       # where the two are equally good; γ = 0.577… is Euler's constant
    return xp.where(near_zero, small, large + 0.5), xp.where(near_zero, small * small, large)
