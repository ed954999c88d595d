"""The metric is symmetric and positive definite; `flat` and `sharp` are its matrix and its inverse."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..registry import every_manifold
from ..strategies import bulk, points
from .calculus import apply, condition, frame


@every_manifold
@given(data=st.data())
def test_symmetric_positive_definite(M, data):
    theta = data.draw(points(M))
    metric = M.metric(theta)
    scale = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    unit = metric / (scale[..., :, None] * scale[..., None, :])       # unit diagonal: what is left is the angle of the axes
    assert np.all(np.linalg.eigvalsh(unit) > -1e-15 * M.dim)
    size = np.max(np.abs(metric), axis=(-2, -1), keepdims=True)
    assert np.all(np.abs(metric - np.swapaxes(metric, -1, -2)) <= 1e-13 * size)


@every_manifold
@given(data=st.data())
def test_positive_definite_in_the_bulk(M, data):
    assert np.all(np.linalg.eigvalsh(M.metric(data.draw(bulk(M)))) > 0)


@every_manifold
@given(data=st.data())
def test_flat_is_the_matrix(M, data):
    theta = data.draw(bulk(M))
    vector = np.linalg.solve(frame(M, theta), np.ones(theta.shape)[..., None])[..., 0]
    dense = apply(M.metric(theta), vector)
    size = apply(np.abs(M.metric(theta)), np.abs(vector))
    assert np.all(np.abs(M.flat(theta, vector) - dense) <= 1e-12 * size)


@every_manifold
@given(data=st.data())
def test_sharp_is_the_inverse(M, data):
    theta = data.draw(bulk(M))
    vector = frame(M, theta)[..., 0, :]
    kappa = condition(M, theta)[..., None]
    back, forth = M.sharp(theta, M.flat(theta, vector)), M.flat(theta, M.sharp(theta, vector))
    size = np.linalg.norm(vector, axis=-1, keepdims=True)
    assert np.all(np.abs(back - vector) <= 1e-14 * kappa * size)
    assert np.all(np.abs(forth - vector) <= 1e-14 * kappa * size)


@every_manifold
@given(data=st.data())
def test_sharp_is_the_dense_solution(M, data):
    theta = data.draw(bulk(M))
    covector = np.ones(theta.shape)
    dense = np.linalg.solve(M.metric(theta), covector[..., None])[..., 0]
    size = np.linalg.norm(dense, axis=-1, keepdims=True)
    assert np.all(np.abs(M.sharp(theta, covector) - dense) <= 1e-14 * condition(M, theta)[..., None] * size)


@every_manifold
@given(data=st.data())
def test_inner_and_norm(M, data):
    """In an orthonormal basis ⟨e_a, e_b⟩ = δ_ab and |e_a| = 1."""
    theta = data.draw(bulk(M))
    rows, x = frame(M, theta), theta[..., None, :]
    gram = M.inner(x[..., None, :], rows[..., :, None, :], rows[..., None, :, :])
    kappa = condition(M, theta)[..., None]
    assert np.all(np.abs(gram - np.eye(M.dim)) <= 1e-14 * kappa[..., None])
    assert np.all(np.abs(M.norm(x, rows) - 1.0) <= 1e-14 * kappa)
