"""Expectation–maximisation: figures of two normals, and the law of descent over all models."""
import itertools

import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import FactorAnalysis, HiddenMarkov, LinearExperts, MissingNormal, ProbabilisticPCA
from infogeo.statistics import SQUAREM, MixtureModel, em

from ..backends import BACKENDS
from .inference_helpers import near

_legacy = np.random.RandomState(0)
TWO = np.concatenate([_legacy.randn(300) - 1.0, _legacy.randn(700) + 2.0])
NORMAL = ig.Normal()


def test_two_normals():
    start = NORMAL.theta_from(mean=[-.5, .5], variance=[1.0, 1.0]), [.5, .5]
    found = em(MixtureModel(NORMAL), TWO, start, tol=0.0, max_steps=200)
    near(-found.values[[0, 1, 2, 10]], [2.5810326328, 1.8875044540, 1.8783699323, 1.8515772331])
    near(-found.values[-1], 1.8493406878)
    gain = np.diff(found.values)
    near([gain[0], found.divergences[0]], [.6935282, .6876274], 1e-7)
    assert np.all(gain >= found.divergences - 1e-14)
    quick = em(MixtureModel(NORMAL), TWO, start, tol=1e-13, max_steps=200, acceleration=SQUAREM())
    assert len(quick.values) < 60 and quick.values[-1] >= found.values[-1] - 1e-12
    near(quick.theta[1], [.2791916603, .7208083397], 1e-6)
    own = NORMAL.parameters(quick.theta[0])
    near(own["mean"], [-1.0935355679, 1.8868390229], 1e-5)
    near(own["variance"], [.8463051183, .9841231154], 1e-5)


def problems():
    """(model, x, start) of every kind."""
    rng = np.random.default_rng(4)
    counts = np.concatenate([rng.poisson(2.0, 30), rng.poisson(9.0, 30)]).astype(float)
    yield "mixture", MixtureModel(ig.Poisson()), counts, ([[0.0], [1.5]], [.5, .5])
    yield "mixture of categories", MixtureModel(ig.Independent(ig.Categorical(3), 4)), rng.integers(0, 3, (40, 4)), (
        0.5 * rng.standard_normal((2, 8)), [.4, .6])
    yield "with a prior", MixtureModel(ig.Gamma(), 2.0), rng.gamma(2.0, size=40), ([[1.0, -2.0], [2.0, -1.0]], [.5, .5])
    states = np.cumsum(rng.random((5, 20)) < 0.2, axis=-1) % 2
    yield "hidden Markov", HiddenMarkov(ig.Poisson()), rng.poisson(np.where(states, 6.0, 1.0)).astype(float), (
        [.5, .5], [[.7, .3], [.4, .6]], [[0.0], [1.0]])
    yield "hidden Markov of vectors", HiddenMarkov(ig.DiagonalNormal(2)), (
        rng.standard_normal((3, 15, 2)) + 2.0 * states[:3, :15, None]), (
        [.5, .5], [[.7, .3], [.4, .6]], ig.DiagonalNormal(2).theta_from(mean=[[0.0, 0.0], [1.0, 1.0]], variance=np.ones((2, 2))))
    x = rng.multivariate_normal([1.0, -1.0, 0.5], [[1.0, .6, .3], [.6, 2.0, -.4], [.3, -.4, 1.5]], 40)
    yield "missing", MissingNormal(), np.where(rng.random(x.shape) < 0.3, np.nan, x), (np.zeros(3), np.eye(3))
    z = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 5)) + rng.standard_normal((60, 5)) * [.3, .5, .7, 1.0, .2] + 3.0
    yield "factors", FactorAnalysis(), z, (np.zeros(5), rng.standard_normal((5, 2)), np.ones(5))
    yield "principal components", ProbabilisticPCA(), z, (np.zeros(5), rng.standard_normal((5, 2)), np.ones(5))
    X = np.stack([np.ones(50), rng.standard_normal(50)], axis=-1)
    y = np.where(rng.random(50) < 0.4, X @ [1.0, 2.0], X @ [-1.0, -1.0]) + 0.3 * rng.standard_normal(50)
    yield "experts", LinearExperts(), (X, y), ([.5, .5], [[.5, 1.0], [-.5, 0.0]], [1.0, 1.0])
    yield "hidden Markov of other lengths", HiddenMarkov(ig.Poisson()), [
        rng.poisson(np.where(row, 6.0, 1.0)[:n]).astype(float) for row, n in zip(states, (20, 1, 7, 12))], (
        [.5, .5], [[.7, .3], [.4, .6]], [[0.0], [1.0]])


PROBLEMS = {name: problem for name, *problem in problems()}
every_problem = pytest.mark.parametrize("model, x, start", PROBLEMS.values(), ids=PROBLEMS)


@every_problem
def test_descent_and_fixed_point(model, x, start):
    """L falls by at least the divergence of the complete model; where steps end, L is stationary; acceleration ends no lower."""
    found = em(model, x, start, tol=0.0, max_steps=30)
    assert np.all(np.diff(found.values) >= found.divergences - 1e-13) and np.all(found.divergences >= -1e-15)
    assert found.divergences[0] > 1e-4
    end = em(model, x, start, tol=1e-14, max_steps=3000, acceleration=SQUAREM())
    assert end.converged and end.values[-1] >= found.values[-1] - 1e-12
    quick = em(model, x, start, tol=1e-12, max_steps=300, acceleration=ig.AcceleratedBregman(2.0))
    assert quick.converged and np.all(np.diff(quick.values) >= quick.divergences - 1e-13)
    near(quick.values[-1], end.values[-1], 1e-9)
    data, _ = model.prepared(x, start)
    at, step = model.vector(end.theta), 1e-5 * np.eye(len(model.vector(end.theta)))

    def value(v):
        return model.expect(data, model.from_vector(v, end.theta))[0]

    slopes = np.array([value(at + d) - value(at - d) for d in step]) / 2e-5
    if isinstance(model, ProbabilisticPCA):         # one number stands five times in the vector
        slopes[-5:] = slopes[-5:].sum()
    assert np.max(np.abs(slopes)) <= 1e-6


@every_problem
@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend, model, x, start):
    x = type(x)(map(backend.make, x)) if isinstance(x, (tuple, list)) else backend.make(np.asarray(x, dtype=float))
    start = tuple(backend.make(np.asarray(part, dtype=float)) for part in start)
    for acceleration in (SQUAREM(), ig.AcceleratedBregman(2.0)):
        found = em(model, x, start, tol=0.0, max_steps=4, acceleration=acceleration)
        for part in (found.values, found.divergences, *found.theta):
            assert np.all(np.isfinite(backend.check(part)))


class OfComplete(ig.Objective):
    """L as a function of the natural parameters of the complete model, by `MissingNormal`."""

    def __init__(self, model, x, like):
        self.model, self.x, self.like = model, x, like

    def value_and_gradient(self, theta):
        at = self.model.from_vector(theta, self.like)
        value, statistics = self.model.expect(self.x, at)
        return -value, self.model.moments(theta, at) - self.model.moments(
            self.model.vector(self.model.maximise(self.x, statistics)), at)


def test_steps_are_mirror_steps_of_the_complete_model():
    """Plain steps and those with momentum are those of `descend` with step 1 on the complete family in its natural chart."""
    model, x, start = PROBLEMS["missing"]
    x, start = model.prepared(x, start)
    for acceleration, update in ((None, ig.MirrorUpdate()), (ig.AcceleratedBregman(1.5),) * 2):
        found = em(model, x, start, tol=0.0, max_steps=4, acceleration=acceleration)
        run = ig.descend(OfComplete(model, x, start), model.vector(start), geometry=ig.MultivariateNormal(3), update=update,
                         step=1.0, max_steps=4)
        near(model.vector(found.theta), run.x, 1e-12)


def test_moments_of_a_mixture_are_the_differential_of_its_cumulant_function():
    model, x, start = PROBLEMS["mixture"]
    _, start = model.prepared(x, start)
    at, step = model.vector(start), 1e-6 * np.eye(4)

    def cumulant(v):
        return np.log(np.sum(np.exp(v[2:] + ig.Poisson().potential(v[:2, None]))))

    near(model.moments(at, start), [(cumulant(at + d) - cumulant(at - d)) / 2e-6 for d in step], 1e-8)
    moments = np.array([.5, 3.0, .3, .7])
    near(model.moments(model.from_moments(moments, start), start), moments, 1e-14)


def second_differences(f, at, h=1e-4):
    """The Hessian of f, (d, d)."""
    steps = h * np.eye(len(at))
    return np.array([[f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b) for b in steps] for a in steps]) / (4 * h * h)


def test_local_rate():
    """At the end the derivative of a step is I − I_com⁻¹ I_obs, the share of information that is missing."""
    model, x, start = PROBLEMS["missing"]
    end = em(model, x, start, tol=0.0, max_steps=400).theta
    at, family, h = model.vector(end), ig.MultivariateNormal(3), 1e-5

    def step(v):
        return model.vector(model.maximise(x, model.expect(x, model.from_vector(v, end))[1]))

    observed = -second_differences(lambda v: model.expect(x, model.from_vector(v, end))[0], at)
    missing = np.eye(9) - np.linalg.solve(family.metric(at), observed)
    moved = np.array([(step(at + d) - step(at - d)) / (2 * h) for d in h * np.eye(9)]).T
    near(moved, missing, 1e-5)
    assert 0.2 < np.max(np.linalg.eigvals(missing).real) < 0.9


def test_divergence_is_what_the_maximisation_gains():
    """Of the complete likelihood, computed term by term, for the models whose own divergence has a weight or a shift in it."""
    model, x, start = PROBLEMS["experts"]
    data, old = model.prepared(x, start)
    share = model.expect(data, old)[1]
    new = model.maximise(data, share)

    def complete(weights, coefficients, variances):
        away = data[:, 2] - coefficients @ data[:, :2].T
        v = variances[:, None]
        return np.sum(share * (np.log(weights)[:, None] - 0.5 * (np.log(v) + away**2 / v))) / len(data)

    near(model.divergence(data, share, new, old), complete(*new) - complete(*old), 1e-12)
    model, x, start = PROBLEMS["with a prior"]
    x, old = model.prepared(x, start)
    share = model.expect(x, old)[1]
    new = model.maximise(x, share)

    def complete(theta, weights):
        density = ig.Gamma().log_density(theta[:, None, :], x)
        return (np.sum(share * (np.log(weights)[:, None] + density)) + 2.0 * np.sum(density.mean(1))) / len(x)

    near(model.divergence(x, share, new, old), complete(*new) - complete(*old), 1e-12)


def test_hidden_markov_is_the_sum_over_paths():
    model, x, (initial, transition, theta) = PROBLEMS["hidden Markov"]
    start = np.asarray(initial), np.asarray(transition), np.asarray(theta)
    parts = [x[0, :6], x[1, :3], x[2, :1]]
    expected = []
    for part in parts:
        logs = ig.Poisson().log_density(start[2], part[:, None])
        total = 0.0
        for path in itertools.product(range(2), repeat=len(part)):
            prior = start[0][path[0]] * np.prod([start[1][a, b] for a, b in zip(path, path[1:])])
            total += prior * np.exp(sum(logs[t, j] for t, j in enumerate(path)))
        expected.append(np.log(total))
    near(model.log_likelihood(parts, start), expected, 1e-13)
    long = np.tile(x[:2, :6], (1, 500))             # in the log domain: e^{−8000} is no number
    assert np.all(np.isfinite(model.log_likelihood(long, start)))


def test_hidden_markov_of_other_lengths_adds_up():
    """Expected statistics of several sequences are the sums of those of each, whatever stands beside it."""
    model, x, start = PROBLEMS["hidden Markov of other lengths"]
    held = np.empty(len(x), dtype=object)
    held[:] = x
    near(em(model, held, start, tol=0.0, max_steps=1).values, em(model, x, start, tol=0.0, max_steps=1).values, 1e-15)
    data, theta = model.prepared(x, start)
    value, (states, pairs) = model.expect(data, theta)
    alone = [model.expect(*model.prepared([part], start)) for part in x]
    assert data.n == 40
    near(value * 40, sum(found[0] * len(part) for found, part in zip(alone, x)), 1e-12)
    near(pairs, sum(found[1][1] for found in alone), 1e-13)
    for i, (part, found) in enumerate(zip(x, alone)):
        near(states[:len(part), i], found[1][0][:, 0], 1e-13)
        assert np.all(states[len(part):, i] == 0.0)
    new = model.maximise(data, (states, pairs))
    near(new[2][:, 0], np.log([sum(f[1][0][:, 0, j] @ part for f, part in zip(alone, x))
                               / sum(f[1][0][:, 0, j].sum() for f in alone) for j in range(2)]), 1e-12)


def test_normal_with_nothing_missing_is_fitted_in_one_step():
    family, x = ig.MultivariateNormal(3), np.random.default_rng(0).standard_normal((20, 3)) + 5.0
    found = em(MissingNormal(), x, (np.zeros(3), np.eye(3)), tol=1e-12, max_steps=5)
    own = family.parameters(family.fit(x))
    near(found.theta[0], own["mean"], 1e-13)
    near(found.theta[1], own["covariance"], 1e-13)
    near(found.values[1], np.mean(family.log_density(family.fit(x), x)), 1e-13)


def test_principal_components():
    """The closed form: the variance left over is the mean of the smaller eigenvalues."""
    model, x, start = PROBLEMS["principal components"]
    found = em(model, x, start, tol=1e-15, max_steps=3000, acceleration=SQUAREM())
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    near(found.theta[2], eigenvalues[:3].mean(), 1e-5)
    near(found.theta[0], x.mean(0), 1e-7)
    mean, loadings, noise = found.theta
    family = ig.MultivariateNormal(5)
    theta = family.theta_from(mean=mean, covariance=loadings @ loadings.T + np.diag(noise))
    near(found.values[-1], np.mean(family.log_density(theta, x)), 1e-12)


@every_problem
def test_messages(model, x, start):
    with pytest.raises((ig.ShapeError, ig.DomainError)):
        em(model, x, tuple(np.asarray(part)[..., None] for part in start), tol=1e-6, max_steps=3)
    with pytest.raises(TypeError, match="start must be a tuple"):
        em(model, x, start[:1], tol=1e-6, max_steps=3)
    with pytest.raises(ig.DomainError, match="tol"):
        em(model, x, start, tol=-1.0, max_steps=3)
