"""P14: a step of EM lowers L by at least KL(θ⁺‖θ) of the complete model, for mixtures of every family."""
import numpy as np
import pytest

from infogeo.statistics import MixtureModel, em

from ..registry import FAMILIES, is_slow, region

FITTED = {name: family for name, family in FAMILIES.items() if not is_slow(family)}


@pytest.mark.parametrize("family", FITTED.values(), ids=FITTED)
def test_descent(family):
    rng = np.random.default_rng(11)
    members = region(family).sample(rng, (2,), 0.3)
    n = 4 * family.dim + 20
    x = np.concatenate([family.sample(rng, member, (n,)) for member in members])
    start = members + 0.3 * (region(family).sample(rng, (2,), 0.3) - members), [0.4, 0.6]
    found = em(MixtureModel(family, prior_count=0.5), x, start, tol=0.0, max_steps=3)
    assert np.all(found.divergences >= 0.0) and found.divergences[0] > 0.0
    assert np.all(np.diff(found.values) >= found.divergences - 1e-12 * (1 + np.abs(found.values[1:])))
