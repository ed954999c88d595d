"""Training on curvature unit by unit: blocks, the quasi-diagonal, and TONGA's blocks of low rank."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import ExactColumns, KroneckerFactors, Observed, QuasiDiagonalFactors, UnitFactors, UnitLowRank
from infogeo.curvature import quasi_diagonal, unitwise_fisher
from infogeo.networks import CrossEntropyLoss
from infogeo.operators import LowRankBlocks, Rounded
from infogeo.training import KFAC, TONGA, ConstantLambda, EKFAC, FullLength, GammaOfLambda, MiniBatches, Refresh

from ..backends import every_dtype
from .fisher_helpers import close, fisher_matrix
from .operator_helpers import compare
from .test_curvature_unitwise import units, within_units
from .training_helpers import problem

DENSE = {UnitFactors: unitwise_fisher, QuasiDiagonalFactors: quasi_diagonal}


@pytest.mark.parametrize("factors", [UnitFactors, QuasiDiagonalFactors, UnitLowRank])
@pytest.mark.parametrize("name", ["categorical", "convolution"])
def test_moments_are_those_of_the_metric_and_average(factors, name):
    model, w, (x, y) = problem(name)
    of = lambda rows: factors.of_pass(model.record(w, x[rows]), (x[rows], y[rows]), outputs=ExactColumns())
    expected = DENSE[factors](model, w, (x, y)).dense() if factors in DENSE else within_units(model, fisher_matrix(model, w, x))
    close(of(slice(None)).operator().dense(), expected)
    close(of(slice(0, 6)).in_double().blend(of(slice(6, 24)), 0.75).operator().dense(), expected)
    weighted = np.r_[np.full(6, 2.0), np.zeros(6), np.ones(12)]
    twice = np.r_[0:6, 0:6, 12:24]
    found = factors.of_pass(model.record(w, x, weighted), (x, y), outputs=ExactColumns()).operator().dense()
    close(found, of(twice).operator().dense())


@pytest.mark.parametrize("n", [3, 40])
def test_reduced_to_the_leading_directions_of_every_unit(n):
    """Through the Gram matrix of 3 columns, and of 40 through the matrix."""
    model, w, (x, y) = problem("categorical", n=n)
    found = UnitLowRank.of_pass(model.record(w, x), (x, y), outputs=Observed()).reduced(2)
    assert all(X.shape[-1] == 2 for X in found.columns)
    g, dense = model.per_example_gradients(w, (x, y)), found.operator().dense()
    for _, places in units(model):
        values, Q = np.linalg.eigh(g[:, places].T @ g[:, places] / n)
        close(dense[np.ix_(places, places)], (Q[:, -2:] * values[-2:]) @ Q[:, -2:].T, 1e-10)


@every_dtype
def test_operators_in_every_method(backend, dtype):
    X = np.random.default_rng(0).standard_normal((3, 4, 2))
    dense = 0.5 * np.eye(12)
    for j in range(3):
        dense[j::3, j::3] += X[j] @ X[j].T
    A = LowRankBlocks(backend.make(X, dtype)).shifted(0.5)
    compare(A, dense, backend, dtype)
    compare(Rounded(LowRankBlocks(backend.make(X, "float64"), 0.5), A.dtype), dense, backend, dtype)


def test_steps_by_hand():
    """−(C + λ I)⁻¹ ∇L with the average C of two steps, reduced after each, and with a block of each unit."""
    model, w, batch = problem("bernoulli")
    f, lam = model.objective(batch), 0.3
    path = ig.descend(f, w, update=TONGA.published(rank=3, damping=ConstantLambda(lam)), step=0.5, max_steps=2,
                      record="path").path
    share, C = 0.0, np.zeros((w.size, w.size))
    for k in range(2):
        g = model.per_example_gradients(path[k], batch)
        share = 1.0 if k == 0 else 0.05 / (1.0 - 0.95**2)
        C = (1.0 - share) * C + share * g.T @ g / len(g)
        reduced = np.zeros_like(C)
        for _, places in units(model):
            values, Q = np.linalg.eigh(C[np.ix_(places, places)])
            reduced[np.ix_(places, places)] = (Q[:, -3:] * values[-3:]) @ Q[:, -3:].T
        C = reduced
        step = np.linalg.solve(C + lam * np.eye(w.size), f.value_and_gradient(path[k])[1])
        np.testing.assert_allclose(path[k + 1] - path[k], -0.5 * step, rtol=1e-9, atol=1e-12)
    plain = dict(damping=ConstantLambda(lam), gamma=GammaOfLambda(), rescaling=FullLength())
    update = KFAC(ExactColumns(), UnitFactors, **plain)
    F = within_units(model, fisher_matrix(model, w, batch[0])) + lam * np.eye(w.size)
    found = ig.descend(f, w, update=update, step=1.0, max_steps=1).x - w
    np.testing.assert_allclose(found, -np.linalg.solve(F, f.value_and_gradient(w)[1]), rtol=1e-9, atol=1e-12)


UPDATES = {"units": lambda: KFAC(ExactColumns(), UnitFactors), "quasi": lambda: KFAC(ExactColumns(), QuasiDiagonalFactors),
           "low rank": lambda: TONGA(rank=3), "low rank, seldom": lambda: TONGA(rank=3, refresh=Refresh(3, 0))}


@pytest.mark.parametrize("name", UPDATES)
def test_no_step_raises_the_loss_and_a_run_goes_on(name):
    model, w, batch = problem("categorical", n=60)
    f, kept = model.objective(batch), []
    whole = ig.descend(f, w, update=UPDATES[name](), step=1.0, max_steps=12,
                       callbacks=[lambda moment: kept.append(moment.snapshot()) if moment.k == 5 else None])
    assert np.all(np.diff(whole.values) <= 0)
    adam = ig.descend(f, w, update=ig.training.Adam(), step=0.05, max_steps=12)
    assert whole.values[-1] < adam.values[-1]
    rest = ig.descend(f, w, update=UPDATES[name](), step=1.0, max_steps=12, callbacks=[lambda moment: None], resume=kept[0])
    assert np.array_equal(rest.x, whole.x)


@every_dtype
def test_on_every_backend(backend, dtype):
    for name in ("units", "quasi", "low rank"):
        runs = []
        for made, kind in ((backend, dtype), (None, "float64")):
            model, w, batch = problem("categorical", made, kind)
            stream = MiniBatches(model.objective(batch), 12)
            runs.append(ig.descend(stream, w, update=UPDATES[name](), step=1.0, max_steps=3, rng=np.random.default_rng(2)))
        found = backend.check(runs[0].x, dtype)
        np.testing.assert_allclose(found, runs[1].x, rtol=0, atol=1e-8 if dtype == "float64" else 2e-2)


def test_an_offset_of_the_inputs_costs_the_quasi_diagonal_no_digits():
    model, w, (x, y) = problem("categorical")
    x, w = (x + 1e3).astype(np.float32), w.astype(np.float32)
    low, high = (QuasiDiagonalFactors.of_pass(model.record(w.astype(t), x.astype(t)), (x, y)).operator().A.blocks[0]
                 for t in (np.float32, np.float64))
    np.testing.assert_allclose(low.d, high.d, rtol=1e-3, atol=1e-3 * float(high.d.max()))


def test_slips():
    with pytest.raises(TypeError, match="factors must be a class of factors.*EigenFactors.*EKFAC"):
        KFAC(factors=ig.curvature.EigenFactors)
    for wrong in (dict(refresh=3), dict(averaging=0.9), dict(statistics=0.5), dict(damping=1.0), dict(outputs=Observed)):
        name, = wrong
        with pytest.raises(TypeError, match=f"TONGA takes an object of the class .* as its argument {name}; got"):
            TONGA(**wrong)
    with pytest.raises(ig.DomainError, match="rank an integer >= 1"):
        TONGA(rank=0)
    with pytest.raises(ig.ShapeError, match=r"X must have shape \(k, p, r\)"):
        LowRankBlocks(np.ones((2, 2)))


@pytest.mark.parametrize("make, name", [(KFAC, "A"), (EKFAC, "A"), (lambda: KFAC(factors=UnitFactors), "the second moments")],
                         ids=["kfac", "ekfac", "units"])
def test_a_moment_that_is_not_finite_is_named(make, name):
    """Inputs of 1e30 have squares beyond float32; loss and gradient are finite."""
    model, w, (x, y) = problem("categorical")
    x[3, 1] = 1e30
    f, w = model.objective((x.astype(np.float32), y)), w.astype(np.float32)
    with np.errstate(all="ignore"), pytest.raises(ig.DomainError, match=rf"{name} of layer 0 .* row 1, column 1"):
        ig.descend(f, w, update=make(), step=1.0, max_steps=2)


def test_targets_that_are_mean_statistics():
    """As the grey values of an autoencoder; of whole targets the run is that of the observations."""
    model, w, (x, y) = problem("bernoulli")
    runs = [ig.descend(f, w, update=TONGA(rank=3), step=1.0, max_steps=5).x
            for f in (model.objective((x, y)), CrossEntropyLoss(model, (x, y)), CrossEntropyLoss(model, (x, 0.2 + 0.6 * y)))]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-9)
    assert np.all(np.isfinite(runs[2])) and not np.allclose(runs[1], runs[2])


def test_factors_name_their_layer():
    model, w, (x, y) = problem("categorical")
    x[:, 2] = 1e200
    with np.errstate(over="ignore"), pytest.raises(ig.DomainError, match="A of layer 0 of those .* 1 of 16 entries are"):
        KroneckerFactors.of(model, w, (x, y))
