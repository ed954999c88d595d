"""Generalized inverse Gaussian: integrals against Bessel functions in 40 digits, limits, the inverse chart, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.generalized_inverse_gaussian import GeneralizedInverseGaussian
from infogeo.families.inverse_gaussian import InverseGaussian

from ..references import kept
from .positive_helpers import to_mp

FAMILY = GeneralizedInverseGaussian()
BULK = [(0.0, 1.0, 1.0), (0.5, 2.0, 3.0), (-4.0, 2.0, 0.3), (40.0, 10.0, 10.0)]
EDGES = [(3.0, 1.0, 1e-2), (2.0, 1.0, 1e-12), (1.5, 1e-3, 1e-3), (0.3, 1e-5, 1e-5), (1e-3, 1e-10, 1e-6), (0.0, 1e4, 1e4),
         (500.0, 3.0, 2e4), (-40.0, 10.0, 1e3), (0.0, 8.1, 8.1), (2.0, 8.0, 7.4)]


def theta_of(point):
    return FAMILY.theta_from(**dict(zip("pab", point)))


def psi(t):
    p, a, b = t[0], -2 * t[1], -2 * t[2]
    return mp.log(2 * mp.besselk(p, mp.sqrt(a * b))) + p / 2 * mp.log(b / a)


def exact_eta(t):
    """The mean of log x by a numeric derivative of log K_p in p, those of x and 1/x by ratios of Bessel functions."""
    p, a, b = t[0], -2 * t[1], -2 * t[2]
    omega, scale = mp.sqrt(a * b), mp.sqrt(b / a)
    k = mp.besselk(p, omega)
    slope = mp.diff(lambda s: mp.log(mp.besselk(s, omega)), p)
    return [slope + mp.log(scale), scale * mp.besselk(p + 1, omega) / k, mp.besselk(p - 1, omega) / k / scale]


@kept
def cumulants(theta):
    """Covariance, its inverse and third central moments of T by a trapezoidal sum of 900 nodes with 50 digits, one by one."""
    with mp.workdps(50):
        p, a, b = to_mp(theta)[0], -2 * to_mp(theta)[1], -2 * to_mp(theta)[2]
        omega, scale = mp.sqrt(a * b), mp.sqrt(b / a)
        reach = min(mp.mpf(14), 25 / (p * p + omega * omega)**0.25)
        middle = mp.asinh(p / omega)
        t = [middle + reach * mp.mpf(i) / 450 for i in range(-450, 451)]
        weight = [mp.exp(p * (s - middle) - omega * (mp.cosh(s) - mp.cosh(middle))) for s in t]
        statistic = [t, [scale * mp.exp(s) for s in t], [mp.exp(-s) / scale for s in t]]
        total = mp.fsum(weight)
        means = [mp.fdot(weight, row) / total for row in statistic]
        gaps = [[v - mean for v in row] for row, mean in zip(statistic, means)]
        moment = lambda *axes: mp.fsum(mp.fprod(factors) for factors in zip(weight, *(gaps[i] for i in axes))) / total
        covariance = mp.matrix([[moment(i, j) for j in range(3)] for i in range(3)])
        cubic = [moment(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
        return [float(x) for x in (*covariance, *covariance**-1, *cubic)]


def exact_metric(theta):
    """(metric, its inverse, cubic tensor)."""
    metric, inverse, cubic = np.split(cumulants(theta), [9, 18])
    return metric.reshape(3, 3), inverse.reshape(3, 3), cubic.reshape(3, 3, 3)


@kept
def exact_kl(theta_p, theta_q, dps):
    with mp.workdps(dps):
        p, q = to_mp(theta_p), to_mp(theta_q)
        return float(psi(q) - psi(p) - sum((b - a) * m for a, b, m in zip(p, q, exact_eta(p))))


@pytest.mark.parametrize("point", BULK + EDGES, ids=str)
def test_potential_and_charts(point):
    theta = theta_of(point)
    with mp.workdps(40):
        t = to_mp(theta)
        potential, eta = psi(t), exact_eta(t)
        phi = float(sum(a * b for a, b in zip(t, eta)) - potential)
        potential, eta = float(potential), [float(v) for v in eta]
    np.testing.assert_allclose(FAMILY.potential(theta), potential, rtol=1e-14)
    np.testing.assert_allclose(FAMILY.to_eta(theta), eta, rtol=1e-14, atol=4e-16)
    np.testing.assert_allclose(-FAMILY.entropy(theta) + eta[0], phi, rtol=1e-12, atol=1e-13)


@kept
def covariances_of_x_and_its_inverse(theta):
    with mp.workdps(50):
        p, a, b = to_mp(theta)[0], -2 * to_mp(theta)[1], -2 * to_mp(theta)[2]
        omega, scale = mp.sqrt(a * b), mp.sqrt(b / a)
        ratio = lambda n: mp.besselk(p + n, omega) / mp.besselk(p, omega) * scale**n
        expected = [[ratio(2) - ratio(1)**2, 1 - ratio(1) * ratio(-1)], [1 - ratio(1) * ratio(-1), ratio(-2) - ratio(-1)**2]]
        return [[float(v) for v in row] for row in expected]


@pytest.mark.parametrize("point", BULK + EDGES, ids=str)
def test_covariances_of_x_and_its_inverse(point):
    theta = theta_of(point)
    np.testing.assert_allclose(FAMILY.metric(theta)[1:, 1:], covariances_of_x_and_its_inverse(theta), rtol=3e-14)


@pytest.mark.parametrize("point", BULK, ids=str)
def test_metrics_and_cubic_tensor(point):
    theta = theta_of(point)
    metric, inverse, cubic = exact_metric(theta)
    np.testing.assert_allclose(FAMILY.metric(theta), metric, rtol=1e-13, atol=1e-15 * abs(metric).max())
    np.testing.assert_allclose(FAMILY.cubic_tensor(theta), cubic, rtol=1e-12, atol=1e-14 * abs(cubic).max())
    np.testing.assert_allclose(FAMILY.dual_metric(FAMILY.to_eta(theta)), inverse, rtol=1e-8, atol=1e-10 * abs(inverse).max())
    vector = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(FAMILY.sharp(theta, vector), inverse @ vector, rtol=1e-11, atol=1e-12 * abs(inverse).max())
    np.testing.assert_allclose(FAMILY.flat(theta, vector), metric @ vector, rtol=1e-11, atol=1e-12 * abs(metric).max())


def test_sharp_keeps_its_digits_where_the_law_is_narrow():
    """At ω = 10⁴ the condition number is 3e9, but the geometry is that of three well scaled statistics."""
    theta = theta_of((0.0, 1e4, 1e4))
    vector = np.array([1.0, -2.0, 0.5])
    inverse = exact_metric(theta)[1]
    np.testing.assert_allclose(FAMILY.sharp(theta, vector), inverse @ vector, rtol=1e-10)


@pytest.mark.parametrize("q", range(5))
@pytest.mark.parametrize("p", range(5))
def test_kl_of_far_points(p, q):
    points = [(0.0, 1.0, 1.0), (-4.0, 2.0, 0.3), (0.3, 1e-4, 1e-4), (0.0, 1e4, 1e4), (50.0, 3.0, 200.0)]
    theta_p, theta_q = theta_of(points[p]), theta_of(points[q])
    np.testing.assert_allclose(FAMILY.kl(theta_p, theta_q), exact_kl(theta_p, theta_q, 40), rtol=1e-13)


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("point", [(0.5, 1.0, 1.0), (-4.0, 2.0, 0.3), (0.3, 1e-4, 1e-4), (50.0, 3.0, 200.0)], ids=str)
def test_kl_of_near_points(point, step):
    theta_p = theta_of(point)
    theta_q = theta_p * (1 + step * np.array([1.0, -0.3, 0.7]))
    np.testing.assert_allclose(FAMILY.kl(theta_p, theta_q), exact_kl(theta_p, theta_q, 70), rtol=1e-12)
    assert FAMILY.kl(theta_p, theta_p) == 0.0


def test_the_two_forms_of_kl_meet():
    """The variance of the log-ratio crosses the switch at 0.01 along this line, without a jump."""
    theta = theta_of((0.5, 2.0, 3.0))
    direction = np.array([1.0, -0.3, 0.7])
    size = np.sqrt(0.01 / (direction @ FAMILY.metric(theta) @ direction))
    for factor in (0.999, 1.001):
        other = theta + factor * size * direction
        np.testing.assert_allclose(FAMILY.kl(theta, other), exact_kl(theta, other, 50), rtol=1e-12)


@pytest.mark.parametrize("mean, shape", [(1.0, 1.0), (0.2, 3.0), (5.0, 0.4), (1.0, 300.0)])
def test_p_of_minus_one_half_is_inverse_gaussian(mean, shape):
    special = InverseGaussian()
    own, theta = special.theta_from(mean=mean, shape=shape), theta_of((-0.5, shape / mean**2, shape))
    x = np.array([0.1, 1.0, 4.0])
    np.testing.assert_allclose(FAMILY.log_density(theta, x), special.log_density(own, x), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[1:], special.to_eta(own), rtol=1e-14)
    np.testing.assert_allclose(FAMILY.metric(theta)[1:, 1:], special.metric(own), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.entropy(theta), special.entropy(own), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.cubic_tensor(theta)[1:, 1:, 1:], special.cubic_tensor(own), rtol=1e-12)


def test_small_b_is_gamma():
    gamma = ig.Gamma()
    own = gamma.theta_from(shape=3.5, rate=2.0)
    theta = theta_of((3.5, 4.0, 1e-15))
    np.testing.assert_allclose(FAMILY.to_eta(theta)[:2], gamma.to_eta(own), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.metric(theta)[:2, :2], gamma.metric(own), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.entropy(theta), gamma.entropy(own), rtol=1e-13)


@pytest.mark.parametrize("point", [p for p in BULK if p[0]], ids=str)
def test_log_density(point):
    p, a, b = point
    x = np.array([0.02, 0.5, 3.0, 40.0])
    law = scipy.stats.geninvgauss(p, np.sqrt(a * b), scale=np.sqrt(b / a))
    np.testing.assert_allclose(FAMILY.log_density(theta_of(point), x), law.logpdf(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(FAMILY.log_density(theta_of(point), [0.0, -1.0, np.nan]), -np.inf)


def test_log_density_at_the_mode_of_a_narrow_law():
    """ω = 10⁸: log p = −f − log J − log x, where ψ alone is −10⁸."""
    theta = theta_of((0.0, 1e8, 1e8))
    for x in (1.0, 1.0 + 2.0**-13):
        with mp.workdps(60):
            omega, y = mp.mpf(10)**8, mp.mpf(x)
            expected = float(-mp.log(y) - omega * (y + 1 / y) / 2 - mp.log(2 * mp.besselk(0, omega)))
        np.testing.assert_allclose(FAMILY.log_density(theta, x), expected, rtol=1e-13)


@pytest.mark.parametrize("point", BULK + EDGES, ids=str)
def test_inverse_chart(point):
    """η(θ(η)) = η, and θ within the condition of the metric."""
    theta = theta_of(point)
    eta = FAMILY.to_eta(theta)
    back = FAMILY.to_theta(eta)
    np.testing.assert_allclose(FAMILY.to_eta(back), eta, rtol=1e-12, atol=1e-12)
    kappa = np.linalg.cond(FAMILY.metric(theta))
    assert np.all(abs(back - theta) <= 1e-15 * kappa * np.max(abs(theta)))


def test_means_beyond_the_gamma_limit_have_no_member():
    """(E log x, E x, E 1/x) of a gamma law of shape 3: its E[1/x] is the supremum, not attained; less is inside, more is not."""
    gamma = ig.Gamma()
    log_mean, mean = gamma.to_eta(gamma.theta_from(shape=3.0, rate=1.0))
    etas = np.array([[log_mean, mean, r] for r in (0.49, 0.5 * (1 - 1e-6), 0.5 * (1 + 1e-6), 0.6)])
    np.testing.assert_array_equal(FAMILY.eta_domain.contains(etas), [True, True, False, False])
    theta = FAMILY.to_theta(etas)
    assert np.all(np.isfinite(theta[:2])) and np.all(np.isnan(theta[2:]))
    np.testing.assert_allclose(FAMILY.to_eta(theta[:2]), etas[:2], rtol=1e-12)
    assert abs(theta[1, 0] - 3.0) < 1e-2 and theta[1, 2] > -1e-4


def test_fit_and_its_refusal():
    x = FAMILY.sample(np.random.default_rng(3), theta_of((0.5, 2.0, 3.0)), 500)
    fitted = FAMILY.fit(x)
    np.testing.assert_allclose(FAMILY.to_eta(fitted), np.mean(FAMILY.sufficient_statistic(x), axis=0), rtol=1e-12, atol=1e-12)
    better = np.sum(FAMILY.log_density(fitted, x))
    assert all(np.sum(FAMILY.log_density(fitted * (1 + s), x)) < better for s in 0.01 * np.concatenate([np.eye(3), -np.eye(3)]))
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        FAMILY.fit([2.0, 2.0, 2.0])


@pytest.mark.parametrize("point", [(0.5, 2.0, 3.0), (-4.0, 2.0, 0.3), (0.3, 1e-2, 1e-2), (40.0, 10.0, 10.0)], ids=str)
def test_samples_have_the_distribution(point):
    p, a, b = point
    x = FAMILY.sample(np.random.default_rng(8), theta_of(point), (40, 50))
    law = scipy.stats.geninvgauss(p, np.sqrt(a * b), scale=np.sqrt(b / a))
    assert x.shape == (40, 50) and scipy.stats.kstest(x.ravel(), law.cdf).pvalue > 1e-4


def test_outside_the_domain_is_nan():
    theta = np.array([[0.0, 1.0, -1.0], [0.0, -1.0, 0.0], [np.nan, -1.0, -1.0], [0.5, -1.0, -1.0]])
    assert np.all(np.isnan(FAMILY.to_eta(theta)[:3])) and np.all(np.isfinite(FAMILY.to_eta(theta)[3]))
    assert np.all(np.isnan(FAMILY.potential(theta)[:3]))
    with pytest.raises(ig.DomainError, match="^b must satisfy b > 0"):
        FAMILY.theta_from(p=0.0, a=1.0, b=0.0)


def test_a_batch_larger_than_a_block():
    theta = FAMILY.theta_domain.sample(np.random.default_rng(4), 9000, 0.5)
    whole = FAMILY.to_eta(theta)
    np.testing.assert_allclose(whole[::1000], FAMILY.to_eta(theta[::1000]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("p", [1e40, 1e100, 1e300])
def test_a_large_index(p):
    """For b/p → 0 it is the gamma law of shape p, for a negative index its inverse: NumPy refused the nodes of these."""
    family, gamma = ig.GeneralizedInverseGaussian(), ig.Gamma()
    theta, other = [p, -1.0, -1.0], [1.1 * p, -1.0, -1.0]
    np.testing.assert_allclose(family.potential([theta, [-p, -1.0, -1.0]]), gamma.potential([p, -1.0]), rtol=1e-14)
    np.testing.assert_allclose(family.entropy(theta), gamma.entropy([p, -1.0]), rtol=1e-13)
    np.testing.assert_allclose(family.to_eta(theta)[:2], gamma.to_eta([p, -1.0]), rtol=1e-13)
    np.testing.assert_allclose(family.metric(theta)[:2, :2], gamma.metric([p, -1.0]), rtol=1e-13)
    np.testing.assert_allclose(family.kl(theta, other), gamma.kl(theta[:2], other[:2]), rtol=1e-12)
    np.testing.assert_allclose(family.sample(np.random.default_rng(0), theta, 3), p, rtol=1e-13)


def test_laws_that_are_not_told_in_numbers_are_refused():
    """No answer rather than one that looks like one: the smaller of p ± √(p² + ab) is 0; a law narrower than rounding."""
    family = ig.GeneralizedInverseGaussian()
    lost, narrow = [1.0, -1e-300, -1e-300], [1e30, -1.0, -1.0]
    assert np.isnan(family.potential(lost))
    for ask in (lambda: family.sample(np.random.default_rng(0), lost), lambda: family.quantile(lost, 0.5)):
        with pytest.raises(ig.DomainError, match="finite and not 0"):
            ask()
    with pytest.raises(ig.DomainError, match="1 of 2 points does not"):
        family.cdf([narrow, [1.0, -1.0, -1.0]], 1.0)


@pytest.mark.parametrize("spread", [1e-3, 1e-6])
def test_fit_of_narrow_samples(spread):
    """K₁(ω) / K₀(ω) is the mean of cosh log x where x and 1/x are alike; p = −6 E[sinh t − t] / (2 E[cosh t − 1])³ is what
    rounding of the observations leaves. Of skewed ones: in other units the same law."""
    family, t = ig.GeneralizedInverseGaussian(), spread * np.random.default_rng(1).normal(size=100)
    x = np.exp(np.concatenate([t, -t]))
    with mp.workdps(40):
        logs = [mp.log(mp.mpf(v)) for v in x.tolist()]
        logs = [v - mp.fsum(logs) / len(x) for v in logs]
        even, odd = mp.fsum(mp.cosh(v) - 1 for v in logs) / len(x), mp.fsum(mp.sinh(v) - v for v in logs) / len(x)
        omega = float(mp.findroot(lambda w: mp.besselk(1, w) / mp.besselk(0, w) - 1 - even, 0.5 / even))
        p = float(-6 * odd / (2 * even)**3)
    theta = family.fit(x)
    np.testing.assert_allclose(theta[1] + theta[2], -omega, rtol=1e-9)
    np.testing.assert_allclose([theta[0], theta[2] - theta[1]], p, atol=1e-16 / spread**2 * omega)
    skewed = np.exp(np.log(x) - np.log(x)**2 / 12)
    own, tripled = family.fit(skewed), family.fit(3.0 * skewed)
    np.testing.assert_allclose(tripled * [1.0, 3.0, 1.0 / 3.0], own, rtol=1e-14 / spread**2)
    together = family.fit(np.stack([x, skewed], axis=1))           # their sums go in another order
    size = np.max(np.abs([theta, own]), axis=1)[:, None]
    assert own[0] > 0 and np.all(np.abs(together - [theta, own]) <= 1e-14 / spread**2 * size)


def test_narrow_and_wide_samples_agree():
    """Both ways at the seam, a spread of 0.3: the moments are met."""
    family, rng = ig.GeneralizedInverseGaussian(), np.random.default_rng(3)
    x = family.sample(rng, family.theta_from(p=[0.5, 0.5], a=[13.0, 4.0], b=[13.0, 4.0]), 400)
    means = np.mean(family.sufficient_statistic(x), axis=0)
    np.testing.assert_allclose(family.to_eta(family.fit(x)), means, rtol=1e-13, atol=1e-14)


def test_a_narrow_sample_beyond_the_gamma_law_has_no_estimate():
    """At a spread of 1e-6 rounding decided; a skewness of log x beyond that of gamma laws, −1e-6, is none of a member."""
    t = 1e-6 * np.concatenate([np.ones(99), [-99.0]]) / np.sqrt(99.0)
    with pytest.raises(ig.DomainError, match="does not exist"):
        ig.GeneralizedInverseGaussian().fit(np.exp(t))
