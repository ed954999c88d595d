"""Conditional models: loss, gradient, Hessian and Fisher products for families of every kind of domain."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import NUMPY, to_numpy
from infogeo.domains.chart import Chart, ScaledChart
from infogeo.errors import DomainError, ShapeError
from infogeo.networks.activations import Softplus, Tanh
from infogeo.networks.affine import Convolution2D, Dense
from infogeo.networks.initial import Glorot
from infogeo.networks.linear import Flatten
from infogeo.networks.model import ConditionalModel, CrossEntropyLoss
from infogeo.networks.network import Sequential
from infogeo.networks.pool import MaxPool
from infogeo.networks.usual import MLP
from infogeo.operators.kronecker import Kronecker

from ..backends import every_dtype
from .network_helpers import central

FAMILIES = [ig.Categorical(3), ig.Bernoulli(), ig.Poisson(), ig.Exponential(), ig.Normal(), ig.Gamma(), ig.Dirichlet(3),
            ig.MultivariateNormal(2), ig.NormalGamma()]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=repr)
N = 6


def problem(family, seed=0, hidden=(4,)):
    """(model, w, batch, v): observations that the model itself may give."""
    rng = np.random.default_rng(seed)
    model = ConditionalModel(MLP((3, *hidden, family.dim), Softplus()), family)
    w = 0.5 * rng.standard_normal(model.network.size)
    x = rng.standard_normal((N, 3))
    return model, w, (x, model.sample(rng, w, x)), rng.standard_normal(model.network.size)


def dense(product, size):
    """The matrix of a product with vectors."""
    return product(np.eye(size)).T


@every_family
def test_the_loss_is_the_mean_negative_log_density(family):
    model, w, (x, y), _ = problem(family)
    theta = model.theta(w, x)
    assert theta.shape == (N, family.dim) and np.all(family.theta_domain.contains(theta))
    np.testing.assert_allclose(model.loss(w, (x, y)), -np.mean(family.log_density(theta, y)), rtol=1e-13)
    value, gradient = model.value_and_gradient(w, (x, y))
    assert value == model.loss(w, (x, y)) and gradient.shape == w.shape


@every_family
def test_gradient_and_hessian_by_differences(family):
    model, w, batch, v = problem(family)
    f = model.objective(batch)
    value, gradient = f.value_and_gradient(w)
    np.testing.assert_allclose(gradient @ v, central(f.value, w, v), rtol=1e-7, atol=1e-8 * (1 + abs(value)))
    moving = central(lambda w: f.value_and_gradient(w)[1], w, v)
    np.testing.assert_allclose(model.hessian_vector(w, batch, v), moving, rtol=1e-6, atol=1e-7 * np.abs(moving).max())


@every_family
def test_the_gradient_is_exact(family):
    """Richardson's extrapolation of central differences, which is good to about 1e-11 here: no error hides below 1e-7."""
    model, w, batch, v = problem(family, seed=3)
    f, v = model.objective(batch), v / np.linalg.norm(v)
    steps = [central(f.value, w, v, h) for h in (4e-3, 2e-3, 1e-3)]
    first = [(4 * b - a) / 3 for a, b in zip(steps, steps[1:])]
    np.testing.assert_allclose(f.value_and_gradient(w)[1] @ v, (16 * first[1] - first[0]) / 15, rtol=1e-9, atol=1e-10)


@every_family
def test_hessian_and_fisher_are_symmetric_and_per_example_gradients_average(family):
    model, w, batch, v = problem(family)
    H = dense(lambda V: model.hessian_vector(w, batch, V), w.size)
    F = dense(lambda V: model.fisher_vector(w, batch[0], V), w.size)
    for matrix, product in [(H, model.hessian_vector(w, batch, v)), (F, model.fisher_vector(w, batch[0], v))]:
        np.testing.assert_allclose(matrix, matrix.T, rtol=1e-9, atol=1e-11 * np.abs(matrix).max())
        np.testing.assert_allclose(matrix @ v, product, rtol=1e-9, atol=1e-10 * np.abs(product).max())
    assert np.linalg.eigvalsh(F)[0] > -1e-11 * np.linalg.norm(F)
    each = model.per_example_gradients(w, batch)
    gradient = model.value_and_gradient(w, batch)[1]
    np.testing.assert_allclose(each.mean(axis=0), gradient, rtol=1e-11, atol=1e-12 * np.abs(each).max())


@every_family
def test_fisher_is_the_pull_back_of_the_metric(family):
    """F = (1/n) Σ Jᵀ G(θ) J with J from directions and G dense."""
    model, w, (x, _), _ = problem(family)
    J = np.stack([central(lambda w: model.theta(w, x), w, e) for e in np.eye(w.size)], axis=-1)
    F = np.einsum("nip,nij,njq->pq", J, family.metric(model.theta(w, x)), J) / N
    mine = dense(lambda V: model.fisher_vector(w, x, V), w.size)
    np.testing.assert_allclose(mine, F, rtol=1e-5, atol=1e-7 * np.abs(F).max())


@every_family
def test_the_pass_has_the_jacobian_of_theta(family):
    """jvp by differences, vjp and the gradients of the samples by adjointness, several directions at once."""
    model, w, (x, _), v = problem(family)
    done, rng = model.record(w, x), np.random.default_rng(9)
    c = rng.standard_normal((2, N, family.dim))
    pushed = done.jvp(v)
    np.testing.assert_allclose(pushed, central(lambda w: model.theta(w, x), w, v), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(done.jvp(np.stack([v, 2.0 * v]))[0], pushed)
    np.testing.assert_allclose(done.vjp(c) @ v, np.sum(c * pushed, axis=(-2, -1)), rtol=1e-10)
    np.testing.assert_allclose(done.per_example_gradients(c) @ v, np.sum(c * pushed, axis=-1), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Bernoulli()], ids=repr)
def test_fisher_is_the_mean_product_of_scores(family):
    """Summed over every outcome with its probability: the definition, without sampling."""
    model, w, (x, _), _ = problem(family)
    theta = model.theta(w, x)
    F = 0.0
    for outcome in range(3 if family.dim == 2 else 2):
        y = np.full(N, float(outcome))
        scores = model.per_example_gradients(w, (x, y))
        F = F + np.einsum("n,np,nq->pq", np.exp(family.log_density(theta, y)), scores, scores) / N
    np.testing.assert_allclose(dense(lambda V: model.fisher_vector(w, x, V), w.size), F, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("family", [ig.Categorical(4), ig.Bernoulli(), ig.Poisson()], ids=repr)
def test_fisher_is_the_hessian_where_theta_is_linear(family):
    model, w, batch, v = problem(family, hidden=())
    np.testing.assert_allclose(model.hessian_vector(w, batch, v), model.fisher_vector(w, batch[0], v), rtol=1e-12, atol=1e-14)
    nonlinear = problem(family)[0]
    w, v = np.full(nonlinear.network.size, 0.3), np.ones(nonlinear.network.size)
    assert np.abs(nonlinear.hessian_vector(w, batch, v) - nonlinear.fisher_vector(w, batch[0], v)).max() > 1e-3


def test_logistic_and_poisson_regression_in_closed_form():
    """With W of shape (inputs + 1, outputs): gradient X̄ᵀ (η − T) / n, Hessian X̄ᵀ diag(G) X̄ / n."""
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((20, 3)), rng.standard_normal(4)
    X = np.column_stack([x, np.ones(20)])
    for family, mean, variance in [(ig.Bernoulli(), lambda t: 1 / (1 + np.exp(-t)), lambda m: m * (1 - m)),
                                   (ig.Poisson(), np.exp, lambda m: m)]:
        y = rng.integers(0, 2, 20)
        model, m = ConditionalModel(MLP((3, 1)), family), mean(X @ w)
        np.testing.assert_allclose(model.value_and_gradient(w, (x, y))[1], X.T @ (m - y) / 20, rtol=1e-12, atol=1e-15)
        H = X.T @ (variance(m)[:, None] * X) / 20
        np.testing.assert_allclose(dense(lambda V: model.hessian_vector(w, (x, y), V), 4), H, rtol=1e-12)


def test_softmax_regression_in_closed_form():
    rng = np.random.default_rng(4)
    x, y, w = rng.standard_normal((9, 2)), rng.integers(0, 3, 9), rng.standard_normal(6)
    model, X = ConditionalModel(MLP((2, 2)), ig.Categorical(3)), np.column_stack([x, np.ones(9)])
    logits = np.column_stack([X @ w.reshape(3, 2), np.zeros(9)])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.loss(w, (x, y)), -np.log(p[np.arange(9), y]).mean(), rtol=1e-12)
    gradient = X.T @ (p - np.eye(3)[y])[:, :2] / 9
    np.testing.assert_allclose(model.value_and_gradient(w, (x, y))[1], gradient.ravel(), rtol=1e-12)
    F = sum(np.kron(np.outer(a, a), np.diag(q) - np.outer(q, q)) for a, q in zip(X, p[:, :2])) / 9
    np.testing.assert_allclose(dense(lambda V: model.fisher_vector(w, x, V), 6), F, rtol=1e-11, atol=1e-15)


def test_curvature_of_one_example_is_a_kronecker_product():
    """Of a single sample, a layer's block of the Fisher metric is āāᵀ ⊗ E[g gᵀ], with the layer quantities of the score."""
    model, w, (x, _), _ = problem(ig.Categorical(3))
    x, family = x[:1], model.family
    F = dense(lambda V: model.fisher_vector(w, x, V), w.size)
    done = model.record(w, x)
    columns = np.linalg.cholesky(family.metric(done.theta))[0].T[:, None, :]          # G = Σ c cᵀ: exact, no sampling
    for q in done.layer_quantities(columns):
        a = q.layer.homogeneous(NUMPY, q.inputs)[0, 0]
        G = np.einsum("cnli,cnlj->ij", q.covectors, q.covectors)
        np.testing.assert_allclose(Kronecker(np.outer(a, a), G).dense(), F[q.weights, q.weights], rtol=1e-10, atol=1e-13)


def test_what_it_predicts():
    """Means and densities of every sample are those of the family at θ, and draws have them."""
    model, w, (x, y), _ = problem(ig.Normal())
    theta = model.theta(w, x)
    np.testing.assert_array_equal(model.predict_mean(w, x), model.family.mean(theta))
    np.testing.assert_allclose(-model.log_density(w, (x, y)).mean(), model.loss(w, (x, y)), rtol=1e-13)
    draws = model.sample(np.random.default_rng(0), w, x, (4000,))
    assert np.all(np.abs(draws.mean(axis=0) - model.predict_mean(w, x)) < 5.0 * np.sqrt(model.family.variance(theta) / 4000))
    np.testing.assert_array_equal(model.network.forward(w, x), model.network.record(w, x).output)


def test_the_chart_is_that_of_the_domain():
    model = problem(ig.MultivariateNormal(2))[0]
    u = np.random.default_rng(0).standard_normal((5, 5))
    np.testing.assert_array_equal(model.chart(u), model.family.theta_domain.chart(u))


class _SquareRoot(Chart):
    """A user's chart of the positive numbers, u ↦ (u + √(u² + 4)) / 2."""

    def __call__(self, u):
        return 0.5 * (u + np.sqrt(u**2 + 4))

    def inverse(self, x):
        return x - 1.0 / x

    def push_forward(self, u, vector):
        return self(u) / np.sqrt(u**2 + 4) * vector

    pull_back = push_forward

    def pull_back_tangent(self, u, vector, covector):
        return 2.0 / (u**2 + 4) ** 1.5 * vector * covector


def test_a_chart_of_the_user():
    rng = np.random.default_rng(0)
    model = ConditionalModel(MLP((2, 3, 1), Tanh()), ig.Exponential(), chart=ScaledChart(_SquareRoot(), -1.0))
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((5, 2))
    batch, v = (x, model.sample(rng, w, x)), rng.standard_normal(w.size)
    f = model.objective(batch)
    np.testing.assert_allclose(f.value_and_gradient(w)[1] @ v, central(f.value, w, v), rtol=1e-7)
    np.testing.assert_allclose(f.hessian_vector(w, v), central(lambda w: f.value_and_gradient(w)[1], w, v), rtol=1e-6, atol=1e-8)


@every_dtype
@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Normal(), ig.MultivariateNormal(2)], ids=repr)
def test_on_every_backend(family, backend, dtype):
    model, w, (x, y), v = problem(family)
    tol = 1e-10 if dtype == "float64" else 1e-3
    mw, mx, my, mv = (backend.make(np.asarray(a, dtype=float), dtype) for a in (w, x, y, v))
    value, gradient = model.value_and_gradient(mw, (mx, my))
    expected = model.value_and_gradient(w, (x, y))
    for actual, truth in [(value, expected[0]), (gradient, expected[1]),
                          (model.per_example_gradients(mw, (mx, my)), model.per_example_gradients(w, (x, y))),
                          (model.hessian_vector(mw, (mx, my), mv), model.hessian_vector(w, (x, y), v)),
                          (model.fisher_vector(mw, mx, mv), model.fisher_vector(w, x, v))]:
        np.testing.assert_allclose(backend.check(actual, dtype), truth, rtol=tol, atol=tol * np.abs(truth).max())


def test_observations_take_the_dtype_of_the_inputs():
    model, w, (x, y), _ = problem(ig.Normal())
    assert y.dtype == np.float64
    value, gradient = model.value_and_gradient(w.astype(np.float32), (x.astype(np.float32), y))
    assert value.dtype == gradient.dtype == np.float32


def test_rows_of_weights_are_models_of_their_own():
    model, w, batch, v = problem(ig.Normal())
    ws, vs = np.stack([w, 0.5 * w]), np.stack([v, -v])
    value, gradient = model.value_and_gradient(ws, batch)
    assert value.shape == (2,) and gradient.shape == ws.shape
    for i in range(2):
        one, slope = model.value_and_gradient(ws[i], batch)
        np.testing.assert_allclose(value[i], one, rtol=1e-13)
        np.testing.assert_allclose(gradient[i], slope, rtol=1e-11)
        for product, data in [(model.hessian_vector, batch), (model.fisher_vector, batch[0])]:
            np.testing.assert_allclose(product(ws, data, vs)[i], product(ws[i], data, vs[i]), rtol=1e-10)


def test_training_by_descend():
    """The objective goes into the one loop; two rows of weights are two runs, and a linear model ends at its best fit."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((30, 2))
    model = ConditionalModel(MLP((2, 1)), ig.Poisson())
    y = model.sample(rng, np.array([0.5, -0.3, 1.0]), x)
    start = np.array([[0.0, 0.0, 0.0], [0.2, 0.2, 0.2]])
    run = ig.descend(model.objective((x, y)), start, geometry=ig.Euclidean(3), update=ig.GradientUpdate(), step=ig.Constant(0.1),
                     max_steps=2000, tol=1e-10)
    assert np.all(run.status == ig.Status.CONVERGED)
    np.testing.assert_allclose(run.x[0], run.x[1], rtol=1e-7)
    X = np.column_stack([x, np.ones(30)])
    np.testing.assert_allclose(X.T @ np.exp(X @ run.x[0]), X.T @ y, rtol=1e-8)


def test_a_convolutional_classifier():
    rng = np.random.default_rng(0)
    network = Sequential([Convolution2D(1, 3, padding=1), Tanh(), MaxPool(2), Flatten(), Dense(12, 2)], (4, 4, 1))
    model = ConditionalModel(network, ig.Categorical(3))
    w, x, y = network.init(rng, Glorot()), rng.standard_normal((7, 4, 4, 1)), rng.integers(0, 3, 7)
    v, f = rng.standard_normal(w.size), model.objective((x, y))
    np.testing.assert_allclose(f.value_and_gradient(w)[1] @ v, central(f.value, w, v), rtol=1e-7)
    np.testing.assert_allclose(f.hessian_vector(w, v), central(lambda w: f.value_and_gradient(w)[1], w, v), rtol=1e-5, atol=1e-8)


def test_far_weights_give_no_exception():
    """A loss that overflows is infinite or NaN, and a run says so; nothing is raised in the middle of it."""
    model, w, batch, _ = problem(ig.Poisson())
    with np.errstate(all="ignore"):
        assert not np.isfinite(model.loss(1e6 * np.abs(w), batch))


def test_errors():
    with pytest.raises(ShapeError, match=r"got \(3,\); for a logit of every class give the chart .*SymmetricSoftmax\(3\)"):
        ConditionalModel(MLP((2, 3)), ig.Categorical(3))
    with pytest.raises(ShapeError, match=r"must have 2 outputs for Normal\(\); got \(3,\)$"):
        ConditionalModel(MLP((2, 3)), ig.Normal())
    model, w, (x, y), _ = problem(ig.Bernoulli())
    with pytest.raises(DomainError, match="y must satisfy"):
        model.loss(w, (x, y + 0.5))
    with pytest.raises(ShapeError, match=r"same samples; got shapes \(6, 3\) and \(5,\)"):
        model.loss(w, (x, y[:5]))
    with pytest.raises(ShapeError, match="same samples"):
        model.loss(w, (x, y[0]))
    f = model.objective((x, y))
    assert f.draw(np.random.default_rng(0)) is f and "Bernoulli" in repr(model) and to_numpy(f.statistic).shape == (6, 1)


def test_cross_entropy_to_mean_statistics():
    """With targets T(y) it is the likelihood up to the base measure; targets in between are the mean of two likelihoods."""
    model, w, (x, y), v = problem(ig.Categorical(3))
    likelihood, f = model.objective((x, y)), CrossEntropyLoss(model, (x, model.family.sufficient_statistic(y)))
    for ours, theirs in zip(f.value_and_gradient(w), likelihood.value_and_gradient(w)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(f.hessian_vector(w, v), likelihood.hessian_vector(w, v), rtol=1e-12)
    other = CrossEntropyLoss(model, (x, np.zeros((len(x), 2))))
    half = CrossEntropyLoss(model, (x, 0.5 * f.statistic))
    np.testing.assert_allclose(half.value(w), 0.5 * (f.value(w) + other.value(w)), rtol=1e-12)


@pytest.mark.parametrize("targets, error, message", [
    (np.zeros((4, 2)), ShapeError, "same samples"),
    (np.zeros((20, 3)), ShapeError, r"\(\.\.\., n, 2\)"),
    (np.full((20, 2), np.nan), ig.DomainError, "finite"),
])
def test_targets_that_are_none(targets, error, message):
    model, w, (x, y), v = problem(ig.Categorical(3))
    with pytest.raises(error, match=message):
        CrossEntropyLoss(model, (x[:1].repeat(20, axis=0), targets))


def test_some_of_the_samples():
    model, w, (x, y), v = problem(ig.Normal())
    index = np.array([3, 0, 3])
    part = model.objective((x, y)).take(index)
    np.testing.assert_array_equal(part.value(w), model.loss(w, (x[index], y[index])))
    np.testing.assert_array_equal(part.hessian_vector(w, v), model.hessian_vector(w, (x[index], y[index]), v))
