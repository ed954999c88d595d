"""Natural gradient is Newton's for the forward divergence in θ and the reverse one in η, where the Hessian is the metric."""
import numpy as np

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing.calculus import condition
from infogeo.testing.equivalences import IDENTITIES

from ..registry import every_primal, region
from ..strategies import generic
from .drawn import drawn


def charts(M, theta, target):
    """(manifold, objective, point, minimiser) in both charts."""
    return ((M, ig.CrossEntropy(M, M.to_eta(target)), theta, target),
            (M.dual, ig.ReverseKL(M, target).in_dual_coordinates(), M.to_eta(theta), M.to_eta(target)))


@every_primal
@drawn
def test_hessian_is_the_metric_everywhere(M, data):
    assert_law(IDENTITIES["hessians of divergences are the metric"].law, M, *data.draw(generic(M, (), count=2)))


@every_primal
def test_quadratic_convergence(M):
    """A whole step from a distance r lands at r² a + O(r³): r⁻² times the rest is the same for r and r / 2, up to order r."""
    rng = np.random.default_rng(42)
    target, start = region(M).sample(rng, (), 0.4), rng.standard_normal((5, M.dim))
    for N, f, _, goal in charts(M, target, target):
        direction = start / N.norm(goal, start)[:, None]
        run = dict(geometry=N, update=ig.NaturalUpdate(), step=ig.Constant(1.0), max_steps=1)
        coarse, fine = ((ig.descend(f, goal + r * direction, **run).x - goal) / r**2 for r in (2e-3, 1e-3))
        rounding = 1e-15 * condition(N, goal) * (1 + N.norm(goal, goal)) / 1e-6
        assert np.all(N.norm(goal, coarse - fine) <= 0.01 * (1 + N.norm(goal, fine)**2) + rounding)
