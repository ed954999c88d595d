"""The charts in which parameters are boosted, of every family that has one."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.boosting import ExpectationChart, NaturalChart, NaturalGradientBoostingRegressor, OrdinaryChart, default_chart

from ..registry import FAMILIES, is_slow, region

CHARTED = {name: M for name, M in FAMILIES.items() if name != "ComplexNormal(2)"}
FAST = {name: M for name, M in CHARTED.items() if not is_slow(M)}
every_charted = pytest.mark.parametrize("M", CHARTED.values(), ids=CHARTED)


def along(f, u, h=1e-5):
    """∂f/∂u, last, by central differences."""
    return np.stack([(f(u + h * e) - f(u - h * e)) / (2.0 * h) for e in np.eye(u.shape[-1])], axis=-1)


def at_random(M, seed):
    rng = np.random.default_rng(seed)
    theta = region(M).sample(rng, (3,), 0.3)
    return theta, M.sample(rng, theta)


CHARTS = {name: default_chart(M) for name, M in CHARTED.items()} | {"η of Gamma": ExpectationChart(ig.Gamma())}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_calculus(chart):
    """Round trip; ∂(−log p)/∂u and JᵀGJ by differences; J⁻¹; the natural gradient is the raised covector."""
    M, (theta, y) = chart.family, at_random(chart.family, 190)
    u = chart.from_theta(theta)
    np.testing.assert_allclose(chart.to_theta(u), theta, rtol=1e-12, atol=1e-13)
    assert len(chart.columns) == len(set(chart.columns)) == len(chart.owners) == M.dim
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7 * (1.0 + np.max(np.abs(b))))
    J = along(chart.to_theta, u)
    close(chart.covector(u, theta, y), along(lambda u: -M.log_density(chart.to_theta(u), y), u))
    close(chart.metric(u, theta), np.swapaxes(J, -1, -2) @ M.metric(theta) @ J)
    vector = np.random.default_rng(191).standard_normal(u.shape)
    close(chart.pull_in(theta, (J @ vector[..., None])[..., 0]), vector)
    natural = chart.residual(u, theta, y)
    close(natural, np.linalg.solve(chart.metric(u, theta), chart.covector(u, theta, y)[..., None])[..., 0])


@every_charted
def test_steps_agree_to_first_order(M):
    """‖θ(u − h du) − (θ − h dθ)‖ falls by 4 when h halves: the natural gradient is one, whatever the chart."""
    chart, (theta, y) = default_chart(M), at_random(M, 192)
    u, h = chart.from_theta(theta), 2e-3
    d_theta, du = M.sharp(theta, M.to_eta(theta) - M.sufficient_statistic(y)), chart.residual(chart.from_theta(theta), theta, y)
    size = 1.0 + np.max(np.abs(du), axis=-1, keepdims=True)
    gap = [np.linalg.norm(chart.to_theta(u - k * du / size) - (theta - k * d_theta / size), axis=-1) for k in (h, h / 2)]
    noise = 1e-13 * (1.0 + np.linalg.norm(theta, axis=-1))
    assert np.all((np.abs(gap[0] - 4.0 * gap[1]) < 0.1 * gap[0]) | (gap[0] < noise))


@pytest.mark.parametrize("M", FAST.values(), ids=FAST)
def test_two_leaves_converge_to_the_fits_of_both_groups(M):
    """With one binary feature and leaves that hold a group each, boosting is an iteration of its own for each group."""
    rng = np.random.default_rng(193)
    theta = region(M).sample(rng, (2,), 0.1)
    y = np.moveaxis(M.sample(rng, theta, (40,)), 1, 0)
    fits = np.stack([M.fit(group) for group in y])
    X = np.repeat([[0.0], [1.0]], 40, axis=0)
    model = NaturalGradientBoostingRegressor(M, max_iter=60, learning_rate=0.5, max_leaf_nodes=2)
    found = model.fit(X, y.reshape(80, *M.support.shape)).predict_dist(X[[0, -1]])
    np.testing.assert_allclose(M.to_eta(found.theta), M.to_eta(fits), rtol=1e-5, atol=1e-6)


def test_names_of_columns():
    columns = lambda M: default_chart(M).columns
    assert columns(ig.Normal()) == ("mean", "log variance") and default_chart(ig.Normal()).owners == ("mean", "variance")
    assert columns(ig.Zeta()) == ("log (exponent - 1)",) and columns(ig.Geometric()) == ("logit probability",)
    assert columns(ig.DiagonalNormal(2)) == ("mean[0]", "mean[1]", "log variance[0]", "log variance[1]")
    assert columns(ig.MultivariateNormal(2))[2:] == (
        "log cholesky[0, 0] of covariance", "cholesky[1, 0] of covariance", "log cholesky[1, 1] of covariance")
    assert columns(ig.Categorical(3)) == ("theta[0]", "theta[1]")


def test_refusals():
    with pytest.raises(TypeError, match="ComplexNormal.*offered are every family"):
        default_chart(ig.ComplexNormal(2))
    with pytest.raises(TypeError, match="θ of Normal\\(\\) does not fill R\\^d: theta\\[1\\] < 0"):
        NaturalChart(ig.Normal())
    with pytest.raises(TypeError, match="has a chart without an inverse"):
        ExpectationChart(ig.Normal())


def test_chart_of_eta():
    """Of a Poisson law all charts are the log rate."""
    M, y = ig.Poisson(), np.asarray([3.0, 0.0])
    theta = np.asarray([[0.3], [1.2]])
    for chart in (ExpectationChart(M), OrdinaryChart(M), NaturalChart(M)):
        u = chart.from_theta(theta)
        np.testing.assert_allclose(u, theta, rtol=1e-15)
        np.testing.assert_allclose(chart.residual(u, theta, y), (np.exp(theta) - y[:, None]) / np.exp(theta), rtol=1e-14)
