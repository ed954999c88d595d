"""SLANG: a run by hand, its optimum, and the bound of breast cancer by rank."""
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import infogeo as ig
from infogeo.errors import ShapeError
from infogeo.networks.model import ConditionalModel
from infogeo.networks.usual import MLP
from infogeo.operators.low_rank import DiagonalPlusLowRank
from infogeo.training.adaptive import ConstantRate
from infogeo.training.data import MiniBatches, Regularised
from infogeo.training.normal_weights import NormalWeights
from infogeo.training.slang import SLANG, PowerRate

from ..backends import every_dtype
from .training_helpers import leading, problem, resumed, run


@pytest.mark.parametrize("outputs", [ig.curvature.Observed(), ig.curvature.ExactColumns()], ids=["observed", "exact"])
@pytest.mark.parametrize("rank", [2, 100])
def test_a_run_by_hand(outputs, rank):
    """On dense matrices: draws, gradients, the precision and the mean, with momentum."""
    model, w, batch = problem("categorical")
    rng = np.random.default_rng(5)
    update = SLANG(24, rank, 2.0, PowerRate(0.3, 0.51), draws=3, start=6.0, outputs=outputs)
    found = run(model.objective(batch), w, update, max_steps=4)
    low, d, m, x = np.zeros((w.size, w.size)), np.full(w.size, 6.0 / 24), 0.0, w
    for t in range(1, 5):
        q = DiagonalPlusLowRank(24 * d + 2.0, np.zeros((w.size, 0)))
        if t > 1:
            values, Q = np.linalg.eigh(low)
            q = DiagonalPlusLowRank(24 * d + 2.0, np.sqrt(24 * np.maximum(values, 0.0)) * Q)
        weights = x + q.inverse_root(rng.standard_normal((3, w.size)))
        if isinstance(outputs, ig.curvature.Observed):
            G = np.mean([g.T @ g / 24 for g in (model.per_example_gradients(v, batch) for v in weights)], axis=0)
        else:
            G = np.mean([model.fisher_vector(v, batch[0], np.eye(w.size)) for v in weights], axis=0)
        beta = 0.3 / t**0.51
        mixed = (1 - beta) * low + beta * G
        low = leading(mixed, min(rank, w.size))
        d = (1 - beta) * d + np.maximum(np.diag(mixed - low), 0.0)
        m = 0.9 * m + 0.1 * np.mean([model.value_and_gradient(v, batch)[1] for v in weights], axis=0)
        precision = 24 * (low + np.diag(d)) + 2.0 * np.eye(w.size)
        x = x - 0.1 * np.linalg.solve(precision, 24 * m / (1 - 0.9**t) + 2.0 * x)
        np.testing.assert_allclose(found.path[t], x, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(update.posterior(model, found).precision.dense(), precision, rtol=1e-6, atol=1e-7)


def linear(n=60, p=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) @ np.triu(np.ones((p, p)))
    y = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0] + x[:, 1]))).astype(float)
    return ConditionalModel(MLP((p, 1), bias=False), ig.Bernoulli()), (x, y)


def exact_bound(model, batch, q, tau=1.0):
    """That of a Bernoulli model without bias and one prior precision, by quadrature along every x·w."""
    law = ig.MultivariateNormal(q.mean.size)
    f = ig.inference.NegativeELBO(law, ig.inference.LogisticRegression(*batch, tau))
    return f.value_and_gradient(law.to_eta(law.theta_from(mean=q.mean, covariance=np.linalg.inv(q.precision.dense()))))[0]


def best_bound(batch, tau=1.0):
    p = batch[0].shape[1]
    law = ig.MultivariateNormal(p)
    f = ig.inference.NegativeELBO(law, ig.inference.LogisticRegression(*batch, tau))
    start = law.to_eta(law.theta_from(mean=np.zeros(p), covariance=np.eye(p) / tau))
    return ig.descend(f, start, geometry=law.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=100, tol=1e-9).values[-1]


def test_with_the_fisher_metric_and_full_rank_it_ends_at_the_optimum_of_the_bound():
    model, batch = linear()
    update = SLANG(60, 4, 1.0, PowerRate(0.2, 0.7), draws=20, outputs=ig.curvature.ExactColumns())
    found = run(model.objective(batch), np.zeros(4), update, max_steps=300, step=ig.Diminishing(0.2, power=0.7), record=None)
    best, q = best_bound(batch), update.posterior(model, found)
    assert best < exact_bound(model, batch, q) < best + 0.01
    assert abs(q.negative_bound(batch, 1.0, np.random.default_rng(0), 400) - best) < 0.5


@cache
def breast_cancer():
    """Half of the samples, ten of the thirty inputs, as many as the paper's, standardised; and the other half."""
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:568]
    x = x[order][:, :10]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return (x[:284], y[order][:284].astype(float)), (x[284:], y[order][284:].astype(float))


def test_the_bound_of_breast_cancer_by_rank():
    """As in the table of the paper, on another file: exact < rank 10 < rank 1 < single weights, ranks near the exact one."""
    model = ConditionalModel(MLP((10, 1), bias=False), ig.Bernoulli())
    train, test = breast_cancer()
    best, found = best_bound(train), {}
    for rank in (0, 1, 10):
        update = SLANG(284, rank, 1.0, PowerRate(0.1, 0.51), draws=4)
        end = run(MiniBatches(model.objective(train), 32), np.zeros(10), update, max_steps=600,
                  step=ig.Diminishing(0.1, power=0.51), record=None)
        q = update.posterior(model, end)
        found[rank] = exact_bound(model, train, q) - best
        assert -np.mean(q.log_predictive(test, np.random.default_rng(1))) < 0.3
    assert 0 < found[10] < 0.5 < found[1] < found[0] < 10
    print(found)


def test_the_law_of_the_weights():
    """Its density, entropy, divergence and draws against those of a multivariate normal with the same covariance."""
    model, w, batch = problem("poisson")
    rng, k = np.random.default_rng(0), w.size
    q = NormalWeights(model, w, DiagonalPlusLowRank(rng.uniform(1.0, 3.0, k), rng.standard_normal((k, 3))))
    law, S = ig.MultivariateNormal(k), np.linalg.inv(q.precision.dense())
    theta = law.theta_from(mean=w, covariance=S)
    v, tau = rng.standard_normal((5, k)), rng.uniform(0.5, 2.0, k)
    np.testing.assert_allclose(q.log_density(v), law.log_density(theta, v), rtol=1e-10)
    np.testing.assert_allclose(q.entropy(), law.entropy(theta), rtol=1e-12)
    prior = law.theta_from(mean=np.zeros(k), covariance=np.diag(1 / tau))
    np.testing.assert_allclose(q.kl(tau), law.kl(theta, prior), rtol=1e-10)
    np.testing.assert_allclose(q.variances, np.diag(S), rtol=1e-10)
    drawn = q.sample(rng, (4000,))
    assert np.abs(np.cov(drawn.T) - S).max() < 5 * 2**0.5 * np.max(np.diag(S)) / 4000**0.5
    terms = np.array([model.log_density(u, batch) for u in q.sample(np.random.default_rng(3), (50,))])
    np.testing.assert_allclose(q.log_predictive(batch, np.random.default_rng(3), 50), np.log(np.mean(np.exp(terms), axis=0)))
    away = q.sample(np.random.default_rng(3), (4,)) - w
    mean = np.mean([model.loss(w + sign * a, batch) for a in away for sign in (1.0, -1.0)])
    np.testing.assert_allclose(q.negative_bound(batch, tau, np.random.default_rng(3), 8), 24 * mean + q.kl(tau), rtol=1e-12)
    rates = np.mean([model.predict_mean(u, batch[0]) for u in q.sample(np.random.default_rng(3), (50,))], axis=0)
    np.testing.assert_allclose(q.predict_mean(batch[0], np.random.default_rng(3), 50), rates)


def test_a_weight_of_two_counts_as_two():
    model, w, (x, y) = problem("categorical")
    weights, twice = np.ones(24), np.concatenate([np.arange(24), [0, 1]])
    weights[:2] = 2.0
    update = SLANG(26, 3, 1.0, ConstantRate(0.1), draws=2)
    one = run(model.objective((x, y, weights)), w, update, max_steps=5).path
    np.testing.assert_allclose(one, run(model.objective((x[twice], y[twice])), w, update, max_steps=5).path, rtol=1e-8)


def test_twenty_steps_are_ten_and_ten_more(tmp_path):
    model, w, batch = problem("categorical")
    objective, update = lambda: MiniBatches(model.objective(batch), 5), SLANG(24, 3, 1.0, ConstantRate(0.1))
    whole, again = resumed(objective, w, update, tmp_path / "run.checkpoint")
    np.testing.assert_array_equal(again.path, whole.path)


@every_dtype
@pytest.mark.parametrize("rank", [0, 3])
def test_on_every_backend(rank, dtype, backend):
    model, w, batch = problem("categorical", backend, dtype)
    update = SLANG(24, rank, 1.0, ConstantRate(0.1), draws=2)
    found = run(model.objective(batch), w, update, max_steps=4)
    q = update.posterior(model, found)
    seen = [backend.check(value, dtype) for value in (q.log_predictive(batch, np.random.default_rng(0), 3),
                                                      q.predict_mean(batch[0], np.random.default_rng(0), 3))]
    bound = q.negative_bound(batch, 1.0, np.random.default_rng(0), 10)
    model, w, batch = problem("categorical")
    found, p = backend.check(found.x, dtype), update.posterior(model, run(model.objective(batch), w, update, max_steps=4))
    tol = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(found, p.mean, rtol=0, atol=tol)
    np.testing.assert_allclose(seen[0], p.log_predictive(batch, np.random.default_rng(0), 3), rtol=tol, atol=tol)
    np.testing.assert_allclose(seen[1], p.predict_mean(batch[0], np.random.default_rng(0), 3), rtol=tol, atol=tol)
    np.testing.assert_allclose(bound, p.negative_bound(batch, 1.0, np.random.default_rng(0), 10), rtol=tol)


def test_errors():
    model, w, batch = problem("categorical")
    update, loss = SLANG(24, 2, 1.0, ConstantRate(0.1)), model.objective(batch)
    with pytest.raises(ValueError, match="without weight decay, which the prior_precision of SLANG is; got one of 0.1"):
        run(Regularised(loss, 0.1), w, update)
    with pytest.raises(TypeError, match="give descend, or SLANG itself, a generator"):
        run(loss, w, update, rng=None)
    for wrong, message in (((0, 1, 1.0), "n must satisfy n an integer >= 1; got 0"), ((5, -1, 1.0), "rank an integer >= 0"),
                           ((5, 1, 0.0), "prior_precision")):
        with pytest.raises(ValueError, match=message):
            SLANG(*wrong, ConstantRate(0.1))
    with pytest.raises(ValueError, match="start >= 0, finite; got -1.0"):
        SLANG(5, 1, 1.0, ConstantRate(0.1), start=-1.0)
    with pytest.raises(ValueError, match="0 <= momentum < 1; got 'a'"):
        SLANG(5, 1, 1.0, ConstantRate(0.1), momentum="a")
    with pytest.raises(TypeError, match="an object of the class Rate as its argument rate; got 0.1"):
        SLANG(5, 1, 1.0, 0.1)
    with pytest.raises(ValueError, match="0 < c < 1; got 1.0"):
        PowerRate(1.0, 0.5)
    with pytest.raises(ValueError, match=rf"prior_precision must be a number or have shape \({w.size},\); got shape \(3,\)"):
        run(loss, w, SLANG(24, 2, np.ones(3), ConstantRate(0.1)))
    with pytest.raises(TypeError, match="run must be one of SLANG"):
        update.posterior(model, run(loss, w, ig.GradientUpdate(), max_steps=1))
    A = DiagonalPlusLowRank(np.ones(w.size), np.zeros((w.size, 0)))
    for wrong in (lambda q: q.kl(np.ones(3)), lambda q: q.log_density(w[1:])):
        with pytest.raises(ShapeError, match=r"got shape \(3,\)|got \(\d+,\)"):
            wrong(NormalWeights(model, w, A))
    with pytest.raises(ValueError, match=rf"mean and precision must have shapes \({w.size},\)"):
        NormalWeights(model, w[1:], A)
    with pytest.raises(ValueError, match="positive definite"):
        NormalWeights(model, w, DiagonalPlusLowRank(np.zeros(w.size), np.zeros((w.size, 0))))
