"""Checks of a posterior by what it predicts, and their pictures."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (LinearRegression, PoissonRegression, Reference, plot_check, plot_intervals, plot_ranks, predictive,
                               predictive_check, predictive_ranks)

from .inference_helpers import X, near

plt = pytest.importorskip("matplotlib.figure")
RNG = np.random.default_rng(0)
Q = ig.MultivariateNormal(3)
THETA = Q.theta_from(mean=[.5, -.3, .2], covariance=0.01 * np.eye(3))
COUNTS = RNG.poisson(np.exp(X @ [.5, -.3, .2])).astype(float)
FOUND = predictive(Q, THETA, PoissonRegression(X, COUNTS, 1.0), X, draws=400, rng=RNG)


def test_a_right_and_a_wrong_model():
    check = predictive_check(FOUND, COUNTS, np.var)
    assert 0.02 < check.share < 0.98 and check.observed == np.var(COUNTS) and check.predicted.shape == (400,)
    near(check.share, np.mean(FOUND.draws.var(axis=1) > np.var(COUNTS)), 1e-15)
    zeros, predicted = np.sum(COUNTS == 0), np.sum(FOUND.draws == 0, axis=1)
    near(predictive_check(FOUND, COUNTS, lambda y: np.sum(y == 0)).share,
         np.mean(predicted > zeros) + np.mean(predicted == zeros) / 2, 1e-15)
    wide = COUNTS * 4.0                         # four times as many at a time
    assert predictive_check(FOUND, wide, np.var).share < 0.01
    below, upto = predictive_ranks(FOUND, COUNTS)
    assert np.all(below <= upto) and 0.35 < np.mean(below + upto) / 2 < 0.65
    near(upto[3], np.mean(FOUND.draws[:, 3] <= COUNTS[3]), 1e-15)


def test_ranks_are_uniform():
    """Of a normal regression whose posterior is the truth: a bin in ten."""
    model = LinearRegression(np.ones((2000, 1)), np.zeros(2000), 1.0)
    theta = model.q.theta_from(mean_0=[0.0], covariance_0=[[1e-8]], shape_1=1e8, rate_1=1e8)
    rng = np.random.default_rng(3)
    found = predictive(model.q, theta, model, np.ones((2000, 1)), draws=200, rng=rng)
    artists = plot_ranks(found, rng.standard_normal(2000), ax=plt.Figure().subplots())
    heights = [bar.get_height() for bar in artists[:10]]
    near(np.mean(heights), 1.0, 1e-12)
    assert np.all(np.abs(np.array(heights) - 1.0) <= 5 * np.sqrt(9 / 2000))
    narrow = plot_ranks(found, 3.0 * rng.standard_normal(2000), ax=plt.Figure().subplots())
    assert narrow[0].get_height() > 2.0 and narrow[9].get_height() > 2.0 and narrow[5].get_height() < 0.6


def test_pictures():
    ax = plt.Figure().subplots()
    *bars, line = plot_check(FOUND, COUNTS, np.var, ax=ax)
    assert sum(bar.get_height() for bar in bars) == 400 and line.get_xdata()[0] == np.var(COUNTS) and ax.get_xlabel() == "var"
    exact = Reference(0.0, 0.0, np.array([.4, -.3, .2]), np.full(3, .1), 1.0)
    ax = plt.Figure().subplots()
    ours, theirs = plot_intervals(Q, THETA, names=("a", "b", "c"), exact=exact, ax=ax)
    near(ours.lines[0].get_xdata(), [.5, -.3, .2], 1e-12)
    near(ours.lines[2][0].get_segments()[0][:, 0], 0.5 + 0.1 * 1.6448536269514722 * np.array([-1.0, 1.0]), 1e-9)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    assert len(plot_intervals(ig.Normal(), [0.0, -1.0], ax=plt.Figure().subplots())) == 1


def test_messages():
    with pytest.raises(TypeError, match="needs draws"):
        predictive_check(predictive(Q, THETA, PoissonRegression(X, COUNTS, 1.0), X), COUNTS, np.var)
    with pytest.raises(ig.ShapeError, match="that of a draw"):
        plot_ranks(FOUND, COUNTS[:3])
    with pytest.raises(ig.ShapeError, match="names must be 3"):
        plot_intervals(Q, THETA, names=("a",))
    with pytest.raises(ig.ShapeError, match="theta must have shape"):
        plot_intervals(Q, THETA[None])
    with pytest.raises(ig.DomainError, match="y finite"):
        predictive_ranks(FOUND, np.nan * COUNTS)
    wrong = (3, TypeError), (lambda y: y, TypeError), (lambda y: None, TypeError), (lambda y: np.nan, ig.DomainError)
    for statistic, error in wrong:
        with pytest.raises(error, match="statistic"):
            plot_check(FOUND, COUNTS, statistic)
    with pytest.raises(ig.DomainError, match="bins"):
        plot_ranks(FOUND, COUNTS, bins=0)
