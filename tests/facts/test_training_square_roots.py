"""Symmetric square roots: eigendecomposition, Denman–Beavers, Newton–Schulz, Nyström."""
import pickle

import numpy as np
import pytest

from infogeo.curvature.damping import FactoredTikhonov, Tikhonov, Undamped
from infogeo.errors import ConvergenceError, DomainError
from infogeo.operators.base import IdentityOperator
from infogeo.operators.dense import DiagonalOperator, SymmetricDense
from infogeo.operators.kronecker import Kronecker
from infogeo.training.square_roots import DenmanBeavers, DenseRoot, Eigen, LowRankRoot, NewtonSchulz, Nystrom, square_root

N = 60
ENGINES = {"eigen": Eigen(), "denman": DenmanBeavers(1e-11), "newton": NewtonSchulz(1e-11)}
every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)


def matrix(log_condition, n=N, seed=0):
    """(A, A^{1/2}, A^{−1/2}) with eigenvalues from 1 down, evenly on the log scale."""
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]
    s = np.logspace(0, -log_condition, n)
    power = lambda p: 0.5 * ((Q * s**p) @ Q.T + ((Q * s**p) @ Q.T).T)
    return power(1.0), power(0.5), power(-0.5)


def error(found, known):
    return np.linalg.norm(found - known) / np.linalg.norm(known)


@every_engine
@pytest.mark.parametrize("log_condition", [0, 2, 4, 6])
def test_root_and_inverse_root(engine, log_condition):
    """Relative errors of a few ε κ, which is what the matrix itself determines of them, and of the tolerance."""
    A, root, inverse_root = matrix(log_condition)
    S = engine(SymmetricDense(3.0 * A))
    bound = 2e-11 + 1e-14 * 10**log_condition
    assert error(S.dense(), 3**0.5 * root) < bound and error(S.solve(np.eye(N)), inverse_root / 3**0.5) < bound
    np.testing.assert_allclose(S.matvec(np.eye(N)), S.dense(), rtol=1e-13)
    np.testing.assert_allclose(S.dense(), S.dense().T, rtol=0, atol=1e-14)


@pytest.mark.parametrize("engine, last", [(DenmanBeavers, [8, 11, 14]), (NewtonSchulz, [12, 17, 22])], ids=["denman", "newton"])
def test_steps_grow_with_the_logarithm_of_the_condition_number(engine, last):
    """To 1e-10 at condition numbers 1e2, 1e4, 1e6: that many steps and not one fewer."""
    for log_condition, steps in zip((2, 4, 6), last):
        A = SymmetricDense(matrix(log_condition)[0])
        engine(1e-10, steps)(A)
        with pytest.raises(ConvergenceError, match=f"did not converge in {steps - 1} steps"):
            engine(1e-10, steps - 1)(A)


def test_condition_1e8():
    """Newton–Schulz reaches 1e-10; Denman–Beavers, which inverts, loses the digits and says so."""
    A, root, _ = matrix(8)
    assert error(NewtonSchulz(1e-10)(SymmetricDense(A)).dense(), root) < 1e-11
    assert error(Eigen()(SymmetricDense(A)).dense(), root) < 1e-11
    with pytest.raises(ConvergenceError, match="did not converge") as caught:
        DenmanBeavers(1e-11)(SymmetricDense(A))
    assert caught.value.residual > 1e-11 and caught.value.iterate.shape == (N, N)
    assert error(DenmanBeavers(1e-8)(SymmetricDense(A)).dense(), root) < 1e-8


@pytest.mark.parametrize("engine", [DenmanBeavers(1e-9), NewtonSchulz(1e-9)], ids=["denman", "newton"])
def test_an_indefinite_matrix_has_no_root(engine):
    A = SymmetricDense(np.diag([1.0, 0.5, -0.1]))
    with np.errstate(all="ignore"), pytest.raises(ConvergenceError):
        engine(A)
    with pytest.raises(DomainError, match="positive definite; its smallest eigenvalue is -0.1"):
        Eigen()(A)


def test_nystrom_is_exact_at_the_rank_of_the_matrix():
    rng = np.random.default_rng(1)
    U = rng.standard_normal((N, 7))
    G, v = U @ U.T, rng.standard_normal((3, N))
    for rank in (7, 20):
        S = Nystrom(rank)(Tikhonov(0.3)(Nystrom(rank).curvature(G)))
        exact = Eigen()(SymmetricDense(G + 0.3 * np.eye(N)))
        assert S.g.shape == (7,)
        np.testing.assert_allclose(S.matvec(v), exact.matvec(v), rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(S.solve(v), exact.solve(v), rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(S.solve(S.matvec(v)), v, rtol=1e-11, atol=1e-12)


def test_nystrom_approaches_from_below():
    """0 ≤ L Lᵀ ≤ G, nearer with every column, exact with all of them."""
    G, errors = matrix(4)[0], []
    for rank in (5, 15, 30, 60):
        L = Nystrom(rank).curvature(G).U
        assert L.shape == (N, rank) and np.linalg.eigvalsh(G - L @ L.T)[0] > -1e-13
        errors.append(np.linalg.norm(G - L @ L.T))
    assert np.all(np.diff(errors) < 0) and errors[-1] < 1e-13
    assert errors[1] < 0.2 * np.linalg.norm(G)


def test_nystrom_of_chosen_columns():
    """C W⁻¹ Cᵀ with the columns at the pivots."""
    G = matrix(3, 12)[0]
    L = Nystrom(4).curvature(G).U
    left, pivots = G, []
    for _ in range(4):
        j = int(np.argmax(np.diag(left)))
        pivots.append(j)
        left = left - np.outer(left[:, j], left[j]) / left[j, j]
    C = G[:, pivots]
    np.testing.assert_allclose(L @ L.T, C @ np.linalg.solve(C[pivots], C.T), rtol=1e-10, atol=1e-14)


def test_nystrom_needs_a_damping_that_is_the_same_everywhere():
    low = Nystrom(3).curvature(np.eye(4))
    with pytest.raises(DomainError, match="c I with c > 0"):
        Nystrom(3)(low.shifted(np.array([1.0, 1.0, 2.0, 1.0])))
    with pytest.raises(ValueError, match="rank must satisfy rank an integer >= 1"):
        Nystrom(0)
    exact = Nystrom(3)(SymmetricDense(np.diag([4.0, 9.0])))         # nothing of low rank: by eigendecomposition
    np.testing.assert_allclose(exact.dense(), np.diag([2.0, 3.0]))


@pytest.mark.parametrize("engine", [*ENGINES.values(), Nystrom(6)], ids=[*ENGINES, "nystrom"])
def test_roots_of_kronecker_products_go_by_factors(engine):
    rng = np.random.default_rng(2)
    A, B = (x @ x.T for x in (rng.standard_normal((6, 9)), rng.standard_normal((4, 7))))
    damped = FactoredTikhonov(0.1)(Kronecker(engine.curvature(A), engine.curvature(B)))
    S = square_root(damped, engine)
    assert isinstance(S, Kronecker)
    np.testing.assert_allclose(S.dense() @ S.dense(), damped.dense(), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(S.solve(S.solve(np.eye(24))), np.linalg.inv(damped.dense()), rtol=1e-6, atol=1e-8)
    one = square_root(Kronecker(SymmetricDense(A), IdentityOperator(3)), engine if engine != Nystrom(6) else Eigen())
    np.testing.assert_allclose(one.dense() @ one.dense(), np.kron(A, np.eye(3)), rtol=1e-8, atol=1e-8)


def test_any_symmetric_operator():
    S = Eigen()(Undamped()(DiagonalOperator(np.array([4.0, 9.0]))))
    np.testing.assert_allclose(S.dense(), np.diag([2.0, 3.0]))


@every_engine
def test_on_every_backend(engine, backend):
    A, root, inverse_root = matrix(2, 8)
    S = engine(SymmetricDense(backend.make(A)))
    v = backend.make(np.random.default_rng(0).standard_normal((2, 8)))
    np.testing.assert_allclose(backend.check(S.matvec(v)), backend.to_numpy(v) @ root, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(backend.check(S.solve(v)), backend.to_numpy(v) @ inverse_root, rtol=1e-9, atol=1e-10)


def test_nystrom_on_every_backend(backend):
    A = matrix(2, 8)[0]
    engine = Nystrom(8)
    S, v = engine(Tikhonov(0.1)(engine.curvature(backend.make(A)))), np.random.default_rng(0).standard_normal((2, 8))
    values, Q = np.linalg.eigh(A + 0.1 * np.eye(8))
    np.testing.assert_allclose(backend.check(S.matvec(backend.make(v))), v @ (Q * np.sqrt(values)) @ Q.T, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("root", [DenseRoot(np.eye(3) * 2.0, np.eye(3) / 2.0), LowRankRoot(0.1, np.eye(3)[:, :2], np.ones(2))],
                         ids=["dense", "low rank"])
def test_roots_change_dtype_and_are_kept_in_files(root):
    narrow, again = root.astype(np.float32), pickle.loads(pickle.dumps(root))
    assert narrow.matvec(np.ones(3, dtype=np.float32)).dtype == np.float32 == narrow.solve(np.ones(3, dtype=np.float32)).dtype
    np.testing.assert_array_equal(again.matvec(np.ones(3)), root.matvec(np.ones(3)))
