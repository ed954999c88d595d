"""Natural gradient steps do not depend on an affine chart; between curved charts they differ at second order of the step."""
import numpy as np

import infogeo as ig

from ..registry import every_manifold_once, region
from .objectives import Wavy, length, local_step


class AffineChart(ig.Riemannian):
    """A manifold in the coordinates u with x = A u + b: the metric is AᵀGA."""

    def __init__(self, M, A, b):
        self.M, self.map, self.dim = M, ig.AffineMap(A, b), M.dim

    def metric(self, u):
        A = self.map.A
        return A.T @ self.M.metric(self.map(u)) @ A


def setting(M, seed):
    rng = np.random.default_rng(seed)
    return rng, region(M).sample(rng, (4,), 0.3), Wavy(M, region(M).sample(rng, (), 0.3))


@every_manifold_once
def test_affine_charts(M):
    rng, theta0, f = setting(M, 71)
    A, b = np.eye(M.dim) + 0.3 * rng.standard_normal((M.dim, M.dim)), rng.standard_normal(M.dim)
    chart = AffineChart(M, A, b)
    u0 = np.linalg.solve(A, (theta0 - b)[..., None])[..., 0]
    run = dict(update=ig.NaturalUpdate(), step=ig.Constant(local_step(M, theta0, f, 0.05)), max_steps=8)
    here = ig.descend(f, theta0, geometry=M, **run)
    there = ig.descend(f.pulled_back(chart.map), u0, geometry=chart, **run)
    assert np.all(here.status == ig.Status.MAX_STEPS)
    assert np.all(length(M, here.path, chart.map(there.path)) <= 1e-9)
    assert np.allclose(here.values, there.values, rtol=1e-9, atol=1e-9)


@every_manifold_once
def test_gradient_descent_is_not_invariant(M):
    """The same with the plain gradient comes out elsewhere: the law above is about the natural one."""
    _, theta0, f = setting(M, 72)
    stretch = ig.AffineMap(2.0 * np.eye(M.dim))
    run = dict(update=ig.GradientUpdate(), step=ig.Constant(1e-4), max_steps=1)
    here = ig.descend(f, theta0, geometry=M, **run)
    there = ig.descend(f.pulled_back(stretch), 0.5 * theta0, geometry=ig.Euclidean(M.dim), **run)
    assert np.allclose(stretch(there.x) - theta0, 4.0 * (here.x - theta0), rtol=1e-9)


@every_manifold_once
def test_charts_differ_at_second_order(M):
    """One step in θ against one in η: halving the step divides the difference by 4."""
    _, theta0, f = setting(M, 73)
    eta0, g = M.to_eta(theta0), f.in_dual_coordinates()
    one, scaled = dict(update=ig.NaturalUpdate(), max_steps=1), []
    lengths = (4e-3, 2e-3, 1e-3)
    for r in lengths:
        h = local_step(M, theta0, f, r)
        in_theta = ig.descend(f, theta0, geometry=M, step=ig.Constant(h), **one).x
        in_eta = M.to_theta(ig.descend(g, eta0, geometry=M.dual, step=ig.Constant(h), **one).x)
        scaled.append((in_theta - in_eta) / r**2)
    coarse, fine, finer = scaled
    size = length(M, theta0, theta0 + finer)
    assert np.all(length(M, theta0, theta0 + coarse - fine) <= 0.1 * size + 1e-7)
    assert np.all(length(M, theta0, theta0 + fine - finer) <= 0.05 * size + 1e-7)
