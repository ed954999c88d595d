"""The derivatives of the potential: ∇ψ = η, ∇²ψ = G, ∇³ψ = T, and the same for the dual potential."""
from infogeo.testing import geometry_laws as laws

from ..registry import every_manifold
from ..strategies import bulk
from .drawn import assert_laws, drawn

LAWS = (laws.gradient_of_the_potential_is_eta, laws.derivative_of_eta_is_the_metric, laws.cubic_tensor_is_symmetric,
        laws.derivative_of_the_metric_is_the_cubic_tensor, laws.potential_and_eta_are_the_two)


@every_manifold
@drawn
def test_derivatives(M, data):
    assert_laws(LAWS, M, data.draw(bulk(M)))
