"""Poisson: entropy over many orders of magnitude, KL, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Poisson()


def exact_entropy(rate):
    """Σ −p log p by direct summation in 40 digits, over 40 standard deviations."""
    with mp.workdps(40):
        rate = mp.mpf(rate)
        width = 40 * mp.sqrt(rate) + 60
        start = max(0, int(rate - width))
        log_p = start * mp.log(rate) - rate - mp.loggamma(start + 1)
        total = mp.mpf(0)
        for x in range(start, int(rate + width)):
            total -= mp.exp(log_p) * log_p
            log_p += mp.log(rate / (x + 1))
        return float(total)


@pytest.mark.parametrize("rate", [1e-3, 0.1, 1.0, 7.5, 50.0, 399.0, 399.999, 400.0, 401.0, 1000.0])
def test_entropy_by_direct_summation(rate):
    np.testing.assert_allclose(FAMILY.entropy([np.log(rate)]), exact_entropy(np.exp(np.log(rate))), rtol=5e-13)


@pytest.mark.parametrize("rate", [1e4, 1e6])
def test_entropy_of_large_rates_is_that_of_a_normal_less_its_corrections(rate):
    """½ log(2πeλ) − 1/(12λ) − 1/(24λ²) − 19/(360λ³), the next term below 1e-16 here."""
    expected = 0.5 * np.log(2 * np.pi * np.e * rate) - 1 / (12 * rate) - 1 / (24 * rate**2) - 19 / (360 * rate**3)
    np.testing.assert_allclose(FAMILY.entropy([np.log(rate)]), expected, rtol=3e-15)


def test_entropy_of_a_batch_on_both_sides_of_the_switch():
    theta = np.log(np.array([[0.5], [399.0], [400.5], [1e5]]))
    np.testing.assert_allclose(FAMILY.entropy(theta), [FAMILY.entropy(t) for t in theta], rtol=1e-14)


@pytest.mark.parametrize("a, b", [(5.0, 0.5), (1e-6, 1e3), (1e8, 1e8 + 1.0), (3.0, 3.0 + 1e-9), (1e-300, 1.0)])
def test_kl(a, b):
    """λ_q − λ_p + λ_p log(λ_p / λ_q)."""
    theta = np.log(np.array([[a], [b]]))
    with mp.workdps(60):
        p, q = (mp.mpf(float(t[0])) for t in theta)
        expected = float(mp.exp(q) - mp.exp(p) - (q - p) * mp.exp(p))
    np.testing.assert_allclose(FAMILY.kl(theta[0], theta[1]), expected, rtol=1e-12)


def test_errors():
    with pytest.raises(ig.DomainError) as error:
        FAMILY.theta_from(rate=-2.0)
    assert str(error.value) == "rate must satisfy rate > 0; got -2.0"
    with pytest.raises(ig.DomainError) as error:
        FAMILY.fit([0.0, 1.5, -1.0])
    assert str(error.value) == "x must satisfy x an integer, 0 <= x; 2 of 3 points do not, first at index (1,): 1.5"
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        FAMILY.fit([0, 0, 0])


def test_fit_is_the_mean():
    np.testing.assert_allclose(FAMILY.fit([1, 2, 6]), [np.log(3.0)], rtol=1e-15)
    np.testing.assert_allclose(FAMILY.fit([0, 4], weights=[3, 1]), [0.0], atol=1e-15)


@pytest.mark.parametrize("rate, bins", [(0.5, 5), (30.0, 60)])
def test_samples_have_the_density(rate, bins):
    theta = FAMILY.theta_from(rate=rate)
    x = FAMILY.sample(np.random.default_rng(3), theta, 20000)
    p = np.exp(FAMILY.log_density(theta, np.arange(float(bins))))
    expected = 20000 * np.append(p, 1.0 - p.sum())
    counts = np.bincount(np.minimum(x, bins).astype(int), minlength=bins + 1)
    kept = expected > 5.0
    observed, expected = np.append(counts[kept], counts[~kept].sum()), np.append(expected[kept], expected[~kept].sum())
    assert scipy.stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4
