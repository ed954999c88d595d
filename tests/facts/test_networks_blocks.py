"""A large batch goes through a network in blocks of samples; nothing changes but the time."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.block_diagonal import block_diagonal
from infogeo.curvature.diagonal import diagonal_fisher
from infogeo.curvature.kronecker_factors import KroneckerFactors
from infogeo.curvature.outputs import RandomSigns
from infogeo.curvature.unitwise import quasi_diagonal, unitwise_fisher
from infogeo.networks import network as networks
from infogeo.networks.initial import Glorot
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Pass, PassInBlocks
from infogeo.networks.usual import ConvNet

from .fisher_helpers import MODELS, problem

N, ROWS = 13, 3                                 # four blocks of 3 samples and one of 1: enough for two threads
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture
def in_blocks(monkeypatch):
    """What `task` gives with all samples together, and block by block."""
    def both(model, task):
        whole = task()
        with monkeypatch.context() as patch:
            rows = property(lambda network: ROWS)
            patch.setattr(networks.Sequential, "rows_of_a_block", rows)
            x = np.zeros((N, *model.network.input_shape))
            assert len(model.network.blocks_of_samples(np.zeros(model.network.size), x)) == 5
            return whole, task()
    return both


def equal(found, whole, rtol=1e-12):
    np.testing.assert_allclose(found, whole, rtol=rtol, atol=rtol * np.max(np.abs(whole)))


@every_model
@pytest.mark.parametrize("directions", [(), (2,)], ids=["one direction", "two"])
def test_derivatives(in_blocks, name, directions):
    model, w, (x, _) = problem(name, N)
    network, rng = model.network, np.random.default_rng(1)
    g = rng.standard_normal((*directions, N, *network.output_shape))
    dw = rng.standard_normal((*directions, network.size))

    def derivatives():
        done = network.record(w, x)
        turned = done.vjp_tangent(dw, g, lambda moved: 2.0 * moved), done.vjp_tangent(dw, g[..., :1, :], g)
        layers = [array for q in done.layer_quantities(g) for array in (q.inputs, q.covectors)]
        return type(done), [done.output, done.jvp(dw), done.vjp(g), done.per_example_gradients(g), *turned, *layers]

    (kind, whole), (kind_of_blocks, found) = in_blocks(model, derivatives)
    assert (kind, kind_of_blocks) == (Pass, PassInBlocks)
    for a, b in zip(found, whole, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        equal(a, b)


@every_model
def test_loss_and_curvature(in_blocks, name):
    model, w, batch = problem(name, N)
    v = np.random.default_rng(2).standard_normal(w.shape)

    def all_of_them():
        loss, outputs = model.objective(batch), RandomSigns(np.random.default_rng(3))
        value, gradient = loss.value_and_gradient(w)
        done = model.record(w, batch[0])
        factors = KroneckerFactors.of_pass(done, batch, outputs=outputs).operator()
        operators = [make(model, w, batch) @ v for make in (diagonal_fisher, block_diagonal, unitwise_fisher, quasi_diagonal)]
        return [value, gradient, loss.per_example_gradients(w), loss.hessian_vector(w, v), done.fisher_vector(v), factors @ v,
                *operators]

    for found, whole in zip(*reversed(in_blocks(model, all_of_them)), strict=True):
        equal(found, whole, 1e-11)


def test_curvature_propagation_sees_all_samples(in_blocks):
    model, w, batch = problem("categorical", N)
    diagonal = lambda: ig.curvature.hessian_diagonal(model, w, batch, ig.curvature.SignNoise(np.random.default_rng(5), 4))
    whole, found = in_blocks(model, diagonal)
    equal(found, whole)


def test_blocks_are_of_the_size_of_a_cache_but_never_smaller_than_the_weights():
    wide = ConvNet((28, 28, 1), (8, 16), 9)
    rows = [s.stop - s.start for s in wide.blocks_of_samples(np.zeros(wide.size), np.zeros((300, 28, 28, 1)))]
    assert sum(rows) == 300 and 50 < rows[0] < 150 and min(rows[:-1]) == rows[0]
    dense = ig.networks.MLP((784, 1000, 784))
    assert len(dense.blocks_of_samples(np.zeros(dense.size), np.zeros((512, 784)))) == 1
    # a batch of networks shares no weights
    assert len(wide.blocks_of_samples(np.zeros((2, wide.size)), np.zeros((300, 28, 28, 1)))) == 1


def test_targets_in_a_batch_of_their_own():
    network = ConvNet((8, 8, 1), (4,), 2)
    model, rng = ConditionalModel(network, ig.Categorical(3)), np.random.default_rng(0)
    w, x, y = network.init(rng, Glorot()), rng.standard_normal((4000, 8, 8, 1)), rng.integers(0, 3, (2, 4000)).astype(float)
    assert len(network.blocks_of_samples(w, x)) > 1
    values, gradients = model.objective((x, y)).value_and_gradient(w)
    for k in range(2):
        value, gradient = model.objective((x, y[k])).value_and_gradient(w)
        equal(values[k], value)
        equal(gradients[k], gradient, 1e-11)
