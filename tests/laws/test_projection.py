"""Projections: orthogonal in the dual chart, Pythagoras, least divergence."""
import numpy as np
import pytest

import infogeo as ig

from ..registry import every_kind, every_manifold, is_slow, region

ROWS = 5


def problem(M, seed):
    """(p, submanifold, another point of it) with as many rows; the submanifold is a line, or of dimension dim − 1."""
    rng = np.random.default_rng(seed)
    p, origin, towards = (region(M).sample(rng, (ROWS,), 0.3) for _ in range(3))
    m = 1 if seed % 2 else max(1, M.dim - 1)
    basis = np.concatenate([(towards - origin)[:1], rng.standard_normal((m - 1, M.dim))])
    onto = ig.AffineSubmanifold(origin[0], basis)
    return p, onto, onto.embed(np.eye(m)[0] * 0.5)      # half-way from the origin to another point of the domain


@every_manifold
def test_m_projection(M):
    """argmin D(p‖q) over an e-flat submanifold: η_p − η_q ⟂ it, D(p‖r) = D(p‖q) + D(q‖r) for every r in it."""
    for seed in (2,) if is_slow(M) else (1, 2):
        assert_projection(M, seed)


def assert_projection(M, seed):
    p, onto, inner = problem(M, seed)
    q = ig.m_project(M, p, onto)
    assert q.shape == p.shape and np.all(M.theta_domain.contains(q))
    normal = M.to_eta(p) - M.to_eta(q)
    size = np.max(np.abs(onto.basis)) * (1 + np.max(np.abs(M.to_eta(p)), axis=-1, keepdims=True))
    assert np.all(np.abs(normal @ onto.basis.T) <= 1e-11 * M.dim * size)
    u = np.linalg.lstsq(onto.basis.T, (q - onto.origin).T, rcond=None)[0].T
    assert np.allclose(onto.embed(u), q, rtol=0, atol=1e-10 * np.abs(q).max())             # it lies in the submanifold
    D = lambda a, b: ig.canonical_divergence(M, a, b)
    for r in (onto.origin, inner):
        assert np.allclose(D(p, q) + D(q, r), D(p, r), rtol=1e-8)
        assert np.all(D(p, q) <= D(p, r) * (1 + 1e-12))


@pytest.mark.parametrize("seed", [1, 2])
@every_kind
def test_e_projection(M, seed):
    """On the dual manifold: argmin D(q‖p) over an m-flat submanifold, given in η: θ_p − θ_q ⟂ it, D(r‖p) = D(r‖q) + D(q‖p)."""
    eta_p, onto, inner = problem(M.dual, seed)
    p = M.to_theta(eta_p)
    q = ig.e_project(M, p, onto)
    normal = p - q
    size = np.max(np.abs(onto.basis)) * (1 + np.max(np.abs(p), axis=-1, keepdims=True))
    assert np.all(np.abs(normal @ onto.basis.T) <= 1e-10 * M.dim * size)
    D = lambda a, b: ig.canonical_divergence(M, a, b)
    for eta_r in (onto.origin, inner):
        r = M.to_theta(eta_r)
        assert np.allclose(D(r, q) + D(q, p), D(r, p), rtol=1e-8)


@every_manifold
def test_a_point_of_the_submanifold_is_its_own_projection(M):
    _, onto, inner = problem(M, 2)
    assert np.allclose(ig.m_project(M, inner, onto), inner, rtol=1e-7, atol=1e-9 * np.abs(inner).max())


@every_kind
def test_every_backend(M, backend):
    p, onto, _ = problem(M, 1)
    expected = ig.m_project(M, p, onto)
    made = ig.AffineSubmanifold(backend.make(onto.origin), backend.make(onto.basis))
    own = backend.check(ig.m_project(M, backend.make(p), made))
    assert np.allclose(own, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())
