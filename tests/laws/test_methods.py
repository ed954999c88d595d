"""Methods of the loop on every kind of manifold: what each is in the case that is known, and what it never does."""
import numpy as np

import infogeo as ig
from infogeo.testing.calculus import condition

from ..registry import region
from .objectives import every_kind_of_loop, length


def setting(M):
    rng = np.random.default_rng(43)
    return region(M).sample(rng, (6,), 0.4), ig.CrossEntropy(M, M.to_eta(region(M).sample(rng, (6,), 0.4)))


@every_kind_of_loop
def test_no_step_of_a_trust_region_is_longer_than_delta(M):
    """D(x_k ‖ x_{k+1}) ≤ δ, and no value rises, along all three curves."""
    x0, f = setting(M)
    delta = np.geomspace(1e-4, 1.0, 6)
    for update in (ig.NaturalUpdate(), ig.MirrorUpdate(), ig.GradientUpdate()):
        run = ig.descend(f, x0, geometry=M, update=update, step=ig.TrustRegion(delta), max_steps=8)
        assert np.all(M.divergence(run.path[:-1], run.path[1:]) <= delta * (1 + 1e-12))
        assert np.all(np.diff(run.values, axis=0) <= 0) and np.all(run.values[-1] < run.values[0])


@every_kind_of_loop
def test_dual_averaging_with_a_constant_step_and_the_first_answers_are_mirror_descent(M):
    """And the first answer of an accelerated method is one mirror step from the start."""
    x0, f = setting(M)
    run = dict(geometry=M, step=ig.Constant(np.linspace(0.1, 0.9, 6)))
    mirror = ig.descend(f, x0, update=ig.MirrorUpdate(), max_steps=5, **run).path
    tolerance = 1e-12 * condition(M, x0) * (1 + M.norm(x0, x0))
    averaged = ig.descend(f, x0, update=ig.DualAveraging(), max_steps=5, **run).path
    assert np.all(length(M, mirror, averaged) <= tolerance * np.maximum(1.0, condition(M, mirror) / condition(M, x0)))
    for update in (ig.AcceleratedMirror(), ig.AcceleratedBregman(1.0), ig.AcceleratedBregman(2.0)):
        assert np.all(length(M, mirror[1], ig.descend(f, x0, update=update, max_steps=1, **run).x) <= tolerance)


@every_kind_of_loop
def test_damped_newton_lowers_the_value_at_every_step(M):
    """With the Fisher metric as the Hessian of the forward divergence in θ; a step may leave where ψ is not self-concordant."""
    x0, f = setting(M)
    run = ig.descend(f, x0, geometry=M, update=ig.Newton(), step=ig.Damped(), max_steps=12)
    natural = ig.descend(f, x0, geometry=M, update=ig.NaturalUpdate(), step=ig.Damped(), max_steps=12)
    least = -M.dual_potential(f.eta_hat)
    slack = 1e-13 * (1 + np.abs(run.values[0]))
    near = run.values[-1] - least < 1e-3 * (run.values[0] - least) + slack
    assert np.all(np.diff(run.values, axis=0) <= slack) and np.all(near | (run.status == ig.Status.LEFT_DOMAIN)) and np.any(near)
    assert np.all(np.abs(run.values - natural.values) <= 1e-9 * condition(M, x0) * (1 + np.abs(run.values)))
