"""The dual manifold: the same geometry with the charts swapped, the Legendre transform of the potential, the inverse metric."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..registry import every_manifold, every_primal
from ..strategies import bulk
from .calculus import apply, condition

EPS = np.finfo(float).eps


@every_primal
def test_dual_of_the_dual_is_the_manifold(M):
    assert M.dual.dual is M and M.dual is M.dual
    assert M.dual.theta_domain == M.eta_domain and M.dual.eta_domain == M.theta_domain
    assert M.dual.dim == M.dim and repr(M.dual) == f"{M!r}.dual"


@every_primal
@given(data=st.data())
def test_methods_swap(M, data):
    """Every method of the dual is the other one of the manifold."""
    theta = data.draw(bulk(M))
    eta = M.to_eta(theta)
    vector, covector = np.ones(theta.shape), np.arange(1.0, 1.0 + M.dim)
    for own, other in (("potential", "dual_potential"), ("to_eta", "to_theta"), ("metric", "dual_metric"),
                       ("cubic_tensor", "dual_cubic_tensor")):
        assert np.array_equal(getattr(M.dual, own)(eta), getattr(M, other)(eta))
        assert np.array_equal(getattr(M.dual, other)(theta), getattr(M, own)(theta))
    for own, other in ("flat", "dual_flat"), ("sharp", "dual_sharp"):
        assert np.array_equal(getattr(M.dual, own)(eta, vector), getattr(M, other)(eta, vector))
        assert np.array_equal(getattr(M.dual, other)(theta, covector), getattr(M, own)(theta, covector))


@every_manifold
@given(data=st.data())
def test_dual_metric_is_the_inverse(M, data):
    theta = data.draw(bulk(M))
    dual, kappa = M.dual_metric(M.to_eta(theta)), condition(M, theta)[..., None, None]
    size = np.max(np.abs(dual), axis=(-2, -1), keepdims=True)
    assert np.all(np.abs(dual - np.linalg.inv(M.metric(theta))) <= 1e-13 * kappa * size)


@every_manifold
@given(data=st.data())
def test_dual_flat_and_sharp(M, data):
    """Against the dense dual metric."""
    theta = data.draw(bulk(M))
    eta = M.to_eta(theta)
    vector, kappa = np.arange(1.0, 1.0 + M.dim), condition(M, theta)[..., None]
    lowered, raised = apply(M.dual_metric(eta), vector), apply(M.metric(theta), vector)
    assert np.all(np.abs(M.dual_flat(eta, vector) - lowered) <= 1e-13 * kappa * np.linalg.norm(lowered, axis=-1, keepdims=True))
    assert np.all(np.abs(M.dual_sharp(eta, vector) - raised) <= 1e-13 * kappa * np.linalg.norm(raised, axis=-1, keepdims=True))


@every_manifold
@given(data=st.data())
def test_dual_cubic_tensor(M, data):
    """With all indices raised it is minus the cubic tensor: T*(Gu, Gv, Gw) = −T(u, v, w)."""
    theta = data.draw(bulk(M))
    metric, tensor = M.metric(theta), M.cubic_tensor(theta)
    lowered = np.einsum("...ai,...bj,...ck,...ijk->...abc", metric, metric, metric, M.dual_cubic_tensor(M.to_eta(theta)))
    size = np.max(np.abs(tensor), axis=(-3, -2, -1)) + np.linalg.norm(metric, ord=2, axis=(-2, -1))
    assert np.all(np.max(np.abs(lowered + tensor), axis=(-3, -2, -1)) <= 1e-13 * condition(M, theta)**2 * size)


@every_manifold
@given(data=st.data())
def test_fenchel_young_equality(M, data):
    """ψ(θ) + φ(η) = θ·η where the points correspond."""
    theta = data.draw(bulk(M))
    eta = M.to_eta(theta)
    gap = M.potential(theta) + M.dual_potential(eta) - np.sum(theta * eta, axis=-1)
    size = 1 + np.abs(M.potential(theta)) + np.sum(np.abs(theta * eta), axis=-1)
    assert np.all(np.abs(gap) <= 100 * EPS * size * np.sqrt(condition(M, theta)))


@every_manifold
@given(data=st.data())
def test_fenchel_young_inequality(M, data):
    """ψ(θ_q) + φ(η_p) ≥ θ_q·η_p, and the gap is the divergence D(p‖q)."""
    p, q = data.draw(bulk(M, (4,), count=2))
    eta = M.to_eta(p)
    gap = M.potential(q) + M.dual_potential(eta) - np.sum(q * eta, axis=-1)
    size = 1 + np.abs(M.potential(q)) + np.abs(M.dual_potential(eta)) + np.sum(np.abs(q * eta), axis=-1)
    assert np.all(gap >= -1e-12 * size)
    assert np.all(np.abs(gap - M.divergence(p, q)) <= 1e-11 * size)
