"""A primal–dual interior-point method for a smooth convex function under linear inequalities, every row of a batch on its own."""
from collections.abc import Callable

import numpy as np

from ..backend import Array, Namespace
from ..errors import require_converged
from .linalg import matvec, solve

__all__ = ["minimize_within"]


Function = Callable[[Array], Array]


def minimize_within(xp: Namespace, x0: Array, *, value: Function, gradient: Function, hessian: Function, contains: Function,
                    slack: Array, multipliers: Array, normals: Array, scale: tuple[Array, Array], max_steps: int = 200,
                    name: str = "x") -> tuple[Array, Array]:
    """``(x, z)``: the minimiser of a convex F under A x ≤ b, from a point that satisfies it strictly, and its multipliers z.

    Mathematically, Newton's method on ∇F + Aᵀz = 0, s_i z_i = μ with the slack s = b − A x > 0 and z > 0. The step is one of
    descent for F − μ Σ log s_i; it ends short of s = 0 and is halved until x lies in the domain of F and that function has not
    risen. As soon as the equations hold to a few μ, μ is reduced, in the end superlinearly.

    Parameters
    ----------
    x0 : array, shape (..., m)
        In the domain of F.
    value, gradient, hessian, contains : callables of x
        Shapes (...), (..., m), (..., m, m), (...).
    slack, multipliers : arrays, shape (..., n)
        s at x0, and z to begin with, all positive.
    normals : array, shape (..., n, m) or (n, m)
        A.
    scale : pair of arrays, shape (...)
        Sizes of the gradient and of the slacks: residuals relative to them end at 10 ε, or at 1000 ε where arithmetic gives no
        more.

    Raises
    ------
    ConvergenceError
        If a row ends elsewhere.

    Source: Forsgren, Gill & Wright, Interior methods for nonlinear optimization, SIAM Review 44 (2002).
    """
    size, width = scale
    eps, m, n = float(xp.finfo(x0.dtype).eps), x0.shape[-1], slack.shape[-1]
    A, transposed = normals, xp.matrix_transpose(normals)
    x, s, z, unit = x0, slack, multipliers, size * width
    mu = xp.mean(s * z, axis=-1)

    def residual(x: Array, s: Array, z: Array, mu: Array) -> Array:
        dual = xp.max(xp.abs(gradient(x) + matvec(xp, transposed, z)), axis=-1) / size
        return xp.maximum(dual, xp.max(xp.abs(s * z - mu[..., None]), axis=-1) / unit)

    def direction(x: Array, s: Array, z: Array, mu: Array) -> tuple[Array, Array, Array]:
        """(dx, ds, dz): of s and z, the one that goes to 0 takes its step from s z = μ, where it does not cancel."""
        top, ratio = hessian(x), xp.eye(n, dtype=x.dtype) * (s / z)[..., None]

        def wide(block: Array) -> Array:
            return xp.broadcast_to(block, (*top.shape[:-2], *block.shape[-2:]))

        matrix = xp.concat([xp.concat([top, wide(A)], axis=-2), xp.concat([wide(transposed), wide(-ratio)], axis=-2)], axis=-1)
        excess = s * z - mu[..., None]
        step = -solve(xp, matrix, xp.concat([gradient(x) + matvec(xp, transposed, z), -excess / z], axis=-1))
        dx, dz = step[..., :m], step[..., m:]
        active = s * size[..., None] < z * width[..., None]
        ds = xp.where(active, -(excess + s * dz) / z, -matvec(xp, A, dx))
        return dx, ds, xp.where(active, dz, -(excess + z * ds) / s)

    def longest(v: Array, dv: Array) -> Array:
        """The largest t ≤ 1 with v + t dv ≥ 0.01 v."""
        ratio = xp.where(dv < 0, -0.99 * v / xp.where(dv < 0, dv, -xp.ones_like(dv)), xp.ones_like(v))
        return xp.minimum(xp.min(ratio, axis=-1), xp.ones_like(size))

    def barrier(x: Array, s: Array, mu: Array) -> Array:
        return value(x) - mu * xp.sum(xp.log(s), axis=-1)

    stalled = xp.zeros_like(size) > 0
    with np.errstate(all="ignore"):
        for _ in range(max_steps):
            left = residual(x, s, z, xp.zeros_like(mu))
            running = ~stalled & ~(left <= 10 * eps)
            if not xp.any(running):
                break
            level = mu / unit
            ready = residual(x, s, z, mu) <= 10 * level
            level = xp.where(ready, xp.minimum(0.1 * level, level**1.5), level)
            mu = unit * xp.maximum(level, xp.full_like(level, 0.1 * eps))
            dx, ds, dz = direction(x, s, z, mu)
            decrease = -xp.sum(dx * gradient(x), axis=-1) + mu * xp.sum(ds / s, axis=-1)
            now, t, moved = barrier(x, s, mu), longest(s, ds), ~running
            flat = decrease <= 1e3 * eps * (xp.abs(now) + unit)          # the function cannot show a decrease that small
            for _ in range(60):
                step = xp.where(running, t, xp.zeros_like(t))[..., None]
                x_new, s_new = x + step * dx, s + step * ds
                inside = contains(x_new)
                after = barrier(xp.where(inside[..., None], x_new, x), s_new, mu)
                moved = ~running | (inside & (flat | (after <= now - 1e-4 * t * decrease)))
                if xp.all(moved):
                    break
                t = xp.where(moved, t, 0.5 * t)
            z_new = z + xp.where(running, longest(z, dz), xp.zeros_like(t))[..., None] * dz
            central = (mu[..., None] / s_new)
            z_new = xp.minimum(xp.maximum(z_new, 1e-10 * central), 1e10 * central)      # s z stays within a factor of μ
            better = residual(x_new, s_new, z_new, xp.zeros_like(mu)) < left
            keep = running & moved & (better | (left > 1000 * eps))
            stalled = stalled | (running & ~keep)
            x, s, z = (xp.where(keep[..., None], new, old) for new, old in ((x_new, x), (s_new, s), (z_new, z)))
        left = residual(x, s, z, xp.zeros_like(mu))
    require_converged(f"{name}: the interior-point method ended short of its accuracy after at most {max_steps} steps",
                      left <= 1000 * eps, left, x)
    return x, z
