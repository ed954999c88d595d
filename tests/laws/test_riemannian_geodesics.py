"""Geodesics of the metric: a distance, paths of constant speed, inverse maps, no dependence on the chart; √J is a bound."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.connections.geodesic import (alpha_exp_map, alpha_geodesic, e_geodesic, exp_map, log_map, m_geodesic,
                                                   riemannian_distance, riemannian_geodesic)
from infogeo.geometry.divergences.divergence import jeffreys_bound

from ..registry import PRIMAL, is_slow, region

QUICK = {name: M for name, M in PRIMAL.items() if not is_slow(M) and M.smooth}
every_quick = pytest.mark.parametrize("M", QUICK.values(), ids=QUICK)
NUMERIC = {name: QUICK[name] for name in ("Gamma", "Beta", "Dirichlet(3)", "Normal", "MultivariateNormal(2)")}
every_numeric = pytest.mark.parametrize("M", NUMERIC.values(), ids=NUMERIC)


def points(M, seed, count=2, n=2):
    """Points within 2 or so of the first, in the metric: in the direction of others, drawn from the bulk of the domain."""
    first, *others = region(M).sample(np.random.default_rng(seed), (count, n), 0.4)
    reach = [np.maximum(1.0, jeffreys_bound(M, first, x) / 2.0)[:, None] for x in others]
    return [first, *(first + (x - first) / r for x, r in zip(others, reach))]


def length(M, x, y):
    """|y − x| in the metric at x."""
    return M.norm(x, y - x)


@every_quick
def test_axioms_of_a_distance(M):
    """d(x, x) = 0, d(x, y) = d(y, x) > 0, d(x, z) ≤ d(x, y) + d(y, z)."""
    x, y, z = points(M, 81, 3)
    d = riemannian_distance
    assert np.all(d(M, x, x) <= 1e-12) and np.all(d(M, x, y) > 0)
    assert np.allclose(d(M, x, y), d(M, y, x), rtol=1e-9)
    assert np.all(d(M, x, z) <= (d(M, x, y) + d(M, y, z)) * (1 + 1e-9))


@every_quick
def test_jeffreys_bound(M):
    """d ≤ √J, the root of the energy of the e- and of the m-geodesic, and d → √J as the points meet."""
    x, y = points(M, 82)
    assert np.all(riemannian_distance(M, x, y) <= jeffreys_bound(M, x, y) * (1 + 1e-9))
    near = x + 1e-3 * (y - x) / length(M, x, y)[:, None]
    assert np.allclose(riemannian_distance(M, x, near), jeffreys_bound(M, x, near), rtol=1e-4)


@every_quick
def test_exp_is_the_inverse_of_log(M):
    """exp_x(log_x(y)) = y, |log_x(y)| = d(x, y), and the velocity on arrival is that of the way back."""
    x, y = points(M, 83)
    velocity, d = log_map(M, x, y), riemannian_distance(M, x, y)
    assert np.allclose(M.norm(x, velocity), d, rtol=1e-8)
    assert np.all(length(M, y, exp_map(M, x, velocity)) <= 1e-7 * d)
    assert np.allclose(M.norm(y, log_map(M, y, x)), d, rtol=1e-8)


@every_quick
def test_constant_speed(M):
    """d(x(s), x(t)) = |t − s| d(x, y), the ends are the points, and x(t) = exp(t v)."""
    x, y = points(M, 84)
    t = np.array([0.0, 0.3, 0.7, 1.0])[:, None]
    path, d = riemannian_geodesic(M, x, y, t), riemannian_distance(M, x, y)
    assert path.shape == (4, *x.shape)
    assert np.all(length(M, x, path[0]) <= 1e-10) and np.all(length(M, y, path[3]) <= 1e-8 * d)
    assert np.allclose(riemannian_distance(M, path[1], path[2]), 0.4 * d, rtol=1e-7)
    assert np.all(length(M, path[1], exp_map(M, x, 0.3 * log_map(M, x, y))) <= 1e-7 * d)


@every_quick
def test_closed_forms_are_the_numeric_ones(M):
    """What a manifold overrides equals the collocation of the base class, to its 1e-8."""
    x, y = points(M, 85)
    d = riemannian_distance(M, x, y)
    base = ig.Riemannian
    assert np.allclose(base.distance(M, x, y), d, rtol=1e-8)
    velocity = base.log(M, x, y)
    assert np.all(M.norm(x, log_map(M, x, y) - velocity) <= 1e-7 * d)
    assert np.all(length(M, y, base.exp(M, x, velocity)) <= 1e-8 * d + 1e-14 * M.norm(y, y))
    middle = riemannian_geodesic(M, x, y, 0.4)
    assert np.all(length(M, middle, base.geodesic(M, x, y, 0.4)) <= 1e-8 * d + 1e-14 * M.norm(middle, middle))


@every_quick
def test_the_dual_manifold_has_the_same_metric(M):
    """Distances agree, geodesics are images of each other, velocities v and G v."""
    x, y = points(M, 86)
    p, q, d = M.to_eta(x), M.to_eta(y), riemannian_distance(M, x, y)
    assert np.allclose(riemannian_distance(M.dual, p, q), d, rtol=1e-8)
    middle = M.to_theta(riemannian_geodesic(M.dual, p, q, 0.6))
    assert np.all(length(M, middle, riemannian_geodesic(M, x, y, 0.6)) <= 1e-7 * d)
    velocity = log_map(M.dual, p, q)
    assert np.all(M.dual.norm(p, velocity - M.flat(x, log_map(M, x, y))) <= 1e-7 * d)
    assert np.all(length(M.dual, q, exp_map(M.dual, p, velocity)) <= 1e-7 * d)


@every_numeric
def test_alpha_geodesics(M):
    """α = 1 is the e-geodesic, α = −1 the m-geodesic, α = 0 that of the metric; the dual of α is −α; exp arrives."""
    x, y = points(M, 87)
    t = np.array([0.25, 0.8])[:, None]
    for alpha, flat in (1, e_geodesic), (-1, m_geodesic), (0, riemannian_geodesic):
        expected = flat(M, x, y, t)
        assert np.all(length(M, expected, alpha_geodesic(M, x, y, t, alpha)) <= 1e-8 * length(M, x, y))
    own, dual = alpha_geodesic(M, x, y, t, 0.4), alpha_geodesic(M.dual, M.to_eta(x), M.to_eta(y), t, -0.4)
    assert np.all(length(M, own, M.to_theta(dual)) <= 1e-8 * length(M, x, y))
    straight, eta = y - x, M.to_eta(y) - M.to_eta(x)
    assert np.all(length(M, y, alpha_exp_map(M, x, straight, 1)) <= 1e-8)
    assert np.all(length(M, y, alpha_exp_map(M, x, M.sharp(x, eta), -1)) <= 1e-7)


class AffineChart(ig.Riemannian):
    """A manifold in the coordinates u with x = A u, of which the metric AᵀGA is given and nothing else."""

    def __init__(self, M, A):
        self.M, self.A, self.dim = M, A, M.dim

    @property
    def domain(self):
        M, A = self.M, self.A
        return ig.domains.MappedDomain(M.domain, lambda xp, x: np.linalg.solve(A, x[..., None])[..., 0],
                                       lambda xp, u: M.domain.contains(u @ A.T), lambda name: f"A {name} in the domain")

    def metric(self, u):
        return self.A.T @ self.M.metric(u @ self.A.T) @ self.A


@pytest.mark.parametrize("M", [ig.Gamma(), ig.Dirichlet(3)], ids=["Gamma", "Dirichlet(3)"])
def test_affine_charts(M):
    """Distances do not depend on the chart, and the image of a geodesic is one: from the metric of another chart alone."""
    rng = np.random.default_rng(88)
    x, y = points(M, 88)
    A = np.eye(M.dim) + 0.3 * rng.standard_normal((M.dim, M.dim)) / M.dim
    chart, inverse = AffineChart(M, A), np.linalg.inv(A).T
    d = riemannian_distance(M, x, y)
    assert np.allclose(riemannian_distance(chart, x @ inverse, y @ inverse), d, rtol=1e-8)
    middle = riemannian_geodesic(chart, x @ inverse, y @ inverse, 0.3) @ A.T
    assert np.all(length(M, middle, riemannian_geodesic(M, x, y, 0.3)) <= 1e-8 * d)


SOME = {name: QUICK[name] for name in ("Gamma", "Dirichlet(3)")}


@pytest.mark.parametrize("M", SOME.values(), ids=SOME)
def test_every_backend(M, backend):
    x, y = points(M, 89)
    velocity = log_map(M, x, y)
    base = ig.Riemannian
    calls = [(riemannian_distance, (x, y)), (jeffreys_bound, (x, y)), (log_map, (x, y)), (exp_map, (x, velocity)),
             (lambda M, x, y: riemannian_geodesic(M, x, y, 0.3), (x, y)),
             (lambda M, x, y: alpha_geodesic(M, x, y, 0.3, 0.5), (x, y)),
             (lambda M, x, v: alpha_exp_map(M, x, v, 0.5), (x, 0.3 * velocity)),
             (base.distance, (x, y)), (base.log, (x, y)), (base.exp, (x, velocity)),
             (lambda M, x, y: base.geodesic(M, x, y, 0.3), (x, y))]
    for f, arrays in calls:
        expected = f(M, *arrays)
        own = backend.check(f(M, *map(backend.make, arrays)))
        assert np.allclose(own, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())
        if backend.name == "numpy":
            assert f(M, *(a.astype(np.float32) for a in arrays)).dtype == np.float32
