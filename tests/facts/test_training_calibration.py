"""Rows left out in closed form, and the temperature that they ask for."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.networks import MLP, ConditionalModel
from infogeo.training import fit
from infogeo.training.calibration import left_out, temperature

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((12, 3)), RNG.standard_normal(12)


def mode(rows, weights, tau):
    """Of a linear model with a bias and observations of variance 1."""
    bar = np.c_[X, np.ones(12)][rows]
    return np.linalg.solve(bar.T @ (weights[:, None] * bar) + tau * np.eye(4), bar.T @ (weights * Y[rows]))


@pytest.mark.parametrize("sizes", [(3, 1), (40, 1)], ids=["more rows", "more weights"])
@pytest.mark.parametrize("weights", [None, np.r_[np.full(6, 0.7), np.full(6, 2.0)]], ids=["alike", "weighted"])
def test_a_linear_model_is_exact(sizes, weights):
    """By both forms of the inverse; of a row of weight 2, one of the two that it stands for is left out."""
    model, tau = ConditionalModel(MLP(sizes), ig.NormalKnownVariance(1.0)), 0.8
    x = np.c_[X, np.zeros((12, sizes[0] - 3))]
    v = np.ones(12) if weights is None else weights
    w = np.zeros(model.network.size)
    whole = mode(np.arange(12), v, tau)
    w[:3], w[-1] = whole[:3], whole[3]
    found = left_out(model, w, (x, Y) if weights is None else (x, Y, weights), tau)
    for n in range(12):
        fewer = v - np.minimum(v, 1.0) * (np.arange(12) == n)
        assert found[n, 0] == pytest.approx(np.r_[X[n], 1.0] @ mode(np.arange(12), fewer, tau), rel=1e-9)


def test_a_network_is_near_the_fits_without_each_row():
    x = RNG.standard_normal((30, 2))
    y = (x[:, 0] + 0.5 * RNG.standard_normal(30) > 0) * 1.0 + (x[:, 1] > 0.7)
    model = ConditionalModel(MLP((2, 4, 3)), ig.Categorical(3), ig.domains.SymmetricSoftmax(3))
    found = fit(model, (x, y), tol=1e-9, max_epochs=300)
    far, near, seen = [], [], model.theta(found.w, x)
    moved = left_out(model, found.w, (x, y), 1.0)
    for n in range(0, 30, 5):
        rest = np.arange(30) != n
        again = fit(model, (x[rest], y[rest]), start=found, tol=1e-9, max_epochs=300).w
        without = model.theta(again, x[n:n + 1])[0]
        far.append(np.linalg.norm(seen[n] - without))
        near.append(np.linalg.norm(moved[n] - without))
    assert np.sum(near) < 0.4 * np.sum(far)


def test_what_is_not_left_out():
    """Where the prior is none, the weights no mode, or the work too much; a row that is sure to the last bit stays as it is."""
    model = ConditionalModel(MLP((1, 2)), ig.Categorical(3))
    x, y = np.array([[1.0], [0.5], [-1.0]]), np.array([0.0, 1.0, 2.0])
    w = np.array([800.0, 0.0, 0.0, 0.0])
    assert left_out(model, w, (x, y), 0.0) is None
    assert left_out(model, w, (x, y), 1.0) is None
    assert np.array_equal(left_out(model, w, (x[:1], y[:1]), 1e-6)[0], model.theta(w, x[:1])[0])
    large = ConditionalModel(MLP((64, 50, 10)), ig.Categorical(11))
    assert left_out(large, np.zeros(large.network.size), (np.zeros((2000, 64)), np.zeros(2000)), 1.0) is None


def test_temperature():
    """Logits twice as large as the law that the labels are drawn from have T = 2; a few that are all right have no T of 0."""
    family, rng = ig.Categorical(3), np.random.default_rng(1)
    theta = 2.0 * rng.standard_normal((4000, 2))
    y = family.sample(rng, theta)
    assert temperature(family, 2.0 * theta, y) == pytest.approx(2.0, rel=0.06)
    assert temperature(family, 0.5 * theta, y) == pytest.approx(0.5, rel=0.06)
    sure = np.array([[3.0, 0.0], [0.0, 3.0]])
    assert 0.3 < temperature(family, sure, np.array([0.0, 1.0])) < 1.0
    assert temperature(family, theta[:9], y[:9], np.full(9, 2.0)) == pytest.approx(
        temperature(family, np.r_[theta[:9], theta[:9]], np.r_[y[:9], y[:9]]), rel=1e-5)
