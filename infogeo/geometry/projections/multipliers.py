"""The nearest point of a set that linear equations and inequalities describe, by Lagrange multipliers."""
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...arrays.joined import joined
from ...arrays.tracing import is_traced, only, repeat, ruled, still
from ...backend import Array, Namespace, backend_of, to_numpy
from ...errors import ConvergenceError, ShapeError, require
from ...numerics.interior_point import minimize_within
from ...numerics.linalg import matvec, solve
from ...numerics.newton import minimize
from ..manifolds.manifold import DuallyFlat
from .feasibility import require_meeting
from .rules import of_multipliers

__all__ = ["nearest", "numbers"]


def nearest(M: DuallyFlat, theta_p: Array, equations: tuple[Array, Array], inequalities: tuple[Array, Array]) -> Array:
    """argmin D(p‖q) over the points q with C θ_q = d and A θ_q ≤ b, for points of the domain of M, shape (..., d)."""
    (C, d), (A, b) = equations, inequalities
    if C.shape[-1] != M.dim:
        raise ShapeError(f"{M!r} takes sets of dimension {M.dim}; got one of dimension {C.shape[-1]}")
    forms = C                       # of NumPy they have numbers, also where nothing that they meet has
    xp, theta_p, C, d, A, b = joined(theta_p, C, d, A, b)
    batch = np.broadcast_shapes(theta_p.shape[:-1], d.shape[:-1], b.shape[:-1])
    theta_p = xp.broadcast_to(theta_p, (*batch, M.dim))
    if C.shape[0]:
        C, d = _independent(xp, forms, C, d)
    elif not A.shape[0]:
        return theta_p
    d = xp.broadcast_to(d, (*batch, C.shape[0]))
    n, length = A.shape[0], xp.sqrt(xp.sum(A * A, axis=-1))
    offsets = xp.concat([xp.broadcast_to(b / length, (*batch, n)), d], axis=-1)
    rows = xp.concat([A / length[:, None], C], axis=0)
    return ruled(xp, partial(_solved, M, n), partial(of_multipliers, M, n), theta_p, rows, offsets)[..., :M.dim]


def _solved(M: DuallyFlat, n: int, theta_p: Array, rows: Array, offsets: Array) -> Array:
    """(q, u) in one array, with the multipliers u of forms N x ≤ b, the first n, and = b, where they hold with equality."""
    xp, A, C, b, d = backend_of(theta_p), rows[:n, :], rows[n:, :], offsets[..., :n], offsets[..., n:]
    try:
        q, u = _within(xp, M, n, theta_p, rows, offsets) if n else _by_multipliers(xp, M, theta_p, rows, offsets)
    except ConvergenceError:
        require_meeting(M.domain, (C, d), (A, b), np.ones(theta_p.shape[:-1], dtype=bool))
        raise
    if is_traced(xp, q):
        q = only(xp, _reached(xp, M, n, q, rows, offsets), q)[0]
    else:
        require_meeting(M.domain, (C, d), (A, b), to_numpy(_far(xp, M, q)))
    return xp.concat([q, u], axis=-1)


def _reached(xp: Namespace, M: DuallyFlat, n: int, q: Array, rows: Array, offsets: Array) -> Array:
    """Whether the domain goes on behind each form that a point misses by its rounding, shape (...): of a boundary it does not."""
    missed = matvec(xp, rows, q) - offsets
    missed = xp.where(xp.arange(rows.shape[0]) >= n, missed, xp.maximum(missed, xp.zeros_like(missed)))
    return xp.all(M.domain.contains(q[..., None, :] - 2.0 * missed[..., None] * rows), axis=-1)


def _far(xp: Namespace, M: DuallyFlat, q: Array) -> Array:
    """Which points may be where Newton's method gave up on its way to the boundary: near to it, or not finite, shape (...).

    Near a face of a simplex the other chart, where probabilities have logarithms, is beyond 25, p < 1e-11.
    """
    size = xp.max(xp.abs(M.to_eta(q)), axis=-1)
    return ~(size <= 25.0) | xp.any(xp.abs(q) <= 1e-12 * (1.0 + xp.max(xp.abs(q), axis=-1, keepdims=True)), axis=-1)


def _independent(xp: Namespace, forms: Array, C: Array, d: Array) -> tuple[Array, Array]:
    """The equations C x = d with orthonormal rows in the place of dependent ones, which must not contradict each other.

    The rows are a constant matrix times C, and derivatives along C and d go through. Where the forms have no numbers yet, those
    beyond the rank are 0; where d has none, a contradiction is NaN.
    """
    eps, known, host = max(C.shape) * float(xp.finfo(d.dtype).eps), still(xp, d), numbers(forms)
    turn, spare = _of_rank(xp, still(xp, C), eps) if host is None else _turned(host, eps)
    turn, spare = (xp.asarray(x, dtype=d.dtype) for x in (turn, spare))
    if spare.shape[1]:
        # Margins of 200 random tables of one sum, up to 6 × 6, miss each other by at most 0.53 max(shape) ε of their size.
        contradiction = xp.max(xp.abs(xp.matmul(known, spare)), axis=-1)
        agree = contradiction <= 100 * eps * xp.max(xp.abs(known), axis=-1)
        if numbers(agree) is None:
            d = only(xp, agree, d)[0]
        else:
            require("the equations", "dependent rows agree, to rounding", agree, contradiction)
    return xp.matmul(turn, C), matvec(xp, turn, d)


def numbers(x: Any) -> np.ndarray | None:
    """Numbers on the host; None where nobody sees them, as inside transformations of JAX and of `torch.func`."""
    try:
        return to_numpy(x)
    except (TypeError, RuntimeError):
        return None


def _turned(C: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """``(turn, spare)``: turn C has orthonormal rows, those of spareᵀ C are 0."""
    u, singular, _ = np.linalg.svd(C.astype(float), full_matrices=False)
    rank = int(np.sum(singular > eps * singular.max()))
    return (u[:, :rank] / singular[:rank]).T, np.linalg.svd(u[:, :rank], full_matrices=True)[0][:, rank:]


def _of_rank(xp: Namespace, C: Array, eps: float) -> tuple[Array, Array]:
    """As `_turned`, with 0 for what is beyond a rank that nobody knows yet."""
    u, singular, _ = xp.linalg.svd(C, full_matrices=False)
    whole = singular > eps * xp.max(singular)
    held = xp.where(whole, u, xp.zeros_like(u))
    turn = held / xp.where(whole, singular, xp.ones_like(singular))
    return xp.matrix_transpose(turn), xp.eye(C.shape[0], dtype=C.dtype) - xp.matmul(held, xp.matrix_transpose(held))


def _dual_problem(xp: Namespace, M: DuallyFlat, theta_p: Array, rows: Array,
                  offsets: Array) -> tuple[Callable[[Array], Array], dict[str, Any]]:
    """What the multipliers u of forms N θ_q = b, or ≤ b, minimise: with η_q = η_p − Nᵀu, D(q‖p) + u·(b − N θ_p).

    Its gradient is b − N θ_q, its Hessian N G⁻¹ Nᵀ.
    """
    eta_p, left = M.to_eta(theta_p), offsets - matvec(xp, rows, theta_p)
    eta: Callable[[Array], Array] = lambda u: eta_p - xp.matmul(u[..., None, :], rows)[..., 0, :]
    wide = xp.broadcast_to(rows, (*theta_p.shape[:-1], *rows.shape))
    dead = xp.eye(rows.shape[0], dtype=rows.dtype) * xp.astype(xp.max(xp.abs(rows), axis=-1) == 0, rows.dtype)
    point: Callable[[Array], Array] = lambda u: M.to_theta(eta(u))
    return point, {
        "value": lambda u: M.dual.divergence(eta_p, eta(u)) + xp.sum(u * left, axis=-1),      # an e-projection needs no to_theta
        "gradient": lambda u: left - matvec(xp, rows, point(u) - theta_p),
        "hessian": lambda u: xp.matmul(M.dual_flat(eta(u)[..., None, :], wide), xp.matrix_transpose(rows)) + dead,
        "contains": lambda u: M.dual.domain.contains(eta(u))}


def _by_multipliers(xp: Namespace, M: DuallyFlat, theta_p: Array, C: Array, d: Array) -> tuple[Array, Array]:
    """(q, u) of argmin D(p‖q) subject to C θ_q = d, with orthonormal rows, by Newton's method."""
    point, problem = _dual_problem(xp, M, theta_p, C, d)
    hessian = problem.pop("hessian")
    u = minimize(
        xp, xp.zeros_like(d), name="projection", solve=lambda u, gradient: solve(xp, hessian(u), gradient),
        scale=1.0 + xp.max(xp.abs(d), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), **problem)
    return point(u), u


def _within(xp: Namespace, M: DuallyFlat, n: int, theta_p: Array, rows: Array, offsets: Array) -> tuple[Array, Array]:
    """(q, u) of argmin D(p‖q) subject to N θ_q ≤ b in the first n rows and = b; a point that lies there is its own projection."""
    point, problem = _dual_problem(xp, M, theta_p, rows, offsets)
    origin = xp.zeros((*theta_p.shape[:-1], rows.shape[0]), dtype=theta_p.dtype)
    gap, equal = problem["gradient"](origin), xp.arange(rows.shape[0]) >= n
    reach = xp.max(xp.abs(gap), axis=-1)
    reach = xp.where(reach > 0, reach, xp.ones_like(reach))
    softness = xp.max(xp.sum(problem["hessian"](origin) * xp.eye(rows.shape[0], dtype=rows.dtype), axis=-1), axis=-1)
    positive = xp.astype(~equal, rows.dtype)
    size, width = 1.0 + xp.max(xp.abs(offsets[..., :n]), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), reach / softness
    start = _within_domain(xp, problem["contains"], width, positive)
    u, z = minimize_within(
        xp, start[..., None] * positive, name="projection", slack=start[..., None] * xp.ones_like(offsets[..., :n]),
        multipliers=reach[..., None] * xp.ones_like(offsets[..., :n]), normals=-xp.eye(rows.shape[0], dtype=rows.dtype)[:n, :],
        scale=(size, width), **problem)
    there = xp.all(xp.where(equal, gap == 0, gap >= 0), axis=-1)[..., None]
    q = xp.where(there, theta_p, point(u))
    holds = u[..., :n] * size[..., None] >= z * width[..., None]
    u = xp.concat([xp.where(holds, u[..., :n], xp.zeros_like(z)), u[..., n:]], axis=-1)
    return q, xp.where(there, xp.zeros_like(u), u)


def _within_domain(xp: Namespace, contains: Callable[[Array], Array], size: Array, direction: Array) -> Array:
    """Sizes halved until the points there are in the domain: multipliers that are small enough keep the point in it."""
    def inside(size: Array) -> Array:
        return contains(size[..., None] * direction)

    def halved(size: Array, good: Array) -> tuple[Array, Array]:
        size = xp.where(good, size, 0.5 * size)
        return size, inside(size)

    return repeat(xp, lambda size, good: ~xp.all(good), halved, (size, inside(size)), 200)[0]
