"""A module with the weights of one of the library's own networks is the same network, in every operator."""
import numpy as np
import pytest

from infogeo import curvature as C
from infogeo.backend import to_numpy

from .modules import OWN, beside, rng, to_torch

TOL = 1e-10


@pytest.fixture(params=sorted(OWN), scope="module")
def pair(request):
    return beside(request.param)


def compare(pair, f, axes=1):
    """f(case) of both, an array whose last axes are weights."""
    own, theirs = (to_numpy(f(case)) for case in pair)
    order = pair[1].order
    for axis in range(-axes, 0):
        own = np.take(own, order, axis=axis)
    np.testing.assert_allclose(theirs, own, rtol=TOL, atol=TOL * np.max(np.abs(own)))


def directions(case, *shape):
    v = rng().standard_normal((*shape, case.model.network.size))
    return v if case.order is None else to_torch(v[..., case.order])


def covectors(case, *shape):
    c = rng().standard_normal((*shape, 9, 2))
    return c if case.order is None else to_torch(c)


def test_loss_and_gradient(pair):
    own, theirs = (case.model.value_and_gradient(case.w, case.batch) for case in pair)
    assert float(theirs[0]) == pytest.approx(float(own[0]), rel=TOL)
    compare(pair, lambda case: case.model.value_and_gradient(case.w, case.batch)[1])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_products(pair, shape):
    compare(pair, lambda case: case.model.network.vjp(case.w, case.batch[0], covectors(case, *shape)))
    compare(pair, lambda case: case.model.network.per_example_gradients(case.w, case.batch[0], covectors(case, *shape)))
    compare(pair, lambda case: case.model.network.jvp(case.w, case.batch[0], directions(case, *shape)), axes=0)
    compare(pair, lambda case: case.model.fisher_vector(case.w, case.batch[0], directions(case, *shape)))
    compare(pair, lambda case: case.model.hessian_vector(case.w, case.batch, directions(case, *shape)))
    compare(pair, lambda case: case.model.network.record(case.w, case.batch[0]).vjp_tangent(
        directions(case, *shape), covectors(case, *shape), 2.0 * covectors(case, *shape)))


def test_forward(pair):
    compare(pair, lambda case: case.model.theta(case.w, case.batch[0]), axes=0)
    w = np.stack([pair[0].w, 2.0 * pair[0].w])
    own, theirs = (to_numpy(case.model.theta(some, case.batch[0]))
                   for case, some in zip(pair, (w, to_torch(w[:, pair[1].order]))))
    np.testing.assert_allclose(theirs, own, rtol=TOL)


MATRICES = {
    "fisher": lambda case: C.fisher(case.model, case.w, case.batch),
    "sampled": lambda case: C.sampled_fisher(case.model, case.w, case.batch, rng(), 2),
    "empirical": lambda case: C.empirical_fisher(case.model, case.w, case.batch),
    "kfac": lambda case: C.kfac(case.model, case.w, case.batch),
    "kfac, reduce, signs": lambda case: C.kfac(case.model, case.w, case.batch, sharing=C.Reduce(),
                                               outputs=C.RandomSigns(rng(), 2)),
    "damped": lambda case: C.FactoredTikhonov(0.1)(C.kfac(case.model, case.w, case.batch)).inverse(),
    "tridiagonal": lambda case: C.kfac_tridiagonal(case.model, case.w, case.batch, sharing=C.Reduce()).factored_shift(0.1),
    "ekfac": lambda case: C.ekfac(case.model, case.w, case.batch),
    "blocks": lambda case: C.block_diagonal(case.model, case.w, case.batch),
    "units": lambda case: C.unitwise_fisher(case.model, case.w, case.batch),
    "quasi-diagonal": lambda case: C.quasi_diagonal(case.model, case.w, case.batch),
    "low rank": lambda case: C.low_rank_fisher(case.model, case.w, case.batch, 3),
    "hessian": lambda case: C.hessian(case.model, case.w, case.batch),
    "within layers": lambda case: C.within_layer_hessian(case.model, case.w, case.batch, C.UnitVectors()),
}


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_matrices(pair, name):
    compare(pair, lambda case: MATRICES[name](case).dense(), axes=2)


def test_diagonals(pair):
    compare(pair, lambda case: C.diagonal_fisher(case.model, case.w, case.batch).d)
    for f in (C.hessian_diagonal, C.gauss_newton_diagonal):
        compare(pair, lambda case: f(case.model, case.w, case.batch, C.UnitVectors()))


@pytest.mark.parametrize("f", [C.curvature_propagation, C.complex_curvature_propagation])
def test_propagated_vectors(pair, f):
    """Draw by draw where positions lie alike."""
    if pair[0].model.network.input_shape != (5,):
        return
    compare(pair, lambda case: np.stack(list(map(to_numpy, f(case.model, case.w, case.batch, C.SignNoise(rng(), 3))))))


def test_weighted_samples(pair):
    weights = np.arange(9.0)
    for f in (C.kfac, C.diagonal_fisher, C.empirical_fisher):
        compare(pair, lambda case: f(case.model, case.w, (*case.batch, weights if case.order is None else to_torch(weights))
                                     ).dense(), axes=2)
