"""Every family's closed forms against its log-partition function in 50 digits (mpmath) and against SciPy's distributions.

The reference knows only ψ. Its derivatives are taken numerically with 50 digits, so it shares no formula with the library.
"""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

from .positive_helpers import DIGITS, derivatives, dual_potential, exact_kl, inverse_metric, to_mp


def normal(t):
    return -t[0]**2 / (4 * t[1]) - mp.log(-2 * t[1]) / 2


def dirichlet(t):
    return sum(mp.loggamma(a) for a in t) - mp.loggamma(sum(t))


def bivariate_normal(t):
    """½ hᵀΛ⁻¹h − ½ log det Λ with Λ = −2M and M = [[t₂, t₃/√2], [t₃/√2, t₄]]."""
    a, b, c = -2 * t[2], -mp.sqrt(2) * t[3], -2 * t[4]
    det = a * c - b * b
    return (c * t[0]**2 - 2 * b * t[0] * t[1] + a * t[1]**2) / (2 * det) - mp.log(det) / 2


def multivariate_theta(mean, covariance):
    return ig.MultivariateNormal(2).theta_from(mean=mean, covariance=covariance)


# name: (family, ψ of a list of mpmath numbers, points of the bulk)
CASES = {
    "Bernoulli": (ig.Bernoulli(), lambda t: mp.log(1 + mp.exp(t[0])), [[-3.0], [0.3], [2.5]]),
    "Categorical": (ig.Categorical(4), lambda t: mp.log(1 + sum(mp.exp(x) for x in t)),
                    [[0.2, -1.0, 0.7], [3.0, -2.0, 1.0], [-2.0, -2.5, 0.1]]),
    "Poisson": (ig.Poisson(), lambda t: mp.exp(t[0]), [[-2.0], [0.1], [3.5]]),
    "Exponential": (ig.Exponential(), lambda t: -mp.log(-t[0]), [[-0.02], [-1.0], [-7.5]]),
    "Normal": (ig.Normal(), normal, [[0.0, -0.5], [0.25, -0.125], [-3.0, -2.0]]),
    "Gamma": (ig.Gamma(), lambda t: mp.loggamma(t[0]) - t[0] * mp.log(-t[1]), [[2.0, -1.0], [0.3, -4.0], [25.0, -0.1]]),
    "Dirichlet": (ig.Dirichlet(3), dirichlet, [[1.0, 2.0, 3.0], [0.2, 0.7, 0.4], [30.0, 8.0, 2.0]]),
    "MultivariateNormal": (ig.MultivariateNormal(2), bivariate_normal,
                           [multivariate_theta([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]),
                            multivariate_theta([1.0, -2.0], [[2.0, 0.6], [0.6, 0.5]])]),
}
POINTS = [pytest.param(family, psi, np.array(point), id=f"{name}-{i}")
          for name, (family, psi, points) in CASES.items() for i, point in enumerate(points)]
PAIRS = [pytest.param(family, psi, np.array(p), np.array(q), id=f"{name}-{i}{j}")
         for name, (family, psi, points) in CASES.items()
         for i, p in enumerate(points) for j, q in enumerate(points) if i != j]


@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_potential(family, psi, theta):
    with mp.workdps(DIGITS):
        expected = float(psi(to_mp(theta)))
    np.testing.assert_allclose(family.potential(theta), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(family.log_partition(theta), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_eta_and_its_inverse_and_the_dual_potential(family, psi, theta):
    eta, phi = derivatives(psi, theta, 1), dual_potential(psi, theta)
    np.testing.assert_allclose(family.to_eta(theta), eta, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(family.to_theta(eta), theta, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(family.dual_potential(eta), phi, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_metric_and_dual_metric(family, psi, theta):
    metric, inverse = derivatives(psi, theta, 2), inverse_metric(psi, theta)
    np.testing.assert_allclose(family.metric(theta), metric, rtol=1e-12, atol=1e-14 * abs(metric).max())
    np.testing.assert_allclose(family.dual_metric(family.to_eta(theta)), inverse, rtol=1e-11, atol=1e-12 * abs(inverse).max())


@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_raising_and_lowering_indices(family, psi, theta):
    """G v and G⁻¹ c in either chart, against the 50-digit metric."""
    metric = derivatives(psi, theta, 2)
    eta, v = family.to_eta(theta), np.array([1.0, -2.0, 0.5, 3.0, -0.7])[:family.dim]
    lowered, raised = metric @ v, np.linalg.solve(metric, v)
    rounding = 1e-12 * np.linalg.cond(metric)
    for result, expected in [(family.flat(theta, v), lowered), (family.dual_sharp(eta, v), lowered),
                             (family.sharp(theta, v), raised), (family.dual_flat(eta, v), raised)]:
        np.testing.assert_allclose(result, expected, rtol=1e-11, atol=rounding * abs(expected).max())


@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_cubic_tensor(family, psi, theta):
    expected = derivatives(psi, theta, 3)
    np.testing.assert_allclose(family.cubic_tensor(theta), expected, rtol=1e-12, atol=1e-13 * abs(expected).max())


@pytest.mark.parametrize("family, psi, theta_p, theta_q", PAIRS)
def test_kl_of_far_points(family, psi, theta_p, theta_q):
    np.testing.assert_allclose(family.kl(theta_p, theta_q), exact_kl(psi, theta_p, theta_q), rtol=1e-12)


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("family, psi, theta", POINTS)
def test_kl_of_near_points(family, psi, theta, step):
    """Relative steps down to 1e-9, where ψ(θ_q) − ψ(θ_p) − (θ_q − θ_p)·η_p has no digit left (KL of 1e-18)."""
    direction = np.array([1.0, -0.3, 0.7, 0.2, -0.5])[:family.dim]
    theta_q = theta + step * direction * np.maximum(abs(theta), 0.1)
    np.testing.assert_allclose(family.kl(theta, theta_q), exact_kl(psi, theta, theta_q, 80), rtol=1e-11)
    np.testing.assert_allclose(family.kl(theta_q, theta), exact_kl(psi, theta_q, theta, 80), rtol=1e-11)
    np.testing.assert_array_equal(family.kl(theta, theta), 0.0)


def multivariate(theta):
    parameters = ig.MultivariateNormal(2).parameters(theta)
    return scipy.stats.multivariate_normal(parameters["mean"], parameters["covariance"])


# name: (SciPy's distribution at θ, observations of the support)
SCIPY = {
    "Bernoulli": (lambda t: scipy.stats.bernoulli(1 / (1 + np.exp(-t[0]))), [0.0, 1.0]),
    "Poisson": (lambda t: scipy.stats.poisson(np.exp(t[0])), [0.0, 1.0, 2.0, 17.0, 90.0]),
    "Exponential": (lambda t: scipy.stats.expon(scale=-1 / t[0]), [1e-6, 0.3, 5.0, 200.0]),
    "Normal": (lambda t: scipy.stats.norm(-t[0] / t[1] / 2, np.sqrt(-0.5 / t[1])), [-8.0, 0.0, 1.5, 30.0]),
    "Gamma": (lambda t: scipy.stats.gamma(t[0], scale=-1 / t[1]), [1e-6, 0.4, 3.0, 250.0]),
    "Dirichlet": (scipy.stats.dirichlet, [[0.2, 0.3, 0.5], [0.9, 0.05, 0.05], [1e-3, 1e-4, 0.9989]]),
    "MultivariateNormal": (multivariate, [[0.0, 0.0], [1.0, -2.0], [4.0, 3.0]]),
}
DISTRIBUTIONS = [pytest.param(CASES[name][0], distribution, np.array(x), np.array(theta), id=f"{name}-{i}")
                 for name, (distribution, x) in SCIPY.items() for i, theta in enumerate(CASES[name][2])]


@pytest.mark.parametrize("family, distribution, x, theta", DISTRIBUTIONS)
def test_log_density(family, distribution, x, theta):
    reference = distribution(theta)
    log_density = getattr(reference, "logpdf", None) if not hasattr(reference, "pmf") else reference.logpmf
    expected = np.array([log_density(value) for value in x])
    np.testing.assert_allclose(family.log_density(theta, x), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("family, distribution, x, theta", DISTRIBUTIONS)
def test_entropy(family, distribution, x, theta):
    np.testing.assert_allclose(family.entropy(theta), distribution(theta).entropy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["Bernoulli", "Poisson", "Exponential", "Normal", "Gamma"])
def test_cross_entropy_is_the_mean_surprise(name):
    """−E_p[log q], by SciPy's own expectation over p."""
    family, (distribution, _) = CASES[name][0], SCIPY[name]
    theta_p, theta_q = (np.array(t) for t in CASES[name][2][:2])
    p = distribution(theta_p)
    expected = -p.expect(lambda x: family.log_density(theta_q, np.asarray(x, dtype=float)))
    np.testing.assert_allclose(family.cross_entropy(theta_p, theta_q), expected, rtol=1e-7)


def test_categorical_against_its_probabilities():
    """log p, entropy −Σ p log p and KL Σ p log(p / q), for each choice of the reference outcome."""
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.1, 0.2, 0.3, 0.4])
    for reference in range(4):
        family = ig.Categorical(4, reference=reference)
        theta_p, theta_q = family.theta_from(probabilities=p), family.theta_from(probabilities=q)
        np.testing.assert_allclose(family.log_density(theta_p, np.arange(4.0)), np.log(p), rtol=1e-14)
        np.testing.assert_allclose(family.entropy(theta_p), -np.sum(p * np.log(p)), rtol=1e-14)
        np.testing.assert_allclose(family.kl(theta_p, theta_q), np.sum(p * np.log(p / q)), rtol=1e-14)


@pytest.mark.parametrize("p, dim", [(1, 2), (2, 5), (3, 9), (7, 35)])
def test_multivariate_normal_of_any_dimension(p, dim):
    """KL = ½ (tr(Σ_q⁻¹Σ_p) − p + |Δμ|²_{Σ_q⁻¹} + log det Σ_q / det Σ_p), entropy and log-density by SciPy."""
    rng = np.random.default_rng(p)
    family = ig.MultivariateNormal(p)
    assert family.dim == dim
    mean = rng.standard_normal((2, p))
    root = rng.standard_normal((2, p, p))
    covariance = root @ root.mT + np.eye(p)
    theta = family.theta_from(mean=mean, covariance=covariance)
    inverse, gap = np.linalg.inv(covariance[1]), mean[0] - mean[1]
    log_det = np.linalg.slogdet(covariance)[1]
    expected = 0.5 * (np.trace(inverse @ covariance[0]) - p + gap @ inverse @ gap + log_det[1] - log_det[0])
    np.testing.assert_allclose(family.kl(theta[0], theta[1]), expected, rtol=1e-11)
    reference = scipy.stats.multivariate_normal(mean[0], covariance[0])
    x = rng.standard_normal((6, p))
    np.testing.assert_allclose(family.log_density(theta[0], x), reference.logpdf(x), rtol=1e-11)
    np.testing.assert_allclose(family.entropy(theta[0]), reference.entropy(), rtol=1e-12)
    recovered = family.parameters(theta)
    np.testing.assert_allclose(recovered["mean"], mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(recovered["covariance"], covariance, rtol=1e-10, atol=1e-12)
