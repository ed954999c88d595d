"""Multivariate normal: agreement with the univariate family, KL near, far and extreme, fits, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig


def test_one_dimension_is_the_univariate_family():
    """The charts are the same: θ = (μ/v, −1/2v)."""
    one, uni = ig.MultivariateNormal(1), ig.Normal()
    theta = uni.theta_from(mean=np.array([0.0, 1.0, -50.0]), variance=np.array([1.0, 4.0, 1e-3]))
    np.testing.assert_allclose(one.theta_from(mean=np.array([[0.0], [1.0], [-50.0]]),
                                              covariance=np.array([1.0, 4.0, 1e-3])[:, None, None]),
                               theta, rtol=1e-14)
    for method in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        np.testing.assert_allclose(getattr(one, method)(theta), getattr(uni, method)(theta), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(one.kl(theta, theta[::-1]), uni.kl(theta, theta[::-1]), rtol=1e-12)


def test_packed_chart_by_hand():
    """θ = (Σ⁻¹μ, ⟨−½Σ⁻¹⟩) with off-diagonal entries × √2."""
    family = ig.MultivariateNormal(2)
    covariance = np.array([[2.0, 1.0], [1.0, 1.0]])         # its inverse is [[1, −1], [−1, 2]]
    theta = family.theta_from(mean=[1.0, 2.0], covariance=covariance)
    np.testing.assert_allclose(theta, [-1.0, 3.0, -0.5, np.sqrt(2.0) / 2, -1.0], rtol=1e-14)
    np.testing.assert_allclose(family.to_eta(theta), [1.0, 2.0, 3.0, 3.0 * np.sqrt(2.0), 5.0], rtol=1e-14)


def exact_kl(theta_p, theta_q, p):
    """½ (tr(Λ_qΣ_p) − p + |Δμ|²_{Λ_q} − log det Λ_qΣ_p) of the θ as they are rounded."""
    def parts(theta):
        vector = mp.matrix([mp.mpf(float(v)) for v in theta[:p]])
        packed = iter([mp.mpf(float(v)) for v in theta[p:]])
        precision = mp.matrix(p, p)
        for i in range(p):
            for j in range(i, p):
                entry = -2 * next(packed)
                precision[i, j] = precision[j, i] = entry if i == j else entry / mp.sqrt(2)
        covariance = precision**-1
        return covariance * vector, covariance, precision

    with mp.workdps(80):
        (m, s, _), (n, _, precision) = parts(theta_p), parts(theta_q)
        product, gap = precision * s, n - m
        trace = sum(product[i, i] for i in range(p))
        return float((trace - p + (gap.T * precision * gap)[0] - mp.log(mp.det(product))) / 2)


def random_point(rng, family, spread=1.0):
    p = family.p
    root = np.linalg.qr(rng.standard_normal((p, p)))[0] * np.exp(spread * rng.standard_normal(p))
    return family.theta_from(mean=rng.standard_normal(p), covariance=root @ root.T)


@pytest.mark.parametrize("p", [2, 3])
@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6, 1e-9])
def test_kl_of_near_points(p, step):
    rng = np.random.default_rng(p)
    family = ig.MultivariateNormal(p)
    theta = random_point(rng, family)
    other = theta * (1.0 + step * rng.uniform(-0.5, 0.5, family.dim))
    np.testing.assert_allclose(family.kl(theta, other), exact_kl(theta, other, p), rtol=1e-11)


@pytest.mark.parametrize("p", [2, 3])
def test_kl_of_far_points(p):
    rng = np.random.default_rng(10 + p)
    family = ig.MultivariateNormal(p)
    for _ in range(5):
        a, b = random_point(rng, family, 1.5), random_point(rng, family, 1.5)
        np.testing.assert_allclose(family.kl(a, b), exact_kl(a, b, p), rtol=1e-10)


@pytest.mark.parametrize("ratio", [1e-24, 1e-12, 1e-8, 1e8, 1e24])
def test_kl_of_concentric_points_of_very_different_size(ratio):
    """Σ_p = r Σ_q: KL = (p/2) (r − 1 − log r)."""
    family = ig.MultivariateNormal(2)
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    a = family.theta_from(mean=[0.0, 0.0], covariance=np.sqrt(ratio) * covariance)
    b = family.theta_from(mean=[0.0, 0.0], covariance=covariance / np.sqrt(ratio))
    np.testing.assert_allclose(family.kl(a, b), ratio - 1 - np.log(ratio), rtol=1e-12)


def test_shifted_far_from_the_origin():
    """Equal covariances, means 1e6 apart from the origin and 1 apart from each other: KL = ½ |Δμ|² in the precision."""
    family = ig.MultivariateNormal(2)
    a, b = family.theta_from(mean=[[1e6, 0.0], [1e6 + 1.0, 0.0]], covariance=np.eye(2))
    np.testing.assert_allclose(family.kl(a, b), 0.5, rtol=1e-12)


def test_fit():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 5, 3)) + 1e5
    family = ig.MultivariateNormal(3)
    fitted = family.parameters(family.fit(x))
    np.testing.assert_allclose(fitted["mean"], x.mean(axis=0), rtol=1e-11)
    for i in range(5):
        np.testing.assert_allclose(fitted["covariance"][i], np.cov(x[:, i].T, bias=True), rtol=1e-8, atol=1e-10)


def test_no_estimate_of_collinear_data_or_too_few_points():
    family = ig.MultivariateNormal(2)
    for x in ([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [1.0, 3.0]], [[1.0, 1.0]]):
        with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
            family.fit(x)


def test_errors():
    family = ig.MultivariateNormal(2)
    for covariance in ([[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.2, 1.0]]):
        with pytest.raises(ig.DomainError, match="^covariance must satisfy covariance symmetric and positive definite; got "):
            family.theta_from(mean=[0.0, 0.0], covariance=covariance)
    with pytest.raises(ig.ShapeError, match=r"^covariance must have shape \(\.\.\., 2, 2\); got \(3, 3\)$"):
        family.theta_from(mean=[0.0, 0.0], covariance=np.eye(3))
    with pytest.raises(ig.DomainError) as error:
        family.sample(np.random.default_rng(0), [[0.0, 0.0, -1.0, 0.0, -1.0], [0.0, 0.0, -1.0, 9.0, -1.0]])
    assert str(error.value).startswith("theta must satisfy theta[2:5] negative definite; 1 of 2 points does not, first at ")
    with pytest.raises(ValueError, match="p must satisfy p an integer >= 1"):
        ig.MultivariateNormal(0)
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(\.\.\., 2\); got \(3,\)"):
        family.log_density(family.theta_from(mean=[0.0, 0.0], covariance=np.eye(2)), [0.0, 0.0, 0.0])


def test_outside_the_domain_is_nan():
    family = ig.MultivariateNormal(2)
    eta = np.array([0.0, 0.0, 1.0, 2.0, 1.0])     # E[xxᵀ] = [[1, √2], [√2, 1]] is indefinite
    assert np.all(np.isnan(family.to_theta(eta)))


def test_samples_have_the_distribution():
    """The squared Mahalanobis distance is χ² with p degrees of freedom; each coordinate is normal."""
    family = ig.MultivariateNormal(3)
    mean, covariance = np.array([1.0, -2.0, 0.5]), np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.4]])
    theta = family.theta_from(mean=mean, covariance=covariance)
    x = family.sample(np.random.default_rng(9), theta, 4000)
    assert x.shape == (4000, 3)
    gap = x - mean
    assert scipy.stats.kstest(np.sum(gap @ np.linalg.inv(covariance) * gap, axis=-1), scipy.stats.chi2(3).cdf).pvalue > 1e-4
    for i in range(3):
        assert scipy.stats.kstest(x[:, i], scipy.stats.norm(mean[i], np.sqrt(covariance[i, i])).cdf).pvalue > 1e-4
    correlation = scipy.stats.pearsonr(x[:, 0], x[:, 1])[0]
    assert abs(np.arctanh(correlation) - np.arctanh(0.5 / np.sqrt(2.0))) < 5 / np.sqrt(4000)


def test_metric_is_the_covariance_of_the_packed_statistic():
    """At N(0, I): Cov(x) = I, and a packed xxᵀ has variance 2 in each coordinate."""
    family = ig.MultivariateNormal(3)
    theta = family.theta_from(mean=np.zeros(3), covariance=np.eye(3))
    np.testing.assert_allclose(family.metric(theta), np.diag([1.0] * 3 + [2.0] * 6), atol=1e-14)
    np.testing.assert_allclose(ig.unpack(theta[3:], 3), -0.5 * np.eye(3), atol=1e-15)
