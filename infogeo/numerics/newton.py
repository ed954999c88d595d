"""Damped Newton for strictly convex functions on open convex domains, every row of a batch on its own."""
from collections.abc import Callable

import numpy as np

from ..arrays.tracing import is_traced, repeat
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
        With the residual and the iterate, if a row ends elsewhere; traced rows are NaN then. Rows of NaN in x0 stay NaN.
    """
    eps = float(xp.finfo(x0.dtype).eps)
    scale_at: Callable[[Array], Array] = scale if callable(scale) else lambda x: scale
    skip = ~xp.all(xp.isfinite(x0), axis=-1)

    def judged(x: Array, g: Array, stalled: Array) -> tuple[Array, Array, Array]:
        residual = xp.max(xp.abs(g), axis=-1)
        return residual, stalled, ~(stalled | (residual <= 10 * eps * scale_at(x)))

    def step(x: Array, f: Array, g: Array, residual: Array, stalled: Array, running: Array) -> tuple[Array, ...]:
        direction, scale = solve(x, g), scale_at(x)
        decrement = xp.sqrt(xp.abs(xp.sum(g * direction, axis=-1)))
        t = xp.where(decrement > 0.25, 1.0 / (1.0 + decrement), xp.ones_like(decrement))
        flat = decrement**2 <= 1e3 * eps * (xp.abs(f) + scale)      # the value cannot show a decrease that small
        slack = 4 * eps * (xp.abs(f) + scale)

        def shorter(t: Array, moved: Array, trial: Array, trial_f: Array) -> tuple[Array, ...]:
            t = xp.where(moved, t, 0.5 * t)
            trial = xp.where(running[..., None], x - t[..., None] * direction, x)
            inside = contains(trial)
            trial_f = value(xp.where(inside[..., None], trial, x))
            return t, ~running | (inside & ((trial_f <= f + slack) | flat)), trial, trial_f

        # to a step of 2⁻⁶⁰, which moves nothing
        _, moved, trial, trial_f = repeat(xp, lambda t, moved, *_: ~xp.all(moved), shorter, (2.0 * t, ~running, x, f), 60)
        x_new = xp.where((running & moved)[..., None], trial, x)
        g_new = gradient(x_new)
        no_gain = xp.max(xp.abs(g_new), axis=-1) >= residual
        done = no_gain & (residual <= 1000 * eps * scale)
        stalled = stalled | (running & (~moved | done))
        keep = running & moved & ~done
        x, f, g = xp.where(keep[..., None], x_new, x), xp.where(keep, trial_f, f), xp.where(keep[..., None], g_new, g)
        return x, f, g, *judged(x, g, stalled)

    with np.errstate(all="ignore"):
        g = gradient(x0)
        start = (x0, value(x0), g, *judged(x0, g, skip))
        x, _, _, residual, *_ = repeat(xp, lambda *state: xp.any(state[-1]), step, start, max_steps)
        good = skip | (residual <= 1000 * eps * scale_at(x))
    if is_traced(xp, x):
        return xp.where(good[..., None], x, xp.full_like(x, xp.nan))
    require_converged(f"{name}: Newton's method ended short of its accuracy after at most {max_steps} steps", good, residual, x)
    return x
