"""Christoffel symbols, curvature, covariant derivatives and parallel transport, against closed forms."""
import numpy as np
import pytest
from scipy.special import polygamma

import infogeo as ig
from infogeo.geometry.connections.connection import (christoffel, christoffel_first, covariant_derivative, cubic_tensor,
                                                     parallel_transport)
from infogeo.geometry.connections.curvature_tensor import ricci, riemann_tensor, scalar_curvature, sectional_curvature
from infogeo.geometry.connections.geodesic import m_geodesic


class NormalInOrdinaryParameters(ig.Riemannian):
    """The normal laws in (μ, σ): the metric diag(1, 2) / σ², and the cubic tensor T_μμσ = 2 / σ³, T_σσσ = 8 / σ³."""

    dim = 2
    domain = ig.domains.ProductDomain(ig.domains.RealSpace(1), ig.domains.Orthant(1))

    def metric(self, x):
        return np.array([[1.0, 0.0], [0.0, 2.0]]) / x[..., 1, None, None]**2

    def cubic_tensor(self, x):
        tensor = np.zeros((2, 2, 2))
        tensor[0, 0, 1] = tensor[0, 1, 0] = tensor[1, 0, 0] = 2.0
        tensor[1, 1, 1] = 8.0
        return tensor / x[..., 1, None, None, None]**3


class Plane(ig.Riemannian):
    """The plane in polar coordinates (r, φ)."""

    dim = 2
    domain = ig.domains.ProductDomain(ig.domains.Orthant(1), ig.domains.RealSpace(1))

    def metric(self, x):
        return np.eye(2) * np.stack([np.ones_like(x[..., 0]), x[..., 0]**2], axis=-1)[..., None]


class Sphere(ig.Riemannian):
    """The unit sphere in (polar angle, longitude)."""

    dim = 2

    def metric(self, x):
        return np.eye(2) * np.stack([np.ones_like(x[..., 0]), np.sin(x[..., 0])**2], axis=-1)[..., None]


ORDINARY, POINTS = NormalInOrdinaryParameters(), np.array([[0.0, 1.0], [3.0, 0.02], [-1.0, 40.0]])
FIRST, SECOND = np.eye(2)


def basis_plane(M, theta, i, j):
    """The sectional curvature of the plane of two directions of the chart η, given by their places, at a point θ."""
    rows = np.eye(M.dim)
    return sectional_curvature(M, theta, M.sharp(theta, rows[i]), M.sharp(theta, rows[j]))


# Symbols

def test_symbols_of_polar_coordinates():
    """Γ^r_φφ = −r, Γ^φ_rφ = 1 / r, and no other."""
    r = np.array([0.01, 2.0, 300.0])
    symbols = christoffel(Plane(), np.stack([r, 0.7 * r], axis=-1), 0)
    expected = np.zeros((3, 2, 2, 2))
    expected[:, 1, 1, 0], expected[:, 0, 1, 1], expected[:, 1, 0, 1] = -r, 1 / r, 1 / r
    unit = np.stack([np.ones(3), r], axis=-1)                   # in the orthonormal frame
    scale = unit[:, None, None, :] / (unit[:, :, None, None] * unit[:, None, :, None])
    np.testing.assert_allclose(symbols * scale * r[:, None, None, None], expected * scale * r[:, None, None, None], atol=1e-8)


def test_symbols_of_normals_in_ordinary_parameters():
    """α = 0: Γ_{μμ,σ} = 1/σ³, Γ_{μσ,μ} = −1/σ³, Γ_{σσ,σ} = −2/σ³; α adds −α/2 T."""
    s = POINTS[:, 1]
    first = christoffel_first(ORDINARY, POINTS, 0) * s[:, None, None, None]**3
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 1], expected[0, 1, 0], expected[1, 0, 0], expected[1, 1, 1] = 1.0, -1.0, -1.0, -2.0
    np.testing.assert_allclose(first, np.broadcast_to(expected, first.shape), atol=1e-10)
    tensor = cubic_tensor(ORDINARY, [0.0, 1.0])
    np.testing.assert_allclose(christoffel_first(ORDINARY, np.array([0.0, 1.0]), 0.6), expected - 0.3 * tensor, atol=1e-10)


def test_the_flat_symbols_vanish():
    """Γ^(1) = 0 in the chart θ, Γ^(−1) = 0 in the chart η, and Γ^(−1) = T in the chart θ."""
    M = ig.Gamma()
    theta = M.theta_from(shape=2.5, rate=0.3)
    assert not np.any(christoffel_first(M, theta, 1))
    assert not np.any(christoffel(M.dual, M.to_eta(theta), 1))
    np.testing.assert_allclose(christoffel_first(M, theta, -1), M.cubic_tensor(theta), rtol=1e-15)
    np.testing.assert_allclose(christoffel_first(M, theta, 0), 0.5 * M.cubic_tensor(theta), rtol=1e-15)


def test_a_metric_alone_has_one_connection():
    with pytest.raises(TypeError, match="has a metric and no cubic tensor"):
        christoffel(Plane(), np.array([1.0, 0.0]), 0.5)
    with pytest.raises(TypeError, match="has a metric and no cubic tensor"):
        cubic_tensor(Plane(), np.array([1.0, 0.0]))


# Curvature

@pytest.mark.parametrize("family, mean_variance",
                         [(ig.Normal(), (0.4, 2.0)), (ig.Normal(), (-30.0, 0.01)), (ig.LogNormal(), (1.0, 3.0))],
                         ids=["normal", "narrow normal", "log-normal"])
def test_normal_curvature(family, mean_variance):
    """−1/2 everywhere, and the scalar curvature −1."""
    theta = family.theta_from(**dict(zip(("mean", "variance"), mean_variance)))
    np.testing.assert_allclose(sectional_curvature(family, theta, FIRST, SECOND), -0.5, rtol=1e-6)
    np.testing.assert_allclose(scalar_curvature(family, theta), -1.0, rtol=1e-6)


def test_normal_curvature_by_differences():
    """The same −1/2 from the metric in (μ, σ), and (1 − α²) of it for the α-connections, which are not flat in this chart."""
    for alpha in 0.0, 0.5, 1.0:
        tensor = riemann_tensor(ORDINARY, POINTS, alpha)[:, 0, 1, 1, 0]
        area = np.linalg.det(ORDINARY.metric(POINTS))
        np.testing.assert_allclose(tensor / area, -0.5 * (1 - alpha**2), atol=1e-8)
    np.testing.assert_allclose(sectional_curvature(ORDINARY, POINTS, FIRST, [0.3, 1.0]), -0.5, rtol=1e-8)


def test_sphere_and_plane():
    """K = 1, Ric = G and scalar curvature 2 on the unit sphere; 0 on the plane in polar coordinates."""
    x = np.array([[0.7, 0.1], [1.5, -2.0]])
    np.testing.assert_allclose(sectional_curvature(Sphere(), x, FIRST, SECOND), 1.0, rtol=1e-8)
    np.testing.assert_allclose(ricci(Sphere(), x), Sphere().metric(x), atol=1e-8)
    np.testing.assert_allclose(scalar_curvature(Sphere(), x), 2.0, rtol=1e-8)
    np.testing.assert_allclose(sectional_curvature(Plane(), np.array([2.0, 0.3]), FIRST, SECOND), 0.0, atol=1e-8)


def test_categorical_curvature():
    """+1/4 in every plane, whatever the number of outcomes: a sphere of radius 2, of scalar curvature (k − 1)(k − 2) / 4."""
    rng = np.random.default_rng(31)
    for k in 3, 5:
        M = ig.Categorical(k)
        theta = rng.standard_normal((4, k - 1))
        u, v = rng.standard_normal((2, 4, k - 1))
        np.testing.assert_allclose(sectional_curvature(M, theta, u, v), 0.25, rtol=1e-9)
        np.testing.assert_allclose(scalar_curvature(M, theta), 0.25 * (k - 1) * (k - 2), rtol=1e-10)


def test_inverse_gaussian_curvature():
    M = ig.InverseGaussian()
    theta = M.theta_from(mean=np.array([0.3, 7.0]), shape=np.array([2.0, 0.4]))
    np.testing.assert_allclose(sectional_curvature(M, theta, FIRST, SECOND), -0.5, rtol=1e-9)


def test_gamma_curvature():
    """K(a) = (a ψ₂(a) + ψ₁(a)) / (4 (a ψ₁(a) − 1)²): −0.456303691440 at a = 1, −1/4 and −1/2 in the limits."""
    M, a = ig.Gamma(), np.array([1.0, 0.02, 0.5, 7.0, 60.0])
    K = sectional_curvature(M, M.theta_from(shape=a, rate=3.0), FIRST, SECOND)
    np.testing.assert_allclose(K, (a * polygamma(2, a) + polygamma(1, a)) / (4 * (a * polygamma(1, a) - 1)**2), rtol=1e-9)
    np.testing.assert_allclose(K[0], -0.456303691440, rtol=1e-11)
    ends = sectional_curvature(M, M.theta_from(shape=[1e-6, 1e4], rate=1.0), FIRST, SECOND)
    np.testing.assert_allclose(ends, [-0.25, -0.5], atol=1e-4)


def test_beta_and_dirichlet_curvature():
    """Beta: −0.389403045225 at (1, 1). Dirichlet: negative in every plane."""
    M = ig.Beta()
    K = sectional_curvature(M, M.theta_from(alpha=1.0, beta=1.0), FIRST, SECOND)
    np.testing.assert_allclose(K, -0.389403045225, rtol=1e-11)
    D, rng = ig.Dirichlet(4), np.random.default_rng(32)
    theta = D.theta_from(concentration=rng.gamma(1.0, 2.0, (50, 4)) + 0.1)
    K = sectional_curvature(D, theta, *rng.standard_normal((2, 50, 4)))
    assert np.all(K < 0) and np.all(K > -0.5)


def test_multivariate_normal_curvature():
    """At the standard normal of the plane: (μ₁, μ₂) +1/4, (μ₁, Σ₁₁) −1/2, (μ₁, Σ₁₂) −1/4, (Σ₁₁, Σ₁₂) −1/2, (Σ₁₁, Σ₂₂) 0."""
    M = ig.MultivariateNormal(2)
    theta = M.theta_from(mean=[0.0, 0.0], covariance=np.eye(2))
    second = {"11": ig.pack(np.array([[1.0, 0.0], [0.0, 0.0]])), "22": ig.pack(np.array([[0.0, 0.0], [0.0, 1.0]])),
              "12": ig.pack(np.array([[0.0, 1.0], [1.0, 0.0]]))}
    vector = {name: np.concatenate([np.zeros(2), entry]) for name, entry in second.items()}
    vector |= {"1": np.eye(5)[0], "2": np.eye(5)[1]}            # at a mean of 0 the directions of μ and Σ are those of η
    for plane, K in {("1", "2"): 0.25, ("1", "11"): -0.5, ("1", "12"): -0.25, ("11", "12"): -0.5, ("11", "22"): 0.0}.items():
        u, v = (M.sharp(theta, vector[name]) for name in plane)
        np.testing.assert_allclose(sectional_curvature(M, theta, u, v), K, atol=1e-14)


def test_dependent_vectors_span_no_plane():
    assert np.isnan(sectional_curvature(ig.Normal(), ig.Normal().theta_from(mean=0.0, variance=1.0), FIRST, 2 * FIRST))


# Derivatives and transport

def test_covariant_derivative_of_a_constant_field():
    """In the plane, the field ∂_x in polar coordinates (cos φ, −sin φ / r) is parallel."""
    def field(x):
        return np.stack([np.cos(x[..., 1]), -np.sin(x[..., 1]) / x[..., 0]], axis=-1)

    x, u = np.array([[1.0, 0.3], [5.0, 2.0]]), np.array([[1.0, 2.0], [-3.0, 0.5]])
    np.testing.assert_allclose(covariant_derivative(Plane(), x, u, field, 0), 0.0, atol=1e-9)
    assert np.all(np.abs(covariant_derivative(Plane(), x, u, lambda x: np.ones_like(x), 0)) > 1e-3)


def test_transport_around_a_circle_of_latitude():
    """On the unit sphere a vector turns by 2π cos ϑ; a quarter of the circle turns it by a quarter of that."""
    angle = 1.1
    start = np.array([1.0, 0.0])

    def curve(t):
        return np.stack([angle + 0.0 * t, 0.5 * np.pi * t], axis=-1)

    turn = 0.5 * np.pi * np.cos(angle)
    moved = parallel_transport(Sphere(), curve, start, 0)
    np.testing.assert_allclose(moved, [np.cos(turn), -np.sin(turn) / np.sin(angle)], rtol=1e-10)


def test_transport_of_the_flat_connections():
    """α = 1 keeps the components in θ, α = −1 those in η; from within, 1 − 1e-12 gives the same by integration."""
    M = ig.Dirichlet(3)
    p, q = M.theta_from(concentration=[[1.0, 2.0, 3.0], [4.0, 0.5, 1.0]])
    v = np.array([[0.3, -0.2, 1.0], [1.0, 0.0, 0.0]])

    def curve(t):
        return m_geodesic(M, p, q, t)

    np.testing.assert_array_equal(parallel_transport(M, curve, v, 1), v)
    in_eta = parallel_transport(M, curve, v, -1)
    np.testing.assert_allclose(M.flat(q, in_eta), M.flat(p, v), rtol=1e-12)
    for flat in 1, -1:
        np.testing.assert_allclose(parallel_transport(M, curve, v, flat * (1 - 1e-12)), parallel_transport(M, curve, v, flat),
                                   rtol=1e-8, atol=1e-8)


def test_a_rough_curve_is_refused():
    M = ig.Normal()
    with pytest.raises(ig.ConvergenceError, match="32 pieces of 12 nodes are too few in 1 of 1 rows"):
        parallel_transport(M, lambda t: np.stack([np.abs(t - 0.4), -1.0 - t], axis=-1), np.array([1.0, 0.0]), 0)


@pytest.mark.parametrize("v", [[1.0], [[1.0], [2.0]]], ids=("one", "batch"))
def test_a_curve_of_another_shape_is_named(v):
    with pytest.raises(ig.ShapeError, match=r"curve must map times of shape \(n, 1, …, 1\) to points \(n, ..., 1\); got"):
        parallel_transport(ig.Exponential(), lambda t: -1.0 - t, v, 0)
