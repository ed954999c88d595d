"""Scores of predicted laws: gradients by differences, metrics by quadrature, and the numbers of closed forms."""
import numpy as np
import pytest
from scipy.integrate import quad

import infogeo as ig
from infogeo.boosting import CRPS, Brier, LeafMetric, LogScore, NaturalChart, Pointwise, default_chart
from infogeo.boosting.crps import crps_by_nodes, crps_law

NUMBERS = [ig.Normal(), ig.Gamma(), ig.LogNormal(), ig.Beta(), ig.InverseGaussian(), ig.Exponential(), ig.Weibull(1.7),
           ig.Pareto(2.0), ig.Laplace(0.5), ig.Gumbel(2.0), ig.Chi(), ig.LogitNormal(), ig.ContinuousBernoulli(), ig.Poisson(),
           ig.NegativeBinomial(7), ig.Binomial(7), ig.Bernoulli(), ig.LogSeries(), ig.ConwayMaxwellPoisson(),
           ig.Truncated(ig.Exponential(), 0.0, 2.0)]
every_number = pytest.mark.parametrize("M", NUMBERS, ids=repr)


def at_random(M, n=4, seed=0):
    rng = np.random.default_rng(seed)
    theta = M.theta_domain.sample(rng, n, scale=0.3)
    chart = default_chart(M)
    return chart, chart.from_theta(theta), theta, np.asarray(M.sample(rng, theta), dtype=float)


def along(f, u, h=1e-4):
    return np.stack([(f(u + h * e) - f(u - h * e)) / (2.0 * h) for e in np.eye(u.shape[-1])], axis=-1)


@every_number
def test_gradient_of_the_crps_by_differences(M):
    chart, u, theta, y = at_random(M)
    covector = CRPS().covector(chart, u, theta, y)
    differences = along(lambda u: CRPS().value(M, chart.to_theta(u), y), u)
    np.testing.assert_allclose(covector, differences, rtol=5e-5, atol=1e-6 * np.max(np.abs(covector)))
    natural = CRPS().natural_gradient(chart, u, theta, y)
    np.testing.assert_allclose((CRPS().metric(chart, u, theta) @ natural[..., None])[..., 0], covector, rtol=1e-9)


def integrated(M, theta, y):
    """∫ (F − 1{y ≤ t})² dt by adaptive quadrature over distances from y."""
    low, high = M.support.lower, M.support.upper
    below = lambda t: M.cdf(theta, t) ** 2
    above = lambda t: M.survival(theta, t) ** 2
    return (quad(below, max(low, y - 60.0), y, limit=200, epsabs=1e-12)[0]
            + quad(above, y, min(high, y + 60.0), limit=200, epsabs=1e-12)[0])


@pytest.mark.parametrize("M", [ig.Normal(), ig.Gamma(), ig.Beta(), ig.Gumbel(2.0)], ids=repr)
def test_value_by_quadrature(M):
    _, _, theta, y = at_random(M, 2)
    for nodes in (CRPS().value(M, theta, y), crps_by_nodes(M, theta, y)):
        np.testing.assert_allclose(nodes, [integrated(M, *pair) for pair in zip(theta, y)], rtol=1e-6)


def test_sums_of_a_poisson_law():
    M, theta = ig.Poisson(), np.asarray([[1.0]])
    k = np.arange(60.0)
    for y in (0.0, 3.0, 20.0):
        assert np.isclose(CRPS().value(M, theta, np.asarray([y]))[0], np.sum((M.cdf(theta[0], k) - (k >= y)) ** 2), rtol=1e-10)


def test_nodes_give_the_closed_form_of_the_normal_law():
    chart, u, theta, y = at_random(ig.Normal(), 50)
    covector, metric = crps_law(ig.Normal()).derivatives(chart, u, theta, y)
    np.testing.assert_allclose(covector, CRPS().covector(chart, u, theta, y), rtol=0, atol=1e-8)
    np.testing.assert_allclose(metric, CRPS().metric(chart, u, theta), rtol=0, atol=1e-8)
    np.testing.assert_allclose(crps_by_nodes(ig.Normal(), theta, y), CRPS().value(ig.Normal(), theta, y), rtol=1e-8)


def test_metric_of_the_crps():
    """diag(1/(σ√π), σ/(2√π)) in (μ, log σ), a quarter of the second in log v; of a gamma law by quadrature of ∂F in θ."""
    M, sigma = ig.Normal(), 2.0
    chart, theta = default_chart(M), M.theta_from(mean=[1.0], variance=[sigma**2])
    np.testing.assert_allclose(CRPS().metric(chart, chart.from_theta(theta), theta)[0],
                               np.diag([1.0 / sigma, sigma / 8.0]) / np.sqrt(np.pi), rtol=1e-14)
    M = ig.Gamma()
    chart, theta = default_chart(M), M.theta_from(shape=[2.5], rate=[1.5])
    u = chart.from_theta(theta)
    J = np.diag([2.5, -1.5])            # ∂θ/∂u: θ = (e^{u₁}, −e^{u₂})
    in_theta = np.asarray([[0.2534, 0.3899], [0.3899, 0.6288]])
    np.testing.assert_allclose(CRPS().metric(chart, u, theta)[0], J @ in_theta @ J, rtol=3e-4)


def test_metric_is_the_second_derivative_of_the_divergence():
    """½ duᵀ M du to second order: E_y∼θ[S(θ′, y) − S(θ, y)] by the law's own nodes."""
    M, h = ig.Exponential(), 1e-3
    chart, theta = default_chart(M), np.asarray([[-0.7]])
    u, q = chart.from_theta(theta), (np.arange(20000) + 0.5) / 20000
    y = M.quantile(theta, q)
    mean = lambda u: np.mean(CRPS().value(M, np.broadcast_to(chart.to_theta(u), (20000, 1)), y))
    second = (mean(u + h) - 2.0 * mean(u) + mean(u - h)) / h**2
    assert np.isclose(second, CRPS().metric(chart, u, theta)[0, 0, 0], rtol=2e-3)


def test_the_crps_scales_with_the_unit():
    _, _, theta, y = at_random(ig.Normal())
    parameters = ig.Normal().parameters(theta)
    larger = ig.Normal().theta_from(mean=1e6 * parameters["mean"], variance=1e12 * parameters["variance"])
    np.testing.assert_allclose(CRPS().value(ig.Normal(), larger, 1e6 * y), 1e6 * CRPS().value(ig.Normal(), theta, y), rtol=1e-12)


def test_heavy_tails():
    """Of an inverse gamma law of shape 1, which has no mean: by quadrature in log x."""
    M = ig.InverseGamma()
    chart, theta, y = default_chart(M), M.theta_from(shape=[1.0], scale=[1.3]), 0.9
    F, S = (lambda s: M.cdf(theta[0], np.exp(s)) ** 2 * np.exp(s)), (lambda s: M.survival(theta[0], np.exp(s)) ** 2 * np.exp(s))
    expected = quad(F, -30, np.log(y), limit=300)[0] + quad(S, np.log(y), 80, limit=300)[0]
    assert np.isclose(CRPS().value(M, theta, np.asarray([y]))[0], expected, rtol=1e-6)
    u = chart.from_theta(theta)
    differences = along(lambda u: CRPS().value(M, chart.to_theta(u), np.asarray([y])), u)
    np.testing.assert_allclose(CRPS().covector(chart, u, theta, np.asarray([y])), differences, rtol=1e-5)


def test_a_power_tail():
    """2 ∫ (∂F)² dt = 4 m α² / (2α − 1)³ in log α: of the minimum m = 2 and the exponent 1, of which there is no mean, 8."""
    M = ig.Pareto(2.0)
    chart, theta = default_chart(M), M.theta_from(exponent=[1.0])
    assert np.isclose(CRPS().metric(chart, chart.from_theta(theta), theta)[0, 0, 0], 8.0, rtol=1e-7)


def test_what_the_crps_cannot_score():
    with pytest.raises(TypeError, match=r"MultivariateNormal\(p=2\) has observations of shape \(2,\); use the log score"):
        CRPS().require(default_chart(ig.MultivariateNormal(2)))
    with pytest.raises(ig.DomainError, match="fewer than 1048576 between the quantiles of 1e-13"):
        CRPS().value(ig.Zeta(), ig.Zeta().theta_from(exponent=[1.5]), np.asarray([1.0]))


@pytest.mark.parametrize("M", [ig.Bernoulli(), ig.Categorical(3), ig.Categorical(4, reference=1)], ids=repr)
def test_brier(M):
    chart, u, theta, y = at_random(M)
    rule = Brier()
    differences = along(lambda u: rule.value(M, chart.to_theta(u), y), u)
    np.testing.assert_allclose(rule.covector(chart, u, theta, y), differences, atol=1e-7)
    solved = np.linalg.solve(rule.metric(chart, u, theta), rule.covector(chart, u, theta, y)[..., None])[..., 0]
    natural = rule.natural_gradient(chart, u, theta, y)
    if M.dim == 1:
        np.testing.assert_allclose(natural, solved, rtol=1e-10)
    else:                       # 2 I on the simplex: a step of all probabilities at once
        steps = (u - 1e-6 * natural, u)
        moved = (M.to_eta(chart.to_theta(steps[0])) - M.to_eta(theta)) / 1e-6
        np.testing.assert_allclose(moved, M.sufficient_statistic(y) - M.to_eta(theta), atol=1e-5)
    with pytest.raises(TypeError, match="the Brier score is one of classes"):
        rule.require(default_chart(ig.Normal()))


def test_log_score_is_the_log_density():
    chart, u, theta, y = at_random(ig.Gamma())
    assert np.array_equal(LogScore().value(chart.family, theta, y), -chart.family.log_density(theta, y))
    assert LogScore() == LogScore() != CRPS() and repr(CRPS()) == "CRPS()"


def test_leaf_forms():
    """A leaf is −Σ g / Σ h: with the metric, the natural gradient of the parameter that its rows share."""
    chart, u, theta, y = at_random(ig.Normal(), 6)
    unit = np.asarray([2.0, 3.0])
    g, h = Pointwise().rows(LogScore(), chart, u, theta, y, unit)
    np.testing.assert_allclose(g * unit, chart.residual(u, theta, y), rtol=1e-14)
    assert np.all(h == 1.0)
    g, h = LeafMetric().rows(LogScore(), chart, u, theta, y, unit)
    metric = chart.metric(u, theta)
    expected = np.sum(chart.covector(u, theta, y), axis=0) / np.sum(np.diagonal(metric, axis1=1, axis2=2), axis=0)
    np.testing.assert_allclose(unit * np.sum(g, axis=0) / np.sum(h, axis=0), expected, rtol=1e-13)
    with pytest.raises(ig.DomainError, match="0 < floor <= 1; got 0"):
        LeafMetric(0)


def test_saturated_rows_keep_a_floor():
    M = ig.Bernoulli()
    chart, theta = NaturalChart(M), np.asarray([[0.0], [40.0]])
    g, h = LeafMetric(0.01).rows(LogScore(), chart, theta, theta, np.asarray([1.0, 0.0]), np.asarray([2.0]))
    np.testing.assert_allclose(g[:, 0], [-1.0, 2.0])
    np.testing.assert_allclose(h[:, 0], [1.0, 0.005])
