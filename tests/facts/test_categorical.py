"""Categorical: the reference outcome, extreme logits, near points, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig


def test_chart_by_hand():
    """θ_i = log(p_i / p_r), η_i = p_i, ψ = −log p_r, φ = Σ p log p, G = diag(η) − ηηᵀ, G⁻¹ = diag(1/η) + 11ᵀ/p_r."""
    family = ig.Categorical(3)
    p = np.array([0.5, 0.3, 0.2])
    theta = family.theta_from(probabilities=p)
    np.testing.assert_allclose(theta, np.log([2.5, 1.5]), rtol=1e-15)
    np.testing.assert_allclose(family.to_eta(theta), [0.5, 0.3], rtol=1e-15)
    np.testing.assert_allclose(family.potential(theta), -np.log(0.2), rtol=1e-15)
    np.testing.assert_allclose(family.dual_potential([0.5, 0.3]), np.sum(p * np.log(p)), rtol=1e-15)
    np.testing.assert_allclose(family.metric(theta), [[0.25, -0.15], [-0.15, 0.21]], rtol=1e-14)
    np.testing.assert_allclose(family.dual_metric([0.5, 0.3]), [[7.0, 5.0], [5.0, 25 / 3]], rtol=1e-14)


def test_reference_outcome_is_left_out_of_the_chart():
    p = np.array([0.1, 0.2, 0.3, 0.4])
    for reference, kept in [(0, [1, 2, 3]), (1, [0, 2, 3]), (3, [0, 1, 2]), (-2, [0, 1, 3])]:
        family = ig.Categorical(4, reference=reference)
        theta = family.theta_from(probabilities=p)
        np.testing.assert_allclose(family.to_eta(theta), p[kept], rtol=1e-14)
        np.testing.assert_allclose(theta, np.log(p[kept] / p[reference]), rtol=1e-14)
        np.testing.assert_allclose(family.parameters(theta)["probabilities"], p, rtol=1e-14)
        np.testing.assert_array_equal(family.sufficient_statistic(np.arange(4.0)), np.eye(4)[:, kept])
    assert ig.Categorical(4) == ig.Categorical(4, reference=3) == ig.Categorical(4, reference=-1)
    assert ig.Categorical(4) != ig.Categorical(4, reference=0)


def test_reference_outcome_changes_no_distribution():
    """KL, entropy, the log-density and the maximum-likelihood estimate do not see the reference."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=2)
    x = rng.integers(0, 5, 400).astype(float)
    results = []
    for reference in range(5):
        family = ig.Categorical(5, reference=reference)
        a, b = family.theta_from(probabilities=p), family.theta_from(probabilities=q)
        fitted = family.parameters(family.fit(x))["probabilities"]
        results.append(np.concatenate([[family.kl(a, b), family.entropy(a)], family.log_density(a, x[:9]), fitted]))
    np.testing.assert_allclose(results, [results[0]] * 5, rtol=1e-13)
    np.testing.assert_allclose(results[0][-5:], np.bincount(x.astype(int)) / 400, rtol=1e-13)


@pytest.mark.parametrize("arguments", [(1,), (2.5,), (3, 3), (3, -4)])
def test_constructor_refuses(arguments):
    with pytest.raises(ValueError, match="an integer >= 2|an outcome"):
        ig.Categorical(*arguments)


def test_a_far_row_changes_no_bit_of_the_others():
    theta = np.random.default_rng(0).standard_normal((4, 3))
    family = ig.Categorical(4)
    near = family.to_eta(theta), family.potential(theta)
    theta[1] = 800.0, 0.0, -3.0
    far = family.to_eta(theta), family.potential(theta)
    for alone, together in zip(near, far):
        np.testing.assert_array_equal(together[[0, 2, 3]], alone[[0, 2, 3]])
    np.testing.assert_allclose(far[0][1], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(far[1][1], 800.0)


def test_far_out_nothing_is_nan():
    family = ig.Categorical(3)
    theta = np.array([[800.0, -800.0], [-800.0, -800.0], [800.0, 800.0]])
    np.testing.assert_array_equal(family.to_eta(theta), [[1.0, 0.0], [0.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(family.potential(theta), [800.0, 0.0, 800.0 + np.log(2.0)], rtol=1e-15)
    np.testing.assert_allclose(family.entropy(theta), [0.0, 0.0, np.log(2.0)], rtol=1e-15, atol=0)
    # KL to the uniform distribution is log 3 − H
    np.testing.assert_allclose(family.kl(theta, [0.0, 0.0]), np.log([3.0, 3.0, 1.5]), rtol=1e-14)
    assert np.all(np.isfinite(family.metric(theta))) and np.all(np.isfinite(family.cubic_tensor(theta)))
    np.testing.assert_array_equal(family.kl(theta, theta), np.zeros(3))
    # KL of two point masses: all of p's mass is on an outcome of log-probability −800, or −1600, under q
    np.testing.assert_allclose(family.kl(theta[0], theta[1]), 800.0, rtol=1e-15)


def exact_kl(theta_p, theta_q):
    with mp.workdps(80):
        a, b = ([mp.mpf(float(v)) for v in (*t, 0.0)] for t in (theta_p, theta_q))
        za, zb = sum(map(mp.exp, a)), sum(map(mp.exp, b))
        return float(sum(mp.exp(x) / za * ((x - mp.log(za)) - (y - mp.log(zb))) for x, y in zip(a, b)))


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-6, 1e-3, 0.5, 2.0])
@pytest.mark.parametrize("theta", [[0.2, -0.4, 1.0], [30.0, 29.0, -30.0], [-30.0, -40.0, -35.0], [8.0, 8.0, 8.0]])
def test_kl_near_and_extreme(theta, scale):
    family = ig.Categorical(4)
    p = np.array(theta)
    q = p + scale * np.array([1.0, -0.7, 0.4])
    np.testing.assert_allclose(family.kl(p, q), exact_kl(p, q), rtol=1e-11)


def test_domain_and_shape_errors():
    family = ig.Categorical(3)
    with pytest.raises(ig.DomainError) as error:
        family.eta_domain.require("eta", [[0.2, 0.3], [0.5, 0.5]])
    assert str(error.value) == "eta must satisfy eta > 0 and sum(eta) < 1; 1 of 2 points does not, first at index (1,): [0.5 0.5]"
    with pytest.raises(ig.DomainError, match=r"^probabilities must satisfy probabilities > 0 and sum\(probabilities\) = 1; got "):
        family.theta_from(probabilities=[0.5, 0.3, 0.1])
    with pytest.raises(ig.ShapeError, match=r"^probabilities must have shape \(\.\.\., 3\); got \(2,\)$"):
        family.theta_from(probabilities=[0.5, 0.5])
    with pytest.raises(ig.ShapeError, match=r"Categorical\(k=3, reference=2\) takes arrays of shape \(\.\.\., 2\); got \(3,\)"):
        family.to_eta([0.1, 0.2, 0.3])
    with pytest.raises(ig.DomainError, match="x must satisfy x an integer, 0 <= x <= 2; 1 of 2 points does not"):
        family.fit([0, 3])


def test_no_estimate_where_an_outcome_was_never_seen():
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        ig.Categorical(3).fit([0, 0, 1, 1])


def test_log_density_outside_the_support():
    family = ig.Categorical(3)
    np.testing.assert_array_equal(np.isneginf(family.log_density([0.0, 0.0], [0.0, 3.0, 0.5, np.nan])), [False, True, True, True])


@pytest.mark.parametrize("reference", [0, 1, 3])
def test_samples_have_the_probabilities(reference):
    p = np.array([0.05, 0.45, 0.2, 0.3])
    family = ig.Categorical(4, reference=reference)
    x = family.sample(np.random.default_rng(7), family.theta_from(probabilities=p), (100, 200))
    assert x.shape == (100, 200)
    counts = np.bincount(x.astype(int).ravel(), minlength=4)
    assert scipy.stats.chisquare(counts, 20000 * p).pvalue > 1e-4


def test_several_infinite_log_odds_are_no_law():
    """Their ratios are not told: every formula of that row is NaN, of the others nothing is."""
    family, theta = ig.Categorical(3), np.array([[np.inf, np.inf], [np.inf, 0.0], [1.0, 2.0]])
    for name in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        value = np.isnan(getattr(family, name)(theta).reshape(3, -1))
        assert value[0].all() and not value[1:].any(), name
    assert np.isnan(family.parameters(theta)["probabilities"]).any(axis=-1).tolist() == [True, False, False]
    with ig.checked(), pytest.raises(ig.DomainError, match="theta finite"):
        family.to_eta(theta[0])


def test_two_categories_are_bernoulli():
    """Outcome 0 against the reference 1 is Bernoulli's success against failure."""
    two, one = ig.Categorical(2), ig.Bernoulli()
    theta = np.linspace(-30.0, 30.0, 13)[:, None]
    for method in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        np.testing.assert_allclose(getattr(two, method)(theta), getattr(one, method)(theta), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(two.kl(theta, theta[::-1]), one.kl(theta, theta[::-1]), rtol=1e-13)
