"""Times that are censored or seen from an entry on: covectors by quadrature, and what is found of data of a known law."""
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

import infogeo as ig
from infogeo.boosting import CRPS, LeafMetric, NaturalGradientBoostingSurvival, default_chart
from infogeo.boosting.censoring import CensoredLogScore, censored, log_probability

Survival = NaturalGradientBoostingSurvival
INF = np.inf
rng = np.random.default_rng(0)
N = 1200
X = rng.uniform(-1.0, 1.0, (N, 3))
MEDIAN = np.exp(1.0 + np.sin(3.0 * X[:, 0]) + X[:, 1])
TIMES = MEDIAN * np.exp(0.4 * rng.standard_normal(N))
LIMITS = rng.exponential(6.0, N)


@pytest.mark.parametrize("lower, upper", [(1.2, INF), (-INF, 1.2), (0.5, 2.0), (3.0, 3.1), (-INF, INF)])
@pytest.mark.parametrize("M", [ig.Gamma(), ig.LogNormal(), ig.InverseGaussian(), ig.Exponential()], ids=repr)
def test_covector_is_that_of_the_mean_statistic(M, lower, upper):
    """η − E[T | lower < x ≤ upper], raised; of a late entry the same with the other sign, beside the event."""
    theta = M.theta_domain.sample(np.random.default_rng(1), 1, scale=0.2)
    chart, rule = default_chart(M), CensoredLogScore()
    u, low, high = chart.from_theta(theta), max(lower, 0.0), min(upper, 200.0)
    if lower == -INF and upper == INF:
        lower, upper, entry = 2.5, 2.5, 0.7
        low, high = 0.7, 200.0
    else:
        entry = -INF
    density = lambda x: np.exp(M.log_density(theta[0], x))
    share = quad(density, low, high, limit=400)[0]
    mean = lambda k: quad(lambda x: M.sufficient_statistic(x)[k] * density(x), low, high, limit=400)[0] / share
    T = np.asarray([mean(k) for k in range(M.dim)])
    c = M.to_eta(theta)[0] - T if entry == -INF else T - M.sufficient_statistic(2.5)
    y = np.asarray([[lower, upper, entry]])
    natural = rule.natural_gradient(chart, u, theta, y)[0]
    np.testing.assert_allclose(natural, chart.raised(u, theta, c[None])[0], rtol=1e-6, atol=1e-8)
    lowered, diagonal = rule.lowered(chart, u, theta, y)
    metric = chart.metric(u, theta)[0]
    np.testing.assert_allclose(lowered[0], metric @ natural, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(diagonal[0], np.diagonal(metric), rtol=1e-14)


def test_the_gamma_law_beyond_a_bound():
    M = ig.Gamma()
    theta = M.theta_from(shape=[2.5], rate=[1.5])
    chart = default_chart(M)
    c = CensoredLogScore().covector(chart, chart.from_theta(theta), theta, np.asarray([[1.2, INF, -INF]]))[0]
    np.testing.assert_allclose(c, np.asarray([-0.4453163, -0.5923746]) * [2.5, -1.5], rtol=1e-6)


def test_probabilities_of_intervals_far_out():
    """10 to 10.001 and −10.001 to −10 deviations from the mean have the same, near 0.001 times the density."""
    M, theta = ig.Normal(), ig.Normal().theta_from(mean=[0.0, 0.0], variance=[1.0, 1.0])
    found = log_probability(M, theta, np.asarray([10.0, -10.001]), np.asarray([10.001, -10.0]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    assert np.isclose(found[0], np.log(0.001) - 0.5 * 10.0005**2 - 0.5 * np.log(2 * np.pi), rtol=1e-7)
    wide = log_probability(M, theta[:1], np.asarray([-30.0]), np.asarray([30.0]))
    assert abs(wide[0]) < 1e-15


def right_censored():
    y = np.zeros(N, dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = TIMES <= LIMITS, np.minimum(TIMES, LIMITS)
    return y


def medians(y, rows=slice(None), **settings):
    model = Survival(max_iter=60, learning_rate=0.1, **settings).fit(X[rows], y)
    return np.log(model.predict_quantiles(X, 0.5)) - np.log(MEDIAN), model


def test_what_is_censored_does_not_bias():
    """Of 40 % censored from the right, of whole days, and of rows that were seen from an entry on; none would do without."""
    y = right_censored()
    assert 0.5 < np.mean(y["event"]) < 0.7
    error, model = medians(y)
    assert abs(np.mean(error)) < 0.05 and np.std(error) < 0.25
    assert np.mean(medians(y["time"])[0]) < -0.3
    assert model.score(X, y) > 0.85 and model.log_score(X, y) < model.train_score_[0]
    days = np.stack([np.where(np.floor(TIMES) == 0, -INF, np.floor(TIMES)), np.floor(TIMES) + 1.0], axis=1)
    assert abs(np.mean(medians(days)[0])) < 0.06
    entry = rng.exponential(2.0, N)
    late = TIMES > entry
    table = np.stack([TIMES, TIMES, entry], axis=1)[late]
    assert abs(np.mean(medians(table, late)[0])) < 0.05 < np.mean(medians(TIMES[late], late)[0])


@pytest.mark.parametrize("family", [ig.Exponential, ig.Gamma, ig.Weibull(2.0), ig.InverseGaussian, ig.Poisson])
@pytest.mark.parametrize("leaf", [LeafMetric, ig.boosting.Pointwise])
def test_families(family, leaf):
    y = right_censored()
    if family is ig.Poisson:
        y["time"] = np.round(y["time"])
    model = Survival(family, max_iter=8, leaf=leaf).fit(X, y)
    assert np.all(np.diff(model.train_score_) < 0)
    survival = model.predict_survival(X[:5], [1.0, 3.0, 9.0])
    assert survival.shape == (5, 3) and np.all(np.diff(survival, axis=1) <= 0)
    np.testing.assert_array_equal(survival[:, 1], model.predict_survival(X[:5], 3.0))
    assert len(list(model.staged_predict(X))) == 8 and model.predict(X).shape == (N,)


def test_the_marginal_law_has_no_slope():
    """Of exponential times it is the number of events over the sum of all times."""
    y = right_censored()
    model = Survival(ig.Exponential, max_iter=1).fit(X, y)
    assert np.isclose(-model.base_theta_[0], np.sum(y["event"]) / np.sum(y["time"]), rtol=1e-6)


def test_ways_to_write_times():
    rows = [[2.0, 2.0, -INF], [3.0, INF, -INF]]
    np.testing.assert_array_equal(censored([[2.0, 2.0], [3.0, INF]]), rows)
    fields = np.asarray([(True, 2.0), (False, 3.0)], dtype=[("Event", bool), ("Time", float)])
    np.testing.assert_array_equal(censored(fields), rows)
    np.testing.assert_array_equal(censored(pd.DataFrame({"lower": [2.0, 3.0], "upper": [2.0, INF]})), rows)
    np.testing.assert_array_equal(censored([5.0, 6.0]), [[5.0, 5.0, -INF], [6.0, 6.0, -INF]])
    with_entry = censored(pd.DataFrame({"event": [True, False], "time": [2.0, 3.0], "entry": [0.5, 1.0]}))
    np.testing.assert_array_equal(with_entry, [[2.0, 2.0, 0.5], [3.0, INF, 1.0]])


@pytest.mark.parametrize("make, error, words", [
    (lambda: Survival().fit(X, np.stack([TIMES, np.full(N, INF)], axis=1)), ig.DomainError, "y has no event: all 1200 times"),
    (lambda: censored([[3.0, 2.0]]), ig.DomainError, "lower <= upper"),
    (lambda: censored([[np.nan, 2.0]]), ig.DomainError, "missing"),
    (lambda: censored([[2.0, 2.0, 3.0]]), ig.DomainError, "entry < upper"),
    (lambda: censored(np.zeros((2, 4))), ig.ShapeError, r"\(n, 2\) or \(n, 3\); got shape \(2, 4\)"),
    (lambda: censored(np.zeros(2, dtype=[("a", bool), ("b", float)])), ig.ShapeError, "event and time.*got a, b"),
    (lambda: Survival().fit(X, -TIMES), ig.DomainError, "y must satisfy y > 0"),
    (lambda: Survival(scoring_rule=CRPS).fit(X, TIMES), TypeError, "scored by LogScore"),
    (lambda: Survival(ig.MultivariateNormal(2)).fit(X, TIMES), TypeError, "a survival time is one number")])
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()
