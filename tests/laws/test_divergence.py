"""The canonical divergence: positive, zero only where equal, quadratic for near points, a Bregman divergence in both charts."""
from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws

from ..registry import every_manifold_once, every_primal
from ..strategies import bulk, points
from .drawn import assert_laws, drawn

OF_TWO = (laws.divergence_of_near_points, laws.divergence_is_bregman_in_both_charts, laws.jeffreys_divergence,
          laws.local_expansion_of_the_divergence)


@every_manifold_once
@drawn
def test_positive(M, data):
    assert_law(laws.divergence_is_positive, M, *data.draw(points(M, (5,), count=2)))


@every_manifold_once
@drawn
def test_zero_where_equal(M, data):
    assert_law(laws.divergence_is_zero_where_equal, M, data.draw(points(M)))


@every_manifold_once
@drawn
def test_of_two_points(M, data):
    assert_laws(OF_TWO, M, *data.draw(bulk(M, count=2)))


@every_primal
@drawn
def test_dual_swaps(M, data):
    assert_law(laws.divergence_of_the_dual_is_swapped, M, *data.draw(bulk(M, (4,), count=2)))


@every_manifold_once
@drawn
def test_three_points(M, data):
    assert_law(laws.three_points, M, *data.draw(bulk(M, (4,), count=3)))
