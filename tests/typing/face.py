# pyright: standard, reportUnnecessaryTypeIgnoreComment=true
"""What a type checker knows of the public names; what it must refuse is marked, and a mark without need is an error."""
from typing import assert_type

import numpy as np

import infogeo as ig

normal = ig.Normal()
theta = normal.theta_from(mean=np.zeros(3), variance=2.0)
normal.logpdf                                               # pyright: ignore[reportAttributeAccessIssue]
ig.Gaussian                                                 # pyright: ignore[reportAttributeAccessIssue]

assert_type(normal.dual, ig.DuallyFlat)

f = ig.CrossEntropy(normal, eta_hat=np.array([1.0, 2.0]))
result = ig.descend(f, theta, geometry=normal, update=ig.NaturalUpdate(), step=ig.Constant(0.1), max_steps=10)
assert_type(result, ig.Result)

model = ig.networks.ConditionalModel(ig.networks.MLP((5, 16, 2)), ig.Categorical(3))
batch = np.zeros((4, 5)), np.zeros(4)
w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
geometry = ig.curvature.WeightSpace(model, batch, ig.curvature.kfac, damping=ig.curvature.Tikhonov(1e-2))
assert_type(ig.curvature.kfac(model, w, batch), ig.operators.BlockDiagonal)
assert_type(ig.curvature.fisher(model, w, batch).dim, int)


class Disc(ig.Riemannian):
    """A manifold of one's own: its dimension is an attribute, its metric has the public name."""

    dim = 2

    def metric(self, x: np.ndarray) -> np.ndarray:
        return 4.0 / (1.0 - np.sum(x * x, axis=-1))[..., None, None] ** 2 * np.eye(2)


Disc().sharp(np.zeros(2), np.ones(2))
