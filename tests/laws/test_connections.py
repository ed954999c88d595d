"""The α- and −α-connections are dual to each other, and R^(α) = (1 − α²) R^(0) has the symmetries of a curvature."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.connections.connection import christoffel, christoffel_first, covariant_derivative, parallel_transport
from infogeo.geometry.connections.curvature_tensor import ricci, riemann_tensor, scalar_curvature, sectional_curvature
from infogeo.geometry.connections.geodesic import e_geodesic
from infogeo.testing import derived
from infogeo.testing.calculus import condition, derivative, frame, in_frame

from ..registry import MIRROR_MAPS, PRIMAL, every_manifold_once, is_slow, region

QUICK = {name: M for name, M in PRIMAL.items() if not is_slow(M)}
every_quick_primal = pytest.mark.parametrize("M", QUICK.values(), ids=QUICK)
ALPHAS = -0.7, 0.0, 0.4


def point(M, seed=61):
    return region(M).sample(np.random.default_rng(seed), (2,), 0.5)


@every_manifold_once
def test_symbols_of_dual_connections_add_up_to_the_derivative_of_the_metric(M):
    """∂_i G_jk = Γ^(α)_{ij,k} + Γ^(−α)_{ik,j}, in an orthonormal frame."""
    theta = point(M)
    rows = frame(M, theta)
    change = in_frame(rows, np.moveaxis(M.metric_derivative(theta), -1, -3))
    rounding = 1e-13 * condition(M, theta)[:, None, None, None] * (1 + np.abs(change).max())
    for alpha in ALPHAS:
        one, other = (in_frame(rows, christoffel_first(M, theta, a)) for a in (alpha, -alpha))
        assert np.all(np.abs(one + np.swapaxes(other, -1, -2) - change) <= rounding)
        second = christoffel(M, theta, alpha) @ M.metric(theta)[:, None, :, :]
        assert np.all(np.abs(in_frame(rows, second) - one) <= rounding)


@every_quick_primal
def test_metric_derivative_is_that_of_differences(M):
    theta = point(M)
    rows = frame(M, theta)
    numeric = in_frame(rows, derived(ig.Riemannian, "metric_derivative")(M, theta))
    exact = in_frame(rows, M.metric_derivative(theta))
    assert np.all(np.abs(numeric - exact) <= 1e-8 * (1 + np.abs(exact).max()) + 1e-13 * condition(M, theta)[:, None, None, None])


@every_quick_primal
def test_dual_connections(M):
    """X⟨Y, Z⟩ = ⟨∇^(α)_X Y, Z⟩ + ⟨Y, ∇^(−α)_X Z⟩ for fields that are linear in the chart."""
    theta = point(M)
    rows, rng = frame(M, theta)[0], np.random.default_rng(62)
    u = rows[0]
    coefficients = 0.3 * rng.standard_normal((2, M.dim, M.dim))

    def field(k):
        constant, slope = rows.sum(axis=0) * (1 - k) + rows[-1] * k, np.linalg.inv(rows).T @ coefficients[k] @ rows
        return lambda x: constant + (x - theta[0]) @ slope

    Y, Z = field(0), field(1)
    change = derivative(lambda x: M.inner(x, Y(x), Z(x)), theta[0], u[None])[0]
    for alpha in ALPHAS:
        DY, DZ = covariant_derivative(M, theta[0], u, Y, alpha), covariant_derivative(M, theta[0], u, Z, -alpha)
        total = M.inner(theta[0], DY, Z(theta[0])) + M.inner(theta[0], Y(theta[0]), DZ)
        assert np.isclose(total, change, rtol=1e-7, atol=1e-8 * (1 + M.norm(theta[0], DY)))


@every_quick_primal
def test_dual_transports_keep_the_inner_product(M):
    """⟨P^(α) u, P^(−α) v⟩ at the end is ⟨u, v⟩ at the start, along the e-geodesic."""
    p, q = point(M), point(M, 63)
    q = p + (q - p) / np.maximum(1.0, np.maximum(M.norm(p, q - p), M.norm(q, q - p)))[:, None]
    u, v = frame(M, p)[:, 0, :], frame(M, p).sum(axis=1)

    def curve(t):
        return e_geodesic(M, p, q, t)

    for alpha in (*ALPHAS, 1.0):
        one, other = parallel_transport(M, curve, u, alpha), parallel_transport(M, curve, v, -alpha)
        assert np.allclose(M.inner(q, one, other), M.inner(p, u, v), rtol=0, atol=1e-7 * M.norm(q, one) * M.norm(q, other))
        assert np.allclose(M.norm(q, parallel_transport(M, curve, u, 0)), 1.0, rtol=1e-7)


@every_manifold_once
def test_symmetries_of_the_curvature(M):
    """R_ijkl = −R_jikl = −R_ijlk = R_klij, R_ijkl + R_jkil + R_kijl = 0; R^(±1) = 0 and R^(α) = (1 − α²) R^(0)."""
    theta = point(M)
    R = riemann_tensor(M, theta)
    rows = frame(M, theta)
    R = np.einsum("...ai,...bj,...ck,...dl,...ijkl->...abcd", rows, rows, rows, rows, R, optimize=True)
    size = 1 + np.abs(in_frame(rows, M.cubic_tensor(theta))).max()
    rounding = 1e-13 * condition(M, theta)[:, None, None, None, None] * size**2
    for other in (-np.moveaxis(R, 1, 2), -np.swapaxes(R, 3, 4), np.moveaxis(R, (3, 4), (1, 2))):
        assert np.all(np.abs(R - other) <= rounding)
    assert np.all(np.abs(R + np.moveaxis(R, 1, 3) + np.moveaxis(R, 3, 1)) <= rounding)
    assert not np.any(riemann_tensor(M, theta, 1)) and not np.any(riemann_tensor(M, theta, -1))
    assert np.allclose(riemann_tensor(M, theta, 0.6), 0.64 * riemann_tensor(M, theta), rtol=1e-12)
    ricci_in_frame = np.einsum("...abca->...bc", np.moveaxis(R, 4, 4))
    own = rows @ ricci(M, theta) @ np.swapaxes(rows, -1, -2)
    assert np.all(np.abs(own - ricci_in_frame) <= rounding[..., 0, 0] * M.dim)
    assert np.allclose(scalar_curvature(M, theta), np.trace(ricci_in_frame, axis1=-2, axis2=-1), atol=rounding.max() * M.dim**2)


QUICK_PLANES = {name: M for name, M in QUICK.items() if M.dim == 2 and name not in MIRROR_MAPS}


@pytest.mark.parametrize("M", QUICK_PLANES.values(), ids=QUICK_PLANES)
def test_curvature_is_that_of_the_metric(M):
    """The algebraic form equals the derivatives of the Christoffel symbols of the metric alone, and that of the dual chart."""
    class Metric(ig.Riemannian):
        dim, domain = M.dim, M.domain

        def metric(self, x):
            return M.metric(x)

    theta, (one, two) = point(M), np.eye(2)
    K = sectional_curvature(M, theta, one, two)
    assert np.allclose(sectional_curvature(Metric(), theta, one, two), K, rtol=1e-6, atol=1e-6)
    assert np.allclose(sectional_curvature(M.dual, M.to_eta(theta), one, two), K, rtol=1e-7, atol=1e-9)


SOME = {name: PRIMAL[name] for name in ("Normal", "Dirichlet(3)", "MultivariateNormal(2)")}


@pytest.mark.parametrize("M", SOME.values(), ids=SOME)
def test_every_backend(M, backend):
    theta, rng = point(M), np.random.default_rng(64)
    u, v = rng.standard_normal((2, 2, M.dim))
    q = theta + 0.2 * u / M.norm(theta, u)[:, None]
    for f, arrays in (lambda x: christoffel(M, x, 0.3), (theta,)), (lambda x: riemann_tensor(M, x, 0.3), (theta,)), \
                     (lambda x: ricci(M, x), (theta,)), (lambda x: scalar_curvature(M, x), (theta,)), \
                     (lambda *x: sectional_curvature(M, *x), (theta, u, v)), \
                     (lambda x, u: covariant_derivative(M, x, u, lambda y: y * y, 0.3), (theta, u)), \
                     (lambda p, q, v: parallel_transport(M, lambda t: e_geodesic(M, p, q, t), v, 0.3), (theta, q, v)):
        expected = f(*arrays)
        own = backend.check(f(*map(backend.make, arrays)))
        assert np.allclose(own, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())
        if backend.name == "numpy":
            assert f(*(x.astype(np.float32) for x in arrays)).dtype == np.float32
