"""Chi-squared, chi, Erlang and inverse gamma: large and small shapes, relations between them."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.chi import Chi, ChiSquared
from infogeo.families.erlang import Erlang
from infogeo.families.inverse_gamma import InverseGamma

CHI_SQUARED, CHI, GAMMA = ChiSquared(), Chi(), ig.Gamma()
DEGREES = [1e-6, 0.3, 2.0, 19.9, 20.1, 1e4, 1e10]


def exact_log_density(degrees, x):
    k, x = mp.mpf(degrees), mp.mpf(x)
    return (k / 2 - 1) * mp.log(x) - x / 2 - k / 2 * mp.log(2) - mp.loggamma(k / 2)


@pytest.mark.parametrize("degrees", DEGREES)
def test_log_density_keeps_its_digits(degrees):
    """At the mean, where (ν / 2) log x and log Γ(ν / 2) cancel, and away from it."""
    theta = CHI_SQUARED.theta_from(degrees_of_freedom=degrees)
    for x in (degrees, degrees + np.sqrt(degrees), 1.3 * degrees, 2.5 * degrees, 0.1 * degrees):
        with mp.workdps(60):
            expected = float(exact_log_density(degrees, x))
            expected_chi = float(exact_log_density(degrees, mp.mpf(np.sqrt(x))**2) + mp.log(2 * mp.mpf(np.sqrt(x))))
        np.testing.assert_allclose(CHI_SQUARED.log_density(theta, x), expected, rtol=2e-14, atol=1e-15)
        slope = abs(x - degrees)          # of the log-density against log x: what the rounding of x² costs
        np.testing.assert_allclose(CHI.log_density(theta, np.sqrt(x)), expected_chi, rtol=2e-14, atol=1e-15 + 4e-16 * slope)


@pytest.mark.parametrize("degrees", DEGREES)
def test_entropy_keeps_its_digits(degrees):
    theta = CHI_SQUARED.theta_from(degrees_of_freedom=degrees)
    with mp.workdps(60):
        a = mp.mpf(degrees) / 2
        entropy = a + mp.log(2) + mp.loggamma(a) + (1 - a) * mp.digamma(a)
        of_root = entropy - mp.log(2) - (mp.digamma(a) + mp.log(2)) / 2
    np.testing.assert_allclose(CHI_SQUARED.entropy(theta), float(entropy), rtol=1e-13)
    np.testing.assert_allclose(CHI.entropy(theta), float(of_root), rtol=1e-13)


@pytest.mark.parametrize("a", [1e-200, 1e-6, 0.5, 9.9, 10.1, 1e6, 1e200])
@pytest.mark.parametrize("factor", [1 + 2.0**-36, 1.1, 7.0, 1e30])
def test_kl(a, factor):
    for p, q in ((a, a * factor), (a * factor, a)):
        with mp.workdps(500):
            s, t = mp.mpf(p), mp.mpf(q)
            expected = float(mp.loggamma(t) - mp.loggamma(s) - (t - s) * mp.digamma(s))
        np.testing.assert_allclose(CHI_SQUARED.kl([p], [q]), expected, rtol=1e-12)


@pytest.mark.parametrize("eta", [-1e300, -1e6, -3.0, -0.5, 0.0, 2.3, 100.0, 690.0, 709.0])
def test_inverse_chart(eta):
    theta = CHI_SQUARED.to_theta([eta])
    with mp.workdps(40):
        np.testing.assert_allclose(float(mp.digamma(mp.mpf(theta[0]))), eta, rtol=1e-14, atol=1e-15)


def test_two_degrees_are_exponential_and_three_are_maxwell():
    x = np.array([0.1, 1.0, 5.0])
    np.testing.assert_allclose(CHI_SQUARED.log_density([1.0], x), ig.Exponential().log_density([-0.5], x), rtol=1e-14)
    maxwell = 0.5 * np.log(2 / np.pi) + 2 * np.log(x) - x**2 / 2
    np.testing.assert_allclose(CHI.log_density([1.5], x), maxwell, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("shape", [1, 7, 10**6])
def test_erlang_is_gamma_of_known_shape(shape):
    family, rate = Erlang(shape), 3.0
    theta, gamma = family.theta_from(rate=rate), GAMMA.theta_from(shape=shape, rate=rate)
    np.testing.assert_allclose(family.entropy(theta), GAMMA.entropy(gamma), rtol=1e-14)
    np.testing.assert_allclose(family.kl(theta, 2 * theta), GAMMA.kl(gamma, gamma * np.array([1.0, 2.0])), rtol=1e-14)
    for x in (shape / rate, 1.001 * shape / rate):
        with mp.workdps(50):
            k, b, y = mp.mpf(shape), mp.mpf(rate), mp.mpf(x)
            expected = float(k * mp.log(b) + (k - 1) * mp.log(y) - b * y - mp.loggamma(k))
        np.testing.assert_allclose(family.log_density(theta, x), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(family.parameters(family.fit([1.0, 2.0, 3.0]))["rate"], shape / 2, rtol=1e-15)


def test_inverse_gamma_of_a_narrow_sample_keeps_its_digits():
    """The inverses of x have the gamma estimate of x."""
    x = np.array([1.0 - 2.0**-20, 1.0, 1.0 + 2.0**-20])
    np.testing.assert_allclose(InverseGamma().fit(1.0 / x), GAMMA.fit(x), rtol=1e-8)
    fitted = InverseGamma().parameters(InverseGamma().fit(x))
    np.testing.assert_allclose(fitted["shape"], 1.5 * 2.0**40, rtol=1e-5)


def test_inverse_gamma_entropy_of_large_shapes():
    for alpha in (0.3, 1e3, 1e10):
        with mp.workdps(50):
            a = mp.mpf(alpha)
            expected = float(a + mp.log(2) + mp.loggamma(a) - (1 + a) * mp.digamma(a))
        np.testing.assert_allclose(InverseGamma().entropy([alpha, -2.0]), expected, rtol=1e-13)
