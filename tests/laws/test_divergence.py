"""The canonical divergence: positive, zero only where equal, quadratic for near points, a Bregman divergence in both charts."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import infogeo as ig

from ..registry import every_manifold, every_primal
from ..strategies import bulk, directions, points
from .calculus import apply


@every_manifold
@given(data=st.data())
def test_positive(M, data):
    p, q = data.draw(points(M, (5,), count=2))
    divergence = ig.canonical_divergence(M, p, q)
    assert np.all(np.isfinite(divergence)) and np.array_equal(divergence > 0, np.any(p != q, axis=-1))


@every_manifold
@given(data=st.data())
def test_zero_where_equal(M, data):
    p = data.draw(points(M))
    assert np.all(ig.canonical_divergence(M, p, p) == 0)


@every_manifold
@given(data=st.data())
def test_near_points(M, data):
    """½ δ·Gδ to a relative 1e-6 for points that are 1e-10 apart.

    A dual manifold forms its divergence from the images of its points, whose rounding shows at that distance: its points are
    1e-6 apart, where the term of third order is already 1e-6 of the whole.
    """
    distance, rtol = (1e-6, 5e-5) if isinstance(M, ig.Dual) else (1e-10, 1e-6)
    p = data.draw(bulk(M))
    q = p + distance * data.draw(directions(M, p))
    step = q - p                                                    # the step as it is, after the rounding of q
    quadratic = 0.5 * np.sum(step * apply(M.metric(p), step), axis=-1)
    assert np.allclose(ig.canonical_divergence(M, p, q), quadratic, rtol=rtol, atol=0)
    assert np.allclose(ig.canonical_divergence(M, q, p), quadratic, rtol=rtol, atol=0)


@every_manifold
@given(data=st.data())
def test_bregman_in_both_charts(M, data):
    """D(p‖q) = B_ψ(θ_q : θ_p) = B_φ(η_p : η_q), each from its definition."""
    p, q = data.draw(bulk(M, count=2))
    eta_p, eta_q = M.to_eta(p), M.to_eta(q)
    in_theta = M.potential(q) - M.potential(p) - np.sum((q - p) * eta_p, axis=-1)
    in_eta = M.dual_potential(eta_p) - M.dual_potential(eta_q) - np.sum((eta_p - eta_q) * q, axis=-1)
    divergence = ig.canonical_divergence(M, p, q)
    size = 1 + np.abs(M.potential(p)) + np.abs(M.potential(q))
    size = size + np.sum(np.abs(p * eta_p) + np.abs(q * eta_p) + np.abs(q * eta_q), axis=-1)
    assert np.all(np.abs(divergence - in_theta) <= 1e-12 * size)
    assert np.all(np.abs(divergence - in_eta) <= 1e-12 * size)
    assert np.array_equal(divergence, ig.bregman(M, q, p))


@every_primal
@given(data=st.data())
def test_dual_swaps(M, data):
    p, q = data.draw(bulk(M, (4,), count=2))
    swapped = ig.canonical_divergence(M.dual, M.to_eta(q), M.to_eta(p))
    assert np.allclose(swapped, ig.canonical_divergence(M, p, q), rtol=1e-9)


@every_manifold
@given(data=st.data())
def test_jeffreys(M, data):
    """J(p, q) = (θ_p − θ_q)·(η_p − η_q), symmetric."""
    p, q = data.draw(bulk(M, (4,), count=2))
    J = ig.jeffreys(M, p, q)
    change = M.to_eta(p) - M.to_eta(q)
    size = np.sum(np.abs(p - q) * (np.abs(M.to_eta(p)) + np.abs(M.to_eta(q))), axis=-1)
    assert np.all(np.abs(J - np.sum((p - q) * change, axis=-1)) <= 1e-12 * (size + J))
    assert np.allclose(J, ig.jeffreys(M, q, p), rtol=1e-12)


@every_manifold
@given(data=st.data())
def test_three_points(M, data):
    """D(p‖q) + D(q‖r) − D(p‖r) = (η_p − η_q)·(θ_r − θ_q)."""
    p, q, r = data.draw(bulk(M, (4,), count=3))
    D = lambda a, b: ig.canonical_divergence(M, a, b)
    eta_p, eta_q = M.to_eta(p), M.to_eta(q)
    right = np.sum((eta_p - eta_q) * (r - q), axis=-1)
    size = D(p, q) + D(q, r) + D(p, r) + np.sum((np.abs(eta_p) + np.abs(eta_q)) * (np.abs(r) + np.abs(q)), axis=-1)
    assert np.all(np.abs(D(p, q) + D(q, r) - D(p, r) - right) <= 1e-12 * size)


@every_manifold
@given(data=st.data())
def test_local_expansion(M, data):
    """D(p‖p + δ) = ½ G δ² + ⅙ T δ³ and D(p + δ‖p) = ½ G δ² + ⅓ T δ³, up to order δ⁴.

    The coefficient of the third order is read off by extrapolating (D − ½ h²) / h³ to h = 0 along a unit vector.
    """
    p = data.draw(bulk(M))
    unit = data.draw(directions(M, p))
    cubic = np.einsum("...ijk,...i,...j,...k->...", M.cubic_tensor(p), unit, unit, unit)
    for order, factor in (1, 1 / 6), (-1, 1 / 3):
        steps = [0.02 / 2**k for k in range(4)]
        table = [(M.divergence(*(p, p + h * unit)[::order]) - 0.5 * h**2) / h**3 for h in steps]
        for k in range(1, len(steps)):
            table = [(2**k * fine - coarse) / (2**k - 1) for coarse, fine in zip(table, table[1:])]
        assert np.allclose(table[0], factor * cubic, rtol=1e-5, atol=1e-5)
