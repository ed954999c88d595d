"""Mirror descent and natural gradient are first-order methods for one flow: halving the step halves the distance to it."""
import numpy as np
import pytest

import infogeo as ig

from ..registry import every_manifold, region
from .objectives import Wavy, length, local_step


@pytest.mark.parametrize("update", [ig.MirrorUpdate(), ig.NaturalUpdate()], ids=["mirror", "natural"])
@every_manifold
def test_first_order(M, update):
    rng = np.random.default_rng(61)
    theta0 = region(M).sample(rng, (), 0.3)
    f = Wavy(M, region(M).sample(rng, (), 0.3))
    horizon = float(local_step(M, theta0, f, 0.2))          # a path of a length of about 0.2 in the metric
    end = ig.flow(f, theta0, geometry=M, update=ig.NaturalUpdate(), times=[horizon]).x
    error = []
    for n in (20, 40, 80):
        run = ig.descend(f, theta0, geometry=M, update=update, step=ig.Constant(horizon / n), max_steps=n)
        assert run.status == ig.Status.MAX_STEPS
        error.append((run.x - end) * n)
    coarse, fine, finer = error
    # error × n = a + b / n + …: its differences halve, and its limit is the same
    size = length(M, end, end + finer)
    assert length(M, end, end + coarse - fine) <= 0.2 * size + 1e-8
    assert length(M, end, end + (coarse - fine) - 2 * (fine - finer)) <= 0.01 * size + 1e-8


@every_manifold
def test_the_flow_is_one_curve(M):
    """The natural flow is the same in both charts."""
    rng = np.random.default_rng(62)
    theta0 = region(M).sample(rng, (3,), 0.3)
    f = Wavy(M, region(M).sample(rng, (), 0.3))
    horizon = float(np.min(local_step(M, theta0, f, 0.2)))
    times = horizon * np.array([0.5, 1.0])
    in_theta = ig.flow(f, theta0, geometry=M, update=ig.NaturalUpdate(), times=times)
    in_eta = ig.flow(f.in_dual_coordinates(), M.to_eta(theta0), geometry=M.dual, update=ig.NaturalUpdate(), times=times)
    assert np.all(length(M, in_theta.path, M.to_theta(in_eta.path)) <= 1e-7)
    assert np.all(length(M, np.stack([theta0] * 2), in_theta.path) > 1e-3)
