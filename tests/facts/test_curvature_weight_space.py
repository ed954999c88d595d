"""Weights as a manifold: natural-gradient training is `NaturalUpdate` in the one loop, with any curvature."""
from functools import partial

import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.block_diagonal import block_diagonal
from infogeo.curvature.damping import FactoredTikhonov, KrylovTikhonov, Tikhonov, Undamped
from infogeo.curvature.diagonal import diagonal_fisher
from infogeo.curvature.fisher import empirical_fisher, fisher, sampled_fisher
from infogeo.curvature.hessian import hessian
from infogeo.curvature.low_rank import low_rank_fisher
from infogeo.curvature.outputs import ExactColumns, RandomSigns
from infogeo.curvature.unitwise import quasi_diagonal, unitwise_fisher
from infogeo.curvature.weight_space import WeightSpace
from infogeo.errors import DomainError, ShapeError
from infogeo.networks.initial import Glorot
from infogeo.networks.model import ConditionalModel
from infogeo.networks.usual import MLP
from infogeo.operators.dense import SymmetricDense
from infogeo.operators.kronecker import Kronecker

from ..backends import every_dtype
from .fisher_helpers import close, fisher_matrix, made, problem
from .operator_helpers import spd

CURVATURES = {
    "fisher": fisher,
    "empirical": empirical_fisher,
    "blocks": block_diagonal,
    "diagonal": diagonal_fisher,
    "random diagonal": partial(diagonal_fisher, outputs=RandomSigns(np.random.default_rng(0), 2)),
    "units": unitwise_fisher,
    "quasi-diagonal": quasi_diagonal,
    "low rank": partial(low_rank_fisher, rank=3),
}
every_curvature = pytest.mark.parametrize("name", CURVATURES)


def classification(seed=0):
    """Three noisy clusters in five dimensions."""
    rng = np.random.default_rng(seed)
    model = ConditionalModel(MLP((5, 6, 2)), ig.Categorical(3))
    y = rng.integers(0, 3, 60)
    x = rng.standard_normal((60, 5)) + 1.5 * np.eye(5)[y]
    return model, model.network.init(rng, Glorot()), (x, y)


@every_curvature
def test_training_is_natural_update(name):
    model, w0, batch = classification()
    geometry = WeightSpace(model, batch, CURVATURES[name], damping=Tikhonov(1e-2))
    fit = ig.descend(model.objective(batch), w0, geometry=geometry, update=ig.NaturalUpdate(), step=ig.Constant(0.2),
                     max_steps=20)
    assert fit.values.shape == (21,) and fit.values[-1] < 0.5 * fit.values[0]


def test_natural_gradient_needs_fewer_steps_than_gradient_descent():
    model, w0, batch = classification()
    run = dict(update=ig.NaturalUpdate(), step=ig.Constant(0.5), max_steps=15)
    natural = ig.descend(model.objective(batch), w0, geometry=WeightSpace(model, batch, fisher, damping=Tikhonov(1e-2)), **run)
    plain = ig.descend(model.objective(batch), w0, geometry=ig.Euclidean(w0.size), **run)
    assert natural.values[-1] < 0.5 * plain.values[-1]


def test_rows_of_weights_are_runs_of_their_own():
    model, w0, batch = classification()
    starts = np.stack([w0, 0.5 * w0, -w0])
    geometry = WeightSpace(model, batch, fisher, damping=Tikhonov(1e-2))
    run = dict(geometry=geometry, update=ig.NaturalUpdate(), step=ig.Constant(0.3), max_steps=5, record="path")
    together = ig.descend(model.objective(batch), starts, **run)
    for i, start in enumerate(starts):
        close(together.path[:, i], ig.descend(model.objective(batch), start, **run).path, 1e-9)


def test_newton_by_the_hessian():
    """Logistic regression: undamped steps of size one converge quadratically."""
    rng = np.random.default_rng(0)
    model, x = ConditionalModel(MLP((3, 1)), ig.Bernoulli()), rng.standard_normal((80, 3))
    batch = x, model.sample(rng, np.array([1.0, -0.5, 0.3, 0.2]), x)
    geometry = WeightSpace(model, batch, partial(hessian, tol=1e-12), damping=Undamped())
    run = ig.descend(model.objective(batch), np.zeros(4), geometry=geometry, update=ig.NaturalUpdate(), step=ig.Constant(1.0),
                     max_steps=6, record="path")
    assert np.linalg.norm(model.value_and_gradient(run.x, batch)[1]) < 1e-12
    distance = np.linalg.norm(run.path[:4] - run.x, axis=-1)
    assert np.all(distance[1:] < 2.0 * distance[:-1] ** 2)


@every_dtype
@every_curvature
def test_the_metric_is_the_damped_curvature(name, backend, dtype):
    """Every method of the manifold, over rows of weights and of vectors."""
    model, w, batch = problem("categorical")
    curvature = CURVATURES[name]
    if name == "random diagonal":       # with the same signs in every call
        curvature = lambda *arguments: diagonal_fisher(*arguments, outputs=RandomSigns(np.random.default_rng(0)))
    mw, mbatch = made(backend, dtype, np.stack([w, 0.5 * w]), batch)
    M = WeightSpace(model, mbatch, curvature, damping=Tikhonov(0.5))
    dense = np.stack([curvature(model, row, batch).dense() + 0.5 * np.eye(w.size) for row in (w, 0.5 * w)])
    v = np.random.default_rng(1).standard_normal((2, w.size))
    tol = {"float64": 1e-9, "float32": 1e-3}[dtype]
    mv = backend.make(v, dtype)
    close(backend.check(M.metric(mw), dtype), dense, tol)
    close(backend.check(M.flat(mw, mv), dtype), np.einsum("nij,nj->ni", dense, v), tol)
    close(backend.check(M.sharp(mw, mv), dtype), np.linalg.solve(dense, v[..., None])[..., 0], tol)
    close(backend.check(M.sharp(mw, mv[0, ...]), dtype), np.linalg.solve(dense, v[0]), tol)
    close(backend.check(M.sharp(mw[0, ...], mv), dtype), np.linalg.solve(dense[0], v.T).T, tol)
    close(backend.check(M.inner(mw, mv, mv), dtype), np.einsum("ni,nij,nj->n", v, dense, v), tol)
    eye = backend.make(np.eye(w.size), dtype)
    F = backend.check(M.root(mw[0, ...], eye), dtype)
    close(F.T @ F, dense[0], tol)


def test_curvature_is_computed_once_at_a_point(monkeypatch):
    """The metric that a step rule asks for at the point where the loop stands is that of the step itself."""
    model, w0, batch = classification()
    calls = []

    def counted(*arguments):
        calls.append(1)
        return diagonal_fisher(*arguments)

    geometry = WeightSpace(model, batch, counted, damping=Tikhonov(0.1))
    ig.descend(model.objective(batch), w0, geometry=geometry, update=ig.NaturalUpdate(), step=ig.Backtracking(1.0), max_steps=4,
               tol=1e-12)
    assert len(calls) <= 5


# Damping

def test_damping_says_what_it_does():
    model, w, batch = problem("categorical", 3)
    F, dense = fisher(model, w, batch), fisher_matrix(model, w, batch[0])
    b = np.random.default_rng(0).standard_normal(w.size)
    assert Undamped()(F) is F
    expected = np.linalg.solve(dense + 0.2 * np.eye(w.size), b)
    close(Tikhonov(0.2)(F).solve(b), expected, 1e-10)
    close(FactoredTikhonov(0.2)(F).solve(b), expected, 1e-10)        # no Kronecker product in it
    close(KrylovTikhonov(0.2, tol=1e-10)(F).solve(b), expected, 1e-8)
    tight = KrylovTikhonov(0.2, tol=1e-10, max_steps=3, preconditioner=SymmetricDense(dense + 0.2 * np.eye(w.size)))
    close(tight(F).solve(b), expected, 1e-8)


def test_factored_damping_damps_the_factors():
    A, G = spd(3, 1), 4.0 * spd(2, 2)
    damped = FactoredTikhonov(0.09)(Kronecker(SymmetricDense(A), SymmetricDense(G)))
    pi = np.sqrt(np.trace(A) / 3 / (np.trace(G) / 2))
    close(damped.dense(), np.kron(A + pi * 0.3 * np.eye(3), G + 0.3 / pi * np.eye(2)))


@pytest.mark.parametrize("damping", [Tikhonov, FactoredTikhonov, KrylovTikhonov], ids=lambda kind: kind.__name__)
def test_damping_is_positive(damping):
    for c in (0.0, -1.0, float("nan")):
        with pytest.raises(DomainError, match=rf"c must satisfy c > 0; got {c}"):
            damping(c)
    with pytest.raises(TypeError):
        WeightSpace(*classification()[::2], fisher)         # there is no default
    assert damping(np.float64(0.1))(diagonal_fisher(*made_float32())).solve(np.ones(32, np.float32)).dtype == np.float32


def made_float32():
    model, w, batch = problem("categorical")
    return model, w.astype(np.float32), tuple(part.astype(np.float32) for part in batch)


def test_tolerance_of_conjugate_gradients_is_positive():
    with pytest.raises(DomainError, match="tol must satisfy tol > 0; got 0"):
        KrylovTikhonov(0.1, tol=0)


def test_covectors_have_the_shape_that_they_promise():
    """Any leading axes, too: rows of weights."""
    model, w, batch = problem("categorical")
    theta = model.theta(np.stack([w, -w]), batch[0])
    columns = ExactColumns().covectors(model.family, theta, batch)
    assert columns.shape == (2, 2, 4, 2)
    close(np.einsum("m...i,m...j->...ij", columns, columns), model.family.metric(theta))


def test_errors():
    model, w, batch = classification()
    M = WeightSpace(model, batch, fisher, Tikhonov(1.0))
    assert "Categorical" in repr(M) and "fisher" in repr(M) and "Tikhonov(c=1.0)" in repr(M)
    with pytest.raises(ShapeError, match=rf"takes arrays of shape \(\.\.\., {w.size}\)"):
        M.sharp(w[:-1], w)
    with pytest.raises(TypeError, match="curvature must give a LinearOperator"):
        WeightSpace(model, batch, lambda *_: np.eye(w.size), Tikhonov(1.0)).sharp(w, w)
    with pytest.raises(TypeError, match="curvature must be a function"):
        WeightSpace(model, batch, "fisher", Tikhonov(1.0))
    assert sampled_fisher(model, w, batch, np.random.default_rng(0)).dim == M.dim == w.size
