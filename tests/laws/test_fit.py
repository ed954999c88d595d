"""Maximum likelihood: the fitted point has the mean statistic of the sample as its η, and nothing is more likely."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing import family_laws as laws
from infogeo.testing.calculus import condition

from ..backends import every_dtype
from ..registry import every_family, region

N = 300


def sample(M, seed, batch=()):
    rng = np.random.default_rng(seed)
    theta = region(M).sample(rng, batch, 0.2)
    return rng, theta, M.sample(rng, theta, N)


@every_family
def test_matches_the_mean_statistic(M):
    _, _, x = sample(M, 131, (2, 3))
    fitted = M.fit(x)
    mean = np.mean(M.sufficient_statistic(x), axis=0)
    assert fitted.shape == mean.shape == (2, 3, M.dim)
    assert np.allclose(M.to_eta(fitted), mean, rtol=1e-10, atol=1e-10 * np.abs(mean).max())
    for i in range(2):
        assert np.allclose(fitted[i, 1], M.fit(x[:, i, 1]), rtol=1e-9, atol=1e-10 * np.abs(fitted).max())


@every_family
def test_estimates(M):
    for law in (laws.fit_matches_the_mean_statistic, laws.fit_is_the_most_likely):
        rng, theta, _ = sample(M, 132)
        assert_law(law, M, theta, rng)


@every_family
def test_near_the_truth(M):
    """n |θ̂ − θ|² in the metric is about χ² with dim degrees of freedom: its mean over 40 rows to 5 σ, and 30 % for finite n."""
    _, theta, x = sample(M, 133, (40,))
    distance = N * M.norm(theta, M.fit(x) - theta)**2
    assert abs(np.mean(distance) - M.dim) <= 5 * np.sqrt(2 * M.dim / 40) + 0.3 * M.dim


@every_family
def test_weights(M):
    """Whole weights count repetitions; only ratios matter; a weight of zero leaves an observation out; per batch or for all."""
    rng, theta, x = sample(M, 134, (2,))
    assert_law(laws.whole_weights_are_repetitions, M, theta, rng)
    counts = rng.integers(0, 4, N)
    fitted = M.fit(x, weights=counts)
    close = dict(rtol=1e-9, atol=1e-10 * np.abs(fitted).max())
    assert np.allclose(fitted, M.fit(x, weights=np.stack([counts] * 2, axis=1)), **close)
    assert np.allclose(M.fit(x), M.fit(x, weights=np.ones(N)), **close)


@every_family
def test_bad_weights(M):
    _, _, x = sample(M, 135)
    for bad in (-np.ones(N), np.zeros(N), np.full(N, np.nan)):
        with pytest.raises(ig.DomainError, match="weights must satisfy"):
            M.fit(x, weights=bad)
    with pytest.raises(ig.ShapeError, match="weights must have shape"):
        M.fit(x, weights=np.ones(N - 1))
    with pytest.raises(ig.ShapeError):
        M.fit(x[:0])


@every_family
def test_no_estimate(M):
    """One observation alone does not determine any of these families but the ones whose mean it may be."""
    _, _, x = sample(M, 136)
    eta = M.sufficient_statistic(x[:1])[0]
    # by rounding, a statistic on the boundary may count as inside (a rank-one matrix): so may its estimate
    around = eta + 1e-9 * np.max(np.abs(eta)) * np.random.default_rng(0).standard_normal((50, M.dim))
    if np.all(M.eta_domain.contains(around)):
        assert np.allclose(M.to_eta(M.fit(x[:1])), eta, rtol=1e-10)
    else:
        with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
            M.fit(x[:1])


@every_dtype
@every_family
def test_every_backend(M, backend, dtype):
    _, theta, x = sample(M, 137)
    expected = M.fit(x)
    own = backend.check(M.fit(backend.make(x, dtype)), dtype)
    kappa = condition(M, theta)
    assert np.all(np.abs(own - expected) <= 300 * np.finfo(dtype).eps * kappa * np.abs(expected).max())
