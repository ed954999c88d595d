"""Evidence by weights of a variational posterior, and predictions."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (BayesianMixture, GaussianExpectation, LinearRegression, LogisticRegression, LowRankNormal,
                               MonteCarloExpectation, NegativeELBO, QuadratureExpectation, Regression, SoftmaxRegression,
                               WeightPosterior, predictive, reference)

from ..backends import BACKENDS
from .inference_helpers import EVIDENCE, LOGISTIC, X, Y, near

FULL = ig.MultivariateNormal(3)
RUN = ig.descend(NegativeELBO(FULL, LOGISTIC), FULL.to_eta(FULL.theta_from(mean=np.zeros(3), covariance=np.eye(3))),
                 geometry=FULL.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=30, tol=1e-9)
THETA = FULL.to_theta(RUN.x)


def test_evidence():
    exact = reference(FULL, THETA, LOGISTIC, QuadratureExpectation(24))
    near(exact.log_evidence, EVIDENCE, 1e-9)
    near(exact.mean, [.8251630689, -1.7375356324, .5781451682], 1e-7)
    near(exact.deviation, [.3908325411, .5043008118, .3644999896], 1e-7)
    drawn = reference(FULL, THETA, LOGISTIC, MonteCarloExpectation(4000))
    assert 0 < abs(drawn.log_evidence - EVIDENCE) < 5 * drawn.error < 0.02 and 0.9 < drawn.effective < 1
    assert exact.error == 0.0


def test_evidence_by_nodes_at_the_ends_of_the_support():
    """Some nodes of a beta distribution are 0 and 1, with weight 0: the posterior is Beta(3, 2), and B(3, 2) = 1/12."""
    q = ig.Beta()
    found = reference(q, q.theta_from(alpha=2.0, beta=2.0), lambda z: 2.0 * np.log(z) + np.log1p(-z), QuadratureExpectation())
    near(found.log_evidence, -np.log(12.0), 1e-12)
    near(found.mean, 0.6, 1e-12)


def test_predictions():
    """Against means over draws of the weights; of a linear model in closed form."""
    found = predictive(FULL, THETA, LOGISTIC, X[:4], draws=4000, rng=np.random.default_rng(0))
    z = FULL.sample(np.random.default_rng(1), THETA, (20000,))
    p = 1.0 / (1.0 + np.exp(-z @ X[:4].T))
    assert np.all(np.abs(p.mean(0) - found.mean) <= 5 * p.std(0) / 20000**0.5)
    assert np.all(np.abs(found.draws.mean(0) - found.mean) <= 5 * found.deviation / 4000**0.5)
    near(found.lower, np.quantile(p, 0.05, axis=0), 0.03)
    near(found.upper, np.quantile(p, 0.95, axis=0), 0.03)
    near(found.deviation**2, found.mean * (1 - found.mean), 1e-12)
    q = ig.Normal()
    linear = Regression(ig.NormalKnownVariance(2.0), np.ones((3, 1)), [1.0, 2.0, 0.0], 1.0)
    theta = q.theta_from(mean=[1.0, 3.0], variance=0.5)
    found = predictive(q, theta, linear, [[1.0], [2.0]])
    near(found.mean, [[2.0, 4.0], [6.0, 12.0]])             # x·z is the mean over the variance
    near(found.deviation, np.sqrt([[4.0, 10.0]] * 2))


def test_predictions_of_a_linear_model():
    """Student's t of the exact law given the mean field: mean and variance in closed form, draws beside them."""
    rng = np.random.default_rng(5)
    model = LinearRegression(X, X @ [1.0, 2.0, -1.0] + 0.5 * rng.standard_normal(50), 0.1)
    q = model.q
    theta = q.theta_from(mean_0=[1.0, 2.0, -1.0], covariance_0=0.02 * np.eye(3) + 0.01, shape_1=[6.0, 0.9], rate_1=2.0)
    found = predictive(q, theta, model, X[:3], draws=4000, rng=rng)
    spread = 0.02 * np.sum(X[:3] ** 2, -1) + 0.01 * np.sum(X[:3], -1) ** 2
    near(found.mean, [X[:3] @ [1.0, 2.0, -1.0]] * 2, 1e-12)
    near(found.deviation[0] ** 2, 2.0 / 5.0 + spread, 1e-12)
    near(found.upper - found.lower, [2 * 1.6448536269514722 * np.sqrt(spread)] * 2, 1e-12)
    assert np.all(np.isinf(found.deviation[1]))             # E[1/τ] of a shape of at most 1
    near(found.draws[:, 0].mean(0), found.mean[0], 0.05)
    near(found.draws[:, 0].var(0), found.deviation[0] ** 2, 0.06)


def test_predictions_of_a_mixture():
    """Of counts: E y = Σ E w_j E rate_j, the variance by the law of total variance; the draws look like them."""
    model = BayesianMixture(ig.Poisson(), 2, [2.0, -1.0], 1.0, [0, 1, 1, 2, 9, 11, 8, 10])
    q = model.q
    theta = np.array([5.0, 5.0, 20.0, -4.0, 30.0, -3.0])      # shares ½, rates Γ(20, 4) and Γ(30, 3)
    found = predictive(q, theta, model, draws=4000, rng=np.random.default_rng(0))
    assert found.mean.shape == () and found.draws.shape == (4000,)
    near(found.mean, 7.5, 0.1)
    second = 0.5 * (20 * 21 / 16 + 5.0) + 0.5 * (30 * 31 / 9 + 10.0)
    near(found.deviation**2, second - 7.5**2, 0.05)
    near(found.draws.mean(), 7.5, 0.05)
    near(found.draws.var(), second - 7.5**2, 0.1)
    assert found.lower < 7.5 < found.upper
    weights, members = model.members(np.array([.3, .7, 2.0, 5.0]))
    near(weights, [.3, .7], 1e-15)
    near(members, np.log([[2.0], [5.0]]), 1e-15)
    with pytest.raises(TypeError, match="no inputs"):
        predictive(q, theta, model, [[1.0]])


def test_predictions_of_a_network():
    """A linear network is the regression, its predictions those of draws of the weights; any normal q will do."""
    network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1), bias=False), ig.Bernoulli())
    model, exact = WeightPosterior(network, (X, Y), 1.0), predictive(FULL, THETA, LOGISTIC, X[:4])
    found = predictive(FULL, THETA, model, X[:4], draws=7, rng=np.random.default_rng(0))
    near(found.mean, exact.mean, 0.02)
    near(found.deviation**2, found.mean * (1.0 - found.mean), 1e-12)
    near(found.lower, exact.lower, 0.05)
    assert found.draws.shape == (7, 4)
    parts = FULL.parameters(THETA)
    q = LowRankNormal(3, 1)
    at = q.coordinates(parts["mean"], np.diag(parts["covariance"]), 1e-9 * np.ones((3, 1)))
    near(predictive(q, at, model, X[:4]).mean, predictive(q, at, LOGISTIC, X[:4]).mean, 0.02)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_other_models(backend):
    rng = np.random.default_rng(0)
    linear = LinearRegression(backend.make(X), backend.make(Y), 1.0)
    mixture = BayesianMixture(ig.Poisson(), 2, backend.make([2.0, -1.0]), 1.0, backend.make([0.0, 1.0, 9.0]))
    softmax = SoftmaxRegression(backend.make(X[:5]), backend.make(Y[:5]), 1.0, 3)
    wide = ig.MultivariateNormal(6)
    for q, theta, model, at in (
            (linear.q, linear.prior_theta, linear, backend.make(X[:2])), (mixture.q, mixture.prior_theta, mixture, None),
            (wide, backend.make(wide.theta_from(mean=np.zeros(6), covariance=np.eye(6))), softmax, backend.make(X[:2]))):
        for part in predictive(q, theta, model, at, draws=3, rng=rng):
            assert np.all(np.isfinite(backend.check(part)) | (model is linear))


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    theta = backend.make(np.asarray(THETA))
    model = LogisticRegression(backend.make(X), backend.make(Y), 1.0)
    found = predictive(FULL, theta, model, backend.make(X[:2]), draws=3, rng=np.random.default_rng(0))
    exact = reference(FULL, theta, model, QuadratureExpectation(6))
    for part in (*found, exact.log_evidence, exact.mean, reference(FULL, theta, model, MonteCarloExpectation(30)).error):
        assert np.all(np.isfinite(backend.check(part)))


def test_messages():
    with pytest.raises(ig.DomainError, match="level"):
        predictive(FULL, THETA, LOGISTIC, X, level=1.0)
    with pytest.raises(ig.ShapeError, match="X must have shape"):
        predictive(FULL, THETA, LOGISTIC, X[:, :2])
    with pytest.raises(ig.ShapeError, match="X must have shape"):
        predictive(FULL, THETA, LOGISTIC)
    for model in (lambda z: z, LogisticRegression):
        with pytest.raises(TypeError, match="as its argument model"):
            predictive(FULL, THETA, model, X)
    with pytest.raises(TypeError, match="rng must be"):
        predictive(FULL, THETA, LOGISTIC, X, draws=3, rng=0)
    network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1), bias=False), ig.Bernoulli())
    with pytest.raises(ig.DomainError, match="X finite"):
        predictive(FULL, THETA, WeightPosterior(network, (X, Y), 1.0), np.nan * X)
    with pytest.raises(TypeError, match="as its argument q"):
        predictive(ig.Euclidean(3), THETA, LOGISTIC, X)
    with pytest.raises(TypeError, match="draws need rng"):
        predictive(FULL, THETA, LOGISTIC, X, draws=3)
    with pytest.raises(TypeError, match="log_joint must be a function"):
        reference(FULL, THETA, LogisticRegression, QuadratureExpectation(3))
    with pytest.raises(TypeError, match="by must be"):
        GaussianExpectation(3)
    with pytest.raises(ig.ShapeError, match="rate must be one number"):
        LinearRegression(X, Y, 1.0, rate=np.ones(3))
    with pytest.raises(ig.ShapeError, match="one number a point"):
        reference(FULL, THETA, lambda z: z, QuadratureExpectation(3))
