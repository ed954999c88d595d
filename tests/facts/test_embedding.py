"""How curved families bend: known curves, and what their bends do to the maximum-likelihood estimate, by exact moments."""
import numpy as np
import pytest
from scipy import integrate, special, stats

import infogeo as ig
from infogeo.statistics import Curved, Embedding
from infogeo.statistics.embedding_curvature import (e_embedding_curvature, embedding_curvature, information_loss,
                                                    m_embedding_curvature, second_order_bias, second_order_covariance)
from infogeo.testing.calculus import derivative

from ..backends import every_dtype
from .test_curved import circle, coefficient_of_variation

U = np.array([[0.3], [1.0], [2.5]])


def sphere(radius):
    """Means on a sphere in R³ at longitude u₀ and latitude u₁, covariance I."""
    def place(u, i, j):
        """∂^i/∂u₀^i ∂^j/∂u₁^j of the mean: every derivative turns its angle by a quarter."""
        a, b = u[..., 0] + i * np.pi / 2, u[..., 1] + j * np.pi / 2
        up = np.sin(b) if i == 0 else 0.0 * b
        return radius * np.stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), up], axis=-1)

    family = ig.MultivariateNormalKnownCovariance(np.eye(3))
    second = lambda u: np.stack([np.stack([place(u, 2 - b - a, a + b) for b in range(2)], axis=-1) for a in range(2)], axis=-2)
    return Curved(family, Embedding(2, lambda u: place(u, 0, 0),
                                    lambda u: np.stack([place(u, 1, 0), place(u, 0, 1)], axis=-1), second))


def mixture_line():
    """A straight line of probabilities of three outcomes, in the chart θ: η = a + u b."""
    family, a, b = ig.Categorical(3), np.array([0.3, 0.2]), np.array([0.1, -0.15])
    eta = lambda u: a + u * b
    theta = lambda u: family.to_theta(eta(u))
    first = lambda u: family.dual_flat(eta(u), b)
    second = lambda u: np.sum(family.dual_cubic_tensor(eta(u)) * b[:, None] * b, axis=(-2, -1))
    return Curved(family, Embedding(1, theta, lambda u: first(u)[..., None], lambda u: second(u)[..., None, None]))


def moved(curve, map_, first, second):
    """The same curve with u = map(v), and the derivatives of the map."""
    one = lambda v: first(v)[..., None]
    return Curved(curve.family, Embedding(
        1, lambda v: curve.to_theta(map_(v)), lambda v: curve.jacobian(map_(v)) * one(v),
        lambda v: curve.second(map_(v)) * one(v)[..., None]**2 + curve.jacobian(map_(v))[..., None] * second(v)[..., None, None]))


def test_circle():
    """Radius r: the e-embedding curvature is the vector −r (cos u, sin u), and the loss γ² g = (1/r²) r² = 1."""
    curve = circle(2.0)
    normal = e_embedding_curvature(curve, U)[..., 0, 0]
    np.testing.assert_allclose(normal[:, :2], -2.0 * np.concatenate([np.cos(U), np.sin(U)], axis=-1), atol=1e-14)
    np.testing.assert_allclose(information_loss(curve, U), np.ones((3, 1, 1)), rtol=1e-13)


def test_sphere():
    """Umbilic: H_ab = −g_ab x / r², so (H²)_ab = g_ab / r²; the mean curvature of all α is the same, as T vanishes."""
    surface, u = sphere(3.0), np.array([[0.4, 0.3], [2.0, -1.0]])
    metric, x = surface.metric(u), surface.to_theta(u)
    expected = -metric[:, None] * x[:, :, None, None] / 9.0
    for alpha in (-1.0, 0.0, 0.3, 1.0):
        np.testing.assert_allclose(embedding_curvature(surface, u, alpha), expected, atol=1e-13)
    np.testing.assert_allclose(information_loss(surface, u), metric / 9.0, atol=1e-14)


def test_loss_of_one_parameter_is_efrons():
    """γ² g; and it is a tensor: (du/dv)² times as large in another parameter v."""
    curve = coefficient_of_variation(0.5)
    expected = (curve.statistical_curvature(U)**2 * curve.metric(U)[:, 0, 0])[:, None, None]
    np.testing.assert_allclose(information_loss(curve, U), expected, rtol=1e-12)
    other = moved(curve, np.exp, np.exp, np.exp)
    np.testing.assert_allclose(information_loss(other, np.log(U)), expected * U[..., None]**2, rtol=1e-12)


def test_flat_families():
    """A line of θ has no e-curvature, a line of η no m-curvature, each has the other one; all of a family has none."""
    line = moved(Curved(ig.Normal(), Embedding(1, lambda u: np.array([0.3, -1.0]) + u * np.array([0.5, 0.2]),
                                               lambda u: np.array([[0.5], [0.2]]), lambda u: np.zeros((2, 1, 1)))),
                 lambda v: v + v**3, lambda v: 1 + 3 * v**2, lambda v: 6 * v)
    v = np.array([[-0.5], [0.2], [0.7]])
    assert np.abs(e_embedding_curvature(line, v)).max() < 1e-14
    assert np.abs(m_embedding_curvature(line, v)).max() > 0.01
    mixture = mixture_line()
    assert np.abs(m_embedding_curvature(mixture, v)).max() < 1e-14
    assert np.abs(e_embedding_curvature(mixture, v)).max() > 0.01
    theta = np.array([1.0, -2.0])
    for alpha in (-1.0, 0.0, 1.0):
        assert np.abs(embedding_curvature(ig.Gamma(), theta, alpha)).max() < 1e-13
    assert np.abs(information_loss(ig.Gamma(), theta)).max() == 0.0


def test_curvatures_are_normal_and_average():
    """H^{(α)} is orthogonal to the curve and affine in α."""
    curve, u = coefficient_of_variation(2.0), U
    e, m = e_embedding_curvature(curve, u), m_embedding_curvature(curve, u)
    np.testing.assert_allclose(embedding_curvature(curve, u, 0.5), 0.75 * e + 0.25 * m, rtol=1e-11)
    theta = curve.to_theta(u)
    for normal in (e[..., 0, 0], m[..., 0, 0]):
        inner = curve.family.inner(theta, normal, curve.jacobian(u)[..., 0])
        assert np.all(np.abs(inner) < 1e-13 * curve.family.norm(theta, normal) * np.sqrt(curve.metric(u)[..., 0, 0]))


def test_bias_of_a_rate():
    """θ̂ = −n/S of exponentials: E = θ n/(n − 1), variance of the unbiased θ̂ (n − 1)/n: θ²/(n − 2) = θ² (1/n + 2/n² + …)."""
    theta = np.array([[-3.0], [-0.1]])
    np.testing.assert_allclose(second_order_bias(ig.Exponential(), theta), theta, rtol=1e-13)
    np.testing.assert_allclose(second_order_covariance(ig.Exponential(), theta)[..., 0], 2 * theta**2, rtol=1e-13)


def test_bias_in_a_family_is_the_contraction_of_its_cubic_tensor():
    """−½ G⁻¹ (T : G⁻¹), written out by sums."""
    family = ig.MultivariateNormal(2)
    theta = family.theta_domain.sample(np.random.default_rng(0), 5)
    inverse = np.linalg.inv(family.metric(theta))
    expected = -0.5 * np.einsum("nij,njkl,nkl->ni", inverse, family.cubic_tensor(theta), inverse)
    np.testing.assert_allclose(second_order_bias(family, theta), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rate", [2.0, 5.0])
def test_bias_by_enumeration(rate):
    """log(X/n) of n Poisson counts: exact means over X; what the first term leaves is 4 times less with n twice as large."""
    family, theta = ig.Poisson(), np.array([np.log(rate)])
    left = []
    for n in (50, 100, 200):
        x = np.arange(1, 4 * int(n * rate))                  # X = 0 has probability e^{−100} or less
        mean = np.sum(stats.poisson.pmf(x, n * rate) * (np.log(x / n) - theta))
        np.testing.assert_allclose(mean, second_order_bias(family, theta)[0] / n, rtol=2 / (n * rate))
        left.append(mean - second_order_bias(family, theta)[0] / n)
    np.testing.assert_allclose(np.array(left[:-1]) / left[1:], 4.0, rtol=0.05)


def test_covariance_by_enumeration():
    """Of log(X/n) less its estimated bias −1/(2X): 1/(nλ) + ½ Γ² / n² with Γ² = 1/λ²; what is left falls as n⁻³."""
    rate, family, left = 3.0, ig.Poisson(), []
    theta = np.array([np.log(rate)])
    for n in (50, 100, 200):
        x = np.arange(1, 4 * int(n * rate))
        weight = stats.poisson.pmf(x, n * rate)
        estimate = np.log(x / n) + 0.5 / x
        variance = np.sum(weight * estimate**2) - np.sum(weight * estimate)**2
        left.append(variance - 1 / (n * rate) - second_order_covariance(family, theta)[0, 0] / n**2)
    np.testing.assert_allclose(second_order_covariance(family, theta)[0, 0], 0.5 / rate**2, rtol=1e-13)
    np.testing.assert_allclose(np.array(left[:-1]) / left[1:], 8.0, rtol=0.1)


def test_unbiased_and_biased_coordinates_of_one_curve():
    """Hardy–Weinberg genotypes with allele frequency u: û = counts / 2n is unbiased, logit û has the bias ½ logit''(u) Var û."""
    family = ig.Categorical(3)
    weights = np.array([2.0, 1.0])                           # genotypes aa, ab, bb: θ = (2v, v + log 2) with v = logit u
    curve = Curved(family, Embedding(1, lambda v: v * weights + np.array([0.0, np.log(2.0)]), lambda v: weights[:, None],
                                     lambda v: np.zeros((2, 1, 1))))
    u = np.array([[0.1], [0.5], [0.8]])
    expected = 0.5 * (2 * u - 1) / (u * (1 - u))**2 * u * (1 - u) / 2
    np.testing.assert_allclose(second_order_bias(curve, special.logit(u)), expected, rtol=1e-12, atol=1e-14)
    same = moved(curve, special.logit, lambda u: 1 / (u * (1 - u)), lambda u: (2 * u - 1) / (u * (1 - u))**2)
    assert np.abs(second_order_bias(same, u)).max() < 1e-14


def coefficient_estimate(eta, c):
    """The maximum-likelihood estimate of u > 0 in N(u, c u²) from the means of x and x²: the root of c u² + x̄ u = mean of x²."""
    return (-eta[..., 0] + np.sqrt(eta[..., 0]**2 + 4 * c * eta[..., 1])) / (2 * c)


@pytest.mark.parametrize("c", [0.5, 2.0])
def test_bias_of_a_curved_family(c):
    """The estimate as a function of the mean statistic: bias ½ ∂²û/∂η∂η : Cov(T), by differences."""
    curve, u = coefficient_of_variation(c), np.array([1.3])
    theta = curve.to_theta(u)
    eta, directions = curve.family.to_eta(theta), np.eye(2)
    np.testing.assert_allclose(coefficient_estimate(eta, c), u[0], rtol=1e-13)
    gradient = lambda at: derivative(lambda v: coefficient_estimate(v, c), at[..., None, :], directions)
    second = np.stack([(gradient(eta + 1e-4 * e) - gradient(eta - 1e-4 * e)).reshape(2) / 2e-4 for e in directions])
    expected = 0.5 * np.sum(second * curve.family.metric(theta))
    np.testing.assert_allclose(second_order_bias(curve, u), [expected], rtol=1e-6)


def test_bias_of_a_curved_family_by_simulation():
    """200 000 samples of 40: five standard errors, with the term of the next order beside them."""
    curve, u, n = coefficient_of_variation(0.5), np.array([1.3]), 40
    x = curve.sample(np.random.default_rng(0), u, (200000, n))
    estimates = coefficient_estimate(np.stack([x.mean(axis=1), (x**2).mean(axis=1)], axis=-1), 0.5)
    bias = second_order_bias(curve, u)[0] / n
    assert abs(estimates.mean() - u[0] - bias) <= 5 * estimates.std() / np.sqrt(200000) + 2 * abs(bias) / n
    assert abs(bias) > 10 * estimates.std() / np.sqrt(200000)


def test_variance_on_the_circle():
    """The angle of the mean of n planar normals about a point at distance r: 1/(n r²) + 1/(n² r⁴) + …, all from the loss."""
    r, curve, left = 2.0, circle(2.0), []
    np.testing.assert_allclose(second_order_covariance(curve, U), np.full((3, 1, 1), r**-4), rtol=1e-12)
    assert np.abs(second_order_bias(curve, U)).max() < 1e-14

    def density(angle, k):
        """Of the direction of N((√k, 0), I), k = n r² (the projected normal distribution)."""
        along = np.sqrt(k) * np.cos(angle)
        tail = along * special.ndtr(along) * np.exp(-0.5 * k * np.sin(angle)**2) / np.sqrt(2 * np.pi)
        return np.exp(-0.5 * k) / (2 * np.pi) + tail

    for n in (25, 50, 100):
        k = n * r**2
        half, _ = integrate.quad(lambda a: a**2 * density(a, k), 0.0, np.pi, epsabs=0, epsrel=1e-12, points=[4 / np.sqrt(k)])
        variance = 2 * half
        left.append(variance - 1 / k - second_order_covariance(curve, U)[0, 0, 0] / n**2)
    np.testing.assert_allclose(np.array(left[:-1]) / left[1:], 8.0, rtol=0.15)


@every_dtype
def test_backends(dtype, backend):
    """A whole family and a straight curve, whose maps are array-API code."""
    family, theta = ig.Gamma(), np.array([[1.0, -2.0], [0.3, -0.5]])
    point = backend.make(theta, dtype)
    close = dict(rtol=1e-11, atol=1e-12) if dtype == "float64" else dict(rtol=2e-3, atol=2e-3)
    for f in (second_order_bias, second_order_covariance, information_loss, e_embedding_curvature):
        np.testing.assert_allclose(backend.check(f(family, point), dtype), f(family, theta), **close)
    slope = np.array([[1.0], [-0.5]])
    line = Curved(family, Embedding(
        1, lambda u: u * backend.make([1.0, -0.5], dtype) - 1.0, lambda u: backend.make(slope, dtype),
        lambda u: backend.make(np.zeros((2, 1, 1)), dtype)))
    normal = backend.check(m_embedding_curvature(line, backend.make([[1.5], [3.0]], dtype)), dtype)
    assert normal.shape == (2, 2, 1, 1) and np.isfinite(normal).all() and np.abs(normal).max() > 0.01


def test_errors():
    with pytest.raises(TypeError, match="takes a Curved or an ExponentialFamily as its argument M; got Euclidean"):
        second_order_bias(ig.Euclidean(2), np.zeros(2))
    with pytest.raises(TypeError, match="takes a Curved or an ExponentialFamily as its argument M; got Gamma"):
        information_loss(ig.Gamma().dual, np.ones(2))
    with pytest.raises(ig.ShapeError, match=r"takes arrays of shape \(..., 1\); got \(2,\)"):
        information_loss(circle(1.0), np.zeros(2))
