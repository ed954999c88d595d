"""Divergences fall under whatever is done to the data, and a sufficient statistic keeps them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, hellinger, renyi, tsallis
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.f_divergence import jensen_shannon, total_variation
from infogeo.geometry.divergences.integration import States

from ..registry import FAMILIES, region

POINTS = 6


def keep(parameters):
    return parameters


def merged(p):
    """The outcomes {0}, {1, 2}, {3, 4, 5}."""
    return np.stack([p[..., 0], p[..., 1] + p[..., 2], p[..., 3] + p[..., 4] + p[..., 5]], axis=-1)


# from a family, by a map of the data, to another one: what it does to the ordinary parameters
CHANNELS = {
    "outcomes merged": (ig.Categorical(6), lambda q: dict(probabilities=merged(q["probabilities"])), ig.Categorical(3)),
    "one outcome marked": (ig.Categorical(6), lambda q: dict(probability=q["probabilities"][..., 4]), ig.Bernoulli()),
    "a noisy channel": (ig.Bernoulli(), lambda q: dict(probability=0.1 + 0.7 * q["probability"]), ig.Bernoulli()),
    "counts of one outcome": (ig.Multinomial(3, 5), lambda q: dict(probability=q["probabilities"][..., 0]), ig.Binomial(5)),
    "one trial of many": (ig.Binomial(7), keep, ig.Bernoulli()),
    "counts thinned": (ig.Poisson(), lambda q: dict(rate=0.3 * q["rate"]), ig.Poisson()),
    "noise added": (ig.Normal(), lambda q: dict(mean=q["mean"], variance=q["variance"] + 0.7), ig.Normal()),
    "coordinates dropped": (ig.MultivariateNormal(3), lambda q: dict(
        mean=q["mean"][..., :2], covariance=q["covariance"][..., :2, :2]), ig.MultivariateNormal(2)),
    "shares added": (ig.Dirichlet(3), lambda q: dict(alpha=q["concentration"][..., 0],
                                                     beta=q["concentration"][..., 1] + q["concentration"][..., 2]), ig.Beta()),
    "a block of a matrix": (ig.Wishart(2), lambda q: dict(degrees_of_freedom=q["degrees_of_freedom"],
                                                          scale_matrix=q["scale_matrix"][..., :1, :1]), ig.Wishart(1)),
}
# the same for a statistic that is sufficient: n independent observations, and their sum or another bijection
STATISTICS = {
    "sum of coins": (ig.Independent(ig.Bernoulli(), 3), lambda q: dict(probability=q["probability"][..., 0]), ig.Binomial(3)),
    "sum of counts": (ig.Independent(ig.Poisson(), 3), lambda q: dict(rate=3 * q["rate"][..., 0]), ig.Poisson()),
    "sum of waiting times": (ig.Independent(ig.Exponential(), 3), lambda q: dict(rate=q["rate"][..., 0]), ig.Erlang(3)),
    "sum of failures": (ig.Independent(ig.Geometric(), 7), lambda q: dict(probability=q["probability"][..., 0]),
                        ig.NegativeBinomial(7)),
    "exponential": (ig.Normal(), keep, ig.LogNormal()),
    "reciprocal": (ig.Gamma(), lambda q: dict(shape=q["shape"], scale=q["rate"]), ig.InverseGamma()),
}
DIVERGENCES = {
    "KL": lambda M, p, q: ig.canonical_divergence(M, p, q),
    "Rényi 0.4": lambda M, p, q: renyi(M, p, q, 0.4),
    "Rényi 1.3": lambda M, p, q: renyi(M, p, q, 1.3),
    "Tsallis 0.7": lambda M, p, q: tsallis(M, p, q, 0.7),
    "α = 0.3": lambda M, p, q: alpha_divergence(M, p, q, 0.3),
    "χ²": chi_squared,
    "Hellinger": hellinger,
    "Chernoff": lambda M, p, q: chernoff_information(M, p, q).value,
}


def pairs(name, table):
    """Two points of the first family and their images in the second; those of independent copies are equal in each factor."""
    first, onto, second = table[name]
    rng = np.random.default_rng(87)
    p, q = (region(first).sample(rng, (POINTS,), 0.6) for _ in range(2))
    if isinstance(first, ig.Independent):
        p, q = (np.tile(x[..., :1], first.dim) for x in (p, q))
    return first, (p, q), second, tuple(second.theta_from(**onto(first.parameters(x))) for x in (p, q))


@pytest.mark.parametrize("name", CHANNELS)
def test_data_processing(name):
    """Not more after the channel than before, and less somewhere."""
    first, points, second, images = pairs(name, CHANNELS)
    for title, D in DIVERGENCES.items():
        before, after = D(first, *points), D(second, *images)
        assert np.all(after <= before * (1 + 1e-12)) and np.all(after >= 0), title
        assert np.any(after < 0.999 * before), title


@pytest.mark.parametrize("name", STATISTICS)
def test_sufficient_statistics(name):
    first, points, second, images = pairs(name, STATISTICS)
    for title, D in DIVERGENCES.items():
        np.testing.assert_allclose(D(second, *images), D(first, *points), rtol=1e-12, err_msg=title)


@pytest.mark.parametrize("name", ["outcomes merged", "one outcome marked", "a noisy channel", "one trial of many"])
@pytest.mark.parametrize("D", [jensen_shannon, total_variation])
def test_data_processing_of_sums(name, D):
    first, points, second, images = pairs(name, CHANNELS)
    before, after = D(first, *points).value, D(second, *images).value
    assert np.all(after <= before * (1 + 1e-12)) and np.any(after < 0.999 * before)


def test_sufficiency_of_sums():
    """The sum of three coins says as much of them as the eight outcomes."""
    first, points, second, images = pairs("sum of coins", STATISTICS)
    outcomes = np.array(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0])).reshape(3, -1).T
    for D in jensen_shannon, total_variation:
        np.testing.assert_allclose(D(first, *points, States(outcomes)).value, D(second, *images).value, rtol=1e-13)


def test_independent_pairs_add():
    """Rényi divergences of products are sums."""
    M = FAMILIES["Product"]
    rng, ends = np.random.default_rng(88), np.cumsum([f.dim for f in M.factors])[:-1]
    p, q = (region(M).sample(rng, (4,), 0.4) for _ in range(2))
    total = sum(renyi(f, a, b, 0.6) for f, a, b in zip(M.factors, np.split(p, ends, axis=-1), np.split(q, ends, axis=-1)))
    np.testing.assert_allclose(renyi(M, p, q, 0.6), total, rtol=1e-13)
