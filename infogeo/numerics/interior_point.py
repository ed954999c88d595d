"""A primal–dual interior-point method for a smooth convex function under linear inequalities, every row of a batch on its own."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays.tracing import is_traced, only, repeat
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
        If a row ends elsewhere; traced rows are NaN then.

    Source: Forsgren, Gill & Wright, Interior methods for nonlinear optimization, SIAM Review 44 (2002).
    """
    program = _Program(xp, value, gradient, hessian, contains, normals, *scale)
    eps, unit = float(xp.finfo(x0.dtype).eps), scale[0] * scale[1]
    mu = xp.mean(slack * multipliers, axis=-1)
    zero = xp.zeros_like(mu)

    def judged(x: Array, s: Array, z: Array, stalled: Array) -> tuple[Array, Array, Array]:
        left = program.residual(x, s, z, zero)
        return left, stalled, ~stalled & ~(left <= 10 * eps)

    def step(x: Array, s: Array, z: Array, mu: Array, left: Array, stalled: Array, running: Array) -> tuple[Array, ...]:
        level = mu / unit
        ready = program.residual(x, s, z, mu) <= 10 * level
        level = xp.where(ready, xp.minimum(0.1 * level, level**1.5), level)
        mu = unit * xp.maximum(level, xp.full_like(level, 0.1 * eps))
        dx, ds, dz = program.direction(x, s, z, mu)
        x_new, s_new, moved = program.searched(x, s, dx, ds, mu, running)
        z_new = z + xp.where(running, program.longest(z, dz), zero)[..., None] * dz
        central = (mu[..., None] / s_new)
        z_new = xp.minimum(xp.maximum(z_new, 1e-10 * central), 1e10 * central)      # s z stays within a factor of μ
        better = program.residual(x_new, s_new, z_new, zero) < left
        keep = running & moved & (better | (left > 1000 * eps))
        x, s, z = (xp.where(keep[..., None], new, old) for new, old in ((x_new, x), (s_new, s), (z_new, z)))
        return x, s, z, mu, *judged(x, s, z, stalled | (running & ~keep))

    with np.errstate(all="ignore"):
        start = (x0, slack, multipliers, mu, *judged(x0, slack, multipliers, zero > 0))
        x, _, z, _, left, *_ = repeat(xp, lambda *state: xp.any(state[-1]), step, start, max_steps)
    good = left <= 1000 * eps
    if is_traced(xp, x):
        return only(xp, good, x)[0], z
    require_converged(f"{name}: the interior-point method ended short of its accuracy after at most {max_steps} steps", good,
                      left, x)
    return x, z


@dataclass(frozen=True)
class _Program:
    """F and A with what one step needs of them; arguments as those of `minimize_within`."""

    xp: Namespace
    value: Function
    gradient: Function
    hessian: Function
    contains: Function
    normals: Array
    size: Array
    width: Array

    def residual(self, x: Array, s: Array, z: Array, mu: Array) -> Array:
        """Of both equations, relative to the scales."""
        xp, transposed = self.xp, self.xp.matrix_transpose(self.normals)
        dual = xp.max(xp.abs(self.gradient(x) + matvec(xp, transposed, z)), axis=-1) / self.size
        return xp.maximum(dual, xp.max(xp.abs(s * z - mu[..., None]), axis=-1) / (self.size * self.width))

    def direction(self, x: Array, s: Array, z: Array, mu: Array) -> tuple[Array, Array, Array]:
        """(dx, ds, dz): of s and z, the one that goes to 0 takes its step from s z = μ, where it does not cancel."""
        xp, A, transposed, (m, n) = self.xp, self.normals, self.xp.matrix_transpose(self.normals), (x.shape[-1], s.shape[-1])
        top, ratio = self.hessian(x), xp.eye(n, dtype=x.dtype) * (s / z)[..., None]

        def wide(block: Array) -> Array:
            return xp.broadcast_to(block, (*top.shape[:-2], *block.shape[-2:]))

        matrix = xp.concat([xp.concat([top, wide(A)], axis=-2), xp.concat([wide(transposed), wide(-ratio)], axis=-2)], axis=-1)
        excess = s * z - mu[..., None]
        step = -solve(xp, matrix, xp.concat([self.gradient(x) + matvec(xp, transposed, z), -excess / z], axis=-1))
        dx, dz = step[..., :m], step[..., m:]
        active = s * self.size[..., None] < z * self.width[..., None]
        ds = xp.where(active, -(excess + s * dz) / z, -matvec(xp, A, dx))
        return dx, ds, xp.where(active, dz, -(excess + z * ds) / s)

    def longest(self, v: Array, dv: Array) -> Array:
        """The largest t ≤ 1 with v + t dv ≥ 0.01 v."""
        xp = self.xp
        ratio = xp.where(dv < 0, -0.99 * v / xp.where(dv < 0, dv, -xp.ones_like(dv)), xp.ones_like(v))
        return xp.minimum(xp.min(ratio, axis=-1), xp.ones_like(self.size))

    def barrier(self, x: Array, s: Array, mu: Array) -> Array:
        return self.value(x) - mu * self.xp.sum(self.xp.log(s), axis=-1)

    def searched(self, x: Array, s: Array, dx: Array, ds: Array, mu: Array, running: Array) -> tuple[Array, Array, Array]:
        """``(x, s, moved)`` after the step, halved until x is in the domain and the barrier function has not risen."""
        xp, eps = self.xp, float(self.xp.finfo(x.dtype).eps)
        decrease = -xp.sum(dx * self.gradient(x), axis=-1) + mu * xp.sum(ds / s, axis=-1)
        now, t = self.barrier(x, s, mu), self.longest(s, ds)
        flat = decrease <= 1e3 * eps * (xp.abs(now) + self.size * self.width)    # the function cannot show a decrease that small

        def shorter(t: Array, moved: Array, x_new: Array, s_new: Array) -> tuple[Array, ...]:
            t = xp.where(moved, t, 0.5 * t)
            step = xp.where(running, t, xp.zeros_like(t))[..., None]
            x_new, s_new = x + step * dx, s + step * ds
            inside = self.contains(x_new)
            after = self.barrier(xp.where(inside[..., None], x_new, x), s_new, mu)
            return t, ~running | (inside & (flat | (after <= now - 1e-4 * t * decrease))), x_new, s_new

        _, moved, x_new, s_new = repeat(xp, lambda t, moved, *_: ~xp.all(moved), shorter, (2.0 * t, ~running, x, s), 60)
        return x_new, s_new, moved
