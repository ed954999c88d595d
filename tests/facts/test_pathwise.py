"""Draws that move with the parameters: slopes, exactness for conjugate models, and noise beside the score form."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import MonteCarloExpectation, NegativeELBO, PathwiseExpectation, QuadratureExpectation
from infogeo.inference.paths import has_path, path

from ..backends import BACKENDS
from ..registry import FAMILIES, region
from .inference_helpers import LOGISTIC, near

GAMMA, SIMPLEX = ig.Gamma(), ig.Dirichlet(3)


class Bent:
    """−z − 2 (log z − ½)² of one number."""

    def __call__(self, z):
        xp = ig.backend.backend_of(z)
        return -z - 2.0 * (xp.log(z) - 0.5) ** 2

    def gradient(self, z):
        xp = ig.backend.backend_of(z)
        return -1.0 - 4.0 * (xp.log(z) - 0.5) / z


class OnSimplex:
    """5 log a·z − 3 log b·z."""

    a, b = np.array([.2, .5, .3]), np.array([1.0, .1, 2.0])

    def __call__(self, z):
        return 5.0 * np.log(z @ self.a) - 3.0 * np.log(z @ self.b)

    def gradient(self, z):
        return 5.0 * self.a / (z @ self.a)[..., None] - 3.0 * self.b / (z @ self.b)[..., None]


class Linear:
    """c·T(z) + log h(z), with a gradient by differences of each coordinate."""

    def __init__(self, q, c):
        self.q, self.c = q, c

    def __call__(self, z):
        return self.q.sufficient_statistic(z) @ self.c + self.q.log_base_measure(z)

    def gradient(self, z):
        if isinstance(self.q, ig.Dirichlet):            # of points that leave the simplex
            return (self.c - 1.0) / z
        shape, found = z.shape, []
        for i in range(int(np.prod(self.q.support.shape))):
            h = np.reshape(1e-6 * np.minimum(1.0, np.abs(z)), (*z.shape[:z.ndim - len(self.q.support.shape)], -1))
            h = np.where(np.arange(h.shape[-1]) == i, h, 0.0)
            up, down = np.reshape(z, h.shape) + h, np.reshape(z, h.shape) - h
            found.append((self(up.reshape(shape)) - self(down.reshape(shape))) / (up - down)[..., i])
        return np.reshape(np.stack(found, axis=-1), shape)


def of_gamma(z, v):
    return mp.gammainc(mp.exp(v[0]), 0, mp.exp(v[1]) * z, regularized=True)


def of_beta(z, v):
    return mp.betainc(mp.exp(v[0]), mp.exp(v[1]), 0, z, regularized=True)


def of_normal(z, v):
    return mp.ncdf((z - v[0] / (2 * mp.exp(v[1]))) * mp.sqrt(2 * mp.exp(v[1])))


@pytest.mark.parametrize("q, theta, cdf", [(GAMMA, [2.5, -1.3], of_gamma), (GAMMA, [0.1, -2.0], of_gamma),
                                           (ig.Beta(), [0.7, 2.0], of_beta), (ig.Normal(), [0.6, -0.8], of_normal)])
def test_slopes(q, theta, cdf):
    """∂z = −∂F / ∂_zF in the chart v of the domain of θ, in both tails."""
    found = path(q, np.array(theta), 6, np.random.default_rng(2))
    z, moved = found.place(found.t), found.along(lambda z: z)
    v = [mp.mpf(float(number)) for number in q.theta_domain.chart.inverse(np.array(theta))]
    for k, point in enumerate(map(mp.mpf, map(float, z))):
        for i in range(2):
            slope = mp.diff(lambda s: cdf(point, [v[0] + s * (i == 0), v[1] + s * (i == 1)]), 0)
            near(moved[i, k], float(-slope / mp.diff(lambda x: cdf(x, v), point)), 1e-6)


PATHS = {name: q for name, q in FAMILIES.items() if has_path(q)}
assert len(PATHS) > 20


@pytest.mark.parametrize("q", PATHS.values(), ids=PATHS)
def test_exact_where_g_is_linear(q):
    """From any draws the differential is the posterior's θ, and the value its expectation."""
    rng = np.random.default_rng(7)
    theta, c = region(q).sample(rng, (2,), 0.3), region(q).sample(rng, (), 0.3)
    value, covector = PathwiseExpectation(q.dim + 8)(q, theta, Linear(q, c))
    assert np.all(np.abs(covector - c) <= 3e-5 * (1 + np.abs(c))), (covector, c)
    assert np.allclose(value, q.to_eta(theta) @ c, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("q, theta, model", [
    (GAMMA, [6.0, -4.0], Bent()), (SIMPLEX, [3.0, 2.0, 4.0], OnSimplex()),
    (ig.MultivariateNormal(3), ig.MultivariateNormal(3).theta_from(mean=[.3, -.2, 0.0], covariance=0.3 * np.eye(3)), LOGISTIC),
    (ig.DiagonalNormal(3), ig.DiagonalNormal(3).theta_from(mean=[.3, -.2, 0.0], variance=[.3, .2, .1]), LOGISTIC)])
def test_less_noise_than_the_score_form(q, theta, model):
    """Both agree on average."""
    theta = np.array(theta)
    moving, score = (np.array([way(60, np.random.default_rng(seed))(q, theta, model)[1] for seed in range(120)])
                     for way in (PathwiseExpectation, MonteCarloExpectation))
    assert np.all(moving.var(0) <= 0.8 * score.var(0))
    noise = np.sqrt((moving.var(0) + score.var(0)) / 120)
    assert np.all(np.abs(moving.mean(0) - score.mean(0)) <= 5 * noise + 0.1 * score.std(0))
    if q is GAMMA:
        exact = QuadratureExpectation()(q, theta, model)[1]
        assert np.all(np.abs(moving.mean(0) - exact) <= 5 * moving.std(0) / 120**0.5 + 0.05 * moving.std(0))


def test_gamma_posterior():
    f = NegativeELBO(GAMMA, Bent(), PathwiseExpectation(400))
    run = ig.descend(f, GAMMA.to_eta([1.0, -1.0]), geometry=GAMMA.dual, update=ig.MirrorUpdate(), step=0.5, max_steps=60,
                     tol=1e-9)
    assert run.status == ig.Status.CONVERGED
    assert abs(run.values[-1] - 1.0525436240) < 0.02
    near(GAMMA.parameters(GAMMA.to_theta(run.x))["shape"], 6.0323, 0.1)


def test_float32_has_the_slopes_of_float64():
    narrow, wide = (PathwiseExpectation(50)(GAMMA, np.array([6.0, -4.0], dtype), Bent()) for dtype in (np.float32, np.float64))
    assert narrow[1].dtype == np.float32
    near(narrow[1], wide[1], 1e-5)


def test_score_form_where_there_is_no_path():
    """Of counts, and of a function alone."""
    square = type("Square", (), dict(__call__=lambda s, z: -z * z, gradient=lambda s, z: -2 * z))()
    for q, theta, model in ((ig.Poisson(), [1.0], square), (GAMMA, [2.0, -1.0], lambda z: np.log(z) ** 2)):
        ways = [way(30, np.random.default_rng(4)) for way in (PathwiseExpectation, MonteCarloExpectation)]
        for part, other in zip(*(way(q, np.array(theta), model) for way in ways)):
            assert np.array_equal(part, other)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    product = ig.Product(GAMMA, ig.Beta())
    both = type("Both", (), dict(__call__=lambda s, z: -z[..., 0] ** 2 * z[..., 1],
                                 gradient=lambda s, z: ig.backend.backend_of(z).stack(
                                     [-2 * z[..., 0] * z[..., 1], -z[..., 0] ** 2], axis=-1)))()
    for q, theta, model in ((GAMMA, [[2.0, -1.0], [3.0, -2.0]], Bent()), (product, [2.0, -1.0, 3.0, 2.0], both),
                            (SIMPLEX, [3.0, 2.0, 4.0], type("S", (), dict(__call__=lambda s, z: z[..., 0], gradient=lambda s, z: (
                                1.0 + 0.0 * z)))())):
        for part in PathwiseExpectation(20)(q, backend.make(theta), model):
            assert np.all(np.isfinite(backend.check(part)))


def test_messages():
    with pytest.raises(ig.DomainError, match="n"):
        PathwiseExpectation(2)
    for way in (PathwiseExpectation, MonteCarloExpectation):
        with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
            way(20, 4)
    with pytest.raises(ig.DomainError, match="draws for the statistics"):
        NegativeELBO(SIMPLEX, OnSimplex(), PathwiseExpectation(4))
    with pytest.raises(ig.ShapeError, match="gradient must return the shape"):
        PathwiseExpectation(9)(GAMMA, np.array([1.0, -1.0]), type("Of", (), dict(
            __call__=lambda s, z: z, gradient=lambda s, z: z[..., None]))())
    with pytest.raises(ig.ShapeError, match=r"q must be on R\^3"):
        NegativeELBO(ig.MultivariateNormal(2), LOGISTIC, PathwiseExpectation(40))
