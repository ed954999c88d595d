"""Logarithmic series: closed forms to both ends, divergences, entropy, inversion, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.log_series import LogSeries

from .counts_helpers import check_closed_forms, check_kl, check_parameters, check_sampler

FAMILY = LogSeries()


def psi(t):
    return mp.log(-mp.log1p(-mp.exp(t[0]))) - t[0]


@pytest.mark.parametrize("p", [0.01, 0.2, 0.2999, 0.3001, 0.5, 0.9, 0.9999])
def test_closed_forms(p):
    check_closed_forms(FAMILY, psi, [np.log(p)])


@pytest.mark.parametrize("theta", [-1e-100, -1e-9, -30.0, -600.0])
def test_closed_forms_at_the_ends(theta):
    """With L = −log(1 − p) and the odds a: η = a/L − 1, ψ″ = (a/L)(1 + a − a/L)."""
    with mp.workdps(900):
        p = mp.exp(mp.mpf(theta))
        L, a = -mp.log1p(-p), p / (1 - p)
        exact = [float(mp.log(L / p)), float(a / L - 1), float(a / L * (1 + a - a / L))]
    own = [FAMILY.potential([theta]), FAMILY.to_eta([theta])[0], FAMILY.metric([theta])[0, 0]]
    np.testing.assert_allclose(own, exact, rtol=3e-14)
    np.testing.assert_allclose(FAMILY.to_theta(FAMILY.to_eta([theta])), [theta], rtol=2e-14)


@pytest.mark.parametrize("p", [-1e-12, -1e-3, -0.4, -1.1, -5.0, -40.0])
@pytest.mark.parametrize("ratio", [1 + 1e-10, 1.3, 0.49, 2.5, 0.01])
def test_kl(p, ratio):
    check_kl(FAMILY, psi, [p], [p * ratio], dps=250)


@pytest.mark.parametrize("theta, terms", [(-100.0, 6), (-3.0, 40), (-1.21, 100), (-1.2, 100), (-0.1, 1000), (-0.02, 4500)])
def test_entropy_by_direct_summation(theta, terms):
    with mp.workdps(120):
        t = mp.mpf(theta)
        log_norm = mp.log(-mp.log1p(-mp.exp(t)))
        values = [x * t - mp.log(x) - log_norm for x in range(1, terms)]
        exact = float(-sum(mp.exp(v) * v for v in values))
    np.testing.assert_allclose(FAMILY.entropy([theta]), exact, rtol=2e-14)


def test_entropy_near_the_end():
    """E[log x] by an integral, 1e-9 from the end: −log x = ∫ (e^{−x u} − e^{−u}) / u du turns the sum into logarithms."""
    theta = mp.mpf(-1e-9)
    with mp.workdps(30):
        L = -mp.log(-mp.expm1(theta))
        f = lambda u: (mp.exp(-u) + mp.log(-mp.expm1(theta - u)) / L) / u
        mean = mp.quad(f, [0] + [mp.mpf(10)**k for k in range(-14, 3)])
    np.testing.assert_allclose(FAMILY.expected_log_base_measure([-1e-9]), -float(mean), rtol=1e-12)


def test_against_scipy():
    p, x = np.array([0.05, 0.5, 0.99]), np.arange(1.0, 60.0)[:, None]
    theta = FAMILY.theta_from(probability=p)
    np.testing.assert_allclose(FAMILY.log_density(theta, x), scipy.stats.logser(p).logpmf(x), rtol=1e-12)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[:, 0] + 1.0, scipy.stats.logser(p).mean(), rtol=1e-13)


@pytest.mark.parametrize("eta", np.logspace(-200, 150, 15))
def test_inversion(eta):
    theta = FAMILY.to_theta([eta])
    with mp.workdps(500):
        p = mp.exp(mp.mpf(float(theta[0])))
        residual = float((p / (1 - p) / -mp.log1p(-p) - 1) / mp.mpf(float(eta)) - 1)
    assert abs(residual) <= 1e-15 * max(1.0, -theta[0])           # the rounding of θ itself


@pytest.mark.parametrize("p", [0.02, 0.4, 0.97])
def test_samples_have_the_density(p):
    check_sampler(FAMILY, FAMILY.theta_from(probability=p))


def test_parameters_fit_and_errors():
    check_parameters(FAMILY, probability=np.array([1e-12, 0.4, 0.999]))
    theta = FAMILY.theta_from(probability=0.8)
    mean = 1.0 + FAMILY.to_eta(theta)[0]
    np.testing.assert_allclose(FAMILY.fit([1.0, 3.0], weights=[3.0 - mean, mean - 1.0]), theta, rtol=1e-13)
    with pytest.raises(ig.DomainError, match="does not exist"):
        FAMILY.fit([1, 1])
    with pytest.raises(ig.DomainError, match="x must satisfy x an integer, 1 <= x"):
        FAMILY.fit([0, 1])
    assert np.isnan(FAMILY.to_theta([-0.5])) and np.isnan(FAMILY.to_eta([0.5])) and np.isnan(FAMILY.potential([0.0]))
