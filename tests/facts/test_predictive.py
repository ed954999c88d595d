"""Evidence by weights of a variational posterior, and predictions."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (LogisticRegression, MonteCarloExpectation, NegativeELBO, QuadratureExpectation, Regression,
                               predictive, reference)

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
    with pytest.raises(TypeError, match="draws need rng"):
        predictive(FULL, THETA, LOGISTIC, X, draws=3)
    with pytest.raises(ig.ShapeError, match="one number a point"):
        reference(FULL, THETA, lambda z: z, QuadratureExpectation(3))
