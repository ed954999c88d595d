"""P19: of a conjugate model a natural step of size 1 is at the posterior, and of size ρ goes the share ρ of the way in θ."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import MonteCarloExpectation, NegativeELBO, QuadratureExpectation
from infogeo.statistics import SufficientStatistics, conjugacy, posterior

from ..registry import FAMILIES, region


def has_prior(family):
    try:
        return bool(conjugacy(family))
    except TypeError:
        return False


CONJUGATE = {name: family for name, family in FAMILIES.items() if has_prior(family)}
assert len(CONJUGATE) > 20


@pytest.mark.parametrize("family", CONJUGATE.values(), ids=CONJUGATE)
def test_exact_from_any_start(family):
    rng = np.random.default_rng(3)
    q = conjugacy(family).prior
    x = family.sample(rng, region(family).sample(rng, (), 0.3), (4,))
    target = posterior(family, region(q).sample(rng, (), 0.3), SufficientStatistics.from_data(family, x))
    start = region(q).sample(rng, (2,), 0.3)
    # two ways to the same differential: draws and nodes, neither of which knows that the model is conjugate
    ways = [MonteCarloExpectation(3 * q.dim + 10)]
    if q.support.shape == ():
        ways.append(QuadratureExpectation())
    for way in ways:
        f = NegativeELBO(q, lambda z: q.log_density(target, z) + 1.7, way)
        value, covector = f.value_and_gradient(q.to_eta(start))
        tolerance = 1e-7 * (1 + np.abs(target) + np.abs(start))
        assert np.all(np.abs(start - covector - target) <= tolerance)
        assert np.allclose(value + 1.7, q.kl(start, target), rtol=1e-6, atol=1e-7)
        run = ig.descend(f, q.to_eta(start), geometry=q.dual, update=ig.MirrorUpdate(), step=0.5, max_steps=2)
        assert np.allclose(q.to_theta(run.x) - target, 0.25 * (start - target), rtol=1e-5, atol=1e-5 * (1 + np.abs(target).max()))
