"""The exact Fisher block of every layer."""
import numpy as np
import pytest

from infogeo.backend import NUMPY as XP
from infogeo.curvature.block_diagonal import block_diagonal
from infogeo.curvature.damping import Tikhonov
from infogeo.curvature.fisher import outer_products
from infogeo.curvature.outputs import ExactColumns, Observed, RandomSigns, Sampled
from infogeo.operators.block import BlockDiagonal
from infogeo.operators.dense import SymmetricDense
from infogeo.operators.kronecker import Kronecker

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, layer_slices, made, problem
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


def without_coupling(model, F):
    """F with zeros between the weights of different layers."""
    out = np.zeros_like(F)
    for _, s in layer_slices(model):
        out[s, s] = F[s, s]
    return out


@every_model
@pytest.mark.parametrize("n", [3, 30])
def test_blocks_are_those_of_the_fisher_metric(name, n):
    model, w, batch = problem(name, n)
    B, F = block_diagonal(model, w, batch), fisher_matrix(model, w, batch[0])
    assert isinstance(B, BlockDiagonal) and all(isinstance(block, SymmetricDense) for block in B.blocks)
    assert len(B.blocks) == len(layer_slices(model))
    close(B.dense(), without_coupling(model, F))
    close(B.trace(), np.trace(F))
    if len(B.blocks) > 1:
        assert np.linalg.norm(B.dense() - F) > 0.01 * np.linalg.norm(F)


@every_dtype
@pytest.mark.parametrize("name", ["categorical", "convolution", "convolutions, one without bias"])
def test_damped_blocks_in_every_method(name, backend, dtype):
    model, w, batch = problem(name)
    dense = without_coupling(model, fisher_matrix(model, w, batch[0])) + 0.5 * np.eye(w.size)
    compare(Tikhonov(0.5)(block_diagonal(model, *made(backend, dtype, w, batch))), dense, backend, dtype)


@pytest.mark.parametrize("name", ["bernoulli product", "convolution"])
@pytest.mark.parametrize("outputs", [lambda: Observed(), lambda: Sampled(np.random.default_rng(1), 3),
                                     lambda: RandomSigns(np.random.default_rng(1), 2)], ids=["observed", "sampled", "signs"])
def test_blocks_with_any_covectors(name, outputs):
    model, w, batch = problem(name)
    dense = outer_products(model, w, batch, outputs()).dense()
    close(block_diagonal(model, w, batch, outputs=outputs()).dense(), without_coupling(model, dense))


@pytest.mark.parametrize("name", ["bernoulli product", "convolution"])
def test_sums_over_groups_of_covectors_are_the_sums(name, monkeypatch):
    model, w, batch = problem(name)
    expected = block_diagonal(model, w, batch).dense()
    monkeypatch.setattr("infogeo.curvature.outputs.ELEMENTS", 1)
    close(block_diagonal(model, w, batch).dense(), expected)


def test_the_block_of_one_example_is_a_kronecker_product():
    model, w, batch = problem("categorical", 1)
    done, B = model.record(w, batch[0]), block_diagonal(model, w, batch)
    columns = ExactColumns().covectors(model.family, done.theta, batch)
    for q, block in zip(done.layer_quantities(columns), B.blocks):
        a, g = q.layer.homogeneous(XP, q.inputs)[0, 0], q.covectors[:, 0, 0]
        close(block.dense(), Kronecker(np.outer(a, a), g.T @ g).dense())
