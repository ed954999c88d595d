"""A closed form equals what it overrides: the derived methods of the base classes are the reference implementations."""
import numpy as np
import pytest

from infogeo import Dual, ExponentialFamily

from ..registry import FAMILY_KERNELS, KERNELS, MANIFOLDS, arguments, is_smooth, kernels, region
from .calculus import condition


def overridden(M):
    """(name, base class) for each formula of the manifold that a base class derives, too."""
    for name in kernels(M):
        definers = [c for c in type(M).__mro__ if name in vars(c)]
        for base in definers[1:]:
            if not getattr(vars(base)[name], "__isabstractmethod__", False):
                yield name, base


CASES = [pytest.param(M, name, base, id=f"{label}-{name}-{base.__name__}")
         for label, M in MANIFOLDS.items() for name, base in overridden(M)
         if is_smooth(M) or name != "to_theta"]       # Newton's method starts at 0, where a p-norm has no second derivative


@pytest.mark.parametrize("M, name, base", CASES)
def test_override_equals_the_derived_form(M, name, base):
    rng = np.random.default_rng(5)
    args = arguments(M, kernels(M)[name], rng, (6,))
    own, derived = getattr(M, name)(*args), getattr(base, name)(M, *args)
    assert own.shape == derived.shape
    first = args[0] if kernels(M)[name][0] == "theta" else M.to_theta(args[0])
    kappa = np.reshape(condition(M, first), (6, *(1,) * (own.ndim - 1)))
    size = np.max(np.abs(derived), axis=tuple(range(1, own.ndim)), keepdims=True)
    if own.ndim == 1:                   # a divergence or a dual potential may be a difference of larger terms
        size = size + np.abs(M.potential(first)).max()
    assert np.all(np.abs(own - derived) <= 1e-12 * kappa * size)


def test_every_object_overrides_something():
    """The list above is found, not written: it must not be empty for anybody."""
    assert {id(case.values[0]) for case in CASES} == {id(M) for M in MANIFOLDS.values()}


def test_the_list_of_formulas_is_complete():
    """Every public method of a manifold that takes a point is in the registry's list, or is known to be no formula."""
    def public(cls):
        return {name for c in cls.__mro__ for name, f in vars(c).items() if callable(f) and not name.startswith("_")}

    boundary = {"point", "potential_and_eta"}
    of_data = {"sufficient_statistic", "log_base_measure", "parameters", "sample", "fit", "theta_from",
               "conjugate_prior", "posterior", "predictive_log_density"}
    assert public(ExponentialFamily) - boundary - of_data == set(KERNELS) | set(FAMILY_KERNELS)
    assert public(Dual) - boundary == set(KERNELS)
    assert all(np.all(region(M).contains(region(M).interior_point)) for M in MANIFOLDS.values())
