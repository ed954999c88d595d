"""Kullback–Leibler divergences are solved in one natural step, and in closed form before that.

Forward, mirror descent on θ: η_T − η̂ = Π (1 − h_t) (η_0 − η̂), along the m-geodesic. Reverse, natural gradient in θ:
θ_T − θ_q = Π (1 − h_t) (θ_0 − θ_q), along the e-geodesic.
"""
from types import SimpleNamespace

import numpy as np
import pytest

import infogeo as ig
from infogeo.testing.calculus import condition

from ..registry import region
from .objectives import every_kind_of_loop, length

STEPS = {"constant": ig.Constant(0.3), "diminishing": ig.Diminishing(0.9, offset=2.0), "whole": ig.Constant(1.0)}
COUNT = 6       # steps


def shrink(step, k):
    """Π_{t<k} (1 − h_t)."""
    return np.prod([1 - step(SimpleNamespace(k=t)) for t in range(k)])


def setting(M):
    rng = np.random.default_rng(41)
    return region(M).sample(rng, (5,), 0.4), region(M).sample(rng, (5,), 0.4)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@every_kind_of_loop
def test_forward(M, step):
    theta0, target = setting(M)
    eta_hat = M.to_eta(target)
    f, run = ig.CrossEntropy(M, eta_hat), dict(step=step, max_steps=COUNT)
    mirror = ig.descend(f, theta0, geometry=M, update=ig.MirrorUpdate(), **run)
    natural = ig.descend(f.in_dual_coordinates(), M.to_eta(theta0), geometry=M.dual, update=ig.NaturalUpdate(), **run)
    kappa = condition(M, target)
    for k in range(COUNT + 1):
        eta = eta_hat + shrink(step, k) * (M.to_eta(theta0) - eta_hat)
        tolerance = 1e-13 * kappa * (1 + M.dual.norm(eta, eta) + M.dual.norm(eta, eta_hat))
        for found in (M.to_eta(mirror.path[k]), natural.path[k]):
            assert np.all(length(M.dual, eta, found) <= tolerance)
        on_segment = ig.m_geodesic(M, target, theta0, shrink(step, k))
        assert np.all(length(M, on_segment, mirror.path[k]) <= 1e-13 * kappa**1.5 * (1 + M.norm(on_segment, on_segment)))


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@every_kind_of_loop
def test_reverse(M, step):
    theta0, target = setting(M)
    f, run = ig.ReverseKL(M, target), dict(step=step, max_steps=COUNT)
    natural = ig.descend(f, theta0, geometry=M, update=ig.NaturalUpdate(), **run)
    mirror = ig.descend(f.in_dual_coordinates(), M.to_eta(theta0), geometry=M.dual, update=ig.MirrorUpdate(), **run)
    kappa = np.maximum(condition(M, target), condition(M, theta0))
    for k in range(COUNT + 1):
        theta = ig.e_geodesic(M, target, theta0, shrink(step, k))
        tolerance = 1e-13 * kappa * (1 + M.norm(theta, theta) + M.norm(theta, target))
        assert np.all(length(M, theta, natural.path[k]) <= tolerance)
        assert np.all(length(M, theta, M.to_theta(mirror.path[k])) <= tolerance * np.sqrt(kappa))
