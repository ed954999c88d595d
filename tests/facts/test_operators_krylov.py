"""Solvers, spectra and traces that need products only."""
import numpy as np
import pytest
import scipy.sparse.linalg

from infogeo.backend import NUMPY, to_numpy
from infogeo.errors import ConvergenceError, DomainError, ShapeError
from infogeo.operators import krylov
from infogeo.operators.dense import DenseOperator, DiagonalOperator, SymmetricDense
from infogeo.operators.low_rank import LowRank

from .operator_helpers import general, spd, symmetric

N = 30
MATRIX = spd(N, 4)
B = np.random.default_rng(1).standard_normal((2, 3, N))


@pytest.mark.parametrize("solver", [krylov.conjugate_gradient, krylov.minres])
def test_solvers_on_batches(solver, backend):
    x = solver(SymmetricDense(backend.make(MATRIX)), backend.make(B), tol=1e-12)
    np.testing.assert_allclose(backend.check(x), np.linalg.solve(MATRIX, B[..., None])[..., 0], rtol=1e-9, atol=1e-10)
    assert solver(DenseOperator(backend.make(MATRIX)), backend.make(B[0, 0]), tol=1e-3).shape == (N,)
    assert np.all(to_numpy(solver(DenseOperator(backend.make(MATRIX)), backend.make(np.zeros((2, N))), tol=1e-3)) == 0.0)


def test_minres_on_an_indefinite_operator_beside_scipy():
    matrix = symmetric(N, 2)
    b = B[0, 0]
    assert np.linalg.eigvalsh(matrix)[0] < -1.0 < 1.0 < np.linalg.eigvalsh(matrix)[-1]
    x = krylov.minres(SymmetricDense(matrix), b, tol=1e-11, max_steps=200)
    np.testing.assert_allclose(matrix @ x, b, atol=1e-9)
    theirs, failed = scipy.sparse.linalg.minres(matrix, b, rtol=1e-13)
    assert not failed
    np.testing.assert_allclose(x, theirs, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_truncated_runs_minimise_over_the_krylov_space(steps):
    """Conjugate gradients minimise the error in the norm of A, minres the residual, each over span{b, Ab, …}."""
    A, b = MATRIX, B[0, 0]
    K = np.stack([np.linalg.matrix_power(A, k) @ b for k in range(steps)], axis=1)
    with pytest.raises(ConvergenceError) as cg:
        krylov.conjugate_gradient(DenseOperator(A), b, tol=1e-15, max_steps=steps)
    np.testing.assert_allclose(cg.value.iterate, K @ np.linalg.solve(K.T @ A @ K, K.T @ b), rtol=1e-8)
    with pytest.raises(ConvergenceError) as minres:
        krylov.minres(DenseOperator(A), b, tol=1e-15, max_steps=steps)
    np.testing.assert_allclose(minres.value.iterate, K @ np.linalg.lstsq(A @ K, b)[0], rtol=1e-8)
    left = np.linalg.norm(b - A @ minres.value.iterate) / np.linalg.norm(b)
    np.testing.assert_allclose(minres.value.residual, left, rtol=1e-12)


def test_a_preconditioner_shortens_the_way():
    """Eigenvalues over eight decades, all of it in the diagonal: one step behind the right preconditioner."""
    d = np.logspace(-4, 4, N)
    x = krylov.conjugate_gradient(DiagonalOperator(d), B[0], tol=1e-12, max_steps=1, preconditioner=DiagonalOperator(d))
    np.testing.assert_allclose(x, B[0] / d, rtol=1e-12)
    with pytest.raises(ConvergenceError):
        krylov.conjugate_gradient(DiagonalOperator(d), B[0], tol=1e-12, max_steps=25)


def test_conjugate_gradients_report_negative_curvature():
    d = np.ones(N)
    d[0] = -1.0
    message = r"conjugate_gradient ended short of tol=1e-06 in 1 of 2 rows, first at index \(1,\)"
    with pytest.raises(ConvergenceError, match=message):
        krylov.conjugate_gradient(DiagonalOperator(d), np.stack([np.eye(N)[1], np.eye(N)[0]]), tol=1e-6)


def test_rows_that_are_done_wait_for_the_others():
    b = np.stack([np.eye(N)[0], B[0, 0]])
    x = krylov.conjugate_gradient(DiagonalOperator(np.arange(1.0, N + 1)), b, tol=1e-12)
    np.testing.assert_allclose(x, b / np.arange(1.0, N + 1), rtol=1e-9, atol=1e-12)


def test_solver_errors():
    with pytest.raises(DomainError, match="tol > 0"):
        krylov.minres(DenseOperator(MATRIX), B, tol=0.0)
    with pytest.raises(ShapeError, match="square"):
        krylov.conjugate_gradient(DenseOperator(general(3, 4)), np.ones(4), tol=1e-3)


def test_lanczos_factors_the_operator(backend):
    start = backend.make(B)
    alpha, beta, Q = (backend.check(x) for x in krylov.lanczos(SymmetricDense(backend.make(MATRIX)), start, 8))
    assert alpha.shape == (2, 3, 8) and beta.shape == (2, 3, 7) and Q.shape == (2, 3, 8, N)
    np.testing.assert_allclose(Q @ Q.mT, np.broadcast_to(np.eye(8), (2, 3, 8, 8)), atol=1e-13)
    tridiagonal = Q @ MATRIX @ Q.mT
    np.testing.assert_allclose(np.diagonal(tridiagonal, axis1=-2, axis2=-1), alpha, rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(tridiagonal, 1, axis1=-2, axis2=-1), beta, rtol=1e-11)
    np.testing.assert_allclose(np.triu(tridiagonal, 2), 0.0, atol=1e-12)


def test_lanczos_stops_where_the_space_is_exhausted():
    d = np.repeat([1.0, 2.0, 5.0], N // 3)
    alpha, beta, Q = krylov.lanczos(DiagonalOperator(d), B[0], 6)
    np.testing.assert_array_equal(beta[:, 2:], 0.0)
    np.testing.assert_array_equal(Q[:, 3:], 0.0)
    values = np.linalg.eigvalsh(np.stack([np.diag(a[:3]) + np.diag(b[:2], 1) + np.diag(b[:2], -1) for a, b in zip(alpha, beta)]))
    np.testing.assert_allclose(values, np.broadcast_to([1.0, 2.0, 5.0], (3, 3)), rtol=1e-12)


def test_quadrature_is_exact_for_polynomials(backend):
    """Degree 2k − 1 and, where the space is exhausted, every function; with sign vectors a diagonal operator has no variance."""
    d = np.linspace(1.0, 3.0, N)
    A = DiagonalOperator(backend.make(d))
    for k, f in [(1, lambda s: 2.0 * s - 1.0), (2, lambda s: s**3), (3, lambda s: s**5 - s)]:
        value, error = krylov.lanczos_quadrature(A, f, np.random.default_rng(0), probes=3, steps=k)
        np.testing.assert_allclose(backend.check(value), f(d).sum(), rtol=1e-12)
        assert to_numpy(error) < 1e-10
    A = DiagonalOperator(backend.make(np.repeat([1.0, 4.0], N // 2)))
    value, _ = krylov.logdet(A, np.random.default_rng(0), probes=2, steps=5)
    np.testing.assert_allclose(to_numpy(value), N / 2 * np.log(4.0), rtol=1e-12)


def within(estimate, truth, sigmas=5.0):
    return np.all(np.abs(np.asarray(estimate.value) - truth) <= sigmas * np.asarray(estimate.standard_error))


def test_log_determinant_and_density_of_a_spectrum():
    A = SymmetricDense(MATRIX)
    estimate = krylov.logdet(A, np.random.default_rng(3), probes=400, steps=20)
    assert within(estimate, A.logdet()) and estimate.standard_error < 0.05 * A.logdet()
    at = np.linspace(-0.5, 6.0, 14)
    density = krylov.spectral_density(A, at, np.random.default_rng(4), probes=400, steps=25, width=0.3)
    exact = np.exp(-0.5 * ((at[:, None] - np.linalg.eigvalsh(MATRIX)) / 0.3) ** 2).mean(axis=1) / (0.3 * np.sqrt(2 * np.pi))
    assert density.value.shape == (14,) and np.all(np.abs(density.value - exact) <= 5.0 * density.standard_error + 1e-9)


@pytest.mark.parametrize("dense", [MATRIX, symmetric(N, 3), general(N, N, 4)], ids=["definite", "indefinite", "not symmetric"])
def test_traces_are_unbiased(dense):
    """The mean of many independent estimates, within five of its own standard errors."""
    A, rng = DenseOperator(dense), np.random.default_rng(11)
    values = np.array([krylov.xtrace(A, rng, probes=12).value for _ in range(300)])
    assert abs(values.mean() - np.trace(dense)) < 5.0 * values.std() / np.sqrt(300)
    trace, diagonal = krylov.hutchinson(A, rng, probes=4000)
    assert within(trace, np.trace(dense)) and within(diagonal, np.diag(dense))


def test_xtrace_is_its_definition():
    """Each sign vector left out in turn, with a QR factorisation of its own, for an operator that is not symmetric."""
    dense, k = general(N, N, 4), 5
    signs = krylov._signs(DenseOperator(dense), np.random.default_rng(3), k)
    found = []
    for i in range(k):
        Q = np.linalg.qr(dense @ np.delete(signs, i, axis=0).T)[0]
        rest = signs[i] - Q @ (Q.T @ signs[i])
        found.append(np.trace(Q.T @ dense @ Q) + rest @ dense @ rest)
    value, error = krylov.xtrace(DenseOperator(dense), np.random.default_rng(3), probes=2 * k)
    np.testing.assert_allclose(value, np.mean(found), rtol=1e-11)
    np.testing.assert_allclose(error, np.std(found, ddof=1) / np.sqrt(k), rtol=1e-9)


def test_the_variances_of_hutchinson():
    """2 Σ_{i≠j} A_ij² for the trace and Σ_{j≠i} A_ij² for an entry of the diagonal, per probe."""
    trace, diagonal = krylov.hutchinson(DenseOperator(MATRIX), np.random.default_rng(7), probes=20000)
    off = MATRIX - np.diag(np.diag(MATRIX))
    np.testing.assert_allclose(20000 * trace.standard_error**2, 2.0 * (off**2).sum(), rtol=0.05)
    np.testing.assert_allclose(20000 * diagonal.standard_error**2, (off**2).sum(axis=1), rtol=0.08)


def test_low_rank_traces_are_exact(backend):
    """The range of a rank-3 operator is known after three products: nothing is left to estimate."""
    U = general(N, 3, 9)
    A = LowRank(backend.make(U))
    value, _ = krylov.xtrace(A, np.random.default_rng(0), probes=12)
    np.testing.assert_allclose(backend.check(value), (U**2).sum(), rtol=1e-9)


def test_the_better_estimator_is_better():
    """On a fast-decaying spectrum, at equal products, XTrace beats Hutchinson's mean squared error ten times over."""
    Q = np.linalg.qr(general(N, N, 5))[0]
    A, rng = DenseOperator(Q * 0.5 ** np.arange(N) @ Q.T), np.random.default_rng(2)
    truth = (0.5 ** np.arange(N)).sum()

    def error(estimate):
        return np.mean([(estimate() - truth) ** 2 for _ in range(200)])

    plain = error(lambda: krylov.hutchinson(A, rng, probes=18)[0].value)
    assert error(lambda: krylov.xtrace(A, rng, probes=18).value) < 0.1 * plain


def test_estimates_are_reproducible_and_need_a_generator():
    A = DenseOperator(MATRIX)
    first, second = (krylov.xtrace(A, np.random.default_rng(5), probes=8) for _ in range(2))
    assert first.value == second.value
    with pytest.raises(TypeError, match="rng must be"):
        krylov.hutchinson(A, 5, probes=3)
    with pytest.raises(DomainError, match="4 <= probes"):
        krylov.xtrace(A, np.random.default_rng(0), probes=3)
    assert np.isinf(krylov.hutchinson(A, np.random.default_rng(0), probes=1)[0].standard_error)


def test_float32():
    A = SymmetricDense(MATRIX.astype(np.float32))
    assert A.xp is NUMPY
    assert krylov.conjugate_gradient(A, B.astype(np.float32), tol=1e-5).dtype == np.float32
    assert krylov.xtrace(A, np.random.default_rng(0), probes=8).value.dtype == np.float32
