"""Divergences take arrays of every library and dtype, batches on leading axes, and skews that broadcast with them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, hellinger, renyi, squared_hellinger, tsallis
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.divergence import fenchel_young
from infogeo.geometry.divergences.f_divergence import f_divergence, jensen_shannon, total_variation
from infogeo.geometry.divergences.integration import MonteCarlo, Quadrature, States
from infogeo.geometry.divergences.skew import bhattacharyya, jensen_bregman
from infogeo.geometry.divergences.total_bregman import total_bregman

from ..backends import every_dtype

MANIFOLDS = {"Categorical(3)": ig.Categorical(3), "Normal": ig.Normal(), "MultivariateNormal(2)": ig.MultivariateNormal(2),
             "Gamma": ig.Gamma(), "NegativeEntropy(2)": ig.NegativeEntropy(2), "Poisson.dual": ig.Poisson().dual}
DIVERGENCES = {
    "skew": lambda M, p, q: jensen_bregman(M, p, q, 0.3),
    "Bhattacharyya": bhattacharyya,
    "Rényi": lambda M, p, q: renyi(M, p, q, 1.25),
    "Tsallis": lambda M, p, q: tsallis(M, p, q, 0.5),
    "α": lambda M, p, q: alpha_divergence(M, p, q, -1),
    "χ²": chi_squared,
    "Hellinger": hellinger,
    "squared Hellinger": squared_hellinger,
    "Chernoff": lambda M, p, q: chernoff_information(M, p, q).value,
    "its skew": lambda M, p, q: chernoff_information(M, p, q).skew,
    "Fenchel–Young": lambda M, p, q: fenchel_young(M, p, M.to_eta(q)),
    "total Bregman": total_bregman,
}
every_manifold = pytest.mark.parametrize("M", MANIFOLDS.values(), ids=MANIFOLDS)


def points(M, shape):
    rng = np.random.default_rng(89)
    return [M.theta_domain.sample(rng, shape, 0.3).astype("float32").astype(float) for _ in range(2)]


@every_dtype
@every_manifold
def test_every_backend(M, backend, dtype):
    for D in DIVERGENCES.values():
        assert_same_numbers(M, D, backend, dtype)


def assert_same_numbers(M, D, backend, dtype):
    p, q = points(M, (3,))
    expected = D(M, p, q)
    found = backend.check(D(M, backend.make(p, dtype), backend.make(q, dtype)), dtype)
    finite = np.isfinite(expected)
    assert np.array_equal(np.isinf(found), ~finite)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e4 * np.finfo(dtype).eps)


@every_manifold
def test_batches(M):
    p, q = points(M, (2, 3))
    for name, D in DIVERGENCES.items():
        whole = D(M, p, q)
        rows = np.stack([np.stack([D(M, p[i, j], q[i, j]) for j in range(3)]) for i in range(2)])
        assert whole.shape == (2, 3)
        np.testing.assert_allclose(whole, rows, rtol=1e-10, err_msg=name)
        once = np.stack([D(M, p[i, 0], q[0]) for i in range(2)])
        np.testing.assert_allclose(D(M, p[:, :1], q[0]), once, rtol=1e-10, err_msg=name)
        assert D(M, p[:0], q[:0]).shape == (0, 3)


@every_manifold
def test_a_skew_for_each_row(M):
    p, q = points(M, (3,))
    s = np.array([0.0, 0.3, 1.0])
    for D in jensen_bregman, renyi, tsallis, alpha_divergence:
        np.testing.assert_allclose(D(M, p, q, s), np.stack([D(M, p[i], q[i], s[i]) for i in range(3)]), rtol=1e-12)
        assert D(M, p, q, s[:, None]).shape == (3, 3)


@every_dtype
@pytest.mark.parametrize("D", [jensen_shannon, total_variation])
def test_sums_and_integrals_on_every_backend(D, backend, dtype):
    for M, over in ((ig.Categorical(3), None), (ig.Normal(), Quadrature(nodes=201)),
                    (ig.MultivariateNormal(2), States(np.zeros((1, 2)))),
                    (ig.MultivariateNormal(2), MonteCarlo(np.random.default_rng(5), 50))):
        p, q = points(M, (3,))
        value, error = (backend.check(x, dtype) for x in D(M, backend.make(p, dtype), backend.make(q, dtype), over))
        assert value.shape == error.shape == (3,)
        if isinstance(over, MonteCarlo):
            over = MonteCarlo(np.random.default_rng(5), 50)
        expected, its_error = D(M, p, q, over)
        np.testing.assert_allclose(value, expected, rtol=2e4 * np.finfo(dtype).eps)
        np.testing.assert_allclose(error, its_error, rtol=2e4 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


def test_integrals_of_batches_are_rows():
    M, over = ig.Normal(), Quadrature(nodes=201)
    p, q = points(M, (2, 3))
    whole = f_divergence(M, p[:, :1], q, np.square, over)
    for i in range(2):
        for j in range(3):
            np.testing.assert_allclose(whole.value[i, j], f_divergence(M, p[i, 0], q[i, j], np.square, over).value, rtol=1e-13)
