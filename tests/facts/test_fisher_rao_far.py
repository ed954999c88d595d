"""Fisher–Rao distances between far points, by closed forms at 60 digits, and in families of all distributions on some states."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.numerics.collocation.equations import HessianEquation
from infogeo.numerics.collocation.paths import join


@pytest.mark.parametrize("p, q", [(-0.36, -1600.0), (-0.36, -3000.0), (-1e-9, -1500.0), (-2.0, -2.000001), (-1e-12, -1e-9)])
def test_geometric(p, q):
    """2 artanh √e^{θ_p} − 2 artanh √e^{θ_q}, times √r in a negative binomial family, far beyond where e^{θ/2} is a float."""
    with mp.workdps(60):
        arc = [2 * mp.atanh(mp.exp(mp.mpf(theta) / 2)) for theta in (p, q)]
        expected = float(abs(arc[0] - arc[1]))
    np.testing.assert_allclose(ig.Geometric().distance([p], [q]), expected, rtol=1e-14)
    np.testing.assert_allclose(ig.Geometric().distance([q], [p]), expected, rtol=1e-14)
    np.testing.assert_allclose(ig.NegativeBinomial(7).distance([p], [q]), np.sqrt(7) * expected, rtol=1e-14)


@pytest.mark.parametrize("dtype, far", [(np.float64, 1e160), (np.float32, 1e20)])
def test_means_of_normals_far_apart(dtype, far):
    """√2 · 2 arsinh(|Δμ| / √8) for two laws of variance 1, whose square is out of range."""
    p, q = np.array([0.0, -0.5], dtype), np.array([far, -0.5], dtype)
    expected = 2 * np.sqrt(2) * np.arcsinh(float(q[0]) / np.sqrt(8.0))
    np.testing.assert_allclose(ig.Normal().distance(p, q), expected, rtol=4 * np.finfo(dtype).eps)
    one, other = np.array([0, 0, 0, -0.5], dtype), np.array([far, far, far, -0.5], dtype)
    expected = 2 * np.sqrt(6) * np.arcsinh(float(far) / np.sqrt(8.0))
    np.testing.assert_allclose(ig.IsotropicNormal(3).distance(one, other), expected, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("k", [3, 344, 400])
def test_volume_of_a_simplex(k):
    expected = mp.pi ** (mp.mpf(k) / 2) / mp.gamma(mp.mpf(k) / 2)
    np.testing.assert_allclose(ig.Categorical(k).total_volume(), float(expected), rtol=1e-12)


@pytest.mark.parametrize("M", [ig.BoltzmannMachine(2), ig.Hierarchical((2, 3), ((0, 1),)),
                               ig.LogLinear([[0.0, 1.0], [1.0, 0.5], [0.3, -1.0]], [0.1, -0.4, 0.0])], ids=str)
def test_families_of_all_distributions(M):
    """The closed forms of the simplex beside the numeric geodesic; in a machine of two spins, far out, in no time."""
    x, y = (0.4 * np.random.default_rng(seed).standard_normal(M.dim) for seed in (1, 2))
    numeric = join(HessianEquation(M), x, y)
    np.testing.assert_allclose(M.distance(x, y), numeric.length, rtol=1e-10)
    np.testing.assert_allclose(M.geodesic(x, y, 0.3), numeric(np.array(0.3)), rtol=1e-7)
    np.testing.assert_allclose(M.log(x, y), numeric.velocity, rtol=1e-7)
    np.testing.assert_allclose(M.exp(x, M.log(x, y)), y, rtol=1e-11, atol=1e-12)
