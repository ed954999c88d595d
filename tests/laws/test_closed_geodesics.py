"""Fisher–Rao geometry in closed form: a metric, geodesics of constant speed, exp and log inverse to each other."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.calvo_oller import calvo_oller_bound
from infogeo.geometry.manifolds.half_plane import HalfSpace
from infogeo.statistics.location_scale import LocationScale, LogLocationScale

from ..registry import PRIMAL

CLOSED = ["Bernoulli", "Categorical(3)", "Categorical(3, reference=0)", "Categorical(6)", "Poisson", "Exponential", "Normal",
          "MultivariateNormal(1)", "MultivariateNormal(2)", "MultivariateNormal(3)", "Binomial(7)", "Erlang(3)", "LogNormal",
          "Pareto(2.0)", "NormalKnownVariance(4.0)", "Geometric", "Rayleigh", "HalfNormal", "Weibull(1.7)", "InverseGaussian",
          "NormalKnownMean(1.5)", "Gumbel(2.0)", "DiagonalNormal(2)", "IsotropicNormal(3)", "MultivariateNormalKnownCovariance",
          "NegativeBinomial(7)", "LogitNormal", "Multinomial(3, 5)", "Laplace(0.5)", "MatrixNormalKnownCovariances",
          "Independent(Categorical(3), 2)", "Euclidean(3)", "Quadratic(Q)", "NegativeEntropy(3)", "Burg(3)", "LogDet(2)",
          "LogDet(3)"]
SPACES = {name: PRIMAL[name] for name in CLOSED} | {
    "HalfSpace(1)": HalfSpace(1, 0.7), "HalfSpace(2)": HalfSpace(2), "HalfSpace(4)": HalfSpace(4, 2.0),
    "cauchy": LocationScale.cauchy(), "student": LocationScale.student_t(4), "logistic": LocationScale.logistic(),
    "gumbel": LocationScale.gumbel(), "laplace": LocationScale.laplace(), "weibull": LogLocationScale.weibull(),
    "frechet": LogLocationScale.frechet(), "pareto": LogLocationScale.pareto(),
    "Product": ig.Product(ig.Normal(), ig.Bernoulli(), ig.Poisson()), "Independent(Normal, 3)": ig.Independent(ig.Normal(), 3),
}
every_space = pytest.mark.parametrize("M", SPACES.values(), ids=SPACES)


def points(M, count, scale=0.7, n=12):
    rng = np.random.default_rng(8)
    return [M.domain.sample(rng, (n,), scale) for _ in range(count)]


@every_space
def test_metric_axioms(M):
    p, q, r = points(M, 3)
    d = M.distance(p, q)
    assert d.shape == (12,) and np.all(d > 0)
    assert np.all(M.distance(p, p) == 0)
    np.testing.assert_allclose(M.distance(q, p), d, rtol=1e-11)
    assert np.all(M.distance(p, r) <= (d + M.distance(q, r)) * (1 + 1e-12))


@every_space
def test_constant_speed(M):
    """d(x(s), x(t)) = |t − s| d(p, q): the ends, and geodesics between any of their points."""
    p, q = points(M, 2)
    t = np.array([0.0, 0.2, 0.7, 1.0])
    curve, d = M.geodesic(p, q, t[:, None]), M.distance(p, q)
    assert curve.shape == (4, *p.shape)
    tolerance = 1e-9 * (1 + np.max(np.abs(p) + np.abs(q)))
    np.testing.assert_allclose(curve[0], p, rtol=1e-10, atol=tolerance)
    np.testing.assert_allclose(curve[3], q, rtol=1e-10, atol=tolerance)
    for i, j in ((0, 1), (0, 2), (1, 2), (2, 3)):
        np.testing.assert_allclose(M.distance(curve[i], curve[j]), (t[j] - t[i]) * d, rtol=1e-8)


@every_space
def test_exp_and_log(M):
    """exp(log) is the identity, |log| the distance, and the geodesic is t ↦ exp(t log)."""
    p, q = points(M, 2)
    vector = M.log(p, q)
    np.testing.assert_allclose(M.norm(p, vector), M.distance(p, q), rtol=1e-10)
    np.testing.assert_allclose(M.exp(p, vector), q, rtol=1e-8, atol=1e-8 * np.max(np.abs(q)))
    np.testing.assert_allclose(M.exp(p, 0.4 * vector), M.geodesic(p, q, 0.4), rtol=1e-8, atol=1e-8 * np.max(np.abs(q)))
    np.testing.assert_allclose(M.log(p, M.exp(p, 0.1 * vector)), 0.1 * vector, rtol=1e-7, atol=1e-8 * np.max(np.abs(vector)))


@every_space
def test_the_metric_is_that_of_the_manifold(M):
    """d(x, x + h) is the norm of h at the middle, up to order |h|³."""
    p = points(M, 1)[0]
    vector = np.random.default_rng(9).standard_normal(p.shape)
    step = 1e-4 * vector / M.norm(p, vector)[:, None]
    np.testing.assert_allclose(M.distance(p - 0.5 * step, p + 0.5 * step), 1e-4, rtol=1e-6)


@every_space
def test_every_backend(M, backend):
    """Values, library, device and dtype, with a time of its own for every row."""
    for dtype, tolerance in (("float64", 1e-10), ("float32", 2e-4)):
        assert_same_numbers(M, backend, dtype, tolerance)


def assert_same_numbers(M, backend, dtype, tolerance):
    p, q = points(M, 2, 0.3, 3)
    p, q = (x.astype(dtype).astype(float) for x in (p, q))
    t = np.array([0.25, 0.5, 1.0])
    vector = 0.3 * M.log(p, q)
    own = [backend.make(x, dtype) for x in (p, q, t, vector)]
    results = {
        "distance": (M.distance(p, q), M.distance(own[0], own[1])),
        "geodesic": (M.geodesic(p, q, t), M.geodesic(own[0], own[1], own[2])),
        "exp": (M.exp(p, vector), M.exp(own[0], own[3])),
        "log": (M.log(p, q), M.log(own[0], own[1])),
    }
    for name, (expected, found) in results.items():
        found = backend.check(found, dtype)
        assert found.shape == expected.shape, name
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.max(np.abs(expected)), err_msg=name)


@every_space
def test_one_point_against_a_batch(M):
    p, q = points(M, 2, n=4)
    np.testing.assert_allclose(M.distance(p[0], q), M.distance(np.stack([p[0]] * 4), q), rtol=1e-13)
    assert M.geodesic(p[0], q, 0.5).shape == M.log(p[0], q).shape == q.shape
    assert M.geodesic(p[0], q[1], np.linspace(0, 1, 5)).shape == (5, M.dim)
    assert np.ndim(M.distance(p[0], q[0])) == 0
    assert M.exp(p, M.log(p[0], q[0])).shape == p.shape


@pytest.mark.parametrize("size", [1, 2, 3])
def test_bounds_of_normals(size, backend):
    M = ig.MultivariateNormal(size)
    p, q = points(M, 2)
    below = backend.check(calvo_oller_bound(M, backend.make(p), backend.make(q)))
    assert np.all(below <= M.distance(p, q) * (1 + 1e-12))
