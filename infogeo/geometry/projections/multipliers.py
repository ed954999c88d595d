"""The nearest point of a set that linear equations and inequalities describe, by Lagrange multipliers."""
from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays.joined import joined
from ...backend import Array, Namespace, to_numpy
from ...errors import ConvergenceError, ShapeError, require
from ...numerics.interior_point import minimize_within
from ...numerics.linalg import matvec, solve
from ...numerics.newton import minimize
from ..manifolds.manifold import DuallyFlat
from .feasibility import require_meeting

__all__ = ["nearest"]


def nearest(M: DuallyFlat, theta_p: Array, equations: tuple[Array, Array], inequalities: tuple[Array, Array]) -> Array:
    """argmin D(p‖q) over the points q with C θ_q = d and A θ_q ≤ b, for points of the domain of M, shape (..., d)."""
    (C, d), (A, b) = equations, inequalities
    if C.shape[-1] != M.dim:
        raise ShapeError(f"{M!r} takes sets of dimension {M.dim}; got one of dimension {C.shape[-1]}")
    xp, theta_p, C, d, A, b = joined(theta_p, C, d, A, b)
    batch = np.broadcast_shapes(theta_p.shape[:-1], d.shape[:-1], b.shape[:-1])
    theta_p = xp.broadcast_to(theta_p, (*batch, M.dim))
    C, d = _independent(xp, C, xp.broadcast_to(d, (*batch, C.shape[0])))
    if A.shape[0] == C.shape[0] == 0:
        return theta_p
    b = xp.broadcast_to(b, (*batch, A.shape[0]))
    try:
        q = _within(xp, M, theta_p, (A, b), (C, d)) if A.shape[0] else _by_multipliers(xp, M, theta_p, C, d)
    except ConvergenceError:
        require_meeting(M.domain, (C, d), (A, b), np.ones(batch, dtype=bool))
        raise
    require_meeting(M.domain, (C, d), (A, b), to_numpy(_far(xp, M, q)))
    return q


def _far(xp: Namespace, M: DuallyFlat, q: Array) -> Array:
    """Which points may be where Newton's method gave up on its way to the boundary: near to it, or not finite, shape (...).

    Near a face of a simplex the other chart, where probabilities have logarithms, is beyond 25, p < 1e-11.
    """
    size = xp.max(xp.abs(M.to_eta(q)), axis=-1)
    return ~(size <= 25.0) | xp.any(xp.abs(q) <= 1e-12 * (1.0 + xp.max(xp.abs(q), axis=-1, keepdims=True)), axis=-1)


def _independent(xp: Namespace, C: Array, d: Array) -> tuple[Array, Array]:
    """The equations C x = d with orthonormal rows in the place of dependent ones, which must not contradict each other."""
    u, singular, rows = np.linalg.svd(to_numpy(C).astype(float), full_matrices=False)
    eps = float(xp.finfo(d.dtype).eps)
    rank = int(np.sum(singular > max(C.shape) * eps * singular.max(initial=0.0)))
    spare = np.linalg.svd(u[:, :rank], full_matrices=True)[0][:, rank:]
    host = to_numpy(d)
    contradiction = np.max(np.abs(host @ spare), axis=-1, initial=0.0)
    # Margins of 200 random tables of one sum, up to 6 × 6, miss each other by at most 0.53 max(shape) ε of their size.
    agree = contradiction <= 100 * max(C.shape) * eps * np.max(np.abs(host), axis=-1, initial=0.0)
    require("the equations", "dependent rows agree, to rounding", agree, contradiction)
    turn = xp.asarray((u[:, :rank] / singular[:rank]).T, dtype=d.dtype)
    return xp.asarray(rows[:rank], dtype=d.dtype), matvec(xp, turn, d)


def _dual_problem(xp: Namespace, M: DuallyFlat, theta_p: Array, rows: Array,
                  offsets: Array) -> tuple[Callable[[Array], Array], dict[str, Any]]:
    """What the multipliers u of forms N θ_q = b, or ≤ b, minimise: with η_q = η_p − Nᵀu, D(q‖p) + u·(b − N θ_p).

    Its gradient is b − N θ_q, its Hessian N G⁻¹ Nᵀ.
    """
    eta_p, left = M.to_eta(theta_p), offsets - matvec(xp, rows, theta_p)
    eta: Callable[[Array], Array] = lambda u: eta_p - xp.matmul(u[..., None, :], rows)[..., 0, :]
    wide = xp.broadcast_to(rows, (*theta_p.shape[:-1], *rows.shape))
    point: Callable[[Array], Array] = lambda u: M.to_theta(eta(u))
    return point, {
        "value": lambda u: M.dual.divergence(eta_p, eta(u)) + xp.sum(u * left, axis=-1),      # an e-projection needs no to_theta
        "gradient": lambda u: left - matvec(xp, rows, point(u) - theta_p),
        "hessian": lambda u: xp.matmul(M.dual_flat(eta(u)[..., None, :], wide), xp.matrix_transpose(rows)),
        "contains": lambda u: M.dual.domain.contains(eta(u))}


def _by_multipliers(xp: Namespace, M: DuallyFlat, theta_p: Array, C: Array, d: Array) -> Array:
    """argmin D(p‖q) subject to C θ_q = d, with orthonormal rows, by Newton's method."""
    point, problem = _dual_problem(xp, M, theta_p, C, d)
    hessian = problem.pop("hessian")
    u = minimize(
        xp, xp.zeros_like(d), name="projection", solve=lambda u, gradient: solve(xp, hessian(u), gradient),
        scale=1.0 + xp.max(xp.abs(d), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), **problem)
    return point(u)


def _within(xp: Namespace, M: DuallyFlat, theta_p: Array, halfspaces: tuple[Array, Array],
            equations: tuple[Array, Array]) -> Array:
    """argmin D(p‖q) subject to A θ_q ≤ b and C θ_q = d, with u ≥ 0 for A; a point that lies there is its own projection."""
    (A, b), (C, d) = halfspaces, equations
    length = xp.sqrt(xp.sum(A * A, axis=-1))
    A, b = A / length[:, None], b / length
    n, rows = A.shape[0], xp.concat([A, C], axis=0)
    point, problem = _dual_problem(xp, M, theta_p, rows, xp.concat([b, d], axis=-1))
    origin = xp.zeros((*theta_p.shape[:-1], rows.shape[0]), dtype=theta_p.dtype)
    gap = problem["gradient"](origin)
    reach = xp.max(xp.abs(gap), axis=-1)
    reach = xp.where(reach > 0, reach, xp.ones_like(reach))
    softness = xp.max(xp.sum(problem["hessian"](origin) * xp.eye(rows.shape[0], dtype=A.dtype), axis=-1), axis=-1)
    start, positive = reach / softness, xp.concat([xp.ones_like(b), xp.zeros_like(d)], axis=-1)
    for _ in range(200):                       # multipliers that are small enough keep the point in the domain
        inside = problem["contains"](start[..., None] * positive)
        if xp.all(inside):
            break
        start = xp.where(inside, start, 0.5 * start)
    u, _ = minimize_within(
        xp, start[..., None] * positive, name="projection", slack=start[..., None] * xp.ones_like(b),
        multipliers=reach[..., None] * xp.ones_like(b), normals=-xp.eye(rows.shape[0], dtype=A.dtype)[:n, :],
        scale=(1.0 + xp.max(xp.abs(b), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), reach / softness), **problem)
    there = xp.all(gap[..., :n] >= 0, axis=-1) & xp.all(gap[..., n:] == 0, axis=-1)
    return xp.where(there[..., None], theta_p, point(u))
