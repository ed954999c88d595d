"""Exponential: KL near and far, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Exponential()


@pytest.mark.parametrize("a, b", [(1.0, 1.0 + 1e-9), (1.0, 1e-8), (1e-8, 1.0), (1e8, 1e8 + 1.0), (1e-300, 1e-290), (2.0, 0.5)])
def test_kl(a, b):
    """r − 1 − log r with r = β_q / β_p."""
    with mp.workdps(60):
        r = mp.mpf(b) / mp.mpf(a)
        expected = float(r - 1 - mp.log(r))
    np.testing.assert_allclose(FAMILY.kl([-a], [-b]), expected, rtol=1e-12)


def test_entropy():
    """1 − log β."""
    rate = np.array([1e-9, 0.3, 4e7])
    np.testing.assert_allclose(FAMILY.entropy(-rate[:, None]), 1.0 - np.log(rate), rtol=1e-14)


def test_errors():
    with pytest.raises(ig.DomainError) as error:
        FAMILY.log_density([[-1.0], [0.0]], 1.0)
    assert str(error.value) == "theta must satisfy theta < 0; 1 of 2 points does not, first at index (1,): [0.]"
    with pytest.raises(ig.DomainError, match="x must satisfy x >= 0; 1 of 2 points does not, first at index \\(1,\\): -1.0"):
        FAMILY.fit([1.0, -1.0])
    with pytest.raises(TypeError, match=r"Exponential\(\) takes the parameters rate; got scale$"):
        FAMILY.theta_from(scale=1.0)


def test_one_observation_is_enough():
    np.testing.assert_array_equal(FAMILY.fit([4.0]), [-0.25])


def test_density_is_zero_outside_the_support():
    np.testing.assert_array_equal(FAMILY.log_density([-2.0], [-1.0, np.inf]), [-np.inf, -np.inf])


def test_samples_have_the_distribution():
    x = FAMILY.sample(np.random.default_rng(11), FAMILY.theta_from(rate=0.2), 5000)
    assert np.all(x >= 0)
    assert scipy.stats.kstest(x, scipy.stats.expon(scale=5.0).cdf).pvalue > 1e-4
