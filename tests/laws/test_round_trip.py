"""The two charts are inverse to each other: θ → η → θ and η → θ → η."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..registry import every_manifold, region
from ..strategies import bulk, points
from .calculus import condition

EPS = np.finfo(float).eps


@every_manifold
@given(data=st.data())
def test_bulk(M, data):
    """θ → η → θ within 1e-10 · cond(G), relative to the size of θ."""
    theta = data.draw(bulk(M))
    back = M.to_theta(M.to_eta(theta))
    error = np.max(np.abs(back - theta), axis=-1) / np.max(np.abs(theta), axis=-1)
    assert np.all(error <= 1e-10 * condition(M, theta))


@every_manifold
@given(data=st.data())
def test_backward_stable(M, data):
    """η(θ(η)) is η to 2000 ε in the units of what an ε in θ does to it, also near the boundary."""
    theta = data.draw(points(M, (6,)))
    theta = theta[condition(M, theta) < 1e10]           # beyond, the image of a point may be rounded out of the domain
    eta = M.to_eta(theta)
    again = M.to_eta(M.to_theta(eta))
    sensitivity = np.linalg.norm(M.metric(theta), ord=2, axis=(-2, -1)) * np.linalg.norm(theta, axis=-1)
    size = np.linalg.norm(eta, axis=-1) + sensitivity
    assert np.all(np.linalg.norm(again - eta, axis=-1) <= 2000 * EPS * size)


@every_manifold
@given(data=st.data())
def test_images_lie_in_the_other_domain(M, data):
    theta = data.draw(bulk(M))
    assert np.all(M.eta_domain.contains(M.to_eta(theta)))
    assert np.all(M.domain.contains(theta)) and M.domain == M.theta_domain


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
@every_manifold
def test_every_backend(M, shape, backend):
    """The same on every backend, in its own arrays."""
    theta = region(M).sample(np.random.default_rng(1), shape, 0.5)
    eta = M.to_eta(backend.make(theta))
    back = backend.check(M.to_theta(eta))
    assert backend.check(eta).shape == back.shape == theta.shape
    assert np.all(np.max(np.abs(back - theta), axis=-1) <= 1e-12 * condition(M, theta) * np.max(np.abs(theta), axis=-1))
