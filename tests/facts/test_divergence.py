"""Reference values of the divergences (mpmath, 30 digits), and the order of their arguments."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig

PAIRS = {
    "categorical": (ig.Categorical(3), dict(probabilities=[0.5, 0.3, 0.2]), dict(probabilities=[0.1, 0.2, 0.7]),
                    0.675805894950426, 0.634897265081715),
    "normal": (ig.Normal(), dict(mean=0.0, variance=1.0), dict(mean=1.0, variance=4.0), 0.443147180559945, 1.30685281944005),
}


@pytest.mark.parametrize("name", PAIRS)
def test_reference_values(name):
    """KL(p‖q), KL(q‖p), Jeffreys; B_ψ has its arguments swapped; on the dual manifold they swap once more."""
    family, p, q, forward, backward = PAIRS[name]
    p, q = family.theta_from(**p), family.theta_from(**q)
    close = dict(rtol=5e-15)
    np.testing.assert_allclose(ig.canonical_divergence(family, p, q), forward, **close)
    np.testing.assert_allclose(ig.canonical_divergence(family, q, p), backward, **close)
    np.testing.assert_allclose(ig.bregman(family, q, p), forward, **close)
    np.testing.assert_allclose(ig.bregman(family, p, q), backward, **close)
    np.testing.assert_allclose(ig.jeffreys(family, p, q), forward + backward, **close)
    eta_p, eta_q = family.to_eta(p), family.to_eta(q)
    np.testing.assert_allclose(ig.canonical_divergence(family.dual, eta_q, eta_p), forward, rtol=1e-13)
    np.testing.assert_allclose(ig.bregman(family.dual, eta_p, eta_q), forward, rtol=1e-13)
    np.testing.assert_allclose(np.sum((p - q) * (eta_p - eta_q)), forward + backward, rtol=1e-13)


def test_batches_broadcast():
    family = ig.Normal()
    p = family.theta_from(mean=np.arange(3.0)[:, None], variance=1.0)
    q = family.theta_from(mean=np.arange(4.0), variance=1.0)
    kl = ig.canonical_divergence(family, p, q)
    np.testing.assert_allclose(kl, 0.5 * (np.arange(3.0)[:, None] - np.arange(4.0))**2, atol=1e-14)


@pytest.mark.parametrize("M, a, b, expected", [
    (ig.Euclidean(2), [1.0, 2.0], [4.0, 6.0], 12.5),
    (ig.Quadratic(np.array([[2.0, 1.0], [1.0, 3.0]])), [1.0, 0.0], [0.0, 1.0], 1.5),
    (ig.NegativeEntropy(2), [1.0, 2.0], [3.0, 2.0], 3 * np.log(3.0) - 2.0),
    (ig.Burg(2), [1.0, 2.0], [3.0, 2.0], 2.0 - np.log(3.0)),
    (ig.PNorm(2, 2.0), [1.0, 2.0], [4.0, 6.0], 12.5),
    (ig.LogDet(2), [1.0, 0.0, 1.0], [2.0, 0.0, 3.0], 3.0 - np.log(6.0)),
], ids=lambda x: repr(x) if isinstance(x, ig.DuallyFlat) else "")
def test_divergence_of_mirror_maps_by_hand(M, a, b, expected):
    """D(p‖q) = B_ψ(q : p)."""
    np.testing.assert_allclose(ig.canonical_divergence(M, a, b), expected, rtol=1e-14)
    np.testing.assert_allclose(ig.bregman(M, b, a), expected, rtol=1e-14)


@pytest.mark.parametrize("ratio", [1e-15, 1e-12, 1e-6, 1e6, 1e15])
def test_itakura_saito_far(ratio):
    """r − 1 − log r."""
    np.testing.assert_allclose(ig.canonical_divergence(ig.Burg(1), [1.0], [ratio]), ratio - 1 - np.log(ratio), rtol=1e-12)


@pytest.mark.parametrize("ratio", [1e-300, 1e-15, 1e-6, 1e6, 1e300])
def test_generalised_kl_far(ratio):
    """q log(q / p) − q + p."""
    np.testing.assert_allclose(ig.canonical_divergence(ig.NegativeEntropy(1), [1.0], [ratio]),
                               ratio * np.log(ratio) - ratio + 1.0,
                               rtol=1e-12)


@pytest.mark.parametrize("M", [ig.NegativeEntropy(2), ig.Burg(2)], ids=repr)
def test_near_points_of_separable_maps(M):
    """D = ½ f''(x) δ² (1 + O(δ)), at relative steps where the potentials agree in every digit."""
    x = np.array([0.5, 4.0])
    for step in (2.0**-40, 2.0**-30):
        delta = x * step
        np.testing.assert_allclose(ig.canonical_divergence(M, x, x + delta), 0.5 * M.inner(x, delta, delta),
                                   rtol=4 * step + 1e-13)


@pytest.mark.parametrize("step", [1e-12, 1e-6, 1e-2])
def test_near_points_of_log_det(step):
    """Stein's loss against ψ in 60 digits, with ψ(x) = −log(x₀x₂ − x₁²/2) on packed 2 × 2 matrices."""
    p = np.array([2.0, 0.6, 1.5])
    q = p * (1 + step * np.array([1.0, -0.4, 0.3]))
    with mp.workdps(60):
        a, b = ([mp.mpf(float(v)) for v in x] for x in (p, q))
        det = lambda x: x[0] * x[2] - x[1]**2 / 2
        gradient = [-a[2] / det(a), a[1] / det(a), -a[0] / det(a)]
        expected = float(-mp.log(det(b)) + mp.log(det(a)) - sum(g * (y - x) for g, x, y in zip(gradient, a, b)))
    np.testing.assert_allclose(ig.canonical_divergence(ig.LogDet(2), p, q), expected, rtol=1e-12)
