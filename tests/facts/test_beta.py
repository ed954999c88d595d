"""Beta, generalized Dirichlet and logit-normal: large and small parameters, relations between them."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.beta import Beta
from infogeo.families.generalized_dirichlet import GeneralizedDirichlet
from infogeo.families.log_normal import LogitNormal

BETA = Beta()


@pytest.mark.parametrize("alpha, beta, x", [
    (1e10, 1e10, 0.5 + 2.0**-18), (2.0, 1e10, 1e-10), (1e10, 2.0, 1 - 2.0**-33), (1e-6, 1e-6, 0.3), (1e-6, 3.0, 1e-300),
    (5.0, 0.1, 0.999), (300.0, 700.0, 0.31), (300.0, 700.0, 0.9)])
def test_log_density_keeps_its_digits(alpha, beta, x):
    with mp.workdps(60):
        a, b, y = mp.mpf(alpha), mp.mpf(beta), mp.mpf(x)
        log_b = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
        expected = float((a - 1) * mp.log(y) + (b - 1) * mp.log1p(-y) - log_b)
    np.testing.assert_allclose(BETA.log_density([alpha, beta], x), expected, rtol=1e-13)


def test_equal_parameters_of_one_are_uniform():
    np.testing.assert_allclose(BETA.log_density([1.0, 1.0], [1e-300, 0.3, 0.9]), 0.0, atol=1e-12)
    np.testing.assert_allclose(BETA.entropy([1.0, 1.0]), 0.0, atol=1e-15)


def test_near_one_the_shares_round_to_one():
    """A point of the simplex whose first share is 1 to rounding still has a finite density."""
    family = GeneralizedDirichlet(3)
    x = np.array([1.0, 1e-20, 1e-20])
    density = family.log_density([2.0, 0.5, 1.0, 1.0], x)
    with mp.workdps(50):
        z, left = 1 / (1 + 2 * mp.mpf(10)**-20), 2 * mp.mpf(10)**-20
        expected = float(mp.log(z) - mp.log(left) / 2 - mp.log(mp.beta(2, 0.5)) - mp.log(left))
    np.testing.assert_allclose(density, expected, rtol=1e-14)


def test_generalized_dirichlet_contains_dirichlet():
    """β_i = α_{i+1} + β_{i+1}: the same density, entropy and divergence."""
    family, dirichlet = GeneralizedDirichlet(4), ig.Dirichlet(4)

    def embed(concentration):
        rest = np.cumsum(concentration[::-1])[::-1]
        return family.theta_from(alpha=concentration[:-1], beta=rest[1:])

    p, q = np.array([0.5, 3.0, 1.2, 20.0]), np.array([2.0, 0.7, 4.0, 0.3])
    x = dirichlet.sample(np.random.default_rng(0), p, 20)
    np.testing.assert_allclose(family.log_density(embed(p), x), dirichlet.log_density(p, x), rtol=1e-12)
    np.testing.assert_allclose(family.entropy(embed(p)), dirichlet.entropy(p), rtol=1e-12)
    np.testing.assert_allclose(family.kl(embed(p), embed(q)), dirichlet.kl(p, q), rtol=1e-12)


def test_generalized_dirichlet_of_two_is_beta():
    family, theta = GeneralizedDirichlet(2), np.array([2.5, 0.4])
    x = np.array([0.01, 0.6, 0.99])
    np.testing.assert_allclose(family.log_density(theta, np.stack([x, 1 - x], axis=-1)), BETA.log_density(theta, x), rtol=1e-13)
    np.testing.assert_allclose(family.entropy(theta), BETA.entropy(theta), rtol=1e-15)


def test_samples_of_generalized_dirichlet():
    """Means of T within 5 standard errors, sums of one."""
    family = GeneralizedDirichlet(4)
    theta = family.theta_from(alpha=[2.0, 0.5, 3.0], beta=[1.0, 4.0, 0.8])
    x = family.sample(np.random.default_rng(1), theta, 20000)
    t = family.sufficient_statistic(x)
    assert np.all(family.support.contains(x))
    assert np.all(abs(t.mean(axis=0) - family.to_eta(theta)) < 5 * t.std(axis=0) / np.sqrt(20000))
    np.testing.assert_allclose(-np.mean(family.log_density(theta, x)), family.entropy(theta),
                               atol=5 * np.std(family.log_density(theta, x)) / np.sqrt(20000))


@pytest.mark.parametrize("mean, variance", [
    (0.0, 1e-12), (3.0, 1.0), (0.5, 3.99), (0.5, 4.01), (-40.0, 9.0), (0.0, 1e4), (-1e3, 1e6), (0.0, 1e20)])
def test_logit_normal_base_measure(mean, variance):
    """E[−log x (1 − x)] = E[|y| + 2 log(1 + e^{−|y|})]: nodes on both sides of their switch at σ = 2, against mpmath."""
    family = LogitNormal()
    with mp.workdps(30):
        m, s = mp.mpf(mean), mp.sqrt(mp.mpf(variance))
        folded = s * mp.sqrt(2 / mp.pi) * mp.exp(-(m / s)**2 / 2) + m * mp.erf(m / s / mp.sqrt(2))
        density = lambda y: mp.log1p(mp.exp(-abs(y))) * mp.npdf(y, m, s)
        of_density = {m + k * s for k in (-12, -4, 0, 4, 12) if abs(m + k * s) < 70}
        edges = sorted({mp.mpf(v) for v in (-70, -30, -10, -3, 0, 3, 10, 30, 70)} | of_density)
        near = [e for e in edges if abs(e - m) <= 12 * s]
        expected = float(folded + 2 * mp.quad(density, near) - mp.log(2 * mp.pi) / 2)
    theta = family.theta_from(mean=mean, variance=variance)
    np.testing.assert_allclose(family.expected_log_base_measure(theta), expected, rtol=3e-14)
