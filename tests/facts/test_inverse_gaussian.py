"""Inverse Gaussian: extreme divergences, narrow samples, errors."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.inverse_gaussian import InverseGaussian

FAMILY = InverseGaussian()


def exact_kl(p, q):
    with mp.workdps(120):
        (a, b), (c, d) = ([mp.mpf(float(v)) for v in t] for t in (p, q))
        psi = lambda s, t: -2 * mp.sqrt(s * t) - mp.log(-2 * t) / 2
        mean = mp.sqrt(b / a)
        return float(psi(c, d) - psi(a, b) - (c - a) * mean - (d - b) * (1 / mean - 1 / (2 * b)))


@pytest.mark.parametrize("p, q", [
    ((1.0, 1.0), (1e6, 1.0)), ((1e-8, 1.0), (1e8, 1e8)), ((1e8, 1e8), (1e8 + 1, 1e8)), ((1.0, 1e10), (1.0, 1e10 + 1)),
    ((1e-100, 1e-100), (1e100, 1e100)), ((2.0, 3.0), (2.0, 3.0 + 1e-9)), ((2.0, 3.0), (2.0 + 1e-9, 3.0))])
def test_kl(p, q):
    theta_p, theta_q = (FAMILY.theta_from(mean=mean, shape=shape) for mean, shape in (p, q))
    np.testing.assert_allclose(FAMILY.kl(theta_p, theta_q), exact_kl(theta_p, theta_q), rtol=1e-9 if p[0] == 1e8 else 1e-12)
    np.testing.assert_allclose(FAMILY.kl(theta_q, theta_p), exact_kl(theta_q, theta_p), rtol=1e-9 if p[0] == 1e8 else 1e-12)


def test_narrow_sample_keeps_its_digits():
    """x = 1 ± δ: mean 1 and 1/λ = mean of 1/x − 1 = δ² / (1 − δ²)."""
    delta = 2.0**-25
    fitted = FAMILY.parameters(FAMILY.fit([1.0 - delta, 1.0 + delta]))
    np.testing.assert_allclose([fitted["mean"], fitted["shape"]], [1.0, (1 - delta**2) / delta**2], rtol=1e-15)
    with pytest.raises(ig.DomainError, match=r"does not exist.* eta\[0\] > 0 and eta\[1\] > 1/eta\[0\]; got"):
        FAMILY.fit([2.0, 2.0])


@pytest.mark.parametrize("mean, shape", [(1.0, 1e-8), (1.0, 0.3), (2.0, 1.0), (2.0, 1e8)])
def test_entropy(mean, shape):
    """Against E[log x] = −∫ … in closed form with 50 digits."""
    with mp.workdps(60):
        m, s = mp.mpf(mean), mp.mpf(shape)
        tail = mp.exp(2 * s / m) * mp.e1(2 * s / m) if s / m < 1e4 else mp.hyp2f0(1, 1, -m / (2 * s)) * m / (2 * s)
        expected = float((1 + mp.log(2 * mp.pi / s)) / 2 + 3 * (mp.log(m) - tail) / 2)
    np.testing.assert_allclose(FAMILY.entropy(FAMILY.theta_from(mean=mean, shape=shape)), expected, rtol=1e-14)


def test_log_density_of_a_narrow_law():
    theta = FAMILY.theta_from(mean=1.0, shape=1e12)
    x = 1.0 + 2.0**-20
    with mp.workdps(50):
        y, shape = mp.mpf(x), mp.mpf(10)**12
        expected = float(mp.log(shape / (2 * mp.pi)) / 2 - 1.5 * mp.log(y) - shape / 2 * (y - 1)**2 / y)
    np.testing.assert_allclose(FAMILY.log_density(theta, x), expected, rtol=1e-14)


def test_outside_the_domains():
    np.testing.assert_array_equal(np.isnan(FAMILY.to_theta([[1.0, 0.5], [-1.0, 2.0], [1.0, 1.5]])[:, 0]), [True, True, False])
    assert np.all(np.isnan(FAMILY.to_eta([[1.0, -1.0], [-1.0, 1.0]])[:, 0]))
    with pytest.raises(ig.DomainError, match="^shape must satisfy shape > 0"):
        FAMILY.theta_from(mean=1.0, shape=-1.0)
