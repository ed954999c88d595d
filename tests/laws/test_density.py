"""Densities: they integrate to one, and entropy and divergence are their integrals; θ·T − ψ + log h is what they are."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing import family_laws as laws
from infogeo.testing.integration import expectation_nodes

from ..registry import FAMILIES, every_family, region
from ..strategies import bulk
from .drawn import drawn


def is_summable(M):
    """Whether the support is one that sums reach."""
    rng = np.random.default_rng(110)
    theta = region(M).sample(rng, (), 0.2)
    return expectation_nodes(M, theta, M.sample(rng, theta, 2000)) is not None


SUMMABLE = {name: M for name, M in FAMILIES.items() if is_summable(M)}


@pytest.mark.parametrize("M", SUMMABLE.values(), ids=SUMMABLE)
def test_integrals(M):
    rng = np.random.default_rng(111)
    assert_law(laws.density_is_normalised, M, region(M).sample(rng, (), 0.2), region(M).sample(rng, (), 0.2), rng)


def test_what_is_one_number_is_summable():
    """The list above is found, not written; of the families on a line only the zeta distribution has too heavy a tail."""
    on_a_line = {name for name, M in FAMILIES.items() if M.support.shape == () and not isinstance(M, ig.Zeta)}
    assert on_a_line <= set(SUMMABLE)


@every_family
@drawn
def test_exponential_form(M, data):
    theta = data.draw(bulk(M, (3,)))
    assert M.log_density(theta, M.sample(np.random.default_rng(112), theta, 4)).shape == (4, 3)
    assert_law(laws.log_density_is_of_exponential_form, M, theta, np.random.default_rng(112))


@every_family
def test_outside_the_support(M):
    rng = np.random.default_rng(113)
    assert_law(laws.log_density_is_minus_infinity_outside_the_support, M, region(M).sample(rng, (), 0.3), rng)


@every_family
@drawn
def test_two_names(M, data):
    assert_law(laws.potential_is_the_log_partition, M, data.draw(bulk(M)))
