"""Midpoints, ends and speeds of the geodesics of the two flat connections."""
import numpy as np
import pytest

import infogeo as ig

FAMILY = ig.Categorical(3)
P, Q = (FAMILY.theta_from(probabilities=p) for p in ([0.5, 0.3, 0.2], [0.1, 0.2, 0.7]))


def probabilities(theta):
    return FAMILY.parameters(theta)["probabilities"]


def test_midpoints():
    """e: the normalised geometric mean; m: the mixture."""
    np.testing.assert_allclose(probabilities(ig.e_geodesic(FAMILY, P, Q, 0.5)), [0.265338898924, 0.290664200648, 0.443996900428],
                               atol=5e-13)
    np.testing.assert_allclose(probabilities(ig.m_geodesic(FAMILY, P, Q, 0.5)), [0.3, 0.25, 0.45], rtol=1e-14)


def test_lengths():
    """∫ √(ṗᵀGṗ) dt: 1.14348434 along the e-geodesic, 1.14180429 along the m-geodesic (the shortest path has 1.13695529)."""
    node, weight = np.polynomial.legendre.leggauss(60)
    t, weight = 0.5 * (node + 1), 0.5 * weight
    e_length = weight @ FAMILY.norm(ig.e_geodesic(FAMILY, P, Q, t), Q - P)
    eta_p, eta_q = FAMILY.to_eta(P), FAMILY.to_eta(Q)
    m_length = weight @ FAMILY.dual.norm(ig.e_geodesic(FAMILY.dual, eta_p, eta_q, t), eta_q - eta_p)
    np.testing.assert_allclose([e_length, m_length], [1.14348434, 1.14180429], rtol=4e-9)
    shortest = 2 * np.arccos(np.sum(np.sqrt(probabilities(P) * probabilities(Q))))
    np.testing.assert_allclose(shortest, 1.13695529039747, rtol=1e-13)
    assert shortest < m_length and shortest < e_length and max(e_length, m_length)**2 < 1.31070316003214


def test_ends_and_batches():
    t = np.array([0.0, 1.0])
    np.testing.assert_array_equal(ig.e_geodesic(FAMILY, P, Q, t), [P, Q])
    np.testing.assert_allclose(ig.m_geodesic(FAMILY, P, Q, t), [P, Q], rtol=1e-13)
    batch = ig.m_geodesic(FAMILY, np.stack([P, Q]), Q, np.linspace(0.0, 1.0, 5)[:, None])
    assert batch.shape == (5, 2, 2)
    np.testing.assert_allclose(batch[:, 1], np.broadcast_to(Q, (5, 2)), rtol=1e-12)


def test_m_geodesic_of_normals_keeps_the_moments_of_the_mixture():
    """Between N(0, 1) and N(2, 1): mean 2t, variance 1 + 4t(1 − t)."""
    family = ig.Normal()
    p, q = family.theta_from(mean=[0.0, 2.0], variance=1.0)
    t = np.linspace(0.0, 1.0, 5)
    point = family.parameters(ig.m_geodesic(family, p, q, t))
    np.testing.assert_allclose(point["mean"], 2 * t, atol=1e-14)
    np.testing.assert_allclose(point["variance"], 1 + 4 * t * (1 - t), rtol=1e-13)


def test_e_geodesic_of_normals_is_a_normalised_product_of_powers():
    """Between N(0, 1) and N(2, 4): precisions and precision-weighted means are linear."""
    family = ig.Normal()
    p, q = family.theta_from(mean=[0.0, 2.0], variance=[1.0, 4.0])
    point = family.parameters(ig.e_geodesic(family, p, q, 0.5))
    np.testing.assert_allclose([point["mean"], 1 / point["variance"]], [0.25 / 0.625, 0.625], rtol=1e-14)


def test_shape_is_checked():
    with pytest.raises(ig.ShapeError, match=r"Categorical\(k=3, reference=2\) takes arrays of shape \(\.\.\., 2\); got \(3,\)"):
        ig.e_geodesic(FAMILY, P, [0.1, 0.2, 0.3], 0.5)
