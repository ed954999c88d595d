"""What happens at ends of the support, on the boundary of a family, and with data far from 0: `docs/reference/edges.rst`."""
import math
import warnings

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import infogeo as ig
from infogeo.arrays.sums import ROWS, sum_of
from infogeo.backend import NUMPY
from infogeo.statistics import SufficientStatistics
from infogeo.statistics import fit_mixture, mixture_start

from ..registry import every_family, region

FAR = [1e4, 1e8, 1.7e9, 1e12]
Z = np.random.default_rng(0).standard_normal((1000, 3))
INF = np.inf


# Data far from 0

def matrices(p):
    return {"mean": np.zeros(p), "covariance": np.eye(p)}


@pytest.mark.parametrize("mean", FAR)
@pytest.mark.parametrize("family, spread", [
    (ig.Normal(), "variance"), (ig.DiagonalNormal(3), "variance"), (ig.IsotropicNormal(3), "variance"),
    (ig.Independent(ig.Normal(), 3), "variance"), (ig.MultivariateNormal(3), "covariance")],
    ids=["Normal", "DiagonalNormal", "IsotropicNormal", "Independent", "MultivariateNormal"])
def test_fit_far_from_zero(family, spread, mean):
    """The spread is that of the data moved to 0, which is exact; the mean has the digits that it can have."""
    x = mean + (Z[:, 0] if family.support.shape == () else Z)
    far, near = family.parameters(family.fit(x)), family.parameters(family.fit(x - mean))
    np.testing.assert_allclose(far[spread], near[spread], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(far["mean"], mean + near["mean"], rtol=1e-14)


def test_fit_of_single_precision():
    x = (1e4 + Z[:, 0]).astype(np.float32)
    theta = ig.Normal().fit(x)
    assert theta.dtype == np.float32
    np.testing.assert_allclose(ig.Normal().parameters(theta)["variance"], x.astype(float).var(), rtol=1e-6)


def test_log_normal_far_from_one():
    x = np.exp(300.0 + 1e-9 * Z[:, 0])
    np.testing.assert_allclose(ig.LogNormal().parameters(ig.LogNormal().fit(x))["variance"], np.log(x).var(), rtol=1e-8)


def exact_concentration(logs, start):
    """α with digamma(α_i) − digamma(Σ α) the means of these logarithms, to 40 digits."""
    def residual(*alpha):
        return [mp.digamma(a) - mp.digamma(mp.fsum(alpha)) - log for a, log in zip(alpha, logs)]

    with mp.workdps(50):
        return mp.findroot(residual, tuple(map(mp.mpf, start)), tol=mp.mpf(10) ** -60, verify=False)


@pytest.mark.parametrize("spread", [1e-1, 3e-5, 1e-6, 1e-8])
def test_narrow_shares(spread):
    """Beta, Dirichlet and generalized Dirichlet to 1e-11 where their mean logarithms cancel."""
    z = np.clip(Z[:200, 0], -2.5, 2.5)
    x = 0.3 + spread * z
    with mp.workdps(50):
        sums = [mp.fsum(mp.log(f(mp.mpf(v))) for v in x) / 200 for f in (lambda v: v, lambda v: 1 - v)]
    theta = ig.Beta().fit(x)
    exact = exact_concentration(sums, theta)
    np.testing.assert_allclose(theta, [float(e) for e in exact], rtol=1e-11)
    np.testing.assert_allclose(ig.GeneralizedDirichlet(2).fit(np.stack([x, 1 - x], axis=1)), theta, rtol=1e-8)
    three = np.stack([x, 0.5 * (1 - x), 0.5 * (1 - x)], axis=1) + spread * 0.1 * (Z[:200] - Z[:200].mean(axis=1, keepdims=True))
    with mp.workdps(50):
        logs = [mp.fsum(mp.log(mp.mpf(v)) for v in column) / 200 for column in three.T]
        missing = 1 - mp.fsum(mp.exp(log) for log in logs)
    if missing > 1e-12:                         # the rows sum to 1 only to rounding, which a smaller 1 − Σ e^η would see
        theta = ig.Dirichlet(3).fit(three)
        np.testing.assert_allclose(theta, [float(e) for e in exact_concentration(logs, theta)], rtol=1e-3)


def test_narrow_gamma():
    x = 1.0 + 1e-8 * Z[:, 0]
    shape = ig.Gamma().parameters(ig.Gamma().fit(x))["shape"]
    np.testing.assert_allclose(shape, 1.0 / (x / x.mean() - 1.0).var(), rtol=1e-7)


def test_continuous_bernoulli_near_a_half():
    x = 0.5 + 1e-7 * Z[:, 0]
    np.testing.assert_allclose(ig.ContinuousBernoulli().fit(x), [12.0 * np.mean(x - 0.5)], rtol=1e-12)


# No estimate

@pytest.mark.parametrize("upper", [INF, 1e8])
@pytest.mark.parametrize("ordinary", [(-1.0, 1e-8), (-1e4, 1.0), (1e-7, 1e-14), (1e7, 1e14)], ids=str)
def test_inversion_of_truncated_normal_laws_at_every_scale(ordinary, upper):
    """Tails that are nearly exponential, 1e4 deviations out, and laws far smaller or larger than 1; the first was NaN."""
    family = ig.Truncated(ig.Normal(), 0.0, upper)
    theta = family.theta_from(mean=ordinary[0], variance=ordinary[1])
    np.testing.assert_allclose(family.to_theta(family.to_eta(theta)), theta, rtol=1e-12 if ordinary[0] > 0 else 1e-6)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_narrow_samples_between_far_bounds(spread):
    """Bounds 200 deviations away do not count: it is the normal law of the sample; near one, that of the sample moved to 0."""
    rng = np.random.default_rng(5)
    x = 0.3 + spread * rng.normal(size=(80, 2))
    family, near = ig.Truncated(ig.Normal(), 0.0, 1.0), ig.Truncated(ig.Normal(), 0.0, np.inf)
    np.testing.assert_allclose(family.fit(x), ig.Normal().fit(x), rtol=1e-12)
    np.testing.assert_array_equal(family.fit(x)[0], family.fit(x[:, 0]))
    y = spread * np.abs(rng.normal(size=200))
    moved = 2.0**20 + np.rint(y * 2.0**32) / 2.0**32                  # these sums are exact
    at_zero, far = near.fit(moved - 2.0**20), ig.Truncated(ig.Normal(), 2.0**20, np.inf).fit(moved)
    np.testing.assert_allclose(far, [at_zero[0] - 2.0**21 * at_zero[1], at_zero[1]], rtol=1e-7)


@pytest.mark.parametrize("p", [2, 3, 5])
def test_singular_samples_have_no_estimate(p):
    rng = np.random.default_rng(p)
    for _ in range(100):
        few = rng.standard_normal((p, p)) @ rng.standard_normal((p, p)) + 10.0 ** rng.integers(-3, 6)
        collinear = rng.standard_normal((40, p)) @ rng.standard_normal((p, p)) + 10.0 ** rng.integers(-3, 6)
        collinear[:, -1] = 0.7 * collinear[:, 0] - (p > 2) * collinear[:, 1]
        for x in (few, np.repeat(few, 5, axis=0), collinear):
            with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
                ig.MultivariateNormal(p).fit(x)


NO_POINT_MASS = ["Normal", "LogNormal", "Gamma", "InverseGamma", "InverseGaussian", "Beta", "Dirichlet", "GeneralizedDirichlet",
                 "ComplexNormal", "GeneralizedInverseGaussian", "DiagonalNormal", "IsotropicNormal", "MultivariateNormal",
                 "Wishart", "VonMisesFisher", "NormalWishart"]


@every_family
def test_equal_observations_have_no_estimate(M):
    if type(M).__name__ not in NO_POINT_MASS or M.support.shape == (1,):
        return
    theta = region(M).sample(np.random.default_rng(7), (), 0.3)
    for x in M.sample(np.random.default_rng(8), theta, 20):
        with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
            M.fit(np.stack([x] * 7))


def test_an_estimate_beyond_the_numbers_is_told():
    for family, x in ((ig.Gumbel(1.0), 800.0 + Z[:, 0]), (ig.Weibull(50.0), 1e7 * np.abs(Z[:, 0]))):
        with pytest.raises(ig.DomainError, match="overflows the natural parameter"):
            family.fit(x)
    with pytest.raises(ig.DomainError, match="does not exist"):
        ig.Weibull(1.0).fit([0.0, 0.0])


def test_samples_near_the_ends_of_the_numbers():
    """log(x / m) where x / m overflows; variances that do, told from a missing estimate; a mean whose variance is no number."""
    x = np.array([1e10, 1e12])
    np.testing.assert_allclose(ig.Pareto(1e-300).fit(x), [-1 / (311 * np.log(10.0))], rtol=1e-14)
    family, z = ig.MultivariateNormal(2), np.random.default_rng(0).normal(size=(20, 2))
    for scale in ([1e-170, 1.0], [1e160, 1.0]):
        with pytest.raises(ig.DomainError, match="overflows the natural parameter"):
            family.fit(z * scale)
    series = ig.LogSeries()
    np.testing.assert_allclose(series.to_eta(series.fit([1e200, 3e200])), [2e200], rtol=1e-13)


def test_truncated_exponential_beyond_the_whole_family():
    family = ig.Truncated(ig.Exponential(), 0.5, 3.0)
    theta = family.fit([2.9, 2.8])
    assert theta[0] > 0
    np.testing.assert_allclose(family.to_eta(theta), [2.85], rtol=1e-14)
    t, ends = theta[0], np.array([0.5, 3.0])
    exact = t * (ends - 3.0) + np.log(t) - np.log(-np.expm1(-2.5 * t))
    np.testing.assert_allclose(family.log_density(theta, ends), exact, rtol=1e-12)
    np.testing.assert_allclose(family.potential([0.0]), np.log(2.5), rtol=1e-14)


def test_wishart_of_no_batch():
    for family in (ig.Wishart(2), ig.InverseWishart(2)):
        assert family.fit(np.zeros((5, 0, 2, 2))).shape == (0, 4)


# Sums

def test_sums_of_large_samples():
    x = np.random.default_rng(3).standard_normal(10**6)
    total = SufficientStatistics.from_data(ig.Normal(), x).total
    np.testing.assert_allclose(total, [math.fsum(x), math.fsum(x * x)], rtol=1e-15)
    labels = np.random.default_rng(4).integers(0, 3, 200_000)
    counts = np.bincount(labels)
    np.testing.assert_allclose(np.exp(ig.Categorical(3).fit(labels)), counts[:2] / counts[2], rtol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 100, 3 * ROWS])
def test_a_sample_without_weights_has_equal_ones(n):
    """Σ x / n, which no weight is asked for, is the mean with weights of 1."""
    x = 1e6 + np.random.default_rng(7).standard_normal((n, 2))
    for family in ig.Poisson(), ig.Independent(ig.Poisson(), 2):
        np.testing.assert_allclose(family.fit(np.floor(x)), family.fit(np.floor(x), np.ones(n)), rtol=1e-15)
    if n > 2:
        np.testing.assert_allclose(ig.Normal().fit(x), ig.Normal().fit(x, np.full(n, 3.0)), rtol=1e-13)


def test_a_column_is_summed_alike_in_every_batch():
    x = np.random.default_rng(5).standard_normal((ROWS + 777, 3))
    together = sum_of(NUMPY, lambda v: v, x)
    for i in range(3):
        alone = sum_of(NUMPY, lambda v: v, x[:, i:i + 1])
        assert all(np.array_equal(a[i:i + 1], b) for a, b in zip(together, alone))


# Mixtures

@pytest.mark.parametrize("centre, gap, deviation", [(0.0, 0.1, 0.01), (1e6, 0.1, 0.01), (1.7e9, 100.0, 10.0), (0.0, 1e6, 0.01)])
def test_mixtures_far_from_zero(centre, gap, deviation):
    x = centre + np.concatenate([deviation * Z[:500, 0], gap + deviation * Z[500:, 1]])
    found = fit_mixture(ig.Normal(), x, *mixture_start(ig.Normal(), x, 2, np.random.default_rng(0)), tol=1e-10, max_steps=100)
    np.testing.assert_allclose(found.weights, [0.5, 0.5], atol=1e-3)
    ordinary = ig.Normal().parameters(found.theta)
    np.testing.assert_allclose(np.sort(ordinary["mean"]) - centre, [0.0, gap], atol=0.2 * deviation)
    np.testing.assert_allclose(np.sqrt(ordinary["variance"]), deviation, rtol=0.1)


# What is no data

class Frame:
    """As a data frame is to NumPy."""

    def __init__(self, x):
        self.x = np.asarray(x)

    def __array__(self, dtype=None, copy=None):
        return self.x if dtype is None else self.x.astype(dtype)


@pytest.mark.parametrize("x, words", [
    (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "masked arrays are not read: pass x.compressed"),
    (["1", "2"], "strings"), (np.array(["1", "2"], dtype=object), "strings"), (Frame(["1", "2"]), "strings"),
    (np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]"), "dates"), (np.array([1.0 + 1j, 2.0]), "real numbers are needed")])
def test_what_is_no_number_is_refused_by_name(x, words):
    for call in (ig.Normal().fit, lambda x: ig.Normal().log_density([0.0, -0.5], x)):
        with pytest.raises(TypeError, match=words):
            call(x)


def test_what_has_an_array_is_read():
    expected = ig.Normal().fit([1.0, 2.0, 4.0])
    for x in (Frame([1.0, 2.0, 4.0]), Frame([1, 2, 4]), (1, 2, 4)):
        np.testing.assert_array_equal(ig.Normal().fit(x), expected)


def test_complex_parameters_are_refused():
    with pytest.raises(TypeError):
        ig.Normal().theta_from(mean=1j, variance=1.0)
    with pytest.raises(TypeError, match="real numbers are needed"):
        ig.MultivariateNormal(2).theta_from(mean=[1j, 0], covariance=np.eye(2))
    with pytest.raises(TypeError, match="real numbers are needed"):
        ig.Normal().to_eta(np.array([1j, -1.0]))


@pytest.mark.parametrize("family, ordinary", [
    (ig.Gumbel(1.0), {"location": 800.0}), (ig.Gumbel(1.0), {"location": -800.0}), (ig.Weibull(50.0), {"scale": 1e10}),
    (ig.Rayleigh(), {"scale": 1e-200}), (ig.InverseGaussian(), {"mean": 1e200, "shape": 1.0}),
    (ig.Normal(), {"mean": 0.0, "variance": 1e-320})])
def test_theta_stays_in_its_domain(family, ordinary):
    with pytest.raises(ig.DomainError, match="overflows the natural parameter"):
        family.theta_from(**ordinary)


# Ends of the support

ENDS = [
    (ig.Exponential(), {"rate": 2.0}, 0.0, np.log(2.0)), (ig.HalfNormal(), {"scale": 1.0}, 0.0, 0.5 * np.log(2 / np.pi)),
    (ig.Gamma(), {"shape": 0.5, "rate": 3.0}, 0.0, INF), (ig.Gamma(), {"shape": 1.0, "rate": 3.0}, 0.0, np.log(3.0)),
    (ig.Gamma(), {"shape": 2.0, "rate": 3.0}, 0.0, -INF), (ig.ChiSquared(), {"degrees_of_freedom": 1.0}, 0.0, INF),
    (ig.ChiSquared(), {"degrees_of_freedom": 2.0}, 0.0, -np.log(2.0)), (ig.ChiSquared(), {"degrees_of_freedom": 3.0}, 0.0, -INF),
    (ig.Chi(), {"degrees_of_freedom": 1.0}, 0.0, 0.5 * np.log(2 / np.pi)), (ig.Chi(), {"degrees_of_freedom": 0.5}, 0.0, INF),
    (ig.Weibull(0.5), {"scale": 2.0}, 0.0, INF), (ig.Weibull(1.0), {"scale": 2.0}, 0.0, -np.log(2.0)),
    (ig.Weibull(2.0), {"scale": 2.0}, 0.0, -INF), (ig.Rayleigh(), {"scale": 2.0}, 0.0, -INF),
    (ig.Erlang(1), {"rate": 2.0}, 0.0, np.log(2.0)),
    (ig.Erlang(2), {"rate": 2.0}, 0.0, -INF), (ig.Beta(), {"alpha": 1.0, "beta": 8.0}, 0.0, np.log(8.0)),
    (ig.Beta(), {"alpha": 0.2, "beta": 8.0}, 0.0, INF), (ig.Beta(), {"alpha": 2.0, "beta": 3.0}, 0.0, -INF),
    (ig.Beta(), {"alpha": 8.0, "beta": 1.0}, 1.0, np.log(8.0)), (ig.LogNormal(), {"mean": 0.0, "variance": 1.0}, 0.0, -INF),
    (ig.InverseGamma(), {"shape": 1.0, "scale": 1.0}, 0.0, -INF), (ig.InverseGaussian(), {"mean": 1.0, "shape": 1.0}, 0.0, -INF),
    (ig.Pareto(2.0), {"exponent": 3.0}, 2.0, np.log(1.5)), (ig.ContinuousBernoulli(), {"probability": 0.5}, 1.0, 0.0)]


@pytest.mark.parametrize("family, ordinary, end, limit", ENDS)
def test_log_density_at_an_end_is_the_limit(family, ordinary, end, limit):
    theta = family.theta_from(**ordinary)
    np.testing.assert_allclose(family.log_density(theta, [end, 0.7 + end * 0.5]),
                               [limit, family.log_density(theta, 0.7 + end * 0.5)], rtol=1e-14, atol=1e-15)


def test_ends_as_in_scipy():
    for a, b in ((1.0, 8.0), (0.2, 0.5), (2.0, 3.0), (1.0, 1.0)):
        np.testing.assert_allclose(ig.Beta().log_density([a, b], [0.0, 1.0]), stats.beta(a, b).logpdf([0.0, 1.0]), atol=1e-14)
    for shape in (0.5, 1.0, 2.0):
        np.testing.assert_allclose(ig.Gamma().log_density([shape, -3.0], 0.0), stats.gamma(shape, scale=1 / 3).logpdf(0.0))


def test_faces_of_the_simplex():
    """Where a concentration is 1 the density is that of the others; two powers of different sign have no limit."""
    density = lambda alpha, x: float(ig.Dirichlet(3).log_density(np.array(alpha, dtype=float), x))
    np.testing.assert_allclose(density([1, 2, 3], [0, 0.4, 0.6]), math.lgamma(6) - math.lgamma(3) + np.log(0.4) + 2 * np.log(0.6))
    assert density([2, 2, 3], [0, 0.4, 0.6]) == density([2, 2, 3], [0, 0, 1]) == -INF
    assert density([0.5, 2, 3], [0, 0.4, 0.6]) == INF
    assert np.isnan(density([0.5, 2, 3], [0, 0, 1]))
    np.testing.assert_allclose(density([1, 1, 1], [0, 0, 1]), np.log(2.0))
    theta = ig.GeneralizedDirichlet(3).theta_from(alpha=[1.0, 2.0], beta=[5.0, 3.0])
    np.testing.assert_allclose(ig.GeneralizedDirichlet(3).log_density(theta, [0, 0.4, 0.6]), density([1, 2, 3], [0, 0.4, 0.6]))


def test_ends_of_products():
    family = ig.Product(ig.Exponential(), ig.Beta())
    np.testing.assert_allclose(family.log_density([-2.0, 1.0, 8.0], [[0.0, 0.0], [0.0, 0.5], [-1.0, 0.0]]),
                               [np.log(16.0), np.log(2.0) + stats.beta(1, 8).logpdf(0.5), -INF], rtol=1e-14)
    pairs = ig.Independent(ig.Exponential(), 2)
    np.testing.assert_allclose(pairs.log_density([-2.0, -3.0], [0.0, 0.0]), np.log(6.0), rtol=1e-14)


def test_fit_takes_an_end_where_it_can():
    np.testing.assert_allclose(ig.Exponential().fit([0.0, 1.0, 2.0]), [-1.0])
    np.testing.assert_allclose(ig.HalfNormal().parameters(ig.HalfNormal().fit([0.0, 1.0]))["scale"], np.sqrt(0.5))
    for family, x, index in ((ig.Gamma(), [1.0, 0.0], 1), (ig.Beta(), [0.3, 0.2, 1.0], 2),
                             (ig.Dirichlet(2), [[0.5, 0.5], [0.0, 1.0]], 1)):
        with pytest.raises(ig.DomainError, match=rf"x at an end of the support must satisfy .* first at index \({index},\)"):
            family.fit(x)
    with pytest.raises(ig.DomainError, match="x at an end of the support"):
        SufficientStatistics.from_data(ig.Gamma(), [0.0, 1.0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("family, ordinary", [
    (ig.Beta(), {"alpha": 0.01, "beta": 0.01}), (ig.Gamma(), {"shape": 1e-3, "rate": 1.0}),
    (ig.Chi(), {"degrees_of_freedom": 1e-3}), (ig.Dirichlet(3), {"concentration": [1e-3] * 3}),
    (ig.InverseGamma(), {"shape": 0.01, "scale": 1.0}), (ig.Zeta(), {"exponent": 1.01}),
    (ig.LogNormal(), {"mean": 0.0, "variance": 1e6}), (ig.LogitNormal(), {"mean": 0.0, "variance": 1e4}),
    (ig.GeneralizedDirichlet(3), {"alpha": [0.01] * 2, "beta": [0.01] * 2})])
def test_draws_lie_in_the_support_and_can_be_fitted(family, ordinary, dtype):
    theta = family.theta_from(**ordinary).astype(dtype)
    x = family.sample(np.random.default_rng(0), theta, 2000)
    assert x.dtype == dtype and np.all(family.support.contains(x))
    assert np.all(np.isfinite(family.fit(x)))


def test_poisson_of_a_large_rate_draws():
    x = ig.Poisson().sample(np.random.default_rng(0), [[np.log(1e19)], [np.log(1e3)]], 2000)
    assert np.all(np.abs(x.mean(axis=0) - [1e19, 1e3]) < 5 * np.sqrt([1e19, 1e3]) / np.sqrt(2000))
    assert np.all(ig.Poisson().support.contains(x))


# Laws on the boundary

BOUNDARY = [
    (ig.Bernoulli(), {"probability": np.array([0.0, 1.0, 0.3])}), (ig.Binomial(7), {"probability": np.array([0.0, 1.0, 0.3])}),
    (ig.Poisson(), {"rate": np.array([0.0, 2.0])}), (ig.Geometric(), {"probability": np.array([1.0, 0.4])}),
    (ig.NegativeBinomial(3.0), {"probability": np.array([1.0, 0.4])}),
    (ig.Categorical(3), {"probabilities": np.array([[1.0, 0, 0], [0, 0, 1], [0.4, 0, 0.6], [0.2, 0.3, 0.5]])}),
    (ig.Multinomial(3, 5, reference=0), {"probabilities": np.array([[1.0, 0, 0], [0, 1, 0], [0.4, 0, 0.6], [0.2, 0.3, 0.5]])}),
    (ig.LogSeries(), {"probability": np.array([0.0, 0.4])}), (ig.Zeta(), {"exponent": np.array([INF, 4.5])}),
    (ig.Product(ig.Bernoulli(), ig.Normal(), ig.Poisson()), {
        "probability_0": np.array([0.0, 1.0, 0.3]), "mean_1": np.array([0.0, 0.5, 1.0]), "variance_1": np.ones(3),
        "rate_2": np.array([0.0, 2.0, 0.0])}),
    (ig.Independent(ig.Bernoulli(), 2), {"probability": np.array([[0.0, 1.0], [0.0, 0.3], [0.2, 0.3]])})]
every_boundary = pytest.mark.parametrize("family, ordinary", BOUNDARY, ids=[type(family).__name__ for family, _ in BOUNDARY])


def _inside(name, value):
    if name == "probabilities":
        return 1e-12 + (1 - 3e-12) * value
    if name.startswith("probability"):
        return np.clip(value, 1e-12, 1 - 1e-12)
    return np.clip(value, 1e-12, None) if name.startswith("rate") else np.minimum(value, 40.0)


@every_boundary
def test_boundary_is_the_limit(family, ordinary):
    """All that is asked of them, without a warning, as of members 1e-12 from there; KL is infinite or that of these."""
    theta = family.theta_from(**ordinary, boundary=True)
    member = family.theta_from(**{name: _inside(name, value) for name, value in ordinary.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = family.parameters(theta)
        for name, value in ordinary.items():
            np.testing.assert_allclose(found[name], value, atol=1e-15)
        back = family.to_theta(family.to_eta(theta))
        np.testing.assert_allclose(back, theta, rtol=1e-13)
        np.testing.assert_allclose(family.entropy(theta), family.entropy(member), atol=1e-9)
        np.testing.assert_allclose(family.distance(theta[:, None], theta), family.distance(member[:, None], member), atol=3e-5)
        kl, approximate = family.kl(theta[:, None], theta), family.kl(member[:, None], member)
        finite = np.isfinite(kl)
        np.testing.assert_allclose(kl[finite], approximate[finite], atol=1e-9)
        assert np.all(np.diag(kl) == 0) and np.all(approximate[~finite] > 1.0) and not np.any(np.isnan(kl))
        x = family.sample(np.random.default_rng(0), theta, 500)
        assert np.all(family.support.contains(x)) and np.all(np.isfinite(family.log_density(theta, x)))
        cross = family.cross_entropy(theta[:, None], theta)
        np.testing.assert_allclose(cross, family.entropy(theta)[:, None] + kl, atol=1e-12)


@every_boundary
def test_moments_and_distribution_functions_on_the_boundary(family, ordinary):
    """Those of members 1e-12 from there; where a probability is 0 its logarithm is −∞."""
    theta = family.theta_from(**ordinary, boundary=True)
    member = family.theta_from(**{name: _inside(name, value) for name, value in ordinary.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("mean", "variance", "covariance", "expected_log_base_measure"):
            np.testing.assert_allclose(getattr(family, name)(theta), getattr(family, name)(member), atol=1e-9)
        if family.support.shape:
            return
        x = np.array([-0.5, 0.0, 1.0, 2.5, 7.0])[:, None]
        for name in ("cdf", "survival"):
            value = getattr(family, name)(theta, x)
            np.testing.assert_allclose(value, getattr(family, name)(member, x), atol=1e-9)
            with np.errstate(divide="ignore"):
                np.testing.assert_allclose(getattr(family, f"log_{name}")(theta, x), np.log(value), rtol=1e-13, atol=1e-13)
        q = np.array([[0.3], [0.8]])
        np.testing.assert_array_equal(family.quantile(theta, q), family.quantile(member, q))


def test_geodesics_to_the_boundary():
    """The m-geodesic mixes; the e-geodesic is the limit of those to members; the Riemannian one is refused."""
    family, t = ig.Bernoulli(), np.array([0.0, 0.5, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(ig.e_geodesic(family, [0.0], [-INF], t)[:, 0], [0.0, -INF, -INF])
        assert np.isnan(ig.e_geodesic(family, [INF], [-INF], 0.5))
        np.testing.assert_allclose(ig.m_geodesic(family, [INF], [-INF], t)[:, 0], [INF, 0.0, -INF], atol=1e-15)
    with pytest.raises(ig.DomainError, match="theta_p must satisfy"):
        ig.riemannian_geodesic(family, [-INF], [0.0], 0.5)


@pytest.mark.parametrize("divergence", [ig.bhattacharyya, ig.hellinger, ig.chernoff_information, ig.jensen_shannon,
                                        ig.total_variation], ids=lambda f: f.__name__)
def test_divergences_by_potentials_are_of_members(divergence):
    """ψ at a point between a vertex and another is infinite: they were ∞ and 1 for −log ½ and ½."""
    with pytest.raises(ig.DomainError, match=r"theta_p must satisfy theta_p finite; got \[ inf -inf\]"):
        divergence(ig.Categorical(3), [INF, -INF], [np.log(1 / 3), -INF])


def test_potential_at_a_vertex():
    """ψ = −log p_r is infinite where the reference outcome never comes, and 0 where it always does."""
    for family in (ig.Categorical(3), ig.Multinomial(3, 5)):
        theta = family.theta_from(probabilities=[[1.0, 0, 0], [0, 0, 1], [0.25, 0, 0.75]], boundary=True)
        expected = np.array([INF, 0.0, np.log(4 / 3)]) * getattr(family, "n", 1)
        np.testing.assert_allclose(family.potential(theta), expected, rtol=1e-15)


@pytest.mark.parametrize("family, near", [(ig.LogSeries(), -72.0), (ig.Zeta(), -100.0)], ids=["LogSeries", "Zeta"])
def test_lengths_far_down(family, near):
    """θ = −72 is e^{−36} from the limit; additive through a point below the seam of the series, near points do not cancel."""
    limit, middle = family.distance([-INF], [-1.0]), family.distance([near], [-1.0])
    np.testing.assert_allclose(limit, middle, rtol=1e-13)
    step = family.distance([near], [near * (1 + 1e-10)])
    np.testing.assert_allclose(step, 1e-10 * abs(near) * np.sqrt(family.metric([near])[0, 0]), rtol=1e-5)
    parts = family.distance([-70.0], [-25.0]) + family.distance([-25.0], [-2.0])
    np.testing.assert_allclose(family.distance([-70.0], [-2.0]), parts, rtol=1e-13)


def test_kl_from_far_down():
    """KL from members next to x = 1 is ψ of the other; it was infinite from θ = −750 on, or NaN."""
    for family in (ig.LogSeries(), ig.Zeta()):
        np.testing.assert_allclose(family.kl([[-1e3], [-1e300]], [-0.5]), family.potential([-0.5]), rtol=1e-14)


def test_a_face_of_one_factor():
    """η₀ = 0 is a face of the Bernoulli factor; η₁ = 0 is a mean of 0 of the normal one, and no face."""
    family = ig.Product(ig.Bernoulli(), ig.Normal())
    p = family.theta_from(probability_0=0.3, mean_1=1.0, variance_1=1.0)
    assert ig.e_project(family, p, onto=ig.AffineConstraints([[1.0, 0.0, 0.0]], [0.0]))[0] == -INF
    q = ig.e_project(family, p, onto=ig.AffineConstraints([[0.0, 1.0, 0.0]], [0.0]))
    np.testing.assert_allclose(q, family.theta_from(probability_0=0.3, mean_1=0.0, variance_1=1.0), atol=1e-9)


@every_boundary
def test_a_law_on_the_boundary_is_no_member(family, ordinary):
    theta = family.theta_from(**ordinary, boundary=True)
    with pytest.raises(ig.DomainError):
        family.theta_from(**ordinary)
    with pytest.raises(ig.DomainError, match="theta"):
        family.theta_domain.require("theta", theta)
    with ig.checked(), pytest.raises(ig.DomainError):
        family.entropy(theta)


def test_distances_between_vertices():
    assert ig.Bernoulli().distance([-INF], [INF]) == np.pi
    corners = ig.Categorical(4).theta_from(probabilities=np.eye(4), boundary=True)
    np.testing.assert_allclose(ig.Categorical(4).distance(corners[:, None], corners), np.pi * (1 - np.eye(4)), atol=1e-12)


def test_kl_on_the_boundary():
    family = ig.Categorical(3)
    theta = family.theta_from(probabilities=[[0.4, 0.0, 0.6], [0.2, 0.3, 0.5]], boundary=True)
    np.testing.assert_allclose(family.kl(theta[0], theta[1]), 0.4 * np.log(2.0) + 0.6 * np.log(1.2), rtol=1e-14)
    assert family.kl(theta[1], theta[0]) == INF
    np.testing.assert_allclose(family.log_density(theta[0], [0.0, 1.0, 2.0]), [np.log(0.4), -INF, np.log(0.6)], rtol=1e-14)


def test_what_theta_cannot_tell():
    with pytest.raises(ig.DomainError, match=r"that of the reference outcome, 2, above 0.*reference= chooses another"):
        ig.Categorical(3).theta_from(probabilities=[0.5, 0.5, 0.0], boundary=True)
    assert np.all(np.isnan(ig.Categorical(3).to_theta([0.5, 0.5])))
    np.testing.assert_allclose(ig.Categorical(3).kl([[INF, INF], [INF, -INF]], [0.0, 0.0]), [np.nan, np.log(3.0)], rtol=1e-14)
    with pytest.raises(TypeError, match="has no laws on the boundary"):
        ig.Normal().theta_from(mean=0.0, variance=1.0, boundary=True)


def test_projection_onto_a_face():
    """p given that outcome 1 does not come: nothing on the face is nearer."""
    family = ig.Categorical(3)
    p = family.theta_from(probabilities=[0.2, 0.3, 0.5])
    q = ig.e_project(family, p, onto=ig.AffineConstraints([[0.0, 1.0]], [0.0]))
    np.testing.assert_allclose(family.parameters(q)["probabilities"], [2 / 7, 0.0, 5 / 7], rtol=1e-14)
    share = np.linspace(0.05, 0.95, 19)
    others = family.theta_from(probabilities=np.stack([share, 0 * share, 1 - share], axis=1), boundary=True)
    np.testing.assert_allclose(family.kl(others, p), family.kl(others, q) + family.kl(q, p), rtol=1e-12)       # Pythagoras


def test_clusters_of_counts_with_zeros():
    family = ig.Poisson()
    theta = family.theta_from(rate=np.array([0, 0, 1, 0, 9, 8, 11, 10.0]), boundary=True)
    found = ig.bregman_kmeans(family, theta, theta[[2, 4]], max_steps=9)
    np.testing.assert_array_equal(found.labels, [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(family.parameters(found.centers)["rate"], [0.25, 9.5])
    start = ig.kmeans_plus_plus(family, theta[[0, 1, 3, 4]], 2, np.random.default_rng(0))
    assert np.any(np.isinf(start)) and np.any(np.isfinite(start))
