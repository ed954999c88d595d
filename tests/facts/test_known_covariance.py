"""Normal families of given covariance: SciPy, the full family, Kronecker structure, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.known_covariance import MatrixNormalKnownCovariances, MultivariateNormalKnownCovariance

from .vector_helpers import check_family, check_near, standardised_mean

SIGMA = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 4.0]])
ROWS = np.array([[2.0, 0.5], [0.5, 1.0]])
VECTORS = MultivariateNormalKnownCovariance(SIGMA)
MATRICES = MatrixNormalKnownCovariances(ROWS, SIGMA)


def quadratic(covariance):
    matrix = mp.matrix(covariance.tolist())
    return lambda *t: (mp.matrix(t).T * matrix * mp.matrix(t))[0] / 2


@pytest.mark.parametrize("family, covariance", [(VECTORS, SIGMA), (MATRICES, np.kron(ROWS, SIGMA))], ids=["vectors", "matrices"])
def test_closed_forms(family, covariance):
    rng = np.random.default_rng(1)
    theta = rng.standard_normal(family.dim)
    psi = quadratic(covariance)
    check_near(family, psi, theta)
    if family is VECTORS:
        check_family(family, psi, theta, [1e5 * rng.standard_normal(3), np.zeros(3)])
    np.testing.assert_allclose(family.metric(theta), covariance, atol=1e-15)
    np.testing.assert_allclose(family.potential(theta), 0.5 * theta @ covariance @ theta, rtol=1e-14)
    np.testing.assert_array_equal(family.cubic_tensor(theta), np.zeros((family.dim,) * 3))


def test_density_and_entropy_against_scipy():
    mean = np.arange(6.0).reshape(2, 3)
    law = scipy.stats.matrix_normal(mean, ROWS, SIGMA)
    x = law.rvs(5, random_state=2)
    theta = MATRICES.theta_from(mean=mean)
    np.testing.assert_allclose(MATRICES.log_density(theta, x), law.logpdf(x), rtol=1e-13)
    np.testing.assert_allclose(MATRICES.entropy(theta), law.entropy(), rtol=1e-13)
    np.testing.assert_allclose(MATRICES.parameters(theta)["mean"], mean, rtol=1e-13, atol=1e-14)
    vectors = scipy.stats.multivariate_normal(mean[0], SIGMA)
    theta = VECTORS.theta_from(mean=mean[0])
    np.testing.assert_allclose(VECTORS.log_density(theta, x[:, 0]), vectors.logpdf(x[:, 0]), rtol=1e-13)


def test_kl_of_far_means():
    """1e8 from the origin and 1 from each other: ½ |Δμ|² in the precision, to the rounding of θ = Σ⁻¹μ."""
    a, b = (MultivariateNormalKnownCovariance(np.eye(2)).theta_from(mean=[m, 0.0]) for m in (1e8, 1e8 + 1))
    assert MultivariateNormalKnownCovariance(np.eye(2)).kl(a, b) == 0.5


@pytest.mark.parametrize("family", [VECTORS, MATRICES], ids=["vectors", "matrices"])
def test_samples_and_fit(family):
    theta = np.random.default_rng(5).standard_normal(family.dim)
    x = family.sample(np.random.default_rng(6), theta, 4000)
    assert x.shape == (4000, *family.support.shape)
    assert np.all(np.abs(standardised_mean(family, x, theta)) < 5)
    gap = x.reshape(4000, -1) - family.to_eta(theta)
    square = np.sum(gap * family.dual_flat(family.to_eta(theta), gap), axis=-1)
    assert scipy.stats.kstest(square, scipy.stats.chi2(family.dim).cdf).pvalue > 1e-4
    np.testing.assert_allclose(family.parameters(family.fit(x))["mean"], x.mean(axis=0), rtol=1e-12, atol=1e-13)
    single = family.fit(x[:1])                          # one observation is enough
    np.testing.assert_allclose(family.to_eta(single), x[0].ravel(), rtol=1e-12, atol=1e-13)


def test_the_covariance_is_held_not_aliased():
    given = SIGMA.copy()
    family = MultivariateNormalKnownCovariance(given)
    given[...] = 0.0
    np.testing.assert_array_equal(family.metric(np.zeros(3)), SIGMA)
    with pytest.raises(ValueError, match="read-only"):
        family.known_covariance[0, 0] = 5.0


@pytest.mark.parametrize("bad, error, words", [
    ([[1.0, 2.0], [2.0, 1.0]], ig.DomainError, "symmetric and positive definite"),
    ([[1.0, 0.5], [0.2, 1.0]], ig.DomainError, "symmetric and positive definite"),
    ([[1.0, np.nan], [np.nan, 1.0]], ig.DomainError, "symmetric and positive definite"),
    ([1.0, 2.0], ig.ShapeError, r"must have shape \(p, p\); got \(2,\)"),
])
def test_errors(bad, error, words):
    with pytest.raises(error, match="^known_covariance .*" + words):
        MultivariateNormalKnownCovariance(bad)
    with pytest.raises(error, match="^column_covariance .*" + words):
        MatrixNormalKnownCovariances(ROWS, bad)
