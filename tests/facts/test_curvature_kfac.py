"""Kronecker-factored curvature: its moments from the definition, where it is exact, what does not change it, running averages."""
from dataclasses import dataclass, fields

import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import kronecker_factors
from infogeo.curvature.damping import FactoredTikhonov, Tikhonov
from infogeo.curvature.fisher import outer_products as sums_of_outer_products
from infogeo.curvature.kfac import kfac
from infogeo.curvature.kfac_tridiagonal import ChainFactors
from infogeo.curvature.kronecker_factors import CappedAverage, KroneckerFactors, RunningAverage
from infogeo.curvature.outputs import Given, Observed, RandomSigns, Sampled
from infogeo.curvature.sharing import Expand, Reduce
from infogeo.curvature.weight_space import WeightSpace
from infogeo.errors import DomainError, ShapeError
from infogeo.networks.activations import Identity, Tanh
from infogeo.networks.affine import Convolution2D, Dense
from infogeo.networks.layer import Layer
from infogeo.networks.linear import Flatten
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.pool import AveragePool
from infogeo.networks.usual import MLP
from infogeo.operators.dense import SymmetricDense

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, layer_slices, made, outer_products, problem
from .kronecker_helpers import DENSE, block_matrix, naive_moments
from .operator_helpers import compare, spd

every_model = pytest.mark.parametrize("name", MODELS)
every_dense_model = pytest.mark.parametrize("name", DENSE)


def blocks(matrix, slices):
    """The matrix with nothing outside the blocks."""
    return block_matrix(slices, [matrix[s, s] for s in slices])


@every_dense_model
def test_moments_are_those_of_inputs_and_covectors(name):
    model, w, batch = problem(name, 7)
    factors, naive = KroneckerFactors.of(model, w, batch), naive_moments(model, w, batch[0])
    for A, G, expected in zip(factors.A, factors.G, naive, strict=True):
        close(A, expected[0])
        close(G, expected[1], 1e-10)
    slices = [s for _, s in layer_slices(model)]
    close(kfac(model, w, batch).dense(), block_matrix(slices, [np.kron(A, G) for A, G, *_ in naive]), 1e-10)


@every_dtype
@every_model
def test_damped_operator_in_every_method(name, backend, dtype):
    """The moments in NumPy's float64 give the matrix; the operator works on vectors of the network's library and precision."""
    model, w, batch = problem(name, 6)
    factors = KroneckerFactors.of(model, w, batch)
    shifted = [_damped(A, G, 0.3) for A, G in zip(factors.A, factors.G)]
    dense = block_matrix([s for _, s in layer_slices(model)], [np.kron(A, G) for A, G in shifted])
    compare(FactoredTikhonov(0.3)(kfac(model, *made(backend, dtype, w, batch))), dense, backend, dtype)


def _damped(A, G, c):
    """The damping of section 6.3, written out; a factor of order 1 is left alone."""
    if len(A) == 1 or len(G) == 1:
        return (A, G + c / A[0, 0] * np.eye(len(G))) if len(A) == 1 else (A + c / G[0, 0] * np.eye(len(A)), G)
    pi = np.sqrt((np.trace(A) / len(A)) / (np.trace(G) / len(G)))
    return A + pi * np.sqrt(c) * np.eye(len(A)), G + np.sqrt(c) / pi * np.eye(len(G))


@pytest.mark.parametrize("name", ["categorical", "convolution"])
def test_exact_damping(name, backend):
    model, w, batch = problem(name, 6)
    dense = kfac(model, w, batch).dense()
    compare(Tikhonov(0.2)(kfac(model, *made(backend, "float64", w, batch))), dense + 0.2 * np.eye(w.size), backend)


@every_dense_model
def test_blocks_are_exact_for_one_example(name):
    model, w, batch = problem(name, 1)
    exact = fisher_matrix(model, w, batch[0])
    close(kfac(model, w, batch).dense(), blocks(exact, [s for _, s in layer_slices(model)]), 1e-10)


def deep_linear(seed=0, n=9):
    model = ConditionalModel(MLP((3, 4, 3, 2), Identity()), ig.Independent(ig.NormalKnownVariance(0.7), 2))
    rng = np.random.default_rng(seed)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((n, 3))
    return model, w, (x, rng.standard_normal((n, 2)))


def test_blocks_are_exact_in_deep_linear_networks_with_gaussian_outputs():
    """There the covectors do not depend on the inputs; those of the data's own y do, and the empirical blocks differ."""
    model, w, batch = deep_linear()
    slices = [s for _, s in layer_slices(model)]
    close(kfac(model, w, batch).dense(), blocks(fisher_matrix(model, w, batch[0]), slices))
    residual = Observed().covectors(model.family, model.theta(w, batch[0]), batch)
    empirical = blocks(outer_products(model, w, batch[0], residual), slices)
    assert np.linalg.norm(kfac(model, w, batch, outputs=Observed()).dense() - empirical) > 0.1 * np.linalg.norm(empirical)


def test_exact_in_expectation_where_inputs_and_covectors_are_independent():
    """In a linear layer at w = 0 the law of y is the same for every x: the mean over draws is the exact block, within 5 σ."""
    model = ConditionalModel(MLP((2, 2)), ig.Categorical(3))
    rng = np.random.default_rng(4)
    w, x = np.zeros(model.network.size), rng.standard_normal((5, 2))
    exact = fisher_matrix(model, w, x)
    close(kfac(model, w, (x, None)).dense(), exact)
    for outputs in (Sampled(rng), RandomSigns(rng)):
        draws = np.stack([kfac(model, w, (x, None), outputs=outputs).dense() for _ in range(400)])
        error = draws.std(axis=0) / 20
        assert np.all(np.abs(draws.mean(axis=0) - exact) <= 5 * error + 1e-15) and error.max() > 1e-4


def test_the_solve_is_the_two_sided_preconditioner():
    """(A ⊗ G)⁻¹ vec V = vec(G⁻¹ V A⁻¹) for V of shape (outputs, inputs + 1), columns stacked."""
    model, w, batch = problem("categorical", 30)
    factors = KroneckerFactors.of(model, w, batch)
    b = np.random.default_rng(0).standard_normal(w.size)
    solved = factors.operator().solve(b)
    for (layer, s), A, G in zip(layer_slices(model), factors.A, factors.G):
        V = b[s].reshape(layer.weight_shape).T
        expected = np.linalg.solve(G, V) @ np.linalg.inv(A)
        close(solved[s], expected.reshape(-1, order="F"), 1e-9)


@dataclass(frozen=True)
class Mixed(Layer):
    """x ↦ x T + t, without weights."""

    T: np.ndarray
    t: np.ndarray

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, xp, W, x):
        return x @ self.T + self.t, None

    def jvp(self, xp, W, memory, dW, dx):
        return (None if dx is None else dx @ self.T), None

    def pull_back(self, xp, W, memory, g):
        return g @ self.T.T


def test_undamped_steps_do_not_depend_on_affine_maps_of_inputs_and_activations():
    """The same function with mixed inputs, activations and pre-activations takes the same step, as a function; not if damped."""
    rng = np.random.default_rng(2)
    family, n = ig.Categorical(3), 60
    plain = ConditionalModel(MLP((3, 4, 2), Tanh()), family)
    maps = [(np.linalg.qr(rng.standard_normal((k, k)))[0] * np.geomspace(0.5, 2.0, k), rng.standard_normal(k)) for k in (3, 4, 4)]
    layers = [Mixed(*maps[0]), Dense(3, 4), Mixed(*maps[1]), Tanh(), Mixed(*maps[2]), Dense(4, 2)]
    mixed = ConditionalModel(Sequential(layers, (3,)), family)
    w, x = 0.5 * rng.standard_normal(plain.network.size), rng.standard_normal((n, 3))
    y = plain.sample(rng, w, x)
    W = [block for block in plain.network.blocks(w) if block is not None]

    def before(W, T, t):            # W′ with (x T + t, 1) W′ = (x, 1) W
        top = np.linalg.solve(T, W[:-1])
        return np.vstack([top, W[-1] - t @ top])

    first = before(W[0], *maps[0])
    first = np.vstack([first[:-1], first[-1] - maps[1][1]])       # s′ T + t = s
    w_mixed = np.concatenate([np.linalg.solve(maps[1][0].T, first.T).T.reshape(-1), before(W[1], *maps[2]).reshape(-1)])
    np.testing.assert_allclose(mixed.theta(w_mixed, x), plain.theta(w, x), rtol=1e-9, atol=1e-10)

    def stepped(model, w, damping):
        gradient = model.value_and_gradient(w, (x, y))[1]
        operator = kfac(model, w, (x, y)) if damping is None else damping(kfac(model, w, (x, y)))
        return model.theta(w - 0.3 * operator.solve(gradient), x)

    moved = stepped(plain, w, None)
    np.testing.assert_allclose(stepped(mixed, w_mixed, None), moved, rtol=1e-7, atol=1e-8)
    assert np.abs(moved - plain.theta(w, x)).max() > 0.1
    assert np.abs(stepped(mixed, w_mixed, Tikhonov(0.1)) - stepped(plain, w, Tikhonov(0.1))).max() > 1e-3


def images(layers, family, n=6, seed=0):
    model = ConditionalModel(Sequential(layers, (4, 4, 1)), family)
    rng = np.random.default_rng(seed)
    return model, rng.standard_normal(model.network.size), (rng.standard_normal((n, 4, 4, 1)), None)


def test_expand_is_exact_where_positions_are_independent_outputs():
    model, w, batch = images([Convolution2D(1, 2, 2, 2), Flatten()], ig.Independent(ig.NormalKnownVariance(0.5), 8))
    exact = fisher_matrix(model, w, batch[0])
    close(kfac(model, w, batch).dense(), exact)
    assert np.linalg.norm(kfac(model, w, batch, sharing=Reduce()).dense() - exact) > 0.05 * np.linalg.norm(exact)


def test_reduce_is_exact_where_positions_are_averaged():
    model, w, batch = images([Convolution2D(1, 2, 2), AveragePool(3), Flatten()], ig.Independent(ig.NormalKnownVariance(0.5), 2))
    exact = fisher_matrix(model, w, batch[0])
    close(kfac(model, w, batch, sharing=Reduce()).dense(), exact)
    assert np.linalg.norm(kfac(model, w, batch, sharing=Expand()).dense() - exact) > 0.05 * np.linalg.norm(exact)


def test_expand_and_reduce_are_one_in_dense_layers():
    model, w, batch = problem("normal, by a link", 5)
    np.testing.assert_array_equal(kfac(model, w, batch, sharing=Reduce()).dense(), kfac(model, w, batch).dense())


def test_expand_from_the_definition():
    """(1/nS) Σ ā āᵀ ⊗ (1/n) Σ g gᵀ with patches and covectors by hand, for a convolution and a dense layer on it."""
    model, w, (x, _) = problem("convolution", 5)
    factors = KroneckerFactors.of(model, w, (x, None))
    patches = np.stack([x[:, i:i + 2, j:j + 2, 0].reshape(len(x), 4) for i in range(3) for j in range(3)], axis=1)
    a = np.concatenate([patches, np.ones((len(x), 9, 1))], axis=-1)
    close(factors.A[0], np.einsum("nsi,nsj->ij", a, a) / (9 * len(x)))
    W, V = (block for block in model.network.blocks(w) if block is not None)
    columns = np.linalg.cholesky(model.family.metric(model.theta(w, x)))
    pooled = np.einsum("pk,nkc->npc", V[:-1], columns).reshape(len(x), 2, 2, 2, -1) / 4     # covectors behind the 2 × 2 mean
    spread = np.zeros((len(x), 3, 3, 2, columns.shape[-1]))
    for i in range(2):
        for j in range(2):
            spread[:, i:i + 2, j:j + 2] += pooled
    g = spread.reshape(len(x), 9, 2, -1) * (1 - np.tanh(a @ W) ** 2)[..., None]
    close(factors.G[0], np.einsum("nsoc,nspc->op", g, g) / len(x))


def test_many_columns_go_in_several_passes(monkeypatch):
    model, w, batch = problem("bernoulli product", 5)
    whole = kfac(model, w, batch).dense()
    monkeypatch.setattr(kronecker_factors, "CHUNK", 1)
    close(kfac(model, w, batch).dense(), whole, 1e-14)


def test_a_pass_that_is_there_already_gives_the_same():
    model, w, batch = problem("categorical", 5)
    done = model.record(w, batch[0])
    np.testing.assert_array_equal(KroneckerFactors.of_pass(done, batch).operator().dense(), kfac(model, w, batch).dense())


def test_given_covectors_are_the_random_ones_once():
    model, w, batch = problem("categorical", 5)
    draws, theta = RandomSigns(np.random.default_rng(4), 3), model.theta(w, batch[0])
    given = Given(tuple(draws.covectors(model.family, theta, batch) / 2**0.5 for _ in range(2)))
    first = kfac(model, w, batch, outputs=RandomSigns(np.random.default_rng(4), 3))
    close(kfac(model, w, batch, outputs=Given(given.parts[:1])).blocks[0].B.dense(), 0.5 * first.blocks[0].B.dense(), 1e-14)
    together = sums_of_outer_products(model, w, batch, given).dense()
    close(sum(sums_of_outer_products(model, w, batch, Given((part,))).dense() for part in given.parts), together, 1e-13)


# Running averages

@every_dtype
@pytest.mark.parametrize("average", [RunningAverage(0.8), CappedAverage(0.8), RunningAverage(0.0)], ids=repr)
def test_running_average(average, backend, dtype):
    """Weights decay^{k−1−i}, or the plain mean of the first 1 / (1 − decay); kept in float64, whatever the network's dtype."""
    model, w, batch = problem("categorical", 5)
    w, batch = made(backend, dtype, w, batch)
    found = [KroneckerFactors.of(model, w * (1.0 + 0.2 * i), batch) for i in range(8)]
    state, states, mean = average.init(), [], None
    for k, factors in enumerate(found, 1):
        old, state = state, average.update(state, factors)
        assert old.k == k - 1 and state.k == k
        states.append((state, backend.check(state.value.A[1]).copy()))
        share = max(1 / k, 0.2) if type(average) is CappedAverage else 1 / sum(average.decay**i for i in range(k))
        A = backend.to_numpy(factors.A[1]).astype(float)
        mean = A if mean is None else (1 - share) * mean + share * A
        close(state.value.A[1], mean, 1e-15)
    if type(average) is RunningAverage:
        weights = np.array([average.decay**i for i in range(7, -1, -1)])
        each = np.stack([backend.to_numpy(f.G[0]).astype(float) for f in found])
        close(state.value.G[0], np.tensordot(weights / weights.sum(), each, 1), 1e-14)
    for state, A in states:
        np.testing.assert_array_equal(backend.to_numpy(state.value.A[1]), A)          # an earlier state stays what it was
    backend.check(FactoredTikhonov(0.1)(state.value.operator()).solve(w), dtype)


def test_capped_average_is_the_plain_mean_at_first():
    model, w, batch = problem("linear", 5)
    found = [KroneckerFactors.of(model, w + i, batch) for i in range(4)]
    state = CappedAverage(0.75).init()
    for factors in found:
        state = CappedAverage(0.75).update(state, factors)
    close(state.value.G[0], np.mean([f.G[0] for f in found], axis=0), 1e-14)


@pytest.mark.parametrize("decay", [1.0, -0.1, np.nan])
def test_decay_is_checked(decay):
    with pytest.raises(DomainError, match="decay must satisfy 0 <= decay < 1"):
        RunningAverage(decay)


# Numbers

def blown_up(x):
    """Whether an answer is what it is: not finite, or beyond anything that the problem has."""
    return not np.all(np.abs(x) < 1e9)


def test_a_singular_factor_is_never_a_silent_answer():
    """An input that is always 0 makes A singular: the factorisation says so, and the solve has no finite answer to give."""
    model, w, (x, y) = problem("categorical", 30)
    operator = kfac(model, w, (x * np.array([0.0, 1.0, 1.0]), y))
    report = operator.blocks[0].A.factorization
    assert report.method == "eigendecomposition" and abs(report.smallest) < 1e-14 * report.largest
    assert blown_up(operator.solve(np.ones(w.size))) and "eigendecomposition" in str(report)
    assert not blown_up(FactoredTikhonov(1e-3)(operator).solve(np.ones(w.size)))


def test_fewer_examples_than_inputs_blow_up():
    """A of rank 2 and order 4: whatever rounding makes of its zero eigenvalues."""
    model, w, batch = problem("categorical", 2)
    assert blown_up(kfac(model, w, batch).solve(np.ones(w.size)))


def test_float32_is_factored_in_float64():
    """Where float32's Cholesky factorisation loses most digits the solve is good to the root of the condition number."""
    n, b = 300, np.random.default_rng(1).standard_normal(300).astype(np.float32)
    A = (spd(n, low=0.0) + 1e-9 * np.eye(n)).astype(np.float32)
    A = A + np.float32(2e-6) * np.eye(n, dtype=np.float32)
    exact = np.linalg.solve(A.astype(float), b.astype(float))
    error = {op: np.linalg.norm(op.solve(b) - exact) / np.linalg.norm(exact)
             for op in (SymmetricDense(A), SymmetricDense(A, np.dtype("float32")))}
    whole, mixed = error.values()
    assert mixed < 3e-3 and mixed < whole / 3
    op = SymmetricDense(A, np.dtype("float32"))
    assert op.solve(b).dtype == op.dense().dtype == op.shifted(0.1).solve(b).dtype == op.logdet().dtype == np.float32


def test_one_model_at_a_time():
    model, w, batch = problem("categorical")
    with pytest.raises(ShapeError, match="the weights of one model"):
        kfac(model, np.stack([w, w]), batch)


@pytest.mark.parametrize("damping", [Tikhonov(1e-2), FactoredTikhonov(1e-2)], ids=repr)
def test_training_with_a_fixed_step(damping):
    """The natural-gradient descent of the weight space reaches in 15 steps what the gradient does not in 15."""
    model, w, batch = problem("categorical", 40, seed=3)
    run = dict(step=ig.Constant(0.5), max_steps=15)
    space = WeightSpace(model, batch, kfac, damping)
    natural = ig.descend(model.objective(batch), w, geometry=space, update=ig.NaturalUpdate(), **run)
    plain = ig.descend(model.objective(batch), w, geometry=space, update=ig.GradientUpdate(), **run)
    assert natural.values[-1] < plain.values[-1] - 0.05 < natural.values[0]


@pytest.mark.parametrize("factors", [KroneckerFactors, ChainFactors])
def test_factors_of_chunks_are_those_of_the_whole(factors):
    """Three unequal chunks, in either order of merging, to 1e-14 of the largest entry of each factor."""
    model = ig.networks.ConditionalModel(ig.networks.MLP((3, 5, 2)), ig.Categorical(3))
    rng = np.random.default_rng(8)
    x, y, w = rng.standard_normal((50, 3)), np.zeros(50), rng.standard_normal(model.network.size)
    whole = factors.of(model, w, (x, y))
    parts = [factors.of(model, w, (x[rows], y[rows])) for rows in (slice(0, 7), slice(7, 30), slice(30, 50))]
    for found in parts[0].merge(parts[1]).merge(parts[2]), parts[0].merge(parts[1].merge(parts[2])):
        assert found.n == whole.n == 50
        for name in (field.name for field in fields(whole) if field.name not in ("dtype", "n")):
            for a, b in zip(getattr(found, name), getattr(whole, name), strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-14 * np.abs(b).max())
