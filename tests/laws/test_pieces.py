"""A sample in pieces is the sample: chunks that are merged as a tree, and Dask's arrays, which are summed where they are."""
import dask.array
import numpy as np

from infogeo.statistics import SufficientStatistics
from infogeo.testing.calculus import condition

from ..registry import every_family, region


def sample(M):
    rng = np.random.default_rng(91)
    theta = region(M).sample(rng, (), 0.2)
    return M.sample(rng, theta, 400), rng.uniform(0.5, 1.5, 400)


def same(some, others):
    """Sums of terms of one size, to 1e-14 of it."""
    size = np.abs(some.total) + some.weight
    return np.all(np.abs(others.total - some.total) <= 1e-14 * size) and abs(others.weight - some.weight) <= 1e-14 * some.weight


@every_family
def test_sums(M):
    x, w = sample(M)
    whole, weighted = SufficientStatistics.from_data(M, x), SufficientStatistics.from_data(M, x, w)
    cuts = [17, 120, 121, 300]
    assert same(whole, SufficientStatistics.of_chunks(M, np.split(x, cuts)))
    assert same(weighted, SufficientStatistics.of_chunks(M, list(zip(np.split(x, cuts), np.split(w, cuts)))))
    assert same(weighted, SufficientStatistics.from_data(M, dask.array.from_array(x, chunks=150), w))


@every_family
def test_fit(M):
    """The estimates of the two ways round apart by what the mean statistic says less of, and by κ."""
    x, w = sample(M)
    lazy = dask.array.from_array(x, chunks=150)
    for weights in None, w:
        theta = M.fit(x, weights)
        gap = M.norm(theta, M.fit(lazy, weights) - theta)
        assert gap <= 1e-12 * condition(M, theta) * (1 + M.norm(theta, theta))
