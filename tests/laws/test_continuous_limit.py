"""Mirror descent and natural gradient are first-order methods for one flow: halving the step halves the distance to it."""
import numpy as np

import infogeo as ig

from ..registry import every_primal, region
from .objectives import Wavy, length, local_step


@every_primal
def test_first_order(M):
    """In θ; in η the two updates are each other."""
    rng = np.random.default_rng(61)
    theta0 = region(M).sample(rng, (), 0.3)
    f = Wavy(M, region(M).sample(rng, (), 0.3))
    horizon = float(local_step(M, theta0, f, 0.05))         # a path of a length of about 0.05 in the metric
    end = ig.flow(f, theta0, geometry=M, update=ig.NaturalUpdate(), times=[horizon]).x
    for update in (ig.MirrorUpdate(), ig.NaturalUpdate()):
        error = []
        for n in (5, 10, 20):
            run = ig.descend(f, theta0, geometry=M, update=update, step=ig.Constant(horizon / n), max_steps=n)
            assert run.status == ig.Status.MAX_STEPS
            error.append((run.x - end) * n)
        coarse, fine, finer = error
        # error × n = a + b / n + …: its differences halve, and its limit is the same
        size = length(M, end, end + finer)
        assert length(M, end, end + coarse - fine) <= 0.2 * size + 1e-8
        assert length(M, end, end + (coarse - fine) - 2 * (fine - finer)) <= 0.01 * size + 1e-8


@every_primal
def test_the_flow_is_one_curve(M):
    """The natural flow is the same in both charts."""
    rng = np.random.default_rng(62)
    theta0 = region(M).sample(rng, (3,), 0.3)
    f = Wavy(M, region(M).sample(rng, (), 0.3))
    horizon = float(np.min(local_step(M, theta0, f, 0.05)))
    times = horizon * np.array([0.5, 1.0])
    in_theta = ig.flow(f, theta0, geometry=M, update=ig.NaturalUpdate(), times=times)
    in_eta = ig.flow(f.in_dual_coordinates(), M.to_eta(theta0), geometry=M.dual, update=ig.NaturalUpdate(), times=times)
    assert np.all(length(M, in_theta.path, M.to_theta(in_eta.path)) <= 1e-7)
    assert np.all(length(M, np.stack([theta0] * 2), in_theta.path) > 1e-3)
