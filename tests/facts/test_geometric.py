"""Geometric and negative binomial: closed forms to both ends, densities without cancellation, entropies, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.geometric import Geometric, NegativeBinomial

from .counts_helpers import check_closed_forms, check_kl, check_parameters, check_sampler, exact_log_mass, surprise

THETAS = [-1e-12, -1e-3, -0.4, -1.0, -5.0, -40.0]


def psi(r=1):
    return lambda t: -r * mp.log(-mp.expm1(t[0]))


def log_mass(r, theta):
    with mp.workdps(50):
        theta, r = mp.mpf(float(theta)), mp.mpf(r)
        log_p = mp.log(-mp.expm1(theta))
        return lambda x: mp.loggamma(x + r) - mp.loggamma(r) - mp.loggamma(x + 1) + x * theta + r * log_p


@pytest.mark.parametrize("theta", [-1e-3, -0.4, -1.0, -5.0])
def test_closed_forms(theta):
    check_closed_forms(Geometric(), psi(), [theta])
    check_closed_forms(NegativeBinomial(2.5), psi(2.5), [theta])


@pytest.mark.parametrize("theta", [-1e-100, -1e-9, -600.0])
def test_closed_forms_at_the_ends(theta):
    """η → 1/|θ| and ψ → −log |θ| for θ → 0; ψ → e^θ for θ → −∞: each to a relative 1e-14."""
    with mp.workdps(600):
        q = mp.exp(mp.mpf(theta))
        exact = [float(v) for v in (-mp.log1p(-q), q / (1 - q), q / (1 - q)**2, q * (1 + q) / (1 - q)**3)]
    M, at = Geometric(), [theta]
    own = [M.potential(at), M.to_eta(at)[0], M.metric(at)[0, 0], M.cubic_tensor(at)[0, 0, 0]]
    np.testing.assert_allclose(own, exact, rtol=1e-14)
    np.testing.assert_allclose(M.to_theta(M.to_eta(at)), at, rtol=1e-15)


@pytest.mark.parametrize("p", THETAS)
@pytest.mark.parametrize("ratio", [1 + 1e-10, 1.3, 2.5, 0.01])
def test_kl(p, ratio):
    check_kl(Geometric(), psi(), [p], [p * ratio], dps=250)
    check_kl(NegativeBinomial(0.2), psi(mp.mpf(0.2)), [p], [p * ratio], dps=250)


@pytest.mark.parametrize("r", [1e-3, 0.5, 1.0, 30.0, 1e6])
@pytest.mark.parametrize("theta", [-1e-6, -0.4, -30.0])
def test_log_density(r, theta):
    eta = float(NegativeBinomial(r).to_eta([theta])[0])
    width = np.sqrt(eta * (1 + eta / r))
    x = np.unique(np.maximum(np.rint(eta + width * np.array([-3.0, -1.0, 0.0, 1.0, 6.0])), 0))
    exact = exact_log_mass(log_mass(r, theta), x)
    np.testing.assert_allclose(NegativeBinomial(r).log_density([theta], x), exact, rtol=3e-14, atol=1e-14)


def test_against_scipy():
    p, x = np.array([0.05, 0.5, 0.99]), np.arange(40.0)[:, None]
    geometric = Geometric().theta_from(probability=p)
    np.testing.assert_allclose(Geometric().log_density(geometric, x), scipy.stats.geom(p, loc=-1).logpmf(x), rtol=1e-12)
    np.testing.assert_allclose(Geometric().entropy(geometric), scipy.stats.geom(p).entropy(), rtol=1e-9)
    family = NegativeBinomial(3.5)
    np.testing.assert_allclose(family.log_density(geometric, x), scipy.stats.nbinom(3.5, p).logpmf(x), rtol=1e-12)
    gammaln, x = scipy.special.gammaln, x[:, 0]
    log_h = gammaln(x + 3.5) - gammaln(3.5) - gammaln(x + 1)
    np.testing.assert_allclose(family.log_base_measure(x), log_h, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("r, theta, terms", [
    (1.0, -0.3, 400), (0.4, -0.05, 2500), (7.0, -0.05, 3500), (7.0, -60.0, 9), (1e-5, -3.0, 60), (1e-9, -30.0, 9),
    (500.0, -2.0, 400)])
def test_entropy_by_direct_summation(r, theta, terms):
    np.testing.assert_allclose(NegativeBinomial(r).entropy([theta]), surprise(log_mass(r, theta), range(terms)), rtol=3e-14)


def test_entropy_of_one_success_is_the_geometric_one():
    theta = np.array([[-1e-12], [-1e-5], [-0.3], [-4.0], [-50.0]])
    np.testing.assert_allclose(NegativeBinomial(1).entropy(theta), Geometric().entropy(theta), rtol=3e-14)
    np.testing.assert_allclose(Geometric().entropy(theta), -Geometric().dual_potential(Geometric().to_eta(theta)), rtol=1e-14)


@pytest.mark.parametrize("r, theta", [(1.0, -0.05), (1.0, -3.0), (0.3, -0.2), (20.0, -1.0)])
def test_samples_have_the_density(r, theta):
    check_sampler(NegativeBinomial(r), np.array([theta]))
    check_sampler(Geometric(), np.array([theta]))


def test_fit():
    """p = r / (r + mean)."""
    np.testing.assert_allclose(Geometric().parameters(Geometric().fit([0, 1, 5]))["probability"], 1 / 3, rtol=1e-14)
    family = NegativeBinomial(4)
    np.testing.assert_allclose(family.parameters(family.fit([0, 1, 5]))["probability"], 4 / 6, rtol=1e-14)


def test_parameters_and_errors():
    check_parameters(Geometric(), probability=np.array([1e-12, 0.5, 0.999]))
    check_parameters(NegativeBinomial(2.5), probability=0.3)
    for r in (0, -1.0, np.inf, np.nan, "2"):
        with pytest.raises(ValueError, match="r must satisfy r > 0"):
            NegativeBinomial(r)
    with pytest.raises(ig.DomainError, match="does not exist"):
        Geometric().fit([0, 0])
    assert np.isnan(Geometric().to_theta([-0.5])) and np.isnan(Geometric().to_eta([0.5]))


@pytest.mark.parametrize("mean", [1e-300, 54.598150033144236, 1e300])
@pytest.mark.parametrize("r", [1e-300, 2.5, 6e16, 1e300])
def test_theta_from_the_mean(r, mean):
    """θ = −log(1 + r / mean), where 1 − p may be far below the rounding of p."""
    with mp.workdps(400):
        exact = float(-mp.log1p(mp.mpf(r) / mp.mpf(mean)))
    family = NegativeBinomial(r)
    if exact == 0:
        with pytest.raises(ig.DomainError, match="overflows the natural parameter"):
            family.theta_from(mean=mean)
        return
    np.testing.assert_allclose(family.theta_from(mean=[mean]), [[exact]], rtol=1e-15)


def test_many_successes_are_a_poisson_law():
    family, mean = NegativeBinomial(6e16), np.exp(4.0)
    theta = family.theta_from(mean=mean)
    np.testing.assert_allclose(family.log_density(theta, 39.0), -5.229910293787664, rtol=1e-14)
    np.testing.assert_allclose(family.entropy(theta), ig.Poisson().entropy([4.0]), rtol=1e-14)
    assert family.theta_from(mean=0.0, boundary=True)[0] == -np.inf
    with pytest.raises(ig.DomainError, match="mean must satisfy mean > 0"):
        family.theta_from(mean=0.0)
    with pytest.raises(TypeError, match="takes either the mean or the probability; got mean, probability"):
        family.theta_from(mean=1.0, probability=0.5)


@pytest.mark.parametrize("theta", [-1e-10, -1.0, -600.0])
def test_entropy_near_the_normal_law(theta):
    """Sums and the expansion agree at the seam r q = 10¹⁰; far beyond it the sums were NaN, or wrong."""
    q = np.exp(theta)
    below, above = (NegativeBinomial(1e10 / q * (1 + sign * 1e-13)).entropy([theta]) for sign in (-1.0, 1.0))
    np.testing.assert_allclose(below, above, rtol=1e-12)
    # h = ½ log(2πe v) where the skewness is nothing
    np.testing.assert_allclose(NegativeBinomial(1e300).entropy([theta]),
                               0.5 * (np.log(2 * np.pi * np.e * 1e300) + theta) - np.log(-np.expm1(theta)), rtol=1e-14)
