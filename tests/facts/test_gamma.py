"""Gamma: KL near, far and extreme, the shape inversion, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Gamma()


def exact_kl(p, q, dps=80):
    with mp.workdps(dps):
        (a, b), (c, d) = ([mp.mpf(v) for v in x] for x in (p, q))
        psi = lambda shape, rate: mp.loggamma(shape) - shape * mp.log(rate)
        return float(psi(c, d) - psi(a, b) - (c - a) * (mp.digamma(a) - mp.log(b)) + (d - b) * a / b)


@pytest.mark.parametrize("p, q", [
    ((1e8, 1.0), (1e8 + 1.0, 1.0)),                     # large shapes, near
    ((1e8, 1e8), (1e8 + 1.0, 1e8 + 1.0)),               # and with equal means
    ((2.0, 1.0), (4.0, 2.0)),                           # equal means
    ((9.0, 3.0), (9.0 * (1 + 2.0**-20), 3.0 * (1 + 2.0**-20))),
    ((3.0, 1.5), (3.0 * (1 + 2.0**-30), 1.5 * (1 + 2.0**-30))),
    ((1e-6, 1.0), (1e-6, 1.0 + 1e-8)),
    ((1e-6, 1.0), (2e-6, 3.0)),
    ((1e-6, 1.0), (1e6, 1.0)),
    ((1e6, 1.0), (1e-6, 1.0)),
    ((0.5, 1e10), (0.5, 1e-2)),
    ((0.5, 1e-10), (0.5, 1e2)),
    ((20.0, 1e-3), (3.0, 1e3)),
])
def test_kl(p, q):
    result = FAMILY.kl([p[0], -p[1]], [q[0], -q[1]])
    np.testing.assert_allclose(result, exact_kl(p, q), rtol=2e-12)


@pytest.mark.parametrize("alpha", [1e-6, 0.3, 2.0, 50.0, 1e6])
def test_sharp(alpha):
    """The natural gradient to 1e-13, against the inverse metric in 50 digits: its determinant αψ₁(α) − 1 cancels for large α."""
    theta, covector = np.array([alpha, -3.0]), np.array([0.7, -1.1])
    with mp.workdps(50):
        a, b = mp.mpf(alpha), mp.mpf(3)
        G = mp.matrix([[mp.psi(1, a), 1 / b], [1 / b, a / b**2]])
        expected = [float(x) for x in mp.lu_solve(G, mp.matrix(covector.tolist()))]
    np.testing.assert_allclose(FAMILY.sharp(theta, covector), expected, rtol=1e-13)


def test_kl_of_exponential_members():
    """Shape 1 is the exponential family."""
    a, b = np.array([0.3]), np.array([7.0])
    np.testing.assert_allclose(FAMILY.kl([1.0, -a[0]], [1.0, -b[0]]), ig.Exponential().kl(-a, -b), rtol=1e-14)


@pytest.mark.parametrize("alpha", np.logspace(-4, 8, 25))
def test_shape_inversion_from_eta(alpha):
    """α from (E log x, E x): the error floor is 2 α ε |log α|, by the cancellation of log η₂ − η₁ that the chart itself has."""
    theta = np.array([alpha, -1.0])
    recovered = FAMILY.to_theta(FAMILY.to_eta(theta))
    floor = 4e-15 + 8 * alpha * 2.2e-16 * max(1.0, abs(np.log(alpha)))
    assert abs(recovered[0] - alpha) <= floor * alpha
    # the mean is kept whatever the shape's error
    np.testing.assert_allclose(-recovered[0] / recovered[1], alpha, rtol=1e-14)


@pytest.mark.parametrize("alpha", np.logspace(-4, 8, 13))
def test_shape_inversion_from_the_gap(alpha):
    """α from log α − digamma(α) to 1e-14: what `fit` solves, and what does not cancel."""
    from infogeo.backend import NUMPY
    from infogeo.families.gamma import shape_from_log_gap
    with mp.workdps(50):
        gap = float(mp.log(mp.mpf(alpha)) - mp.digamma(mp.mpf(alpha)))
    np.testing.assert_allclose(shape_from_log_gap(NUMPY, np.array(gap)), alpha, rtol=1e-14)


def test_fit_of_a_narrow_sample_keeps_its_digits():
    """x = 1 ± δ: log mean − mean log = δ²/2 + δ⁴/4 + …, so α = 1/δ² − 1/3 + O(δ²)."""
    delta = 2.0**-20
    fitted = FAMILY.parameters(FAMILY.fit([1.0 - delta, 1.0 + delta]))
    with mp.workdps(50):
        gap = -mp.log1p(-mp.mpf(delta)**2) / 2
        expected = mp.findroot(lambda a: mp.log(a) - mp.digamma(a) - gap, 1 / mp.mpf(delta)**2)
        np.testing.assert_allclose(fitted["shape"], float(expected), rtol=1e-13)
    np.testing.assert_allclose(fitted["rate"], fitted["shape"], rtol=1e-15)


def test_fit_against_scipy():
    x = scipy.stats.gamma(2.5, scale=0.3).rvs(500, random_state=4)
    shape, _, scale = scipy.stats.gamma.fit(x, floc=0)
    fitted = FAMILY.parameters(FAMILY.fit(x))
    np.testing.assert_allclose([fitted["shape"], fitted["rate"]], [shape, 1 / scale], rtol=1e-9)


def test_no_estimate_of_a_constant_sample():
    with pytest.raises(ig.DomainError, match=r"does not exist: .* eta\[1\] > 0 and eta\[0\] < log\(eta\[1\]\); got"):
        FAMILY.fit([2.0, 2.0, 2.0])


def test_to_theta_outside_the_domain_is_nan():
    assert np.all(np.isnan(FAMILY.to_theta([0.1, 1.0])[..., 0]))


def test_entropy_of_large_and_small_shapes():
    """α − log β + log Γ(α) + (1 − α) digamma(α)."""
    for alpha in (1e-6, 0.3, 9.99, 10.0, 1e3, 1e10):
        with mp.workdps(60):
            a = mp.mpf(alpha)
            expected = float(a - mp.log(2) + mp.loggamma(a) + (1 - a) * mp.digamma(a))
        np.testing.assert_allclose(FAMILY.entropy([alpha, -2.0]), expected, rtol=1e-13)


def test_metric_at_shape_2_rate_1():
    """[[π²/6 − 1, 1], [1, 2]]."""
    np.testing.assert_allclose(FAMILY.metric([2.0, -1.0]), [[np.pi**2 / 6 - 1, 1.0], [1.0, 2.0]], rtol=1e-14)


def test_domain_errors():
    with pytest.raises(ig.DomainError) as error:
        FAMILY.theta_from(shape=[1.0, -1.0], rate=2.0)
    assert str(error.value) == "shape must satisfy shape > 0; 1 of 2 points does not, first at index (1,): -1.0"
    with pytest.raises(ig.DomainError) as error:
        FAMILY.log_density([-1.0, -1.0], 1.0)
    assert str(error.value) == "theta must satisfy theta[0] > 0 and theta[1] < 0; got [-1. -1.]"
    with pytest.raises(TypeError, match=r"takes the parameters shape, rate; got shape$"):
        FAMILY.theta_from(shape=1.0)


@pytest.mark.parametrize("alpha", [0.05, 1.0, 40.0])
def test_samples_have_the_distribution(alpha):
    x = FAMILY.sample(np.random.default_rng(8), FAMILY.theta_from(shape=alpha, rate=3.0), (50, 80))
    assert x.shape == (50, 80)
    assert scipy.stats.kstest(x.ravel(), scipy.stats.gamma(alpha, scale=1 / 3).cdf).pvalue > 1e-4
