"""Softmax regressions: two categories are the logistic one, and local expectations are those of whole draws."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (GaussianExpectation, MonteCarloExpectation, NegativeELBO, QuadratureExpectation, Regression,
                               SoftmaxRegression, VectorRegression, predictive)

from ..backends import BACKENDS
from .inference_helpers import LOGISTIC, X, Y, near

LABELS = np.random.default_rng(0).integers(0, 3, 50).astype(float)
THREE, WIDE = SoftmaxRegression(X[:, :2], LABELS, 1.0, 3), ig.MultivariateNormal(4)


def test_two_categories():
    """The first against the last is the logistic regression of 1 − y."""
    model, q = SoftmaxRegression(X, 1.0 - Y, 1.0, 2), ig.MultivariateNormal(3)
    z = np.random.default_rng(0).standard_normal((2, 3))
    for found, expected in ((model, LOGISTIC), (model.gradient, LOGISTIC.gradient), (model.hessian, LOGISTIC.hessian)):
        near(found(z), expected(z), 1e-12)
    run = ig.descend(NegativeELBO(q, model), q.to_eta(q.theta_from(mean=np.zeros(3), covariance=np.eye(3))), geometry=q.dual,
                     update=ig.MirrorUpdate(), step=1.0, max_steps=20, tol=1e-8)
    near(-run.values[-1], -26.892774280142, 1e-8)
    theta = q.to_theta(run.x)
    found, exact = predictive(q, theta, model, X[:3]), predictive(q, theta, LOGISTIC, X[:3])
    near(found.mean[:, 0], exact.mean, 0.02)
    near(found.mean.sum(-1), 1.0, 1e-12)
    near(found.upper[:, 0], exact.upper, 0.05)


def test_derivatives():
    z, step = np.random.default_rng(1).standard_normal(4), 1e-5 * np.eye(4)
    near(THREE.gradient(z), (THREE(z + step) - THREE(z - step)) / 2e-5, 1e-7)
    near(THREE.hessian(z), (THREE.gradient(z + step) - THREE.gradient(z - step)) / 2e-5, 1e-7)
    logits = np.concatenate([X[:, :2] @ z.reshape(2, 2), np.zeros((50, 1))], axis=-1)
    likelihood = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    prior = -0.5 * z @ z - 2.0 * np.log(2 * np.pi)
    near(THREE(z), likelihood[np.arange(50), LABELS.astype(int)].sum() + prior, 1e-12)


@pytest.mark.parametrize("q, spread", [(WIDE, dict(covariance=0.1 * np.eye(4) + 0.05)),
                                       (ig.DiagonalNormal(4), dict(variance=np.full(4, .1))),
                                       (ig.IsotropicNormal(4), dict(variance=.1))])
def test_local_expectations(q, spread):
    """Of every x_i by itself, beside nodes of all the weights at once."""
    eta = q.to_eta(q.theta_from(mean=[.3, -.2, .5, .1], **spread))
    whole = type("Whole", (), dict(__call__=lambda self, z: THREE(z), gradient=lambda self, z: THREE.gradient(z),
                                   hessian=lambda self, z: THREE.hessian(z)))()
    exact = NegativeELBO(q, whole, GaussianExpectation(QuadratureExpectation(9))).value_and_gradient(eta)
    for found, expected in zip(NegativeELBO(q, THREE).value_and_gradient(eta), exact):
        near(found, expected, 1e-6)


def test_counts_of_two_kinds():
    """Independent families: two regressions side by side."""
    y = np.random.default_rng(3).poisson(1.0, (50, 2)).astype(float)
    model, z = VectorRegression(ig.Independent(ig.Poisson(), 2), X, y, 2.0), np.random.default_rng(4).standard_normal((3, 2))
    each = [Regression(ig.Poisson(), X, y[:, c], 2.0)(z[:, c]) for c in range(2)]
    near(model(z.reshape(-1)), sum(each), 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    model = SoftmaxRegression(backend.make(X[:9, :2]), backend.make(LABELS[:9]), 1.0, 3)
    eta = backend.make(np.stack([WIDE.to_eta(WIDE.theta_from(mean=np.zeros(4), covariance=np.eye(4)))] * 2))
    for part in NegativeELBO(WIDE, model, GaussianExpectation(QuadratureExpectation(4))).value_and_gradient(eta):
        assert np.all(np.isfinite(backend.check(part)))


def test_messages():
    with pytest.raises(TypeError, match="see VectorRegression"):
        Regression(ig.Categorical(3), X, LABELS, 1.0)
    with pytest.raises(TypeError, match="any vector"):
        VectorRegression(ig.Gamma(), X, LABELS, 1.0)
    with pytest.raises(ig.DomainError, match="y"):
        SoftmaxRegression(X, LABELS, 1.0, 2)
    with pytest.raises(ig.ShapeError, match="X must have shape"):
        SoftmaxRegression(X, LABELS[:, None], 1.0, 3)
    for of_weights in (THREE, THREE.gradient, THREE.hessian):
        with pytest.raises(ig.ShapeError, match=r"z must have shape \(..., 4\)"):
            of_weights(np.zeros(3))
    with pytest.raises(ig.ShapeError, match="prior_precision must be one number; got an array"):
        SoftmaxRegression(X, LABELS, np.ones(4), 3)
    with pytest.raises(ValueError, match="rows of one length"):
        SoftmaxRegression([[1.0], [1.0, 2.0]], [0, 1], 1.0, 3)
    with pytest.raises(ig.ShapeError, match=r"q must be on R\^4"):
        NegativeELBO(ig.MultivariateNormal(2), THREE)
    assert isinstance(VectorRegression(ig.Categorical(6), X, LABELS, 1.0).expectation.by, MonteCarloExpectation)
