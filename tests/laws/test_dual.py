"""The dual manifold: the same geometry with the charts swapped, the Legendre transform of the potential, the inverse metric."""
from infogeo.testing import assert_law
from infogeo.testing import geometry_laws as laws

from ..registry import every_primal
from ..strategies import bulk
from .drawn import assert_laws, drawn

LAWS = (laws.dual_metric_is_the_inverse, laws.dual_flat_and_sharp_are_dense, laws.dual_cubic_tensor_is_minus_the_cubic_tensor,
        laws.fenchel_young_equality)


@every_primal
def test_dual_of_the_dual_is_the_manifold(M):
    assert M.dual.dual is M and M.dual is M.dual
    assert M.dual.theta_domain == M.eta_domain and M.dual.eta_domain == M.theta_domain
    assert M.dual.dim == M.dim and repr(M.dual) == f"{M!r}.dual"


@every_primal
@drawn
def test_methods_swap(M, data):
    assert_law(laws.dual_methods_are_swapped, M, data.draw(bulk(M)))


@every_primal
@drawn
def test_at_a_point(M, data):
    assert_laws(LAWS, M, data.draw(bulk(M)))


@every_primal
@drawn
def test_fenchel_young_inequality(M, data):
    assert_law(laws.fenchel_young_inequality, M, *data.draw(bulk(M, (4,), count=2)))
