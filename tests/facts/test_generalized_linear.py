"""Generalised linear models: the laws, the metric against that of networks, logistic regression, data without a minimum."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import check_dually_flat

from ..backends import BACKENDS

RNG = np.random.default_rng(0)
X = np.concatenate([np.ones((12, 1)), RNG.standard_normal((12, 2))], axis=1)


@pytest.mark.parametrize("family, ridge", [(ig.Categorical(3), 0.0), (ig.Poisson(), [0.0, 0.1, 0.2])], ids=repr)
def test_it_is_dually_flat(family, ridge):
    M = ig.GeneralizedLinear(family, X, ridge)
    assert len(check_dually_flat(M, count=3)) >= 30


@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Bernoulli()], ids=repr)
def test_the_metric_and_the_loss_written_out(family):
    M, y = ig.GeneralizedLinear(family, X), np.arange(12) % (family.dim + 1)
    w = RNG.standard_normal((4, M.dim))
    theta = np.einsum("bdp,np->bnd", w.reshape(4, family.dim, 3), X)
    F = np.einsum("bnij,np,nq->bipjq", family.metric(theta), X, X).reshape(4, M.dim, M.dim) / 12
    np.testing.assert_allclose(M.metric(w), F, rtol=1e-12, atol=1e-15)
    loss, gradient = ig.CrossEntropy(M, M.statistic(y)).value_and_gradient(w)
    np.testing.assert_allclose(loss, -np.mean(family.log_density(theta, y), axis=-1), rtol=1e-13)
    residual = family.to_eta(theta) - family.sufficient_statistic(y)
    np.testing.assert_allclose(gradient, np.einsum("bnd,np->bdp", residual, X).reshape(4, -1) / 12, rtol=1e-12, atol=1e-15)


def breast_cancer():
    from sklearn.datasets import load_breast_cancer
    x, y = load_breast_cancer(return_X_y=True)
    return np.concatenate([np.ones((len(y), 1)), (x - x.mean(axis=0)) / x.std(axis=0)], axis=1), y


def test_logistic_regression_by_natural_gradient_and_by_p_norms():
    """The minimum of the penalised loss is known from BFGS; natural gradient has it in 8 steps."""
    x, y = breast_cancer()
    M = ig.GeneralizedLinear(ig.Bernoulli(), x, ridge=0.01)
    f, w0 = ig.CrossEntropy(M, M.statistic(y)), np.zeros(31)
    run = ig.descend(f, w0, geometry=M, update=ig.NaturalUpdate(), step=1.0, max_steps=8)
    assert abs(run.values[-1] - 0.10044630378120592) < 1e-14
    norm = ig.descend(f, w0, geometry=ig.PNorm(31, 1.5), update=ig.MirrorUpdate(), step=ig.RelativeSmooth(8.0), max_steps=300)
    assert norm.values[-1] - run.values[-1] < 1e-4 and np.all(np.diff(norm.values) <= 0)


def test_separable_data_have_no_minimum():
    """Refused at once; with a ridge, with fewer columns, or with one label changed, there is a minimum."""
    x, y = breast_cancer()
    whole = ig.GeneralizedLinear(ig.Bernoulli(), x)
    with pytest.raises(ig.DomainError, match="where data are separable it is on their edge, and no weights are the minimum"):
        ig.CrossEntropy(whole, whole.statistic(y))
    assert not whole.eta_domain.contains(2.0 * whole.statistic(y)) and np.isnan(whole.to_theta(whole.statistic(y))).all()
    line = np.stack([np.ones(6), np.arange(6.0)], axis=1)
    M, labels = ig.GeneralizedLinear(ig.Bernoulli(), line), np.array([[0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1], [1, 1, 1, 1, 1, 1]])
    assert M.eta_domain.contains(M.statistic(labels)).tolist() == [False, True, False]
    ridge = ig.GeneralizedLinear(ig.Bernoulli(), line, ridge=[0.0, 0.1])
    assert ridge.eta_domain.contains(ridge.statistic(labels)).tolist() == [True, True, False]
    counts = ig.GeneralizedLinear(ig.Poisson(), line)
    assert counts.eta_domain.contains(counts.statistic([[0, 0, 0, 0, 0, 3], [0, 1, 0, 0, 0, 3]])).tolist() == [False, True]
    three = ig.GeneralizedLinear(ig.Categorical(3), line)
    assert three.eta_domain.contains(three.statistic([[0, 0, 1, 1, 2, 2], [0, 1, 2, 2, 0, 1]])).tolist() == [False, True]


def test_many_samples_need_no_programme(monkeypatch):
    """Newton's method finds weights, or a direction in which all are on their side, though the nearest is 1e-4 away."""
    monkeypatch.delattr("infogeo.families.linear_means._by_programme")
    rng = np.random.default_rng(0)
    x = np.concatenate([np.ones((5000, 1)), rng.standard_normal((5000, 4))], axis=1)
    M, along = ig.GeneralizedLinear(ig.Bernoulli(), x), x @ rng.standard_normal(5)
    labels = np.stack([along > 0, rng.random(5000) < 1 / (1 + np.exp(-along)), (along > 0) != (np.arange(5000) == 7)])
    assert M.eta_domain.contains(M.statistic(labels)).tolist() == [False, True, True]


def test_least_squares_is_the_normal_with_known_variance():
    y = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.standard_normal(12)
    M = ig.GeneralizedLinear(ig.NormalKnownVariance(1.0), X)
    np.testing.assert_allclose(M.to_theta(M.statistic(y)), np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-11)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_backend(backend, dtype):
    M = ig.GeneralizedLinear(ig.Bernoulli(), backend.make(X, dtype), ridge=0.1)
    y = backend.make(X[:, 1] > 0)
    f = ig.CrossEntropy(M, M.statistic(y))
    run = ig.descend(f, backend.make(np.zeros((2, 3)), dtype), geometry=M, update=ig.NaturalUpdate(), step=1.0, max_steps=6)
    host = ig.GeneralizedLinear(ig.Bernoulli(), X, ridge=0.1)
    np.testing.assert_allclose(backend.check(run.x, dtype)[0], host.to_theta(host.statistic(X[:, 1] > 0)), rtol=1e-4)


DRAWN = ig.GeneralizedLinear(ig.Bernoulli(), X)


def test_what_is_refused():
    for bad, error, words in ((lambda: ig.GeneralizedLinear(ig.Exponential(), X), TypeError, "any theta in R\\^d is allowed"),
                              (lambda: ig.GeneralizedLinear(ig.Bernoulli(), X[0]), ig.ShapeError, r"X must have shape \(n, p\)"),
                              (lambda: ig.GeneralizedLinear(ig.Bernoulli(), X[:, [0, 0]]), ig.DomainError, "rank = 2"),
                              (lambda: ig.GeneralizedLinear(ig.Bernoulli(), X, -1.0), ig.DomainError, "ridge >= 0"),
                              (lambda: ig.GeneralizedLinear(ig.Bernoulli(), X, [1.0]), ig.ShapeError, r"have shape \(3,\)"),
                              (lambda: ig.GeneralizedLinear(ig.Bernoulli(), X * np.nan), ig.DomainError, "X finite"),
                              (lambda: DRAWN.statistic([0, 1]), ig.ShapeError, "the 12 samples"),
                              (lambda: DRAWN.statistic([2] * 12), ig.DomainError, "y must")):
        with pytest.raises(error, match=words):
            bad()
    assert "ridge=[0.1, 0.1, 0.1]" in repr(ig.GeneralizedLinear(ig.Bernoulli(), X, 0.1))
