"""Relative natural gradient: the relative Fisher metrics of layers, and the optimiser of the published code."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.kronecker_factors import RunningAverage
from infogeo.errors import DomainError
from infogeo.networks import AveragePool, ConditionalModel, Convolution2D, Dense, Flatten, MLP, Relu, Sequential, Softplus, Tanh
from infogeo.training.data import MiniBatches
from infogeo.training.relative import RelativeNatural, relative_metrics

from ..backends import every_dtype
from .training_helpers import problem, run


def network_and_inputs(activation, seed=0, n=30):
    rng = np.random.default_rng(seed)
    network = MLP((3, 5, 4, 6, 2), activation)
    return network, 0.6 * rng.standard_normal(network.size), rng.standard_normal((n, 3))


def after(network, w, x, count):
    """The output of the first layers."""
    first = Sequential(network.layers[:count], network.input_shape)
    return first.forward(w[:first.size], x)


def homogeneous(a):
    return np.concatenate([a, np.ones((len(a), 1))], axis=1)


@pytest.mark.parametrize("activation", [Tanh(), Relu(), Softplus()], ids=repr)
def test_a_hidden_layer_has_the_fisher_metric_of_its_own_model(activation):
    """σ(ā W) with additive normal noise of variance 1, as a conditional model given the inputs of the layer."""
    network, w, x = network_and_inputs(activation)
    metrics = relative_metrics(network, w, x).layers
    for place, (n_in, n_out) in ((1, (5, 4)), (2, (4, 6))):
        a = after(network, w, x, 2 * place)
        noise = ig.Independent(ig.NormalKnownVariance(1.0), n_out)
        layer = ConditionalModel(Sequential([Dense(n_in, n_out), activation], (n_in,)), noise)
        own = w[network.slices[2 * place]]
        F = layer.fisher_vector(own, a, np.eye(own.size)).reshape(n_in + 1, n_out, n_in + 1, n_out)
        for j in range(n_out):
            np.testing.assert_allclose(metrics[place][0][j], F[:, j, :, j], rtol=1e-11, atol=1e-13)
            F[:, j, :, j] = 0.0
        assert np.abs(F).max() < 1e-15                           # and nothing between units


def test_first_and_last_layers_have_the_second_moment_of_their_inputs():
    network, w, x = network_and_inputs(Tanh())
    metrics = relative_metrics(network, w, x).layers
    for place, a in ((0, x), (3, after(network, w, x, 6))):
        np.testing.assert_allclose(metrics[place][0], homogeneous(a).T @ homogeneous(a) / len(a), rtol=1e-12)


def test_convolutions_sum_over_positions():
    """A hidden convolution between convolutions, followed by its activation; one followed by pooling has slopes 1."""
    rng = np.random.default_rng(1)
    for between, slope in (([Tanh()], None), ([AveragePool(2), Tanh()], 1.0)):
        size = 9 if slope is None else 1
        layers = [Convolution2D(1, 2, 2), Tanh(), Convolution2D(2, 3, 2), *between, Flatten(), Dense(3 * size, 2)]
        network = Sequential(layers, (5, 5, 1))
        w, x = rng.standard_normal(network.size), rng.standard_normal((6, 5, 5, 1))
        found = relative_metrics(network, w, x).layers[1][0]
        image, W = after(network, w, x, 2), network.blocks(w)[2]
        rows = np.stack([image[:, i:i + 2, j:j + 2].reshape(6, 8) for i in range(3) for j in range(3)], axis=1)
        rows = np.concatenate([rows, np.ones((6, 9, 1))], axis=2)
        slopes = 1.0 - np.tanh(rows @ W) ** 2 if slope is None else np.ones((6, 9, 3))
        expected = np.einsum("nlj,nlp,nlq->jpq", slopes**2, rows, rows) / 6
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def by_hand(metrics, fraction, blocks):
    """M⁻¹ c, block by block."""
    out = []
    for (M,), c in zip(metrics, blocks):
        damp = lambda m: m + fraction * np.trace(m) * np.eye(len(m))
        if M.ndim == 3:
            out.append(np.stack([np.linalg.solve(damp(M[j]), c[:, j]) for j in range(len(M))], axis=1))
        else:
            out.append(np.linalg.solve(damp(M), c))
    return np.concatenate([o.reshape(-1) for o in out])


def test_a_run_by_hand():
    """The average learns at every step, the inverse is renewed every four."""
    model, w, batch = problem("categorical")
    path = run(MiniBatches(model.objective(batch), 6), w, RelativeNatural(1e-2, RunningAverage(0.9), 4), max_steps=10).path
    objective, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(5)
    terms, used = [], None
    for k in range(10):
        step = objective.draw(rng)
        terms.append(relative_metrics(model.network, path[k], step.x).layers)
        weights = 0.9 ** np.arange(k + 1)[::-1]
        if k % 4 == 0:
            used = [(sum(s * term[i][0] for s, term in zip(weights, terms)) / weights.sum(),) for i in range(3)]
        blocks = [b for b in model.network.blocks(step.value_and_gradient(path[k])[1]) if b is not None]
        np.testing.assert_allclose(path[k + 1], path[k] - 0.1 * by_hand(used, 1e-2, blocks), rtol=1e-8, atol=1e-10)


def test_a_unit_that_is_never_active_counts_as_the_identity():
    network = MLP((2, 3, 3, 2), Relu())
    model = ConditionalModel(network, ig.Categorical(3))
    rng = np.random.default_rng(2)
    w, x = rng.standard_normal(network.size), rng.standard_normal((20, 2))
    network.blocks(w)[2][:, 1] = -5.0                            # a view: all weights into unit 1 of the second hidden layer
    assert np.all(relative_metrics(network, w, x).layers[1][0][1] == 0.0)
    result = run(model.objective((x, rng.integers(0, 3, 20))), w, RelativeNatural(0.1), h=0.01)
    assert np.all(np.isfinite(result.path)) and result.values[-1] < result.values[0]
    np.testing.assert_array_equal(network.blocks(result.x)[2][:, 1], -5.0)


@every_dtype
@pytest.mark.parametrize("name", ["categorical", "convolution"])
def test_on_every_backend(name, dtype, backend):
    model, w, batch = problem(name, backend, dtype)
    update = RelativeNatural(1e-2, refresh=2)
    path = backend.check(run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path, dtype)
    model, w, batch = problem(name)
    expected = run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-10 if dtype == "float64" else 2e-4)


def test_bad_arguments():
    with pytest.raises(DomainError, match="damping > 0; got 0.0"):
        RelativeNatural(0.0)
    with pytest.raises(ValueError, match="refresh must satisfy refresh an integer >= 1; got 0"):
        RelativeNatural(refresh=0)
