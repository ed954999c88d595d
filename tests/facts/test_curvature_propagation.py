"""Curvature propagation: exact by unit vectors, unbiased by noise, real as complex, at two gradients of work."""
from dataclasses import dataclass

import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import to_numpy
from infogeo.curvature.curvature_propagation import (PropagatedFactors, complex_curvature_propagation,
                                                     cross_layer_curvature_propagation, curvature_propagation,
                                                     gauss_newton_diagonal, hessian_diagonal, hessian_estimate, input_gradient,
                                                     input_hessian_diagonal, within_layer_hessian)
from infogeo.curvature.noise import NormalNoise, SignNoise, UnitVectors
from infogeo.curvature.propagation import Balanced, ComplexRoot
from infogeo.errors import ShapeError
from infogeo.networks.activations import Identity, Relu, Softplus, Tanh
from infogeo.networks.affine import Dense
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.usual import MLP
from infogeo.studies.curvature_variance import variance_table

from ..backends import every_dtype
from .network_helpers import NETWORKS, central
from .network_helpers import problem as network_problem

FAMILIES = [ig.Categorical(3), ig.Bernoulli(), ig.Independent(ig.Bernoulli(), 3), ig.Poisson(), ig.Exponential(), ig.Normal(),
            ig.Gamma(), ig.Dirichlet(3), ig.MultivariateNormal(2), ig.Independent(ig.NormalKnownVariance(2.0), 2)]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=repr)
every_network = pytest.mark.parametrize("name", [n for n, network in NETWORKS.items() if network.output_shape == (2,)])
every_noise = pytest.mark.parametrize("noise", [NormalNoise, SignNoise])
N = 3


def problem(family, network=None, seed=0, n=N):
    """(model, w, batch)."""
    rng = np.random.default_rng(seed)
    network = MLP((3, 4, 3, family.dim), Tanh()) if network is None else network
    model = ConditionalModel(network, family)
    w, x = 0.5 * rng.standard_normal(network.size), rng.standard_normal((n, *network.input_shape))
    return model, w, (x, model.sample(rng, w, x))


def of_network(name):
    network, w, x, *_ = network_problem(name, n=N)
    return ConditionalModel(network, ig.Categorical(3)), w, (x, np.arange(N) % 3)


def hessian(model, w, batch):
    H = model.hessian_vector(w, batch, np.eye(w.size))
    return 0.5 * (H + H.T)


def within_layers(model, H):
    """H with zeros outside the blocks of the layers."""
    kept = np.zeros_like(H)
    for s in model.network.slices:
        if s:
            kept[s, s] = H[s, s]
    return kept


def assert_exact(actual, expected, rtol=1e-12):
    np.testing.assert_allclose(to_numpy(actual), expected, rtol=rtol, atol=rtol * (1 + np.abs(expected).max()))


def check_exact(model, w, batch):
    H, every = hessian(model, w, batch), UnitVectors()
    assert_exact(hessian_diagonal(model, w, batch, every), np.diag(H))
    assert_exact(within_layer_hessian(model, w, batch, every).dense(), within_layers(model, H))
    assert_exact(hessian_estimate(model, w, batch, every).dense(), H)
    assert_exact(within_layers(model, curvature_propagation(model, w, batch, every).operator().dense()), within_layers(model, H))
    assert_exact(cross_layer_curvature_propagation(model, w, batch, every).operator().dense(), H)
    fisher = np.diag(model.fisher_vector(w, batch[0], np.eye(w.size)))
    assert_exact(gauss_newton_diagonal(model, w, batch, every), fisher)


@every_family
def test_unit_vectors_give_the_exact_hessian(family):
    check_exact(*problem(family))


@every_network
def test_unit_vectors_give_the_exact_hessian_of_every_network(name):
    check_exact(*of_network(name))


@every_family
def test_the_hessian_is_more_than_its_gauss_newton_part(family):
    """So that the tests above see the nodes below the output."""
    model, w, batch = problem(family)
    fisher = np.diag(model.fisher_vector(w, batch[0], np.eye(w.size)))
    H = hessian(model, w, batch)
    assert np.abs(np.diag(H) - fisher).max() > 1e-2 * np.abs(fisher).max()
    assert np.abs(H - within_layers(model, H)).max() > 1e-2 * np.abs(H).max()


def outer(T, U):
    """½ (T Uᵀ + U Tᵀ) of each row, shape (m, size, size)."""
    product = T[:, :, None] * U[:, None, :]
    return 0.5 * (product + np.swapaxes(product, 1, 2))


def assert_unbiased(draws, expected, sigmas=5.0):
    """Means of draws (m, …) at a distance of at most 5 standard errors; entries without any spread are exact."""
    error = draws.std(axis=0, ddof=1) / len(draws) ** 0.5
    np.testing.assert_array_less(np.abs(draws.mean(axis=0) - expected), sigmas * error + 1e-12)


TINY = Sequential([Dense(2, 2), Tanh(), Dense(2, 2), Softplus(), Dense(2, 2)], (2,))
DRAWS = 20000


@every_noise
@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Normal()], ids=repr)
def test_estimates_of_rank_one_are_unbiased(family, noise):
    model, w, batch = problem(family, TINY)
    H, rng = hessian(model, w, batch), np.random.default_rng(1)
    T, U = (DRAWS**0.5 * v for v in curvature_propagation(model, w, batch, noise(rng, DRAWS)))
    blocks = within_layers(model, np.ones_like(H)) != 0
    assert_unbiased(outer(T, U)[:, blocks], H[blocks])
    T, U = (DRAWS**0.5 * v for v in cross_layer_curvature_propagation(model, w, batch, noise(rng, DRAWS)))
    assert_unbiased(outer(T, U), H)


@every_noise
@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Normal()], ids=repr)
def test_the_diagonals_are_unbiased(family, noise):
    """Every row of weights has noise of its own."""
    model, w, batch = problem(family, TINY)
    rng, rows = np.random.default_rng(2), np.broadcast_to(w, (DRAWS, w.size))
    assert_unbiased(hessian_diagonal(model, rows, batch, noise(rng)), np.diag(hessian(model, w, batch)))
    fisher = np.diag(model.fisher_vector(w, batch[0], np.eye(w.size)))
    assert_unbiased(gauss_newton_diagonal(model, rows, batch, noise(rng)), fisher)


@every_noise
def test_operators_are_unbiased(noise):
    model, w, batch = problem(ig.Categorical(3), TINY)
    H, rng = hessian(model, w, batch), np.random.default_rng(3)
    for estimate, expected in [(within_layer_hessian, within_layers(model, H)), (hessian_estimate, H)]:
        assert_unbiased(np.stack([estimate(model, w, batch, noise(rng)).dense() for _ in range(500)]), expected)


@every_noise
def test_more_samples_are_a_mean(noise):
    """m draws in one call have the variance of one over m, and the mean."""
    model, w, batch = problem(ig.Categorical(3), TINY)
    rng, rows = np.random.default_rng(4), np.broadcast_to(w, (4000, w.size))
    one = hessian_diagonal(model, rows, batch, noise(rng)).var(axis=0)
    many = hessian_diagonal(model, rows, batch, noise(rng, 8))
    np.testing.assert_allclose(many.var(axis=0), one / 8, rtol=0.3)
    assert_unbiased(many, np.diag(hessian(model, w, batch)))


@every_noise
@pytest.mark.parametrize("family", FAMILIES[:6], ids=repr)
def test_the_real_split_equals_the_complex_one_draw_by_draw(family, noise):
    model, w, batch = problem(family)
    T, U = curvature_propagation(model, w, batch, noise(np.random.default_rng(5), 4))
    S = complex_curvature_propagation(model, w, batch, noise(np.random.default_rng(5), 4))
    assert S.shape == T.shape == (4, w.size) and np.abs(S.imag).max() > 1e-3
    assert_exact((S[:, :, None] * S[:, None, :]).real, outer(T, U))


def test_splits():
    m = np.array([4.0, -9.0, 0.0])
    for split in (Balanced(), ComplexRoot()):
        factors = split.factors(ig.backend.backend_of(m), m)
        assert len(factors) == split.count
        np.testing.assert_allclose(factors[0] * factors[-1], m, rtol=1e-15)
        np.testing.assert_allclose(np.abs(factors[0]), np.abs(factors[-1]), rtol=1e-15)


def test_variance_of_normal_noise_at_the_output():
    """Of a square of a normal variable, 2 (F_n)_ii² / n² for each sample; signs take away what one column has alone."""
    model, w, batch = problem(ig.Independent(ig.Bernoulli(), 3), TINY_3, n=2)
    rows, rng = np.broadcast_to(w, (DRAWS, w.size)), np.random.default_rng(6)
    each = np.stack([np.diag(model.fisher_vector(w, batch[0][i:i + 1], np.eye(w.size))) for i in range(2)])
    columns = model.record(w, batch[0]).per_example_gradients(
        model.family.root(model.theta(w, batch[0]), np.eye(3)[:, None, :]))       # (column, sample, weights)
    normal = hessian_free_variance(model, rows, batch, NormalNoise(rng))
    np.testing.assert_allclose(normal, 2 * np.sum(each**2, axis=0) / 4, rtol=0.15)
    signs = hessian_free_variance(model, rows, batch, SignNoise(rng))
    expected = 2 * np.sum(each**2 - np.sum(columns**4, axis=0), axis=0) / 4
    np.testing.assert_allclose(signs, expected, rtol=0.15, atol=1e-12)


TINY_3 = MLP((2, 3, 3), Tanh())


def hessian_free_variance(model, rows, batch, noise):
    return gauss_newton_diagonal(model, rows, batch, noise).var(axis=0)


# The table of variances

def test_the_variance_table():
    """Hutchinson's errors as they are known, propagation below them, samples apart below rank one; other means are left out."""
    model, w, batch = problem(ig.Categorical(3), n=8)
    table = variance_table(model, w, batch, np.random.default_rng(0), draws=100)
    H = hessian(model, w, batch)
    error = dict(zip(table.names, table.squared_error))
    spread = dict(zip(table.names, table.standard_error))
    squares = np.array([np.sum(np.diag(H) ** 2), np.sum(within_layers(model, H) ** 2), np.sum(H**2)])
    np.testing.assert_allclose(table.squares, squares, rtol=1e-12)
    for noise, predicted in [("normal", squares[2] + squares[0]), ("±1", squares[2] - squares[0])]:
        assert abs(error[f"Hutchinson, {noise}"][0] - predicted) < 5 * spread[f"Hutchinson, {noise}"][0]
        for name in ("propagation", "across layers"):
            good, apart = np.isfinite(error[f"{name}, {noise}"]), error[f"{name}, samples apart, {noise}"]
            assert np.all(apart[good] < error[f"{name}, {noise}"][good])
        assert np.all(error[f"propagation, samples apart, {noise}"][:2] < 0.3 * error[f"Hutchinson, {noise}"][:2])
        assert np.isnan(error[f"propagation, {noise}"]).tolist() == [False, False, True]
    each = np.stack([hessian(model, w, (batch[0][i:i + 1], batch[1][i:i + 1])) for i in range(8)]) / 8
    predicted = np.sum(each**2) - np.sum(np.diagonal(each, axis1=1, axis2=2) ** 2)
    name = "Hutchinson, samples apart, ±1"
    assert abs(error[name][0] - predicted) < 5 * spread[name][0]
    text = str(table)
    assert len(table.names) == 12 and all(name in text for name in table.names) and "8 samples, 100 draws" in text


# What it costs

CALLS: list[str] = []


@dataclass(frozen=True)
class Counted(Dense):
    """A dense layer that counts its passes."""

    def forward(self, xp, W, x):
        CALLS.append("forward")
        return super().forward(xp, W, x)

    def pull_back(self, xp, W, memory, g):
        CALLS.append("back")
        return super().pull_back(xp, W, memory, g)


def calls(f):
    CALLS.clear()
    f()
    return CALLS.count("forward"), CALLS.count("back")


def test_it_costs_two_gradients():
    """Of a gradient a pass forward and one back, and as many products at the weights; here one forward and three back."""
    network = Sequential([Counted(3, 4), Tanh(), Counted(4, 4), Tanh(), Counted(4, 2)], (3,))
    model, w, batch = problem(ig.Categorical(3), network)
    noise = SignNoise(np.random.default_rng(0))
    assert calls(lambda: model.value_and_gradient(w, batch)) == (3, 2)
    for estimate in (curvature_propagation, hessian_diagonal, within_layer_hessian, hessian_estimate):
        assert calls(lambda: estimate(model, w, batch, noise)) == (3, 6)
    assert calls(lambda: gauss_newton_diagonal(model, w, batch, noise)) == (3, 2)
    assert calls(lambda: model.hessian_vector(w, batch, w)) == (3, 6)     # what an estimate from a Hessian product costs


# Second derivatives in the input

@pytest.mark.parametrize("name", ["linear", "tanh", "without bias", "logistic", "softplus", "relu", "identity",
                                  "activation first and last"])
def test_the_hessian_in_the_input_is_that_in_a_bias_before_it(name):
    """f(w, x + b) at b = 0, with b the bias of a layer that is the identity: exact."""
    network, w, x, _, g = network_problem(name)
    before = Sequential([Dense(3, 3), *network.layers], (3,))
    start = np.concatenate([np.eye(3).ravel(), np.zeros(3), w])
    expected = np.zeros_like(x)
    for i in range(len(x)):
        done = before.record(start, x[i:i + 1])
        H = done.vjp_tangent(np.eye(before.size)[9:12], g[i:i + 1], np.zeros_like(g[i:i + 1]))
        expected[i] = np.diag(H[:, 9:12])
    assert_exact(input_hessian_diagonal(network, w, x, g, UnitVectors()), expected)
    assert (np.abs(expected).max() > 0.01) == (name not in ("linear", "relu", "identity"))


@pytest.mark.parametrize("name", ["convolution", "average pooling", "max pooling", "images out"])
def test_the_hessian_in_images(name):
    """By second differences."""
    network, w, x, _, g = network_problem(name, n=2)
    found = input_hessian_diagonal(network, w, x, g, UnitVectors())
    moves = 1e-3 * np.eye(x[0].size).reshape(-1, 1, *x.shape[1:])

    def f(x):
        return np.sum((network.forward(w, x) * g).reshape(len(moves), len(g), -1), axis=-1)

    still = np.broadcast_to(x, (len(moves), *x.shape))
    second = (f(x + moves) - 2 * f(still) + f(x - moves)) / 1e-6
    assert found.shape == x.shape
    np.testing.assert_allclose(found.reshape(2, -1).T, second, atol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_in_the_input(name):
    """Along a direction, by differences."""
    network, w, x, _, g = network_problem(name, n=2)
    dx = np.random.default_rng(0).standard_normal(x.shape)
    moved = central(lambda x: np.sum(network.forward(w, x) * g), x, dx)
    np.testing.assert_allclose(np.sum(input_gradient(network, w, x, g) * dx), moved, rtol=1e-6, atol=1e-8)


@every_noise
def test_the_hessian_in_the_input_is_unbiased(noise):
    network, w, x, _, g = network_problem("softplus")
    draws = 5000
    rows = np.broadcast_to(w, (draws, w.size))
    found = input_hessian_diagonal(network, rows, np.broadcast_to(x, (draws, *x.shape)), g, noise(np.random.default_rng(7)))
    assert_unbiased(found, input_hessian_diagonal(network, w, x, g, UnitVectors()))


def test_one_covector_for_every_output():
    network, w, x, _, _ = network_problem("softplus")
    found = input_hessian_diagonal(network, w, x, np.eye(2)[:, None, :], UnitVectors())
    assert found.shape == (2, *x.shape)
    for k in range(2):
        assert_exact(found[k], input_hessian_diagonal(network, w, x, np.eye(2)[k], UnitVectors()))
    assert_exact(input_hessian_diagonal(network, w, x, 1.0, UnitVectors()), found.sum(axis=0))


# Arrays, batches, edges

def results(model, w, batch, noise):
    """Everything that there is to compute, as arrays; `noise` is a function, so that each starts from the same draws."""
    T, U = curvature_propagation(model, w, batch, noise())
    P, Q = cross_layer_curvature_propagation(model, w, batch, noise())
    return {"T": T, "U": U, "P": P, "Q": Q, "diagonal": hessian_diagonal(model, w, batch, noise()),
            "gauss newton": gauss_newton_diagonal(model, w, batch, noise()),
            "blocks": within_layer_hessian(model, w, batch, noise()).dense(),
            "hessian": hessian_estimate(model, w, batch, noise()).dense(),
            "operator": PropagatedFactors(T, U).operator().matvec(w),
            "block solve": within_layer_hessian(model, w, batch, noise()).shifted(30.0).solve(w),
            "input gradient": input_gradient(model.network, w, batch[0], 1.0),
            "input": input_hessian_diagonal(model.network, w, batch[0], 1.0, noise())}


@every_dtype
@pytest.mark.parametrize("name", ["softplus", "average pooling", "max pooling"])
def test_on_every_backend(name, backend, dtype):
    model, w, (x, y) = of_network(name)
    tol = 1e-10 if dtype == "float64" else 2e-3
    mine = backend.make(w, dtype), (backend.make(x, dtype), backend.make(y.astype(float), dtype))
    for noise in (lambda: NormalNoise(np.random.default_rng(8), 2), lambda: SignNoise(np.random.default_rng(8), 2)):
        expected = results(model, w, (x, y), noise)
        for key, found in results(model, *mine, noise).items():
            truth = expected[key]
            np.testing.assert_allclose(backend.check(found, dtype), truth, rtol=tol, atol=tol * np.abs(truth).max(), err_msg=key)


@every_dtype
@pytest.mark.parametrize("family", [ig.Normal(), ig.MultivariateNormal(2)], ids=repr)
def test_links_on_every_backend(family, backend, dtype):
    model, w, (x, y) = problem(family)
    tol = 1e-10 if dtype == "float64" else 5e-3
    mine = backend.make(w, dtype), tuple(backend.make(np.asarray(a, dtype=float), dtype) for a in (x, y))
    H = hessian(model, w, (x, y))
    for found, truth in [(hessian_diagonal(model, *mine, UnitVectors()), np.diag(H)),
                         (hessian_estimate(model, *mine, UnitVectors()).dense(), H)]:
        np.testing.assert_allclose(backend.check(found, dtype), truth, rtol=tol, atol=tol * np.abs(truth).max())


@every_dtype
def test_complex_vectors_on_every_backend(backend, dtype):
    model, w, (x, y) = of_network("max pooling")
    mine = backend.make(w, dtype), (backend.make(x, dtype), backend.make(y.astype(float), dtype))
    S = complex_curvature_propagation(model, *mine, SignNoise(np.random.default_rng(9), 2))
    truth = complex_curvature_propagation(model, w, (x, y), SignNoise(np.random.default_rng(9), 2))
    S = backend.check(S, dtype)
    assert S.dtype == {"float64": "complex128", "float32": "complex64"}[dtype]
    np.testing.assert_allclose(S, truth, rtol=1e-3, atol=1e-3 * np.abs(truth).max())


@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Normal()], ids=repr)
def test_rows_of_weights_are_models_of_their_own(family):
    model, w, batch = problem(family)
    rows = np.stack([[w, 0.5 * w, -w]])
    diagonal, metric = (estimate(model, rows, batch, UnitVectors()) for estimate in (hessian_diagonal, gauss_newton_diagonal))
    T, U = cross_layer_curvature_propagation(model, rows, batch, UnitVectors())
    assert diagonal.shape == metric.shape == rows.shape and T.shape[1:] == rows.shape
    for i in range(3):
        assert_exact(diagonal[0, i], hessian_diagonal(model, rows[0, i], batch, UnitVectors()))
        assert_exact(metric[0, i], gauss_newton_diagonal(model, rows[0, i], batch, UnitVectors()))
        assert_exact(PropagatedFactors(T[:, 0, i], U[:, 0, i]).operator().dense(), hessian(model, rows[0, i], batch))


def test_the_same_generator_gives_the_same_estimate():
    model, w, batch = problem(ig.Categorical(3))
    first, second = (hessian_diagonal(model, w, batch, SignNoise(np.random.default_rng(0))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_dead_layer_has_no_noise():
    """Where no gradient arrives, the node of a product is flat: zeros, not NaN."""
    model, w, batch = problem(ig.Categorical(3), MLP((3, 4, 4, 2), Relu()))
    for W in model.network.blocks(w)[:3]:
        if W is not None:
            W[-1] = -100.0
    found = hessian_estimate(model, w, batch, SignNoise(np.random.default_rng(0))).dense()
    dead = model.network.slices[2].stop
    assert np.all(found[:dead] == 0) and np.all(found[:, :dead] == 0) and np.all(np.isfinite(found)) and np.any(found != 0)


def test_a_linear_model_is_its_fisher_metric():
    """Without hidden layers nothing but the output law is curved."""
    model, w, batch = problem(ig.Poisson(), Sequential([Dense(3, 1), Identity()], (3,)))
    first, second = (estimate(model, w, batch, NormalNoise(np.random.default_rng(0)))
                     for estimate in (hessian_diagonal, gauss_newton_diagonal))
    assert_exact(first, second)


def test_errors():
    model, w, batch = problem(ig.Categorical(3))
    noise = SignNoise(np.random.default_rng(0))
    for estimate in (within_layer_hessian, hessian_estimate):
        with pytest.raises(ShapeError, match=r"w must have shape \(39,\), the weights of one model; got \(2, 39\)"):
            estimate(model, np.stack([w, w]), batch, noise)
    with pytest.raises(ShapeError, match=r"T and U must have shape \(m, size\) for an operator; got \(1, 2, 39\)"):
        curvature_propagation(model, np.stack([w, w]), batch, noise).operator()
    with pytest.raises(ValueError, match="draws must satisfy draws an integer >= 1; got 0"):
        NormalNoise(np.random.default_rng(0), 0)
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
        hessian_diagonal(model, w, batch, SignNoise(3))
    with pytest.raises(ShapeError, match="g must broadcast with the output"):
        input_hessian_diagonal(model.network, w, batch[0], np.ones(5), noise)
