"""Draws of one number follow the density: their distribution function is its sum, to what a sample of that size can tell."""
import numpy as np
import pytest

from infogeo.testing import BrokenLaw, assert_law
from infogeo.testing.family_laws import samples_follow_the_density

from ..registry import FAMILIES, region

ON_A_LINE = {name: M for name, M in FAMILIES.items() if M.support.shape == ()}


@pytest.mark.parametrize("M", ON_A_LINE.values(), ids=ON_A_LINE)
def test_distribution_function(M):
    rng = np.random.default_rng(151)
    assert_law(samples_follow_the_density, M, region(M).sample(rng, (), 0.3), rng)


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
    with pytest.raises(BrokenLaw, match="share of the draws below x"):
        assert_law(samples_follow_the_density, OfAnother(M, theta), theta, rng)
