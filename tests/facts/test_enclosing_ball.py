"""Smallest enclosing balls with known centers, and the exponents of hypothesis tests."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.centroids.enclosing_ball import badoiu_clarkson, enclosing_ball
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.exponents import bayes_error_exponent, hoeffding_exponents

from ..backends import every_dtype

M = ig.Categorical(3)
THREE = M.theta_from(probabilities=np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.25, 0.5, 0.25]]))


def test_information_radius():
    """.151410019837, the capacity of the channel with these rows, its output (.2955…, .2527…, .4517…) and its input."""
    ball = enclosing_ball(M, THREE)
    np.testing.assert_allclose(ball.radius, 0.151410019837, rtol=5e-12)
    center = M.parameters(ball.center)["probabilities"]
    np.testing.assert_allclose(center, [0.295522838750, 0.252727497355, 0.451749663895], rtol=2e-11)
    np.testing.assert_allclose(ball.weights, [0.4833116859, 0.5020338849, 0.0146544292], atol=6e-11)


@pytest.mark.parametrize("steps, gap", [(100, 2.5e-3), (1000, 2.5e-4), (10_000, 1.6e-5)])
def test_badoiu_clarkson(steps, gap):
    radius = enclosing_ball(M, THREE).radius
    found = M.kl(THREE, badoiu_clarkson(M, THREE, steps)).max()
    np.testing.assert_allclose(found - radius, gap, rtol=0.05)


def test_channels_of_known_capacity():
    """Binary symmetric of error .1: log 2 − H(.1) = .368064207168; the Z channel of ½: log(5/4), at input (.6, .4)."""
    coin = ig.Bernoulli()
    ball = enclosing_ball(coin, coin.theta_from(probability=[0.1, 0.9]))
    np.testing.assert_allclose(ball.radius, 0.368064207168, rtol=1e-11)
    np.testing.assert_allclose(ball.weights, [0.5, 0.5], rtol=1e-11)
    nearly_z = enclosing_ball(coin, coin.theta_from(probability=[1e-13, 0.5]))
    np.testing.assert_allclose(nearly_z.radius, np.log(1.25), rtol=1e-9)
    np.testing.assert_allclose(nearly_z.weights, [0.6, 0.4], rtol=1e-9)


def test_euclidean_ball():
    """Of the corners of an obtuse triangle and a point inside: the middle of the longest side, with D = ½ distance²."""
    points = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5], [2.0, 1.0]])
    ball = enclosing_ball(ig.Euclidean(2), points)
    np.testing.assert_allclose(ball.center, [2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(ball.radius, 2.0, rtol=1e-12)
    np.testing.assert_allclose(ball.weights, [0.5, 0.5, 0.0, 0.0], atol=1e-12)
    shifted = enclosing_ball(ig.Euclidean(2), 1e3 + 1e-3 * points)          # near together and far out
    np.testing.assert_allclose(shifted.radius, 2e-6, rtol=1e-9)


def test_one_point_and_equal_points():
    for count in (1, 3):
        ball = enclosing_ball(M, np.stack([THREE[0]] * count))
        np.testing.assert_allclose(ball.center, THREE[0], rtol=1e-12)
        np.testing.assert_allclose(ball.radius, 0.0, atol=1e-15)
        np.testing.assert_allclose(ball.weights.sum(), 1.0, rtol=1e-12)


def test_batch_and_many_points():
    """Rows that need different numbers of points, in one call; the weights are a certificate of the radius."""
    family = ig.Normal()
    theta = family.theta_domain.sample(np.random.default_rng(3), (2000, 5), 0.5)
    ball = enclosing_ball(family, theta)
    distance = family.kl(theta, ball.center)
    np.testing.assert_allclose(distance.max(axis=0), ball.radius, rtol=1e-12)
    np.testing.assert_allclose(np.sum(ball.weights * distance, axis=0), ball.radius, rtol=1e-10)
    mean = np.sum(ball.weights[..., None] * family.to_eta(theta), axis=0)
    np.testing.assert_allclose(mean, family.to_eta(ball.center), rtol=1e-9)
    for row in range(5):
        np.testing.assert_allclose(enclosing_ball(family, theta[:, row]).radius, ball.radius[row], rtol=1e-11)


def test_exponents():
    """The Chernoff information of the closest pair; the trade-off between Stein's lemma and the equal errors."""
    pairs = [chernoff_information(M, THREE[i], THREE[j]).value for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(bayes_error_exponent(M, THREE), min(pairs), rtol=1e-13)
    np.testing.assert_allclose(pairs[0], 0.171163473123978, rtol=1e-12)
    p, q = THREE[0], THREE[1]
    np.testing.assert_allclose(hoeffding_exponents(M, p, q, 0.0), [0.0, M.kl(p, q)], rtol=1e-13)
    information, skew = chernoff_information(M, p, q)
    np.testing.assert_allclose(hoeffding_exponents(M, p, q, 1.0 - skew), [information, information], rtol=1e-9)
    normal = ig.Normal()
    means = normal.theta_from(mean=np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 3.0]]), variance=2.0)
    np.testing.assert_allclose(bayes_error_exponent(normal, means), [1 / 16, 1 / 16], rtol=1e-12)      # Δ² / (8 v)


@every_dtype
def test_every_backend(backend, dtype):
    points, tolerance = backend.make(THREE, dtype), 1e-4 if dtype == "float32" else 1e-9
    ball = enclosing_ball(M, points)
    for own, expected in zip(ball, enclosing_ball(M, THREE)):
        assert np.allclose(backend.check(own, dtype), expected, rtol=tolerance, atol=10 * tolerance)
    assert np.allclose(backend.check(badoiu_clarkson(M, points, 30), dtype), badoiu_clarkson(M, THREE, 30), rtol=10 * tolerance)
    assert np.allclose(backend.check(bayes_error_exponent(M, points), dtype), bayes_error_exponent(M, THREE), rtol=tolerance)
    pair = points[0, ...], points[1, ...]
    for own, expected in zip(hoeffding_exponents(M, *pair, 0.3), hoeffding_exponents(M, *THREE[:2], 0.3)):
        assert np.allclose(backend.check(own, dtype), expected, rtol=tolerance)


def test_errors():
    with pytest.raises(ig.ShapeError, match="theta must have a sample axis of at least one point first"):
        enclosing_ball(M, np.zeros((0, 2)))
    with pytest.raises(ig.ShapeError, match="at least two hypotheses first; got shape \\(1, 2\\)"):
        bayes_error_exponent(M, THREE[:1])
