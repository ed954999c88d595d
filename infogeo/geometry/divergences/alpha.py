"""Divergences of a power integral ∫ p^s q^{1−s}. Arguments are primal coordinates of the manifold that comes first.

On every dually flat manifold e^{−J_s} with the skew Jensen–Bregman divergence J_s takes the place of the integral, which it is in
an exponential family: all its members have the base measure in common.
"""
import numpy as np

from ...arrays.graphs import one_operation
from ...backend import Array, arrays
from ...errors import takes
from ...objectives.skew import scaled_jensen
from ..manifolds.manifold import DuallyFlat
from .skew import bhattacharyya, coerced

__all__ = ["alpha_divergence", "chi_squared", "hellinger", "renyi", "squared_hellinger", "tsallis"]


@takes(DuallyFlat)
@one_operation
def alpha_divergence(M: DuallyFlat, theta_p: Array, theta_q: Array, alpha: Array) -> Array:
    """The α-divergence D^(α)(p‖q) in Amari's sign, shape (...): KL(p‖q) at α = −1, KL(q‖p) at α = 1.

    Mathematically, 4 / (1 − α²) (1 − ∫ p^{(1−α)/2} q^{(1+α)/2}); D^(α)(p‖q) = D^(−α)(q‖p); D^(0) = 4 H². To full precision for
    α near ±1, where it is continuous.

    Shapes: θ_p, θ_q (..., d); α (...); batches broadcast.
    Domain: any finite α; +∞ where the integral diverges.
    Raises: DomainError for α that is not finite.
    Source: Amari, Information Geometry and Its Applications (2016), section 3.5.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[2.0, 3.0])
    >>> ig.alpha_divergence(M, p, q, [-1.0, 0.0, 1.0]).round(4)
    array([0.1891, 0.197 , 0.2164])
    >>> M.kl([p, q], [q, p]).round(4)
    array([0.1891, 0.2164])
    """
    theta_p, theta_q, alpha = coerced(M, theta_p, theta_q, "alpha", alpha)
    return _deficit(M, theta_p, theta_q, 0.5 * (1.0 - alpha))


@takes(DuallyFlat)
@one_operation
def renyi(M: DuallyFlat, theta_p: Array, theta_q: Array, order: Array) -> Array:
    """The Rényi divergence of order a, log ∫ p^a q^{1−a} / (a − 1) = J_a / (1 − a), shape (...), nats: KL(p‖q) at a = 1.

    Shapes: θ_p, θ_q (..., d); a (...); batches broadcast.
    Domain: any finite order; it does not decrease with it. +∞ where the integral diverges for a > 1, −∞ for a < 0.
    Raises: DomainError for an order that is not finite.
    Source: van Erven & Harremoës, Rényi divergence and Kullback–Leibler divergence, IEEE Trans. Inf. Theory 60 (2014).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> ig.renyi(M, p, q, [0.5, 1.0, 2.0]).round(12)  # a · 2² / 2
    array([1., 2., 4.])
    """
    theta_p, theta_q, order = coerced(M, theta_p, theta_q, "order", order)
    return order * scaled_jensen(M, theta_p, theta_q, order)


@takes(DuallyFlat)
@one_operation
def tsallis(M: DuallyFlat, theta_p: Array, theta_q: Array, order: Array) -> Array:
    """The Tsallis divergence of order a, (∫ p^a q^{1−a} − 1) / (a − 1), shape (...): KL(p‖q) at a = 1.

    Shapes: θ_p, θ_q (..., d); a (...); batches broadcast.
    Domain: any finite order. +∞ where the integral diverges for a > 1, −∞ for a < 0.
    Raises: DomainError for an order that is not finite.
    Source: Tsallis, Generalized entropy-based criterion for consistent testing, Phys. Rev. E 58 (1998).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> p, q = M.theta_from(probability=[0.5, 0.2])
    >>> ig.tsallis(M, p, q, [1.0, 2.0]).round(4)  # KL and χ²
    array([0.2231, 0.5625])
    """
    theta_p, theta_q, order = coerced(M, theta_p, theta_q, "order", order)
    return order * _deficit(M, theta_p, theta_q, order)


@takes(DuallyFlat)
@one_operation
def chi_squared(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """Pearson's χ²(p‖q) = ∫ (p − q)² / q = e^{ψ(2θ_p − θ_q) − 2ψ(θ_p) + ψ(θ_q)} − 1, shape (...).

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Domain: +∞ where 2θ_p − θ_q is outside the domain and the integral diverges.
    Source: Nielsen & Nock, On the chi square and higher-order chi distances, IEEE Signal Process. Lett. 21 (2014).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> p, q = M.theta_from(probability=[0.5, 0.2])
    >>> float(ig.chi_squared(M, p, q).round(12))  # 0.3² / 0.2 + 0.3² / 0.8
    0.5625
    """
    return tsallis(M, theta_p, theta_q, order=2.0)


@takes(DuallyFlat)
@one_operation
def squared_hellinger(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The squared Hellinger distance H² = ½ ∫ (√p − √q)² = 1 − ∫ √(p q), symmetric, in [0, 1], shape (...).

    Shapes: θ_p, θ_q (..., d); batches broadcast.

    Examples
    --------
    >>> M = ig.Categorical(2)
    >>> p, q = M.theta_from(probabilities=[[0.5, 0.5], [0.9, 0.1]])
    >>> H2 = ig.squared_hellinger(M, p, q)
    >>> float(H2.round(4))  # 1 − √(0.5 · 0.9) − √(0.5 · 0.1)
    0.1056
    """
    xp, distance = arrays(bhattacharyya(M, theta_p, theta_q))
    return -xp.expm1(-distance)


@takes(DuallyFlat)
@one_operation
def hellinger(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The Hellinger distance H, a metric, in [0, 1], shape (...); without the square: that is `squared_hellinger`.

    Shapes: θ_p, θ_q (..., d); batches broadcast.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> float(ig.hellinger(M, p, q).round(4))  # √(1 − e^{−(2 − 1)² / 2})
    0.6273
    """
    xp, square = arrays(squared_hellinger(M, theta_p, theta_q))
    return xp.sqrt(square)


def _deficit(M: DuallyFlat, theta_p: Array, theta_q: Array, s: Array) -> Array:
    """(1 − ∫ p^s q^{1−s}) / (s (1 − s)), continuous through s = 0 and s = 1."""
    xp, scaled, s = arrays(scaled_jensen(M, theta_p, theta_q, s), s)
    weight = s * (1.0 - s)
    flat = weight == 0.0
    with np.errstate(over="ignore", invalid="ignore"):              # an integral beyond the largest float is inf
        deficit = -xp.expm1(-weight * scaled) / xp.where(flat, xp.ones_like(weight), weight)
    return xp.where(flat, scaled, deficit)
