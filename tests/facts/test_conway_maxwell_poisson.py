"""Conway–Maxwell–Poisson: sums over the support in 40 digits, the limits (Poisson, geometric, Bernoulli), inversion, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.families.conway_maxwell_poisson import ConwayMaxwellPoisson
from infogeo.families.conway_maxwell_poisson_sums import mean_bounds
from infogeo.families.geometric import Geometric

from ..references import kept
from .counts_helpers import check_parameters, check_sampler

FAMILY = ConwayMaxwellPoisson()
# (log λ, ν, first and last outcome that has any mass)
POINTS = [(-18.0, 1.0, 0, 12), (-0.7, 0.3, 0, 250), (0.0, 1.0, 0, 50), (0.4, 1.5, 0, 40), (3.5, 1.3, 0, 120), (1.6, 10.0, 0, 20),
          (60.0, 80.0, 0, 12), (3.7, 1.0, 0, 400), (-0.03, 0.01, 0, 2500), (2.0, 0.5, 0, 500), (0.35, 0.1, 0, 600),
          (8.0, 1.0, 2500, 3500), (13.8, 2.0, 700, 1300)]
every_point = pytest.mark.parametrize("log_rate, nu, first, last", POINTS, ids=lambda v: f"{v:g}")


def outcomes(log_rate, nu, first, last):
    """(x, log x!, unnormalised log p) in extended precision."""
    log_rate, nu = mp.mpf(log_rate), mp.mpf(nu)
    log_factorial, rows = mp.loggamma(first + 1), []
    for x in range(first, last + 1):
        log_factorial += mp.log(x) if x > first else 0
        rows.append((x, log_factorial, x * log_rate - nu * log_factorial))
    return rows


@kept
def closed_forms(log_rate, nu, first, last):
    """ψ, η, the entropy, the metric, its inverse, the cubic tensor and eight log-probabilities, one after the other."""
    with mp.workdps(40):
        rows = outcomes(log_rate, nu, first, last)
        top = max(r[2] for r in rows)
        weight = [mp.exp(r[2] - top) for r in rows]
        total = sum(weight)
        psi = top + mp.log(total)
        eta = [sum(w * r[i] for w, r in zip(weight, rows)) / total for i in range(2)]
        central = lambda i, j: float(sum(w * (r[0] - eta[0])**i * (r[1] - eta[1])**j for w, r in zip(weight, rows)) / total)
        metric = np.array([[central(2, 0), central(1, 1)], [central(1, 1), central(0, 2)]])
        cubic = [central(3 - j, j) for j in range(4)]
        entropy = psi - mp.mpf(log_rate) * eta[0] + mp.mpf(nu) * eta[1]
        inverse = mp.matrix(metric.tolist())**-1
        log_p = [r[2] - psi for r in some(rows)]
        return [float(x) for x in (psi, *eta, entropy, *metric.ravel(), *inverse, *cubic, *log_p)]


def some(rows):
    return rows[::max(1, len(rows) // 7)]


@every_point
def test_closed_forms(log_rate, nu, first, last):
    theta = np.array([log_rate, -nu])
    parts = np.split(closed_forms(log_rate, nu, first, last), [1, 3, 4, 8, 12, 16])
    (psi,), eta, (entropy,), metric, inverse, cubic, log_p = parts
    metric, inverse = metric.reshape(2, 2), inverse.reshape(2, 2)
    np.testing.assert_allclose(FAMILY.potential(theta), psi, rtol=3e-14)
    np.testing.assert_allclose(FAMILY.to_eta(theta), eta, rtol=3e-14)
    np.testing.assert_allclose(FAMILY.metric(theta), metric, rtol=3e-14)
    tensor = FAMILY.cubic_tensor(theta)
    np.testing.assert_allclose([tensor[0, 0, 0], tensor[0, 0, 1], tensor[0, 1, 1], tensor[1, 1, 1]], cubic, rtol=2e-13)
    np.testing.assert_allclose(FAMILY.entropy(theta), entropy, rtol=3e-14)
    np.testing.assert_allclose(FAMILY.dual_potential(FAMILY.to_eta(theta)), -entropy, rtol=1e-9)
    x = np.array(some(range(first, last + 1)), dtype=float)
    np.testing.assert_allclose(FAMILY.log_density(theta, x), log_p, rtol=1e-13, atol=1e-13)
    cond = np.linalg.cond(metric)
    back = FAMILY.to_theta(np.array(eta))
    np.testing.assert_allclose(back, theta, rtol=1e-12, atol=10 * 2.2e-16 * cond * np.abs(theta).max())
    np.testing.assert_allclose(FAMILY.to_eta(back), eta, rtol=1e-13)
    unit = np.sqrt(np.diagonal(inverse))        # in the units of the dual metric, where entries differ by orders of magnitude
    dual = FAMILY.dual_metric(FAMILY.to_eta(theta)) / unit[:, None] / unit
    np.testing.assert_allclose(dual, inverse / unit[:, None] / unit, atol=1e-12 * max(1e2, cond * 1e-2))
    vector = np.array([1.0, -2.0])
    np.testing.assert_allclose(FAMILY.flat(theta, FAMILY.sharp(theta, vector)), vector, atol=1e-14 * max(cond, 10.0))


def psi_of(rows):
    with mp.workdps(40):
        top = max(r[2] for r in rows)
        return top + mp.log(sum(mp.exp(r[2] - top) for r in rows))


@pytest.mark.parametrize("rate", [1e-5, 0.3, 1.99, 2.01, 40.0, 300.0, 1e6, 1e12, 1e40, 1e140])
def test_dispersion_one_is_poisson(rate):
    theta, poisson = np.array([np.log(rate), -1.0]), ig.Poisson()
    at = theta[:1]
    np.testing.assert_allclose(FAMILY.potential(theta), poisson.potential(at), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[0], poisson.to_eta(at)[0], rtol=1e-13)
    np.testing.assert_allclose(FAMILY.metric(theta)[0, 0], poisson.metric(at)[0, 0], rtol=1e-12)
    np.testing.assert_allclose(FAMILY.entropy(theta), poisson.entropy(at), rtol=2e-13)
    for other in (1 + 1e-9, 1.001, 2.0):
        q = np.array([np.log(rate * other), -1.0])
        np.testing.assert_allclose(FAMILY.kl(theta, q), poisson.kl(at, q[:1]), rtol=1e-11)


@pytest.mark.parametrize("log_rate", [-1e-3, -0.5, -20.0])
def test_small_dispersion_is_geometric(log_rate):
    theta, geometric = np.array([log_rate, -1e-15]), Geometric()
    np.testing.assert_allclose(FAMILY.potential(theta), geometric.potential(theta[:1]), rtol=1e-10)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[0], geometric.to_eta(theta[:1])[0], rtol=1e-10)
    np.testing.assert_allclose(FAMILY.entropy(theta), geometric.entropy(theta[:1]), rtol=1e-10)


def test_large_dispersion_is_bernoulli():
    theta, bernoulli = np.array([[0.7, -500.0], [-9.0, -500.0]]), ig.Bernoulli()
    np.testing.assert_allclose(FAMILY.potential(theta), bernoulli.potential(theta[:, :1]), rtol=1e-14)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[:, 0], bernoulli.to_eta(theta[:, :1])[:, 0], rtol=1e-14)
    np.testing.assert_allclose(FAMILY.entropy(theta), bernoulli.entropy(theta[:, :1]), rtol=1e-14)


@kept
def exact_kl(p, q, last):
    with mp.workdps(60):
        rows_p, rows_q = (outcomes(theta[0], -theta[1], 0, last) for theta in (p, q))
        psi_p, psi_q = psi_of(rows_p), psi_of(rows_q)
        return float(sum(mp.exp(a[2] - psi_p) * ((a[2] - psi_p) - (b[2] - psi_q)) for a, b in zip(rows_p, rows_q)))


@pytest.mark.parametrize("log_rate, nu, last", [(-2.0, 1.5, 40), (0.5, 0.4, 300), (2.0, 0.5, 600), (5.0, 1.1, 400)])
@pytest.mark.parametrize("step", [1e-1, 1e-4, 1e-10])
def test_kl(log_rate, nu, last, step):
    p, q = np.array([log_rate, -nu]), np.array([log_rate + step, -nu * (1 + 0.3 * step)])
    np.testing.assert_allclose(FAMILY.kl(p, q), exact_kl(p, q, last), rtol=1e-12 if step > 1e-6 else 1e-9)


def test_kl_of_far_points():
    """Against the sum of p log(p / q) over the densities."""
    theta = np.array([[-3.0, -2.0], [0.1, -0.3], [4.0, -1.2], [1.0, -0.25], [-0.05, -0.01]])
    x = np.arange(4000.0)
    for p in theta:
        log_p = FAMILY.log_density(p, x)
        for q in theta:
            expected = np.sum(np.exp(log_p) * (log_p - FAMILY.log_density(q, x)))
            np.testing.assert_allclose(FAMILY.kl(p, q), expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("mean", [0.01, 0.3, 0.47, 1.0, 2.2653, 10.5, 300.0])
def test_inversion_between_the_bounds(mean):
    """From within 1e-6 of the least E[log X!] of this mean to within 1e-6 of that of the geometric distribution."""
    chain, geometric = (float(b) for b in mean_bounds(NUMPY, np.array(mean)))
    eta = np.array([[mean, chain + f * (geometric - chain)] for f in (1e-6, 0.01, 0.03, 0.3, 0.7, 0.99, 1 - 1e-6)])
    theta = FAMILY.to_theta(eta)
    np.testing.assert_allclose(FAMILY.to_eta(theta), eta, rtol=1e-13)
    assert np.all(np.diff(theta[:, 1]) > 0)         # wider and wider
    outside = np.array([[mean, chain - 1e-3], [mean, geometric * 1.001], [-mean, 0.1]])
    assert np.all(np.isnan(FAMILY.to_theta(outside))) and not FAMILY.eta_domain.contains(outside).any()


def test_beyond_the_largest_number():
    """λ^{1/ν} = e^{10⁴}: ψ and η are inf, the entropy ½ log(2πe μ / ν) is not."""
    theta = np.array([[10.0, -1e-3], [1.0, -1.0]])
    np.testing.assert_array_equal(np.isinf(FAMILY.potential(theta)), [True, False])
    np.testing.assert_array_equal(np.isinf(FAMILY.to_eta(theta)), [[True, True], [False, False]])
    np.testing.assert_allclose(FAMILY.entropy(theta[0]), 0.5 * (np.log(2 * np.pi * np.e * 1e3) + 1e4), rtol=1e-14)


@pytest.mark.parametrize("rate, nu", [(0.4, 0.5), (1.5, 1.0), (0.95, 0.02), (50.0, 1.2), (9.0, 3.0)])
def test_samples_have_the_density(rate, nu):
    check_sampler(FAMILY, FAMILY.theta_from(rate=rate, dispersion=nu))


def test_samples_of_a_large_mode_are_near_normal():
    theta = FAMILY.theta_from(rate=1e6, dispersion=1.0)
    x = FAMILY.sample(np.random.default_rng(7), theta, 20000)
    assert scipy.stats.kstest((x - 1e6) / 1e3, "norm").pvalue > 1e-4


def test_fit_parameters_and_errors():
    check_parameters(FAMILY, rate=np.array([1e-5, 3.0]), dispersion=np.array([0.2, 4.0]))
    x = [0, 1, 1, 2, 2, 2, 3, 3, 4, 6]
    theta = FAMILY.fit(x)
    mean = FAMILY.sufficient_statistic(np.array(x, dtype=float)).mean(axis=0)
    np.testing.assert_allclose(FAMILY.to_eta(theta), mean, rtol=1e-13)
    with pytest.raises(ig.DomainError, match="does not exist"):
        FAMILY.fit([2, 2, 3])                       # on the chain: only two neighbours
    with pytest.raises(ig.DomainError, match="does not exist"):
        FAMILY.fit([0, 0, 0, 0, 0, 0, 0, 40])       # wider than a geometric distribution
    assert np.all(np.isnan(FAMILY.to_eta([0.5, 0.1])))
