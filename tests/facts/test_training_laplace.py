"""The Laplace approximation: exact for linear models, dense formulas for every curvature, and what it must not depend on."""
from functools import partial

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import multivariate_normal, norm

import infogeo as ig
from infogeo import curvature as c
from infogeo.errors import DomainError, ShapeError
from infogeo.networks import MLP, ConditionalModel, Tanh
from infogeo.training import LaplacePosterior, LinearisedPrediction

from ..backends import every_dtype
from .training_helpers import problem

CURVATURES = {
    "fisher": c.fisher, "block diagonal": c.block_diagonal, "diagonal": c.diagonal_fisher, "unit-wise": c.unitwise_fisher,
    "K-FAC": c.kfac, "EK-FAC": c.ekfac, "low rank": partial(c.low_rank_fisher, rank=3),
    "sampled": lambda *a: c.sampled_fisher(*a, np.random.default_rng(3)), "empirical": c.empirical_fisher,
}
every_curvature = pytest.mark.parametrize("curvature", CURVATURES.values(), ids=CURVATURES)
TAU = 0.7


def dense_evidence(model, w, batch, C, tau, n):
    """By the definition, from a dense curvature."""
    log_p = n * -model.loss(w, batch) + multivariate_normal(np.zeros(w.size), np.eye(w.size) / tau).logpdf(w)
    return log_p + 0.5 * w.size * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(n * C + tau * np.eye(w.size))[1]


def regression(n=20, v=0.3):
    """(model, rows of the homogeneous inputs in θ's units, x, y, mode) of a linear normal model."""
    rng = np.random.default_rng(1)
    model, x = ConditionalModel(MLP((3, 1)), ig.NormalKnownVariance(v)), rng.standard_normal((n, 3))
    X = v * np.column_stack([x, np.ones(n)])            # the mean is v θ
    y = rng.standard_normal(n) + 2.0
    return model, X, x, y, np.linalg.solve(X.T @ X / v + TAU * np.eye(4), X.T @ y / v)


def test_linear_regression_is_exact():
    """One layer: the exact block is the whole metric, and one output makes K-FAC and EK-FAC exact, too."""
    v, (model, X, x, y, mode) = 0.3, regression()
    for curvature in (c.fisher, c.block_diagonal, c.kfac, c.ekfac):
        posterior = LaplacePosterior(model, mode, (x, y), curvature, TAU)
        exact = multivariate_normal(np.zeros(20), v * np.eye(20) + X @ X.T / TAU).logpdf(y)
        np.testing.assert_allclose(posterior.log_marginal_likelihood(), exact, rtol=1e-10)
        joint = X @ np.linalg.inv(X.T @ X / v + TAU * np.eye(4)) @ X.T
        found = posterior.predict(x)
        np.testing.assert_allclose(found.moments(), [X @ mode, v + np.diag(joint)], rtol=1e-10)
        log_p = norm(X @ mode, np.sqrt(v + np.diag(joint))).logpdf(y)
        np.testing.assert_allclose(found.log_density(np.random.default_rng(0), 40000, y), log_p, atol=0.1)


def test_vectors_are_exact():
    rng, V = np.random.default_rng(2), np.array([[1.0, 0.4], [0.4, 0.5]])
    model = ConditionalModel(MLP((2, 2), bias=False), ig.MultivariateNormalKnownCovariance(V))
    x, w = rng.standard_normal((9, 2)), rng.standard_normal(4)
    mean, covariance = LaplacePosterior(model, w, (x, rng.standard_normal((9, 2))), c.fisher, TAU).predict(x[:3]).moments()
    J = np.stack([V @ np.kron(a, np.eye(2)) for a in x])                   # of the mean
    S = np.linalg.inv(np.einsum("nip,ij,njq->pq", J, np.linalg.inv(V), J) + TAU * np.eye(4))
    np.testing.assert_allclose(mean, J[:3] @ w, rtol=1e-12)
    np.testing.assert_allclose(covariance, V + J[:3] @ S @ np.swapaxes(J[:3], 1, 2), rtol=1e-10)


def test_logistic_regression_at_its_mode():
    """Against NumPy alone, and against the integral over the weights, from which a Laplace approximation differs by O(1/n)."""
    rng = np.random.default_rng(4)
    model, x = ConditionalModel(MLP((1, 1)), ig.Bernoulli()), rng.standard_normal((60, 1))
    X = np.column_stack([x, np.ones(60)])
    y = (rng.random(60) < 1 / (1 + np.exp(-X @ [1.5, -0.5]))).astype(float)
    energy = lambda w: np.sum(np.logaddexp(0, w @ X.T) - y * (w @ X.T), axis=-1) + 0.5 * TAU * np.sum(w**2, axis=-1)
    w = minimize(energy, np.zeros(2), tol=1e-12).x
    p = 1 / (1 + np.exp(-X @ w))
    precision = X.T * p * (1 - p) @ X + TAU * np.eye(2)
    expected = -energy(w) + np.log(TAU) - 0.5 * np.linalg.slogdet(precision)[1]
    posterior = LaplacePosterior(model, w, (x, y), c.fisher, TAU)
    found = posterior.log_marginal_likelihood()
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    shift = np.stack(np.meshgrid(*2 * [np.linspace(-3, 3, 61)]), axis=-1)
    integral = np.log(np.sum(np.exp(-energy(w + shift) - found)) * 0.1**2 * TAU / (2 * np.pi))      # log p(y) − found
    np.testing.assert_allclose(integral, 0.0, atol=0.02)


def wave(shape, c):
    return 1.5 * np.sin(c * (1.0 + np.arange(np.prod(shape))) ** 1.3).reshape(shape)


# Evidence and the covariance of two logits at the first input, then evidence and the first two variances of a regression:
# laplace-torch 0.3 (its BackPack, for "kron" its curvlinops backend), in float64
PEER = {
    "full": (c.fisher, [-86.66196190717122, 2.722778997492271, 1.151943249156963],
             [-153.5493019140347, 0.304662522107223, 0.29350286553544]),
    "kron": (c.kfac, [-92.11715635153966, 2.359490742946242, 1.128462297558857],
             [-158.22646274244974, 0.362894511872038, 0.325968040393983]),
    "diag": (c.diagonal_fisher, [-97.75183718241976, 1.403559213737774, -0.351444661573445],
             [-161.38766057437624, 0.353093888015177, 0.358289855241897]),
}


@pytest.mark.parametrize("curvature, of_classes, of_numbers", PEER.values(), ids=PEER)
def test_beside_laplace_torch(curvature, of_classes, of_numbers):
    """3-5-3 with all logits; 3-5-1 with known noise, whose last layer is there scaled by the variance, and its prior with it."""
    x, W1 = wave((40, 3), 1.0), wave((3, 5), 3.0)
    model = ConditionalModel(MLP((3, 5, 3), bias=False), ig.Categorical(3), ig.domains.SymmetricSoftmax(3))
    w = np.concatenate([W1.ravel(), wave((5, 3), 4.0).ravel()])
    posterior = LaplacePosterior(model, w, (x, np.arange(40) * 7 % 3), curvature, TAU)
    found = [posterior.log_marginal_likelihood(), *posterior.predict(x[:1]).covariance[0, 0, :2]]
    np.testing.assert_allclose(found, of_classes, rtol=1e-11)
    model = ConditionalModel(MLP((3, 5, 1), bias=False), ig.NormalKnownVariance(0.25))
    w = np.concatenate([W1.ravel(), wave((5, 1), 5.0).ravel()])
    posterior = LaplacePosterior(model, w, (x, wave((40,), 2.0)), curvature, TAU)
    found = [posterior.log_marginal_likelihood(), *posterior.predict(x[:2]).moments()[1]]
    np.testing.assert_allclose(found, of_numbers, rtol=1e-11)


@every_curvature
@pytest.mark.parametrize("name", ["categorical", "normal"])
def test_every_curvature_against_its_dense_matrix(name, curvature):
    model, w, batch = problem(name)
    posterior, C = LaplacePosterior(model, w, batch, curvature, TAU), curvature(model, w, batch).dense()
    np.testing.assert_allclose(posterior.log_marginal_likelihood(), dense_evidence(model, w, batch, C, TAU, 24), rtol=1e-10)
    covariance = np.linalg.inv(24 * C + TAU * np.eye(w.size))
    J = np.moveaxis(model.network.jvp(w, batch[0], np.eye(w.size)), 0, -1)
    found = posterior.predict(batch[0])
    np.testing.assert_allclose(found.covariance, J @ covariance @ np.swapaxes(J, 1, 2), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(found.mean, model.network.forward(w, batch[0]))
    draws = posterior.sample(np.random.default_rng(0), (3000,)) - w
    z = np.random.default_rng(0).standard_normal((3000, w.size))
    L = np.linalg.lstsq(z, draws, rcond=None)[0]
    np.testing.assert_allclose(L.T @ L, covariance, atol=1e-9)


def test_the_fisher_metric_is_the_gauss_newton_matrix():
    model, w, (x, y) = problem("categorical")
    J, G = np.moveaxis(model.network.jvp(w, x, np.eye(w.size)), 0, -1), model.family.metric(model.theta(w, x))
    GGN = np.einsum("nip,nij,njq->pq", J, G, J) / len(x)
    found = LaplacePosterior(model, w, (x, y), c.fisher, TAU).log_marginal_likelihood()
    np.testing.assert_allclose(found, dense_evidence(model, w, (x, y), GGN, TAU, 24), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@every_curvature
def test_the_best_prior(curvature, scale):
    """At its maximum τ |w|² is the effective number of weights; the evidence is concave in log τ, so that there is one."""
    model, w, batch = problem("categorical")
    posterior = LaplacePosterior(model, w, batch, lambda *a: scale * curvature(*a), TAU)
    values = 24 * np.linalg.eigvalsh(posterior.curvature.dense())
    tau = brentq(lambda t: np.sum(values / (values + t)) - t * w @ w, 1e-9, w.size / (w @ w), xtol=1e-14)
    best = posterior.with_best_prior_precision()
    np.testing.assert_allclose(best.prior_precision, tau, rtol=1e-6)
    assert posterior.prior_precision == TAU
    for t in (0.9 * tau, 1.1 * tau):
        assert posterior.with_prior_precision(t).log_marginal_likelihood() < best.log_marginal_likelihood()


@every_curvature
def test_a_prior_of_each_layer(curvature):
    """Dense formulas; the best ones have τ |w|² = p − τ tr (n C + T)⁻¹ in every layer, and more evidence than one for all."""
    model, w, batch = problem("categorical")
    parts = [s for s in model.network.slices if s is not None]
    tau, T = (0.5, 2.0, 1.0), np.concatenate([np.full(s.stop - s.start, t) for s, t in zip(parts, (0.5, 2.0, 1.0))])
    posterior = LaplacePosterior(model, w, batch, curvature, list(tau))
    P = 24 * posterior.curvature.dense() + np.diag(T)
    assert posterior.prior_precision == tau
    np.testing.assert_allclose(posterior.precision.dense(), P, rtol=1e-10, atol=1e-12)
    prior = multivariate_normal(np.zeros(w.size), np.diag(1.0 / T)).logpdf(w)
    expected = -24 * model.loss(w, batch) + prior + 0.5 * w.size * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(P)[1]
    np.testing.assert_allclose(posterior.log_marginal_likelihood(), expected, rtol=1e-10)
    z = np.random.default_rng(0).standard_normal(w.size)
    draw = posterior.sample(np.random.default_rng(0)) - w
    np.testing.assert_allclose(draw @ P @ draw, z @ z, rtol=1e-9)
    best = posterior.with_best_prior_precision()
    covariance = np.linalg.inv(best.precision.dense())
    for s, t in zip(parts, best.prior_precision):
        np.testing.assert_allclose(t * w[s] @ w[s], s.stop - s.start - t * np.trace(covariance[s, s]), rtol=1e-5)
    one = posterior.with_prior_precision(1.0).with_best_prior_precision()
    assert best.log_marginal_likelihood() > one.log_marginal_likelihood()


@pytest.mark.parametrize("curvature", [c.fisher, c.block_diagonal, c.kfac, c.ekfac, c.diagonal_fisher])
def test_whole_weights_are_repetitions(curvature):
    model, w, (x, y) = problem("categorical")
    counts = np.arange(24) % 4
    weighted = LaplacePosterior(model, w, (x, y, counts), curvature, TAU)
    repeated = LaplacePosterior(model, w, (np.repeat(x, counts, axis=0), np.repeat(y, counts)), curvature, TAU)
    assert weighted.n == repeated.n == counts.sum()
    np.testing.assert_allclose(weighted.log_marginal_likelihood(), repeated.log_marginal_likelihood(), rtol=1e-12)
    np.testing.assert_allclose(weighted.predict(x).covariance, repeated.predict(x).covariance, rtol=1e-9)


@pytest.mark.parametrize("curvature", [c.fisher, c.block_diagonal, c.kfac, c.ekfac])
def test_rotated_inputs_are_the_same_model(curvature):
    """x ↦ x Q with W₁ ↦ Qᵀ W₁, under which the prior is the same: not so of the diagonal."""
    model, w, (x, y) = problem("categorical")
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    turned = w.copy()
    turned[:15] = (Q.T @ w[:15].reshape(3, 5)).ravel()
    one, other = LaplacePosterior(model, w, (x, y), curvature, TAU), LaplacePosterior(model, turned, (x @ Q, y), curvature, TAU)
    np.testing.assert_allclose(other.log_marginal_likelihood(), one.log_marginal_likelihood(), rtol=1e-10)
    np.testing.assert_allclose(other.predict(x @ Q).covariance, one.predict(x).covariance, rtol=1e-8, atol=1e-12)


def test_classes_numbered_otherwise():
    rng, order = np.random.default_rng(6), np.array([2, 0, 1])
    model = ConditionalModel(MLP((3, 4, 3), Tanh()), ig.Categorical(3), ig.domains.SymmetricSoftmax(3))
    w, x, y = rng.standard_normal(model.network.size), rng.standard_normal((12, 3)), rng.integers(0, 3, 12)
    renamed = w.copy()
    renamed[16:] = w[16:].reshape(5, 3)[:, order].ravel()
    one, other = (LaplacePosterior(model, *a, c.kfac, TAU) for a in ((w, (x, y)), (renamed, (x, np.argsort(order)[y]))))
    np.testing.assert_allclose(other.log_marginal_likelihood(), one.log_marginal_likelihood(), rtol=1e-10)
    p = one.predict(x).probabilities()
    np.testing.assert_allclose(other.predict(x).probabilities(), p[:, order], rtol=1e-9)
    np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-12)
    sampled = one.predict(x).sampled_probabilities(np.random.default_rng(0), 4000)
    np.testing.assert_allclose(p, sampled, atol=0.08)           # .055 by the approximation, .224 without the variances
    np.testing.assert_allclose(sampled.sum(-1), 1.0, rtol=1e-12)


def prediction(family, mean, covariance):
    outputs = len(mean[0])
    return LinearisedPrediction(ConditionalModel(MLP((2, outputs)), family), np.array(mean), np.array(covariance))


def test_probit_of_two_classes_is_mackays():
    seen = prediction(ig.Bernoulli(), [[1.2], [-700.0]], [[[3.0]], [[1.0]]])
    p = 1 / (1 + np.exp(-1.2 / np.sqrt(1 + 3 * np.pi / 8)))
    np.testing.assert_allclose(seen.probabilities()[0], [1 - p, p], rtol=1e-14)
    assert 0 < seen.probabilities()[1, 1] < 1e-200
    np.testing.assert_allclose(prediction(ig.Categorical(2), [[-1.2]], [[[3.0]]]).probabilities(), [[1 - p, p]], rtol=1e-14)


def test_normal_moments_in_closed_form():
    """Against quadrature over both outputs: u = (μ/v, −log 2v)."""
    m, S = np.array([0.7, -0.3]), np.array([[0.5, 0.2], [0.2, 0.3]])
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1) @ np.linalg.cholesky(S).T + m
    weight = np.outer(weights, weights) / (2 * np.pi)
    v = 0.5 * np.exp(-z[..., 1])
    mu = v * z[..., 0]
    mean = np.sum(weight * mu)
    seen = prediction(ig.Normal(), [m], [S])
    np.testing.assert_allclose(np.ravel(seen.moments()), [mean, np.sum(weight * (v + mu**2)) - mean**2], rtol=1e-10)
    rough = seen.sampled_moments(np.random.default_rng(0), 100000)
    np.testing.assert_allclose(np.ravel(rough), np.ravel(seen.moments()), rtol=0.03)


@every_dtype
@pytest.mark.parametrize("curvature", [c.fisher, c.kfac, c.diagonal_fisher], ids=["fisher", "kfac", "diagonal"])
def test_on_every_backend(curvature, dtype, backend):
    expected = LaplacePosterior(*problem("categorical"), curvature, TAU)
    model, w, batch = problem("categorical", backend, dtype)
    posterior = LaplacePosterior(model, w, batch, curvature, TAU).with_best_prior_precision().with_prior_precision(TAU)
    tol = {"rtol": 1e-9} if dtype == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    np.testing.assert_allclose(posterior.log_marginal_likelihood(), expected.log_marginal_likelihood(), **tol)
    rng, one = np.random.default_rng, expected.predict(problem("categorical")[2][0])
    seen = posterior.predict(batch[0])
    for found, right in [(posterior.sample(rng(0), (2,)), expected.sample(rng(0), (2,))), (seen.covariance, one.covariance),
                         (seen.probabilities(), one.probabilities())]:
        np.testing.assert_allclose(backend.check(found, dtype), right, **tol)
    assert backend.check(seen.sampled_probabilities(rng(0), 3), dtype).shape == (24, 3)
    assert backend.check(seen.log_density(rng(0), 3, batch[1]), dtype).shape == (24,)


def test_refusals():
    model, w, batch = problem("categorical")
    make = lambda w=w, batch=batch, curvature=c.kfac, tau=1.0: LaplacePosterior(model, w, batch, curvature, tau)
    with pytest.raises(DomainError, match="prior_precision must satisfy prior_precision > 0; got 0"):
        make(tau=0)
    with pytest.raises(ShapeError, match="prior_precision must be a number, or one of each of the 3 layers with weights; got 2"):
        make(tau=np.array([1.0, 2.0]))
    with pytest.raises(DomainError, match=r"prior_precision > 0 and finite; 1 of 3 points does not, first at index \(1,\): -2"):
        make(tau=[1.0, -2.0, 3.0])
    with pytest.raises(DomainError, match="must be a number > 0, or one of each of the 3 layers with weights; got 'best'"):
        make(tau="best")
    first = model.network.slices[0]
    with pytest.raises(DomainError, match=r"w not 0 in any layer; 1 of 3 points does not, first at index \(0,\)"):
        make(w=np.where(np.arange(w.size) < first.stop, 0.0, w), tau=[1.0, 1.0, 1.0]).with_best_prior_precision()
    with pytest.raises(TypeError, match="curvature must be a function .model, w, batch., such as"):
        make(curvature="kfac")
    with pytest.raises(DomainError, match="x must satisfy x finite; 1 of 72 points does not"):
        make().predict(np.where(np.arange(72).reshape(24, 3) == 5, np.inf, batch[0]))
    with pytest.raises(DomainError, match="w must satisfy w finite; 1 of 54 points does not, first at index .3,.: nan"):
        make(w=np.where(np.arange(w.size) == 3, np.nan, w))
    with pytest.raises(ShapeError, match=r"w must have shape \(54,\); got \(2, 54\)"):
        make(w=np.stack([w, w]))
    with pytest.raises(TypeError, match="curvature must give a LinearOperator"):
        make(curvature=lambda *a: c.kfac(*a).dense())
    with pytest.raises(DomainError, match="n C . prior_precision I must be positive definite; it is not, with n = 24"):
        make(curvature=lambda *a: -c.kfac(*a))
    with pytest.raises(DomainError, match="w must satisfy w not 0"):
        make(w=0.0 * w).with_best_prior_precision()
    with pytest.raises(ShapeError, match=r"x must have shape \(n, 3\); got \(3,\)"):
        make().predict(batch[0][0])
    with pytest.raises(TypeError, match="moments are known in closed form of"):
        make().predict(batch[0]).moments()
    with pytest.raises(TypeError, match="classes have probabilities in"):
        prediction(ig.Poisson(), [[0.0]], [[[1.0]]]).probabilities()
    assert make().predict(batch[0][:0]).covariance.shape == (0, 2, 2)
