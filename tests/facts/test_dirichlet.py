"""Dirichlet: inversion of the mean logarithms, KL near, far and extreme, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig


def psi(t):
    return sum(mp.loggamma(a) for a in t) - mp.loggamma(sum(t))


def exact_eta(alpha, dps=60):
    with mp.workdps(dps):
        a = [mp.mpf(float(v)) for v in alpha]
        return [mp.digamma(x) - mp.digamma(sum(a)) for x in a]


def exact_kl(p, q):
    with mp.workdps(80):
        eta = exact_eta(p, dps=80)
        p, q = ([mp.mpf(float(v)) for v in x] for x in (p, q))
        return float(psi(q) - psi(p) - sum((b - a) * e for a, b, e in zip(p, q, eta)))


@pytest.mark.parametrize("alpha, tolerance", [
    ((1.0, 2.0, 3.0), 1e-14),
    ((1e-3, 1.0, 1.0), 1e-13),
    ((1e-6, 1e-6, 1e-6), 1e-13),
    ((100.0, 0.01, 5.0), 1e-11),
    ((0.5, 0.5), 1e-14),
    ((2.0, 3.0), 1e-14),
    ((600.0, 300.0, 100.0), 1e-11),
    ((8e4, 1.0, 1e3), 1e-9),
    ((1e-4, 1e4), 1e-9),
    ((1e-2,) * 8, 1e-13),
])
def test_inversion(alpha, tolerance):
    """α → η → α; the floor of the error grows with Σ α, as the condition number of the map does."""
    family = ig.Dirichlet(len(alpha))
    eta = np.array([float(e) for e in exact_eta(alpha)])
    rounding = 2.2e-16 * max(1.0, abs(np.log(sum(alpha))))       # of digamma(α₀), which is subtracted
    np.testing.assert_allclose(family.to_eta(np.array(alpha)), eta, rtol=1e-14, atol=4 * rounding)
    np.testing.assert_allclose(family.to_theta(eta), alpha, rtol=tolerance)


def test_inversion_of_a_batch_is_that_of_its_rows():
    family = ig.Dirichlet(3)
    alpha = np.array([[1e-3, 1.0, 1.0], [100.0, 0.01, 5.0], [2.0, 2.0, 2.0], [1e-6, 1e-6, 1e-6]])
    np.testing.assert_allclose(family.to_theta(family.to_eta(alpha)), alpha, rtol=1e-11)


def test_to_theta_outside_the_domain_is_nan():
    """Σ e^η ≥ 1 belongs to no Dirichlet distribution; the other rows are solved."""
    theta = ig.Dirichlet(2).to_theta(np.log([[0.5, 0.5], [0.6, 0.6], [0.2, 0.3]]))
    assert np.all(np.isnan(theta[:2])) and np.all(np.isfinite(theta[2]))


@pytest.mark.parametrize("alpha", [
    (1.5459011661794576e-05, 0.08508509108778528, 2872618.5533192824), (3036706.5554021974, 0.12817450630697982),
    (1e15, 3.0, 0.25), (1e8, 1e6), (4.0, 1e-9), (1.0, 1.0, 1.0)], ids=str)
def test_potential_with_a_dominating_concentration(alpha):
    """log Γ(α_m) and log Γ(α₀) agree in up to 16 digits; the sum keeps 13 beside what a change of α itself costs."""
    with mp.workdps(60):
        exact = psi([mp.mpf(a) for a in alpha])
        cost = max(abs(exact), mp.fsum(abs(a * e) for a, e in zip(alpha, exact_eta(alpha))))
    assert abs(ig.Dirichlet(len(alpha)).potential(alpha) - float(exact)) <= 5e-14 * cost


def test_potential_outside_the_domain_is_nan():
    assert np.all(np.isnan(ig.Dirichlet(2).potential([[-1.5, 2.0], [3.0, -0.5]])))


@pytest.mark.parametrize("p, q", [
    ((0.08323435164577792, 0.41052462376015714, 4204769.232108971), (2.6075162643174105e-06, 2.047851145836958e-05, 0.00997175)),
    ((35011348.69961958, 16318434.319050567), (7.89707892921043, 0.08954973992375433)),
    ((0.6111179996364902, 8.46978111437088e-05, 5.263056015380653e-06), (1257.3024046, 0.000130231916, 7.052035154e-06)),
    ((7.6761774778948935, 9.399194204775304e-06), (571.8365823421518, 2.751532188554232e-06))],
    ids=["ratio of means", "large", "dominated", "one of two"])
def test_kl_between_a_large_and_a_small_concentration(p, q):
    """Shapes 1e8 apart with means that are not; largest coordinates far apart whose totals follow them."""
    np.testing.assert_allclose(ig.Dirichlet(len(p)).kl(p, q), exact_kl(p, q), rtol=2e-14)


BASES = [(1, 2, 3), (0.01, 0.02, 0.03), (3, 3, 9), (100, 200, 300), (1e6, 2e6, 3e6), (1e-6, 1e-6, 1e-6), (1e-3, 1, 1e3)]
NEAR = [(base, step) for base in BASES for step in (1e-1, 1e-3, 1e-6, 1e-9)]


@pytest.mark.parametrize("base, step", NEAR)
@pytest.mark.parametrize("direction", [(1.0, 1.0, 1.0), (0.3, -1.0, 0.6)], ids=["total", "tilt"])
def test_kl_of_near_points(base, step, direction):
    p = np.array(base, dtype=float)
    q = p * (1.0 + step * np.array(direction))
    np.testing.assert_allclose(ig.Dirichlet(3).kl(p, q), exact_kl(p, q), rtol=1e-12)


@pytest.mark.parametrize("p, q", [((1e8, 1e8), (1e8 + 1.0, 1e8)), ((1e-8, 1e-8), (2e-8, 1e-8)), ((1e-6, 1e6), (1e6, 1e-6)),
                                  ((1e4, 2e4), (1e-4, 2e-4)), ((1e-4, 2e-4), (1e4, 2e4)), ((3.0, 5.0), (300.0, 5.0))])
def test_kl_of_large_tiny_and_far_concentrations(p, q):
    np.testing.assert_allclose(ig.Dirichlet(2).kl(p, q), exact_kl(p, q), rtol=1e-12)


@pytest.mark.parametrize("alpha", [(1.0, 1.0, 1.0), (1e-3, 2.0, 0.4), (1e5, 2e5, 3e5)])
def test_entropy_against_extended_precision(alpha):
    """log B(α) + (α₀ − k) digamma(α₀) − Σ (α_i − 1) digamma(α_i)."""
    with mp.workdps(60):
        a = [mp.mpf(v) for v in alpha]
        total = sum(a)
        expected = float(psi(a) + (total - 3) * mp.digamma(total) - sum((x - 1) * mp.digamma(x) for x in a))
    np.testing.assert_allclose(ig.Dirichlet(3).entropy(alpha), expected, rtol=1e-12)


def test_two_categories_are_the_beta_distribution():
    """log-density and entropy of Beta(2, 3) in the first coordinate."""
    family, beta = ig.Dirichlet(2), scipy.stats.beta(2, 3)
    x = np.array([0.01, 0.4, 0.97])
    np.testing.assert_allclose(family.log_density([2.0, 3.0], np.stack([x, 1 - x], axis=-1)), beta.logpdf(x), rtol=1e-12)
    np.testing.assert_allclose(family.entropy([2.0, 3.0]), beta.entropy(), rtol=1e-12)


def test_fit_of_a_sample_recovers_the_mean_logarithms():
    family = ig.Dirichlet(3)
    x = family.sample(np.random.default_rng(0), [0.7, 2.0, 5.0], 2000)
    np.testing.assert_allclose(family.to_eta(family.fit(x)), np.log(x).mean(axis=0), rtol=1e-12)


def test_errors():
    family = ig.Dirichlet(3)
    with pytest.raises(ig.DomainError) as error:
        family.theta_from(concentration=[[1.0, 2.0, 3.0], [1.0, 0.0, 3.0]])
    assert str(error.value) == ("concentration must satisfy concentration > 0; 1 of 2 points does not, first at index (1,): "
                                "[1. 0. 3.]")
    with pytest.raises(ig.DomainError, match=r"x must satisfy x >= 0 and sum\(x\) = 1; 1 of 2 points does not, first at index"):
        family.fit([[0.2, 0.3, 0.5], [0.2, 0.3, 0.4]])
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        family.fit([[0.2, 0.3, 0.5]])
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(\.\.\., 3\); got \(4,\)"):
        family.log_density([1.0, 1.0, 1.0], [0.25] * 4)
    for k in (1, 2.0):
        with pytest.raises(ValueError, match="k must satisfy k an integer >= 2"):
            ig.Dirichlet(k)
    np.testing.assert_array_equal(family.log_density([1.0, 1.0, 1.0], [[0.5, 0.6, -0.1], [0.5, 0.1, 0.1]]), [-np.inf, -np.inf])


@pytest.mark.parametrize("alpha", [(0.3, 1.5, 4.0), (20.0, 10.0, 5.0)])
def test_samples_have_beta_marginals(alpha):
    family = ig.Dirichlet(3)
    x = family.sample(np.random.default_rng(6), alpha, 4000)
    np.testing.assert_allclose(x.sum(axis=-1), 1.0, rtol=1e-14)
    for i, a in enumerate(alpha):
        assert scipy.stats.kstest(x[:, i], scipy.stats.beta(a, sum(alpha) - a).cdf).pvalue > 1e-4


def test_samples_of_tiny_concentrations_are_vertices_not_nan():
    """α = 1e-3: gammas underflow, so the normalisation is in logarithms; each vertex takes a third of the draws."""
    x = ig.Dirichlet(3).sample(np.random.default_rng(6), [1e-3] * 3, 3000)
    assert np.all(np.isfinite(x))
    counts = np.bincount(np.argmax(x, axis=-1), minlength=3)
    assert scipy.stats.chisquare(counts).pvalue > 1e-4
