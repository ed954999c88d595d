"""The metric is symmetric and positive definite; `flat` and `sharp` are its matrix and its inverse."""
import pytest

from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws
from infogeo.testing.law import title

from ..registry import every_manifold
from ..strategies import bulk, points
from .drawn import drawn

EVERYWHERE = (laws.metric_is_symmetric, laws.metric_is_not_negative)
IN_THE_BULK = (laws.metric_is_positive_definite, laws.flat_is_the_matrix, laws.root_is_a_square_root,
               laws.sharp_is_the_inverse_of_flat, laws.sharp_is_the_dense_solution, laws.inner_product_and_norm)


@pytest.mark.parametrize("law", EVERYWHERE, ids=title)
@every_manifold
@drawn
def test_everywhere(M, law, data):
    assert_law(law, M, data.draw(points(M)))


@pytest.mark.parametrize("law", IN_THE_BULK, ids=title)
@every_manifold
@drawn
def test_in_the_bulk(M, law, data):
    assert_law(law, M, data.draw(bulk(M)))
