"""The mirror maps whose mirror descent has a name: plain, preconditioned, exponentiated and multiplicative updates."""
import numpy as np
import pytest

import infogeo as ig

from ..registry import MIRROR_MAPS, region
from .objectives import Wavy

H, STEPS = 0.05, 10

BY_HAND = {
    ig.Euclidean: lambda M, x, c: x - H * c,
    ig.Quadratic: lambda M, x, c: x - H * np.linalg.solve(M.Q, c[..., None])[..., 0],
    ig.NegativeEntropy: lambda M, x, c: x * np.exp(-H * c),
    ig.Burg: lambda M, x, c: x / (1 + H * x * c),
}


@pytest.mark.parametrize("M", [M for M in MIRROR_MAPS.values() if type(M) in BY_HAND], ids=lambda M: type(M).__name__)
def test_by_hand(M):
    rng = np.random.default_rng(81)
    x = region(M).sample(rng, (4,), 0.5)
    f = Wavy(M, rng.standard_normal(M.dim))
    run = ig.descend(f, x, geometry=M, update=ig.MirrorUpdate(), step=ig.Constant(H), max_steps=STEPS)
    for k in range(STEPS + 1):
        assert np.allclose(run.path[k], x, rtol=1e-12, atol=1e-13)
        x = BY_HAND[type(M)](M, x, f.value_and_gradient(x)[1])


def test_euclidean_updates_coincide():
    """On a flat space with the identity metric all three updates are one."""
    M = ig.Euclidean(3)
    f = Wavy(M, np.array([0.3, -0.2, 1.0]))
    runs = [ig.descend(f, np.ones(3), geometry=M, update=update, step=ig.Constant(H), max_steps=STEPS).path
            for update in (ig.GradientUpdate(), ig.NaturalUpdate(), ig.MirrorUpdate())]
    assert np.array_equal(runs[0], runs[1]) and np.array_equal(runs[0], runs[2])
