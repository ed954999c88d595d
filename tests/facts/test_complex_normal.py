"""Complex normal: 50-digit arithmetic, Hermitian structure, the real normal family of twice the dimension, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.complex_normal import ComplexNormal

from .vector_helpers import check_family, check_near, standardised_mean

FAMILY = ComplexNormal(2)
GAMMA = np.array([[2.0, 0.5 - 0.7j], [0.5 + 0.7j, 1.0]])


def psi(a, re, im, b):
    """−log det(−Θ) of the Hermitian matrix [[a, (re + i im)/√2], [·, b]]."""
    return -mp.log(a * b - (re**2 + im**2) / 2)


def test_closed_forms():
    theta = FAMILY.theta_from(covariance=GAMMA)
    other = FAMILY.theta_from(covariance=[[1e-3, 0.01j], [-0.01j, 7.0]])
    check_family(FAMILY, psi, theta, [other])
    check_near(FAMILY, psi, theta)


def test_charts_by_hand():
    """η = (Γ₁₁, √2 Re Γ₁₂, √2 Im Γ₁₂, Γ₂₂), θ the same of −Γ⁻¹."""
    theta = FAMILY.theta_from(covariance=GAMMA)
    pack = lambda h: np.array([h[0, 0].real, np.sqrt(2) * h[0, 1].real, np.sqrt(2) * h[0, 1].imag, h[1, 1].real])
    np.testing.assert_allclose(FAMILY.to_eta(theta), pack(GAMMA), rtol=1e-14)
    np.testing.assert_allclose(theta, pack(-np.linalg.inv(GAMMA)), rtol=1e-14)
    np.testing.assert_allclose(FAMILY.parameters(theta)["covariance"], GAMMA, rtol=1e-14)
    x = np.array([1.0 + 2.0j, -0.5j])
    np.testing.assert_allclose(FAMILY.sufficient_statistic(x), pack(np.outer(x, x.conj())), rtol=1e-15)
    vector = np.array([0.3, -1.0, 2.0, 0.7])
    hermitian = np.array([[0.3, (-1 + 2j) / np.sqrt(2)], [(-1 - 2j) / np.sqrt(2), 0.7]])
    np.testing.assert_allclose(FAMILY.flat(theta, vector), pack(GAMMA @ hermitian @ GAMMA), rtol=1e-13)


def test_is_the_real_normal_family_of_twice_the_dimension():
    """x = u + iv is circular: (u, v) is N(0, ½ [[Re Γ, −Im Γ], [Im Γ, Re Γ]])."""
    theta = FAMILY.theta_from(covariance=GAMMA)
    real = 0.5 * np.block([[GAMMA.real, -GAMMA.imag], [GAMMA.imag, GAMMA.real]])
    law = scipy.stats.multivariate_normal(np.zeros(4), real)
    x = np.random.default_rng(1).standard_normal((5, 4)) @ np.diag([1.0, 2.0, 1j, 2j])[:, :2] \
        + np.random.default_rng(2).standard_normal((5, 2)) * 1j
    stacked = np.concatenate([x.real, x.imag], axis=-1)
    np.testing.assert_allclose(FAMILY.log_density(theta, x), law.logpdf(stacked), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.entropy(theta), law.entropy(), rtol=1e-14)
    wide = ig.MultivariateNormal(4)
    other = FAMILY.theta_from(covariance=np.diag([1.0, 3.0]))
    a, b = (wide.theta_from(mean=np.zeros(4), covariance=c) for c in (real, np.diag([0.5, 1.5, 0.5, 1.5])))
    np.testing.assert_allclose(FAMILY.kl(theta, other), wide.kl(a, b), rtol=1e-13)


def test_one_dimension():
    """|x|² is exponential of mean Γ: the charts and ψ are those of the exponential family."""
    one, exponential, theta = ComplexNormal(1), ig.Exponential(), np.array([[-0.5], [-3.0]])
    for method in ("potential", "to_eta", "metric", "cubic_tensor"):
        np.testing.assert_allclose(getattr(one, method)(theta), getattr(exponential, method)(theta), rtol=1e-14)


def test_samples_and_fit():
    theta = FAMILY.theta_from(covariance=GAMMA)
    x = FAMILY.sample(np.random.default_rng(7), theta, 4000)
    assert x.shape == (4000, 2) and x.dtype == np.complex128
    assert np.all(np.abs(standardised_mean(FAMILY, x, theta)) < 5)
    assert np.all(np.abs(np.mean(x[:, :, None] * x[:, None, :], axis=0)) < 5 * 4 / np.sqrt(4000))         # circular: E xxᵀ = 0
    square = 2 * np.einsum("ni,ij,nj->n", x.conj(), np.linalg.inv(GAMMA), x).real
    assert scipy.stats.kstest(square, scipy.stats.chi2(4).cdf).pvalue > 1e-4
    fitted = FAMILY.parameters(FAMILY.fit(x))["covariance"]
    np.testing.assert_allclose(fitted, x.T @ x.conj() / 4000, rtol=1e-13)
    weighted = FAMILY.fit(x[:3], weights=[1.0, 2.0, 0.0])
    np.testing.assert_allclose(weighted, FAMILY.fit([x[0], x[1], x[1]]), rtol=1e-9)


def test_types():
    theta = FAMILY.theta_from(covariance=GAMMA)
    assert FAMILY.sample(np.random.default_rng(0), theta.astype(np.float32)).dtype == np.complex64
    assert theta.dtype == np.float64 and FAMILY.theta_from(covariance=GAMMA.astype(np.complex64)).dtype == np.float32
    np.testing.assert_array_equal(FAMILY.log_density(theta, [1.0, 2.0]), FAMILY.log_density(theta, np.array([1.0 + 0j, 2.0])))


def test_errors():
    with pytest.raises(ig.DomainError, match="^covariance must satisfy covariance Hermitian and positive definite; got"):
        FAMILY.theta_from(covariance=[[1.0, 2j], [2j, 1.0]])
    with pytest.raises(ig.DomainError, match="theta must satisfy the Hermitian matrix of theta negative definite"):
        FAMILY.log_density([1.0, 0.0, 0.0, -1.0], [1j, 0.0])
    with pytest.raises(ig.DomainError, match="does not exist"):
        FAMILY.fit([[1.0 + 1j, 2.0]])
    with pytest.raises(ig.ShapeError, match="x must have shape"):
        FAMILY.log_density(FAMILY.theta_from(covariance=GAMMA), [1j])
    with pytest.raises(ValueError, match="p must satisfy p an integer >= 1"):
        ComplexNormal(0)
    assert np.all(np.isnan(FAMILY.to_theta([1.0, 2.0, 2.0, 1.0])))
