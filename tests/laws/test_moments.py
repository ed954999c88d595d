"""The family behind the geometry: η = E[T], G = Cov[T], third cumulants, entropy and divergence as means over samples."""
import numpy as np

from infogeo.testing import assert_law
from infogeo.testing import family_laws as laws

from ..registry import every_family, region

LAWS = (laws.mean_of_the_statistic_is_eta, laws.covariance_of_the_statistic_is_the_metric,
        laws.third_cumulant_is_the_cubic_tensor, laws.natural_norm_of_the_score_is_the_dimension)


@every_family
def test_moments(M):
    for seed, law in enumerate(LAWS, 101):
        rng = np.random.default_rng(seed)
        assert_law(law, M, region(M).sample(rng, (), 0.3), rng)


@every_family
def test_entropy_and_divergence(M):
    rng = np.random.default_rng(105)
    assert_law(laws.entropy_and_divergence_are_means, M, region(M).sample(rng, (), 0.3), region(M).sample(rng, (), 0.3), rng)
