"""Sums of sufficient statistics: pieces add up to the whole, compensated, weighted, batched."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.statistics.sufficient_statistics import SufficientStatistics

FAMILY = ig.Gamma()


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    return rng.gamma(2.0, 1.5, (600, 3)), rng.random((600, 3))


def test_pieces_are_the_whole(sample):
    x, weights = sample
    whole = SufficientStatistics.from_data(FAMILY, x, weights)
    pieces = SufficientStatistics.from_data(FAMILY, x[:100], weights[:100]).update(x[100:101], weights[100:101])
    pieces = pieces.merge(SufficientStatistics.from_data(FAMILY, x[101:], weights[101:]))
    np.testing.assert_allclose(pieces.total, whole.total, rtol=1e-14)
    np.testing.assert_allclose(pieces.weight, weights.sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(FAMILY.to_theta(pieces.to_eta()), FAMILY.fit(x, weights), rtol=1e-11)
    unweighted = SufficientStatistics.from_data(FAMILY, x)
    np.testing.assert_array_equal(unweighted.weight, [600.0] * 3)
    np.testing.assert_allclose(unweighted.to_eta(), np.stack([np.log(x).mean(axis=0), x.mean(axis=0)], axis=-1), rtol=1e-13)


def test_many_small_pieces_lose_nothing():
    """A large observation, then many small ones of which each alone would be lost to rounding."""
    family = ig.Exponential()
    statistics = SufficientStatistics.from_data(family, [1e16])
    for _ in range(1000):
        statistics = statistics.update([0.5])
    assert statistics.total[0] == 1e16 + 500.0 != 1e16
    back = SufficientStatistics.from_data(family, [0.5] * 1000).merge(SufficientStatistics.from_data(family, [1e16]))
    assert back.total[0] == statistics.total[0]


def test_a_value_is_not_changed(sample):
    statistics = SufficientStatistics.from_data(FAMILY, sample[0])
    before = statistics.total.copy()
    statistics.update(sample[0])
    np.testing.assert_array_equal(statistics.total, before)


def test_running_mean_of_natural_gradient():
    """Stochastic mirror descent on −log p(x_t; θ) with steps 1 / (t + t₀) from η₀ is the posterior mode with n₀ = t₀."""
    family, rng = ig.Normal(), np.random.default_rng(1)
    x, eta_0, t_0 = rng.normal(size=60), np.array([0.5, 2.0]), 3.0
    theta = family.to_theta(eta_0)
    statistics = None
    for t, x_t in enumerate(x, start=1):
        score = family.to_eta(theta) - family.sufficient_statistic(x_t)
        theta = family.to_theta(family.to_eta(theta) - score / (t + t_0))
        piece = SufficientStatistics.from_data(family, x_t[None])
        statistics = piece if statistics is None else statistics.merge(piece)
        eta = (t_0 * eta_0 + statistics.total) / (t_0 + t)
        np.testing.assert_allclose(family.to_eta(theta), eta, rtol=1e-13)
    np.testing.assert_allclose(family.fit(x, prior=(eta_0, t_0)), theta, rtol=1e-12)


def test_errors(sample):
    statistics = SufficientStatistics.from_data(FAMILY, sample[0])
    with pytest.raises(ValueError, match=r"family = Gamma\(\); got Exponential\(\)"):
        statistics.merge(SufficientStatistics.from_data(ig.Exponential(), sample[0]))
    with pytest.raises(ig.DomainError, match="x must satisfy x >= 0"):
        statistics.update([[1.0, -1.0, 1.0]])
    with pytest.raises(ig.ShapeError, match="x must have a sample axis first"):
        SufficientStatistics.from_data(FAMILY, 1.0)
    with pytest.raises(ig.ShapeError, match=r"weights must have shape \(600,\) or \(600, 3\); got \(3,\)"):
        SufficientStatistics.from_data(FAMILY, sample[0], np.ones(3))
    with pytest.raises(ig.DomainError, match="weights must satisfy weights >= 0; 600 of 600 points do not, first"):
        SufficientStatistics.from_data(FAMILY, sample[0], -np.ones(600))
