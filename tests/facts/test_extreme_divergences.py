"""Divergences of points whose coordinates differ by up to 1e600: mpmath decides, by the definition, at 700 digits."""
from functools import cache
from itertools import permutations

import mpmath as mp
import numpy as np
import pytest

import infogeo as ig


@cache
def normal(theta):
    a, b = theta
    return -a * a / (4 * b) - mp.log(-2 * b) / 2, [-a / (2 * b), a * a / (4 * b * b) - 1 / (2 * b)]


@cache
def gamma(theta):
    shape, rate = theta[0], -theta[1]
    return mp.loggamma(shape) - shape * mp.log(rate), [mp.psi(0, shape) - mp.log(rate), shape / rate]


@cache
def dirichlet(theta):
    total = mp.fsum(theta)
    return mp.fsum(map(mp.loggamma, theta)) - mp.loggamma(total), [mp.psi(0, a) - mp.psi(0, total) for a in theta]


@cache
def inverse_gaussian(theta):
    a, b = -theta[0], -theta[1]
    mean = mp.sqrt(b / a)
    return -2 * mp.sqrt(a * b) - mp.log(2 * b) / 2, [mean, 1 / mean + 1 / (2 * b)]


@cache
def chi_squared(theta):
    return mp.loggamma(theta[0]), [mp.psi(0, theta[0])]


# (ψ, η) in mpmath, and points in θ
LINE = ([1e-200], [1e-37], [1.0], [1e160], [1e250])
MODELS = {
    "Exponential": (ig.Exponential(), lambda t: (-mp.log(-t[0]), [-1 / t[0]]), -np.array(LINE)),
    "Burg(1)": (ig.Burg(1), lambda t: (-mp.log(t[0]), [-1 / t[0]]), np.array(LINE)),
    "Normal": (ig.Normal(), normal, np.array([[0.0, -5e-301], [0.0, -5e15], [2.0, -1.0], [0.0, -5e150], [1e-100, -1e-3]])),
    "IsotropicNormal(1)": (ig.IsotropicNormal(1), normal, np.array([[0.0, -5e-301], [0.0, -5e15], [2.0, -1.0], [0.0, -5e150]])),
    "Gamma": (ig.Gamma(), gamma, np.array([[1e15, -1e15], [1e-300, -1.0], [2.0, -1e200], [2.0, -1e-200], [0.5, -3.0]])),
    "ChiSquared": (ig.ChiSquared(), chi_squared, np.array([[1e5], [1e-305], [1e-20], [3.0]])),
    "Beta": (ig.Beta(), dirichlet, np.array([[1e10, 1e10], [1e-300, 1.0], [2.0, 1e-200], [3.0, 0.5]])),
    "InverseGaussian": (ig.InverseGaussian(), inverse_gaussian,
                        np.array([[-1e-100, -1e100], [-1.0, -1.0], [-1e80, -1e-80], [-1e150, -1e150]])),
}
every_model = pytest.mark.parametrize("name", MODELS)


def exact(formula, p, q):
    """ψ(q) − ψ(p) − (q − p)·η(p)."""
    with mp.workdps(700):
        p, q = (tuple(mp.mpf(float(x)) for x in point) for point in (p, q))
        (at_p, eta), (at_q, _) = formula(p), formula(q)
        return at_q - at_p - mp.fsum((b - a) * e for a, b, e in zip(p, q, eta))


@every_model
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_extreme_points(name, dtype):
    M, formula, points = MODELS[name]
    if dtype == np.float32:             # 1e-300 becomes 5e-34
        points = np.sign(points) * np.abs(points) ** (1 / 9)
    points = points.astype(dtype)
    huge, eps = float(np.finfo(dtype).max), float(np.finfo(dtype).eps)
    for p, q in permutations(points, 2):
        expected, found = exact(formula, p, q), M.divergence(p, q)
        assert found.dtype == dtype
        if expected > huge:
            assert found == np.inf, (p, q)
        else:
            assert abs(found / expected - 1) <= 500 * eps, (p, q, found, float(expected))
