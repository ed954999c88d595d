"""References for families of counts: derivatives of the log-partition in 50 digits, sums over the support, chi-square tests."""
from itertools import combinations_with_replacement, permutations

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

from ..references import kept
from .positive_helpers import exact_kl


def derivatives(psi, theta, order):
    """All derivatives of one order of ψ at θ, mpmath numbers in an object array."""
    out = np.empty((len(theta),) * order, dtype=object)
    for indices in combinations_with_replacement(range(len(theta)), order):
        value = mp.diff(lambda *t: psi(list(t)), tuple(theta), tuple(indices.count(i) for i in range(len(theta))))
        for permuted in set(permutations(indices)):
            out[permuted] = value
    return out


@kept
def closed_forms(psi, theta):
    """All of ψ, η, metric, cubic tensor, φ and the inverse metric, one after the other."""
    with mp.workdps(50):
        point = [mp.mpf(float(t)) for t in theta]
        value = psi(point)
        eta, metric, cubic = (derivatives(psi, point, order) for order in (1, 2, 3))
        phi = sum(t * e for t, e in zip(point, eta)) - value
        inverse = mp.matrix(metric.tolist())**-1
        return [float(x) for x in (value, *eta, *metric.ravel(), *cubic.ravel(), phi, *inverse)]


def check_closed_forms(family, psi, theta, rtol=1e-13):
    """ψ, η, metric, cubic tensor, φ and both inverse metrics against ψ in 50 digits; the round trip to 10 ε cond."""
    theta = np.asarray(theta, dtype=float)
    d = theta.size
    parts = np.split(closed_forms(psi, theta), np.cumsum([1, d, d**2, d**3, 1]))
    (value,), eta, metric, cubic, (phi,), inverse = (part.reshape(shape) for part, shape in zip(
        parts, ((1,), (d,), (d, d), (d, d, d), (1,), (d, d))))
    near = lambda own, exact: np.testing.assert_allclose(own, exact, rtol=rtol, atol=rtol * np.abs(exact).max())
    near(family.potential(theta), value)
    near(family.to_eta(theta), eta)
    near(family.metric(theta), metric)
    near(family.cubic_tensor(theta), cubic)
    near(family.dual_potential(family.to_eta(theta)), phi)
    cond = np.linalg.cond(metric)
    vector = np.arange(1.0, 1.0 + family.dim)
    dual = family.dual_metric(family.to_eta(theta))
    np.testing.assert_allclose(dual, inverse, rtol=1e-12, atol=1e-14 * cond * abs(inverse).max())
    np.testing.assert_allclose(family.sharp(theta, metric @ vector), vector, rtol=1e-12, atol=1e-14 * cond)
    np.testing.assert_allclose(family.to_theta(eta), theta, rtol=1e-13, atol=10 * 2.2e-16 * cond * abs(theta).max())


def check_kl(family, psi, theta_p, theta_q, rtol=1e-12, dps=80):
    """ψ(θ_q) − ψ(θ_p) − (θ_q − θ_p)·∇ψ(θ_p)."""
    exact = exact_kl(psi, np.asarray(theta_p, dtype=float), np.asarray(theta_q, dtype=float), dps)
    np.testing.assert_allclose(family.kl(theta_p, theta_q), exact, rtol=rtol)


def exact_log_mass(log_mass, points, dps=50):
    """log p of the points, from a function in extended precision."""
    with mp.workdps(dps):
        return [float(log_mass(mp.mpf(float(x)))) for x in points]


def surprise(log_mass, points):
    """−Σ p log p over the points, from log p in extended precision."""
    with mp.workdps(50):
        values = [log_mass(mp.mpf(x)) for x in points]
        return float(-sum(mp.exp(v) * v for v in values))


def check_sampler(family, theta, size=20000, seed=5):
    """Chi-square of a sample against the density, outcomes with an expectation below 10 put together."""
    x = family.sample(np.random.default_rng(seed), theta, size)
    assert x.shape == (size,) and np.all(family.support.contains(x))
    lowest = family.support.lower
    points = np.arange(float(lowest), min(np.quantile(x, 0.999), 4000.0) + 1.0)
    expected = size * np.exp(family.log_density(theta, points))
    counts = np.array([np.sum(x == point) for point in points])
    kept = expected > 10.0
    observed = np.append(counts[kept], size - counts[kept].sum())
    expected = np.append(expected[kept], size - expected[kept].sum())
    if expected[-1] < 5.0:
        observed, expected = np.append(observed[:-2], observed[-2:].sum()), np.append(expected[:-2], expected[-2:].sum())
    assert len(expected) > 1
    assert scipy.stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4


def check_parameters(family, **ordinary):
    """`parameters` is the inverse of `theta_from`, and a value outside its domain is refused by name."""
    theta = family.theta_from(**ordinary)
    for name, value in family.parameters(theta).items():
        np.testing.assert_allclose(value, ordinary[name], rtol=1e-14)
    name = next(iter(ordinary))
    with pytest.raises(ig.DomainError, match=f"{name} must satisfy .*{name}"):
        family.theta_from(**(ordinary | {name: -np.abs(np.asarray(ordinary[name]))}))
