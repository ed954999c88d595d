"""Skew divergences: what they are in ψ, their symmetries, limits and order, in one dually flat manifold after another."""
import numpy as np

from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, renyi, squared_hellinger, tsallis
from infogeo.geometry.divergences.divergence import fenchel_young
from infogeo.geometry.divergences.skew import bhattacharyya, jensen_bregman
from infogeo.geometry.divergences.total_bregman import total_bregman
from infogeo.testing.law import at_least, equal

from ..registry import every_primal, region
from .drawn import assert_laws


def size_of(M, *points):
    """The terms of a difference of potentials, and what a rounding of the points does to it."""
    terms = [np.abs(M.potential(x)) + np.sum(np.abs(x * M.to_eta(x)), axis=-1) for x in points]
    return 1.0 + sum(terms)


def column(*numbers):
    """Orders or skews along a first axis of their own."""
    return np.array(numbers)[:, None]


def skew_divergence_is_the_gap_below_the_chord(M, p, q):
    """J_s = s ψ(θ_p) + (1 − s) ψ(θ_q) − ψ(θ_s) ≥ 0; Bhattacharyya's distance is J_½."""
    s = column(0.0, 1e-9, 0.25, 0.5, 0.9, 1.0)
    J = jensen_bregman(M, p, q, s)
    gap = s * M.potential(p) + (1 - s) * M.potential(q) - M.potential(s[..., None] * p + (1 - s[..., None]) * q)
    yield equal("J_s", J, "the gap", gap, 1e-13 * size_of(M, p, q))
    yield at_least("J_s", J, "zero", 0.0)
    yield equal("Bhattacharyya's distance", bhattacharyya(M, p, q), "J_½", J[3], 1e-14 * J[3])


def skew_divergence_beyond_the_points(M, p, q):
    """J_s = s ψ(θ_p) + (1 − s) ψ(θ_q) − ψ(θ_s) ≤ 0 for s > 1 and s < 0 where θ_s is in the domain, and −∞ where it is not."""
    s = column(-0.7, 1.5, 4.0, 12.0)
    J, point = jensen_bregman(M, p, q, s), s[..., None] * p + (1 - s[..., None]) * q
    inside = M.theta_domain.contains(point)
    yield equal("−∞", J == -np.inf, "outside", ~inside)
    at = np.where(inside[..., None], point, p)
    gap = s * M.potential(p) + (1 - s) * M.potential(q) - M.potential(at)
    tolerance = 1e-12 * (1 + np.abs(s)) * size_of(M, p, q, at)
    yield equal("J_s", np.where(inside, J, 0.0), "the gap", np.where(inside, gap, 0.0), tolerance)


def skew_and_alpha_are_symmetric(M, p, q):
    """J_s(p : q) = J_{1−s}(q : p), D^(α)(p‖q) = D^(−α)(q‖p); Hellinger's distance is symmetric."""
    s, alpha = column(0.25, 0.9), column(-1.0, -0.5, 0.0, 0.3, 1.0)
    J, D, H = jensen_bregman(M, p, q, s), alpha_divergence(M, p, q, alpha), squared_hellinger(M, p, q)
    yield equal("J_s(p : q)", J, "J_{1−s}(q : p)", jensen_bregman(M, q, p, 1 - s), 1e-12 * J)
    yield equal("D^(α)(p‖q)", D, "D^(−α)(q‖p)", alpha_divergence(M, q, p, -alpha), 1e-12 * D)
    yield equal("H²(p, q)", H, "H²(q, p)", squared_hellinger(M, q, p), 1e-12 * H)
    yield equal("D^(0)", D[2], "4 H²", 4 * H, 1e-14 * H)


def limits_are_the_canonical_divergences(M, p, q):
    """At order 1 and at α = ∓1 they are D(p‖q) and D(q‖p), to full precision and continuously."""
    forward, backward = M.divergence(p, q), M.divergence(q, p)
    tiny = column(0.0, 1e-12, 1e-15)
    tolerance = 1e-11 * (forward + forward**2 + backward + backward**2) * (tiny > 0) + 1e-15 * (forward + backward)
    yield equal("Rényi, a → 1", renyi(M, p, q, 1.0 - tiny), "D(p‖q)", forward, tolerance)
    yield equal("Tsallis, a → 1", tsallis(M, p, q, 1.0 - tiny), "D(p‖q)", forward, tolerance)
    yield equal("α → −1", alpha_divergence(M, p, q, -1.0 + tiny), "D(p‖q)", forward, tolerance)
    yield equal("α → 1", alpha_divergence(M, p, q, 1.0 - tiny), "D(q‖p)", backward, tolerance)


def renyi_divergence_rises_with_the_order(M, p, q):
    """D_a ≤ D_b for 0 ≤ a ≤ b; and (1/a − 1) D_a falls with a in (0, 1)."""
    orders = column(0.0, 0.2, 0.5, 0.9, 1.0, 1.1, 2.0, 5.0)
    D = renyi(M, p, q, orders)
    low = np.where(np.isfinite(D[:-1]), D[:-1], 0.0)
    yield equal("+∞ once it is", np.isinf(D[1:]) | ~np.isinf(D[:-1]), "true", True)
    yield at_least("D_b", D[1:], "D_a", low, 1e-13 * low)
    falling = (1 / orders[1:5] - 1) * D[1:5]
    yield at_least("(1/a − 1) D_a", falling[:-1], "(1/b − 1) D_b", falling[1:], 1e-13 * falling[:-1])


def power_integrals_are_one_family(M, p, q):
    """χ² = e^{D_2} − 1, T_a = (e^{(a−1) D_a} − 1) / (a − 1), D^(α) = T_a / a at a = (1 − α)/2."""
    a = column(0.25, 0.5, 0.9)
    T, D = tsallis(M, p, q, a), renyi(M, p, q, a)
    yield equal("T_a", T, "(e^{(a−1) D_a} − 1) / (a − 1)", np.expm1((a - 1) * D) / (a - 1), 1e-13 * T)
    yield equal("D^(1−2a)", alpha_divergence(M, p, q, 1 - 2 * a), "T_a / a", T / a, 1e-12 * T / a)
    with np.errstate(over="ignore"):
        expected = np.expm1(renyi(M, p, q, 2.0))
    finite = np.isfinite(expected)
    chi2 = chi_squared(M, p, q)
    yield equal("χ² is finite", np.isfinite(chi2), "e^{D_2} − 1", finite)
    expected = np.where(finite, expected, 0.0)
    yield equal("χ²", np.where(finite, chi2, 0.0), "e^{D_2} − 1", expected, 1e-12 * expected)


def conformal_and_mixed_forms(M, p, q):
    """tB(p : q) = B(p : q) / √(1 + |η_q|²); Y(θ_p, η_q) = D(q‖p) = ψ(θ_p) + φ(η_q) − θ_p·η_q, and 0 for one point."""
    eta = M.to_eta(q)
    slant = np.sqrt(1 + np.sum(eta**2, axis=-1))
    B = M.divergence(q, p)
    yield equal("tB(p : q) √(1 + |η_q|²)", total_bregman(M, p, q) * slant, "B(p : q)", B, 1e-13 * B)
    definition = M.potential(p) + M.dual_potential(eta) - np.sum(p * eta, axis=-1)
    cross = np.sum(np.abs(p * eta), axis=-1)
    yield equal("Y(θ_p, η_q)", fenchel_young(M, p, eta), "ψ + φ − θ·η", definition, 1e-11 * (size_of(M, p, q) + cross))


LAWS = (skew_divergence_is_the_gap_below_the_chord, skew_divergence_beyond_the_points, skew_and_alpha_are_symmetric,
        limits_are_the_canonical_divergences, renyi_divergence_rises_with_the_order, power_integrals_are_one_family,
        conformal_and_mixed_forms)


@every_primal
def test_of_two_points(M):
    rng = np.random.default_rng(81)
    assert_laws(LAWS, M, *(region(M).sample(rng, (4,), 0.5) for _ in range(2)))


@every_primal
def test_of_the_dual_manifold(M):
    """The same formulas with φ for ψ, at mean parameters."""
    rng = np.random.default_rng(82)
    assert_laws(LAWS[:2], M.dual, *(M.to_eta(region(M).sample(rng, (3,), 0.5)) for _ in range(2)))
