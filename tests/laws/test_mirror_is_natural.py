"""Mirror descent is natural gradient descent on the dual manifold: exactly, at every step size, for every smooth objective.

Source: Raskutti & Mukherjee, The information geometry of mirror descent, IEEE Trans. Inf. Theory 61 (2015).
"""
import numpy as np

import infogeo as ig
from infogeo.testing.calculus import condition

from ..registry import every_kind, every_manifold, every_manifold_once, is_slow, region
from .objectives import Wavy, length, local_step

ROWS = 6


def objectives(M, rng):
    """Any smooth function, and where it does not take long the two divergences."""
    theta = region(M).sample(rng, (), 0.3)
    yield Wavy(M, region(M).sample(rng, (), 0.5))
    if is_slow(M):
        return
    yield ig.CrossEntropy(M, M.to_eta(theta))
    yield ig.ReverseKL(M, theta)


def both(M, f, theta0, h, steps):
    """Mirror descent on M in θ, natural gradient on M.dual in η."""
    run = dict(step=ig.Constant(h), max_steps=steps)
    mirror = ig.descend(f, theta0, geometry=M, update=ig.MirrorUpdate(), **run)
    natural = ig.descend(f.in_dual_coordinates(), M.to_eta(theta0), geometry=M.dual, update=ig.NaturalUpdate(), **run)
    return mirror, natural


def agree(M, mirror, natural):
    """Both paths in the dual chart, row by row, in local units."""
    assert np.array_equal(mirror.status, natural.status) and np.array_equal(mirror.steps, natural.steps)
    moved = M.to_eta(mirror.path)
    kappa = np.max(condition(M, mirror.path), axis=0)
    size = np.max(M.dual.norm(natural.path, natural.path), axis=0)
    assert np.all(length(M.dual, natural.path, moved) <= 1e-12 * kappa * (1 + size))
    assert np.allclose(mirror.values, natural.values, rtol=1e-8, atol=1e-8)


@every_manifold
def test_whole_paths(M):
    rng = np.random.default_rng(31)
    theta0 = region(M).sample(rng, (ROWS,), 0.3)
    for f in objectives(M, rng):
        mirror, natural = both(M, f, theta0, np.min(local_step(M, theta0, f, 0.05)), 4 if is_slow(M) else 12)
        agree(M, mirror, natural)
        assert np.all(mirror.status == ig.Status.MAX_STEPS)
        assert np.max(length(M, theta0, mirror.path[1])) > 1e-3         # they did move


@every_manifold_once
def test_long_steps(M):
    """However long the step; the ones that leave the domain leave it in both."""
    rng = np.random.default_rng(32)
    theta0 = region(M).sample(rng, (2, 3), 0.3)
    for f in objectives(M, rng):
        agree(M, *both(M, f, theta0, local_step(M, theta0, f, np.array([0.5, 0.9, 3.0])), 1))


def short_runs(M):
    """The start, the target in η, step sizes, and for each update how it is run and the result on NumPy."""
    rng = np.random.default_rng(33)
    theta0 = region(M).sample(rng, (2,), 0.2)
    eta_hat = M.to_eta(region(M).sample(rng, (2,), 0.2))
    f = ig.CrossEntropy(M, eta_hat)
    h = np.broadcast_to(np.min(local_step(M, theta0, f, 0.05)), (2,))
    updates = ig.GradientUpdate(), ig.NaturalUpdate(), ig.MirrorUpdate()
    run = dict(geometry=M, max_steps=3)
    return theta0, eta_hat, h, [(run | {"update": update}, ig.descend(f, theta0, step=ig.Constant(h), update=update, **run))
                                for update in updates]


@every_kind
def test_every_backend(M, backend):
    theta0, eta_hat, h, runs = short_runs(M)
    for run, expected in runs:
        made = ig.CrossEntropy(M, backend.make(eta_hat))
        own = ig.descend(made, backend.make(theta0), step=ig.Constant(backend.make(h)), **run)
        assert np.allclose(backend.check(own.path), expected.path, rtol=1e-9, atol=1e-10 * np.abs(expected.path).max())
        assert np.allclose(backend.check(own.values), expected.values, rtol=1e-9, atol=1e-10)
        assert np.allclose(backend.check(own.x), expected.x, rtol=1e-9, atol=1e-10 * np.abs(expected.path).max())
        assert np.array_equal(backend.to_numpy(own.status), expected.status)
        made = ig.CrossEntropy(M, backend.make(eta_hat, "float32"))
        single = ig.descend(made, backend.make(theta0, "float32"), step=ig.Constant(1e-3), **run)
        backend.check(single.path, "float32"), backend.check(single.values, "float32")
