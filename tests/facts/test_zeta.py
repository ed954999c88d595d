"""The zeta family and the derivatives of log ζ, from the pole at s = 1 to exponents where ζ − 1 is 1e-300."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.families.zeta import Zeta
from infogeo.numerics.riemann_zeta import log_zeta_derivatives, zeta_excess

from .counts_helpers import check_closed_forms, check_kl, check_parameters

FAMILY = Zeta()


def psi(t):
    return mp.log(mp.zeta(1 - t[0]))


def exact_derivatives(d):
    """log ζ(1 + d) and its derivatives, from ζ and its own."""
    with mp.workdps(700 if d > 100 else 60):
        s = 1 + mp.mpf(d)
        if d > 30:      # the series itself, to 60 digits beyond the first term
            last = int(mp.ceil(mp.mpf(10) ** (mp.mpf(40) / d) * 2)) + 2
            z = [sum((-mp.log(n))**k * n**-s for n in range(2, last)) + (k == 0) for k in range(4)]
        elif d < 1e-3:      # Laurent series with the Stieltjes constants
            gamma, x = [mp.stieltjes(n) for n in range(7)], mp.mpf(d)
            tail = [sum((-1)**n * gamma[n] / mp.factorial(n - k) * x**(n - k) for n in range(k, 7)) for k in range(4)]
            z = [(-1)**k * mp.factorial(k) / x**(k + 1) + tail[k] for k in range(4)]
        else:
            z = [mp.zeta(s, derivative=k) for k in range(4)]
        a, b, c = (z[k] / z[0] for k in (1, 2, 3))
        return [float(v) for v in (mp.log(z[0]), a, b - a * a, c - 3 * a * b + 2 * a**3)]


@pytest.mark.parametrize("d", [1e-70, 1e-9, 1e-5, 0.01, 0.3, 1.0, 3.0, 9.0, 20.0, 60.0, 400.0, 1000.0])
def test_derivatives_of_log_zeta(d):
    own = log_zeta_derivatives(NUMPY, np.array(d))
    np.testing.assert_allclose(own, exact_derivatives(d), rtol=4e-15 * max(1.0, np.sqrt(d)))


def test_zeta_excess():
    d = np.array([1e-3, 0.5, 7.0, 80.0])
    excess, scaled = zeta_excess(NUMPY, d)
    with mp.workdps(60):
        zeta = [mp.zeta(1 + mp.mpf(float(x))) for x in d]
        np.testing.assert_allclose(excess, [float(z - 1) for z in zeta], rtol=1e-14)
        np.testing.assert_allclose(scaled, [float(x * z) for x, z in zip(d, zeta)], rtol=1e-14)


@pytest.mark.parametrize("theta", [-0.05, -0.7, -1.0, -3.0, -12.0])
def test_closed_forms(theta):
    check_closed_forms(FAMILY, psi, [theta])


@pytest.mark.parametrize("p", [-1e-6, -0.02, -0.9, -1.5, -10.0, -40.0])
@pytest.mark.parametrize("ratio", [1 + 1e-10, 1.2, 0.49, 2.5, 0.1])
def test_kl(p, ratio):
    """From ψ with twice the exponent in digits: for large exponents ψ is 2^{−s}."""
    check_kl(FAMILY, psi, [p], [p * ratio], dps=100)


@pytest.mark.parametrize("d", np.logspace(-12, 2.8, 12))
def test_inversion(d):
    theta = FAMILY.to_theta(FAMILY.to_eta([-d]))
    np.testing.assert_allclose(theta, [-d], rtol=1e-14)


@pytest.mark.parametrize("s", [1.1, 2.0, 6.5])
def test_entropy(s):
    """log ζ(s) − s ζ′(s) / ζ(s)."""
    with mp.workdps(40):
        exact = float(mp.log(mp.zeta(s)) - s * mp.zeta(mp.mpf(s), derivative=1) / mp.zeta(s))
    np.testing.assert_allclose(FAMILY.entropy(FAMILY.theta_from(exponent=s)), exact, rtol=1e-14)


def test_against_scipy():
    s, x = np.array([1.5, 2.0, 9.0]), np.array([1.0, 2.0, 3.0, 50.0, 1e6])[:, None]
    np.testing.assert_allclose(FAMILY.log_density(FAMILY.theta_from(exponent=s), x), scipy.stats.zipf(s).logpmf(x), rtol=1e-12)


@pytest.mark.parametrize("s", [1.05, 1.5, 3.0, 8.0])
def test_samples_have_the_density(s):
    """Chi-square over the outcomes 1 … 30 and the rest, and the mean of log x within five standard errors."""
    theta, size = FAMILY.theta_from(exponent=s), 20000
    x = FAMILY.sample(np.random.default_rng(4), theta, size)
    assert np.all(x >= 1) and np.all(x == np.floor(x))
    expected = size * np.exp(FAMILY.log_density(theta, np.arange(1.0, 31.0)))
    kept = expected > 10.0
    observed = np.array([np.sum(x == k) for k in range(1, 31)])[kept]
    observed, expected = np.append(observed, size - observed.sum()), np.append(expected[kept], size - expected[kept].sum())
    assert scipy.stats.chisquare(observed, expected).pvalue > 1e-4
    error = np.log(x).mean() - FAMILY.to_eta(theta)[0]
    assert abs(error) < 5 * np.sqrt(FAMILY.metric(theta)[0, 0] / size)


def test_a_draw_beyond_the_largest_number_is_that():
    """Near the pole most draws are: P(x > 1e308) is about 1e308^{−d}."""
    x = FAMILY.sample(np.random.default_rng(4), np.array([-1e-6]), 100)
    assert np.all(FAMILY.support.contains(x)) and (x == np.finfo(float).max).sum() > 90


def test_parameters_fit_and_errors():
    check_parameters(FAMILY, exponent=np.array([1.01, 2.0, 30.0]))
    theta = FAMILY.fit([1, 2, 7])
    np.testing.assert_allclose(FAMILY.to_eta(theta), [np.log(14.0) / 3], rtol=1e-14)
    with pytest.raises(ig.DomainError, match="does not exist"):
        FAMILY.fit([1, 1])
    with pytest.raises(ig.DomainError, match="exponent must satisfy exponent > 1"):
        FAMILY.theta_from(exponent=1.0)
    assert np.isnan(FAMILY.to_theta([-0.5])) and np.isnan(FAMILY.to_eta([0.5])) and np.isnan(FAMILY.potential([0.0]))
