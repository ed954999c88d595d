"""Centroids with known values: three categoricals, closed forms, the geodesic walk that is not the Jeffreys centroid."""
import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import lambertw

import infogeo as ig
from infogeo.geometry.centroids.centroid import (bregman_information, frechet_mean, jeffreys_centroid, jensen_centroid,
                                                 jensen_shannon_centroid, left_centroid, right_centroid, total_bregman_centroid)

M = ig.Categorical(3)
THREE = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.25, 0.5, 0.25]])
POINTS = M.theta_from(probabilities=THREE)


def p_of(theta, M=M):
    return M.parameters(theta)["probabilities"]


def test_sided_centroids():
    np.testing.assert_allclose(p_of(right_centroid(M, POINTS)), THREE.mean(axis=0), rtol=1e-14)
    geometric = np.exp(np.log(THREE).mean(axis=0))
    np.testing.assert_allclose(p_of(left_centroid(M, POINTS)), geometric / geometric.sum(), rtol=1e-14)
    weights = [1.0, 2.0, 5.0]
    np.testing.assert_allclose(p_of(right_centroid(M, POINTS, weights)), np.array(weights) @ THREE / 8, rtol=1e-14)


def test_right_centroid_is_the_fit():
    """Of single observations in a family whose T fills the domain: the mean; of fits to groups, the fit to all."""
    family, rng = ig.Gamma(), np.random.default_rng(0)
    x = rng.gamma(2.0, 1.0, (30, 4))
    groups = family.fit(np.moveaxis(x.reshape(3, 10, 4), 1, 0))
    np.testing.assert_allclose(right_centroid(family, groups), family.fit(x), rtol=1e-10)


def test_bregman_information_is_mutual_information():
    """Of the rows of a channel: I = Σ w_i p_ij log(p_ij / p_j); of Poisson counts 1, 2, 1, …, 79.258050456455 in all."""
    w = np.array([0.2, 0.3, 0.5])
    expected = np.sum(w[:, None] * THREE * np.log(THREE / (w @ THREE)))
    np.testing.assert_allclose(bregman_information(M, POINTS, 7 * w), expected, rtol=1e-13)
    counts = np.array([1, 2, 1, 3, 2, 9, 11, 10, 8, 30, 28, 33, 35.0])
    np.testing.assert_allclose(13 * bregman_information(ig.Poisson(), np.log(counts)[:, None]), 79.258050456455, rtol=1e-13)


def lambert_form(probabilities):
    """(c, λ) with c_j = a_j / W(a_j e^{1+λ} / g_j) and Σ c_j = 1, a the arithmetic, g the normalised geometric mean."""
    a, g = probabilities.mean(axis=0), np.exp(np.log(probabilities).mean(axis=0))
    g = g / g.sum()
    c = lambda level: a / lambertw(a * np.exp(1 + level) / g).real
    level = brentq(lambda level: c(level).sum() - 1, np.max(a + np.log(g)) - 1, 0, xtol=1e-15, rtol=1e-14)
    return c(level), level


@pytest.mark.parametrize("rows, expected, objective", [
    (2, [0.282579377908093, 0.270136829034613, 0.447283793057294], 0.325084277382391),
    (3, [0.275044105248, 0.345220442856, 0.379735451897], 0.2740814256372855)])
def test_jeffreys_centroid(rows, expected, objective):
    """The tabulated centroids and mean divergences, and the form with Lambert's function, λ = −KL(c‖g)."""
    c = jeffreys_centroid(M, POINTS[:rows])
    np.testing.assert_allclose(p_of(c), expected, rtol=3e-12)
    np.testing.assert_allclose(ig.jeffreys(M, POINTS[:rows], c).mean(), objective, rtol=1e-13)
    lambert, level = lambert_form(THREE[:rows])
    np.testing.assert_allclose(p_of(c), lambert, rtol=1e-11)
    np.testing.assert_allclose(level, -M.kl(c, left_centroid(M, POINTS[:rows])), rtol=1e-9)
    if rows == 2:
        np.testing.assert_allclose(level, -0.00130302540816824, rtol=1e-9)


@pytest.mark.parametrize("rows, excess", [(2, 3.1e-7), (3, 1.1e-8)])
def test_the_geodesic_walk_is_not_the_jeffreys_centroid(rows, excess):
    """The point of the e-geodesic from a to g with D(a‖c) = D(c‖g) has a larger objective, by the tabulated excess."""
    a, g = right_centroid(M, POINTS[:rows]), left_centroid(M, POINTS[:rows])
    walk = lambda t: M.to_theta(ig.e_geodesic(M.dual, M.to_eta(a), M.to_eta(g), t))
    t = brentq(lambda t: M.kl(a, walk(t)) - M.kl(walk(t), g), 0, 1, xtol=1e-15)
    objective = lambda c: ig.jeffreys(M, POINTS[:rows], c).mean()
    found = objective(walk(t)) - objective(jeffreys_centroid(M, POINTS[:rows]))
    np.testing.assert_allclose(found, excess, rtol=0.05)


def test_jeffreys_centroid_of_spread_points():
    """Where the Newton step needs its damping: against a direct minimisation over the logits."""
    family = ig.Categorical(4)
    p = np.array([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01], [1e-4, 1e-4, 0.4998, 0.5], [0.25, 0.25, 0.25, 0.25]])
    theta = family.theta_from(probabilities=p)
    c = jeffreys_centroid(family, theta)
    objective = lambda c: ig.jeffreys(family, theta, c).mean()
    direct = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    assert objective(c) <= direct.fun + 1e-14
    np.testing.assert_allclose(p_of(c, family), lambert_form(p)[0], rtol=1e-9)


def test_jensen_shannon_centroid():
    """(.277471889911, .344578580971, .377949529118) with mean Jensen–Shannon divergence .03359921451553."""
    c = p_of(jensen_shannon_centroid(M, POINTS))
    np.testing.assert_allclose(c, [0.277471889911, 0.344578580971, 0.377949529118], rtol=2e-12)
    middle = (THREE + c) / 2
    value = np.mean(np.sum(THREE * np.log(THREE / middle) + c * np.log(c / middle), axis=1)) / 2
    np.testing.assert_allclose(value, 0.03359921451553, rtol=1e-12)


def test_jensen_centroid_minimises_the_bhattacharyya_distances():
    c = jensen_centroid(M, POINTS)
    value = lambda c: np.mean(-np.log(np.sum(np.sqrt(THREE * p_of(c)), axis=-1)))
    for direction in np.random.default_rng(0).standard_normal((20, 2)):
        assert value(c + 1e-4 * direction) > value(c)
    variances = np.array([0.1, 4.0, 30.0])
    normal = ig.NormalKnownMean(0.0)
    points = normal.theta_from(variance=variances)
    found = normal.parameters(jensen_centroid(normal, points))["variance"]
    # in the variance v: 1/v = mean of 1 / (½/v + ½/v_i), inverted
    np.testing.assert_allclose(found, np.mean(1 / (0.5 / found + 0.5 / variances)), rtol=1e-11)


def test_frechet_means():
    """Of Poisson laws the square of the mean root, of exponentials the geometric mean, on the sphere √p normalised for two."""
    poisson = ig.Poisson()
    rates = np.array([1.0, 4.0, 25.0])
    found = frechet_mean(poisson, np.log(rates)[:, None], tol=1e-12)
    np.testing.assert_allclose(np.exp(found), [(8 / 3) ** 2], rtol=1e-10)
    exponential = ig.Exponential()
    found = exponential.parameters(frechet_mean(exponential, exponential.theta_from(rate=rates), tol=1e-12))["rate"]
    np.testing.assert_allclose(found, 100 ** (1 / 3), rtol=1e-10)
    root = np.sqrt(THREE[:2]).sum(axis=0)
    two = p_of(frechet_mean(M, POINTS[:2], tol=1e-12))
    np.testing.assert_allclose(two, root**2 / np.sum(root**2), rtol=1e-10)
    weighted = frechet_mean(M, POINTS[:2], [0.25, 0.75], tol=1e-12)
    np.testing.assert_allclose(weighted, M.geodesic(POINTS[0], POINTS[1], 0.75), rtol=1e-9)


def test_total_bregman_centroid():
    """The tabulated weights 1 / √(1 + |η|²), and the minimum of the total divergences with the centroid as first argument."""
    c = total_bregman_centroid(M, POINTS)
    eta = THREE[:, :2]
    u = 1 / np.sqrt(1 + np.sum(eta**2, axis=1))
    np.testing.assert_allclose(M.to_eta(c), u @ eta / u.sum(), rtol=1e-13)
    value = lambda c: np.sum(ig.bregman(M, c, POINTS) * u)
    for direction in np.random.default_rng(0).standard_normal((20, 2)):
        assert value(c + 1e-4 * direction) > value(c)


def test_large_samples_and_batches():
    """A hundred thousand points in batches: each column as alone."""
    theta = ig.Normal().theta_domain.sample(np.random.default_rng(0), (25_000, 4), 0.3)
    weights = np.random.default_rng(1).uniform(0, 1, (25_000, 4))
    for centroid in (right_centroid, left_centroid, jeffreys_centroid, total_bregman_centroid, bregman_information):
        whole = centroid(ig.Normal(), theta, weights)
        np.testing.assert_allclose(whole[2], centroid(ig.Normal(), theta[:, 2], weights[:, 2]), rtol=1e-12)


def test_errors():
    with pytest.raises(ig.ShapeError, match="theta must have a sample axis of at least one point first; got shape \\(2,\\)"):
        right_centroid(M, POINTS[0])
    with pytest.raises(ig.ShapeError, match=r"weights must have shape \(3,\); got \(2,\)"):
        left_centroid(M, POINTS, [1.0, 2.0])
    with pytest.raises(ig.DomainError, match=r"weights must satisfy weights >= 0; 1 of 3 points does not, first at index \(1,\)"):
        jeffreys_centroid(M, POINTS, [1.0, -2.0, 3.0])
    with pytest.raises(ig.DomainError, match="the sum of weights must satisfy the sum of weights > 0; got 0"):
        bregman_information(M, POINTS, [0.0, 0.0, 0.0])
    with pytest.raises(ig.DomainError, match=r"^theta must satisfy theta\[1\] < 0; 1 of 2 points does not"):
        right_centroid(ig.Normal(), [[0.0, -1.0], [0.0, 1.0]])
    with pytest.raises(ig.ConvergenceError, match="jensen_centroid: .* in 1 of 1 rows"):
        jensen_centroid(M, POINTS, max_steps=1)
    with pytest.raises(ig.ConvergenceError, match="frechet_mean: "):
        frechet_mean(M, POINTS, tol=1e-12, max_steps=1)


@pytest.mark.parametrize("far", [5, 9, 20, 40])
def test_jeffreys_centroids_of_far_points(far):
    """Of exponential laws the geometric mean of the rates, here 1; of normal laws of one mean likewise, of their variances."""
    apart = np.array([10.0**-far, 10.0**far])
    np.testing.assert_allclose(jeffreys_centroid(ig.Exponential(), -apart[:, None]), [-1.0], rtol=1e-14)
    for mean in (0.0, 1.0, -30.0):
        found = ig.Normal().parameters(jeffreys_centroid(ig.Normal(), ig.Normal().theta_from(mean=mean, variance=apart)))
        np.testing.assert_allclose([found["mean"], found["variance"]], [mean, 1.0], rtol=1e-12)


def test_jeffreys_centroids_of_far_points_in_other_families():
    """By mpmath's findroot at 50 digits: e^c (1 + c) = cosh 15 in Poisson; in Gamma of shape 2 and rates 1e∓6 the pair below."""
    np.testing.assert_allclose(jeffreys_centroid(ig.Poisson(), [[-15.0], [15.0]]), [11.760498476713394], rtol=1e-14)
    gamma = ig.Gamma()
    theta = gamma.theta_from(shape=2.0, rate=np.array([1e-6, 1e6]))
    found = jeffreys_centroid(gamma, theta)
    np.testing.assert_allclose(found, [1.9998666982068216e-4, -9.998666889948944e-3], rtol=1e-10)
    np.testing.assert_allclose(ig.jeffreys(gamma, theta, found).mean(), 29989.7893895698, rtol=1e-12)


@pytest.mark.parametrize("centroid", [jeffreys_centroid, jensen_centroid])
def test_a_centroid_does_not_depend_on_its_batch(centroid, backend):
    """Near rows and far ones, which take other ways, side by side and by themselves, to the last bit."""
    M, rng = ig.Normal(), np.random.default_rng(3)
    spread = np.array([0.1, 1.0, 3.0, 6.0])
    theta = M.theta_from(mean=rng.standard_normal((5, 4)), variance=np.exp(spread * rng.standard_normal((5, 4))))
    together = centroid(M, theta)
    for k in range(4):
        np.testing.assert_array_equal(centroid(M, theta[:, k, :]), together[k])
    np.testing.assert_allclose(backend.check(centroid(M, backend.make(theta, "float64"))), together, rtol=1e-12)


def test_jensen_centroids_of_far_points():
    """Of exponential laws of rates 1e∓5 the geometric mean, to what the difference of 1e-5 of its terms leaves; or no answer."""
    np.testing.assert_allclose(jensen_centroid(ig.Exponential(), [[-1e-5], [-1e5]]), [-1.0], rtol=1e-9)
    np.testing.assert_allclose(jensen_centroid(ig.Poisson(), [[-15.0], [15.0]]), [13.613706250684657], rtol=1e-12)
    with pytest.raises(ig.ConvergenceError, match="jensen_centroid: the sum is flat to rounding"):
        jensen_centroid(ig.Exponential(), [[-1e-30], [-1e30]])


@pytest.mark.parametrize("M", [ig.Normal(), ig.LogNormal(), ig.DiagonalNormal(1), ig.IsotropicNormal(1), ig.MultivariateNormal(1),
                               ig.Independent(ig.Normal(), 1), ig.Product(ig.Normal())], ids=str)
def test_means_of_normals_far_from_0(M):
    """(1e9, 1) and (1e9 + 1, 1) have in the middle the mean 1e9 + ½ and the variance 1 + ¼; η holds no digit of that."""
    one = ig.Normal()
    theta = one.theta_from(mean=np.array([1e9, 1e9 + 1.0]), variance=1.0)
    for c in (right_centroid(M, theta), ig.m_geodesic(M, theta[0], theta[1], 0.5)):
        found = one.parameters(c)
        np.testing.assert_allclose([found["mean"] - 1e9, found["variance"]], [0.5, 1.25], rtol=1e-6)
    np.testing.assert_allclose(bregman_information(M, theta), 0.5 * np.log(1.25), rtol=1e-6)
