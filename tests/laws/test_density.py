"""Densities: they integrate to one, and entropy and divergence are their integrals; θ·T − ψ + log h is what they are."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import infogeo as ig
from infogeo.domain import SimplexPoints

from ..registry import FAMILIES, every_family, region
from ..strategies import bulk


def nodes(M, x):
    """Points of the support and the logarithms of their weights: integrals over it become sums.

    Integers are counted. Elsewhere the trapezoidal rule in unconstrained coordinates u, which converges exponentially; it covers
    the mean of a sample x and 16 standard deviations to each side.
    """
    if isinstance(M.support, ig.Integers):
        upper = M.support.upper if np.isfinite(M.support.upper) else np.max(x) + 200
        points = np.arange(M.support.lower, upper + 1.0)
        return points, np.zeros(points.shape)
    positive = isinstance(M.support, ig.Interval) and M.support.lower == 0
    simplex = isinstance(M.support, SimplexPoints)
    u = np.log(x) if positive else np.log(x[:, :-1] / x[:, -1:]) if simplex else x
    u = u.reshape(len(x), -1)
    dim = u.shape[1]
    axes = [np.linspace(m - 16 * s, m + 16 * s, {1: 4001, 2: 601, 3: 81}[dim]) for m, s in zip(u.mean(0), u.std(0))]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim)
    log_weight = np.full(len(grid), sum(np.log(a[1] - a[0]) for a in axes))
    if positive:                                    # dx = x du
        return np.exp(grid[:, 0]), log_weight + grid[:, 0]
    if simplex:                                     # dx_1 … dx_{k−1} = x_1 … x_k du
        full = np.concatenate([grid, np.zeros((len(grid), 1))], axis=-1)
        log_p = full - np.logaddexp.reduce(full, axis=-1)[:, None]
        return np.exp(log_p), log_weight + np.sum(log_p, axis=-1)
    return (grid[:, 0] if M.support.shape == () else grid), log_weight


def dimension(M):
    """Of the set that a density is integrated over."""
    if isinstance(M.support, SimplexPoints):
        return M.support.k - 1
    return M.support.dim if isinstance(M.support, ig.RealSpace) else 1


@pytest.mark.parametrize("M", [M for M in FAMILIES.values() if dimension(M) <= 3], ids=repr)
def test_integrals(M):
    rng = np.random.default_rng(111)
    theta, other = region(M).sample(rng, (), 0.2), region(M).sample(rng, (), 0.2)
    x, log_weight = nodes(M, M.sample(rng, theta, 2000))
    inside = M.support.contains(x)                  # far out on the simplex a coordinate may underflow or the sum be rounded
    x, log_weight = x[inside], log_weight[inside]
    log_p, log_q = M.log_density(theta, x), M.log_density(other, x)
    mass = np.exp(log_p + log_weight)
    assert np.isclose(np.sum(mass), 1.0, rtol=1e-7)
    assert np.isclose(-np.sum(mass * log_p), M.entropy(theta), rtol=1e-6, atol=1e-6)
    assert np.isclose(np.sum(mass * (log_p - log_q)), M.kl(theta, other), rtol=1e-6, atol=1e-6)
    assert np.allclose(mass @ M.sufficient_statistic(x), M.to_eta(theta), rtol=1e-6, atol=1e-6)


@every_family
@given(data=st.data())
def test_exponential_form(M, data):
    """log p = θ·T(x) − ψ(θ) + log h(x), with the batches of θ and x broadcast."""
    theta = data.draw(bulk(M, (3,)))
    x = M.sample(np.random.default_rng(112), theta, 4)
    terms = [theta * M.sufficient_statistic(x), M.log_partition(theta), M.log_base_measure(x)]
    size = 1 + np.sum(np.abs(terms[0]), axis=-1) + np.abs(terms[1]) + np.abs(terms[2])
    density = M.log_density(theta, x)
    assert density.shape == (4, 3)
    assert np.all(np.abs(density - (np.sum(terms[0], axis=-1) - terms[1] + terms[2])) <= 1e-13 * size)
    assert np.array_equal(density[1], M.log_density(theta, x[1]))


@every_family
def test_outside_the_support(M):
    """−∞ there, and only there; a NaN lies outside."""
    theta = region(M).sample(np.random.default_rng(113), (), 0.3)
    x = M.sample(np.random.default_rng(114), theta, 3)
    places = [np.full(M.support.shape, value) for value in (np.nan, np.inf, -np.inf, -1.0, 0.3)]
    for bad in (place for place in places if not M.support.contains(place)):
        density = M.log_density(theta, np.stack([x[0], bad, x[2]]))
        assert density[1] == -np.inf
        assert np.array_equal(density[[0, 2]], M.log_density(theta, x[[0, 2]]))
