"""Bernoulli: extreme logits, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Bernoulli()


def exact_kl(a, b):
    with mp.workdps(700):
        a, b = mp.mpf(a), mp.mpf(b)
        p = 1 / (1 + mp.exp(-a))
        return float(p * (mp.log1p(mp.exp(-b)) - mp.log1p(mp.exp(-a))) + (1 - p) * (mp.log1p(mp.exp(b)) - mp.log1p(mp.exp(a))))


@pytest.mark.parametrize("a, b", [(40.0, 38.0), (38.0, 40.0), (-40.0, -38.0), (700.0, 690.0), (-700.0, 30.0), (1e-9, 0.0),
                                  (5.0, 5.0 + 1e-9), (-30.0, -30.0 + 1e-9), (0.9, 0.0), (1.1, 0.0), (60.0, -60.0)])
def test_kl_of_extreme_logits(a, b):
    np.testing.assert_allclose(FAMILY.kl([a], [b]), exact_kl(a, b), rtol=1e-13)


def test_far_out_nothing_is_nan():
    """At logits ±800 one probability underflows to 0; every quantity keeps its limit."""
    theta = np.array([[800.0], [-800.0]])
    np.testing.assert_array_equal(FAMILY.to_eta(theta), [[1.0], [0.0]])
    np.testing.assert_array_equal(FAMILY.potential(theta), [800.0, 0.0])
    np.testing.assert_array_equal(FAMILY.entropy(theta), [0.0, 0.0])
    np.testing.assert_array_equal(FAMILY.metric(theta), np.zeros((2, 1, 1)))
    np.testing.assert_array_equal(FAMILY.kl(theta, theta[::-1]), [800.0, 800.0])
    np.testing.assert_array_equal(FAMILY.kl(theta, [[0.0], [0.0]]), [np.log(2.0)] * 2)


def test_entropy_keeps_its_digits_far_out():
    theta = np.array([[30.0], [-30.0], [300.0]])
    with mp.workdps(200):
        def entropy(t):
            t = mp.mpf(t)
            return float(mp.log1p(mp.exp(-t)) + t / (1 + mp.exp(t)))
        expected = [entropy(30.0), entropy(30.0), entropy(300.0)]
    np.testing.assert_allclose(FAMILY.entropy(theta), expected, rtol=1e-14)


def test_parameters_are_the_inverse_of_theta_from():
    p = np.array([1e-12, 0.2, 0.5, 0.999])
    theta = FAMILY.theta_from(probability=p)
    assert theta.shape == (4, 1)
    np.testing.assert_allclose(FAMILY.parameters(theta)["probability"], p, rtol=1e-14)


def test_domain_errors_say_what_and_where():
    with pytest.raises(ig.DomainError) as error:
        FAMILY.theta_from(probability=[0.2, 1.0, 1.5])
    assert str(error.value) == "probability must satisfy 0 < probability < 1; 2 of 3 points do not, first at index (1,): 1.0"
    with pytest.raises(ig.DomainError) as error:
        FAMILY.fit([0.0, 1.0, 2.0])
    assert str(error.value) == "x must satisfy x an integer, 0 <= x <= 1; 1 of 3 points does not, first at index (2,): 2.0"


@pytest.mark.parametrize("x", [[0.0, 0.0, 0.0], [1, 1]])
def test_no_maximum_likelihood_estimate_of_equal_outcomes(x):
    with pytest.raises(ig.DomainError, match=r"the maximum-likelihood estimate does not exist"):
        FAMILY.fit(x)


def test_fit_with_weights_and_batches():
    np.testing.assert_allclose(FAMILY.fit([0, 1, 1, 1]), [np.log(3.0)], rtol=1e-15)
    np.testing.assert_allclose(FAMILY.fit([0, 1], weights=[2.0, 6.0]), [np.log(3.0)], rtol=1e-15)
    x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(FAMILY.fit(x), [[np.log(2.0)], [-np.log(2.0)]], rtol=1e-15)
    weights = np.array([[1.0, 1.0], [1.0, 3.0], [0.0, 0.0]])
    np.testing.assert_allclose(FAMILY.fit(x, weights), [[0.0], [-np.log(3.0)]], atol=1e-15)


def test_samples_have_the_probability():
    theta = FAMILY.theta_from(probability=np.array([0.03, 0.5]))
    x = FAMILY.sample(np.random.default_rng(1), theta, 20000)
    assert x.shape == (20000, 2) and set(np.unique(x)) == {0.0, 1.0}
    for successes, p in zip(x.sum(axis=0), [0.03, 0.5]):
        assert scipy.stats.binomtest(int(successes), 20000, p).pvalue > 1e-4
