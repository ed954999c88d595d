"""Geodesics by Gauss–Legendre collocation: the numeric route to distances, exponential and logarithmic maps.

A segment x(t) = p + t u + (K w)(t), 0 ≤ t ≤ 1, is held by the values w of ẍ at the n nodes of a Gauss rule; K integrates their
polynomial twice, from rest at p for an initial value, where u is the velocity, and with both ends held for a boundary value,
where u = q − p. The equation w + Γ(ẋ, ẋ) = 0 is of the second kind in w: nothing is differentiated, and for an analytic metric
the error falls exponentially with n. Newton's method solves it for all rows of a batch at once. A long geodesic is several
segments whose ends are moved, by Newton's method again, until the velocities agree on both sides.
"""
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from ..arrays.blocks import slices
from ..backend import to_numpy
from ..errors import ConvergenceError
from .differences import frame
from .linalg import inverse, matvec, solve

__all__ = ["HessianEquation", "MetricEquation", "Path", "Rule", "arrive", "join", "rule"]

ACCURACY = 1e-8             # of a geodesic, relative to its length; in float32 1000 ε
NODES = 10, 14, 24          # of a segment: each number confirms the one before
LONGEST = 4.0               # a segment of that length is solved from a straight line
ROUNDS = 7                  # of halving: up to 64 segments, and 64 steps of an initial value
SWEEPS = 10                 # over the ends of the segments, each moved to the middle of its neighbours
BLOCK = 2**20               # entries of the Newton matrices that are formed at a time


class Rule:
    """The n-point Gauss rule on [0, 1] and the matrices, on the host, of the operations on polynomials through its nodes.

    Mathematically, with shifted Legendre polynomials P_m: `coefficients` takes values to a series, `derivative` values to those
    of the derivative; `initial` and `boundary` take values of ẍ to the series, of n + 2 terms, of K w.
    """

    def __init__(self, n):
        node, weight = legendre.leggauss(n)
        self.n, self.t, self.weight = n, (1.0 + node) / 2.0, weight / 2.0
        values = legendre.legvander(node, n + 1)
        self.coefficients = (2.0 * np.arange(n) + 1.0)[:, None] * values[:, :n].T * self.weight
        self.once = legendre.legint(self.coefficients, scl=0.5, lbnd=-1)             # ∫₀ᵗ, n + 1 terms
        self.initial = legendre.legint(self.once, scl=0.5, lbnd=-1)
        line = np.zeros((n + 2, 1))
        line[:2] = 0.5                                                               # t = ½ P_0 + ½ P_1
        self.boundary = self.initial - line * np.sum(self.initial, axis=0)           # P_m(1) = 1
        self.derivative = values[:, :n - 1] @ legendre.legder(self.coefficients, scl=2.0)
        self.values, self.integral = values, values[:, :n + 1] @ self.once

    def corrections(self, series):
        """(K, K̇): values of K w and of its derivative at the nodes."""
        return self.values @ series, self.values[:, :self.n + 1] @ legendre.legder(series, scl=2.0)

    def resample(self, other):
        """Values at the nodes of this rule of the polynomial with values at those of another."""
        return self.values[:, :other.n] @ other.coefficients

    def end_slopes(self, series):
        """The derivative of K w at t = 0 and at t = 1."""
        slope = legendre.legder(series, scl=2.0)
        return (-1.0)**np.arange(self.n + 1) @ slope, np.sum(slope, axis=0)


rule = lru_cache(Rule)


@dataclass(frozen=True)
class Path:
    """A geodesic in equal pieces of time, each x = p + s u + Σ c_m P_m(2s − 1) with s from 0 to 1.

    Shapes: start and along (..., m, d), series (..., m, n + 2, d), pieces (...): those in use, of m; length (...).
    """

    xp: Any
    start: Any
    along: Any
    series: Any
    pieces: Any
    length: Any

    def __call__(self, t):
        """The point at time t, which broadcasts with the batch, shape (..., d)."""
        xp, m = self.xp, self.series.shape[-3]
        position = xp.where((t >= 0.0) & (t <= 1.0), t, xp.full_like(t, xp.nan)) * self.pieces
        index = xp.minimum(xp.floor(position), self.pieces - 1.0)
        chosen = xp.astype(index[..., None] == xp.arange(m, dtype=index.dtype), index.dtype)[..., None, :]

        def piece(x):
            shape = x.shape[self.pieces.ndim + 1:]
            rows = xp.reshape(x, (*self.pieces.shape, m, prod(shape)))
            return xp.reshape(xp.matmul(chosen, rows), (*index.shape, *shape))

        s = (position - index)[..., None]
        return piece(self.start) + s * piece(self.along) + _legendre_sum(piece(self.series), 2.0 * s - 1.0)

    @property
    def velocity(self):
        """ẋ(0), with P_m′(−1) = (−1)^{m+1} m (m + 1) / 2, shape (..., d)."""
        xp, m = self.xp, np.arange(self.series.shape[-2])
        slope = xp.asarray((-1.0)**(m + 1) * m * (m + 1), dtype=self.series.dtype)
        first = xp.sum(slope[:, None] * self.series[..., 0, :, :], axis=-2)
        return self.pieces[..., None] * (self.along[..., 0, :] + first)


def _legendre_sum(series, z):
    """Σ c_m P_m(z) by Clenshaw's recurrence, shapes (..., m, d) and (..., 1) to (..., d)."""
    ahead = last = 0.0 * series[..., 0, :] * z
    for m in range(series.shape[-2] - 1, 0, -1):
        ahead, last = series[..., m, :] + (2 * m + 1) / (m + 1) * z * ahead - (m + 1) / (m + 2) * last, ahead
    return series[..., 0, :] + z * ahead - 0.5 * last


@dataclass(frozen=True)
class HessianEquation:
    """The geodesics of the α-connection of a dually flat manifold: G ẍ + (1 − α)/2 T(ẋ, ẋ) = 0 in the chart θ.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.3.
    """

    M: Any
    alpha: float = 0.0

    def __call__(self, xp, x, v, w, derivative):
        """(G, f, ∂f/∂v, ∂(Gw + f)/∂x) with f = (1 − α)/2 T(v, v).

        The fourth derivatives of ψ enter by that of T along the path: ∂_l T_ijk v_i v_j = v_i (d/dt T_ilk).
        """
        metric, tensor = self.M.metric(x), self.M.cubic_tensor(x)
        weight, d = (1.0 - self.alpha) / 2.0, x.shape[-1]
        along = weight * _contract(xp, tensor, v)
        change = xp.matmul(derivative, xp.reshape(tensor, (*tensor.shape[:-3], d**3)))
        bend = _contract(xp, tensor, w) + weight * _contract(xp, xp.reshape(change, tensor.shape), v)
        return metric, matvec(xp, along, v), 2.0 * along, bend

    def middle(self, xp, a, b):
        """A point near the middle of the geodesic: for α = ±1 the mean in a flat chart, for α = 0 the limit of both in turn.

        Source: Nielsen, What is… an inductive mean?, Notices of the AMS 70 (2023).
        """
        e, m = flat = self._means(a, b)
        for _ in range(2):
            e, m = self._means(e, m)
        both, end = 0.5 * (e + m), flat[0] if self.alpha > 0 else flat[1]
        return both + abs(self.alpha) * (end - both)

    def _means(self, a, b):
        """The middle of the e-geodesic and that of the m-geodesic."""
        return 0.5 * (a + b), self.M.to_theta(0.5 * (self.M.to_eta(a) + self.M.to_eta(b)))


@dataclass(frozen=True)
class MetricEquation:
    """The geodesics of a metric: G ẍ + Γ(ẋ, ẋ) = 0 with the Christoffel symbols of the first kind."""

    M: Any

    def __call__(self, xp, x, v, w, derivative):
        """As that of a `HessianEquation`; the last by central differences, as it steers the iteration only."""
        metric, force, symbols = self._force(xp, x, v)
        rows, covectors = frame(xp, metric)                             # of an orthonormal basis: a step is a local unit
        columns = []
        for a in range(x.shape[-1]):
            ends = [self._force(xp, x + h * rows[..., a, :], v) for h in (1e-3, -1e-3)]
            ahead, behind = (matvec(xp, metric, w) + force for metric, force, _ in ends)
            columns.append((ahead - behind) / 2e-3)
        return metric, force, symbols, xp.matmul(xp.stack(columns, axis=-1), covectors)

    def _force(self, xp, x, v):
        """(G, Γ(v, v), ∂Γ(v, v)/∂v = 2 Γ(v, ·)) with Γ_{ij,k} = ½ (∂_i G_jk + ∂_j G_ik − ∂_k G_ij)."""
        metric, change = self.M.metric(x), self.M.metric_derivative(x)
        by_index = _contract_first(xp, change, v)                       # v_i ∂_l G_ik at (k, l)
        symbols = _contract(xp, change, v) + by_index - xp.matrix_transpose(by_index)
        return metric, 0.5 * matvec(xp, symbols, v), symbols

    def middle(self, xp, a, b):
        """A point near the middle of the geodesic: that of the chord, moved by what the second derivative −Γ(b − a, b − a) asks.

        On a long chord, the point of half its length, moved across the chord by a unit of length at most.
        """
        step = b - a
        node, weight = (xp.asarray(x, dtype=a.dtype) for x in _clustered())
        chord = a[..., None, :] + node[:, None] * step[..., None, :]
        lengths = weight * self.M.norm(chord, xp.broadcast_to(step[..., None, :], chord.shape))
        before, total = xp.cumulative_sum(lengths, axis=-1) - 0.5 * lengths, xp.sum(lengths, axis=-1)
        half = xp.sum(xp.where(before < 0.5 * total[..., None], weight, xp.zeros_like(weight)), axis=-1)
        far = (total > LONGEST)[..., None]
        part = xp.where(far, half[..., None], xp.full_like(half, 0.5)[..., None])
        centre = a + part * step
        bend = 0.5 * part * (1.0 - part) * matvec(xp, inverse(xp, self.M.metric(centre)), self._force(xp, centre, step)[1])
        tangential = (self.M.inner(centre, bend, step) / self.M.inner(centre, step, step))[..., None] * step
        bend = xp.where(far, bend - tangential, bend)
        size = self.M.norm(centre, bend)[..., None]
        moved = centre + bend / xp.maximum(size, xp.ones_like(size))
        return xp.where(self.M.domain.contains(moved)[..., None], moved, centre)


@lru_cache
def _clustered(n=200, reach=18.0):
    """Nodes and weights of the trapezoidal rule in the logit of t: they resolve lengths at either end down to e^−reach."""
    z, h = np.linspace(-reach, reach, n, retstep=True)
    t = 1.0 / (1.0 + np.exp(-z))
    return t, h * t * (1.0 - t)


def _contract(xp, tensor, v):
    """T_ijk v_k, shapes (..., d, d, d) and (..., d)."""
    return matvec(xp, tensor, v[..., None, :])


def _contract_first(xp, tensor, v):
    """v_i T_ijk, shapes (..., d, d, d) and (..., d)."""
    d = v.shape[-1]
    flat = xp.matmul(v[..., None, :], xp.reshape(tensor, (*tensor.shape[:-2], d * d)))
    return xp.reshape(flat, (*v.shape, d))


class _Segments:
    """Geodesic segments, all of a block, on the nodes of one rule: each row with its own ends.

    For a boundary value the vector u is the difference of the ends; for an initial value, the velocity.
    """

    def __init__(self, xp, equation, gauss, series, dtype):
        def own(matrix):
            return xp.asarray(matrix, dtype=dtype)

        self.xp, self.equation, self.gauss = xp, equation, gauss
        self.t, self.weight, self.derivative = own(gauss.t)[:, None], own(gauss.weight), own(gauss.derivative)
        self.series = own(series)
        self.position, self.velocity = map(own, gauss.corrections(series))
        self.start, self.end = map(own, gauss.end_slopes(series))       # the rows of K̇ at t = 0 and t = 1
        self.arrival = own(np.sum(series, axis=0))                      # the row of K at t = 1
        self.tolerance = max(1e-10, 100 * float(xp.finfo(dtype).eps))

    def points(self, p, u, w):
        """x = p + t u + K w at the nodes, shape (rows, n, d)."""
        return p[:, None, :] + self.t * u[:, None, :] + self.xp.matmul(self.position, w)

    def inside(self, p, u, w):
        return self.xp.all(self.equation.M.domain.contains(self.points(p, u, w)), axis=-1)

    def evaluate(self, p, u, w):
        """(residual w + Γ(ẋ, ẋ), its size, length, G, ∂/∂ẋ and ∂/∂x of the residual) at the nodes."""
        xp, v = self.xp, u[:, None, :] + self.xp.matmul(self.velocity, w)
        metric, force, by_velocity, by_position = self.equation(xp, self.points(p, u, w), v, w, self.derivative)
        raised = inverse(xp, metric)
        residual = w + matvec(xp, raised, force)
        return (residual, self.length(metric, residual), self.length(metric, v),
                metric, xp.matmul(raised, by_velocity), xp.matmul(raised, by_position))

    def length(self, metric, v):
        """(∫ |v|² dt)^½, shape (rows,)."""
        xp = self.xp
        return xp.sqrt(xp.sum(self.weight * xp.sum(v * matvec(xp, metric, v), axis=-1), axis=-1))

    def linearised(self, by_velocity, by_position):
        """The matrices of δw → δw + ∂r/∂ẋ K̇ δw + ∂r/∂x K δw, shape (rows, n d, n d)."""
        xp, (r, n, d, _) = self.xp, by_velocity.shape
        blocks = (by_position[:, :, :, None, :] * self.position[:, None, :, None]
                  + by_velocity[:, :, :, None, :] * self.velocity[:, None, :, None])
        return xp.reshape(blocks, (r, n * d, n * d)) + xp.eye(n * d, dtype=blocks.dtype)

    def newton(self, p, u, w, max_steps=25):
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
            solution = _put(xp, solution, left, trial)
            length = _put(xp, length, left, xp.where(small & moved, new[2], xp.nan * new[2]))
            go_on = moved & ~small
            left = _put(xp, left, left, go_on)
            p, u, w, state = p[go_on], u[go_on], trial[go_on], tuple(x[go_on] for x in new)
        return solution, length

    def run(self, p, u, steps):
        """(x(1), ẋ(1)) from x(0) = p, ẋ(0) = u in equal steps; NaN in rows where one fails."""
        xp = self.xp
        u, still = u / steps, xp.zeros((p.shape[0], self.gauss.n, p.shape[1]), dtype=p.dtype)
        for _ in range(steps):
            w, length = self.newton(p, u, still)
            known = 0.0 * length[:, None]
            p, u = p + u + xp.matmul(self.arrival, w) + known, u + xp.matmul(self.end, w) + known
        return p, steps * u

    def sensitivities(self, p, u, w):
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


def _junction_step(xp, velocity, change):
    """The Newton step of the points where segments meet, at which the velocities of both sides are to agree.

    Shapes: velocity (rows, m, 2, d), change (rows, m, 2, d, 2 d), to (rows, m − 1, d).
    Mathematically, a block tridiagonal system, by elimination.
    """
    m, d = velocity.shape[1], velocity.shape[-1]
    pivots, rights, uppers = [], [], []
    for i in range(m - 1):                                    # the mismatch ẋ_{i+1}(0) − ẋ_i(1)
        before, after = change[:, i, 1, :, :], change[:, i + 1, 0, :, :]
        pivot, right = after[..., :d] - before[..., d:], (velocity[:, i + 1, 0, :] - velocity[:, i, 1, :])[..., None]
        if pivots:
            lower = -before[..., :d]
            eliminated = xp.matmul(pivots[-1], xp.concat([uppers[-1], rights[-1]], axis=-1))
            pivot, right = pivot - xp.matmul(lower, eliminated[..., :d]), right - xp.matmul(lower, eliminated[..., d:])
        pivots.append(inverse(xp, pivot))
        rights.append(right)
        uppers.append(after[..., d:])
    steps = [xp.matmul(pivots[-1], rights[-1])]
    for i in range(m - 3, -1, -1):
        steps.append(xp.matmul(pivots[i], rights[i] - xp.matmul(uppers[i], steps[-1])))
    return xp.stack(steps[::-1], axis=1)[..., 0]


def _mismatch(xp, M, nodes, velocity):
    """max |ẋ_{i+1}(0) − ẋ_i(1)| over the points where segments meet, shape (rows,)."""
    jump = velocity[:, 1:, 0, :] - velocity[:, :-1, 1, :]
    return xp.max(M.norm(nodes[:, 1:-1, :], jump), axis=-1)


def _joined(segments, nodes, w, max_steps=30):
    """Damped Newton's method for the inner nodes: (nodes, w, lengths); lengths are NaN where it does not converge.

    Shapes: nodes (rows, m + 1, d), w (rows, m, n, d), lengths (rows, m).
    """
    xp, M, (_, m, n, d) = segments.xp, segments.equation.M, w.shape

    def solved(nodes, w):
        p, u = (xp.reshape(x, (-1, d)) for x in (nodes[:, :-1, :], nodes[:, 1:, :] - nodes[:, :-1, :]))
        w, length = segments.newton(p, u, xp.reshape(w, (-1, n, d)))
        if m == 1:
            return nodes, w[:, None, :, :], length[:, None]
        shape = (-1, m)
        velocity, change = segments.sensitivities(p, u, w)
        return (nodes, xp.reshape(w, (*shape, n, d)), xp.reshape(length, shape),
                xp.reshape(velocity, (*shape, 2, d)), xp.reshape(change, (*shape, 2, d, 2 * d)))

    state = solved(nodes, w)
    if m == 1:
        return state
    nodes, w, length = state[0], state[1], xp.full_like(state[2], xp.nan)
    left = xp.all(xp.isfinite(state[2]), axis=-1)
    state = tuple(x[left] for x in state)
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
            new = solved(xp.where(fits[:, None, None], trial, state[0]), state[1])
            fits = fits & xp.all(xp.isfinite(new[2]), axis=-1)
            moved = fits & (small | (_mismatch(xp, M, new[0], new[3]) <= (1.0 - 0.25 * fraction) * size))
            if xp.all(moved):
                break
            fraction = xp.where(moved, fraction, 0.5 * fraction)
        done = small & moved
        nodes, w = _put(xp, nodes, left, new[0]), _put(xp, w, left, new[1])
        length = _put(xp, length, left, xp.where(done[:, None], new[2], xp.nan * new[2]))
        go_on = moved & ~small
        left = _put(xp, left, left, go_on)
        state = tuple(x[go_on] for x in new)
    return nodes, w, length


def _put(xp, x, mask, values):
    """A copy of x with these values in the rows of the mask."""
    out = xp.asarray(x, copy=True)
    out[mask] = values
    return out


def join(equation, x, y):
    """The geodesic from x to y, a `Path`; NaN where an end lies outside the domain.

    The ends of the segments come from halving, and from sweeps in which each moves to the middle of its neighbours
    (Noakes, A global algorithm for geodesics, J. Austral. Math. Soc. 65, 1998). Where the equation is that of a metric, the
    path is stationary for the length, and the shortest where no two geodesics join x and y.

    Raises
    ------
    ConvergenceError
        If no two rules in a row agree to `ACCURACY` of the length, with 64 segments at most.
    """
    xp, x, y = equation.M.point(x, y)
    shape, d = np.broadcast_shapes(x.shape, y.shape), x.shape[-1]
    x, y = (xp.reshape(xp.broadcast_to(z, shape), (-1, d)) for z in (x, y))
    inside = equation.M.domain.contains
    left = inside(x) & inside(y)
    ends = xp.stack([x, y], axis=1)[left]
    found = []                                                  # (mask of rows, their nodes, series, lengths)
    for _ in range(ROUNDS):
        if not xp.any(left):
            break
        step = ends[:, 1:, :] - ends[:, :-1, :]
        length = 0.5 * (equation.M.norm(ends[:, 1:, :], step) + equation.M.norm(ends[:, :-1, :], step))
        ready = xp.all(length <= LONGEST, axis=-1)
        nodes, series, lengths = _in_blocks(xp, equation, ends[ready])
        solved = xp.all(xp.isfinite(lengths), axis=-1)
        done = _put(xp, ready, ready, solved)
        found.append((_put(xp, left, left, done), nodes[solved], series[solved], lengths[solved]))
        left, ends = _put(xp, left, left, ~done), ends[~done]
        ends = _halved(xp, equation, ends)
    if xp.any(left):
        bad = to_numpy(left)
        first = int(np.flatnonzero(bad)[0])
        index = tuple(int(i) for i in np.unravel_index(first, shape[:-1]))
        raise ConvergenceError(
            f"no geodesic was found to {ACCURACY:.0e} of its length for {int(bad.sum())} of {bad.size} pairs of points, first at "
            f"index {index}: between {to_numpy(x)[first]} and {to_numpy(y)[first]}")
    return _assembled(xp, found, x, shape)


def _halved(xp, equation, ends):
    """Twice as many segments, their ends swept towards a geodesic, shape (rows, m + 1, d) to (rows, 2 m + 1, d)."""
    r, m, d = ends.shape[0], ends.shape[1] - 1, ends.shape[2]
    middle = equation.middle(xp, ends[:, :-1, :], ends[:, 1:, :])
    pairs = xp.reshape(xp.stack([ends[:, :-1, :], middle], axis=2), (r, 2 * m, d))
    even, odd, last = pairs[:, 0::2, :], pairs[:, 1::2, :], ends[:, -1:, :]
    for _ in range(SWEEPS if m > 1 else 0):
        inner = equation.middle(xp, odd[:, :-1, :], odd[:, 1:, :])
        even = xp.concat([even[:, :1, :], inner], axis=1)
        odd = equation.middle(xp, even, xp.concat([inner, last], axis=1))
    return xp.concat([xp.reshape(xp.stack([even, odd], axis=2), (r, 2 * m, d)), last], axis=1)


def _in_blocks(xp, equation, ends):
    """(nodes, series, lengths) of `_confirmed` for all rows, as many at a time as `BLOCK` allows."""
    r, m, d = ends.shape[0], ends.shape[1] - 1, ends.shape[2]
    size = max(1, BLOCK // (m * (NODES[1] * d)**2))
    parts = [_confirmed(xp, equation, ends[i:min(i + size, r), :, :]) for i in range(0, max(r, 1), size)]
    return tuple(xp.concat(part) for part in zip(*parts))


def _confirmed(xp, equation, ends):
    """(nodes, series, lengths) on the first rule that confirms the one before; NaN lengths in rows where none does."""
    (r, m, d), gauss = (ends.shape[0], ends.shape[1] - 1, ends.shape[2]), rule(NODES[0])
    tolerance = max(ACCURACY, 1e3 * float(xp.finfo(ends.dtype).eps))
    nodes, series = ends, xp.zeros((r, m, NODES[-1] + 2, d), dtype=ends.dtype)
    lengths = xp.full_like(ends[:, 1:, 0], xp.nan)
    w = xp.zeros((r, m, gauss.n, d), dtype=ends.dtype)
    before = _joined(_Segments(xp, equation, gauss, gauss.boundary, ends.dtype), ends, w)
    left = xp.all(xp.isfinite(before[2]), axis=-1)
    before = tuple(x[left] for x in before)
    for coarse, fine in zip(map(rule, NODES), map(rule, NODES[1:])):
        if not xp.any(left):
            break
        segments = _Segments(xp, equation, fine, fine.boundary, ends.dtype)
        start = xp.matmul(xp.asarray(fine.resample(coarse), dtype=ends.dtype), before[1])
        after = _joined(segments, before[0], start)
        length = xp.sum(after[2], axis=-1)
        p, u = after[0][:, :-1, None, :], after[0][:, 1:, None, :] - after[0][:, :-1, None, :]
        bent = equation.M.norm(p + segments.t * u + xp.matmul(segments.position, after[1]),
                               xp.matmul(segments.position, after[1] - start))
        error = xp.abs(length - xp.sum(before[2], axis=-1))
        error = xp.maximum(error, xp.max(equation.M.norm(after[0], after[0] - before[0]), axis=-1))
        agree = xp.maximum(error, xp.max(bent, axis=(-2, -1))) <= tolerance * length
        done = _put(xp, left, left, agree)
        nodes, lengths = _put(xp, nodes, done, after[0][agree]), _put(xp, lengths, done, after[2][agree])
        found = xp.matmul(segments.series, after[1][agree])
        rest = xp.zeros((*found.shape[:2], NODES[-1] - fine.n, d), dtype=ends.dtype)
        series = _put(xp, series, done, xp.concat([found, rest], axis=2))
        go_on = ~agree & xp.isfinite(length)
        left, before = _put(xp, left, left, go_on), tuple(x[go_on] for x in after)
    return nodes, series, lengths


def _assembled(xp, found, x, shape):
    """The `Path` of all rows, each in its own number of pieces; rows outside are NaN."""
    r, d, n = x.shape[0], x.shape[1], NODES[-1]
    most = max([own.shape[1] for _, _, own, _ in found], default=1)
    nan = xp.full_like(x[:, :1], xp.nan)
    start, along = (nan[:, :, None] + xp.zeros((r, most, d), dtype=x.dtype) for _ in range(2))
    series = nan[:, :, None, None] + xp.zeros((r, most, n + 2, d), dtype=x.dtype)
    pieces, length = xp.ones_like(x[:, 0]), nan[:, 0]
    for rows, nodes, own, lengths in found:
        m = own.shape[1]
        start = _put(xp, start, rows, _padded(xp, nodes[:, :-1, :], most))
        along = _put(xp, along, rows, _padded(xp, nodes[:, 1:, :] - nodes[:, :-1, :], most))
        series = _put(xp, series, rows, _padded(xp, own, most))
        pieces = _put(xp, pieces, rows, xp.full_like(lengths[:, 0], float(m)))
        length = _put(xp, length, rows, xp.sqrt(m * xp.sum(lengths * lengths, axis=-1)))
    batch = shape[:-1]
    return Path(xp, xp.reshape(start, (*batch, most, d)), xp.reshape(along, (*batch, most, d)),
                xp.reshape(series, (*batch, most, n + 2, d)), xp.reshape(pieces, batch), xp.reshape(length, batch))


def _padded(xp, x, m):
    """x with zeros up to m entries along axis 1."""
    return xp.concat([x, xp.zeros((x.shape[0], m - x.shape[1], *x.shape[2:]), dtype=x.dtype)], axis=1)


def arrive(equation, x, vector):
    """(x(1), ẋ(1)) of the geodesic with x(0) = x and ẋ(0) = vector; NaN where x lies outside the domain.

    In 1, 2, 4, … steps, until two numbers in a row agree.

    Raises
    ------
    ConvergenceError
        If they do not to `ACCURACY` of the length with 64 steps: the geodesic is long, or ends at the boundary before time 1.
    """
    xp, x, vector = equation.M.point(x, vector)
    shape, d = np.broadcast_shapes(x.shape, vector.shape), x.shape[-1]
    x, vector = (xp.reshape(xp.broadcast_to(z, shape), (-1, d)) for z in (x, vector))
    left = equation.M.domain.contains(x) & xp.all(xp.isfinite(vector), axis=-1)
    end = velocity = xp.full_like(x, xp.nan)
    gauss, size = rule(NODES[0]), max(1, BLOCK // (NODES[0] * d)**2)
    segments = _Segments(xp, equation, gauss, gauss.initial, x.dtype)
    tolerance = max(ACCURACY, 1e3 * float(xp.finfo(x.dtype).eps))
    for k in range(ROUNDS):
        if not xp.any(left):
            break
        p, u = x[left], vector[left]
        length = equation.M.norm(p, u)
        before = end[left]
        parts = [segments.run(p[rows, :], u[rows, :], 2**k) for rows in slices(p.shape[0], size)]
        p, u = (xp.concat(part) for part in zip(*parts))
        rounding = 4.0 * float(xp.finfo(x.dtype).eps) * equation.M.norm(p, p)
        agree = equation.M.norm(p, p - before) <= tolerance * length + rounding
        end, velocity = _put(xp, end, left, p), _put(xp, velocity, left, u)
        left = _put(xp, left, left, ~agree)
    if xp.any(left):
        bad = to_numpy(left)
        first = int(np.flatnonzero(bad)[0])
        index = tuple(int(i) for i in np.unravel_index(first, shape[:-1]))
        raise ConvergenceError(
            f"{int(bad.sum())} of {bad.size} geodesics were not followed to time 1 to {ACCURACY:.0e} of their length, first at "
            f"index {index}: from {to_numpy(x)[first]} with velocity {to_numpy(vector)[first]}; they may leave the domain",
            None, end)
    return xp.reshape(end, shape), xp.reshape(velocity, shape)
