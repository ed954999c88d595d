"""Densities: they integrate to one, and entropy and divergence are their integrals; θ·T − ψ + log h is what they are."""
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infogeo.testing import assert_law
from infogeo.testing import family_laws as laws
from infogeo.testing.integration import expectation_nodes

from ..registry import FAMILIES, every_family, region
from ..strategies import bulk


@cache
def is_summable(M):
    """Whether the support is one that sums reach."""
    rng = np.random.default_rng(110)
    theta = region(M).sample(rng, (), 0.2)
    return expectation_nodes(M, theta, M.sample(rng, theta, 2000)) is not None


@pytest.mark.parametrize("M", [M for M in FAMILIES.values() if is_summable(M)], ids=repr)
def test_integrals(M):
    rng = np.random.default_rng(111)
    assert_law(laws.density_is_normalised, M, region(M).sample(rng, (), 0.2), region(M).sample(rng, (), 0.2), rng)


def test_most_supports_are_summable():
    assert sum(map(is_summable, FAMILIES.values())) > 0.7 * len(FAMILIES)


@every_family
@given(data=st.data())
def test_exponential_form(M, data):
    theta = data.draw(bulk(M, (3,)))
    assert M.log_density(theta, M.sample(np.random.default_rng(112), theta, 4)).shape == (4, 3)
    assert_law(laws.log_density_is_of_exponential_form, M, theta, np.random.default_rng(112))


@every_family
def test_outside_the_support(M):
    rng = np.random.default_rng(113)
    assert_law(laws.log_density_is_minus_infinity_outside_the_support, M, region(M).sample(rng, (), 0.3), rng)


@every_family
@given(data=st.data())
def test_two_names(M, data):
    assert_law(laws.potential_is_the_log_partition, M, data.draw(bulk(M)))
