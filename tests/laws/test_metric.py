"""The metric is symmetric and positive definite; `flat` and `sharp` are its matrix and its inverse."""
from infogeo.testing import geometry_laws as laws

from ..registry import every_manifold
from ..strategies import bulk, points
from .drawn import assert_laws, drawn

EVERYWHERE = (laws.metric_is_symmetric, laws.metric_is_not_negative)
IN_THE_BULK = (laws.metric_is_positive_definite, laws.flat_is_the_matrix, laws.root_is_a_square_root,
               laws.sharp_is_the_inverse_of_flat, laws.sharp_is_the_dense_solution, laws.inner_product_and_norm)


@every_manifold
@drawn
def test_everywhere(M, data):
    assert_laws(EVERYWHERE, M, data.draw(points(M)))


@every_manifold
@drawn
def test_in_the_bulk(M, data):
    assert_laws(IN_THE_BULK, M, data.draw(bulk(M)))
