"""Mirror maps by hand and against numeric derivatives in 40 digits."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig


def p_norm(p):
    return lambda x: sum(abs(v)**p for v in x)**(mp.mpf(2) / p) / 2


def log_det(x):
    return -mp.log(x[0] * x[2] - x[1]**2 / 2)


Q = np.array([[2.0, 0.5], [0.5, 1.0]])
CASES = {
    "Euclidean": (ig.Euclidean(2), lambda x: sum(v * v for v in x) / 2, [0.3, -4.0]),
    "Quadratic": (ig.Quadratic(Q), lambda x: (2 * x[0]**2 + x[0] * x[1] + x[1]**2) / 2, [0.3, -4.0]),
    "NegativeEntropy": (ig.NegativeEntropy(2), lambda x: sum(v * mp.log(v) - v for v in x), [0.3, 4.0]),
    "Burg": (ig.Burg(2), lambda x: -sum(mp.log(v) for v in x), [0.3, 4.0]),
    "PNorm 1.5": (ig.PNorm(3, 1.5), p_norm(mp.mpf("1.5")), [0.7, -1.2, 2.0]),
    "PNorm 4": (ig.PNorm(3, 4.0), p_norm(mp.mpf(4)), [0.7, -1.2, 2.0]),
    "Tsallis 0.5": (ig.Tsallis(0.5, 2), lambda x: -2 * (sum(mp.sqrt(v) for v in x) - 1), [0.3, 4.0]),
    "Tsallis 3": (ig.Tsallis(3, 2), lambda x: (sum(v**3 for v in x) - 1) / 2, [0.3, 4.0]),
    "LogDet": (ig.LogDet(2), log_det, [2.0, 0.6, 1.5]),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_of_the_potential(name):
    M, psi, point = CASES[name]
    d = M.dim
    f = lambda *x: psi(list(x))
    with mp.workdps(40):
        x = tuple(mp.mpf(v) for v in point)
        order = lambda *i: tuple(i.count(j) for j in range(d))
        potential = float(psi(list(x)))
        eta = [float(mp.diff(f, x, order(i))) for i in range(d)]
        metric = [[float(mp.diff(f, x, order(i, j))) for j in range(d)] for i in range(d)]
        cubic = [[[float(mp.diff(f, x, order(i, j, k))) for k in range(d)] for j in range(d)] for i in range(d)]
    theta = np.array(point)
    np.testing.assert_allclose(M.potential(theta), potential, rtol=1e-13)
    np.testing.assert_allclose(M.to_eta(theta), eta, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(M.metric(theta), metric, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(M.cubic_tensor(theta), cubic, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(M.to_theta(np.array(eta)), theta, rtol=1e-12)
    np.testing.assert_allclose(M.dual_potential(np.array(eta)), theta @ eta - potential, rtol=1e-12)
    np.testing.assert_allclose(M.dual_metric(np.array(eta)) @ metric, np.eye(d), atol=1e-11)


def test_p_norm_of_large_and_zero_vectors():
    """The norm is scaled before its powers: 1e200 does not overflow; at 0 everything is 0."""
    M = ig.PNorm(2, 3.0)
    np.testing.assert_allclose(M.to_eta([3e200, 0.0]), [3e200, 0.0], rtol=1e-14)
    np.testing.assert_array_equal(M.to_eta([0.0, 0.0]), [0.0, 0.0])
    assert M.potential([0.0, 0.0]) == 0.0


def test_p_norm_conjugate():
    """φ = ½ ‖η‖_q² with 1/p + 1/q = 1: at p = 3, q = 1.5."""
    eta = np.array([1.0, -2.0])
    np.testing.assert_allclose(ig.PNorm(2, 3.0).dual_potential(eta), 0.5 * (1 + 2**1.5)**(4 / 3), rtol=1e-14)


def test_log_det_metric_is_affine_invariant():
    """⟨V, W⟩ = tr(X⁻¹VX⁻¹W); at X = I it is the trace inner product."""
    M = ig.LogDet(3)
    identity = ig.pack(np.eye(3))
    np.testing.assert_allclose(M.metric(identity), np.eye(6), atol=1e-15)
    rng = np.random.default_rng(0)
    root = rng.standard_normal((3, 3))
    X, A = root @ root.T + np.eye(3), rng.standard_normal((3, 3))
    V = rng.standard_normal((3, 3))
    V = V + V.T
    packed = lambda S: ig.pack(S)
    value = M.inner(packed(X), packed(V), packed(V))
    np.testing.assert_allclose(value, np.trace(np.linalg.solve(X, V) @ np.linalg.solve(X, V)), rtol=1e-12)
    np.testing.assert_allclose(M.inner(packed(A @ X @ A.T), packed(A @ V @ A.T), packed(A @ V @ A.T)), value, rtol=1e-10)


@pytest.mark.parametrize("make, error, message", [
    (lambda: ig.Quadratic(np.ones((2, 3))), ig.ShapeError, r"Q must have shape \(d, d\); got \(2, 3\)"),
    (lambda: ig.Quadratic([[1.0, 2.0], [2.0, 1.0]]), ig.DomainError, "Q must satisfy Q symmetric and positive definite"),
    (lambda: ig.Quadratic([[1.0, 0.5], [0.2, 1.0]]), ig.DomainError, "Q must satisfy Q symmetric and positive definite"),
    (lambda: ig.PNorm(2, 1.0), ValueError, "p must satisfy 1 < p < inf; got 1.0"),
    (lambda: ig.PNorm(2, np.inf), ValueError, "p must satisfy 1 < p < inf; got inf"),
])
def test_constructors_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_outside_the_domain_is_nan():
    assert np.isnan(ig.Burg(1).to_theta([0.5]))[0]
    assert np.isnan(ig.NegativeEntropy(1).to_eta([-1.0]))[0]
    assert np.all(np.isnan(ig.LogDet(2).to_eta([1.0, 3.0, 1.0])))
