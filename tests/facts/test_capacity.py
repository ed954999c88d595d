"""Capacities and rate–distortion functions: closed forms, and bounds that bracket at every step."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import channel_capacity, rate_distortion

from ..backends import BACKENDS
from .inference_helpers import near

THREE = np.array([[.7, .2, .1], [.1, .8, .1], [.2, .3, .5]])


@pytest.mark.parametrize("W, capacity", [([[.9, .1], [.1, .9]], .368064207168), ([[1.0, 0.0], [.5, .5]], np.log(1.25)),
                                         (THREE, .251584705254)])
def test_capacities(W, capacity):
    found = channel_capacity(W)
    near(found.value, capacity, 1e-11 if len(W) == 2 else 1e-10)
    assert np.all(found.lower <= capacity + 1e-11) and np.all(found.upper >= capacity - 1e-11)
    k = np.arange(1, len(found.lower))
    assert np.all(capacity - found.lower[1:] <= np.log(len(W)) / k + 1e-12)
    assert found.run.steps <= 30 and found.run.status == ig.Status.CONVERGED


@pytest.mark.parametrize("step, steps", [(1.0, 99), (2.0, 44), (3.0, 26), (4.0, 20)])
def test_constant_steps(step, steps):
    """Of one size: all monotone on this channel, though only 1 is safe on all; the own rule needs about as many as the best."""
    found = channel_capacity(THREE, step=step)
    assert abs(found.run.steps - steps) <= 1 and np.all(np.diff(found.lower) >= -1e-15)
    assert channel_capacity(THREE).run.steps <= 26              # 19, and 22 on a processor that sums in another order


def test_input_of_the_z_channel():
    near(channel_capacity([[1.0, 0.0], [.5, .5]], tol=1e-13).p, [.6, .4], 1e-6)


def test_bounds_bracket_at_every_step():
    """Of random channels with prices, at every step on the way, however long the steps have grown."""
    rng = np.random.default_rng(8)
    W, cost = rng.dirichlet(np.full(4, 0.5), (3, 5)), rng.random(5)
    exact = channel_capacity(W, cost, tol=1e-11).value
    found = channel_capacity(W, cost, tol=1e-7)
    assert np.all(found.lower <= exact + 1e-11) and np.all(found.upper >= exact - 1e-11)
    assert np.all(np.diff(found.lower, axis=0) >= -1e-13) and len(found.lower) > 5


def test_batches_are_one_by_one():
    W = np.random.default_rng(0).dirichlet(np.full(5, 0.3), (6, 7))
    both = channel_capacity(W, tol=1e-5)
    for w, p, value in zip(W, both.p, both.value):
        alone = channel_capacity(w, tol=1e-5)
        near(alone.value, value, 1e-9)
        near(alone.p, p, 1e-5)
    assert np.all(both.upper[-1] - both.lower[-1] <= 1e-5)


def test_a_useless_symbol():
    """A mixture of the others ends at probability 0, wherever it stands."""
    W = np.concatenate([THREE[:2], THREE[:2].mean(0, keepdims=True)])
    for order in ([0, 1, 2], [2, 0, 1], [0, 2, 1]):
        found = channel_capacity(W[order])
        near(found.value, channel_capacity(THREE[:2]).value)
        assert found.p[order.index(2)] < 1e-6


def test_cost():
    """With a price s, the optimum of a noiseless channel is p ∝ e^{−s b}, and the value log Σ e^{−s b}."""
    cost = np.array([0.0, 0.5, 2.0])
    found = channel_capacity(np.eye(3), cost)
    near(found.value, np.log(np.exp(-cost).sum()))
    near(found.p, np.exp(-cost) / np.exp(-cost).sum(), 1e-6)


def test_fair_bit():
    beta = np.array([0.5, 2.0, 300.0])
    found = rate_distortion([.5, .5], [[0.0, 1.0], [1.0, 0.0]], beta)
    D = 1.0 / (1.0 + np.exp(beta))
    near(found.distortion, D)
    near(found.rate, np.log(2) + D * np.log(np.maximum(D, 1e-300)) + (1 - D) * np.log1p(-D))


def test_rate_distortion_bounds():
    """Against the least of a fine grid of laws r; a constant added to the distortion of a source symbol adds β p(x) of it."""
    rng = np.random.default_rng(2)
    p, d = rng.dirichlet(np.ones(4)), rng.random((4, 2))
    found = rate_distortion(p, d, 5.0)
    grid = np.linspace(1e-6, 1 - 1e-6, 20001)
    Z = np.exp(-5.0 * d) @ np.stack([grid, 1 - grid])
    least = np.min(-p @ np.log(Z))
    assert np.all(found.lower <= least + 1e-9) and np.all(found.upper >= least - 1e-7)
    near(found.rate + 5.0 * found.distortion, least, 1e-8)
    shifted = rate_distortion(p, d + [[3.0], [0.0], [0.0], [0.0]], 5.0)
    near(shifted.rate, found.rate, 1e-9)
    near(shifted.distortion, found.distortion + 3.0 * p[0], 1e-9)
    assert np.all(np.diff(found.upper) <= 1e-15) and found.run.status == ig.Status.CONVERGED


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    found = channel_capacity(backend.make(THREE), tol=1e-6)
    near(backend.check(found.value), .251584705254, 1e-5)
    found = rate_distortion(backend.make([.5, .5]), backend.make([[0.0, 1.0], [1.0, 0.0]]), backend.make([0.5, 2.0]))
    backend.check(found.rate)
    assert channel_capacity(np.float32(THREE), tol=1e-4).p.dtype == np.float32


def test_messages():
    with pytest.raises(ig.DomainError, match="rows that sum to 1"):
        channel_capacity(THREE + 0.1)
    with pytest.raises(ig.ShapeError, match="W must have shape"):
        channel_capacity([.5, .5])
    with pytest.raises(ig.ShapeError, match="cost must have shape"):
        channel_capacity(THREE, [1.0, 2.0])
    with pytest.raises(ig.ShapeError, match="source must have shape"):
        rate_distortion([.5, .5], [[0.0, 1.0]], 1.0)
    with pytest.raises(ig.DomainError, match="beta"):
        rate_distortion([.5, .5], [[0.0, 1.0], [1.0, 0.0]], 0.0)
