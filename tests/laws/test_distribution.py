"""Distribution functions and quantiles of one number are those of its density and its draws; moments of all families too."""
import numpy as np
import pytest

from infogeo.testing import BrokenLaw, assert_law
from infogeo.testing.distribution_laws import (distribution_function_is_the_sum_of_the_density, moments_of_x,
                                               quantiles_are_inverse, samples_follow_the_density)

from ..registry import FAMILIES, every_family, is_slow, region

ON_A_LINE = {name: M for name, M in FAMILIES.items() if M.support.shape == ()}


@pytest.mark.parametrize("M", ON_A_LINE.values(), ids=ON_A_LINE)
def test_distribution_function(M):
    rng = np.random.default_rng(151)
    assert_law(samples_follow_the_density, M, region(M).sample(rng, (), 0.3), rng)
    theta = region(M).sample(rng, (1 if is_slow(M) else 3,), 0.5)
    assert_law(distribution_function_is_the_sum_of_the_density, M, theta, rng)
    assert_law(quantiles_are_inverse, M, theta)


@every_family
def test_moments(M):
    rng = np.random.default_rng(153)
    assert_law(moments_of_x, M, region(M).sample(rng, (), 0.5), rng)


class OfAnother:
    """A family that draws from a point beside the one it is asked for, 0.1 away in the metric."""

    def __init__(self, M, theta):
        self.M, self.theta = M, theta + 0.1 / M.norm(theta, np.ones(M.dim))

    def __getattr__(self, name):
        return getattr(self.M, name)

    def sample(self, rng, theta, shape):
        return self.M.sample(rng, self.theta, shape)


@pytest.mark.parametrize("name", ["Poisson", "Exponential", "Normal", "Categorical(6)"])
def test_draws_of_a_neighbour_are_found_out(name):
    M = FAMILIES[name]
    rng = np.random.default_rng(152)
    theta = region(M).sample(rng, (), 0.3)
    with pytest.raises(BrokenLaw, match="share of the draws up to x"):
        assert_law(samples_follow_the_density, OfAnother(M, theta), theta, rng)
