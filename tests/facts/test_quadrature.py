"""Gauss rules on [0, 1] and on panels, and the Bregman integral."""
import numpy as np
import pytest

from infogeo.numerics.quadrature import bregman_integral, composite, gauss


@pytest.mark.parametrize("n", [1, 2, 12, 16])
def test_polynomials_of_degree_2n_less_1(n):
    t, weight = gauss(n)
    assert np.all((t > 0) & (t < 1)) and gauss(n)[0] is t
    for degree in range(2 * n):
        np.testing.assert_allclose(np.sum(weight * t**degree), 1.0 / (degree + 1.0), rtol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        t[0] = 0.5


def test_panels_of_unequal_width():
    t, weight = composite([0.0, 0.5, 2.0, 10.0], 12)
    assert t.shape == weight.shape == (36,) and np.all(np.diff(t) > 0)
    np.testing.assert_allclose(np.sum(weight * np.exp(-t)), -np.expm1(-10.0), rtol=1e-14)


@pytest.mark.parametrize("step", [1e-8, -1e-3, 0.5, 2.0])
def test_bregman_integral_of_exp(step):
    """e^{a + δ} − e^a − δ e^a, by its series."""
    series = sum(step**k / float(np.prod(np.arange(1.0, k + 1))) for k in range(30, 1, -1))
    np.testing.assert_allclose(bregman_integral(np.exp, np.array(0.3), np.array(step)), np.exp(0.3) * series, rtol=4e-15)


def test_bregman_integral_of_a_row_does_not_depend_on_its_batch():
    """Few points are taken at all nodes in one call, many node by node: the bits are the same."""
    start, step = np.random.default_rng(0).uniform(0.1, 1.0, (2, 3000))
    for dtype in (np.float64, np.float32):
        a, h = start.astype(dtype), step.astype(dtype)
        many = bregman_integral(np.exp, a, h)
        assert many.dtype == dtype
        np.testing.assert_array_equal(many[:5], bregman_integral(np.exp, a[:5], h[:5]))
        np.testing.assert_array_equal(many[:5], [bregman_integral(np.exp, x, d) for x, d in zip(a[:5], h[:5])])
