"""The mirror step solves the proximal problem: θ⁺ = argmin ⟨c, θ⟩ + B_ψ(θ : θ_t) / h."""
import numpy as np

import infogeo as ig
from infogeo.testing.calculus import condition

from ..registry import every_steep_manifold
from ..strategies import directions, generic
from .drawn import drawn


@every_steep_manifold
@drawn
def test_mirror_step_is_the_proximal_point(M, data):
    theta = data.draw(generic(M, (4,)))
    covector, h = M.flat(theta, data.draw(directions(M, theta))), 0.3
    while not np.all(M.eta_domain.contains(M.to_eta(theta) - h * covector)):      # where the deviation exceeds the mean
        h /= 2
    plus, _ = ig.MirrorUpdate()(M, theta, covector, h)
    # stationary: c + (∇ψ(θ⁺) − ∇ψ(θ)) / h = 0
    residual = covector + (M.to_eta(plus) - M.to_eta(theta)) / h
    size = np.linalg.norm(M.to_eta(theta), axis=-1, keepdims=True) + np.linalg.norm(covector, axis=-1, keepdims=True)
    assert np.all(np.abs(residual) <= 1e-13 * condition(M, plus)[:, None] * size)

    # and least: no point near by is better, by h⁻¹ times the divergence to it
    def prox(x):
        return np.sum(covector * (x - theta), axis=-1) + ig.bregman(M, x, theta) / h

    for distance in (1e-3, 1e-1):
        direction = data.draw(directions(M, plus))
        while not np.all(M.theta_domain.contains(plus + distance * direction)):       # where the edge is nearer than a deviation
            distance /= 2
        other = plus + distance * direction
        gain = prox(other) - prox(plus)
        expected = ig.bregman(M, other, plus) / h
        slack = 1e-12 * np.max(condition(M, plus))
        assert np.all(gain > 0.9 * expected - slack) and np.allclose(gain, expected, rtol=1e-6, atol=slack)
