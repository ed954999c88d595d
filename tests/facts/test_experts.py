"""Mixtures of conditional models: descent at every step, and the optimum of the likelihood itself."""
import numpy as np
import pytest
from scipy.optimize import minimize

import infogeo as ig
from infogeo.inference import Experts
from infogeo.statistics import SQUAREM, em

from ..backends import BACKENDS
from .inference_helpers import near

MLP, ConditionalModel = ig.networks.MLP, ig.networks.ConditionalModel
RNG = np.random.default_rng(2)
X = np.sort(RNG.uniform(-2, 2, (60, 1)), axis=0)
Y = RNG.poisson(np.exp(np.where(X[:, 0] + 0.3 * RNG.standard_normal(60) > 0, 2.0 - 0.5 * X[:, 0], 0.3 + X[:, 0]))).astype(float)
GATE = ConditionalModel(MLP((1, 1)), ig.Categorical(2))
MODEL = Experts(ConditionalModel(MLP((1, 1)), ig.Poisson()), GATE, steps=15)
START = np.zeros(2), np.array([[.5, 1.0], [-.5, .5]])


def likelihood(v):
    """Of two Poisson regressions and a logistic gate, written out; weights and the constant of each."""
    gate, experts = v[:2], v[2:].reshape(2, 2)
    logit = gate[0] * X[:, 0] + gate[1]
    rate = experts[:, :1] * X[:, 0] + experts[:, 1:]
    log_p = Y * rate - np.exp(rate) - np.array([float(np.sum(np.log(np.arange(1, y + 1)))) for y in Y])
    log_g = np.stack([-np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)])
    return np.mean(np.logaddexp(*(log_g + log_p)))


def test_descent_and_optimum():
    found = em(MODEL, (X, Y), START, tol=0.0, max_steps=12)
    assert np.all(np.diff(found.values) >= found.divergences - 1e-13) and np.all(found.divergences >= -1e-12)
    assert found.divergences[0] > 1e-2
    near(found.values[0], likelihood(MODEL.vector(START)), 1e-13)
    near(found.values[-1], likelihood(MODEL.vector(found.theta)), 1e-13)
    quick = em(MODEL, (X, Y), START, tol=1e-9, max_steps=18, acceleration=SQUAREM())
    assert quick.values[-1] >= found.values[-1] - 1e-9
    best = minimize(lambda v: -likelihood(v), MODEL.vector(quick.theta), tol=1e-12)
    assert -best.fun - quick.values[-1] < 5e-4              # the gate is nearly a step, of which the height says little
    near(quick.theta[1].ravel(), best.x[2:], 0.1)


def test_divergence_is_what_the_maximisation_gains():
    x, old = MODEL.prepared((X, Y), START)
    share, _ = MODEL.expect(x, old)[1]
    new = MODEL.maximise(x, (share, old))
    gain = MODEL.divergence(x, (share, old), new, old)
    parts = [sum(np.sum(share * part) for part in MODEL._log_parts(x, theta)) / 60 for theta in (new, old)]
    near(gain, parts[0] - parts[1], 1e-13)
    assert MODEL.expect(x, new)[0] - MODEL.expect(x, old)[0] >= gain > 0


def test_experts_that_are_networks():
    """Normal outputs of a hidden layer, mean and variance of x: the law of descent holds of any network."""
    expert = ConditionalModel(MLP((1, 3, 2)), ig.Normal())
    model = Experts(expert, ConditionalModel(MLP((1, 2)), ig.Categorical(3)), steps=4)
    start = np.zeros(4), 0.3 * np.random.default_rng(0).standard_normal((3, expert.network.size))
    found = em(model, (X, np.sin(2 * X[:, 0]) + 0.1 * Y), start, tol=0.0, max_steps=5)
    assert np.all(np.diff(found.values) >= found.divergences - 1e-13) and found.divergences[0] > 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    found = em(MODEL, (backend.make(X), backend.make(Y)), tuple(map(backend.make, START)), tol=0.0, max_steps=2)
    for part in (found.values, found.divergences, *found.theta):
        assert np.all(np.isfinite(backend.check(part)))


def test_inputs_far_out_have_no_share_of_a_law_that_excludes_them():
    """−∞ less −∞ is none of the gain."""
    found = em(MODEL, (1e6 * X, Y), START, tol=0.0, max_steps=2)
    assert np.all(np.isfinite(found.divergences)) and np.all(np.diff(found.values) >= found.divergences - 1e-6)


def test_messages():
    with pytest.raises(TypeError, match="Categorical"):
        Experts(MODEL.expert, MODEL.expert)
    with pytest.raises(ig.ShapeError, match="same inputs"):
        Experts(ConditionalModel(MLP((2, 1)), ig.Poisson()), GATE)
    with pytest.raises(ig.ShapeError, match="gate and experts must have shapes"):
        em(MODEL, (X, Y), (np.zeros(3), np.zeros((2, 2))), tol=0.0, max_steps=1)
    with pytest.raises(ig.DomainError, match="y"):
        em(MODEL, (X, Y + 0.5), START, tol=0.0, max_steps=1)
    with pytest.raises(TypeError, match="pair"):
        em(MODEL, X, START, tol=0.0, max_steps=1)
