"""What the tests of operators share: random matrices, and one comparison of an operator with its dense matrix."""
import numpy as np

from infogeo.backend import to_numpy
from infogeo.operators.base import Transpose

CLOSE = {"float64": 1e-10, "float32": 2e-3}


def spd(n, seed=0, low=0.5):
    """A symmetric positive definite matrix with eigenvalues of at least `low`."""
    root = np.random.default_rng(seed).standard_normal((n, n))
    return root @ root.T / n + low * np.eye(n)


def general(m, n, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n)) + 2.0 * np.eye(m, n)


def symmetric(n, seed=0):
    root = np.random.default_rng(seed).standard_normal((n, n))
    return root + root.T


def close(actual, expected, dtype="float64", scale=1.0):
    tol = CLOSE[dtype]
    np.testing.assert_allclose(to_numpy(actual), expected, rtol=tol, atol=tol * scale)


def compare(A, dense, backend, dtype="float64"):
    """Every method of an operator against its matrix: products, transpose, solve, roots, diagonal, trace, determinant."""
    m, n = dense.shape
    rng = np.random.default_rng(5)
    size = np.linalg.norm(dense)

    def check(actual, expected, scale=1.0):
        close(backend.check(actual, dtype), expected, dtype, scale)

    assert A.shape == (m, n) and A.dim == n and str(m) in repr(A)
    check(A.dense(), dense, size)
    for batch in [(), (3,), (2, 1)]:
        v, u = rng.standard_normal((*batch, n)), rng.standard_normal((*batch, m))
        check(A.matvec(backend.make(v, dtype)), v @ dense.T, size)
        check(A.T.matvec(backend.make(u, dtype)), u @ dense, size)
        check(Transpose(A).matvec(backend.make(u, dtype)), u @ dense, size)
    columns = rng.standard_normal((n, 4))
    check(A.matmat(backend.make(columns, dtype)), dense @ columns, size)
    check(A @ backend.make(columns[:, 0], dtype), dense @ columns[:, 0], size)
    check(A.T.dense(), dense.T, size)
    assert A.symmetric == (A.T is A)
    if m != n:
        return
    inverse = np.linalg.inv(dense)
    b = rng.standard_normal((3, n))
    spread = np.linalg.norm(inverse) * np.linalg.norm(b)
    check(A.solve(backend.make(b, dtype)), b @ inverse.T, spread)
    check(A.solve(backend.make(b[0], dtype)), inverse @ b[0], spread)
    check(A.inverse().matvec(backend.make(b, dtype)), b @ inverse.T, spread)
    check(A.T.solve(backend.make(b, dtype)), b @ inverse, spread)
    check(A.inverse().T.matvec(backend.make(b, dtype)), b @ inverse, spread)
    check(A.diagonal(), np.diag(dense), size)
    check(A.trace(), np.trace(dense), size)
    sign, logdet = np.linalg.slogdet(dense)
    assert float(to_numpy(A.slogdet()[0])) == sign
    check(A.slogdet()[1], logdet, n)
    check(A.inverse().slogdet()[1], -logdet, n)
    shifted = A.shifted(0.7)
    moved = dense + 0.7 * np.eye(n)
    check(shifted.dense(), moved, size)
    check(shifted.solve(backend.make(b, dtype)), np.linalg.solve(moved, b.T).T, np.linalg.norm(np.linalg.inv(moved)) * 10)
    if np.allclose(dense, dense.T) and np.linalg.eigvalsh(dense)[0] > 0:
        check(A.logdet(), logdet, n)
        eye = backend.make(np.eye(n), dtype)
        F, E = to_numpy(A.root(eye)), to_numpy(A.inverse_root(eye))        # rows are the images of unit vectors: Fᵀ and Eᵀ
        check(A.root(eye), F)
        close(F.T @ F, dense, dtype, size)
        close(E.T @ E, inverse, dtype, np.linalg.norm(inverse))
        close(F @ E.T, np.eye(n), dtype, np.linalg.cond(dense))            # the second is the first, inverted and transposed
        close(A.inverse().root(eye), E, dtype, np.linalg.norm(inverse))
