"""The family behind the geometry: η = E[T], G = Cov[T], third cumulants, entropy and divergence as means over samples."""
import numpy as np

from ..registry import every_family, region

N = 40_000


def setting(M, seed):
    rng = np.random.default_rng(seed)
    theta = region(M).sample(rng, (), 0.3)
    return rng, theta, M.sample(rng, theta, N)


def within(draws, expected):
    """Whether the mean of the draws (axis 0) is the expected value to 5 standard errors, or to rounding where all are equal."""
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    return np.all(np.abs(np.mean(draws, axis=0) - expected) <= 5 * error + 1e-12 * (1 + np.abs(expected)))


@every_family
def test_mean_of_the_statistic_is_eta(M):
    _, theta, x = setting(M, 101)
    assert within(M.sufficient_statistic(x), M.to_eta(theta))


@every_family
def test_covariance_of_the_statistic_is_the_metric(M):
    _, theta, x = setting(M, 102)
    gap = M.sufficient_statistic(x) - M.to_eta(theta)
    assert within(gap[:, :, None] * gap[:, None, :], M.metric(theta))


@every_family
def test_third_cumulant_is_the_cubic_tensor(M):
    _, theta, x = setting(M, 103)
    gap = M.sufficient_statistic(x) - M.to_eta(theta)
    gap = gap @ np.linalg.inv(np.linalg.cholesky(M.metric(theta))).T
    rows = np.linalg.inv(np.linalg.cholesky(M.metric(theta)))
    tensor = np.einsum("ai,bj,ck,ijk->abc", rows, rows, rows, M.cubic_tensor(theta))
    assert within(np.einsum("na,nb,nc->nabc", gap, gap, gap), tensor)


@every_family
def test_natural_norm_of_the_score(M):
    """E[∂ℓ G⁻¹ ∂ℓ] = dim at every point."""
    _, theta, x = setting(M, 104)
    score = M.sufficient_statistic(x) - M.to_eta(theta)
    assert within(np.sum(score * M.sharp(theta, score), axis=-1), M.dim)


@every_family
def test_entropy_and_divergence(M):
    """entropy = −E_p[log p], kl = E_p[log p − log q], cross-entropy = −E_p[log q], E_p[log h]."""
    rng, theta, x = setting(M, 105)
    other = region(M).sample(rng, (), 0.3)
    log_p, log_q = M.log_density(theta, x), M.log_density(other, x)
    assert within(-log_p, M.entropy(theta))
    assert within(log_p - log_q, M.kl(theta, other))
    assert within(-log_q, M.cross_entropy(theta, other))
    assert within(M.log_base_measure(x), M.expected_log_base_measure(theta))
