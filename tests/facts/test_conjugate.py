"""Conjugate priors: posteriors and predictive laws against quadrature and known closed forms, posterior modes, errors."""
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
import infogeo.families.conjugate  # noqa: F401  (registers the pairs)
from infogeo.families.beta import Beta
from infogeo.families.binomial import Binomial, Multinomial
from infogeo.families.erlang import Erlang
from infogeo.families.geometric import Geometric, NegativeBinomial
from infogeo.families.inverse_gamma import InverseGamma
from infogeo.families.normal_known import NormalKnownMean, NormalKnownVariance
from infogeo.families.statistics import SufficientStatistics

stats = scipy.stats

# family, ordinary parameters of the prior, the predictive law, observations
PREDICTIVE = {
    "Bernoulli": (ig.Bernoulli(), dict(alpha=2.0, beta=3.5), stats.betabinom(1, 2.0, 3.5).logpmf, np.arange(2.0)),
    "Binomial": (Binomial(7), dict(alpha=2.0, beta=3.5), stats.betabinom(7, 2.0, 3.5).logpmf, np.arange(8.0)),
    "Geometric": (Geometric(), dict(alpha=2.0, beta=3.5), stats.betanbinom(1, 2.0, 3.5).logpmf, np.arange(9.0)),
    "NegativeBinomial": (NegativeBinomial(4.0), dict(alpha=2.0, beta=3.5), stats.betanbinom(4, 2.0, 3.5).logpmf, np.arange(9.0)),
    "Poisson": (ig.Poisson(), dict(shape=2.5, rate=0.7), stats.nbinom(2.5, 0.7 / 1.7).logpmf, np.arange(9.0)),
    "Exponential": (ig.Exponential(), dict(shape=2.5, rate=0.7), stats.lomax(2.5, scale=0.7).logpdf, np.array([0.1, 1.0, 30.0])),
    "Erlang": (Erlang(3), dict(shape=2.5, rate=0.7), stats.betaprime(3, 2.5, scale=0.7).logpdf, np.array([0.1, 1.0, 30.0])),
    "Normal": (ig.Normal(), dict(location=0.3, precision_scale=2.0, shape=3.0, rate=1.5),
               stats.t(6, 0.3, np.sqrt(1.5 * 3 / (3 * 2))).logpdf, np.linspace(-3, 4, 5)),
    "NormalKnownVariance": (NormalKnownVariance(0.5), dict(mean=1.0, variance=2.0), stats.norm(1.0, np.sqrt(2.5)).logpdf,
                            np.linspace(-3, 4, 5)),
    "NormalKnownMean": (NormalKnownMean(0.4), dict(shape=3.0, scale=1.5), stats.t(6, 0.4, np.sqrt(0.5)).logpdf,
                        np.linspace(-3, 4, 5)),
    "MultivariateNormal(2)": (ig.MultivariateNormal(2), dict(location=[0.3, -1.0], precision_scale=2.0, degrees_of_freedom=5.0,
                                                             scale_matrix=[[1.0, 0.2], [0.2, 0.5]]),
                              stats.multivariate_t([0.3, -1.0], np.linalg.inv([[1.0, 0.2], [0.2, 0.5]]) * 3 / 8, 4).logpdf,
                              np.random.default_rng(0).normal(size=(4, 2))),
}


@pytest.mark.parametrize("family, prior, log_density, x", PREDICTIVE.values(), ids=PREDICTIVE)
def test_predictive_law(family, prior, log_density, x):
    theta = family.conjugate_prior().theta_from(**prior)
    np.testing.assert_allclose(family.predictive_log_density(theta, x), log_density(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("family, prior, log_density, x", PREDICTIVE.values(), ids=PREDICTIVE)
def test_posterior_is_prior_times_likelihood(family, prior, log_density, x):
    """The product of the predictive densities, each after the observations before it, does not depend on their order."""
    start = family.conjugate_prior().theta_from(**prior)

    def evidence(xs):
        theta, total = start, 0.0
        for one in xs:
            total += family.predictive_log_density(theta, one)
            theta = family.posterior(theta, SufficientStatistics.from_data(family, one[None]))
        return total, theta

    forward, last = evidence(x)
    backward, other = evidence(x[::-1])
    np.testing.assert_allclose(forward, backward, rtol=1e-12)
    np.testing.assert_allclose(last, other, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(family.posterior(start, SufficientStatistics.from_data(family, x)), last, rtol=1e-12, atol=1e-13)


def test_posteriors_in_ordinary_parameters():
    summed = SufficientStatistics.from_data
    assert isinstance(ig.Bernoulli().conjugate_prior(), Beta)
    coin = Beta().parameters(ig.Bernoulli().posterior([2.0, 3.5], summed(ig.Bernoulli(), [1, 1, 0, 1])))
    assert (coin["alpha"], coin["beta"]) == (5.0, 4.5)
    rate = ig.Gamma().parameters(ig.Poisson().posterior([2.0, -1.0], summed(ig.Poisson(), [3, 0, 4])))
    assert (rate["shape"], rate["rate"]) == (9.0, 4.0)
    x = np.array([1.0, 2.0, 4.0])
    variance = InverseGamma().parameters(NormalKnownMean(1.0).posterior([2.0, -3.0], summed(NormalKnownMean(1.0), x)))
    assert (variance["shape"], variance["scale"]) == (3.5, 8.0)
    family, prior = ig.Normal(), ig.Normal().conjugate_prior()
    start = prior.theta_from(location=0.5, precision_scale=2.0, shape=3.0, rate=1.5)
    after = prior.parameters(family.posterior(start, summed(family, x)))
    # Murphy, Conjugate Bayesian analysis of the Gaussian distribution (2007), equations 86 to 89
    expected = {"location": (2 * 0.5 + 7) / 5, "precision_scale": 5.0, "shape": 4.5,
                "rate": 1.5 + 0.5 * np.sum((x - 7 / 3) ** 2) + 2 * 3 * (7 / 3 - 0.5) ** 2 / (2 * 5)}
    for name, value in expected.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-13)


@pytest.mark.parametrize("reference", [0, 1, 2])
def test_categorical_and_multinomial(reference):
    """Whatever outcome is the reference, the counts add to the concentration."""
    family, counts = ig.Categorical(3, reference=reference), np.array([1.0, 2.0, 5.0])
    alpha = np.array([0.5, 2.0, 1.5])
    x = np.repeat(np.arange(3.0), counts.astype(int))
    np.testing.assert_allclose(family.posterior(alpha, SufficientStatistics.from_data(family, x)), alpha + counts, rtol=1e-15)
    np.testing.assert_allclose(family.predictive_log_density(alpha, np.arange(3.0)), np.log(alpha / 4.0), rtol=1e-13)
    whole = Multinomial(3, 8, reference)
    np.testing.assert_allclose(whole.posterior(alpha, SufficientStatistics.from_data(whole, counts[None])), alpha + counts,
                               rtol=1e-15)
    expected = stats.dirichlet_multinomial(alpha, 8).logpmf(counts.astype(int))
    np.testing.assert_allclose(whole.predictive_log_density(alpha, counts), expected, rtol=1e-12)


def test_a_strong_prior_keeps_digits():
    """α = β = 1e12 and one toss: log ½ + O(1e-12); the difference of two values of ψ near 1e12 would know four digits."""
    value = ig.Bernoulli().predictive_log_density([1e12, 1e12 * (1 + 1e-9)], [1.0])
    np.testing.assert_allclose(value, -np.log1p(1 + 1e-9), rtol=1e-14)


def test_batches_and_places_outside_the_support():
    family = ig.Poisson()
    prior = np.array([[2.0, -1.0], [3.0, -0.5]])
    x = np.array([[0.0], [2.0], [-1.0], [0.5]])
    value = family.predictive_log_density(prior, x)
    assert value.shape == (4, 2) and np.array_equal(np.isneginf(value), [[False] * 2, [False] * 2, [True] * 2, [True] * 2])
    np.testing.assert_allclose(value[1, 1], family.predictive_log_density(prior[1], 2.0), rtol=1e-15)


def test_posterior_mode():
    """(n₀ η₀ + Σ w T) / (n₀ + Σ w): it exists where the likelihood alone has no maximum."""
    family, x = ig.Bernoulli(), np.zeros((4, 2))
    theta = family.fit(x, prior=([[0.5], [0.25]], [2.0, 4.0]))
    np.testing.assert_allclose(family.to_eta(theta)[:, 0], [1 / 6, 1 / 8], rtol=1e-14)
    weighted = family.fit([1.0, 0.0], weights=[3.0, 1.0], prior=([0.5], 4.0))
    np.testing.assert_allclose(family.to_eta(weighted), [5 / 8], rtol=1e-14)
    np.testing.assert_allclose(ig.Normal().parameters(ig.Normal().fit([2.0], prior=([0.0, 1.0], 1.0)))["variance"], 1.5,
                               rtol=1e-14)
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        family.fit(x)


def test_errors():
    with pytest.raises(TypeError, match=r"Dirichlet\(k=3\) has no conjugate prior"):
        ig.Dirichlet(3).conjugate_prior()
    with pytest.raises(ig.DomainError, match="prior_theta must satisfy prior_theta > 0"):
        ig.Bernoulli().posterior([1.0, -1.0], SufficientStatistics.from_data(ig.Bernoulli(), [1.0]))
    with pytest.raises(ig.DomainError, match="prior eta must satisfy 0 < prior eta < 1"):
        ig.Bernoulli().fit([1.0], prior=([1.5], 2.0))
    with pytest.raises(ig.DomainError, match="prior n must satisfy prior n > 0"):
        ig.Bernoulli().fit([1.0], prior=([0.5], 0.0))
