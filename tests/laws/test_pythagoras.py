"""Pythagoras: an equation on submanifolds given by equations, an inequality on sets with inequalities."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.projections.flat_sets import AffineConstraints, AffineSubmanifold, Halfspaces, Intersection
from infogeo.geometry.projections.projection import m_project

from ..registry import ONCE, every_kind, is_slow, once_each, region

# Families of a series, an integral or an iteration at every point take seconds here.
QUICK = {name: M for name, M in ONCE.items() if not is_slow(M)}
every_quick_manifold = pytest.mark.parametrize("M", QUICK.values(), ids=QUICK)


def problem(M, seed):
    """(p, r, C): three points to project, a point r that will be in the set, and normals of it."""
    rng = np.random.default_rng(seed)
    p, r = region(M).sample(rng, (3,), 0.3), region(M).sample(rng, (), 0.3)
    return p, r, rng.standard_normal((max(1, M.dim - 1), M.dim))


@every_quick_manifold
def test_equations(M):
    """D(p‖q) + D(q‖r) = D(p‖r) for every r in the set; the same point as with a basis in the place of equations."""
    p, r, C = problem(M, 31)
    q = m_project(M, p, AffineConstraints(C, C @ r))
    assert np.allclose(q @ C.T, C @ r, rtol=1e-10, atol=1e-10 * np.abs(q).max())
    D = lambda a, b: ig.canonical_divergence(M, a, b)
    assert np.allclose(D(p, q) + D(q, r), D(p, r), rtol=1e-8)
    if M.dim > 1:
        basis = np.linalg.svd(C)[2][C.shape[0]:]
        assert np.allclose(q, m_project(M, p, AffineSubmanifold(r, basis)), rtol=1e-6, atol=1e-7 * np.abs(q).max())


@once_each
def in_halfspaces(M):
    """(p, r, A, b, q): r satisfies A x ≤ b, p need not; q is the m-projection of p."""
    p, r, A = problem(M, 32)
    b = A @ r + 0.01 * np.abs(A @ r)
    return p, r, A, b, m_project(M, p, Halfspaces(A, b))


@every_quick_manifold
def test_inequalities(M):
    """q is in the set, D(p‖q) + D(q‖r) ≤ D(p‖r) for r in it, and r is its own projection."""
    p, r, A, b, q = in_halfspaces(M)
    D = lambda a, c: ig.canonical_divergence(M, a, c)
    assert np.all(q @ A.T <= b + 1e-10 * (1 + np.abs(q).max()))
    assert np.all(D(p, q) + D(q, r) <= D(p, r) * (1 + 1e-9))
    assert np.array_equal(m_project(M, r, Halfspaces(A, b)), r)
    outside = np.any(p @ A.T > b, axis=-1)
    touches = np.any(q @ A.T >= b - 1e-7 * (1 + np.abs(q).max()), axis=-1)
    assert np.array_equal(q[~outside], p[~outside]) and np.all(touches[outside])


@every_quick_manifold
def test_both(M):
    """An equation and an inequality that holds with equality are two equations."""
    p, r, A = problem(M, 33)
    if M.dim > 2:
        line, other = AffineConstraints(A[:1], A[:1] @ r), A[1:2]
        side = np.sign(other[0] @ (m_project(M, p[0], line) - r))         # the half-space that the first projection is not in
        q = m_project(M, p[0], Intersection(line, Halfspaces(side * other, side * other @ r)))
        both = m_project(M, p[0], Intersection(line, AffineConstraints(other, other @ r)))
        assert np.allclose(q, both, rtol=1e-6, atol=1e-7 * np.abs(q).max())


@every_kind
def test_every_backend(M, backend):
    p, _, A, b, expected = in_halfspaces(M)
    q = backend.check(m_project(M, backend.make(p), Halfspaces(backend.make(A), backend.make(b))))
    assert np.allclose(q, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())
