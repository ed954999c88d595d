"""Hard and soft clustering: a worked example, recursions written out, and the estimators of scikit-learn."""
import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

import infogeo as ig
from infogeo.clustering import BregmanKMeans, FamilyMixture
from infogeo.geometry.centroids.centroid import bregman_information
from infogeo.geometry.centroids.kmeans import bregman_kmeans, kmeans_plus_plus
from infogeo.statistics import fit_mixture, mixture_start

from ..backends import every_dtype

POISSON = ig.Poisson()
COUNTS = np.array([1, 2, 1, 3, 2, 9, 11, 10, 8, 30, 28, 33, 35.0])
LOGS = np.log(COUNTS)[:, None]


def test_poisson_clusters():
    """From centers 1, 10, 30 to 1.8, 9.5, 31.5: objective 2.992153840520, then 1.503658357779."""
    found = bregman_kmeans(POISSON, LOGS, np.log([[1.0], [10.0], [30.0]]), max_steps=20)
    np.testing.assert_allclose(np.exp(found.centers[:, 0]), [1.8, 9.5, 31.5], rtol=1e-13)
    np.testing.assert_allclose(found.values, [2.992153840520, 1.503658357779], rtol=1e-12)
    assert found.converged and found.labels.tolist() == [0] * 5 + [1] * 4 + [2] * 4


def test_the_information_is_within_plus_between():
    """79.258050456455 = 1.503658357779 + 77.754392098676."""
    found = bregman_kmeans(POISSON, LOGS, np.log([[1.0], [10.0], [30.0]]), max_steps=20)
    between = 13 * bregman_information(POISSON, found.centers, [5, 4, 4])
    total = 13 * bregman_information(POISSON, LOGS)
    np.testing.assert_allclose([found.values[-1], between, total], [1.503658357779, 77.754392098676, 79.258050456455], rtol=1e-12)
    np.testing.assert_allclose(found.values[-1] + between, total, rtol=1e-13)


def test_runs_weights_and_empty_clusters():
    """A batch of starts is as many runs; weights count as repetitions; a center that no point is near stays."""
    starts = np.log(np.array([[[1.0], [10.0], [30.0]], [[9.0], [12.0], [1e6]]]))
    found = bregman_kmeans(POISSON, LOGS, starts, max_steps=50)
    for run in range(2):
        alone = bregman_kmeans(POISSON, LOGS, starts[run], max_steps=50)
        np.testing.assert_allclose(found.centers[run], alone.centers, rtol=1e-13)
        assert np.array_equal(found.labels[run], alone.labels)
    assert found.centers[1, 2, 0] == np.log(1e6)
    twice = bregman_kmeans(POISSON, np.concatenate([LOGS, LOGS[:4]]), starts[0], max_steps=50)
    weighted = bregman_kmeans(POISSON, LOGS, starts[0], [2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1], max_steps=50)
    np.testing.assert_allclose(weighted.centers, twice.centers, rtol=1e-13)
    np.testing.assert_allclose(weighted.values, twice.values, rtol=1e-12)
    short = bregman_kmeans(POISSON, LOGS, starts[1], max_steps=1)
    assert len(short.values) == 2 and not short.converged


def test_seeds():
    """k-means++ draws points, and the second one with probability ∝ the divergence to the first."""
    rng = np.random.default_rng(0)
    points = np.log([[1.0], [2.0], [8.0]])
    first = [kmeans_plus_plus(POISSON, points, 2, rng) for _ in range(4000)]
    after_one = np.array([seeds[1, 0] for seeds in first if seeds[0, 0] == 0.0])
    distance = POISSON.kl(points, points[:1])
    share = distance[2] / distance.sum()
    assert abs(np.mean(after_one == np.log(8.0)) - share) < 5 * np.sqrt(share * (1 - share) / len(after_one))
    assert not np.any(after_one == 0.0)
    same = kmeans_plus_plus(POISSON, np.zeros((4, 1)), 3, rng)       # fewer different points than seeds
    assert same.shape == (3, 1)


def test_em_written_out():
    """Two normals by the textbook recursion, step by step."""
    rng, family = np.random.default_rng(1), ig.Normal()
    x = np.concatenate([rng.normal(-1, 1, 60), rng.normal(3, 0.5, 40)])
    mean, variance, weight = np.array([-2.0, 2.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
    found = fit_mixture(family, x, family.theta_from(mean=mean, variance=variance), weight, tol=0.0, max_steps=10)
    for k in range(10):
        joint = np.log(weight) - 0.5 * np.log(2 * np.pi * variance) - 0.5 * (x[:, None] - mean) ** 2 / variance
        np.testing.assert_allclose(found.values[k], logsumexp(joint, axis=1).mean(), rtol=1e-12)
        share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        mass = share.sum(axis=0)
        weight, mean = mass / 100, share.T @ x / mass
        variance = np.sum(share * (x[:, None] - mean) ** 2, axis=0) / mass
    ordinary = family.parameters(found.theta)
    np.testing.assert_allclose(ordinary["mean"], mean, rtol=1e-10)
    np.testing.assert_allclose(ordinary["variance"], variance, rtol=1e-9)
    np.testing.assert_allclose(found.weights, weight, rtol=1e-11)
    assert np.all(np.diff(found.values) >= -1e-14)


@pytest.mark.parametrize("family, draw", [
    (ig.Gamma(), lambda rng: np.concatenate([rng.gamma(2.0, 1.0, 150), rng.gamma(50.0, 1.0, 50)])),
    (ig.Beta(), lambda rng: np.concatenate([rng.beta(2.0, 9.0, 150), rng.beta(40.0, 5.0, 50)])),
    (ig.VonMises(), lambda rng: np.concatenate([rng.vonmises(0.0, 8.0, 150), rng.vonmises(3.0, 8.0, 50)])),
    (ig.Independent(ig.Poisson(), 2), lambda rng: np.concatenate([rng.poisson((2, 9), (150, 2)), rng.poisson(30, (50, 2))]))],
    ids=["Gamma", "Beta", "VonMises", "Poisson pairs"])
def test_a_mixture_of_any_family(family, draw):
    """The likelihood never falls, the three quarters are found, and a stationary point is reached: θ is the weighted fit."""
    x = np.asarray(draw(np.random.default_rng(0)), dtype=float)
    if family.support.shape == (2,) and family.dim == 2 and x.ndim == 1:
        x = np.stack([np.cos(x), np.sin(x)], axis=-1)
    start = mixture_start(family, x, 2, np.random.default_rng(0))
    found = fit_mixture(family, x, *start, tol=1e-13, max_steps=500)
    assert found.converged and np.all(np.diff(found.values) >= -1e-13)
    np.testing.assert_allclose(np.sort(found.weights), [0.25, 0.75], atol=0.02)
    joint = np.log(found.weights)[:, None] + family.log_density(found.theta[:, None, :], x)
    share = np.exp(joint - logsumexp(joint, axis=0))
    for j in range(2):
        np.testing.assert_allclose(family.to_eta(family.fit(x, share[j])), family.to_eta(found.theta[j]), rtol=1e-4)


def test_a_prior_count_keeps_components_open():
    """A component that closes in on one of two equal points is an error, and none with a prior count."""
    family, x = ig.Normal(), np.array([0.0, 0.0, 5.0, 5.0, 5.1, 4.9])
    start = family.theta_from(mean=[0.0, 5.0], variance=[0.1, 0.1]), [0.5, 0.5]
    with pytest.raises(ig.DomainError,
                       match="mean statistic of each component .* prior_count above 0 "):
        fit_mixture(family, x, *start, tol=0.0, max_steps=100)
    found = fit_mixture(family, x, *start, tol=1e-12, max_steps=500, prior_count=0.5)
    assert found.converged and np.all(np.diff(found.values) >= -1e-13)
    everything = x.mean(), np.mean(x**2)
    first = family.to_eta(found.theta)[0]
    mass = 6 * found.weights[0]
    joint = np.log(found.weights)[:, None] + family.log_density(found.theta[:, None, :], x)
    share = np.exp(joint - logsumexp(joint, axis=0))[0]
    expected = [(0.5 * m + share @ t) / (0.5 + mass) for m, t in zip(everything, (x, x**2))]
    np.testing.assert_allclose(first, expected, rtol=1e-4)


@parametrize_with_checks([BregmanKMeans(n_clusters=3), FamilyMixture()])
def test_estimators(estimator, check):
    check(estimator)


def test_kmeans_estimator_is_kmeans():
    """With the Euclidean generator, half the inertia of scikit-learn's own; with negative entropy, the worked example."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(m, 1.0, (50, 2)) for m in (-6, 0, 6)])
    own = BregmanKMeans(3, n_init=5, random_state=0).fit(X)
    theirs = KMeans(3, n_init=5, random_state=0).fit(X)
    np.testing.assert_allclose(own.inertia_, theirs.inertia_ / 2, rtol=1e-10)
    np.testing.assert_allclose(np.sort(own.cluster_centers_, axis=0), np.sort(theirs.cluster_centers_, axis=0), rtol=1e-10)
    np.testing.assert_allclose(own.score(X), -own.inertia_, rtol=1e-12)
    counts = BregmanKMeans(3, generator=ig.NegativeEntropy, n_init=10, random_state=0).fit(COUNTS[:, None])
    np.testing.assert_allclose(np.sort(counts.cluster_centers_[:, 0]), [1.8, 9.5, 31.5], rtol=1e-12)
    np.testing.assert_allclose(counts.inertia_, 1.503658357779, rtol=1e-11)
    assert np.array_equal(counts.predict(COUNTS[:, None]), counts.labels_)


def test_mixture_estimator():
    """The likelihood that scikit-learn's Gaussian mixture finds, without its added variance; a family of numbers."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(-3, 1, (200, 2)), rng.normal(3, 0.5, (100, 2))])
    own = FamilyMixture(2, random_state=0).fit(X)
    theirs = GaussianMixture(2, covariance_type="diag", reg_covar=0.0, tol=1e-10, max_iter=1000, random_state=0).fit(X)
    np.testing.assert_allclose(own.score(X), theirs.score(X), rtol=1e-9)
    np.testing.assert_allclose(own.predict_proba(X).sum(axis=1), np.ones(300), rtol=1e-12)
    np.testing.assert_allclose(own.score_samples(X).mean(), own.values_[-1], rtol=1e-12)
    assert own.converged_ and np.array_equal(own.predict(X), own.labels_)
    poisson = FamilyMixture(3, family=lambda features: ig.Poisson(), random_state=0).fit(COUNTS[:, None])
    assert np.all(np.sort(poisson.family_.parameters(poisson.theta_)["rate"]) > [1.7, 9.0, 31.0])


@every_dtype
def test_every_backend(backend, dtype):
    """Seeds from the same generator, clusters and mixtures."""
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    points = backend.make(LOGS, dtype)
    if backend.name != "cupy":
        seeds, expected = (kmeans_plus_plus(POISSON, x, 3, np.random.default_rng(5)) for x in (points, LOGS))
        assert np.allclose(backend.check(seeds, dtype), expected, rtol=tolerance)
    start = np.log([[1.0], [10.0], [30.0]]), np.full(3, 1 / 3)
    expected = fit_mixture(POISSON, COUNTS, *start, tol=1e-9, max_steps=20)
    made = [backend.make(x, dtype) for x in start]
    found = fit_mixture(POISSON, backend.make(COUNTS, dtype), *made, tol=1e-9, max_steps=20)
    for own, reference in zip(found[:2], expected[:2]):
        assert np.allclose(backend.check(own, dtype), reference, rtol=tolerance)
    assert np.allclose(backend.check(found.values, dtype)[:4], expected.values[:4], rtol=tolerance)


def test_errors():
    with pytest.raises(ig.ShapeError, match=r"^theta must have shape \(n, 1\), n >= 1; got \(13, 1, 1\)"):
        bregman_kmeans(POISSON, LOGS[:, None], LOGS[:2], max_steps=3)
    with pytest.raises(ValueError, match="k must satisfy 1 <= k <= 13"):
        kmeans_plus_plus(POISSON, LOGS, 14, np.random.default_rng(0))
    with pytest.raises(ig.DomainError, match="weights must satisfy weights >= 0"):
        bregman_kmeans(POISSON, LOGS, LOGS[:2], -np.ones(13), max_steps=3)
    with pytest.raises(ig.ShapeError, match=r"theta and weights must have shapes \(k, 1\) and \(k,\); got \(2, 1\) and \(3,\)"):
        fit_mixture(POISSON, COUNTS, LOGS[:2], np.ones(3), tol=0.0, max_steps=1)
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(n\), n >= 1; got \(13, 1\)"):
        fit_mixture(POISSON, COUNTS[:, None], LOGS[:2], np.ones(2), tol=0.0, max_steps=1)
    with pytest.raises(ig.DomainError, match="^x must satisfy x an integer"):
        fit_mixture(POISSON, COUNTS + 0.5, LOGS[:2], np.ones(2), tol=0.0, max_steps=1)
    with pytest.raises(ig.DomainError, match="^X must satisfy X > 0"):
        BregmanKMeans(2, generator=ig.NegativeEntropy).fit([[0.0], [1.0], [2.0]])
