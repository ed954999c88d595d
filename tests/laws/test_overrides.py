"""A closed form equals what it overrides: the derived methods of the base classes are the reference implementations."""
import numpy as np

from infogeo import Dual, ExponentialFamily
from infogeo.testing import assert_law
from infogeo.testing.formulas import GEODESICS, overridden
from infogeo.testing.geometry_laws import override_is_the_derived_form

from ..registry import FAMILY_KERNELS, KERNELS, MANIFOLDS, arguments, every_manifold, kernels, region


@every_manifold
def test_overrides_equal_the_derived_forms(M):
    """Their list is found, not written: it must not be empty for anybody."""
    found = list(overridden(M))
    assert found
    for name, base in found:
        args = arguments(M, kernels(M)[name], np.random.default_rng(5), (6,))
        assert_law(override_is_the_derived_form, M, name, base, *args)


def test_the_list_of_formulas_is_complete():
    """Every public method of a manifold that takes a point is in the registry's list, or is known to be no formula."""
    def public(cls):
        return {name for c in cls.__mro__ for name, f in vars(c).items() if callable(f) and not name.startswith("_")}

    boundary = {"on", "part", "point", "potential_and_eta", "total_volume"} | GEODESICS
    of_data = {"sufficient_statistic", "log_base_measure", "parameters", "sample", "fit", "supported", "require_observations",
               "theta_from"}
    of_data |= {"mean", "variance", "covariance", "cdf", "survival", "log_cdf", "log_survival"}      # with laws
    of_data |= {"quantile", "upper_quantile"}
    of_data |= {"from_eta_tangent", "residual"}         # with laws in test_residual
    shown = {"data_sheet", "plot"}
    assert public(ExponentialFamily) - boundary - of_data - shown == set(KERNELS) | set(FAMILY_KERNELS)
    assert public(Dual) - boundary == set(KERNELS)
    assert all(np.all(region(M).contains(region(M).interior_point)) for M in MANIFOLDS.values())
