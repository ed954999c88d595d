"""Conditionally conjugate models: coordinate and stochastic updates, with figures of a normal law, mixtures and topics."""
import numpy as np
import pytest
from scipy.special import digamma

import infogeo as ig
from infogeo.inference import BayesianMixture, ConjugateModel, CoordinateUpdate, LinearRegression, NegativeELBO
from infogeo.statistics import SufficientStatistics, posterior, predictive_log_density

from ..backends import BACKENDS
from .inference_helpers import near

EIGHT = np.array([1.2, .3, 2.1, -.4, 1.7, .9, 1.1, .2])


def test_mean_and_precision():
    """N(μ, 1/τ) by the mean field is a regression on a constant."""
    model = LinearRegression(np.ones((8, 1)), EIGHT, prior_precision=0.01)
    q, f = model.q, NegativeELBO(model.q, model)
    start = q.to_eta(np.array([[0.0, -0.5, 1.0, -1.0], [3.0, -9.0, 2.0, -7.0]]))
    run = ig.descend(f, start, geometry=q.dual, update=CoordinateUpdate(), step=1.0, max_steps=60, tol=1e-12)
    found = q.parameters(q.to_theta(run.x))
    near(found["mean_0"][:, 0], .886668987537)
    near(found["covariance_0"][:, 0, 0], 1 / 10.679743562871)
    near(found["shape_1"], 5.0)
    near(found["rate_1"], 3.748918590620)
    near(-run.values[-1], -13.771950137722, 1e-12)
    assert np.all(-run.values[-1] < -13.717558639) and np.all(np.diff(run.values, axis=0) <= 1e-13)
    at_once = ig.descend(f, start, geometry=q.dual, update=ig.MirrorUpdate(), step=0.5, max_steps=100, tol=1e-10)
    near(at_once.x, run.x, 1e-9)


def test_exact_linear_regression():
    """Evidence of N(μ, 1/τ) to the digits of a two-dimensional quadrature; with few digits of noise left it stays finite."""
    exact = LinearRegression(np.ones((8, 1)), EIGHT, prior_precision=0.01).exact()
    near(exact.log_evidence, -13.717558639, 1e-9)
    pulled = LinearRegression(np.ones((8, 1)), EIGHT, prior_precision=20.0).exact()         # the mean of μ given τ depends on τ
    tau, mu = np.meshgrid(np.exp(np.linspace(-6, 3, 401)), np.linspace(-8, 10, 801), indexing="ij")
    joint = (-0.5 * tau * np.sum((EIGHT[:, None, None] - mu) ** 2, axis=0) + 5.0 * np.log(tau) - tau - 0.005 * mu**2)
    for found, more in ((exact, 0.0), (pulled, 19.99)):
        share = np.exp(joint - 0.5 * more * mu**2 - np.max(joint - 0.5 * more * mu**2))
        share /= share.sum()
        near(found.mean, [np.sum(share * mu), np.sum(share * tau)], 1e-6)
        near(found.deviation, [np.sqrt(np.sum(share * (part - np.sum(share * part)) ** 2)) for part in (mu, tau)], 1e-5)
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 9)), rng.standard_normal(5)              # more weights than observations
    t = np.linspace(-40.0, 6.0, 4001)
    law = [ig.MultivariateNormal(5).theta_from(mean=np.zeros(5), covariance=np.eye(5) * np.exp(-at) + X @ X.T) for at in t]
    value = ig.MultivariateNormal(5).log_density(np.stack(law), y) + t - np.exp(t)
    near(LinearRegression(X, y, 1.0).exact().log_evidence, np.log(np.sum(np.exp(value)) * (t[1] - t[0])), 1e-8)
    X = rng.standard_normal((20000, 3))
    sharp = LinearRegression(X, X @ [1.0, 2.0, 3.0] + 1e-3 * rng.standard_normal(20000), 1.0).exact()
    near(sharp.mean[:3], [1.0, 2.0, 3.0], 1e-4)
    assert np.isfinite(sharp.log_evidence) and 3e3 < sharp.mean[3] < 2e4        # the prior of rate 1 holds it back


def test_a_coordinate_step_starts_where_the_last_one_ended():
    """After a step of size 1 the last factor is the best one beside the others, as it was not beside the old ones."""
    model = LinearRegression(np.ones((8, 1)), EIGHT, prior_precision=0.01)
    q, f = model.q, NegativeELBO(model.q, model)
    eta = q.to_eta(np.array([3.0, -9.0, 2.0, -7.0]))
    moved = CoordinateUpdate(f)(q.dual, eta, f.value_and_gradient(eta)[1], 1.0)[0]
    covector = f.value_and_gradient(moved)[1]
    near(covector[2:], 0.0, 1e-12)
    assert np.max(np.abs(covector[:2])) > 1e-3


def test_halves_are_the_whole_on_average():
    """Value and differential of the two mini-batches of a pass, each counted twice."""
    family, x = ig.Rayleigh(), np.array([0.5, 2.0, 1.0, 3.0])
    prior = ig.InverseGamma().theta_from(shape=2.0, scale=1.0)
    halves = NegativeELBO(ig.InverseGamma(), ConjugateModel.of(family, prior, x, batch_size=2))
    eta, rng = ig.InverseGamma().to_eta(prior), np.random.default_rng(0)
    drawn = [halves.draw(rng).value_and_gradient(eta) for _ in range(2)]
    for k, expected in enumerate(NegativeELBO(ig.InverseGamma(), ConjugateModel.of(family, prior, x)).value_and_gradient(eta)):
        near(drawn[0][k] / 2 + drawn[1][k] / 2, expected, 1e-13)
    assert abs(drawn[0][0] - drawn[1][0]) > 0.1


def test_a_run_goes_on_bit_by_bit():
    model = ConjugateModel.of(ig.Poisson(), [2.0, -1.0], np.arange(7.0), batch_size=3)
    f, eta, kept = NegativeELBO(model.q, model), model.q.to_eta(np.array([2.0, -1.0])), []
    run = dict(geometry=model.q.dual, update=ig.MirrorUpdate(), step=ig.Diminishing(1.0, power=0.7), max_steps=8)

    def keep(moment):
        if moment.k == 4:
            kept.append(moment.snapshot())

    whole = ig.descend(f, eta, rng=np.random.default_rng(3), callbacks=[keep], **run)
    model = ConjugateModel.of(ig.Poisson(), [2.0, -1.0], np.arange(7.0), batch_size=3)
    again = ig.descend(NegativeELBO(model.q, model), eta, rng=np.random.default_rng(9), callbacks=[keep], resume=kept[0], **run)
    assert np.array_equal(again.x, whole.x)


def test_a_mixture_of_equals_is_one_law():
    """With all members alike, ℓ is that of one law but for the weights, E log w being the same of both."""
    family, x = ig.Rayleigh(), np.array([0.5, 2.0, 1.0, 3.0])
    prior = ig.InverseGamma().theta_from(shape=2.0, scale=1.0)
    alone, both = ConjugateModel.of(family, prior, x), BayesianMixture(family, 2, prior, 1.0, x)
    member, weights = ig.InverseGamma().to_eta(prior), ig.Dirichlet(2).to_eta([3.0, 3.0])
    found = both.likelihood(np.concatenate([weights, member, member]), x)[0]
    near(found, alone.likelihood(member, x)[0] + 4 * (weights[0] + np.log(2)), 1e-13)


def test_conjugate_evidence():
    """At the posterior the bound is the evidence, the product of one-step predictions; mini-batches of all are the batch."""
    family, x = ig.Poisson(), np.array([2.0, 0.0, 3.0, 1.0])
    prior = ig.Gamma().theta_from(shape=2.0, rate=1.5)
    model = ConjugateModel.of(family, prior, x)
    run = ig.descend(NegativeELBO(model.q, model), model.q.to_eta(prior), geometry=model.q.dual, update=ig.MirrorUpdate(),
                     step=1.0, max_steps=1)
    near(model.q.to_theta(run.x), posterior(family, prior, SufficientStatistics.from_data(family, x)), 1e-13)
    log_evidence, theta = 0.0, prior
    for value in x:
        log_evidence += predictive_log_density(family, theta, value)
        theta = posterior(family, theta, SufficientStatistics.from_data(family, value[None]))
    near(-run.values[-1], log_evidence, 1e-13)
    whole = ConjugateModel.of(family, prior, np.sort(x), batch_size=4)
    same = ig.descend(NegativeELBO(model.q, whole), model.q.to_eta(prior), geometry=model.q.dual, update=ig.MirrorUpdate(),
                      step=1.0, max_steps=1, rng=np.random.default_rng(0))
    assert np.array_equal(same.x, run.x)


@pytest.mark.parametrize("family, prior, sample", [
    (ig.Poisson(), [2.0, -1.0], [0, 1, 1, 2, 9, 11, 8, 10, 0, 1, 12]),
    (ig.Normal(), ig.NormalGamma().theta_from(location=0.0, precision_scale=0.1, shape=2.0, rate=1.0),
     [-2.1, -1.9, -2.3, -1.8, 3.0, 3.2, 2.9, 3.3, 3.1])])
def test_mixture(family, prior, sample):
    """Coordinate steps never lower the bound, its differential is that of its value, and clusters are found."""
    x = np.array(sample, dtype=float)
    model = BayesianMixture(family, 2, prior, 1.0, x)
    q, f = model.q, NegativeELBO(model.q, model)
    rng = np.random.default_rng(0)
    share = rng.dirichlet([1.0, 1.0], len(x))
    theta = model.prior_theta + np.concatenate([share.sum(0), (share.T @ model._messages(x, x)).reshape(-1)])
    run = ig.descend(f, q.to_eta(theta), geometry=q.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=200, tol=1e-9)
    assert run.status == ig.Status.CONVERGED and np.all(np.diff(run.values) <= 1e-12)
    high = x > np.mean(x)
    found = np.argmax(model.log_shares(run.x, x), axis=-1)
    assert np.all(found == found[high][0], where=high) and np.all(found != found[high][0], where=~high)
    eta, step = q.to_eta(theta), 1e-6 * np.eye(q.dim)
    slopes = (f.value_and_gradient(eta + step)[0] - f.value_and_gradient(eta - step)[0]) / 2e-6
    near(f.value_and_gradient(eta)[1], slopes, 1e-5)


class Topics:
    """Latent Dirichlet allocation: the local optimum of documents given E log of the topics."""

    def __init__(self, k, alpha, steps=100):
        self.k, self.alpha, self.steps, self.law = k, alpha, steps, ig.Dirichlet(k)

    def __call__(self, eta, counts):
        weight = np.exp(eta.reshape(self.k, -1))
        gamma = np.ones((len(counts), self.k))
        for _ in range(self.steps):
            before, about = gamma, np.exp(digamma(gamma) - digamma(gamma.sum(-1, keepdims=True)))
            gamma = self.alpha + about * ((counts / (about @ weight)) @ weight.T)
            if np.mean(np.abs(gamma - before)) < 1e-8:
                break
        about = np.exp(digamma(gamma) - digamma(gamma.sum(-1, keepdims=True)))
        total = about @ weight
        prior = np.full(self.k, self.alpha)
        value = np.sum(counts * np.log(total)) - np.sum(self.law.kl(gamma, prior))
        return value, (weight * (about.T @ (counts / total))).reshape(-1)


def test_topics():
    rng = np.random.default_rng(0)
    topics, theta = rng.dirichlet(np.full(50, .1), 5), rng.dirichlet(np.full(5, .2), 400)
    counts = np.array([rng.multinomial(60, row @ topics) for row in theta]).astype(float)
    start = rng.gamma(100., .01, (5, 50))
    q = ig.Independent(ig.Dirichlet(50), 5)
    assert np.array_equal(ig.Dirichlet(3).theta_from(concentration=[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0])
    eta, words = q.to_eta(start.reshape(-1)), counts.sum()
    bound = NegativeELBO(q, ConjugateModel(q, np.full(250, .1), Topics(5, .2, 500), counts))
    f = NegativeELBO(q, ConjugateModel(q, np.full(250, .1), Topics(5, .2), counts))
    run = ig.descend(f, eta, geometry=q.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=10)
    near([-bound.value_and_gradient(x)[0] / words for x in run.path[[0, 1, 2, 5, 10]]],
         [-4.52992, -3.09808, -2.93497, -2.82386, -2.81336], 1e-5)
    model = ConjugateModel(q, np.full(250, .1), Topics(5, .2), counts, batch_size=20)
    run = ig.descend(NegativeELBO(q, model), eta, geometry=q.dual, update=ig.MirrorUpdate(), step=ig.Diminishing(1.0, power=.7),
                     max_steps=40, rng=rng)
    near([-bound.value_and_gradient(x)[0] / words for x in run.path[[20, 40]]], [-2.90857, -2.90143], 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    ones, counts = np.ones((8, 1)), np.array([1.0, 2.0, 0.0, 7.0])
    for model in (LinearRegression(backend.make(ones), backend.make(EIGHT), 1.0),
                  ConjugateModel.of(ig.Poisson(), backend.make([2.0, -1.0]), backend.make(counts), batch_size=2),
                  BayesianMixture(ig.Poisson(), 2, backend.make([2.0, -1.0]), 1.0, backend.make(counts))):
        run = ig.descend(NegativeELBO(model.q, model), model.q.to_eta(model.prior_theta), geometry=model.q.dual,
                         update=CoordinateUpdate(), step=0.5, max_steps=2, rng=np.random.default_rng(0))
        assert np.all(np.isfinite(backend.check(run.x)))


def test_messages():
    model = LinearRegression(np.ones((8, 1)), EIGHT, 1.0)
    with pytest.raises(TypeError, match="in which the prior is"):
        NegativeELBO(ig.Gamma(), model)
    with pytest.raises(TypeError, match="no conjugate prior"):
        ConjugateModel.of(ig.Gamma(), [1.0, -1.0], EIGHT)
    with pytest.raises(ig.DomainError, match="prior_theta"):
        ConjugateModel.of(ig.Poisson(), [1.0, 1.0], [1, 2])
    with pytest.raises(ig.DomainError, match="batch_size"):
        ConjugateModel.of(ig.Poisson(), [1.0, -1.0], [1, 2], batch_size=3)
    with pytest.raises(ig.ShapeError, match="X must have shape"):
        LinearRegression(EIGHT, EIGHT, 1.0)
    with pytest.raises(TypeError, match="likelihood must be a function"):
        ConjugateModel(ig.Gamma(), [1.0, -1.0], 3.0, EIGHT)
