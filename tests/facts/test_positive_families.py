"""Families on the half-line, the unit interval, the simplex and the line against 50 digits (mpmath) and SciPy's distributions.

The reference knows only ψ. Its derivatives are taken numerically with 50 digits, so it shares no formula with the library.
"""
from dataclasses import dataclass
from typing import Any, Callable

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

from infogeo.families.beta import Beta
from infogeo.families.chi import Chi, ChiSquared
from infogeo.families.continuous_bernoulli import ContinuousBernoulli
from infogeo.families.erlang import Erlang
from infogeo.families.generalized_dirichlet import GeneralizedDirichlet
from infogeo.families.gumbel import Gumbel
from infogeo.families.half_normal import HalfNormal
from infogeo.families.inverse_gamma import InverseGamma
from infogeo.families.inverse_gaussian import InverseGaussian
from infogeo.families.laplace import Laplace
from infogeo.families.log_normal import LogitNormal, LogNormal
from infogeo.families.normal_known import NormalKnownMean, NormalKnownVariance
from infogeo.families.pareto import Pareto
from infogeo.families.weibull import Rayleigh, Weibull

from .positive_helpers import derivatives, dual_potential, exact_kl, inverse_metric, to_mp


@dataclass
class Case:
    """A family, its ψ of a list of mpmath numbers, ordinary parameters, SciPy's law of these, and observations."""

    family: Any
    psi: Callable
    ordinary: dict
    law: Callable | None = None
    x: Any = (0.02, 0.5, 3.0, 40.0)

    @property
    def points(self):
        theta = self.family.theta_from(**self.ordinary)
        return list(np.reshape(theta, (-1, self.family.dim)))

    def parameters(self, theta):
        return {name: float(value) for name, value in self.family.parameters(theta).items()}


def log_gamma(t):
    return mp.loggamma(t[0]) - t[0] * mp.log(-t[1])


def normal(t):
    return -t[0]**2 / (4 * t[1]) - mp.log(-2 * t[1]) / 2


def exponential(multiple):
    return lambda t: -multiple * mp.log(-t[0])


def log_beta(t):
    return mp.loggamma(t[0]) + mp.loggamma(t[1]) - mp.loggamma(t[0] + t[1])


def continuous_bernoulli(t):
    return mp.log(mp.expm1(t[0]) / t[0]) if t[0] else mp.mpf(0)


def logit_normal(mean, variance):
    class Law:
        def logpdf(self, x):
            return scipy.stats.norm(mean, np.sqrt(variance)).logpdf(np.log(x) - np.log1p(-x)) - np.log(x) - np.log1p(-x)

        def cdf(self, x):
            return scipy.stats.norm(mean, np.sqrt(variance)).cdf(np.log(x) - np.log1p(-x))

        def entropy(self):
            """H(y) + E[log x (1 − x)] by quadrature with 30 digits."""
            m, s = mp.mpf(mean), mp.sqrt(mp.mpf(variance))
            density = lambda z: mp.npdf(z) * (abs(m + s * z) + 2 * mp.log1p(mp.exp(-abs(m + s * z))))
            with mp.workdps(30):
                slope = mp.quad(density, sorted([-14, 14, *[z for z in (-m / s, -(m + 5) / s, (5 - m) / s) if abs(z) < 14]]))
                return float(mp.log(2 * mp.pi * mp.e * variance) / 2 - slope)
    return Law()


def cb_law(probability):
    """SciPy's truncated exponential, reflected and scaled."""
    class Law:
        theta = np.log(probability) - np.log1p(-probability)

        def logpdf(self, x):
            return self.theta * np.asarray(x) - float(continuous_bernoulli([mp.mpf(self.theta)]))

        def cdf(self, x):
            return x if abs(self.theta) < 1e-12 else np.expm1(self.theta * x) / np.expm1(self.theta)

        def entropy(self):
            with mp.workdps(40):
                return -dual_potential(continuous_bernoulli, [self.theta]) if self.theta else 0.0
    return Law()


stats = scipy.stats
CASES = {
    "InverseGamma": Case(InverseGamma(), log_gamma, dict(shape=[2.0, 0.3, 25.0], scale=[1.0, 4.0, 0.1]),
                         lambda shape, scale: stats.invgamma(shape, scale=scale)),
    "ChiSquared": Case(ChiSquared(), lambda t: mp.loggamma(t[0]), dict(degrees_of_freedom=[0.4, 3.0, 50.0]),
                       lambda degrees_of_freedom: stats.chi2(degrees_of_freedom)),
    "Chi": Case(Chi(), lambda t: mp.loggamma(t[0]), dict(degrees_of_freedom=[0.4, 3.0, 50.0]),
                lambda degrees_of_freedom: stats.chi(degrees_of_freedom)),
    "Erlang": Case(Erlang(4), exponential(4), dict(rate=[0.01, 1.0, 7.5]), lambda rate: stats.erlang(4, scale=1 / rate)),
    "Rayleigh": Case(Rayleigh(), exponential(1), dict(scale=[0.3, 1.0, 20.0]), lambda scale: stats.rayleigh(scale=scale)),
    "Weibull": Case(Weibull(1.7), exponential(1), dict(scale=[0.3, 1.0, 20.0]),
                    lambda scale: stats.weibull_min(1.7, scale=scale)),
    "HalfNormal": Case(HalfNormal(), exponential(0.5), dict(scale=[0.3, 1.0, 20.0]), lambda scale: stats.halfnorm(scale=scale)),
    "Pareto": Case(Pareto(0.5), exponential(1), dict(exponent=[0.3, 1.0, 20.0]),
                   lambda exponent: stats.pareto(exponent, scale=0.5), (0.5, 0.50001, 3.0, 400.0)),
    "LogNormal": Case(LogNormal(), normal, dict(mean=[0.0, 1.0, -3.0], variance=[1.0, 4.0, 0.25]),
                      lambda mean, variance: stats.lognorm(np.sqrt(variance), scale=np.exp(mean))),
    "LogitNormal": Case(LogitNormal(), normal, dict(mean=[0.0, 1.0, -3.0, 2.0], variance=[1.0, 3.9, 0.25, 30.0]), logit_normal,
                        (1e-6, 0.02, 0.5, 0.999)),
    "InverseGaussian": Case(InverseGaussian(), lambda t: -2 * mp.sqrt(t[0] * t[1]) - mp.log(-2 * t[1]) / 2,
                            dict(mean=[1.0, 0.2, 5.0], shape=[1.0, 3.0, 0.4]),
                            lambda mean, shape: stats.invgauss(mean / shape, scale=shape)),
    "Beta": Case(Beta(), log_beta, dict(alpha=[2.0, 0.3, 25.0], beta=[3.0, 0.7, 4.0]),
                 lambda alpha, beta: stats.beta(alpha, beta), (1e-6, 0.02, 0.5, 0.999)),
    "ContinuousBernoulli": Case(ContinuousBernoulli(), continuous_bernoulli, dict(probability=[0.1, 0.4999, 0.8, 0.9999]), cb_law,
                                (0.0, 1e-6, 0.3, 1.0)),
    "GeneralizedDirichlet": Case(GeneralizedDirichlet(3), lambda t: log_beta(t[:2]) + log_beta(t[2:]),
                                 dict(alpha=[[2.0, 0.7], [0.4, 12.0]], beta=[[1.5, 3.0], [6.0, 0.9]])),
    "NormalKnownVariance": Case(NormalKnownVariance(4.0), lambda t: 2 * t[0]**2, dict(mean=[0.5, -3.0, 40.0]),
                                lambda mean: stats.norm(mean, 2.0), (-8.0, 0.0, 1.5, 30.0)),
    "NormalKnownMean": Case(NormalKnownMean(-1.5), exponential(0.5), dict(variance=[0.25, 1.0, 90.0]),
                            lambda variance: stats.norm(-1.5, np.sqrt(variance)), (-8.0, 0.0, 1.5, 30.0)),
    "Laplace": Case(Laplace(2.0), exponential(1), dict(scale=[0.3, 1.0, 20.0]), lambda scale: stats.laplace(2.0, scale),
                    (-8.0, 0.0, 1.5, 30.0)),
    "Gumbel": Case(Gumbel(0.5), exponential(1), dict(location=[-2.0, 0.0, 5.0]), lambda location: stats.gumbel_r(location, 0.5),
                   (-3.0, 0.0, 1.5, 30.0)),
}
POINTS = [pytest.param(case, theta, id=f"{name}-{i}") for name, case in CASES.items() for i, theta in enumerate(case.points)]
PAIRS = [pytest.param(case, p, q, id=f"{name}-{i}{j}") for name, case in CASES.items()
         for i, p in enumerate(case.points) for j, q in enumerate(case.points) if i != j]
LAWS = [pytest.param(case, theta, id=f"{name}-{i}")
        for name, case in CASES.items() if case.law for i, theta in enumerate(case.points)]


@pytest.mark.parametrize("case, theta", POINTS)
def test_potentials_and_charts(case, theta):
    family = case.family
    with mp.workdps(50):
        expected = float(case.psi(to_mp(theta)))
    eta = derivatives(case.psi, theta, 1)
    np.testing.assert_allclose(family.potential(theta), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(family.to_eta(theta), eta, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(family.to_theta(eta), theta, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(family.dual_potential(eta), dual_potential(case.psi, theta), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case, theta", POINTS)
def test_metrics_and_cubic_tensor(case, theta):
    family = case.family
    metric, inverse = derivatives(case.psi, theta, 2), inverse_metric(case.psi, theta)
    cubic = derivatives(case.psi, theta, 3)
    np.testing.assert_allclose(family.metric(theta), metric, rtol=1e-13, atol=1e-14 * abs(metric).max())
    np.testing.assert_allclose(family.dual_metric(family.to_eta(theta)), inverse, rtol=1e-11, atol=1e-12 * abs(inverse).max())
    np.testing.assert_allclose(family.cubic_tensor(theta), cubic, rtol=1e-12, atol=1e-13 * abs(cubic).max())
    vector = np.arange(1.0, 1.0 + family.dim)
    np.testing.assert_allclose(family.flat(theta, vector), metric @ vector, rtol=1e-12, atol=1e-13 * abs(metric).max())
    np.testing.assert_allclose(family.sharp(theta, vector), inverse @ vector, rtol=1e-11, atol=1e-12 * abs(inverse).max())


@pytest.mark.parametrize("case, theta_p, theta_q", PAIRS)
def test_kl_of_far_points(case, theta_p, theta_q):
    np.testing.assert_allclose(case.family.kl(theta_p, theta_q), exact_kl(case.psi, theta_p, theta_q), rtol=1e-12)


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("case, theta", POINTS)
def test_kl_of_near_points(case, theta, step):
    direction = np.array([1.0, -0.3, 0.7, 0.2])[:case.family.dim]
    theta_q = theta + step * direction * abs(theta)
    np.testing.assert_allclose(case.family.kl(theta, theta_q), exact_kl(case.psi, theta, theta_q, 80), rtol=1e-11)
    np.testing.assert_allclose(case.family.kl(theta_q, theta), exact_kl(case.psi, theta_q, theta, 80), rtol=1e-11)
    np.testing.assert_array_equal(case.family.kl(theta, theta), 0.0)


@pytest.mark.parametrize("case, theta", POINTS)
def test_ordinary_parameters(case, theta):
    np.testing.assert_allclose(case.family.theta_from(**case.family.parameters(theta)), theta, rtol=1e-12)


@pytest.mark.parametrize("case, theta", LAWS)
def test_log_density(case, theta):
    law, x = case.law(**case.parameters(theta)), np.array(case.x)
    np.testing.assert_allclose(case.family.log_density(theta, x), law.logpdf(x), rtol=1e-12, atol=1e-13)
    direct = theta @ case.family.sufficient_statistic(x).T - case.family.potential(theta) + case.family.log_base_measure(x)
    np.testing.assert_allclose(direct, law.logpdf(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case, theta", LAWS)
def test_entropy(case, theta):
    np.testing.assert_allclose(case.family.entropy(theta), case.law(**case.parameters(theta)).entropy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case, theta", POINTS)
def test_entropy_is_minus_the_dual_potential_and_the_base_measure(case, theta):
    family = case.family
    derived = -dual_potential(case.psi, theta) - family.expected_log_base_measure(theta)
    np.testing.assert_allclose(family.entropy(theta), derived, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case, theta", LAWS)
def test_samples_have_the_distribution(case, theta):
    x = case.family.sample(np.random.default_rng(8), theta, (40, 100))
    assert x.shape == (40, 100) and np.all(case.family.support.contains(x))
    assert stats.kstest(x.ravel(), case.law(**case.parameters(theta)).cdf).pvalue > 1e-4


@pytest.mark.parametrize("case, theta", POINTS)
def test_fit_matches_the_mean_statistic(case, theta):
    family = case.family
    x = family.sample(np.random.default_rng(9), theta, (60, 2))
    weights = np.linspace(0.5, 2.0, 60)
    eta = np.tensordot(weights / weights.sum(), family.sufficient_statistic(x), 1)
    fitted = family.fit(x, weights)
    assert fitted.shape == (2, family.dim)
    np.testing.assert_allclose(family.to_eta(fitted), eta, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_outside_the_support_the_density_is_0(name):
    family = CASES[name].family
    theta = CASES[name].points[0]
    outside = np.full((2, *family.support.shape), np.nan)
    outside[0] = -3.0 if family.support.rule("x") != "x finite" else np.inf
    np.testing.assert_array_equal(family.log_density(theta, outside), [-np.inf, -np.inf])


@pytest.mark.parametrize("make, name", [
    (Weibull, "shape"), (Pareto, "minimum"), (NormalKnownVariance, "known_variance"), (Gumbel, "scale"),
    (NormalKnownMean, "known_mean"), (Laplace, "location"), (Erlang, "shape"), (GeneralizedDirichlet, "k")])
@pytest.mark.parametrize("value", [np.inf, np.nan, "1", None, [1.0, 2.0]], ids=str)
def test_the_constructor_says_what_it_needs(make, name, value):
    with pytest.raises(ValueError, match=f"^{name} must satisfy {name}.*; got "):
        make(value)


@pytest.mark.parametrize("make", [Weibull, Pareto, NormalKnownVariance, Gumbel, Erlang, GeneralizedDirichlet])
@pytest.mark.parametrize("value", [0, -1])
def test_the_constructor_refuses_what_is_not_positive(make, value):
    with pytest.raises(ValueError, match=f"got {value}$"):
        make(value)


def test_known_numbers_are_kept_as_python_floats():
    """So that they keep the dtype of what they meet, and equal families are equal."""
    family = Weibull(np.float64(2.0))
    assert type(family.shape) is float and family == Weibull(2) and hash(family) == hash(Weibull(2.0))
    assert family.log_density(np.float32([-1.0]), np.float32(0.5)).dtype == np.float32
