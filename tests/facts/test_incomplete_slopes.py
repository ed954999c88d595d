"""Derivatives of the incomplete gamma and beta functions in their parameters, beside 40 digits."""
import mpmath
import numpy as np
import pytest

from infogeo.backend import NUMPY
from infogeo.numerics.incomplete_slopes import beta_slope, gamma_slope


def slope(f, a):
    """f′(a) by a central difference of 60 digits."""
    with mpmath.workdps(60):
        a = mpmath.mpf(a)
        h = a * mpmath.mpf(10) ** -18
        return (f(a + h) - f(a - h)) / (2 * h)


@pytest.mark.parametrize("alpha, x", [(0.01, 1e-80), (0.3, 0.7), (0.3, 5.0), (4.0, 0.9), (4.0, 3.4), (4.0, 3.7), (4.0, 20.0),
                                      (250.0, 180.0), (250.0, 251.0), (1e-3, 2.0)])
def test_gamma(alpha, x):
    """By the series, and by the integral on either side of E log t."""
    with mpmath.workdps(60):
        a, y = mpmath.mpf(alpha), mpmath.mpf(x)
        weight = y**a * mpmath.exp(-y) / mpmath.gamma(a)
        expected = -slope(lambda a: mpmath.gammainc(a, 0, y, regularized=True), alpha) / weight
    assert float(gamma_slope(NUMPY, np.asarray(alpha), np.asarray(x)) / float(expected)) == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("alpha, beta, x", [(0.02, 3.0, 1e-40), (0.3, 0.4, 0.2), (0.3, 0.4, 0.99), (3.0, 50.0, 0.01),
                                            (3.0, 50.0, 0.06), (3.0, 50.0, 0.2), (60.0, 0.1, 0.999), (80.0, 30.0, 0.7)])
def test_beta(alpha, beta, x):
    """In α; in β it is that of the other tail."""
    with mpmath.workdps(60):
        a, b, u = map(mpmath.mpf, (alpha, beta, x))
        weight = u**a * (1 - u) ** b / mpmath.beta(a, b)
        in_alpha = -slope(lambda a: mpmath.betainc(a, b, 0, u, regularized=True), alpha) / weight
        in_beta = slope(lambda b: mpmath.betainc(a, b, 0, u, regularized=True), beta) / weight
    alpha, beta, x = map(np.asarray, (alpha, beta, x))
    assert float(beta_slope(NUMPY, alpha, beta, x, 1.0 - x) / float(in_alpha)) == pytest.approx(1.0, abs=1e-12)
    assert float(beta_slope(NUMPY, beta, alpha, 1.0 - x, x) / float(in_beta)) == pytest.approx(1.0, abs=1e-12)
