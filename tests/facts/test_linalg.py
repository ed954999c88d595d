"""Batched linear algebra: a row that fails is NaN, the other rows are right."""
import array_api_strict
import numpy as np
import pytest

from infogeo.backend import NUMPY, backend_of, to_numpy
from infogeo.numerics import linalg


def spd(n, batch, seed=0):
    root = np.random.default_rng(seed).standard_normal((*batch, n, n))
    return root @ root.mT + np.eye(n)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 20])
def test_cholesky_and_triangular_inverse(n):
    matrix = spd(n, (4, 3))
    lower = linalg.cholesky(NUMPY, matrix)
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(linalg.inverse_lower(NUMPY, lower) @ lower, np.broadcast_to(np.eye(n), matrix.shape), atol=1e-11)


@pytest.mark.parametrize("n", [2, 6, 7, 12])
def test_a_row_that_is_not_positive_definite_is_nan(n):
    matrix = spd(n, (4,))
    matrix[1, 0, 0] = -1.0              # indefinite
    matrix[2] = np.nan
    matrix[3] = np.ones((n, n))         # singular
    lower = linalg.cholesky(NUMPY, matrix)
    np.testing.assert_allclose(lower[0] @ lower[0].T, matrix[0], rtol=1e-11, atol=1e-12)
    assert np.all(np.isnan(lower[1:3]))
    np.testing.assert_array_equal(linalg.positive_definite(NUMPY, matrix[:3]), [True, False, False])
    assert not linalg.positive_definite(NUMPY, np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert not linalg.positive_definite(NUMPY, np.zeros((n, n)))


@pytest.mark.parametrize("n", [2, 6, 7, 12])
def test_a_row_that_fails_changes_no_bit_of_the_others(n):
    matrix = spd(n, (4,))
    alone = linalg.cholesky(NUMPY, matrix)
    matrix[1, 0, 0], matrix[2, -1, -1] = -1.0, np.nan
    together = linalg.cholesky(NUMPY, matrix)
    np.testing.assert_array_equal(together[[0, 3]], alone[[0, 3]])
    assert np.all(np.isnan(together[[1, 2]]))


def test_eigh_of_a_matrix_that_is_not_finite_is_nan():
    matrix = spd(3, (2,))
    whole = linalg.eigh(NUMPY, matrix)[0]
    matrix[1, 0, 1] = np.inf
    values, _ = linalg.eigh(NUMPY, matrix)
    np.testing.assert_array_equal(values[0], whole[0])
    assert np.all(np.isnan(values[1]))


def test_solve_broadcasts_and_marks_singular_rows():
    matrix = spd(3, (5, 1))
    vector = np.random.default_rng(1).standard_normal((4, 3))
    solution = linalg.solve(NUMPY, matrix, vector)
    assert solution.shape == (5, 4, 3)
    np.testing.assert_allclose(np.einsum("bij,bcj->bci", matrix[:, 0], solution), np.broadcast_to(vector, (5, 4, 3)), rtol=1e-10)
    matrix = np.stack([np.eye(2), np.zeros((2, 2)), 2 * np.eye(2)])
    solution = linalg.solve(NUMPY, matrix, np.array([1.0, 4.0]))
    np.testing.assert_array_equal(solution[[0, 2]], [[1.0, 4.0], [0.5, 2.0]])
    assert not np.any(np.isfinite(solution[1]))


def test_inverse_marks_singular_rows():
    matrix = np.stack([2 * np.eye(2), np.zeros((2, 2))])
    inverse = linalg.inverse(NUMPY, matrix)
    np.testing.assert_array_equal(inverse[0], 0.5 * np.eye(2))
    assert not np.any(np.isfinite(np.diagonal(inverse[1])))


def test_matvec_and_symmetric2():
    matrix = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(linalg.matvec(NUMPY, matrix, np.array([1.0, 0.0, 2.0])), matrix @ [1.0, 0.0, 2.0])
    a = np.array([1.0, 2.0])
    np.testing.assert_array_equal(linalg.symmetric2(NUMPY, a, 3 * a, 5 * a)[1], [[2.0, 6.0], [6.0, 10.0]])


@pytest.mark.parametrize("n", [3, 8])
def test_on_a_strict_device(n):
    device = array_api_strict.Device("device1")
    matrix = spd(n, (2,))
    x = array_api_strict.asarray(matrix, device=device)
    lower = linalg.cholesky(backend_of(x), x)
    assert lower.device == device
    np.testing.assert_allclose(to_numpy(lower), np.linalg.cholesky(matrix), rtol=1e-11, atol=1e-13)


def test_float32_is_kept():
    assert linalg.cholesky(NUMPY, spd(3, ()).astype(np.float32)).dtype == np.float32
