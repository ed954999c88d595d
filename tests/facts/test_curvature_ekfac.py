"""Kronecker-factored eigenbases with eigenvalues of their own."""
from importlib import import_module

import numpy as np
import pytest

from infogeo.curvature import kronecker_factors
from infogeo.curvature.damping import FactoredTikhonov, Tikhonov
from infogeo.curvature.ekfac import EigenFactors, ekfac
from infogeo.curvature.kfac import kfac
from infogeo.curvature.kronecker_factors import KroneckerFactors, RunningAverage
from infogeo.curvature.outputs import Observed, Sampled
from infogeo.curvature.sharing import Expand, Reduce
from infogeo.errors import ShapeError

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, layer_slices, made, outer_products, problem
from .kronecker_helpers import block_matrix
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


def in_bases(exact, model, bases):
    """The exact blocks with everything but the diagonal in the bases left out."""
    slices, out = [s for _, s in layer_slices(model)], []
    for s, (Q_a, Q_b) in zip(slices, bases):
        Q = np.kron(Q_a, Q_b)
        out.append(Q @ np.diag(np.diag(Q.T @ exact[s, s] @ Q)) @ Q.T)
    return block_matrix(slices, out)


@every_dtype
@every_model
def test_damped_operator_in_every_method(name, backend, dtype):
    model, w, batch = problem(name, 6)
    bases = KroneckerFactors.of(model, w, batch).bases()
    dense = in_bases(fisher_matrix(model, w, batch[0]), model, bases) + 0.3 * np.eye(w.size)
    made_bases = tuple(tuple(backend.make(Q) for Q in pair) for pair in bases)
    w, batch = made(backend, dtype, w, batch)
    compare(Tikhonov(0.3)(ekfac(model, w, batch, bases=made_bases)), dense, backend, dtype)
    compare(Tikhonov(0.3)(ekfac(model, w, batch)), dense, backend, dtype)


@every_model
@pytest.mark.parametrize("sharing", [Expand(), Reduce()], ids=repr)
def test_the_trace_is_exact_and_it_is_never_further_than_the_product_of_moments(name, sharing):
    """Block by block, in the Frobenius norm; both dampings are c I, which is diagonal in any basis."""
    model, w, batch = problem(name, 12)
    exact = fisher_matrix(model, w, batch[0])
    eigen, plain = (f(model, w, batch, sharing=sharing) for f in (ekfac, kfac))
    for s, ours, theirs in zip([s for _, s in layer_slices(model)], eigen.blocks, plain.blocks, strict=True):
        np.testing.assert_allclose(ours.trace(), np.trace(exact[s, s]), rtol=1e-11)
        near, far = (np.linalg.norm(block.dense() - exact[s, s]) for block in (ours, theirs))
        assert near <= far + 1e-11 * np.linalg.norm(exact[s, s])
    close(FactoredTikhonov(0.1)(eigen).dense(), eigen.dense() + 0.1 * np.eye(w.size))


def test_it_is_nearer_where_inputs_and_covectors_go_together():
    model, w, batch = problem("categorical", 12)
    exact = fisher_matrix(model, w, batch[0])
    for s, ours, theirs in zip([s for _, s in layer_slices(model)], ekfac(model, w, batch).blocks, kfac(model, w, batch).blocks):
        near, far = (np.linalg.norm(block.dense() - exact[s, s]) for block in (ours, theirs))
        assert near < 0.98 * far and abs(theirs.trace() - np.trace(exact[s, s])) > 1e-3 * np.trace(exact[s, s])


@pytest.mark.parametrize("name", ["categorical", "convolution", "convolutions, one without bias"])
def test_observed_covectors(name):
    """The trace of the empirical blocks from the gradients of the samples."""
    model, w, batch = problem(name, 9)
    each = model.per_example_gradients(w, batch)
    for s, block in zip([s for _, s in layer_slices(model)], ekfac(model, w, batch, outputs=Observed()).blocks):
        np.testing.assert_allclose(block.trace(), np.mean(np.sum(each[:, s] ** 2, axis=1)), rtol=1e-12)


def test_bases_and_eigenvalues_come_from_the_same_draws():
    """With random covectors, too, it is nearer to the block of these covectors than their product of moments."""
    model, w, batch = problem("categorical", 5)
    theta = model.theta(w, batch[0])
    for seed in range(20):
        drawn = Sampled(np.random.default_rng(seed)).covectors(model.family, theta, batch)
        block = outer_products(model, w, batch[0], drawn)
        eigen, plain = (f(model, w, batch, outputs=Sampled(np.random.default_rng(seed))) for f in (ekfac, kfac))
        for s, ours, theirs in zip([s for _, s in layer_slices(model)], eigen.blocks, plain.blocks):
            np.testing.assert_allclose(ours.trace(), np.trace(block[s, s]), rtol=1e-11)
            assert np.linalg.norm(ours.dense() - block[s, s]) <= np.linalg.norm(theirs.dense() - block[s, s]) + 1e-12


def test_older_bases_keep_the_trace(monkeypatch):
    """With bases of another batch nothing is decomposed, and the eigenvalues are those of this batch."""
    model, w, batch = problem("convolution", 8)
    bases = KroneckerFactors.of(model, w, problem("convolution", 8, seed=5)[2]).bases()
    monkeypatch.setattr(KroneckerFactors, "bases", None)
    found, exact = ekfac(model, w, batch, bases=bases), fisher_matrix(model, w, batch[0])
    close(found.dense(), in_bases(exact, model, bases), 1e-10)
    np.testing.assert_allclose(found.trace(), np.trace(exact), rtol=1e-12)


def test_several_passes_give_the_same(monkeypatch):
    model, w, batch = problem("convolution", 5)
    whole = ekfac(model, w, batch).dense()
    monkeypatch.setattr(kronecker_factors, "CHUNK", 1)
    monkeypatch.setattr(import_module("infogeo.curvature.ekfac"), "CHUNK", 1)
    close(ekfac(model, w, batch).dense(), whole, 1e-13)


@every_dtype
def test_running_average_in_fixed_bases(backend, dtype):
    model, w, batch = problem("categorical", 6)
    w, batch = made(backend, dtype, w, batch)
    bases = KroneckerFactors.of(model, w, batch).bases()
    average = RunningAverage(0.5)
    state, found = average.init(), [EigenFactors.of(model, w * s, batch, bases) for s in (1.0, 1.3)]
    for factors in found:
        state = average.update(state, factors)
    first, second = (backend.check(factors.S[0]) for factors in found)
    close(state.value.S[0], (first + 2.0 * second) / 3.0, 1e-15)
    backend.check(state.value.operator().shifted(0.1).solve(w), dtype)


def test_other_bases_cannot_be_averaged():
    model, w, batch = problem("categorical", 6)
    one, other = (EigenFactors.of(model, w, batch, KroneckerFactors.of(model, w, batch).bases()) for _ in range(2))
    with pytest.raises(ValueError, match="different bases"):
        one.blend(other, 0.5)
    with pytest.raises(ShapeError, match="a pair for each of the 2 layers with weights; got 1"):
        ekfac(model, w, batch, bases=one.bases[:1])
