"""Centroids and balls: optimal, on every backend, and unchanged by what does not matter."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.centroids.centroid import (bregman_information, jeffreys_centroid, jensen_centroid, left_centroid,
                                                 right_centroid, total_bregman_centroid)
from infogeo.geometry.centroids.enclosing_ball import enclosing_ball
from infogeo.geometry.centroids.kmeans import bregman_kmeans

from ..backends import every_dtype
from ..registry import KINDS, MANIFOLDS, PRIMAL, every_kind, is_slow, once_each, region

# Families of a series, an integral or an iteration at every point take seconds here. On a dual manifold the left and the right
# centroid are each other.
QUICK = {name: M for name, M in MANIFOLDS.items() if not is_slow(M) and (name in PRIMAL or name in KINDS)}
every_quick_manifold = pytest.mark.parametrize("M", QUICK.values(), ids=QUICK)
CENTROIDS = {f.__name__: f for f in (right_centroid, left_centroid, jeffreys_centroid, jensen_centroid, total_bregman_centroid)}


@once_each
def sample(M):
    """Seven points and their weights."""
    rng = np.random.default_rng(41)
    return region(M).sample(rng, (7,), 0.3), rng.uniform(0.2, 1.0, 7)


@once_each
def on_numpy(M):
    theta, w = sample(M)
    return {name: f(M, theta, w) for name, f in CENTROIDS.items()}


def losses(M, theta, w):
    """What each centroid minimises, as a function of c."""
    D, eta = M.divergence, M.to_eta(theta)
    tilt = w / np.sqrt(1 + np.sum(eta**2, axis=-1))
    return {"right_centroid": lambda c: np.sum(w * D(theta, c)),
            "left_centroid": lambda c: np.sum(w * D(c, theta)),
            "jeffreys_centroid": lambda c: np.sum(w * (D(theta, c) + D(c, theta))),
            "jensen_centroid": lambda c: np.sum(w * (D(0.5 * theta + 0.5 * c, theta) + D(0.5 * theta + 0.5 * c, c))),
            "total_bregman_centroid": lambda c: np.sum(tilt * D(theta, c))}


@every_quick_manifold
def test_least(M):
    """No point near a centroid has a smaller loss, by more than its rounding."""
    theta, w = sample(M)
    for name, loss in losses(M, theta, w).items():
        c = on_numpy(M)[name]
        rng, least = np.random.default_rng(42), loss(c)
        for _ in range(2):
            direction = rng.standard_normal(M.dim)
            direction *= 1e-2 * np.sqrt(least) / M.norm(c, direction)
            for other in (c + direction, c - direction):
                assert not M.domain.contains(other) or loss(other) >= least * (1 - 1e-9), name


@every_quick_manifold
def test_the_minimum_is_the_information(M):
    """Σ w_i D(p_i‖r) = information + D(c‖r) for any r, with weights of sum 1; the left centroid of the dual is the right one."""
    theta, w = sample(M)
    w, r = w / w.sum(), theta[0]
    c = right_centroid(M, theta, w)
    assert np.isclose(np.sum(w * M.divergence(theta, r)), bregman_information(M, theta, w) + M.divergence(c, r), rtol=1e-9)
    left = M.to_theta(left_centroid(M.dual, M.to_eta(theta), w))
    assert np.allclose(left, c, rtol=1e-12, atol=1e-13 * np.abs(c).max())


@once_each
def ball(M):
    return enclosing_ball(M, sample(M)[0])


@every_quick_manifold
def test_enclosing_ball(M):
    """All points are inside, the weights are a certificate: the center is their right centroid and Σ w D(p‖c) is the radius."""
    theta, _ = sample(M)
    center, radius, w = ball(M)
    distance = M.divergence(theta, center)
    assert np.all(distance <= radius) and np.all(w >= 0) and np.isclose(w.sum(), 1.0, rtol=1e-12)
    assert np.isclose(np.sum(w * distance), radius, rtol=1e-8)
    held = right_centroid(M, theta, w)
    assert np.isclose(bregman_information(M, theta, w), radius, rtol=1e-8)
    assert np.allclose(held, center, rtol=1e-6, atol=1e-7 * np.abs(center).max())


@every_quick_manifold
def test_clusters_lose_the_information_between_them(M):
    """Within plus between is the information of all, and no round raises what is within."""
    theta, w = sample(M)
    found = bregman_kmeans(M, theta, theta[:3], w, max_steps=30)
    assert found.converged and np.all(np.diff(found.values) <= 1e-10 * found.values[0])
    mass = np.sum(w * (found.labels == np.arange(3)[:, None]), axis=1)
    total = bregman_information(M, theta, w)
    between = bregman_information(M, found.centers, mass)
    assert np.isclose(found.values[-1] / w.sum() + between, total, rtol=1e-9)


@every_kind
def test_every_backend(M, backend):
    theta, w = sample(M)
    made = backend.make(theta), backend.make(w)
    for name, centroid in CENTROIDS.items():
        expected = on_numpy(M)[name]
        assert np.allclose(backend.check(centroid(M, *made)), expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())
    assert np.isclose(backend.check(bregman_information(M, *made)), bregman_information(M, theta, w), rtol=1e-9)
    found = enclosing_ball(M, made[0])
    assert np.isclose(backend.check(found.radius), ball(M).radius, rtol=1e-9)
    assert np.allclose(backend.check(found.center), ball(M).center, rtol=1e-6, atol=1e-7 * np.abs(ball(M).center).max())
    clusters = bregman_kmeans(M, made[0], made[0][:3, ...], made[1], max_steps=30)
    assert np.allclose(backend.check(clusters.centers), bregman_kmeans(M, theta, theta[:3], w, max_steps=30).centers, rtol=1e-8)


@every_dtype
@pytest.mark.parametrize("M", [ig.Categorical(4), ig.Normal(), ig.Dirichlet(3)], ids=["Categorical", "Normal", "Dirichlet"])
def test_dtype_is_kept(M, dtype, backend):
    theta, w = sample(M)
    made = backend.make(theta, dtype), backend.make(w, dtype)
    tolerance = 1e-3 if dtype == "float32" else 1e-8
    for name, centroid in CENTROIDS.items():
        expected = on_numpy(M)[name]
        assert np.allclose(backend.check(centroid(M, *made), dtype), expected, rtol=tolerance, atol=tolerance)
    assert np.isclose(backend.check(enclosing_ball(M, made[0]).radius, dtype), ball(M).radius, rtol=tolerance)
