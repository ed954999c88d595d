"""Curved families: induced metric, score, statistical curvature of known curves, natural-gradient steps, errors."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.domains.convex import Orthant
from infogeo.domains.supports import Interval
from infogeo.families.product import Independent
from infogeo.statistics.curved import Curved, Embedding
from infogeo.testing.calculus import derivative


def circle(radius):
    """Means on a circle, covariance I: curvature 1 / radius."""
    family = ig.MultivariateNormal(2)
    rest = [-0.5, 0.0, -0.5]                       # the packed −½ I
    zeros = lambda u: np.zeros((*u.shape[:-1], 3))
    point = lambda u: radius * np.stack([np.cos(u[..., 0]), np.sin(u[..., 0])], axis=-1)
    turned = lambda u: radius * np.stack([-np.sin(u[..., 0]), np.cos(u[..., 0])], axis=-1)
    return Curved(family, Embedding(
        1, lambda u: np.concatenate([point(u), zeros(u) + rest], axis=-1),
        lambda u: np.concatenate([turned(u), zeros(u)], axis=-1)[..., None],
        lambda u: np.concatenate([-point(u), zeros(u)], axis=-1)[..., None, None]))


def coefficient_of_variation(c):
    """N(u, c u²), u > 0: θ = (1 / (c u), −1 / (2 c u²))."""
    column = lambda a, b: np.stack([a, b], axis=-1)
    return Curved(ig.Normal(), Embedding(
        1, lambda u: column(1 / (c * u[..., 0]), -0.5 / (c * u[..., 0] ** 2)),
        lambda u: column(-1 / (c * u[..., 0] ** 2), 1 / (c * u[..., 0] ** 3))[..., None],
        lambda u: column(2 / (c * u[..., 0] ** 3), -3 / (c * u[..., 0] ** 4))[..., None, None],
        domain=Orthant(1)))


@pytest.mark.parametrize("radius", [0.1, 1.0, 30.0])
def test_curvature_of_a_circle(radius):
    u = np.linspace(0.0, 6.0, 7)[:, None]
    np.testing.assert_allclose(circle(radius).statistical_curvature(u), 1 / radius, rtol=1e-12)
    np.testing.assert_allclose(circle(radius).metric(u)[:, 0, 0], radius**2, rtol=1e-12)


@pytest.mark.parametrize("c", [0.1, 1.0, 5.0])
def test_curvature_of_a_constant_coefficient_of_variation(c):
    """Information (1 + 2c) / (c u²) and γ² = 2 c² / (1 + 2c)³ (from the second derivative of η along θ, by hand)."""
    curve, u = coefficient_of_variation(c), np.array([[0.3], [1.0], [7.0]])
    np.testing.assert_allclose(curve.metric(u)[:, 0, 0], (1 + 2 * c) / (c * u[:, 0] ** 2), rtol=1e-12)
    np.testing.assert_allclose(curve.statistical_curvature(u) ** 2, np.full(3, 2 * c**2 / (1 + 2 * c) ** 3), rtol=1e-10)


def test_a_straight_line_has_no_curvature():
    """In any parameter: θ = a + (u + u³) b."""
    a, b = np.array([0.3, -1.0]), np.array([0.5, 0.2])
    curve = Curved(ig.Normal(), Embedding(1, lambda u: a + (u + u**3) * b, lambda u: ((1 + 3 * u**2) * b)[..., None],
                                          lambda u: (6 * u * b)[..., None, None]))
    assert np.all(curve.statistical_curvature(np.array([[-0.5], [0.0], [0.7]])) < 1e-13)


def test_metric_is_the_covariance_of_the_score():
    curve, u = coefficient_of_variation(0.5), np.array([1.5])
    x = curve.sample(np.random.default_rng(0), u, 200000)
    score = curve.score(u, x)
    information = curve.metric(u)[0, 0]
    assert np.abs(score.mean()) <= 5 * np.sqrt(information / 200000)
    np.testing.assert_allclose(score.var(), information, rtol=0.03)
    numeric = derivative(lambda v: curve.log_density(v, x[:50]), u, np.eye(1))
    np.testing.assert_allclose(numeric.ravel(), score[:50].ravel(), rtol=1e-8, atol=1e-8)


def test_kl_is_that_of_the_family():
    curve = coefficient_of_variation(2.0)
    p, q = np.array([1.0]), np.array([1.0 + 1e-9])
    np.testing.assert_allclose(curve.kl(p, q), 0.5 * curve.metric(p)[0, 0] * (q - p)[0] ** 2, rtol=1e-6)
    np.testing.assert_allclose(curve.kl([1.0], [3.0]), ig.Normal().kl(curve.to_theta([1.0]), curve.to_theta([3.0])), rtol=1e-14)


def test_two_parameters():
    """Two independent Poissons with log rates (u₀, u₀ + u₁): the metric is Jᵀ diag(rates) J."""
    family, J = Independent(ig.Poisson(), 2), np.array([[1.0, 0.0], [1.0, 1.0]])
    curve = Curved(family, Embedding(2, lambda u: u @ J.T, lambda u: J, lambda u: np.zeros((2, 2, 2))))
    u = np.array([[0.3, -0.5], [1.0, 2.0]])
    rates = np.exp(u @ J.T)
    expected = np.swapaxes(J, 0, 1) @ (rates[..., None] * J)
    np.testing.assert_allclose(curve.metric(u), expected, rtol=1e-13)
    c = np.array([1.0, -2.0])
    np.testing.assert_allclose(curve.sharp(u, c), np.linalg.solve(expected, np.broadcast_to(c, (2, 2))[..., None])[..., 0],
                               rtol=1e-12)
    with pytest.raises(ig.ShapeError, match="the embedding has 2"):
        curve.statistical_curvature(u)


def test_fisher_scoring_by_the_solver_loop():
    """Natural-gradient steps of length 1 along the curve find the root of the mean score."""
    curve = coefficient_of_variation(0.5)
    x = curve.sample(np.random.default_rng(1), np.array([2.0]), 4000)

    class Likelihood(ig.Objective):
        def value_and_gradient(self, u):
            return -np.mean(curve.log_density(u, x)), -np.mean(curve.score(u, x), axis=0)

    result = ig.descend(Likelihood(), np.array([1.0]), geometry=curve, update=ig.NaturalUpdate(), step=ig.Constant(1.0),
                        max_steps=30)
    assert np.abs(np.mean(curve.score(result.x, x))) < 1e-10
    assert np.abs(result.x[0] - 2.0) <= 5 / np.sqrt(4000 * curve.metric([2.0])[0, 0])
    assert curve.domain == Orthant(1)


def test_errors():
    with pytest.raises(TypeError, match="Curved takes an ExponentialFamily as its argument family"):
        Curved(ig.Euclidean(2), circle(1.0).embedding)
    with pytest.raises(TypeError, match="Interval lacks dim, value, jacobian, second"):
        Curved(ig.Normal(), Interval())
    wrong = Curved(ig.Normal(), Embedding(1, lambda u: u, lambda u: u, lambda u: u))
    with pytest.raises(ig.ShapeError, match=r"embedding.value must return shape \(..., 2\); got \(1,\)"):
        wrong.to_theta([0.5])
