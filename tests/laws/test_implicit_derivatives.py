"""Derivatives of projections and of Chernoff information are those of the equations that they solve, in all that describes them.

Only a run on PyTorch or JAX has these laws (INFOGEO_TEST_ARRAYS=torch or jax).
"""
import numpy as np
import pytest

import infogeo as ig

from ..backends import CHOSEN

M, P = ig.Categorical(4), np.array([[0.3, -0.7, 0.2], [-1.0, 0.4, 0.1]])
LINE, PLANE = np.array([[1.0, 2.0, -1.0]]), np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 1.0]])
# Of each kind of set: the arrays that describe it, and the set that they make; of two half-spaces one is met with equality.
SETS = {
    "submanifold": (ig.AffineSubmanifold, [0.1, 0.0, -0.2], PLANE),
    "equations": (ig.AffineConstraints, PLANE, [0.4, 0.1]),
    "dependent": (lambda a, b: ig.AffineConstraints(PLANE[[0, 1, 1]], (a * b)[..., [0, 1, 1]]), [1.0, 1.0], [0.4, 0.1]),
    "half-spaces": (ig.Halfspaces, PLANE, [[-0.4, 9.0], [-1.0, -0.3]]),
    "both": (lambda a, b: ig.Intersection(ig.AffineConstraints(LINE, b), ig.Halfspaces(a, [-0.4, 9.0])), PLANE, [0.3]),
}
# Of expectations
MEANS = {
    "submanifold": (ig.AffineSubmanifold, [0.3, 0.2, 0.1], 0.1 * PLANE),
    "half-spaces": (ig.Halfspaces, PLANE, [[0.3, 9.0], [0.6, 0.5]]),
}
CASES = [(ig.m_project, kind) for kind in SETS] + [(ig.e_project, kind) for kind in MEANS]


def slopes(f, x):
    """∂f / ∂x of two results, by central differences."""
    steps = 1e-5 * np.eye(x.size).reshape(x.size, *x.shape)
    return np.stack([(f(x + e) - f(x - e)) / 2e-5 for e in steps], axis=-1).reshape(*f(x).shape, *x.shape)


def jacobian(f, x, thorough):
    if CHOSEN == "jax":
        import jax
        return (jax.jit(jax.jacrev(f))(x), *([jax.jacfwd(f)(x)] if thorough else []))
    import torch
    return torch.autograd.functional.jacobian(f, x), torch.func.jacrev(f)(x)


def gradient(f):
    if CHOSEN == "jax":
        import jax
        return jax.grad(f)
    import torch
    return torch.func.grad(f)


def hessian(f, x):
    if CHOSEN == "jax":
        import jax
        return jax.jacrev(jax.grad(f))(x)
    import torch
    return torch.autograd.functional.hessian(f, x)


@pytest.mark.parametrize("project, kind", CASES, ids=[f"{project.__name__}-{kind}" for project, kind in CASES])
def test_first_derivatives(project, kind, backend, thorough):
    """Of JAX, which compiles each, a submanifold outside a thorough run."""
    if CHOSEN == "jax" and not thorough and (project, kind) != CASES[0]:
        return
    make, *described = (SETS if project is ig.m_project else MEANS)[kind]
    given = [P, *map(np.asarray, described)]
    for i, x in enumerate(given):
        def q(x, wrap=lambda x: x):
            theta, a, b = [wrap(y) if j != i else x for j, y in enumerate(given)]       # noqa: B023
            return project(M, theta, onto=make(a, b))

        expected = slopes(q, x)
        for found in jacobian(lambda x: q(x, backend.make), backend.make(x), thorough):       # noqa: B023
            assert np.allclose(backend.to_numpy(found), expected, rtol=1e-6, atol=1e-7), (kind, i)


def test_second_derivatives(backend, thorough):
    """Those of a sum of squares of the projection are the slopes of its first."""
    if CHOSEN == "jax" and not thorough:
        return
    onto = ig.Halfspaces(backend.make(PLANE), backend.make([-0.4, 9.0]))
    f = lambda x: (ig.m_project(M, x, onto) ** 2).sum()
    expected = slopes(lambda x: backend.to_numpy(gradient(f)(backend.make(x))), P[0])
    assert np.allclose(backend.to_numpy(hessian(f, backend.make(P[0]))), expected, rtol=1e-6, atol=1e-7)


def test_chernoff_information(backend):
    """Its derivatives, and those of its skew, under what transforms functions; of equal points 0 and ½ without slopes."""
    q = np.array([[1.0, 0.5, -0.2], [-1.0, 0.4, 0.1]])

    def both(p, wrap=lambda x: x):
        return ig.chernoff_information(M, p, wrap(q))

    if CHOSEN == "jax":
        import jax
        found = jax.jit(jax.jacrev(lambda p: both(p, backend.make)))(backend.make(P))
        rows = jax.vmap(lambda p: both(p, backend.make))(backend.make(P[:, None, :]))
    else:
        import torch
        found = torch.func.jacrev(lambda p: tuple(both(p, backend.make)))(backend.make(P))
        rows = torch.func.vmap(lambda p: both(p, backend.make))(backend.make(P[:, None, :]))
    for i in (0, 1):
        expected = slopes(lambda p: both(p)[i], P[:1])          # noqa: B023
        assert np.allclose(backend.to_numpy(found[i])[0, 0], expected[0, 0], rtol=1e-6, atol=1e-9)
        assert np.all(np.abs(backend.to_numpy(found[i])[1]) <= 1e-15)
        assert np.allclose(backend.to_numpy(rows[i]), both(P[:, None, :])[i], rtol=1e-12)
