"""Damped Newton for strictly convex functions on open convex domains, every row of a batch on its own."""
from collections.abc import Callable

import numpy as np

from ..backend import Array, Namespace
from ..errors import require_converged

__all__ = ["minimize"]


def minimize(xp: Namespace, x0: Array, *, value: Callable[[Array], Array], gradient: Callable[[Array], Array],
             solve: Callable[[Array, Array], Array], contains: Callable[[Array], Array],
             scale: Array | Callable[[Array], Array], max_steps: int = 200, name: str = "x") -> Array:
    """The minimiser of a strictly convex function on an open domain.

    Mathematically, x ← x − t G⁻¹g with t = 1 / (1 + λ) while the Newton decrement λ = √(g·G⁻¹g) exceeds 1/4 and t = 1 after,
    halved until the point lies in the domain and the value has not risen. The first phase is the one that needs no
    constant of the function where it is self-concordant (Nesterov & Nemirovskii 1994, section 2.2).

    Parameters
    ----------
    x0 : array, shape (..., m)
        In the domain.
    value, gradient, contains : callables of x
        Shapes (...), (..., m), (...).
    solve : callable (x, g) -> G⁻¹g
    scale : array, shape (...), or callable of x
        Size of the terms whose difference is the gradient: a row is done when no entry of its gradient exceeds 10 ε · scale.
        Rows that cannot make progress any more at 1000 ε · scale are done, too: no arithmetic gives more.

    Raises
    ------
    ConvergenceError
        With the residual and the iterate, if a row ends elsewhere. Rows of NaN in x0 stay NaN.
    """
    eps = float(xp.finfo(x0.dtype).eps)
    scale_at: Callable[[Array], Array] = scale if callable(scale) else lambda x: scale
    x = x0
    skip = ~xp.all(xp.isfinite(x0), axis=-1)
    stalled = skip
    with np.errstate(all="ignore"):
        f, g = value(x), gradient(x)
        for _ in range(max_steps):
            residual, scale = xp.max(xp.abs(g), axis=-1), scale_at(x)
            running = ~(stalled | (residual <= 10 * eps * scale))
            if not xp.any(running):
                break
            direction = solve(x, g)
            decrement = xp.sqrt(xp.abs(xp.sum(g * direction, axis=-1)))
            t = xp.where(decrement > 0.25, 1.0 / (1.0 + decrement), xp.ones_like(decrement))
            flat = decrement**2 <= 1e3 * eps * (xp.abs(f) + scale)      # the value cannot show a decrease that small
            moved = ~running
            for _ in range(60):             # to a step of 2⁻⁶⁰, which moves nothing
                trial = xp.where(running[..., None], x - t[..., None] * direction, x)
                inside = contains(trial)
                trial_f = value(xp.where(inside[..., None], trial, x))
                slack = 4 * eps * (xp.abs(f) + scale)
                moved = ~running | (inside & ((trial_f <= f + slack) | flat))
                if xp.all(moved):
                    break
                t = xp.where(moved, t, 0.5 * t)
            x_new = xp.where((running & moved)[..., None], trial, x)
            g_new = gradient(x_new)
            no_gain = xp.max(xp.abs(g_new), axis=-1) >= residual
            done = no_gain & (residual <= 1000 * eps * scale)
            stalled = stalled | (running & (~moved | done))
            keep = running & moved & ~done
            x = xp.where(keep[..., None], x_new, x)
            g = xp.where(keep[..., None], g_new, g)
            f = xp.where(keep, trial_f, f)
        residual, scale = xp.max(xp.abs(g), axis=-1), scale_at(x)
    require_converged(f"{name}: Newton's method ended short of its accuracy after at most {max_steps} steps",
                      skip | (residual <= 1000 * eps * scale), residual, x)
    return x
