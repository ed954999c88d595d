"""Samples in pieces: Dask's collections, chunks by functions, a million observations, and what is refused."""
import dask.array
import numpy as np
import pytest
from dask import delayed

import infogeo as ig
from infogeo.arrays.pieces import folded
from infogeo.statistics import SufficientStatistics

M = ig.Normal()


class Frame:
    """What of a Dask data frame is looked at: that it is lazy, and its pieces, of unknown lengths."""

    def __dask_graph__(self):
        return {}

    def __init__(self, *parts):
        self.parts = parts

    def to_delayed(self):
        return [delayed(np.asarray)(part) for part in self.parts]


def test_a_million_normals_by_one_piece_after_the_other():
    """The errors are those of one pairwise sum; no piece is loaded twice."""
    loaded = []

    def load(i):
        loaded.append(i)
        return np.random.default_rng([0, i]).normal(3.0, 2.0, 100_000)

    pieces = [dask.array.from_delayed(delayed(load, pure=False)(i), (100_000,), float) for i in range(10)]
    x = np.concatenate([load(i) for i in range(10)])
    loaded.clear()
    with dask.config.set(scheduler="synchronous"):
        found = SufficientStatistics.from_data(M, dask.array.concatenate(pieces))
    assert sorted(loaded) == list(range(10)) and found.weight == 1e6
    exact = [np.sum(x.astype(np.longdouble)), np.sum(x.astype(np.longdouble)**2)]
    np.testing.assert_allclose(found.total, np.array(exact, dtype=float), rtol=1e-15)
    np.testing.assert_allclose(found.total, SufficientStatistics.from_data(M, x).total, rtol=1e-15)


def test_frames():
    x, w = np.random.default_rng(1).normal(size=(30, 2)), np.arange(1.0, 31.0)
    frame, weights = Frame(x[:7], x[7:7], x[7:]), Frame(w[:7], w[7:7], w[7:])
    family = ig.MultivariateNormal(2)
    np.testing.assert_allclose(family.fit(frame), family.fit(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(family.fit(frame, weights), family.fit(x, w), rtol=1e-12, atol=1e-14)
    with pytest.raises(ig.ShapeError, match="weights must be cut as the sample is, in 3 pieces; got 2"):
        family.fit(frame, Frame(w[:7], w[7:]))


def test_a_batch_and_a_prior():
    x = np.random.default_rng(2).gamma(2.0, size=(40, 3))
    lazy = dask.array.from_array(x, chunks=(9, 2))
    family, prior = ig.Gamma(), (np.array([0.0, 2.0]), 5.0)
    np.testing.assert_allclose(family.fit(lazy), family.fit(x), rtol=1e-12)
    np.testing.assert_allclose(family.fit(lazy, prior=prior), family.fit(x, prior=prior), rtol=1e-12)


@pytest.mark.parametrize("family", [ig.Normal(), ig.MultivariateNormal(2), ig.DiagonalNormal(2), ig.IsotropicNormal(2)], ids=repr)
def test_normal_laws_far_from_0(family):
    """A mean of 1e8 standard deviations: of Σ x² no digit of the variance is left; pieces that drift and one without rows."""
    shape = family.support.shape
    x = 1e8 + np.random.default_rng(4).normal(size=(600, *shape)) + np.linspace(0.0, 3.0, 600).reshape(-1, *(1,) * len(shape))
    w = np.arange(1.0, 601.0)
    for weights in (None, w):
        lazy = dask.array.concatenate([dask.array.from_array(part) for part in (x[:0], x[:200], x[200:])])
        found, exact = (family.parameters(family.fit(x, weights)) for x in (lazy, x))
        for name in exact:
            np.testing.assert_allclose(found[name], exact[name], rtol=1e-15 if name == "mean" else 1e-12)
    with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
        family.fit(dask.array.from_array(np.full((6, *shape), 1e8), chunks=3))


def test_chunks_by_functions_and_any_map():
    x = np.random.default_rng(3).normal(size=100)
    chunks = [lambda i=i: (x[i::4], np.full(25, 2.0)) for i in range(4)]
    found = SufficientStatistics.of_chunks(M, chunks, map=lambda f, items: [f(item) for item in items])
    np.testing.assert_allclose(found.total, 2 * SufficientStatistics.from_data(M, x).total, rtol=1e-14)
    assert found.weight == 200.0


def test_the_tree():
    """Each part is in log₂ n merges, in their order; few wait."""
    depth = folded([(0, f"{i:x}") for i in range(13)], lambda a, b: (max(a[0], b[0]) + 1, a[1] + b[1]))
    assert depth == (4, "0123456789abc")


@pytest.mark.parametrize("go, error, words", [
    (lambda x: M.fit(x), ig.DomainError, "finite"), (lambda x: SufficientStatistics.from_data(M, x), ig.DomainError, "finite"),
    (lambda x: M.fit(x[:-1], np.ones(5)), ig.ShapeError, r"\(99,\)"),
    (lambda x: M.fit(x[:-1], np.zeros(99)), ig.DomainError, "sum of the weights"),
    (lambda x: M.fit(0 * x[:-1]), ig.DomainError, "does not exist"),
    (lambda x: ig.Gamma().fit(1 + 0 * x[:-1]), ig.DomainError, r"or has more digits than the sums of T\(x\)"),
    (lambda x: ig.Exponential().fit(-abs(x[:-1])), ig.DomainError, "x >= 0"),
    (lambda x: ig.MultivariateNormal(2).fit(x[:-1]), ig.ShapeError, "2"),
    (lambda x: SufficientStatistics.of_chunks(M, []), ig.ShapeError, "at least one piece"),
    (lambda x: SufficientStatistics.of_chunks(ig.Normal, [x]), TypeError, "ExponentialFamily as its argument family"),
], ids=range(10))
def test_what_is_refused(go, error, words):
    x = np.random.default_rng(4).normal(size=100)
    x[-1] = np.nan
    with pytest.raises(error, match=words):
        go(dask.array.from_array(x, chunks=30))
