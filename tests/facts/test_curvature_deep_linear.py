"""The exact natural gradient of deep linear networks."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.damping import Tikhonov, Undamped
from infogeo.curvature.deep_linear import deep_linear, layerwise_natural
from infogeo.curvature.fisher import fisher
from infogeo.curvature.weight_space import WeightSpace
from infogeo.networks.activations import Identity, Tanh
from infogeo.networks.affine import Dense
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.usual import MLP

from ..backends import every_dtype
from .fisher_helpers import close, fisher_matrix, made
from .operator_helpers import compare

COVARIANCE = np.array([[1.0, 0.3, 0.0], [0.3, 0.8, -0.2], [0.0, -0.2, 0.6]])
FAMILIES = [ig.Independent(ig.NormalKnownVariance(0.5), 3), ig.MultivariateNormalKnownCovariance(COVARIANCE)]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=["independent", "correlated"])


def problem(family=FAMILIES[0], depth=3, n=20, seed=0):
    rng = np.random.default_rng(seed)
    model = ConditionalModel(MLP((3,) * (depth + 1), Identity(), bias=False), family)
    w = (np.eye(3) + 0.4 * rng.standard_normal((depth, 3, 3))).ravel()
    x = rng.standard_normal((n, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.3, 0.0, 0.7]])
    return model, w, (x, model.sample(rng, w, x))


@every_family
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_its_solve_is_a_generalised_inverse_of_the_fisher_metric(family, depth):
    """F X F = F, though F is singular; and X is (1/L) diag(F_ii⁻¹)."""
    model, w, batch = problem(family, depth)
    F, X = fisher_matrix(model, w, batch[0]), deep_linear(model, w, batch).solve(np.eye(w.size))
    assert np.linalg.matrix_rank(F) == 9
    assert np.linalg.norm(F @ X @ F - F) <= 1e-11 * np.linalg.norm(F)
    for i in range(depth):
        s = slice(9 * i, 9 * i + 9)
        close(X[s, s], np.linalg.inv(F[s, s]) / depth, 1e-9)
    if depth > 1:       # it is not reflexive, so it is not the pseudo-inverse
        assert np.linalg.norm(X @ F @ X - X) > 0.1 * np.linalg.norm(X)


@every_family
def test_it_is_kronecker_factored_curvature_times_the_depth(family):
    """The factors from the published formulas: Λ_i = B_i Λ_0 B_iᵀ of the inputs and A_iᵀ Σ⁻¹ A_i of the outputs.

    Here the metric in θ is the covariance, and θ = W_L … W_1 x.
    """
    model, w, (x, y) = problem(family, 3)
    W = [block.T for block in w.reshape(3, 3, 3)]           # the map of a layer is the transpose of its block
    metric, expected = family.metric(model.theta(w, x))[0], np.zeros((27, 27))
    for i in range(3):
        B = np.linalg.multi_dot([np.eye(3), np.eye(3), *W[:i][::-1]])
        A = np.linalg.multi_dot([np.eye(3), np.eye(3), *W[i + 1:][::-1]])
        s = slice(9 * i, 9 * i + 9)
        expected[s, s] = 3.0 * np.kron(B @ (x.T @ x / len(x)) @ B.T, A.T @ metric @ A)
    close(deep_linear(model, w, (x, y)).dense(), expected)


def test_the_natural_gradient_moves_the_map_along_the_newton_direction():
    """J X ∇L is the change of θ that Newton's method on the map itself takes: W − W* for the least-squares map W*."""
    model, w, (x, y) = problem()
    best = np.linalg.lstsq(x, y, rcond=None)[0] / 0.5
    step = deep_linear(model, w, (x, y)).solve(model.value_and_gradient(w, (x, y))[1])
    close(model.record(w, x).jvp(step), model.theta(w, x) - x @ best, 1e-9)


def test_the_loss_decays_as_exp_of_minus_two_t():
    """A thousand steps of size 1e-3: near e^{−2}, and near what steps of Newton's method on the map give."""
    model, w, (x, _) = problem(depth=3, seed=1)
    truth = np.random.default_rng(2).standard_normal((3, 3))
    batch = x, 0.5 * x @ truth.T
    geometry = WeightSpace(model, batch, deep_linear, Undamped())
    run = ig.descend(model.objective(batch), w, geometry=geometry, update=ig.NaturalUpdate(), step=ig.Constant(1e-3),
                     max_steps=1000, record="values")
    floor = 0.5 * 3 * np.log(2 * np.pi * 0.5)           # −log p at the mean: the residuals of the truth are zero
    decay = (run.values[[500, 1000]] - floor) / (run.values[0] - floor)
    np.testing.assert_allclose(decay, np.exp([-1.0, -2.0]), rtol=3e-3)


@every_dtype
def test_deep_linear_in_every_method(backend, dtype):
    model, w, batch = problem()
    dense = deep_linear(model, w, batch).dense()
    D = deep_linear(model, *made(backend, dtype, w, batch))
    compare(Tikhonov(0.5)(D), dense + 0.5 * np.eye(w.size), backend, dtype)
    if dtype == "float64":
        compare(D, dense, backend, dtype)


def of_widths(*sizes, n=20, seed=0):
    rng = np.random.default_rng(seed)
    model = ConditionalModel(MLP(sizes, Identity(), bias=False), ig.Independent(ig.NormalKnownVariance(0.5), sizes[-1]))
    x = rng.standard_normal((n, sizes[0]))
    return model, rng.standard_normal(model.network.size), (x, x @ rng.standard_normal((sizes[0], sizes[-1])))


WIDTHS = {(3, 5, 2): {2}, (3, 6, 6, 3): {3}, (4, 2, 3): {0, 1, 2}, (2, 4, 3, 5): {0, 1, 3}, (4, 3, 1, 3, 4): {0, 1, 2, 4}}


@pytest.mark.parametrize("sizes", WIDTHS, ids=str)
def test_of_any_widths_its_solve_is_a_generalised_inverse_of_the_fisher_metric(sizes):
    """Of wide layers, where every layer reaches every map, and behind bottlenecks, where N counts the layers that do."""
    model, w, batch = of_widths(*sizes)
    F, A = fisher_matrix(model, w, batch[0]), deep_linear(model, w, batch)
    X, dense = A.solve(np.eye(w.size)), A.dense()
    assert np.linalg.norm(F @ X @ F - F) <= 1e-11 * np.linalg.norm(F)
    assert np.linalg.norm(dense @ X @ dense - dense) <= 1e-11 * np.linalg.norm(dense)
    assert {float(count) for block in A.blocks for count in block.N.ravel()} == WIDTHS[sizes]
    close(A.diagonal(), np.diag(dense))


@pytest.mark.parametrize("sizes", [(4, 2, 3), (3, 1, 1, 3), (2, 1, 5, 1, 2)], ids=str)
def test_of_any_widths_weights_are_repetitions_and_float32_has_the_same_ranks(sizes):
    rng = np.random.default_rng(0)
    model = ConditionalModel(MLP(sizes, Identity(), bias=False), ig.Independent(ig.NormalKnownVariance(1.0), sizes[-1]))
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((20, sizes[0]))
    rows, weights = np.concatenate([[1, 1], np.arange(1, 20)]), np.concatenate([[0.0, 3.0], np.ones(18)])
    repeated = deep_linear(model, w, (x[rows], None)).solve(np.eye(w.size))
    close(deep_linear(model, w, (x, None, weights)).solve(np.eye(w.size)), repeated, 1e-11)
    F = fisher_matrix(model, w, x)
    X = deep_linear(model, w.astype("float32"), (x.astype("float32"), None)).solve(np.eye(w.size, dtype="float32"))
    assert np.linalg.norm(F @ X @ F - F) <= 1e-5 * np.linalg.norm(F)


def test_square_layers_are_the_same_by_both_ways():
    """A layer more, of width 4, makes the square ones take the general way; L = 3 then is 4."""
    model, w, batch = of_widths(3, 3, 3, 3)
    rest = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0][:, :3]
    wide = ConditionalModel(MLP((3, 3, 3, 4, 3), Identity(), bias=False), model.family)
    A = deep_linear(wide, np.concatenate([w[:18], rest.T.ravel(), (rest @ w[18:].reshape(3, 3)).ravel()]), batch)
    close(A.dense()[:18, :18] / 4.0, deep_linear(model, w, batch).dense()[:18, :18] / 3.0)


@pytest.mark.parametrize("sizes", [(3, 5, 4, 2), (4, 2, 4)], ids=str)
def test_the_loss_decays_at_the_same_rate_in_any_widths(sizes):
    """The change of θ is the residual, or behind a bottleneck what of it the network can reach."""
    model, w, batch = of_widths(*sizes, seed=1)
    done, covector = model.record(w, batch[0]), model.value_and_gradient(w, batch)[1]
    step = deep_linear(model, w, batch).solve(covector)
    J = fisher_matrix(model, w, batch[0])
    # the natural gradient of length |∇L| in the metric: what the quadratic model gains is all that is to be gained
    np.testing.assert_allclose(step @ J @ step, covector @ np.linalg.pinv(J, rcond=1e-10) @ covector, rtol=1e-8)
    if min(sizes) == sizes[-1]:
        close(done.jvp(step), done.theta - batch[1] / 0.5, 1e-9)


@every_dtype
@pytest.mark.parametrize("sizes", [(3, 5, 2), (4, 2, 3)], ids=str)
def test_of_any_widths_damped_in_every_method(sizes, backend, dtype):
    model, w, batch = of_widths(*sizes)
    dense = deep_linear(model, w, batch).dense()
    D = deep_linear(model, *made(backend, dtype, w, batch))
    compare(Tikhonov(0.5)(D), dense + 0.5 * np.eye(w.size), backend, dtype)
    expected = deep_linear(model, w, batch).solve(dense @ np.ones(w.size))
    close(backend.check(D.solve(backend.make(dense @ np.ones(w.size), dtype)), dtype), expected,
          1e-9 if dtype == "float64" else 1e-3)


def test_of_linear_networks_the_layerwise_gradient_is_the_exact_one():
    model, w, batch = problem()
    close(layerwise_natural(model, w, batch).dense(), deep_linear(model, w, batch).dense())


@pytest.mark.parametrize("bias", [False, True])
def test_near_linear_activations_the_layerwise_gradient_is_nearly_exact(bias):
    """With weights ε small into the tanh the change of θ tends to the residual as ε², that of K-FAC to L times it."""
    rng, errors = np.random.default_rng(0), []
    x = rng.standard_normal((40, 3))
    W, V = np.eye(3) + 0.3 * rng.standard_normal((2, 3, 3))
    zero = np.zeros((int(bias), 3))
    model = ConditionalModel(MLP((3, 3, 3), Tanh(), bias), ig.Independent(ig.NormalKnownVariance(1.0), 3))
    for scale in (0.1, 0.01):
        w = np.concatenate([np.vstack([scale * W, zero]).ravel(), np.vstack([V / scale, zero]).ravel()])
        batch = x, x @ rng.standard_normal((3, 3))
        done, covector = model.record(w, batch[0]), model.value_and_gradient(w, batch)[1]
        residual = done.theta - batch[1]
        residual = residual - (residual.mean(axis=0) if bias else 0.0)
        both = layerwise_natural(model, w, batch), ig.curvature.kfac(model, w, batch)
        moved = [done.jvp(A.solve(covector)) for A in both]
        moved = [m - (m.mean(axis=0) if bias else 0.0) for m in moved]
        np.testing.assert_allclose(moved[1], 2.0 * moved[0], rtol=1e-10)
        errors.append(np.linalg.norm(moved[0] - residual) / np.linalg.norm(residual))
    assert errors[0] < 0.1 and errors[1] < 0.02 * errors[0]


def test_a_tanh_autoencoder_goes_down_by_layerwise_steps():
    """With little damping; steps of K-FAC of the same size go too far by the number of layers, and the loss rises."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 6)) + 0.1 * rng.standard_normal((60, 6))
    model = ConditionalModel(MLP((6, 4, 2, 4, 6), Tanh()), ig.Independent(ig.NormalKnownVariance(1.0), 6))
    w, values = model.network.init(rng, ig.networks.Glorot()), {}
    for curvature in (layerwise_natural, ig.curvature.kfac):
        geometry = WeightSpace(model, (x, x), curvature, Tikhonov(1e-2))
        run = ig.descend(model.objective((x, x)), w, geometry=geometry, update=ig.NaturalUpdate(), step=0.7, max_steps=30)
        values[curvature.__name__] = run.values - 3.0 * np.log(2 * np.pi)
    steps = values["layerwise_natural"]
    assert np.all(np.diff(steps) < 0) and steps[-1] < 0.1 * steps[0]
    assert values["kfac"][1] > 4 * values["kfac"][0] and values["kfac"].min() > 4 * steps[-1]


def test_one_layer_is_the_fisher_metric():
    model, w, batch = problem(depth=1)
    close(deep_linear(model, w, batch).dense(), fisher(model, w, batch).dense())


@pytest.mark.parametrize("network, place", [(MLP((3, 3, 3), Tanh(), bias=False), 1), (MLP((3, 3, 3), Identity()), 0)],
                         ids=["tanh", "bias"])
def test_networks_of_another_kind_are_refused(network, place):
    model, x = ConditionalModel(network, FAMILIES[0]), np.ones((2, 3))
    with pytest.raises(ValueError, match=f"without bias and no activation but the identity; layer {place} is"):
        deep_linear(model, np.ones(network.size), (x, None))


@pytest.mark.parametrize("model", [
    ConditionalModel(Sequential([Dense(2, 2, False)], (2,)), ig.Categorical(3)),
    ConditionalModel(Sequential([Dense(3, 3, False)], (3,)), FAMILIES[0], ig.domains.ExponentialChart(1)),
], ids=["categorical", "by a chart"])
def test_families_of_another_kind_are_refused(model):
    rng, k = np.random.default_rng(0), model.network.input_shape[0]
    with pytest.raises(ValueError, match="a metric that does not depend on theta; got"):
        deep_linear(model, rng.standard_normal(k * k), (rng.standard_normal((4, k)), None))
