"""Binomial and multinomial: closed forms, divergences and densities without cancellation, entropies, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.binomial import Binomial, Multinomial

from .counts_helpers import check_closed_forms, check_kl, check_parameters, check_sampler, exact_log_mass, surprise


def psi(n):
    return lambda t: n * mp.log1p(sum(mp.exp(v) for v in t))


def log_mass(n, logit):
    """log C(n, x) + x θ − ψ in extended precision."""
    with mp.workdps(50):
        logit = mp.mpf(float(logit))
        return lambda x: (mp.loggamma(n + 1) - mp.loggamma(x + 1) - mp.loggamma(n - x + 1)
                          + x * logit - n * mp.log1p(mp.exp(logit)))


@pytest.mark.parametrize("n, logit", [(1, 0.4), (12, -3.0), (12, 2.5), (10**6, 0.1)])
def test_closed_forms(n, logit):
    check_closed_forms(Binomial(n), psi(n), [logit])


@pytest.mark.parametrize("theta", [[0.3, -1.0], [-2.0, 1.5]])
def test_multinomial_closed_forms(theta):
    check_closed_forms(Multinomial(3, 20), psi(20), theta)


@pytest.mark.parametrize("p, q", [(0.3, 0.3 + 1e-10), (0.3, -2.0), (-600.0, -599.0), (40.0, 38.0), (-40.0, 35.0)])
def test_kl(p, q):
    check_kl(Binomial(50), psi(50), [p], [q], dps=400)


@pytest.mark.parametrize("q", [[0.3 + 1e-10, -1.0], [-8.0, 5.0]])
def test_multinomial_kl(q):
    check_kl(Multinomial(3, 20), psi(20), [0.3, -1.0], q)


@pytest.mark.parametrize("n", [1, 7, 1000, 10**6, 10**9])
@pytest.mark.parametrize("logit", [-20.0, -1.0, 0.0, 3.0])
def test_log_density(n, logit):
    """Within 1e-13 of the scale of log p itself: θ·x − ψ + log C(n, x) has terms of size n."""
    mean = n / (1 + np.exp(-logit))
    width = np.sqrt(mean / (1 + np.exp(logit)))
    x = np.unique(np.clip(np.rint(mean + width * np.array([-4.0, -1.0, 0.0, 0.5, 6.0])), 0, n))
    exact = exact_log_mass(log_mass(n, logit), x)
    np.testing.assert_allclose(Binomial(n).log_density([logit], x), exact, rtol=1e-13, atol=1e-14)


def test_log_density_and_entropy_against_scipy():
    family, p = Binomial(30), np.array([0.02, 0.4, 0.9])
    theta = family.theta_from(probability=p)
    x = np.arange(31.0)[:, None]
    np.testing.assert_allclose(family.log_density(theta, x), scipy.stats.binom(30, p).logpmf(x), rtol=1e-12)
    np.testing.assert_allclose(family.entropy(theta), scipy.stats.binom(30, p).entropy(), rtol=1e-12)
    np.testing.assert_allclose(family.log_base_measure(x[:, 0]), np.log(scipy.special.comb(30, x[:, 0])), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("n, logit", [(1, -30.0), (5, -200.0), (5, 0.3), (40, 20.0), (400, 1.0), (1500, -0.2), (1500, -7.0)])
def test_entropy_by_direct_summation(n, logit):
    np.testing.assert_allclose(Binomial(n).entropy([logit]), surprise(log_mass(n, logit), range(n + 1)), rtol=2e-14)


@pytest.mark.parametrize("n", [10**8, 10**12])
def test_entropy_of_many_trials(n):
    """½ log(2πe n p q) + (4pq − 1) / (12 n p q) + O(1 / (n p q)²) (Jacquet & Szpankowski 1999)."""
    p = 0.3
    spread = n * p * (1 - p)
    expected = 0.5 * np.log(2 * np.pi * np.e * spread) + (4 * p * (1 - p) - 1) / (12 * spread)
    np.testing.assert_allclose(Binomial(n).entropy(Binomial(n).theta_from(probability=p)), expected, rtol=3e-14)


def test_entropy_of_a_batch_is_that_of_its_rows():
    theta = np.linspace(-30.0, 30.0, 13)[:, None]
    np.testing.assert_allclose(Binomial(300).entropy(theta), [Binomial(300).entropy(t) for t in theta], rtol=1e-14)


@pytest.mark.parametrize("p", [
    (0.1, 0.2, 0.3, 0.4), (0.97, 0.01, 0.01, 0.01), (1e-9, 1e-9, 1 - 3e-9, 1e-9), (0.25, 0.25, 0.25, 0.25)])
def test_multinomial_entropy_by_direct_summation(p):
    n, family = 6, Multinomial(4, 6, reference=1)
    theta = family.theta_from(probabilities=p)
    with mp.workdps(40):
        logits = [mp.mpf(float(t)) for t in theta]
        logits.insert(1, mp.mpf(0))
        norm = mp.log(sum(map(mp.exp, logits)))
        laws = {c: mp.log(mp.factorial(n)) + sum(x * (t - norm) - mp.log(mp.factorial(x)) for x, t in zip(c, logits))
                for c in np.ndindex(*(n + 1,) * 4) if sum(c) == n}
        total = -sum(mp.exp(value) * value for value in laws.values())
    np.testing.assert_allclose(family.entropy(theta), float(total), rtol=1e-13)
    x = np.array(list(laws), float)
    np.testing.assert_allclose(family.log_density(theta, x), [float(value) for value in laws.values()], rtol=1e-13)


def test_multinomial_of_two_outcomes_is_binomial():
    two, one = Multinomial(2, 40), Binomial(40)
    theta = np.array([[0.7], [-25.0], [9.0]])
    for name in ("potential", "to_eta", "entropy", "expected_log_base_measure", "metric"):
        np.testing.assert_allclose(getattr(two, name)(theta), getattr(one, name)(theta), rtol=1e-12, atol=1e-12)
    x = np.array([0.0, 13.0, 40.0])
    np.testing.assert_allclose(two.log_density(theta, np.stack([x, 40 - x], axis=-1)), one.log_density(theta, x), rtol=1e-12)


@pytest.mark.parametrize("n, p", [(1, 0.3), (9, 0.8), (50, 0.02), (300, 0.5), (10**5, 1e-4)])
def test_samples_have_the_density(n, p):
    check_sampler(Binomial(n), Binomial(n).theta_from(probability=p))


def test_multinomial_samples_have_the_moments():
    family = Multinomial(4, 12)
    p = np.array([[0.1, 0.2, 0.3, 0.4], [0.9, 0.05, 0.03, 0.02]])
    x = family.sample(np.random.default_rng(2), family.theta_from(probabilities=p), 20000)
    assert x.shape == (20000, 2, 4) and np.all(x.sum(axis=-1) == 12) and np.all(x >= 0)
    sd = np.sqrt(12 * p * (1 - p) / 20000)
    assert np.all(np.abs(x.mean(axis=0) - 12 * p) < 5 * sd)
    for i in range(2):      # covariances −n p_i p_j; the standard error of a covariance is near √(var·var / N)
        covariance = np.cov(x[:, i].T)
        expected = 12 * (np.diag(p[i]) - np.outer(p[i], p[i]))
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)) / 20000)
        assert np.all(np.abs(covariance - expected) < 6 * scale)


def test_fit():
    np.testing.assert_allclose(Binomial(10).fit([2, 3, 4]), [np.log(3 / 7)], rtol=1e-14)
    fitted = Multinomial(3, 4).fit([[1, 2, 1], [3, 0, 1]])
    np.testing.assert_allclose(Multinomial(3, 4).parameters(fitted)["probabilities"], [0.5, 0.25, 0.25], rtol=1e-14)


def test_parameters():
    check_parameters(Binomial(8), probability=np.array([1e-10, 0.3, 0.99]))
    check_parameters(Multinomial(3, 8, reference=0), probabilities=np.array([[0.1, 0.2, 0.7], [0.5, 0.5 - 1e-9, 1e-9]]))


def test_errors():
    for n in (0, -1, 2.5):
        with pytest.raises(ValueError, match="n must satisfy n an integer >= 1"):
            Binomial(n)
        with pytest.raises(ValueError, match="n must satisfy n an integer >= 1"):
            Multinomial(3, n)
    with pytest.raises(ValueError, match="^k must satisfy"):
        Multinomial(1, 3)
    with pytest.raises(ig.DomainError, match="does not exist"):
        Binomial(3).fit([3, 3])
    with pytest.raises(ig.DomainError, match=r"x must satisfy x an integer, 0 <= x <= 3; 1 of 2 points does not"):
        Binomial(3).fit([1, 4])
    with pytest.raises(ig.DomainError, match=r"x must satisfy x >= 0, integers, and sum\(x\) = 4"):
        Multinomial(3, 4).fit([[1, 2, 2]])
    assert Multinomial(3, 4).log_density([0.0, 0.0], [1, 2, 2]) == -np.inf
    assert Binomial(3).log_density([0.0], 3.5) == -np.inf
    assert np.isnan(Binomial(3).to_theta([3.5])) and np.isnan(Binomial(3).to_theta([-0.5]))
