"""Every operator equals its dense matrix in every method, on every backend and in both precisions."""
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg

from infogeo.backend import NUMPY, to_numpy
from infogeo.errors import ShapeError
from infogeo.operators.base import Composed, IdentityOperator, LinearOperator, Sum
from infogeo.operators.block import BlockDiagonal, BlockTridiagonalInverse, DenseBlocks
from infogeo.operators.dense import DenseOperator, DiagonalOperator, SymmetricDense
from infogeo.operators.kronecker import EigenKronecker, Kronecker, KroneckerPair
from infogeo.operators.krylov import Shifted
from infogeo.operators.low_rank import DiagonalPlusLowRank, LowRank

from ..backends import NUMPY as NUMPY_BACKEND
from ..backends import every_dtype
from .operator_helpers import close, compare, general, spd, symmetric

D, U = np.linspace(0.5, 3.0, 5), general(5, 2, seed=3)
A3, B4, C3, D4 = spd(3, 1), spd(4, 2), 0.3 * symmetric(3, 3), 0.3 * symmetric(4, 4)
Q3, Q4, S34 = np.linalg.eigh(A3)[1], np.linalg.eigh(B4)[1], np.random.default_rng(8).uniform(0.5, 3.0, (3, 4))
BLOCKS = np.stack([spd(3, s) for s in range(4)])
PSI = [general(2, 3, seed=1), general(3, 2, seed=2)]
SIGMA = [spd(2, 4), spd(3, 5), spd(2, 6)]


def block_diagonal(*blocks):
    n = sum(b.shape[0] for b in blocks)
    out, start = np.zeros((n, n)), 0
    for b in blocks:
        out[start:start + len(b), start:start + len(b)] = b
        start += len(b)
    return out


def interleaved(blocks):
    """The matrix whose block j acts on the entries j, j + k, …"""
    k, p = blocks.shape[:2]
    out = np.zeros((k * p, k * p))
    for j, block in enumerate(blocks):
        out[np.ix_(np.arange(p) * k + j, np.arange(p) * k + j)] = block
    return out


def chain():
    """Ξᵀ Λ Ξ, written out."""
    xi = np.eye(7)
    xi[0:2, 2:5], xi[2:5, 5:7] = -PSI[0], -PSI[1]
    return xi.T @ block_diagonal(*map(np.linalg.inv, SIGMA)) @ xi


class Plain(LinearOperator):
    """An operator of which only the product is known: every other method is the inherited reference."""

    def __init__(self, matrix, xp):
        self.matrix = matrix
        super().__init__(matrix.shape, xp, matrix.dtype)

    def _matvec(self, v):
        return self.xp.matmul(v, self.xp.matrix_transpose(self.matrix))


# name: (operator from a function that makes arrays, its dense matrix)
CASES = {
    "plain": (lambda a: Plain(a(general(4, 4)), DenseOperator(a(general(4, 4))).xp), general(4, 4)),
    "plain, wide": (lambda a: Plain(a(general(3, 5)), DenseOperator(a(general(3, 5))).xp), general(3, 5)),
    "plain, positive definite": (lambda a: Plain(a(spd(4)), DenseOperator(a(spd(4))).xp), spd(4)),
    "identity": (lambda a: IdentityOperator(4, like=a(np.ones(1))), np.eye(4)),
    "dense": (lambda a: DenseOperator(a(general(4, 4))), general(4, 4)),
    "dense, tall": (lambda a: DenseOperator(a(general(5, 3))), general(5, 3)),
    "transpose": (lambda a: Plain(a(general(4, 4)), DenseOperator(a(general(4, 4))).xp).T, general(4, 4).T),
    "symmetric": (lambda a: SymmetricDense(a(spd(4))), spd(4)),
    "symmetric, 9": (lambda a: SymmetricDense(a(spd(9))), spd(9)),
    "symmetric, indefinite": (lambda a: SymmetricDense(a(symmetric(8))), symmetric(8)),
    "diagonal": (lambda a: DiagonalOperator(a(D)), np.diag(D)),
    "diagonal, indefinite": (lambda a: DiagonalOperator(a(D - 1.0)), np.diag(D - 1.0)),
    "low rank and diagonal": (lambda a: DiagonalPlusLowRank(a(D), a(U)), np.diag(D) + U @ U.T),
    "more columns than rows": (lambda a: DiagonalPlusLowRank(a(D), a(general(5, 7))),
                               np.diag(D) + general(5, 7) @ general(5, 7).T),
    "low rank, shifted": (lambda a: LowRank(a(U)).shifted(0.5), U @ U.T + 0.5 * np.eye(5)),
    "low rank of full rank": (lambda a: LowRank(a(general(4, 6))), general(4, 6) @ general(4, 6).T),
    "sum": (lambda a: DenseOperator(a(general(4, 4))) + SymmetricDense(a(spd(4))) - DiagonalOperator(a(np.ones(4))),
            general(4, 4) + spd(4) - np.eye(4)),
    "sum, symmetric": (lambda a: SymmetricDense(a(spd(4))) + DiagonalOperator(a(np.ones(4))), spd(4) + np.eye(4)),
    "scaled": (lambda a: 2.0 * SymmetricDense(a(spd(4))) / 3.0, 2 / 3 * spd(4)),
    "negative": (lambda a: -DenseOperator(a(general(3, 3))), -general(3, 3)),
    "composed": (lambda a: DenseOperator(a(general(4, 4))) @ SymmetricDense(a(spd(4))) @ DiagonalOperator(a(D[:4])),
                 general(4, 4) @ spd(4) @ np.diag(D[:4])),
    "composed, through a larger space": (lambda a: DenseOperator(a(general(3, 5))) @ DenseOperator(a(general(5, 3, 1))),
                                         general(3, 5) @ general(5, 3, 1)),
    "composed, wide": (lambda a: DenseOperator(a(general(2, 5))) @ DenseOperator(a(general(5, 3, 1))),
                       general(2, 5) @ general(5, 3, 1)),
    "kronecker": (lambda a: Kronecker(SymmetricDense(a(A3)), SymmetricDense(a(B4))), np.kron(A3, B4)),
    "kronecker, not symmetric": (lambda a: Kronecker(a(general(3, 3)), a(general(2, 2, 1))),
                                 np.kron(general(3, 3), general(2, 2, 1))),
    "kronecker, not square": (lambda a: Kronecker(a(general(2, 3)), a(general(4, 2, 1))),
                              np.kron(general(2, 3), general(4, 2, 1))),
    "kronecker, square of factors that are not": (
        lambda a: Kronecker(a(general(2, 3)), a(general(3, 2, 1))) + IdentityOperator(6, a(D)),
        np.kron(general(2, 3), general(3, 2, 1)) + np.eye(6)),
    "kronecker, factored shift": (lambda a: Kronecker(SymmetricDense(a(A3)), SymmetricDense(a(2.0 * A3))).factored_shift(0.09),
                                  np.kron(A3 + 0.3 * np.sqrt(0.5) * np.eye(3), 2.0 * A3 + 0.3 / np.sqrt(0.5) * np.eye(3))),
    "kronecker, eigenbasis": (lambda a: EigenKronecker(a(Q3), a(Q4), a(S34)),
                              np.kron(Q3, Q4) @ np.diag(S34.ravel()) @ np.kron(Q3, Q4).T),
    "kronecker, of operators": (lambda a: Kronecker(DiagonalOperator(a(D)), DiagonalPlusLowRank(a(D), a(U))),
                                np.kron(np.diag(D), np.diag(D) + U @ U.T)),
    "kronecker sum": (lambda a: KroneckerPair(a(A3), a(B4), a(C3), a(D4)), np.kron(A3, B4) + np.kron(C3, D4)),
    "kronecker difference": (lambda a: KroneckerPair(a(A3), a(B4), a(C3), a(D4), sign=-1), np.kron(A3, B4) - np.kron(C3, D4)),
    "block diagonal": (lambda a: BlockDiagonal(a(general(2, 2)), SymmetricDense(a(spd(3))), DiagonalOperator(a(D))),
                       block_diagonal(general(2, 2), spd(3), np.diag(D))),
    "block diagonal, symmetric": (lambda a: BlockDiagonal(SymmetricDense(a(spd(3))), DiagonalOperator(a(D))),
                                  block_diagonal(spd(3), np.diag(D))),
    "dense blocks": (lambda a: DenseBlocks(a(BLOCKS)), block_diagonal(*BLOCKS)),
    "dense blocks, interleaved": (lambda a: DenseBlocks(a(BLOCKS), interleaved=True), interleaved(BLOCKS)),
    "block tridiagonal": (lambda a: BlockTridiagonalInverse(list(map(a, SIGMA)), list(map(a, PSI))), chain()),
    "block tridiagonal, inverted": (lambda a: BlockTridiagonalInverse(list(map(a, SIGMA)), list(map(a, PSI))).inverse(),
                                    np.linalg.inv(chain())),
    "one block": (lambda a: BlockTridiagonalInverse([a(spd(3))], []), np.linalg.inv(spd(3))),
}


@every_dtype
@pytest.mark.parametrize("name", CASES)
def test_equals_its_matrix(name, backend, dtype):
    make, dense = CASES[name]
    compare(make(lambda x: backend.make(x, dtype)), dense, backend, dtype)


def test_shifted_by_conjugate_gradients(backend):
    A = Shifted(SymmetricDense(backend.make(spd(6))), 0.3, tol=1e-13)
    dense = spd(6) + 0.3 * np.eye(6)
    compare(A, dense, backend)
    assert isinstance(A.shifted(1.0), Shifted)


@pytest.mark.parametrize("name", ["diagonal", "symmetric", "low rank and diagonal", "kronecker", "kronecker, eigenbasis",
                                  "block diagonal", "dense blocks"])
def test_a_shift_keeps_the_structure(name):
    A = CASES[name][0](np.asarray)
    kept = A.shifted(0.5)
    assert isinstance(kept, type(A) if name != "kronecker" else EigenKronecker)


def test_float32_vectors_with_a_float64_operator_give_float64():
    assert SymmetricDense(spd(3)).solve(np.ones(3, np.float32)).dtype == np.float64


def test_kronecker_acts_on_a_matrix_row_by_row():
    """(A ⊗ B) v is A X Bᵀ, and for weights W of shape (inputs, outputs) the columns of Wᵀ stacked are the rows of W."""
    X = general(3, 4, 7)
    v = X.reshape(-1)
    np.testing.assert_allclose(Kronecker(A3, B4).matvec(v), (A3 @ X @ B4.T).reshape(-1), rtol=1e-13)
    np.testing.assert_array_equal(v, X.T.reshape(-1, order="F"))


@pytest.mark.parametrize("factors", [(np.zeros((2, 2)), B4), (A3, np.zeros((2, 2))),
                                     (np.array([[2.0]]), B4), (A3, np.array([[0.5]]))])
def test_factored_damping_is_exact_where_it_can_be(factors):
    """Behind a dead unit, and with a factor of order 1, the damped operator is a Kronecker product."""
    A, B = map(SymmetricDense, factors)
    dense = np.kron(*factors)
    damped = Kronecker(A, B).factored_shift(0.3).dense()
    np.testing.assert_allclose(damped, dense + 0.3 * np.eye(len(dense)), rtol=1e-14, atol=1e-16)


def test_factored_damping_balances_the_two_terms_that_it_adds():
    A, B, c = A3, 5.0 * B4, 0.04
    pi = np.sqrt(np.trace(A) / 3 / (np.trace(B) / 4))
    expected = np.kron(A + pi * 0.2 * np.eye(3), B + 0.2 / pi * np.eye(4))
    damped = Kronecker(SymmetricDense(A), SymmetricDense(B)).factored_shift(c).dense()
    np.testing.assert_allclose(damped, expected, rtol=1e-13)
    excess = damped - np.kron(A, B) - c * np.eye(12)
    np.testing.assert_allclose(np.trace(excess), 2 * np.trace(np.kron(A, 0.2 / pi * np.eye(4))), rtol=1e-12)


def test_block_tridiagonal_is_block_tridiagonal_and_its_inverse_the_covariance_of_a_chain():
    A = BlockTridiagonalInverse(SIGMA, PSI)
    np.testing.assert_array_equal(A.dense()[0:2, 5:7], 0.0)
    last = SIGMA[2]
    middle = SIGMA[1] + PSI[1] @ last @ PSI[1].T
    covariance = A.inverse().dense()
    np.testing.assert_allclose(covariance[5:7, 5:7], last, rtol=1e-12)
    np.testing.assert_allclose(covariance[2:5, 2:5], middle, rtol=1e-12)
    np.testing.assert_allclose(covariance[2:5, 5:7], PSI[1] @ last, rtol=1e-12)
    np.testing.assert_allclose(covariance[0:2, 0:2], SIGMA[0] + PSI[0] @ middle @ PSI[0].T, rtol=1e-12)


def test_a_chain_of_kronecker_products():
    """Regressions Ψ^A ⊗ Ψ^G between layers of different shapes, as between the weights of a network."""
    regression = Kronecker(general(2, 3, 1), general(3, 2, 4))
    A = BlockTridiagonalInverse([spd(6, 1), Kronecker(SymmetricDense(A3), SymmetricDense(spd(2, 2)))], [regression])
    xi = np.eye(12)
    xi[:6, 6:] = -np.kron(general(2, 3, 1), general(3, 2, 4))
    compare(A, xi.T @ np.linalg.inv(block_diagonal(spd(6, 1), np.kron(A3, spd(2, 2)))) @ xi, NUMPY_BACKEND)


@pytest.mark.parametrize("a, b", [(2, 2), (2, 3), (3, 2), (3, 3)])
def test_the_sign_of_a_kronecker_determinant(a, b):
    """(det A)^b (det B)^a, with either determinant negative."""
    A, B = np.eye(a), 2.0 * np.eye(b)
    A[0, 0] = B[0, 0] = -1.0
    for factors in [(A, np.eye(b)), (np.eye(a), B), (A, B)]:
        expected = np.linalg.slogdet(np.kron(*factors))
        np.testing.assert_allclose(Kronecker(*factors).slogdet(), expected, rtol=1e-12, atol=1e-14)


def test_the_diagonal_of_a_large_operator_by_unit_vectors():
    d = np.arange(1.0, 601.0)
    A = Sum(DiagonalOperator(d)) @ DiagonalOperator(d)
    np.testing.assert_array_equal(A.diagonal(), d**2)


def test_block_slices_are_views():
    v = np.arange(7.0)
    parts = BlockTridiagonalInverse(SIGMA, PSI).split(v)
    assert [p.shape for p in parts] == [(2,), (3,), (2,)] and all(np.shares_memory(p, v) for p in parts)


# What is singular, indefinite or only just definite

def test_a_failed_cholesky_factorisation_is_reported():
    good, bad = SymmetricDense(spd(5)), SymmetricDense(symmetric(5))
    assert good.factorization.method == "cholesky" and good.factorization.not_positive == 0
    values = np.linalg.eigvalsh(symmetric(5))
    report = bad.factorization
    assert report.method == "eigendecomposition" and report.not_positive == (values <= 0).sum() > 0
    np.testing.assert_allclose([report.smallest, report.largest], values[[0, -1]])
    assert "failed" in str(report) and f"{report.not_positive} eigenvalues" in str(report)
    assert "failed" not in str(good.factorization)


@pytest.mark.parametrize("n", [3, 9])
def test_definite_up_to_rounding_only_is_solved_and_reported(n):
    """A Gram matrix whose smallest eigenvalue is lost in rounding: no damping appears from nowhere."""
    Q = np.linalg.qr(general(n, n, 3))[0]
    values = np.array([1e-18, *np.linspace(1.0, 2.0, n - 1)])
    A = SymmetricDense(Q * values @ Q.T - 1e-15 * np.outer(Q[:, 0], Q[:, 0]))
    assert A.factorization.method == "eigendecomposition" and A.factorization.not_positive == 1
    b = Q[:, 1] - Q[:, -1]
    x = A.solve(b)
    np.testing.assert_allclose(A.matvec(x), b, atol=1e-10)
    assert np.isnan(A.logdet()) and A.shifted(1e-3).factorization.method == "cholesky"


def test_singular_operators_solve_to_no_number(backend):
    b = backend.make(np.ones(3))
    for A in (SymmetricDense(backend.make(np.zeros((3, 3)))), DiagonalOperator(backend.make(np.zeros(3))),
              DenseOperator(backend.make(np.ones((3, 3)))),
              DiagonalPlusLowRank(backend.make(np.zeros(3)), backend.make(np.ones((3, 1)))),
              EigenKronecker(backend.make(np.eye(3)), backend.make(np.eye(1)), backend.make(np.zeros((3, 1)))),
              DenseBlocks(backend.make(np.zeros((1, 3, 3)))),
              KroneckerPair(*(backend.make(np.diag(d)) for d in ([1.0, 0.0, 1.0], [1.0], [1.0] * 3, [1.0])))):
        assert not np.any(np.isfinite(to_numpy(A.solve(b))[:2])), A


@every_dtype
def test_shifts_of_matrices_in_any_memory_order(backend, dtype):
    A = spd(4)
    flipped, inside = backend.make(np.ascontiguousarray(A.T), dtype).T, backend.make(np.pad(A, 2), dtype)[2:-2, 2:-2]
    for matrix in (backend.make(A, dtype), flipped, inside):
        B = SymmetricDense(matrix).shifted(0.7)
        close(backend.check(B.solve(backend.make(np.ones(4), dtype)), dtype), np.linalg.solve(A + 0.7 * np.eye(4), np.ones(4)),
              dtype)


@pytest.mark.parametrize("sign", [1, -1])
def test_roots_do_not_depend_on_the_signs_of_eigenvectors(sign):
    z, flipped = np.arange(12.0), Q3 * np.array([1.0, -1.0, 1.0])
    for name in ("root", "inverse_root"):
        found = [getattr(EigenKronecker(Q, Q4, S34), name)(z) for Q in (Q3, flipped)]
        np.testing.assert_allclose(found[1], found[0], rtol=1e-13)
    L = np.linalg.cholesky(np.kron(A3, B4))
    inner = np.linalg.solve(L, np.linalg.solve(L, np.kron(A3, B4) + 0.1 * sign * np.kron(C3, D4)).T)
    root = L @ scipy.linalg.sqrtm(inner)
    A = KroneckerPair(A3, B4, 0.1 * C3, D4, sign=sign)
    np.testing.assert_allclose(A.root(z), root @ z, rtol=1e-10)
    np.testing.assert_allclose(A.inverse_root(z), np.linalg.solve(root.T, z), rtol=1e-10)


def test_log_determinants_of_singular_and_of_negative_operators():
    assert DiagonalOperator(np.array([1.0, 0.0])).logdet() == -np.inf
    assert SymmetricDense(np.zeros((2, 2))).logdet() == -np.inf
    assert np.isnan(DiagonalOperator(np.array([1.0, -1.0])).logdet())
    assert (0.0 * DiagonalOperator(np.ones(2))).logdet() == -np.inf
    np.testing.assert_allclose((-2.0 * DiagonalOperator(np.ones(2))).logdet(), np.log(4.0))


def test_woodbury_keeps_the_diagonal_when_the_low_rank_part_is_enormous():
    """s² / (1 + s²) instead of differences: the directions beside U keep their digits at a ratio of 1e16."""
    d, u = np.array([1.0, 2.0, 4.0]), np.array([[1e8], [0.0], [0.0]])
    np.testing.assert_allclose(DiagonalPlusLowRank(d, u).solve(np.array([0.0, 1.0, 1.0])), [0.0, 0.5, 0.25], rtol=1e-15)
    np.testing.assert_allclose(DiagonalPlusLowRank(d, u).logdet(), np.log(8.0) + np.log1p(1e16), rtol=1e-15)


# Algebra and errors

def test_the_algebra_flattens():
    A, B, C = (SymmetricDense(spd(3, s)) for s in range(3))
    assert len((A + (B + C)).terms) == 3 and len(((A @ B) @ C).factors) == 3
    assert isinstance(A + B, Sum) and isinstance(A @ B, Composed) and (A + B).symmetric and not (A @ B).symmetric
    assert (2.0 * (3.0 * A)).c == 6.0 and (2.0 * A).A is A
    assert A.T is A and DenseOperator(general(2, 3)).T.shape == (3, 2) and A.inverse().inverse() is A
    np.testing.assert_array_equal((np.float64(2.0) * A).dense(), 2.0 * spd(3, 0))


def test_arrays_on_either_side():
    A = DenseOperator(general(3, 4))
    np.testing.assert_allclose(A @ np.ones(4), general(3, 4) @ np.ones(4))
    np.testing.assert_allclose(np.ones(3) @ A, np.ones(3) @ general(3, 4))


@pytest.mark.parametrize("call, message", [
    (lambda: DenseOperator(np.ones(3)), r"matrix must have shape \(m, n\); got \(3,\)"),
    (lambda: SymmetricDense(np.ones((2, 3))), "square"),
    (lambda: DiagonalOperator(np.ones((2, 2))), r"d must have shape \(n,\); got \(2, 2\)"),
    (lambda: LowRank(np.ones(3)), r"U must have shape \(n, k\)"),
    (lambda: DiagonalPlusLowRank(np.ones(3), np.ones((2, 1))), r"got \(3,\) and \(2, 1\)"),
    (lambda: DenseOperator(np.ones((2, 3))).matvec(np.ones(2)), r"shape \(..., 3\)"),
    (lambda: DenseOperator(np.ones((2, 3))).T.matvec(np.ones(3)), r"shape \(..., 2\)"),
    (lambda: Plain(np.ones((2, 3)), NUMPY).matmat(np.ones(3)), r"\(..., 3, k\)"),
    (lambda: DenseOperator(np.ones((2, 3))).solve(np.ones(2)), "solve needs a square operator"),
    (lambda: DenseOperator(np.ones((2, 3))).logdet(), "slogdet needs a square operator"),
    (lambda: DenseOperator(np.ones((2, 3))).shifted(1.0), "shifted needs a square operator"),
    (lambda: DenseOperator(np.ones((2, 3))) + DenseOperator(np.ones((3, 2))), "one shape"),
    (lambda: DenseOperator(np.ones((2, 3))) @ DenseOperator(np.ones((2, 3))), "cannot follow"),
    (lambda: BlockDiagonal(), "at least one"),
    (lambda: BlockDiagonal(np.ones((2, 3))), "square"),
    (lambda: DenseBlocks(np.ones((2, 3))), r"\(k, p, p\)"),
    (lambda: BlockTridiagonalInverse(SIGMA, PSI[:1]), "one regression fewer"),
    (lambda: BlockTridiagonalInverse(SIGMA, PSI[::-1]), r"regression 0 must have shape \(2, 3\)"),
    (lambda: EigenKronecker(Q3, Q4, S34.T), r"got \(3, 3\), \(4, 4\) and \(4, 3\)"),
    (lambda: KroneckerPair(A3, B4, D4, C3), r"must have shapes \(a, a\)"),
])
def test_shape_errors_name_what_was_got(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_other_errors(backend):
    with pytest.raises(TypeError, match="symmetric factors"):
        Kronecker(general(2, 2), general(2, 2)).eigenbasis()
    with pytest.raises(ValueError, match="sign must be 1 or -1"):
        KroneckerPair(A3, B4, C3, D4, sign=2)
    with pytest.raises(TypeError):
        SymmetricDense(spd(3)) + 1.0
    if backend.namespace is not np:
        with pytest.raises(TypeError, match="move one|different devices"):
            SymmetricDense(backend.make(spd(3))).matvec(np.ones(3))
        with pytest.raises(TypeError, match="different devices"):
            SymmetricDense(backend.make(spd(3))) + SymmetricDense(spd(3))


def test_as_scipy(backend):
    """SciPy's solvers take any operator, wherever its arrays are."""
    dense = np.kron(A3, B4)
    A = Kronecker(SymmetricDense(backend.make(A3)), SymmetricDense(backend.make(B4))).as_scipy()
    b = np.linspace(-1.0, 1.0, 12)
    assert A.shape == (12, 12) and A.dtype == np.float64
    np.testing.assert_allclose(A @ b, dense @ b, rtol=1e-12)
    np.testing.assert_allclose(A @ np.stack([b, b**2], axis=1), dense @ np.stack([b, b**2], axis=1), rtol=1e-12)
    x, failed = scipy.sparse.linalg.cg(A, b, rtol=1e-12)
    assert not failed
    np.testing.assert_allclose(x, np.linalg.solve(dense, b), rtol=1e-9)
    wide = DenseOperator(backend.make(general(3, 5))).as_scipy()
    np.testing.assert_allclose(wide.rmatvec(b[:3]), b[:3] @ general(3, 5), rtol=1e-12)


def test_operators_leave_their_arguments_alone():
    v = np.ones(4)
    SymmetricDense(spd(4)).solve(v), DiagonalPlusLowRank(np.ones(4), general(4, 2)).root(v), BlockDiagonal(spd(4)).matvec(v)
    np.testing.assert_array_equal(v, 1.0)
    close(NUMPY_BACKEND.make(v), np.ones(4))


def test_an_operator_of_ones_own_is_told_which_arrays_it_takes():
    """NumPy itself is no namespace of this library: the operator would refuse every array."""
    with pytest.raises(TypeError, match=r"Plain takes a Namespace as its argument xp, such as infogeo.backend.NUMPY .* <module"):
        Plain(np.eye(2), np)
