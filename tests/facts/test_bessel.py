"""Bessel ratios and logarithms against mpmath, for every order and argument that the spherical families meet."""
import mpmath as mp
import numpy as np
import pytest

from infogeo.backend import NUMPY
from infogeo.numerics.bessel import bessel_ratio, inverse_bessel_ratio, log_bessel, log_bessel_bregman, log_bessel_gap

DIMENSIONS = [2, 3, 4, 10, 66, 100, 1000]
ARGUMENTS = np.array([1e-8, 1e-4, 0.01, 0.3, 1.0, 1.9, 2.1, 5.0, 10.0, 20.0, 31.9, 32.1, 44.0, 63.0, 100.0, 500.0, 1e3, 1e4, 1e5,
                      1e6])


def exact_log(p, x):
    """log(Γ(p/2) (2/x)^{p/2−1} I_{p/2−1}(x))."""
    nu = mp.mpf(p) / 2 - 1
    return mp.loggamma(nu + 1) + nu * mp.log(2 / x) + mp.log(mp.besseli(nu, x, maxterms=10**6))


def exact_ratio(p, x):
    nu = mp.mpf(p) / 2 - 1
    return mp.besseli(nu + 1, x, maxterms=10**6) / mp.besseli(nu, x, maxterms=10**6)


def relative(actual, expected):
    return [float(abs(mp.mpf(float(a)) / e - 1)) for a, e in zip(actual, expected)]


@pytest.mark.parametrize("p", DIMENSIONS)
def test_ratio_and_its_derivatives(p):
    """From r and Riccati's equation r′ = 1 − r² − (p − 1) r / x at 80 digits."""
    nu = p / 2 - 1
    with mp.workdps(80):
        x = [mp.mpf(v) for v in ARGUMENTS]
        r = [exact_ratio(p, v) for v in x]
        slope = [1 - a * a - (p - 1) * a / v for a, v in zip(r, x)]
        cross = [(s - a / v) / v for a, s, v in zip(r, slope, x)]
        own = bessel_ratio(NUMPY, nu, ARGUMENTS)
        assert max(relative(own.ratio, r)) < 1e-15
        assert max(relative(own.over_x, [a / v for a, v in zip(r, x)])) < 1e-15
        assert max(relative(own.gap, [1 - a for a in r])) < 2e-14
        assert max(relative(own.slope, slope)) < 5e-14
        assert max(relative(own.cross, cross)) < 5e-14
        assert max(relative(own.bend, [-2 * a * s - (p - 1) * c for a, s, c in zip(r, slope, cross)])) < 5e-13


@pytest.mark.parametrize("p", DIMENSIONS)
def test_logarithm(p):
    nu = p / 2 - 1
    with mp.workdps(60):
        expected = [exact_log(p, mp.mpf(v)) for v in ARGUMENTS]
        assert max(relative(log_bessel(NUMPY, nu, ARGUMENTS), expected)) < 2e-14
        gap = [e - mp.mpf(v) for e, v in zip(expected, ARGUMENTS)]
        own = log_bessel_gap(NUMPY, nu, ARGUMENTS)
        assert max(float(abs(mp.mpf(float(a)) - g) / max(1, abs(g))) for a, g in zip(own, gap)) < 3e-15


def test_at_zero_and_far_out():
    zero = np.array([0.0, 1e-300])
    ratio = bessel_ratio(NUMPY, 0.5, zero)
    np.testing.assert_array_equal(log_bessel(NUMPY, 0.5, zero), 0.0)
    np.testing.assert_allclose(ratio.over_x, 1 / 3, rtol=1e-15)
    np.testing.assert_allclose(ratio.slope, 1 / 3, rtol=1e-15)
    np.testing.assert_array_equal(ratio.cross[:1], 0.0)
    x = np.array([1e12, 1e100, 1e160])          # 1 − coth x + 1/x, log(sinh x / x) − x
    np.testing.assert_allclose(bessel_ratio(NUMPY, 0.5, x).gap, 1 / x, rtol=1e-15)
    np.testing.assert_allclose(log_bessel_gap(NUMPY, 0.5, x), -np.log(2 * x), rtol=1e-15)


@pytest.mark.parametrize("p", DIMENSIONS)
def test_inverse(p):
    """From r and 1 − r: to the rounding of what is given."""
    nu = p / 2 - 1
    ratio = bessel_ratio(NUMPY, nu, ARGUMENTS)
    np.testing.assert_allclose(inverse_bessel_ratio(NUMPY, nu, ratio.ratio, ratio.gap), ARGUMENTS, rtol=5e-14)
    floor = 1e-15 * (1 + ratio.ratio / (ARGUMENTS * ratio.slope))              # the rounding of r alone
    np.testing.assert_array_less(np.abs(inverse_bessel_ratio(NUMPY, nu, ratio.ratio) / ARGUMENTS - 1), 10 * floor)


def test_inverse_outside_is_nan():
    assert np.all(np.isnan(inverse_bessel_ratio(NUMPY, 0.0, np.array([-0.1, 1.0, 1.5, np.nan]))))
    np.testing.assert_array_equal(inverse_bessel_ratio(NUMPY, 0.0, np.array([0.0])), 0.0)


@pytest.mark.parametrize("p", [2, 4, 10, 1000])
def test_bregman(p):
    """Near, far and in between, against the definition at 80 digits."""
    nu = p / 2 - 1
    for b in (1e-8, 1e-3, 0.5, 3.0, 31.0, 33.0, 1e3, 1e6):
        ratios = (1 + 1e-9, 1 - 1e-5, 1.1, 1.45, 0.55, 0.4, 2.1, 30.0, 1e-3)
        for a in (*(r * b for r in ratios), b + 0.2, 1e-8, 5.0, 1e6):
            if a == b:
                continue
            with mp.workdps(80):
                x, y = mp.mpf(a), mp.mpf(b)
                expected = exact_log(p, x) - exact_log(p, y) - (x - y) * exact_ratio(p, y)
                own = log_bessel_bregman(NUMPY, nu, np.array(a), np.array(b))
                assert abs(mp.mpf(float(own)) / expected - 1) < 2e-13, (a, b)


def test_float32_is_kept():
    x = np.array([1e-3, 1.0, 40.0, 1e5], dtype=np.float32)
    for own, wide in ((log_bessel(NUMPY, 1.0, x), log_bessel(NUMPY, 1.0, x.astype(float))),
                      *zip(bessel_ratio(NUMPY, 1.0, x), bessel_ratio(NUMPY, 1.0, x.astype(float))),
                      (inverse_bessel_ratio(NUMPY, 1.0, bessel_ratio(NUMPY, 1.0, x[:3]).ratio), x[:3])):
        assert own.dtype == np.float32
        np.testing.assert_allclose(own, wide, rtol=3e-5)
