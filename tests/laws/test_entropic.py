"""On the simplex, mirror descent with the entropy is the exponentiated gradient, and its flow is the replicator equation.

Source: Beck & Teboulle, Mirror descent and nonlinear projected subgradient methods, Oper. Res. Lett. 31 (2003); Alvarez, Bolte &
Brahic, Hessian Riemannian gradient flows in convex programming, SIAM J. Control Optim. 43 (2004).
"""
import numpy as np
import pytest

import infogeo as ig

from ..registry import FAMILIES

every_categorical = pytest.mark.parametrize(
    "M", [M for M in FAMILIES.values() if isinstance(M, ig.Categorical)], ids=lambda M: f"{M.k}, reference {M.reference}")


class OnSimplex(ig.Objective):
    """A function of all k probabilities, f = c·p + ½ a |p|², in the chart η that leaves the reference out."""

    def __init__(self, M, cost, bend):
        self.M, self.cost, self.bend = M, cost, bend

    def probabilities(self, eta):
        return np.insert(eta, self.M.reference, 1 - np.sum(eta, axis=-1), axis=-1)

    def gradient(self, p):
        return self.cost + self.bend * p

    def value_and_gradient(self, eta):
        p = self.probabilities(eta)
        full, r = self.gradient(p), self.M.reference
        return np.sum(self.cost * p + 0.5 * self.bend * p**2, axis=-1), np.delete(full, r, axis=-1) - full[..., r:r + 1]


def setting(M, bend):
    rng = np.random.default_rng(51)
    return OnSimplex(M, rng.standard_normal(M.k), bend), M.eta_domain.sample(rng, (4,))


@every_categorical
def test_exponentiated_gradient(M):
    """p⁺ ∝ p e^{−h ∇f}, along the whole path."""
    f, eta0 = setting(M, bend=2.0)
    run = ig.descend(f, eta0, geometry=M.dual, update=ig.MirrorUpdate(), step=ig.Constant(0.3), max_steps=20)
    p = f.probabilities(eta0)
    for k in range(21):
        assert np.allclose(f.probabilities(run.path[k]), p, rtol=1e-12, atol=1e-15)
        p = p * np.exp(-0.3 * f.gradient(p))
        p = p / np.sum(p, axis=-1, keepdims=True)


@every_categorical
def test_linear_objective_stays_on_the_flow(M):
    """For linear f the iterates lie on the flow p(t) ∝ p₀ e^{−tc}, at t = k h."""
    f, eta0 = setting(M, bend=0.0)
    h = 0.25
    times = np.array([0.5, 1.0, 2.5])
    run = ig.descend(f, eta0, geometry=M.dual, update=ig.MirrorUpdate(), step=ig.Constant(h), max_steps=10)
    p0 = f.probabilities(eta0)
    weight = p0 * np.exp(-times[:, None, None] * f.cost)
    exact = weight / np.sum(weight, axis=-1, keepdims=True)
    assert np.allclose(f.probabilities(run.path[[2, 4, 10]]), exact, rtol=1e-12)
    for update in (ig.MirrorUpdate(), ig.NaturalUpdate()):
        flow = ig.flow(f, eta0, geometry=M.dual, update=update, times=times)
        assert flow.path.shape == (3, *eta0.shape) and np.array_equal(flow.x, flow.path[-1])
        assert np.allclose(f.probabilities(flow.path), exact, rtol=1e-7, atol=1e-9)


@every_categorical
def test_replicator(M):
    """The velocity is ṗ_i = −p_i (∂_i f − Σ p_j ∂_j f)."""
    f, eta0 = setting(M, bend=2.0)
    p = f.probabilities(eta0)
    fitness = f.gradient(p)
    replicator = -p * (fitness - np.sum(p * fitness, axis=-1, keepdims=True))
    velocity = ig.MirrorUpdate().velocity(M.dual, eta0, f.value_and_gradient(eta0)[1])
    assert np.allclose(velocity, np.delete(replicator, M.reference, axis=-1), rtol=1e-12, atol=1e-15)
