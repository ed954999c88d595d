"""Outside the domain of θ or η the formulas of a manifold say NaN, or inside `checked` raise."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.manifolds.interface import formulas
from infogeo.testing import assert_law
from infogeo.testing.geometry_laws import outside_is_nan

from ..registry import ONCE, every_family, region

ENDING = {name: M for name, M in ONCE.items() if not (M.theta_domain.whole and M.eta_domain.whole)}


@pytest.mark.parametrize("M", ENDING.values(), ids=ENDING)
def test_nan_outside(M):
    p, q = region(M).sample(np.random.default_rng(41), (2,), 0.3)
    assert_law(outside_is_nan, M, p, q)


@every_family
def test_nan_in_nan_out(M):
    """A formula of a point that is no number is none, also where the quantity is the same at every point."""
    given = {"theta": np.full(M.dim, np.nan), "eta": np.full(M.dim, np.nan), "vector": np.ones(M.dim), "covector": np.ones(M.dim),
             "t": 0.5}
    for name, formula in formulas(type(M)).items():
        if {"theta", "eta"} & {*formula.kinds} and "x" not in formula.kinds:
            found = getattr(M, name)(*(given[kind] for kind in formula.kinds))
            if not isinstance(found, dict):             # ordinary parameters: a known one beside others may be a number
                assert np.any(np.isnan(found[0] if isinstance(found, tuple) else found)), name


def test_a_check_on_request():
    normal = ig.Normal()
    points = np.array([[0.3, -1.0], [0.3, 1.0]])
    assert np.array_equal(np.isnan(normal.potential(points)), [False, True])
    with ig.checked():
        with pytest.raises(ig.DomainError, match=r"^theta must satisfy .*; 1 of 2 points does not, first at index \(1,\)"):
            normal.potential(points)
        with pytest.raises(ig.DomainError, match="^theta_q must satisfy"):
            ig.canonical_divergence(normal, points[0], points[1])
        with pytest.raises(ig.DomainError, match="^theta must satisfy"):
            normal.dual.potential(np.array([1.0, 0.5]))
        with ig.checked(False):
            assert np.isnan(normal.potential(points[1]))
        f = ig.CrossEntropy(normal, [0.0, 2.0])
        run = ig.descend(f, points[0], geometry=normal, update=ig.GradientUpdate(), step=ig.Constant(50.0), max_steps=3)
        assert run.status == ig.Status.LEFT_DOMAIN          # a solver's rows are reported, not raised
    assert np.isnan(normal.potential(points[1]))
