"""Low rank, with and without a diagonal: of one batch, and as running averages."""
import numpy as np
import pytest

from infogeo.backend import to_numpy
from infogeo.curvature.damping import Tikhonov
from infogeo.curvature.fisher import outer_products
from infogeo.curvature.low_rank import OnlineDiagonalPlusLowRank, OnlineLowRank, low_rank_fisher
from infogeo.curvature.outputs import Observed, Sampled
from infogeo.errors import DomainError, ShapeError
from infogeo.operators.low_rank import DiagonalPlusLowRank, LowRank, ScalarOffSubspace

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, made, problem
from .operator_helpers import compare, spd

every_model = pytest.mark.parametrize("name", MODELS)


def best(matrix, rank):
    """The best approximation of a symmetric positive semidefinite matrix of a given rank."""
    values, Q = np.linalg.eigh(matrix)
    return Q[:, -rank:] * values[-rank:] @ Q[:, -rank:].T


def with_diagonal(low, matrix):
    return low + np.diag(np.diag(matrix - low))


@every_model
@pytest.mark.parametrize("n", [3, 40])
def test_low_rank_fisher_is_the_best_of_its_rank_and_keeps_the_diagonal(name, n):
    model, w, batch = problem(name, n)
    F = fisher_matrix(model, w, batch[0])
    A = low_rank_fisher(model, w, batch, rank=2)
    assert isinstance(A, DiagonalPlusLowRank) and A.U.shape == (w.size, 2) and A.d.min() >= 0
    close(A.dense(), with_diagonal(best(F, 2), F), 1e-9)
    close(A.diagonal(), np.diag(F))
    whole = low_rank_fisher(model, w, batch, rank=w.size)
    close(whole.dense(), F, 1e-10)
    assert whole.d.min() >= 0
    observed = outer_products(model, w, batch, Observed()).dense()
    close(low_rank_fisher(model, w, batch, rank=2, outputs=Observed()).dense(), with_diagonal(best(observed, 2), observed), 1e-9)


@every_dtype
@pytest.mark.parametrize("n", [2, 40])
@pytest.mark.parametrize("name", ["categorical", "convolution"])
def test_damped_low_rank_in_every_method(name, n, backend, dtype):
    model, w, batch = problem(name, n)
    F = fisher_matrix(model, w, batch[0])
    A = low_rank_fisher(model, *made(backend, dtype, w, batch), rank=2)
    compare(Tikhonov(0.3)(A), with_diagonal(best(F, 2), F) + 0.3 * np.eye(w.size), backend, dtype)


def test_a_sampled_batch():
    model, w, batch = problem("bernoulli product")
    A = low_rank_fisher(model, w, batch, 3, Sampled(np.random.default_rng(0), 2))
    S = outer_products(model, w, batch, Sampled(np.random.default_rng(0), 2)).dense()
    close(A.dense(), with_diagonal(best(S, 3), S), 1e-9)


GRADIENTS = np.random.default_rng(3).standard_normal((8, 6)) * np.arange(1.0, 7.0)


def followed(online, gradients, like=None):
    state = online.init(gradients[0] if like is None else like)
    for g in gradients:
        state = online.update(state, g)
    return state


@pytest.mark.parametrize("refresh", [1, 3, 20])
@pytest.mark.parametrize("decay", [1.0, 0.9])
def test_with_rank_enough_the_average_is_exact(refresh, decay):
    weights = decay ** np.arange(7, -1, -1)
    C = GRADIENTS.T @ (weights[:, None] * GRADIENTS) / weights.sum()
    online = OnlineLowRank(6, decay, refresh)
    A = online.operator(followed(online, GRADIENTS))
    assert isinstance(A, LowRank)
    close(A.dense(), C)
    b = np.arange(6.0)
    close(Tikhonov(0.1)(A).solve(b), np.linalg.solve(C + 0.1 * np.eye(6), b), 1e-10)
    online = OnlineDiagonalPlusLowRank(6, decay)
    close(online.operator(followed(online, GRADIENTS)).dense(), C)


@pytest.mark.parametrize("refresh", [1, 2, 4])
def test_low_rank_follows_the_recursion_on_matrices(refresh):
    """C ← γ C + g gᵀ, reduced to its best approximation of rank 2 after every `refresh` of them; the state is never larger."""
    online, C, weight = OnlineLowRank(2, 0.8, refresh), 0.0, 0.0
    state = online.init(GRADIENTS[0])
    for k, g in enumerate(GRADIENTS, 1):
        state, C, weight = online.update(state, g), 0.8 * C + np.outer(g, g), 0.8 * weight + 1.0
        C = best(C, 2) if k % refresh == 0 else C
        close(online.operator(state).dense(), C / weight, 1e-10)
        assert state.X.shape[1] <= 2 + refresh and state.pending == k % refresh


def test_diagonal_plus_low_rank_follows_the_recursion_on_matrices():
    """And its diagonal is the running average of the squared gradients, however small the rank."""
    online, weight, squares = OnlineDiagonalPlusLowRank(1, 0.8), 0.0, 0.0
    state, low, d = online.init(GRADIENTS[0]), np.zeros((6, 6)), np.zeros(6)
    for pair in GRADIENTS.reshape(4, 2, 6):
        state, weight = online.update(state, pair), 0.8 * weight + 1.0
        beta = 1.0 / weight
        mixed = (1 - beta) * low + beta * pair.T @ pair / 2
        low = best(mixed, 1)
        d = (1 - beta) * d + np.diag(mixed - low)
        squares = (1 - beta) * squares + beta * np.mean(pair**2, axis=0)
        A = online.operator(state)
        close(A.dense(), low + np.diag(d), 1e-10)
        close(A.diagonal(), squares)


def test_an_update_with_the_gradients_of_a_batch_is_its_low_rank_fisher():
    model, w, batch = problem("categorical")
    g = model.per_example_gradients(w, batch)
    online = OnlineDiagonalPlusLowRank(2, 0.9)
    close(online.operator(online.update(online.init(w), g)).dense(),
          low_rank_fisher(model, w, batch, 2, outputs=Observed()).dense(), 1e-10)
    online = OnlineLowRank(2, 0.9)
    close(online.operator(online.update(online.init(w), g)).dense(), best(g.T @ g / 4, 2), 1e-10)


@every_dtype
@pytest.mark.parametrize("online", [OnlineLowRank(2, 0.8, 3), OnlineDiagonalPlusLowRank(2, 0.8)], ids=lambda o: type(o).__name__)
def test_updates_are_pure_and_run_on_every_backend(online, backend, dtype):
    expected = online.operator(followed(online, GRADIENTS)).dense()
    made_gradients = [backend.make(g, dtype) for g in GRADIENTS]
    state = followed(online, made_gradients)
    before = [np.array(to_numpy(x)) if hasattr(x, "shape") else x for x in state]
    once, again = (online.update(state, made_gradients[0]) for _ in range(2))
    for old, now, a, b in zip(before, state, once, again):
        np.testing.assert_array_equal(old, to_numpy(now))
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
    tol = {"float64": 1e-10, "float32": 1e-3}[dtype]
    close(backend.check(online.operator(state).dense(), dtype), expected, tol)
    b = backend.make(np.ones(6), dtype)
    close(backend.check(Tikhonov(0.5)(online.operator(state)).solve(b), dtype),
          np.linalg.solve(expected + 0.5 * np.eye(6), np.ones(6)), tol)


@every_dtype
@pytest.mark.parametrize("c", [0.4, 2.0])
def test_scalar_off_a_subspace_in_every_method(c, backend, dtype):
    Q, M = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 2)))[0], spd(2, 3)
    dense = c * (np.eye(5) - Q @ Q.T) + Q @ M @ Q.T
    compare(ScalarOffSubspace(c, backend.make(Q, dtype), backend.make(M, dtype)), dense, backend, dtype)


def test_errors():
    model, w, batch = problem("categorical")
    with pytest.raises(ValueError, match="rank must satisfy rank an integer >= 1; got 0"):
        low_rank_fisher(model, w, batch, 0)
    for kind in (OnlineLowRank, OnlineDiagonalPlusLowRank):
        with pytest.raises(ValueError, match="rank must satisfy rank an integer >= 1; got 1.5"):
            kind(1.5, 0.9)
        with pytest.raises(DomainError, match="decay must satisfy 0 < decay <= 1; got 0.0"):
            kind(2, 0.0)
        with pytest.raises(DomainError, match="decay must satisfy 0 < decay <= 1; got nan"):
            kind(2, float("nan"))
        online = kind(2, 0.9)
        with pytest.raises(ValueError, match="must have seen a gradient"):
            online.operator(online.init(w))
        with pytest.raises(ShapeError, match=r"gradients must have shape \(m, 32\); got \(3,\)|got \(1, 3\)"):
            online.update(online.init(w), np.ones(3))
    with pytest.raises(ValueError, match="refresh must satisfy refresh an integer >= 1; got 0"):
        OnlineLowRank(2, 0.9, 0)
    with pytest.raises(ShapeError, match=r"Q and M must have shapes \(n, k\) and \(k, k\)"):
        ScalarOffSubspace(1.0, np.ones((3, 1)), np.eye(2))
