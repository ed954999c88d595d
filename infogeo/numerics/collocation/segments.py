"""Geodesic segments on the nodes of one rule, and segments joined end to end: Newton's method for both."""
from typing import Any

import numpy as np

from ...backend import Array, Namespace, set_at
from ..linalg import inverse, matvec, solve
from .equations import Equation
from .rule import Rule
from .tridiagonal import eliminated

__all__ = ["Segments", "joined", "put"]


class Segments:
    """Geodesic segments, all of a block, on the nodes of one rule: each row with its own ends.

    For a boundary value the vector u is the difference of the ends; for an initial value, the velocity.
    """

    def __init__(self, xp: Namespace, equation: Equation, gauss: Rule, series: np.ndarray, dtype: Any) -> None:
        def own(matrix: np.ndarray) -> Array:
            return xp.asarray(matrix, dtype=dtype)

        self.xp, self.equation, self.gauss = xp, equation, gauss
        self.t, self.weight, self.derivative = own(gauss.t)[:, None], own(gauss.weight), own(gauss.derivative)
        self.series = own(series)
        self.position, self.velocity = map(own, gauss.corrections(series))
        self.start, self.end = map(own, gauss.end_slopes(series))       # the rows of K̇ at t = 0 and t = 1
        self.arrival = own(np.sum(series, axis=0))                      # the row of K at t = 1
        self.tolerance = max(1e-10, 100 * float(xp.finfo(dtype).eps))

    def points(self, p: Array, u: Array, w: Array) -> Array:
        """x = p + t u + K w at the nodes, shape (rows, n, d)."""
        return p[:, None, :] + self.t * u[:, None, :] + self.xp.matmul(self.position, w)

    def inside(self, p: Array, u: Array, w: Array) -> Array:
        return self.xp.all(self.equation.M.domain.contains(self.points(p, u, w)), axis=-1)

    def evaluate(self, p: Array, u: Array, w: Array) -> tuple[Array, ...]:
        """(residual w + Γ(ẋ, ẋ), its size, length, G, ∂/∂ẋ and ∂/∂x of the residual) at the nodes."""
        xp, v = self.xp, u[:, None, :] + self.xp.matmul(self.velocity, w)
        metric, force, by_velocity, by_position = self.equation(xp, self.points(p, u, w), v, w, self.derivative)
        raised = inverse(xp, metric)
        residual = w + matvec(xp, raised, force)
        return (residual, self.length(metric, residual), self.length(metric, v),
                metric, xp.matmul(raised, by_velocity), xp.matmul(raised, by_position))

    def length(self, metric: Array, v: Array) -> Array:
        """(∫ |v|² dt)^½, shape (rows,)."""
        xp = self.xp
        return xp.sqrt(xp.sum(self.weight * xp.sum(v * matvec(xp, metric, v), axis=-1), axis=-1))

    def linearised(self, by_velocity: Array, by_position: Array) -> Array:
        """The matrices of δw → δw + ∂r/∂ẋ K̇ δw + ∂r/∂x K δw, shape (rows, n d, n d)."""
        xp, (r, n, d, _) = self.xp, by_velocity.shape
        blocks = (by_position[:, :, :, None, :] * self.position[:, None, :, None]
                  + by_velocity[:, :, :, None, :] * self.velocity[:, None, :, None])
        return xp.reshape(blocks, (r, n * d, n * d)) + xp.eye(n * d, dtype=blocks.dtype)

    def newton(self, p: Array, u: Array, w: Array, max_steps: int = 25) -> tuple[Array, Array]:
        """(w, length) by damped Newton's method from w; the length is NaN in rows that do not converge."""
        xp = self.xp
        solution, length = w, xp.full_like(w[:, 0, 0], xp.nan)
        left = self.inside(p, u, w)
        p, u, w = p[left], u[left], w[left]
        state = self.evaluate(p, u, w)
        for _ in range(max_steps):
            if not xp.any(left):
                break
            residual, size, _, metric, by_velocity, by_position = state
            flat = xp.reshape(residual, (residual.shape[0], -1))
            step = xp.reshape(solve(xp, self.linearised(by_velocity, by_position), flat), residual.shape)
            move = xp.matmul(self.position, step)
            small = xp.max(xp.sum(move * matvec(xp, metric, move), axis=-1), axis=-1) <= (self.tolerance * state[2])**2
            fraction = xp.ones_like(size)
            for _ in range(6):
                trial = w - fraction[:, None, None] * step
                fits = self.inside(p, u, trial)
                trial = xp.where(fits[:, None, None], trial, w)
                new = self.evaluate(p, u, trial)
                moved = fits & (small | (new[1] <= (1.0 - 0.25 * fraction) * size))
                if xp.all(moved):
                    break
                fraction = xp.where(moved, fraction, 0.5 * fraction)
            solution = put(xp, solution, left, trial)
            length = put(xp, length, left, xp.where(small & moved, new[2], xp.nan * new[2]))
            go_on = moved & ~small
            left = put(xp, left, left, go_on)
            p, u, w, state = p[go_on], u[go_on], trial[go_on], tuple(x[go_on] for x in new)
        return solution, length

    def run(self, p: Array, u: Array, steps: int) -> tuple[Array, Array]:
        """(x(1), ẋ(1)) from x(0) = p, ẋ(0) = u in equal steps; NaN in rows where one fails."""
        xp = self.xp
        u, still = u / steps, xp.zeros((p.shape[0], self.gauss.n, p.shape[1]), dtype=p.dtype)
        for _ in range(steps):
            w, length = self.newton(p, u, still)
            known = 0.0 * length[:, None]
            p, u = p + u + xp.matmul(self.arrival, w) + known, u + xp.matmul(self.end, w) + known
        return p, steps * u

    def sensitivities(self, p: Array, u: Array, w: Array) -> tuple[Array, Array]:
        """(ẋ(0), ẋ(1)) and their derivatives by both ends, shapes (rows, 2, d) and (rows, 2, d, 2 d)."""
        xp, d, t = self.xp, p.shape[-1], self.t[:, :, None]
        _, _, _, _, by_velocity, by_position = self.evaluate(p, u, w)
        right = xp.concat([by_velocity - (1.0 - t) * by_position, -by_velocity - t * by_position], axis=-1)
        r, n = right.shape[:2]
        change = xp.matmul(inverse(xp, self.linearised(by_velocity, by_position)), xp.reshape(right, (r, n * d, 2 * d)))   # of w
        ends = xp.stack([self.start, self.end])
        eye = xp.eye(d, dtype=p.dtype)
        slopes = xp.matmul(ends, xp.reshape(change, (r, n, 2 * d * d)))
        return (u[:, None, :] + xp.matmul(ends, w),
                xp.concat([-eye, eye], axis=-1) + xp.reshape(slopes, (*slopes.shape[:2], d, 2 * d)))


def _junction_step(xp: Namespace, velocity: Array, change: Array) -> Array:
    """The Newton step of the points where segments meet, at which the velocities of both sides are to agree.

    Shapes: velocity (rows, m, 2, d), change (rows, m, 2, d, 2 d), to (rows, m − 1, d).
    Mathematically, a block tridiagonal system.
    """
    d = velocity.shape[-1]
    before, after = change[:, :-1, 1, :, :], change[:, 1:, 0, :, :]
    return eliminated(xp, -before[..., :d], after[..., :d] - before[..., d:], after[..., d:],
                      velocity[:, 1:, 0, :] - velocity[:, :-1, 1, :])[0]        # the mismatch ẋ_{i+1}(0) − ẋ_i(1)


def _mismatch(xp: Namespace, M: Any, nodes: Array, velocity: Array) -> Array:
    """max |ẋ_{i+1}(0) − ẋ_i(1)| over the points where segments meet, shape (rows,)."""
    jump = velocity[:, 1:, 0, :] - velocity[:, :-1, 1, :]
    return xp.max(M.norm(nodes[:, 1:-1, :], jump), axis=-1)


def joined(segments: Segments, nodes: Array, widths: Array, w: Array, max_steps: int = 30) -> tuple[Array, ...]:
    """Damped Newton's method for the inner nodes: (nodes, w, lengths); lengths are NaN where it does not converge.

    Shapes: nodes (rows, m + 1, d), widths of the segments in time (rows, m), w (rows, m, n, d), lengths (rows, m).
    """
    xp, M, (_, m, n, d) = segments.xp, segments.equation.M, w.shape

    def solved(nodes: Array, w: Array, widths: Array) -> tuple[Array, ...]:
        p, u = (xp.reshape(x, (-1, d)) for x in (nodes[:, :-1, :], nodes[:, 1:, :] - nodes[:, :-1, :]))
        w, length = segments.newton(p, u, xp.reshape(w, (-1, n, d)))
        if m == 1:
            return nodes, w[:, None, :, :], length[:, None]
        shape = (-1, m)
        velocity, change = segments.sensitivities(p, u, w)
        per = 1.0 / widths[..., None, None]
        return (nodes, xp.reshape(w, (*shape, n, d)), xp.reshape(length, shape),
                per * xp.reshape(velocity, (*shape, 2, d)), per[..., None] * xp.reshape(change, (*shape, 2, d, 2 * d)))

    state = solved(nodes, w, widths)
    if m == 1:
        return state
    nodes, w, length = state[0], state[1], xp.full_like(state[2], xp.nan)
    left = xp.all(xp.isfinite(state[2]), axis=-1)
    state, widths = tuple(x[left] for x in state), widths[left]
    for _ in range(max_steps):
        if not xp.any(left):
            break
        size = _mismatch(xp, M, state[0], state[3])
        step = _junction_step(xp, *state[3:])
        small = xp.max(M.norm(state[0][:, 1:-1, :], step), axis=-1) <= segments.tolerance * xp.sum(state[2], axis=-1)
        step = xp.concat([xp.zeros_like(step[:, :1, :]), step, xp.zeros_like(step[:, :1, :])], axis=1)
        fraction = xp.ones_like(size)
        for _ in range(6):
            trial = state[0] - fraction[:, None, None] * step
            fits = xp.all(M.domain.contains(trial), axis=-1)
            new = solved(xp.where(fits[:, None, None], trial, state[0]), state[1], widths)
            fits = fits & xp.all(xp.isfinite(new[2]), axis=-1)
            moved = fits & (small | (_mismatch(xp, M, new[0], new[3]) <= (1.0 - 0.25 * fraction) * size))
            if xp.all(moved):
                break
            fraction = xp.where(moved, fraction, 0.5 * fraction)
        done = small & moved
        nodes, w = put(xp, nodes, left, new[0]), put(xp, w, left, new[1])
        length = put(xp, length, left, xp.where(done[:, None], new[2], xp.nan * new[2]))
        go_on = moved & ~small
        left = put(xp, left, left, go_on)
        state, widths = tuple(x[go_on] for x in new), widths[go_on]
    return nodes, w, length


def put(xp: Namespace, x: Array, mask: Array, values: Array) -> Array:
    """A copy of x with these values in the rows of the mask."""
    return set_at(xp, xp.asarray(x, copy=True), mask, values)
