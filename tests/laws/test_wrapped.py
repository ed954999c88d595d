"""Manifolds made of manifolds: one rule for every formula of the interface, and for the facts that a manifold states."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.manifolds.interface import formulas
from infogeo.geometry.manifolds.power import PowerManifold
from infogeo.geometry.manifolds.product import ProductManifold
from infogeo.geometry.manifolds.scaled import POWER, Scaled
from infogeo.geometry.manifolds.wrapped import Wrapped
from infogeo.testing import check_dually_flat

from ..registry import arguments

WRAPPERS = [ig.Transformed, ig.Product, ig.Independent, ProductManifold, PowerManifold, Scaled]
VECTORS = ig.MultivariateNormal(2)
DERIVED = {"inner", "norm", "metric_derivative", "potential_and_eta"}     # of a dual manifold, from its other formulas


@pytest.mark.parametrize("cls", WRAPPERS)
def test_every_formula_is_forwarded(cls):
    """None is left to the derived form of the base classes."""
    for name in formulas(ig.DuallyFlat):
        owner = next(c for c in cls.__mro__ if "_" + name in vars(c))
        assert issubclass(owner, Wrapped), name


def test_every_formula_of_a_dual_manifold_is_one_of_its_primal():
    assert {name for name in formulas(ig.DuallyFlat) if "_" + name not in vars(ig.Dual)} == DERIVED


def test_every_formula_has_its_power():
    """The volume element alone is no multiple: its logarithm is moved."""
    assert set(formulas(ig.DuallyFlat)) - set(POWER) == {"log_volume_element"}


@pytest.mark.parametrize("M", [Scaled(VECTORS, 2.5), ProductManifold(VECTORS, ig.Burg(2)), PowerManifold(VECTORS, 2)], ids=repr)
def test_of_vectors(M):
    check_dually_flat(M)
    check_dually_flat(M.dual)


@pytest.mark.parametrize("name", formulas(ig.DuallyFlat))
def test_a_power_is_the_product(name):
    """As a batch of one family, bit for bit what the factors give one by one."""
    power, product = PowerManifold(VECTORS, 3), ProductManifold(VECTORS, VECTORS, VECTORS)
    kinds = formulas(ig.DuallyFlat)[name].kinds
    if name in ("distance", "geodesic", "exp", "log"):                  # by iterations, which near points need few of
        theta = power.theta_domain.sample(np.random.default_rng(0), 2, scale=0.3)
        there = dict(theta=theta, vector=0.1 * theta, t=0.3)
        xs = [there[kind] + (0.01 * theta if i and kind == "theta" else 0.0) for i, kind in enumerate(kinds)]
    else:
        xs = arguments(power, kinds, np.random.default_rng(0), (4,))
    found, expected = getattr(power, name)(*xs), getattr(product, name)(*xs)
    for own, other in zip(found, expected) if isinstance(found, tuple) else [(found, expected)]:
        np.testing.assert_allclose(own, other, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", formulas(ig.DuallyFlat))
def test_one_point_outside_is_all_outside(name):
    """Also where the base looks at its domain by its own factorisation."""
    M, rng = PowerManifold(VECTORS, 3), np.random.default_rng(0)
    theta = M.theta_domain.sample(rng, 2, scale=0.3)
    wrong = {"theta": 1.0 * theta, "eta": M.to_eta(theta), "vector": 0.1 * theta, "covector": theta, "t": 0.3}
    for kind in ("theta", "eta"):
        wrong[kind][0, 7:10] *= -1.0                        # the matrix of the second factor, in the first row
    kinds = formulas(ig.DuallyFlat)[name].kinds
    found = getattr(M, name)(*(wrong[kind] for kind in kinds))
    for part in found if isinstance(found, tuple) else [found]:
        assert np.isnan(part[0]).all() and np.isfinite(part[1]).all()


@pytest.mark.parametrize("M, smooth, steep", [
    (ig.Normal(), True, True), (ig.Normal().dual, True, True), (ig.PNorm(3, 1.5), False, True),
    (ig.PNorm(3, 1.5).dual, False, True), (ig.ConwayMaxwellPoisson(), True, False),
    (ig.Independent(ig.ConwayMaxwellPoisson(), 2), True, False),
    (ig.Product(ig.Normal(), ig.GeneralizedInverseGaussian()), True, False),
    (Scaled(ig.PNorm(2, 3.0), 2.0), False, True)], ids=repr)
def test_facts_are_passed_on(M, smooth, steep):
    assert (M.smooth, M.steep) == (smooth, steep)
