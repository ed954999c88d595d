"""The derived methods of the base classes, on manifolds that give only what they must."""
import numpy as np
import pytest

import infogeo as ig


class Cosh(ig.DuallyFlat):
    """ψ = Σ log cosh θ_i: η = tanh θ in (−1, 1), with the contract and nothing more."""

    dim = 2
    theta_domain = ig.domains.RealSpace(2)
    eta_domain = ig.domains.MappedDomain(ig.domains.RealSpace(2), lambda xp, z: xp.tanh(z),
                                         lambda xp, eta: xp.all(abs(eta) < 1, axis=-1), lambda name: f"-1 < {name} < 1")

    def potential(self, theta):
        return np.sum(np.logaddexp(theta, -np.asarray(theta)) - np.log(2.0), axis=-1)

    def to_eta(self, theta):
        return np.tanh(theta)

    def metric(self, theta):
        return np.eye(2) * (1 / np.cosh(theta)**2)[..., None]

    def cubic_tensor(self, theta):
        eye = np.eye(2)
        return eye[:, :, None] * eye[:, None, :] * (-2 * np.tanh(theta) / np.cosh(theta)**2)[..., None, None]


class Polar(ig.Riemannian):
    """The plane in polar coordinates: only a metric, diag(1, r²)."""

    dim = 2

    def metric(self, x):
        return np.eye(2) * np.stack([np.ones_like(x[..., 0]), x[..., 0]**2], axis=-1)[..., None]


THETA = np.array([[0.3, -1.0], [2.0, 0.0], [-4.0, 3.0]])


def test_numeric_inversion():
    """to_theta by damped Newton is artanh."""
    eta = np.tanh(THETA)
    np.testing.assert_allclose(Cosh().to_theta(eta), THETA, rtol=1e-10, atol=1e-14)


def test_numeric_inversion_leaves_outside_points_nan():
    theta = Cosh().to_theta(np.array([[0.5, 0.5], [1.5, 0.0]]))
    np.testing.assert_allclose(theta[0], np.arctanh([0.5, 0.5]), rtol=1e-12)
    assert np.all(np.isnan(theta[1]))


def test_derived_dual():
    """φ = Σ η artanh η + ½ log(1 − η²), its metric 1/(1 − η²), its third derivative 2η/(1 − η²)²."""
    M, eta = Cosh(), np.tanh(THETA[:2])
    np.testing.assert_allclose(M.dual_potential(eta), np.sum(eta * np.arctanh(eta) + 0.5 * np.log1p(-eta**2), axis=-1),
                               rtol=1e-10)
    np.testing.assert_allclose(M.dual_metric(eta), np.eye(2) * (1 / (1 - eta**2))[..., None], rtol=1e-10)
    third = M.dual_cubic_tensor(eta)
    np.testing.assert_allclose(third[:, 0, 0, 0], (2 * eta / (1 - eta**2)**2)[:, 0], rtol=1e-9)
    np.testing.assert_allclose(third[:, 1, 1, 1], (2 * eta / (1 - eta**2)**2)[:, 1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(M.dual.metric(eta), M.dual_metric(eta), rtol=1e-15)
    assert M.dual.dual is M and M.dual is M.dual


def test_dual_moves_indices_the_other_way():
    M, v = Cosh(), np.array([1.0, -2.0])
    eta = np.tanh(THETA)
    np.testing.assert_allclose(M.dual.sharp(eta, v), M.flat(THETA, v), rtol=1e-8)
    np.testing.assert_allclose(M.dual.flat(eta, v), M.sharp(THETA, v), rtol=1e-8)


def test_riemannian_with_only_a_metric():
    """In polar coordinates at r = 2: ⟨∂_φ, ∂_φ⟩ = 4; raising divides by it."""
    M, x = Polar(), np.array([2.0, 0.7])
    np.testing.assert_allclose(M.flat(x, [1.0, 1.0]), [1.0, 4.0], rtol=1e-15)
    np.testing.assert_allclose(M.sharp(x, [1.0, 1.0]), [1.0, 0.25], rtol=1e-15)
    np.testing.assert_allclose(M.norm(x, [0.0, 1.0]), 2.0, rtol=1e-15)
    np.testing.assert_allclose(M.inner(x, [1.0, 1.0], [2.0, 3.0]), 14.0, rtol=1e-15)
    assert M.domain == ig.domains.RealSpace(2)


def test_natural_gradient_on_it_runs_straight_to_the_minimum():
    """The squared distance to (1, 0) in polar coordinates: the flow in the chart is the straight line of the plane."""
    class Distance:
        def value_and_gradient(self, x):
            r, phi = x[..., 0], x[..., 1]
            return 0.5 * (r**2 - 2 * r * np.cos(phi) + 1), np.stack([r - np.cos(phi), r * np.sin(phi)], axis=-1)

    t = np.linspace(0.0, 2.0, 5)
    path = ig.flow(Distance(), [2.0, 1.0], geometry=Polar(), update=ig.NaturalUpdate(), times=t).path
    plane = np.stack([path[:, 0] * np.cos(path[:, 1]), path[:, 0] * np.sin(path[:, 1])], axis=-1)
    start = np.array([2 * np.cos(1.0), 2 * np.sin(1.0)])
    np.testing.assert_allclose(plane, [1.0, 0.0] + np.exp(-t)[:, None] * (start - [1.0, 0.0]), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("bad", [1.0, [1.0], [1.0, 2.0, 3.0], np.ones((2, 1))])
def test_shapes_are_checked(bad):
    with pytest.raises(ig.ShapeError, match=r"takes arrays of shape \(\.\.\., 2\); got"):
        ig.Euclidean(2).potential(bad)
