"""Sums over integers by Gauss rules: polynomials, geometric series, normal shapes of any width; binomial masses sum to one."""
import numpy as np
import pytest

from infogeo.backend import NUMPY
from infogeo.numerics.factorials import deviance, factorial_gap
from infogeo.numerics.lattice import _rules, entropy, panels


@pytest.mark.parametrize("level", range(12))
def test_rules_are_exact_for_polynomials(level):
    """Up to degree 39, or any where the rule holds all integers: Legendre polynomials, averaged over 2^j points."""
    nodes, weights = (table[level] for table in _rules())
    points = (2 * np.arange(2.0**level) + 1 - 2**level) / 2**level
    for degree in range(40):
        legendre = np.polynomial.legendre.Legendre.basis(degree)
        np.testing.assert_allclose(weights @ legendre(nodes), legendre(points).mean(), rtol=0, atol=5e-15)


def total(log_term, down, up, f=lambda t: t**0):
    down, up = np.asarray(down, dtype=float), np.asarray(up, dtype=float)
    return sum(np.sum(weight * f(t), axis=-1) for t, weight in panels(NUMPY, log_term, down, up))


@pytest.mark.parametrize("rate", [5.0, 0.3, 1e-3, 1e-9, 1e-15])
def test_geometric_series(rate):
    """Σ e^{−rt} = 1 / (1 − e^{−r}) and Σ t e^{−rt}."""
    log_term = lambda t: -rate * t
    np.testing.assert_allclose(total(log_term, 0, np.inf), -1 / np.expm1(-rate), rtol=2e-14)
    np.testing.assert_allclose(total(log_term, 0, np.inf, lambda t: t), np.exp(-rate) / np.expm1(-rate)**2, rtol=2e-14)
    np.testing.assert_allclose(entropy(NUMPY, log_term, np.array(0.0), np.array(np.inf)),
                               rate / np.expm1(rate) - np.log(-np.expm1(-rate)), rtol=2e-14)


@pytest.mark.parametrize("width", [0.4, 3.0, 40.0, 1e4, 1e9])
def test_normal_shape(width):
    """Poisson's summation formula: Σ e^{−t²/2σ²} = σ√(2π) (1 + 2e^{−2π²σ²} + …)."""
    value = total(lambda t: -0.5 * (t / width)**2, np.inf, np.inf)
    dual = 1 + 2 * sum(np.exp(-2 * (np.pi * width * k)**2) for k in (1, 2, 3))
    np.testing.assert_allclose(value, width * np.sqrt(2 * np.pi) * dual, rtol=2e-14)


@pytest.mark.parametrize("down, up", [(0, 0), (0, 3), (5, 0), (3, 40), (100, 7), (0, 1000)])
def test_finite_ranges(down, up):
    np.testing.assert_allclose(total(lambda t: 0.0 * t, down, up), down + up + 1, rtol=1e-14)
    own = total(lambda t: 0.0 * t, down, up, lambda t: t)
    np.testing.assert_allclose(own, (up - down) * (up + down + 1) / 2, rtol=1e-13, atol=1e-11)


def test_a_batch_is_its_rows():
    rate = np.array([[2.0, 1e-2], [1e-7, 0.3]])
    up = np.array([[5.0, np.inf], [np.inf, 17.0]])
    whole = total(lambda t: -rate[..., None] * t, np.zeros((2, 2)), up)
    rows = [[total(lambda t: -rate[i, j] * t, 0, up[i, j]) for j in range(2)] for i in range(2)]
    np.testing.assert_allclose(whole, rows, rtol=1e-15)


def test_factorials():
    """log x! and x log(x / m) − x + m, near and far."""
    x = np.array([0.0, 1.0, 2.0, 9.0, 10.0, 500.0])
    exact = [0.0] + [np.sum(np.log(np.arange(1.0, v + 1))) - v * np.log(v) + v for v in x[1:]]
    np.testing.assert_allclose(factorial_gap(NUMPY, x), exact, rtol=1e-12)
    mean = np.array([3.0, 1.0 + 1e-9, 2.1, 1.0, 30.0, 501.0])
    log = np.log
    expected = [3.0, 0.5e-18, 2 * log(2 / 2.1) + 0.1, 9 * log(9.0) - 8, 10 * log(1 / 3) + 20, 500 * log(500 / 501) + 1]
    np.testing.assert_allclose(deviance(NUMPY, x, mean - x, np.log(mean)), expected, rtol=2e-7)
