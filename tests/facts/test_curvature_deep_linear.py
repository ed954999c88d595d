"""The exact natural gradient of deep linear networks."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.damping import Tikhonov, Undamped
from infogeo.curvature.deep_linear import deep_linear
from infogeo.curvature.fisher import fisher
from infogeo.curvature.weight_space import WeightSpace
from infogeo.networks.activations import Identity, Tanh
from infogeo.networks.affine import Dense
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import MLP, Sequential

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


def test_one_layer_is_the_fisher_metric():
    model, w, batch = problem(depth=1)
    close(deep_linear(model, w, batch).dense(), fisher(model, w, batch).dense())


@pytest.mark.parametrize("network, place", [(MLP((3, 3, 3), Tanh(), bias=False), 1), (MLP((3, 3, 3), Identity()), 0),
                                            (MLP((3, 2, 3), Identity(), bias=False), 0)], ids=["tanh", "bias", "narrow"])
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
