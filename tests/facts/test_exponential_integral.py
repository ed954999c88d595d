"""The scaled exponential integral against mpmath."""
import mpmath as mp
import numpy as np

from infogeo.backend import NUMPY
from infogeo.numerics.exponential_integral import scaled_e1


def test_over_the_half_line():
    z = np.concatenate([np.logspace(-300, 300, 61), np.linspace(0.9, 1.1, 9), np.linspace(0.05, 8.0, 40)])
    with mp.workdps(40):
        exact = lambda v: mp.exp(v) * mp.e1(v) if v < 1e3 else mp.hyp2f0(1, 1, -1 / v) / v
        expected = [float(exact(mp.mpf(v))) for v in z]
    np.testing.assert_allclose(scaled_e1(NUMPY, z), expected, rtol=3e-15)


def test_dtype_is_kept():
    assert scaled_e1(NUMPY, np.float32([0.5, 2.0])).dtype == np.float32
