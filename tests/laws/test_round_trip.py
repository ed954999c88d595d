"""The two charts are inverse to each other: θ → η → θ and η → θ → η."""
from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws
from infogeo.testing.calculus import condition

from ..registry import every_manifold
from ..strategies import bulk, points
from .drawn import assert_laws, drawn


@every_manifold
@drawn
def test_bulk(M, data):
    assert_laws((laws.charts_are_inverse, laws.images_lie_in_the_other_domain), M, data.draw(bulk(M)))


@every_manifold
@drawn
def test_smooth_and_steep(M, data):
    assert_law(laws.smooth_and_steep_as_said, M, *data.draw(bulk(M, count=2)))


@every_manifold
@drawn
def test_backward_stable(M, data):
    """Also near the boundary."""
    theta = data.draw(points(M, (6,)))
    theta = theta[condition(M, theta) < 1e10]           # beyond, the image of a point may be rounded out of the domain
    assert_law(laws.inversion_is_backward_stable, M, theta)
