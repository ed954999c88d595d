"""Truncated families against extended precision and SciPy: probabilities, moments, divergences, inversion, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.families.truncated import Truncated

stats = scipy.stats
NORMAL = ig.Normal()


def exact_normal(mean, variance, lower, upper):
    """log P, mean and variance of x, by the closed forms."""
    with mp.workdps(50):
        m, s = mp.mpf(mean), mp.sqrt(mp.mpf(variance))
        a, b = (mp.mpf(lower) - m) / s, (mp.mpf(upper) - m) / s
        Z = mp.ncdf(-a) - mp.ncdf(-b) if a > 0 else mp.ncdf(b) - mp.ncdf(a)
        shift = (mp.npdf(a) - mp.npdf(b)) / Z
        scaled = lambda z: z * mp.npdf(z) if mp.isfinite(z) else mp.mpf(0)
        spread = 1 + (scaled(a) - scaled(b)) / Z - shift**2
        return float(mp.log(Z)), float(m + s * shift), float(s * s * spread)


@pytest.mark.parametrize("mean, variance, lower, upper", [
    (0.0, 1.0, 0.0, np.inf), (0.0, 1.0, -1.0, 2.0), (0.0, 1.0, 10.0, np.inf), (0.0, 1.0, -np.inf, -38.0), (0.0, 1e8, -1.0, 1.0),
    (-3.0, 0.5, 1.0, 1.5), (2.0, 1e-6, 1.99, 2.03), (300.0, 1.0, -1.0, 1.0)])
def test_normal_against_the_closed_forms(mean, variance, lower, upper):
    family = Truncated(NORMAL, lower, upper)
    theta = family.theta_from(mean=mean, variance=variance)
    log_p, first, spread = exact_normal(*(float(v) for v in (NORMAL.parameters(theta)[k] for k in ("mean", "variance"))), lower,
                                        upper)
    np.testing.assert_allclose(family.log_probability(theta), log_p, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(family.potential(theta), NORMAL.potential(theta) + log_p, rtol=1e-13)
    np.testing.assert_allclose(family.to_eta(theta), [first, spread + first**2], rtol=1e-13, atol=1e-13 * np.sqrt(spread))
    np.testing.assert_allclose(family.metric(theta)[0, 0], spread, rtol=1e-10)


def test_normal_against_scipy():
    family, law = Truncated(NORMAL, -1.0, 2.0), stats.truncnorm(-1.5, 1.5, loc=0.5, scale=1.0)
    theta = family.theta_from(mean=0.5, variance=1.0)
    x = np.array([-0.9, 0.3, 1.9])
    np.testing.assert_allclose(family.log_density(theta, x), law.logpdf(x), rtol=1e-13)
    np.testing.assert_allclose(family.entropy(theta), law.entropy(), rtol=1e-12)
    moments = [law.moment(k) for k in (1, 2, 3, 4, 5, 6)]
    third = moments[2] - 3 * moments[1] * moments[0] + 2 * moments[0] ** 3
    np.testing.assert_allclose(family.cubic_tensor(theta)[0, 0, 0], third, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.isneginf(family.log_density(theta, [-1.1, 2.1, 3.0, np.nan, -1.0])), [True] * 4 + [False])


@pytest.mark.parametrize("shape, rate, lower, upper", [
    (0.3, 1.0, 0.0, 1.0), (2.0, 1.0, 0.5, 3.0), (50.0, 20.0, 0.0, 1.0), (50.0, 20.0, 4.0, np.inf), (1e4, 1e4, 1.0, 1.01)])
def test_gamma_probabilities(shape, rate, lower, upper):
    family = Truncated(ig.Gamma(), lower, upper)
    with mp.workdps(40):
        expected = float(mp.log(mp.gammainc(shape, mp.mpf(rate) * lower, mp.mpf(rate) * upper if np.isfinite(upper) else mp.inf,
                                            regularized=True)))
    theta = family.theta_from(shape=shape, rate=rate)
    np.testing.assert_allclose(family.log_probability(theta), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("rate", [1e-6, 0.5, 3.0, 1e3, 1e5])
def test_positive_poisson(rate):
    """Zero never seen: mean λ / (1 − e^{−λ}), ψ = log(e^λ − 1)."""
    family = Truncated(ig.Poisson(), lower=0)
    theta = family.theta_from(rate=rate)
    mean = rate / -np.expm1(-rate)
    np.testing.assert_allclose(family.to_eta(theta), [mean], rtol=1e-13)
    np.testing.assert_allclose(family.potential(theta), rate + np.log(-np.expm1(-rate)), rtol=1e-12)
    np.testing.assert_allclose(family.metric(theta), [[mean * (1 + rate - mean)]], rtol=1e-9)
    np.testing.assert_allclose(family.to_theta([mean]), theta, atol=1e-14 + 1e-15 / rate)
    assert np.isneginf(family.log_density(theta, 0.0))


def test_binomial_like_sums():
    """A Poisson between two bounds, state by state."""
    family, x = Truncated(ig.Poisson(), 2, 7), np.arange(3.0, 7.0)
    assert family.support == ig.domains.Integers(3, 6)
    p = stats.poisson(4.5).pmf(x)
    p = p / p.sum()
    theta = family.theta_from(rate=4.5)
    np.testing.assert_allclose(np.exp(family.log_density(theta, x)), p, rtol=1e-13)
    gap = x - p @ x
    for name, value in {"to_eta": [p @ x], "metric": [[p @ gap**2]], "cubic_tensor": [[[p @ gap**3]]],
                        "entropy": -p @ np.log(p)}.items():
        np.testing.assert_allclose(getattr(family, name)(theta), value, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("distance", [1e-10, 1e-5, 0.1, 3.0])
@pytest.mark.parametrize("family, parameters", [(Truncated(NORMAL, -1.0, 2.0), dict(mean=0.3, variance=2.0)),
                                                (Truncated(ig.Poisson(), 0), dict(rate=3.0)),
                                                (Truncated(ig.Gamma(), 0.5, 3.0), dict(shape=2.0, rate=1.5))], ids=repr)
def test_kl(family, parameters, distance):
    """∫ p log(p / q) by a Gauss rule on the whole interval, or a sum; near points against ½ δ·Gδ."""
    p = family.theta_from(**parameters)
    q = p + distance * np.array([1.0, -0.7])[:family.dim]
    if distance < 1e-3:
        step = q - p
        np.testing.assert_allclose(family.kl(p, q), 0.5 * step @ family.metric(p) @ step, rtol=1e-4 if distance > 1e-6 else 1e-6)
        return
    f = lambda x: np.exp(family.log_density(p, x)) * (family.log_density(p, x) - family.log_density(q, x))
    if isinstance(family.support, ig.domains.Integers):
        expected = np.sum(f(np.arange(1.0, 80.0)))
    else:
        low, high = family.support.lower, family.support.upper
        nodes, weights = np.polynomial.legendre.leggauss(60)
        expected = 0.5 * (high - low) * np.sum(weights * f(0.5 * (low + high) + 0.5 * (high - low) * nodes))
    np.testing.assert_allclose(family.kl(p, q), expected, rtol=1e-11)


@pytest.mark.parametrize("family, parameters", [
    (Truncated(NORMAL, 0.0), dict(mean=[1.0, -2.0], variance=[1.0, 2.0])), (Truncated(NORMAL, -1.0, 2.0),
                                                                            dict(mean=[1.0, -2.0], variance=[1.0, 10.0])),
    (Truncated(ig.Exponential(), 0.0, 1.0), dict(rate=[1e-3, 50.0])), (Truncated(ig.Gamma(), 0.5, 3.0),
                                                                       dict(shape=[0.1, 50.0], rate=[1.0, 20.0]))], ids=repr)
def test_inversion_to_the_conditioning(family, parameters):
    theta = family.theta_from(**parameters)
    lost = np.abs(family.to_theta(family.to_eta(theta)) - theta).max(axis=-1)
    eta = np.abs(family.to_eta(theta)).max(axis=-1)
    smallest = np.linalg.eigvalsh(family.metric(theta))[..., 0]
    assert np.all(lost <= 100 * np.finfo(float).eps * (1 + eta) / smallest)


def test_inversion_of_means_near_the_ends():
    """Laws that are nearly exponential: behind the barriers, where Newton's method alone leaves the domain."""
    family = Truncated(NORMAL, -1.0, 2.0)
    eta = family.to_eta(np.array([[-8.13, -3.5e-3], [6.35, -0.036], [-4.9, -0.028], [3.2, -1.2e-3], [-2.6, -0.011]]))
    np.testing.assert_allclose(family.to_eta(family.to_theta(eta)), eta, rtol=1e-9)


def test_where_there_is_no_member():
    """On a half-line E[x²] < 2 E[x]² (the exponential is the limit); on an interval the mean is inside; E[x] ≥ 1 without zero."""
    half_line = Truncated(NORMAL, 0.0)
    np.testing.assert_array_equal(half_line.eta_domain.contains([[1.0, 1.9], [1.0, 2.1], [1.0, 0.9], [-1.0, 2.0]]),
                                  [True, False, False, False])
    interval = Truncated(ig.Exponential(), 0.0, 1.0)
    np.testing.assert_array_equal(interval.eta_domain.contains([[0.4], [0.6], [1.5], [-0.1], [np.nan]]), [True] * 2 + [False] * 3)
    positive = Truncated(ig.Poisson(), 0)
    np.testing.assert_array_equal(positive.eta_domain.contains([[1.5], [1.0], [0.5]]), [True, False, False])
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        positive.fit([1, 1, 1])


@pytest.mark.parametrize("family, parameters, cdf", [
    (Truncated(NORMAL, 10.0), dict(mean=0.0, variance=1.0), lambda x: -np.expm1(stats.norm.logsf(x) - stats.norm.logsf(10.0))),
    (Truncated(NORMAL, -1.0, 2.0), dict(mean=0.5, variance=1.0), stats.truncnorm(-1.5, 1.5, loc=0.5).cdf),
    (Truncated(ig.Gamma(), 0.0, 1.0), dict(shape=0.3, rate=1.0),
     lambda x: stats.gamma(0.3).cdf(x) / stats.gamma(0.3).cdf(1.0))], ids=["tail", "interval", "gamma"])
def test_samples(family, parameters, cdf):
    x = family.sample(np.random.default_rng(0), family.theta_from(**parameters), 4000)
    assert np.all(family.support.contains(x)) and stats.kstest(x, cdf).pvalue > 1e-4


def test_counted_samples():
    family = Truncated(ig.Poisson(), 0, 6)
    x = family.sample(np.random.default_rng(1), family.theta_from(rate=[0.5, 20.0]), 5000)
    for i, rate in enumerate((0.5, 20.0)):
        p = stats.poisson(rate).pmf(np.arange(1, 6))
        assert stats.chisquare(np.bincount(x[:, i].astype(int), minlength=6)[1:], 5000 * p / p.sum()).pvalue > 1e-4


@pytest.mark.parametrize("arguments, error", [((ig.MultivariateNormal(2), 0.0), TypeError), ((NORMAL, 2.0, 1.0), ig.DomainError),
                                              ((ig.Gamma(), -2.0, 0.0), ig.DomainError), ((ig.Poisson(), 1.0, 3.0),
                                                                                          ig.DomainError)])
def test_constructor_refuses(arguments, error):
    with pytest.raises(error, match="family must have scalar|lower and upper must satisfy"):
        Truncated(*arguments)


def test_the_minimiser_behind_a_barrier():
    """η(θ) − η + b (η_family(θ) − centre) = 0, by Newton's method with the metrics of both: a few steps."""
    M = ig.Truncated(ig.Gamma(), upper=3.0)
    theta = np.array([[2.0, -1.5], [0.7, -0.4]])
    eta, start = M.to_eta(theta), np.array([[1.0, -1.0], [1.0, -1.0]])
    centre = M.family.to_eta(np.array([1.5, -1.0]))
    for barrier in (0.3, 0.01):
        found = M._minimiser(NUMPY, eta, start, centre, barrier, max_steps=10)
        left = M.to_eta(found) - eta + barrier * (M.family.to_eta(found) - centre)
        assert np.all(np.abs(left) <= 1e-7) and np.abs(found - theta).max() > 1e-3
