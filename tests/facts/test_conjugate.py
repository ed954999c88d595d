"""Conjugate priors: posteriors and predictive laws against the likelihood and known closed forms, posterior modes, errors."""
import re
from inspect import isabstract

import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.statistics import conjugacy, conjugate_prior, posterior, predictive_log_density
from infogeo.families.beta import Beta
from infogeo.families.binomial import Binomial, Multinomial
from infogeo.families.erlang import Erlang
from infogeo.families.geometric import Geometric, NegativeBinomial
from infogeo.families.inverse_gamma import InverseGamma
from infogeo.families.normal_known import NormalKnownMean, NormalKnownVariance
from infogeo.statistics.sufficient_statistics import SufficientStatistics

stats = scipy.stats

ALPHA, GAMMA, INVERSE = dict(alpha=2.0, beta=3.5), dict(shape=2.5, rate=0.7), dict(shape=2.5, scale=0.7)
NORMAL_GAMMA = dict(location=0.3, precision_scale=2.0, shape=3.0, rate=1.5)
POSITIVE, LINE, COUNTS = np.array([0.1, 1.0, 30.0]), np.linspace(-3, 4, 5), np.arange(9.0)
LOMAX = stats.lomax(2.5, scale=0.7).logpdf                             # an exponential variable of gamma rate
STUDENT = stats.t(6, 0.3, np.sqrt(1.5 * 3 / (3 * 2))).logpdf           # a normal variable of normal-gamma parameters
COVARIANCE = np.array([[1.0, 0.2], [0.2, 0.5]])
ROWS, COLUMNS = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[0.3]])
VECTORS = np.random.default_rng(0).normal(size=(4, 2))


def moved(mean, covariance):
    return stats.multivariate_normal(mean, covariance).logpdf


# family, ordinary parameters of the prior, the predictive law, observations, the family's parameters from those of the prior
# (DeGroot, Optimal Statistical Decisions (1970), chapter 9; Murphy, Conjugate Bayesian analysis of the Gaussian distribution
# (2007); the others by a change of variables)
PREDICTIVE = {
    "Bernoulli": (ig.Bernoulli(), ALPHA, stats.betabinom(1, 2.0, 3.5).logpmf, np.arange(2.0), lambda p: dict(probability=p)),
    "Binomial": (Binomial(7), ALPHA, stats.betabinom(7, 2.0, 3.5).logpmf, np.arange(8.0), lambda p: dict(probability=p)),
    "Geometric": (Geometric(), ALPHA, stats.betanbinom(1, 2.0, 3.5).logpmf, COUNTS, lambda p: dict(probability=p)),
    "NegativeBinomial": (NegativeBinomial(4.0), ALPHA, stats.betanbinom(4, 2.0, 3.5).logpmf, COUNTS,
                         lambda p: dict(probability=p)),
    "Categorical": (ig.Categorical(3, reference=1), dict(concentration=[0.5, 2.0, 1.5]),
                    lambda x: np.log(np.array([0.5, 2.0, 1.5])[x.astype(int)] / 4.0), np.arange(3.0),
                    lambda p: dict(probabilities=p)),
    "Multinomial": (Multinomial(3, 2), dict(concentration=[0.5, 2.0, 1.5]),
                    lambda x: stats.dirichlet_multinomial([0.5, 2.0, 1.5], 2).logpmf(x.astype(int)),
                    np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]), lambda p: dict(probabilities=p)),
    "Poisson": (ig.Poisson(), GAMMA, stats.nbinom(2.5, 0.7 / 1.7).logpmf, COUNTS, lambda rate: dict(rate=rate)),
    "Exponential": (ig.Exponential(), GAMMA, LOMAX, POSITIVE, lambda rate: dict(rate=rate)),
    "Erlang": (Erlang(3), GAMMA, stats.betaprime(3, 2.5, scale=0.7).logpdf, POSITIVE, lambda rate: dict(rate=rate)),
    "Pareto": (ig.Pareto(2.0), GAMMA, lambda x: LOMAX(np.log(x / 2.0)) - np.log(x), np.array([2.1, 3.0, 500.0]),
               lambda a: dict(exponent=a)),
    "Gumbel": (ig.Gumbel(2.0), GAMMA, lambda x: LOMAX(np.exp(-x / 2.0)) - x / 2.0 - np.log(2.0), LINE,
               lambda rate: dict(location=2.0 * np.log(rate))),
    "Laplace": (ig.Laplace(0.5), INVERSE, lambda x: LOMAX(abs(x - 0.5)) - np.log(2.0), LINE, lambda b: dict(scale=b)),
    "Weibull": (ig.Weibull(1.7), INVERSE, lambda x: LOMAX(x**1.7) + np.log(1.7) + 0.7 * np.log(x), POSITIVE,
                lambda power: dict(scale=power ** (1 / 1.7))),
    "Rayleigh": (ig.Rayleigh(), INVERSE, lambda x: LOMAX(0.5 * x**2) + np.log(x), POSITIVE, lambda v: dict(scale=np.sqrt(v))),
    "HalfNormal": (ig.HalfNormal(), INVERSE, lambda x: np.log(2.0) + stats.t(5, 0.0, np.sqrt(0.7 / 2.5)).logpdf(x), POSITIVE,
                   lambda v: dict(scale=np.sqrt(v))),
    "NormalKnownVariance": (NormalKnownVariance(0.5), dict(mean=1.0, variance=2.0), stats.norm(1.0, np.sqrt(2.5)).logpdf, LINE,
                            lambda mean: dict(mean=mean)),
    "NormalKnownMean": (NormalKnownMean(0.4), dict(shape=3.0, scale=1.5), stats.t(6, 0.4, np.sqrt(0.5)).logpdf, LINE,
                        lambda v: dict(variance=v)),
    "MultivariateNormalKnownCovariance": (
        ig.MultivariateNormalKnownCovariance(COVARIANCE), dict(mean=[0.3, -1.0], covariance=ROWS),
        moved([0.3, -1.0], COVARIANCE + ROWS), VECTORS, lambda mean: dict(mean=mean)),
    "MatrixNormalKnownCovariances": (
        ig.MatrixNormalKnownCovariances(ROWS, COLUMNS), dict(mean=[0.3, -1.0], covariance=COVARIANCE),
        lambda x: moved([0.3, -1.0], COVARIANCE + 0.3 * ROWS)(x[..., 0]), VECTORS[..., None],
        lambda mean: dict(mean=mean[..., None])),
    "Normal": (ig.Normal(), NORMAL_GAMMA, STUDENT, LINE, lambda x: dict(mean=x[..., 0], variance=1 / x[..., 1])),
    "LogNormal": (ig.LogNormal(), NORMAL_GAMMA, lambda x: STUDENT(np.log(x)) - np.log(x), POSITIVE,
                  lambda x: dict(mean=x[..., 0], variance=1 / x[..., 1])),
    "LogitNormal": (ig.LogitNormal(), NORMAL_GAMMA, lambda x: STUDENT(np.log(x / (1 - x))) - np.log(x * (1 - x)),
                    np.array([0.01, 0.5, 0.7]), lambda x: dict(mean=x[..., 0], variance=1 / x[..., 1])),
    "DiagonalNormal(2)": (
        ig.DiagonalNormal(2), {name: [value, value + 1] for name, value in NORMAL_GAMMA.items()},
        lambda x: STUDENT(x[..., 0]) + stats.t(8, 1.3, np.sqrt(2.5 * 4 / (4 * 3))).logpdf(x[..., 1]), VECTORS,
        lambda x: dict(mean=x[..., 0], variance=1 / x[..., 1])),
    "MultivariateNormal(2)": (
        ig.MultivariateNormal(2),
        dict(location=[0.3, -1.0], precision_scale=2.0, degrees_of_freedom=5.0, scale_matrix=COVARIANCE),
        stats.multivariate_t([0.3, -1.0], COVARIANCE * 3 / 8, 4).logpdf, VECTORS,
        lambda x: dict(mean=x[..., :2], covariance=ig.unpack(x[..., 2:], 2))),
    "Independent(Poisson, 2)": (
        ig.Independent(ig.Poisson(), 2), dict(shape=[2.5, 2.5], rate=[0.7, 0.7]),
        lambda x: np.sum(stats.nbinom(2.5, 0.7 / 1.7).logpmf(x), axis=-1), np.array([[0.0, 2.0], [3.0, 1.0]]),
        lambda rate: dict(rate=rate)),
    "Product(Poisson, Rayleigh)": (
        ig.Product(ig.Poisson(), ig.Rayleigh()), dict(shape_0=2.5, rate_0=0.7, shape_1=2.5, scale_1=0.7),
        lambda x: stats.nbinom(2.5, 0.7 / 1.7).logpmf(x[..., 0]) + LOMAX(0.5 * x[..., 1] ** 2) + np.log(x[..., 1]),
        np.array([[0.0, 2.0], [3.0, 1.0]]), lambda x: dict(rate_0=x[..., 0], scale_1=np.sqrt(x[..., 1]))),
}
every_pair = pytest.mark.parametrize("family, prior, log_density, x, ordinary", PREDICTIVE.values(), ids=PREDICTIVE)

# Their conjugate priors are not families here
WITHOUT = [
    ig.Beta(), ig.BoltzmannMachine(2), ig.Chi(), ig.ChiSquared(), ig.ComplexNormal(2), ig.ContinuousBernoulli(),
    ig.ConwayMaxwellPoisson(), ig.Dirichlet(3), ig.Gamma(), ig.GeneralizedDirichlet(3), ig.GeneralizedInverseGaussian(),
    ig.Hierarchical((2, 2), ((0, 1),)), ig.InverseGamma(), ig.InverseGaussian(), ig.InverseWishart(2), ig.IsotropicNormal(2),
    ig.LogLinear([[0.0], [1.0], [2.0]]), ig.LogSeries(), ig.NormalGamma(), ig.NormalInverseWishart(2), ig.NormalWishart(2),
    ig.Truncated(ig.Poisson(), 0), ig.VonMises(), ig.VonMisesFisher(3), ig.Wishart(2), ig.Zeta(),
]


@every_pair
def test_predictive_law(family, prior, log_density, x, ordinary):
    theta = conjugate_prior(family).theta_from(**prior)
    np.testing.assert_allclose(predictive_log_density(family, theta, x), log_density(x), rtol=1e-12, atol=1e-13)


@every_pair
def test_posterior_is_prior_times_likelihood(family, prior, log_density, x, ordinary):
    """log posterior − log prior − log likelihood is one number, minus the log of the predictive density of the first one."""
    found = conjugacy(family)
    theta = found.prior.theta_from(**prior)
    drawn = found.prior.sample(np.random.default_rng(1), theta, 20)
    after = posterior(family, theta, SufficientStatistics.from_data(family, x[:1]))
    change = found.prior.log_density(after, drawn) - found.prior.log_density(theta, drawn)
    likelihood = family.log_density(family.theta_from(**ordinary(drawn)), x[0])
    np.testing.assert_allclose(change - likelihood, -log_density(x)[0], rtol=1e-11, atol=1e-11)


@every_pair
def test_the_order_of_observations_does_not_matter(family, prior, log_density, x, ordinary):
    """The product of the predictive densities, each after the observations before it, does not depend on their order."""
    start = conjugate_prior(family).theta_from(**prior)

    def evidence(xs):
        theta, total = start, 0.0
        for one in xs:
            total += predictive_log_density(family, theta, one)
            theta = posterior(family, theta, SufficientStatistics.from_data(family, one[None]))
        return total, theta

    forward, last = evidence(x)
    backward, other = evidence(x[::-1])
    np.testing.assert_allclose(forward, backward, rtol=1e-12)
    np.testing.assert_allclose(last, other, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(posterior(family, start, SufficientStatistics.from_data(family, x)), last, rtol=1e-12, atol=1e-13)


def test_posteriors_in_ordinary_parameters():
    summed = SufficientStatistics.from_data
    assert isinstance(conjugate_prior(ig.Bernoulli()), Beta)
    coin = Beta().parameters(posterior(ig.Bernoulli(), [2.0, 3.5], summed(ig.Bernoulli(), [1, 1, 0, 1])))
    assert (coin["alpha"], coin["beta"]) == (5.0, 4.5)
    rate = ig.Gamma().parameters(posterior(ig.Poisson(), [2.0, -1.0], summed(ig.Poisson(), [3, 0, 4])))
    assert (rate["shape"], rate["rate"]) == (9.0, 4.0)
    x = np.array([1.0, 2.0, 4.0])
    variance = InverseGamma().parameters(posterior(NormalKnownMean(1.0), [2.0, -3.0], summed(NormalKnownMean(1.0), x)))
    assert (variance["shape"], variance["scale"]) == (3.5, 8.0)
    family, prior = ig.Normal(), conjugate_prior(ig.Normal())
    start = prior.theta_from(location=0.5, precision_scale=2.0, shape=3.0, rate=1.5)
    after = prior.parameters(posterior(family, start, summed(family, x)))
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
    np.testing.assert_allclose(posterior(family, alpha, SufficientStatistics.from_data(family, x)), alpha + counts, rtol=1e-15)
    np.testing.assert_allclose(predictive_log_density(family, alpha, np.arange(3.0)), np.log(alpha / 4.0), rtol=1e-13)
    whole = Multinomial(3, 8, reference)
    np.testing.assert_allclose(posterior(whole, alpha, SufficientStatistics.from_data(whole, counts[None])), alpha + counts,
                               rtol=1e-15)
    expected = stats.dirichlet_multinomial(alpha, 8).logpmf(counts.astype(int))
    np.testing.assert_allclose(predictive_log_density(whole, alpha, counts), expected, rtol=1e-12)


def test_a_strong_prior_keeps_digits():
    """α = β = 1e12 and one toss: log ½ + O(1e-12); the difference of two values of ψ near 1e12 would know four digits."""
    value = predictive_log_density(ig.Bernoulli(), [1e12, 1e12 * (1 + 1e-9)], [1.0])
    np.testing.assert_allclose(value, -np.log1p(1 + 1e-9), rtol=1e-14)


def test_batches_and_places_outside_the_support():
    family = ig.Poisson()
    prior = np.array([[2.0, -1.0], [3.0, -0.5]])
    x = np.array([[0.0], [2.0], [-1.0], [0.5]])
    value = predictive_log_density(family, prior, x)
    assert value.shape == (4, 2) and np.array_equal(np.isneginf(value), [[False] * 2, [False] * 2, [True] * 2, [True] * 2])
    np.testing.assert_allclose(value[1, 1], predictive_log_density(family, prior[1], 2.0), rtol=1e-15)


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


@pytest.mark.parametrize("family", WITHOUT, ids=lambda family: type(family).__name__)
def test_families_without_a_conjugate_prior(family):
    message = re.escape(f"{family!r} has no conjugate prior among the families of this library")
    x = family.sample(np.random.default_rng(0), family.theta_domain.interior_point, 2)
    for refused in (lambda: conjugate_prior(family), lambda: predictive_log_density(family, np.ones(2), x),
                    lambda: posterior(family, np.ones(2), SufficientStatistics.from_data(family, x))):
        with pytest.raises(TypeError, match=message):
            refused()


def test_a_product_is_refused_for_its_factor():
    with pytest.raises(TypeError, match=r"^Gamma\(\) has no conjugate prior"):
        conjugate_prior(ig.Product(ig.Poisson(), ig.Gamma()))


def test_every_family_is_decided():
    families = {value for name in ig.__all__ if isinstance(value := getattr(ig, name), type)
                and issubclass(value, ig.ExponentialFamily) and not isabstract(value)}
    assert families == {type(family) for family, *_ in PREDICTIVE.values()} | {type(family) for family in WITHOUT}


def test_two_laws_of_one_parameter():
    """Normal-Wishart on the precision and normal-inverse-Wishart on the covariance have the same coordinates."""
    prior = dict(location=[0.3, -1.0], precision_scale=2.0, degrees_of_freedom=5.0)
    inverse = ig.NormalInverseWishart(2).theta_from(scale_matrix=COVARIANCE, **prior)
    same = ig.NormalWishart(2).theta_from(scale_matrix=np.linalg.inv(COVARIANCE), **prior)
    np.testing.assert_allclose(inverse, same, rtol=1e-14)


def test_errors():
    with pytest.raises(ig.DomainError, match="prior_theta must satisfy prior_theta > 0"):
        posterior(ig.Bernoulli(), [1.0, -1.0], SufficientStatistics.from_data(ig.Bernoulli(), [1.0]))
    with pytest.raises(ig.DomainError, match="prior eta must satisfy 0 < prior eta < 1"):
        ig.Bernoulli().fit([1.0], prior=([1.5], 2.0))
    with pytest.raises(ig.DomainError, match="prior n must satisfy prior n > 0"):
        ig.Bernoulli().fit([1.0], prior=([0.5], 0.0))
