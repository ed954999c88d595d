"""Normal laws given that x lies far out in a tail: all digits by the rate z, where z² / 2 alone would leave none at 1e8."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig


def exact(z):
    """(mean, E[x²], variance, log P(x > 0)) of the normal law of mean −z and variance 1, given that x > 0."""
    with mp.workdps(60):
        z = mp.mpf(z)
        tail = mp.erfc(z / mp.sqrt(2)) / 2
        hazard = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi) / tail
        mean, variance = hazard - z, 1 + z * hazard - hazard**2
        return [float(value) for value in (mean, variance + mean**2, variance, mp.log(tail))]


@pytest.mark.parametrize("z", [1.0, 1e2, 1e4, 1e6, 1e8])
def test_half_line(z):
    M = ig.Truncated(ig.Normal(), 0.0, np.inf)
    theta = ig.Normal().theta_from(mean=-z, variance=1.0)
    mean, square, variance, log_tail = exact(z)
    np.testing.assert_allclose(M.to_eta(theta), [mean, square], rtol=1e-14)
    np.testing.assert_allclose(M.metric(theta)[0, 0], variance, rtol=1e-13)
    np.testing.assert_allclose(M.log_probability(theta), log_tail, rtol=1e-14)
    x = 1.0 / z
    with mp.workdps(60):
        expected = -(mp.mpf(x) + mp.mpf(z))**2 / 2 - mp.log(2 * mp.pi) / 2 - mp.log(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2)
    np.testing.assert_allclose(M.log_density(theta, x), float(expected), rtol=1e-14)
    with mp.workdps(60):
        potential = mp.mpf(z)**2 / 2 + mp.log(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2)
    np.testing.assert_allclose(M.potential(theta), float(potential), rtol=1e-14)


def test_interval_far_below_the_mean():
    """On [−1, 2] with the mean 1e8: nearly an exponential law of rate 1e8 − 2 from the upper end, to some roundings of x."""
    M = ig.Truncated(ig.Normal(), -1.0, 2.0)
    theta = ig.Normal().theta_from(mean=1e8, variance=1.0)
    rate = 1e8 - 2.0
    np.testing.assert_allclose(M.to_eta(theta)[0], 2.0 - 1.0 / rate, rtol=1e-15)
    np.testing.assert_allclose(M.metric(theta)[0, 0], rate**-2, rtol=1e-9)
    np.testing.assert_allclose(M.log_density(theta, 1.5), np.log(rate) - 0.5 * rate - 0.125, rtol=1e-15)
