"""The two charts are inverse to each other: θ → η → θ and η → θ → η."""
import numpy as np

from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws
from infogeo.testing.calculus import condition

from ..registry import every_manifold, region
from ..strategies import bulk, points
from .drawn import assert_laws, drawn


@every_manifold
@drawn
def test_bulk(M, data):
    assert_laws((laws.charts_are_inverse, laws.images_lie_in_the_other_domain), M, data.draw(bulk(M)))


@every_manifold
@drawn
def test_backward_stable(M, data):
    """Also near the boundary."""
    theta = data.draw(points(M, (6,)))
    theta = theta[condition(M, theta) < 1e10]           # beyond, the image of a point may be rounded out of the domain
    assert_law(laws.inversion_is_backward_stable, M, theta)


@every_manifold
def test_every_backend(M, backend):
    """The same on every backend, in its own arrays: one point, a batch, a batch with two axes."""
    whole = region(M).sample(np.random.default_rng(1), (2, 3), 0.5)
    for theta in (whole[0, 0], whole[0], whole):
        eta = M.to_eta(backend.make(theta))
        back = backend.check(M.to_theta(eta))
        assert backend.check(eta).shape == back.shape == theta.shape
        assert np.all(np.max(np.abs(back - theta), axis=-1) <= 1e-12 * condition(M, theta) * np.max(np.abs(theta), axis=-1))
