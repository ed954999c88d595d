"""Steps are geodesics: natural gradient e-, mirror descent m-geodesics, `Geodesic` those of the metric."""
import numpy as np
import pytest

import infogeo as ig

from ..registry import MANIFOLDS
from .objectives import Wavy, length, local_step

# Closed geodesics of a sphere, a half plane and a product, and a numeric one
NAMES = ["Categorical(6).dual", "Normal.dual", "NegativeEntropy(3)", "Gamma"]


@pytest.mark.parametrize("M", [MANIFOLDS[name] for name in NAMES], ids=NAMES)
def test_the_three_steps_are_the_three_geodesics(M):
    """All with the velocity −G⁻¹c: the flat ones exactly, and that of the metric between them, each O(h²) away."""
    x = M.domain.sample(np.random.default_rng(3), (4,))
    f = Wavy(M, M.to_eta(M.domain.sample(np.random.default_rng(4), (4,))))
    covector = f.value_and_gradient(x)[1]
    h = local_step(M, x, f, 0.1)
    v = -M.sharp(x, covector)
    updates = ig.NaturalUpdate(), ig.MirrorUpdate(), ig.Geodesic()
    natural, mirror, geodesic = (update(M, x, covector, h)[0] for update in updates)
    for alpha, step in ((1.0, natural), (-1.0, mirror)):
        np.testing.assert_allclose(length(M, x, ig.alpha_exp_map(M, x, h[:, None] * v, alpha) - step + x), 0.0, atol=1e-6)
    np.testing.assert_allclose(ig.riemannian_distance(M, x, geodesic), 0.1, rtol=1e-6)
    apart = []
    for part in (1.0, 0.5):
        natural, mirror, geodesic = (update(M, x, covector, part * h)[0] for update in updates)
        apart.append([length(M, x, x + natural - geodesic), length(M, x, x + mirror - geodesic)])
    assert np.all(np.log2(np.divide(*apart)) > 1.5)     # 2, to first order in h
