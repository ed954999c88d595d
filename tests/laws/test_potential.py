"""The derivatives of the potential: ∇ψ = η, ∇²ψ = G, ∇³ψ = T, and the same for the dual potential."""
import pytest

from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws
from infogeo.testing.law import title

from ..registry import every_manifold
from ..strategies import bulk
from .drawn import drawn

LAWS = (laws.gradient_of_the_potential_is_eta, laws.derivative_of_eta_is_the_metric, laws.cubic_tensor_is_symmetric,
        laws.derivative_of_the_metric_is_the_cubic_tensor, laws.potential_and_eta_are_the_two)


@pytest.mark.parametrize("law", LAWS, ids=title)
@every_manifold
@drawn
def test_derivatives(M, law, data):
    assert_law(law, M, data.draw(bulk(M)))
