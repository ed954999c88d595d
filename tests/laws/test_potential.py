"""The derivatives of the potential: ∇ψ = η, ∇²ψ = G, ∇³ψ = T, and the same for the dual potential.

All are formed in an orthonormal basis of the tangent space, where G is the identity.
"""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..registry import every_manifold
from ..strategies import bulk
from .calculus import apply, condition, derivative, frame


def transform(rows, tensor):
    """A symmetric tensor of order 3 in the basis of these rows: T(e_a, e_b, e_c)."""
    return np.einsum("...ai,...bj,...ck,...ijk->...abc", rows, rows, rows, tensor)


@every_manifold
@given(data=st.data())
def test_gradient_is_eta(M, data):
    theta = data.draw(bulk(M))
    rows = frame(M, theta)
    numeric = derivative(M.potential, theta, rows)
    scale = 1 + np.abs(M.potential(theta))[..., None]
    assert np.all(np.abs(numeric - apply(rows, M.to_eta(theta))) <= 1e-9 * scale)


@every_manifold
@given(data=st.data())
def test_hessian_is_metric(M, data):
    theta = data.draw(bulk(M))
    rows = frame(M, theta)
    numeric = derivative(M.to_eta, theta, rows) @ np.swapaxes(rows, -1, -2)
    scale = 1 + np.linalg.norm(apply(rows, M.to_eta(theta)), axis=-1)[..., None, None]
    assert np.all(np.abs(numeric - np.eye(M.dim)) <= (1e-10 + 1e-14 * condition(M, theta)[..., None, None]) * scale)


@every_manifold
@given(data=st.data())
def test_cubic_tensor_is_the_derivative_of_the_metric(M, data):
    theta = data.draw(bulk(M))
    rows = frame(M, theta)
    change = derivative(M.metric, theta, rows)                               # (..., a, i, j)
    numeric = rows[..., None, :, :] @ change @ np.swapaxes(rows, -1, -2)[..., None, :, :]
    tensor = transform(rows, M.cubic_tensor(theta))
    rounding = 1e-13 * condition(M, theta)[..., None, None, None]
    assert np.all(np.abs(numeric - tensor) <= 1e-8 * (1 + np.abs(tensor)) + rounding * (1 + np.max(np.abs(tensor))))


@every_manifold
@given(data=st.data())
def test_cubic_tensor_is_symmetric(M, data):
    theta = data.draw(bulk(M))
    tensor, kappa = M.cubic_tensor(theta), condition(M, theta)[..., None, None, None]
    size = np.max(np.abs(tensor), axis=(-3, -2, -1), keepdims=True)
    for axes in [(-3, -2), (-2, -1), (-3, -1)]:
        assert np.all(np.abs(tensor - np.swapaxes(tensor, *axes)) <= 1e-15 * kappa * size)


@every_manifold
@given(data=st.data())
def test_potential_and_eta_are_the_two(M, data):
    theta = data.draw(bulk(M))
    potential, eta = M.potential_and_eta(theta)
    assert np.array_equal(potential, M.potential(theta)) and np.array_equal(eta, M.to_eta(theta))
