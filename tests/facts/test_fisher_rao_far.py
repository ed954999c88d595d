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


FOUR = ig.LogLinear([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])
HALF_LINE = ig.Truncated(ig.Normal(), 0.0, np.inf)


# The value is that of the geodesic equation followed by scipy.integrate.solve_ivp (DOP853, rtol 1e-12) from the first point with
# the velocity of `log`, which arrives at the second to 5e-12, for the beta laws to 4e-9
@pytest.mark.parametrize("M, p, q, expected", [
    (ig.BoltzmannMachine(3), [0.0] * 6, [3.0] * 6, 2.46602672271112),
    (ig.BoltzmannMachine(3), [-3.0] * 6, [3.0] * 6, 4.37356657564304),
    (FOUR, [-10.0] * 2, [10.0] * 2, 4.42929334018876),
    (ig.Beta(), [1e-6, 1.0], [1.0, 1e-6], 4.4374045745),
    (HALF_LINE, [0.5, -0.5], [30.0, -5.0], 3.39599954251303),
], ids=str)
def test_between_points_that_lie_near_the_boundary(M, p, q, expected):
    """Where the coordinates change by orders of magnitude within a unit of length, the pieces are as short as that asks."""
    p, q = np.array(p), np.array(q)
    path = join(HessianEquation(M), p, q)
    np.testing.assert_allclose(path.length, expected, rtol=1e-9)
    np.testing.assert_allclose(M.norm(p, path.velocity), expected, rtol=1e-9)
    np.testing.assert_allclose(np.sum(path.widths[path.begins < 1.0]), 1.0, rtol=1e-14)
    middle = path(np.array(0.5))
    for end in (p, q):
        np.testing.assert_allclose(M.distance(middle, end), 0.5 * expected, rtol=1e-8)


def test_a_mesh_that_is_too_coarse():
    """Its segments are halved twice from where the path has come to; the value as above, to 1e-9."""
    M, p, q = ig.BoltzmannMachine(3), np.array([2.0, 3.0, -2.0, -2.0, 2.0, 2.0]), np.array([0.0, -2.0, 2.0, 0.0, -2.0, -3.0])
    path = join(HessianEquation(M), p, q)
    np.testing.assert_allclose([path.length, M.norm(p, path.velocity)], 3.5905279812918, rtol=1e-9)
    np.testing.assert_allclose(np.sum(path.widths[path.begins < 1.0]), 1.0, rtol=1e-14)
    np.testing.assert_allclose(path(np.array([0.0, 1.0])), [p, q], atol=1e-10)


def test_a_row_on_a_mesh_does_not_depend_on_its_batch():
    M, rng = ig.Beta(), np.random.default_rng(5)
    p, q = np.exp(2.0 * rng.standard_normal((2, 8, 2)))
    together = M.distance(p, q)
    np.testing.assert_allclose(together, [M.distance(*pair) for pair in zip(p, q)], rtol=1e-13)
    assert np.all(together <= np.sqrt(ig.jeffreys(M, p, q)))


def test_a_path_that_leads_along_the_boundary():
    """The shortest path between these normal laws on a half-line runs into exponential ones, the limit of infinite variance."""
    with pytest.raises(ig.ConvergenceError, match=r"1 of 2 pairs.*index \(1,\).*a path of length 2\.4\d* at most was found"):
        HALF_LINE.distance(np.array([-1.0, -0.5]), np.array([[-1.1, -0.6], [1.5, -0.25]]))
