"""What a projection says of its own derivatives: those of the equations that its point and its multipliers solve.

They take the place of a derivative through the iteration where PyTorch or JAX asks for one, of every order. A solution is one
array, the point q and then what multiplies the forms or the directions of the set.
"""
from typing import Any

from ...arrays.tracing import Operator, Partial
from ...backend import Array, Namespace, backend_of
from ...numerics.linalg import inverse, matvec, outer

__all__ = ["active", "of_multipliers", "of_submanifold"]


def active(xp: Namespace, rows: Array, multipliers: Array, n: int) -> Array:
    """1 for the forms that hold with equality, the first n of which are inequalities, 0 for the others and for rows of 0."""
    k = rows.shape[0]
    some = xp.astype(xp.max(xp.abs(rows), axis=-1) > 0, multipliers.dtype)
    equal = (xp.arange(k) >= n) | (multipliers > 0)
    return xp.astype(equal, multipliers.dtype) * some


def of_multipliers(M: Any, n: int, y: Array, theta_p: Array, rows: Array, offsets: Array) -> tuple[Partial, ...]:
    """Of (q, u) with η_q = η_p − Nᵀu and N q = b for the forms N that hold with equality, u = 0 for the others.

    Mathematically, with forces r on the first and s on the second equation, (N G⁻¹ Nᵀ) du = N G⁻¹ r − s and
    dq = G⁻¹ (r − Nᵀ du), G the metric at q: a symmetric map.
    """
    xp, d = backend_of(y), M.dim
    q, u = y[..., :d], y[..., d:]
    equal = active(xp, rows, u, n)
    held = equal[..., :, None] * rows
    raised = M.sharp(q[..., None, :], held)
    eye = xp.eye(u.shape[-1], dtype=y.dtype)
    inner = inverse(xp, xp.matmul(raised, xp.matrix_transpose(held)) + eye * (1.0 - equal)[..., None, :])

    def moved(r: Array, s: Array) -> tuple[Array, Array]:
        du = matvec(xp, inner, matvec(xp, raised, r) - equal * s)
        return M.sharp(q, r) - matvec(xp, xp.matrix_transpose(raised), du), du

    def pushed(r: Array, s: Array) -> Array:
        return xp.concat(list(moved(r, s)), axis=-1)

    def pulled(c: Array) -> tuple[Array, Array]:
        w, v = moved(c[..., :d], c[..., d:])
        return w, equal * v

    def of_rows(c: Array) -> Array:
        w, v = pulled(c)
        return -outer(u, w) - outer(v, q)

    return (Operator(lambda t: pushed(M.flat(theta_p, t), xp.zeros_like(u)), lambda c: M.flat(theta_p, pulled(c)[0])),
            Operator(lambda t: pushed(-matvec(xp, xp.matrix_transpose(t), u), -matvec(xp, t, q)), of_rows),
            Operator(lambda t: pushed(xp.zeros_like(q), t), lambda c: pulled(c)[1]))


def of_submanifold(M: Any, y: Array, theta_p: Array, origin: Array, basis: Array) -> tuple[Partial, ...]:
    """Of (q, u) with q = origin + Bᵀu and B (η_q − η_p) = 0.

    Mathematically, B G Bᵀ du = B (g − G s) − dB (η_q − η_p) and dq = s + Bᵀ du, with g = dη_p and s = d origin + dBᵀ u.
    """
    xp, d = backend_of(y), M.dim
    q, u = y[..., :d], y[..., d:]
    apart = M.to_eta(q) - M.to_eta(theta_p)
    up = xp.matrix_transpose(basis)
    lowered = M.flat(q[..., None, :], xp.broadcast_to(basis, (*q.shape[:-1], *basis.shape)))
    inner = inverse(xp, xp.matmul(lowered, up))

    def pushed(force: Array, shift: Array) -> Array:
        du = matvec(xp, inner, force - matvec(xp, lowered, shift))
        return xp.concat([shift + matvec(xp, up, du), du], axis=-1)

    def pulled(c: Array) -> tuple[Array, Array]:
        """The covectors of the force and of the shift."""
        t = matvec(xp, inner, matvec(xp, basis, c[..., :d]) + c[..., d:])
        return t, c[..., :d] - matvec(xp, xp.matrix_transpose(lowered), t)

    def of_basis(c: Array) -> Array:
        t, s = pulled(c)
        return outer(u, s) - outer(t, apart)

    return (Operator(lambda t: pushed(matvec(xp, basis, M.flat(theta_p, t)), xp.zeros_like(q)),
                     lambda c: M.flat(theta_p, matvec(xp, up, pulled(c)[0]))),
            Operator(lambda t: pushed(xp.zeros_like(u), t + xp.zeros_like(q)), lambda c: pulled(c)[1]),
            Operator(lambda t: pushed(-matvec(xp, t, apart), matvec(xp, xp.matrix_transpose(t), u)), of_basis))
