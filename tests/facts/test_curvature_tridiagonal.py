"""Kronecker-factored curvature with a block-tridiagonal inverse."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.damping import FactoredTikhonov, Tikhonov
from infogeo.curvature.kfac import kfac
from infogeo.curvature.kfac_tridiagonal import ChainFactors, kfac_tridiagonal
from infogeo.curvature.kronecker_factors import KroneckerFactors, RunningAverage
from infogeo.curvature.outputs import RandomSigns
from infogeo.curvature.sharing import Reduce
from infogeo.networks.activations import Identity, Softplus, Tanh
from infogeo.networks.affine import Convolution2D
from infogeo.networks.linear import Flatten
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.usual import MLP

from ..backends import every_dtype
from .fisher_helpers import close, fisher_matrix, layer_slices, problem
from .kronecker_helpers import DENSE, naive_moments
from .operator_helpers import compare

DEEP = {
    "four layers": (MLP((3, 4, 4, 3, 2), Tanh()), ig.Categorical(3)),
    "regression": (MLP((2, 3, 4, 2), Softplus()), ig.Independent(ig.NormalKnownVariance(0.5), 2)),
    "without bias": (MLP((3, 4, 3, 2), Tanh(), bias=False), ig.Independent(ig.Bernoulli(), 2)),
    "a unit wide": (MLP((2, 3, 1, 2), Softplus()), ig.Categorical(3)),
}
every_network = pytest.mark.parametrize("name", DEEP)


def deep(name, n=50, seed=0):
    model, rng = ConditionalModel(*DEEP[name]), np.random.default_rng(seed)
    w = 0.7 * rng.standard_normal(model.network.size)
    return model, w, (rng.standard_normal((n, *model.network.input_shape)), None)


def slices_of(model):
    return [s for _, s in layer_slices(model)]


def chain(diagonal, beside):
    """The matrix with these blocks on the diagonal and beside it and a block-tridiagonal inverse: further blocks are those of a
    Gaussian chain, D_ik = D_ij D_jj⁻¹ D_jk."""
    k = len(diagonal)
    D = [[None] * k for _ in range(k)]
    for i in range(k):
        D[i][i] = diagonal[i]
        for j in range(i + 1, k):
            D[i][j] = beside[i] if j == i + 1 else D[i][j - 1] @ np.linalg.solve(diagonal[j - 1], beside[j - 1])
    for i in range(k):
        for j in range(i):
            D[i][j] = D[j][i].T
    return np.block(D)


def chain_of(factors, damped):
    """That of the moments, with A_i and G_i as an operator `damped` has them."""
    diagonal = [np.kron(block.A.matrix, block.B.matrix) for block in damped.blocks]
    return chain(diagonal, [np.kron(A, G) for A, G in zip(factors.A_next, factors.G_next)])


@pytest.mark.parametrize("name", [name for name in DENSE if name != "linear"])
def test_moments_between_neighbours_are_those_of_inputs_and_covectors(name):
    """Each pair of samples' covectors at neighbouring layers, with one root of the metric for both."""
    model, w, batch = problem(name, 7)
    factors, naive = ChainFactors.of(model, w, batch), naive_moments(model, w, batch[0])
    for i, ((_, _, a, g), (_, _, b, h)) in enumerate(zip(naive, naive[1:])):
        close(factors.A_next[i], a.T @ b / len(a))
        close(factors.G_next[i], np.einsum("nco,ncp->op", g, h) / len(a), 1e-10)
    within = KroneckerFactors.of(model, w, batch)
    for ours, theirs in zip(factors.A + factors.G, within.A + within.G, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_dtype
@every_network
def test_damped_operator_in_every_method(name, backend, dtype):
    model, w, batch = deep(name)
    damped = FactoredTikhonov(0.05)(kfac_tridiagonal(model, w, batch))
    dense = chain_of(ChainFactors.of(model, w, batch), damped)
    operator = FactoredTikhonov(0.05)(kfac_tridiagonal(model, *_made(backend, dtype, w, batch)))
    compare(operator, dense, backend, dtype)


def _made(backend, dtype, w, batch):
    return backend.make(w, dtype), (backend.make(batch[0], dtype), None)


@every_network
@pytest.mark.parametrize("c", [1e-1, 1e-3])
def test_it_matches_the_moments_beside_the_diagonal_and_its_inverse_is_block_tridiagonal(name, c):
    model, w, batch = deep(name)
    factors, slices = ChainFactors.of(model, w, batch), slices_of(model)
    damped = FactoredTikhonov(c)(factors.operator())
    F, inverse = damped.dense(), damped.inverse().dense()
    for i, s in enumerate(slices):
        close(F[s, s], damped.blocks[i].dense(), 1e-13)
        for j, t in enumerate(slices[i + 1:], i + 1):
            if j == i + 1:
                close(F[s, t], np.kron(factors.A_next[i], factors.G_next[i]), 1e-13)
                assert np.abs(inverse[s, t]).max() > 1e-6 * np.abs(inverse).max()
            else:
                assert np.abs(inverse[s, t]).max() <= 1e-14 * np.abs(inverse).max()
    close(F @ inverse, np.eye(w.size), 1e-11 / c)


def test_the_damped_factors_are_those_of_the_block_diagonal_form():
    model, w, batch = deep("four layers")
    damped = FactoredTikhonov(0.02)(kfac_tridiagonal(model, w, batch))
    for ours, theirs in zip(damped.blocks, FactoredTikhonov(0.02)(kfac(model, w, batch)).blocks):
        np.testing.assert_array_equal(ours.dense(), theirs.dense())


def test_undamped_where_it_is_definite():
    model, w, batch = deep("regression", 200)
    operator, v = kfac_tridiagonal(model, w, batch), np.random.default_rng(1).standard_normal((3, w.size))
    close(operator.dense(), chain_of(ChainFactors.of(model, w, batch), operator))
    close(operator.matvec(operator.solve(v)), v, 1e-16 * np.linalg.cond(operator.dense()))


def test_undamped_where_it_is_singular():
    """The second moment of a constant input: no finite answer."""
    model, w, (x, y) = deep("four layers")
    operator = kfac_tridiagonal(model, w, (0.0 * x, y))
    assert not np.all(np.abs(operator.solve(np.ones(w.size))) < 1e9)


def test_two_layers_are_the_whole_of_the_moments():
    """With no layers further apart F̂ is F̃; in a deep linear network with Gaussian outputs that is the exact Fisher metric."""
    model = ConditionalModel(MLP((3, 2, 2), Identity()), ig.Independent(ig.NormalKnownVariance(0.7), 2))
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((9, 3))
    exact, factors = fisher_matrix(model, w, x), ChainFactors.of(model, w, (x, None))
    first, second = slices_of(model)
    close(np.kron(factors.A_next[0], factors.G_next[0]), exact[first, second])
    c = 1e-7
    damped = FactoredTikhonov(c)(factors.operator())
    close(damped.dense(), exact, 3e-3)
    assert np.linalg.norm(damped.dense() - exact) < 0.01 * np.linalg.norm(kfac(model, w, (x, None)).dense() - exact)


def test_nearer_to_the_fisher_metric_than_blocks():
    """In a deep linear network with Gaussian outputs the blocks beside the diagonal are exact, too."""
    model = ConditionalModel(MLP((3, 3, 3, 2), Identity()), ig.Independent(ig.NormalKnownVariance(0.7), 2))
    rng = np.random.default_rng(1)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((40, 3))
    exact = fisher_matrix(model, w, x)
    damping = FactoredTikhonov(1e-6)
    near, far = (np.linalg.norm(damping(f(model, w, (x, None))).dense() - exact) for f in (kfac_tridiagonal, kfac))
    assert near < 0.5 * far


def test_one_layer_has_no_neighbours():
    model, w, batch = problem("linear", 9)
    np.testing.assert_array_equal(kfac_tridiagonal(model, w, batch).solve(w), kfac(model, w, batch).solve(w))


def test_convolutions_and_dense_layers_side_by_side_need_one_position_each():
    model, w, batch = problem("convolution", 30)
    with pytest.raises(ValueError, match=r"equally many positions.* 0 and 1 have 9 and 1"):
        kfac_tridiagonal(model, w, batch)
    factors = ChainFactors.of(model, w, batch, sharing=Reduce())
    damped = FactoredTikhonov(0.1)(factors.operator())
    close(damped.dense(), chain_of(factors, damped))


def test_neighbours_with_equally_many_positions(backend):
    """Two convolutions on the same positions may be expanded; the moments between them are over pairs at one position."""
    model = ConditionalModel(Sequential([Convolution2D(1, 2, 2), Tanh(), Convolution2D(2, 1, 1), Flatten()], (3, 3, 1)),
                             ig.Independent(ig.Bernoulli(), 4))
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((20, 3, 3, 1))
    factors = ChainFactors.of(model, w, (x, None))
    damped = FactoredTikhonov(0.1)(factors.operator())
    ours = FactoredTikhonov(0.1)(kfac_tridiagonal(model, *_made(backend, "float64", w, (x, None))))
    compare(ours, chain_of(factors, damped), backend)


def test_exact_damping_forms_the_matrix():
    model, w, batch = deep("regression", 100)
    operator = kfac_tridiagonal(model, w, batch)
    close(Tikhonov(0.3)(operator).dense(), operator.dense() + 0.3 * np.eye(w.size))


def test_running_average_and_random_covectors():
    """One draw of signs serves a layer and the next: the joint moments stay positive, and the damped operator definite."""
    model, w, batch = deep("four layers")
    average, rng = RunningAverage(0.9), np.random.default_rng(0)
    state = average.init()
    for _ in range(3):
        state = average.update(state, ChainFactors.of(model, w, batch, outputs=RandomSigns(rng)))
    damped = FactoredTikhonov(1e-2)(state.value.operator())
    assert np.linalg.eigvalsh(damped.dense())[0] > 0
    close(damped.dense(), chain_of(state.value, damped), 1e-11)
