"""Geodesics between two points, and from a point with a velocity, in as many segments as they need."""
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from ...arrays.blocks import slices
from ...backend import Array, Namespace, set_at, to_numpy
from ...errors import ConvergenceError, first_bad
from .equations import LONGEST, Equation
from .rule import rule
from .segments import Segments, joined, put

__all__ = ["Path", "arrive", "join"]

ACCURACY = 1e-8             # of a geodesic, relative to its length; in float32 1000 ε
NODES = 10, 14, 24          # of a segment: each number confirms the one before, and the error falls exponentially
ROUNDS = 7                  # of halving: up to 64 segments, and 64 steps of an initial value
HALVES = 4                  # of the segments of a mesh, the first time whole: for a Newton method that starts at the path
SWEEPS = 10                 # over the ends of the segments, each moved to the middle of its neighbours
BLOCK = 2**20               # entries of the Newton matrices that are formed at a time: 8 MB of doubles


@dataclass(frozen=True)
class Path:
    """A geodesic in pieces of time, each x = p + s u + Σ c_m P_m(2s − 1) with s from 0 to 1.

    Shapes: start and along (..., m, d), series (..., m, n + 2, d); begins and widths of the pieces (..., m), where those that are
    not in use begin after time 1; length (...).
    """

    xp: Namespace
    start: Array
    along: Array
    series: Array
    begins: Array
    widths: Array
    length: Array

    @property
    def pieces(self) -> Array:
        """How many are in use, shape (...)."""
        return self.xp.sum(self.xp.astype(self.begins < 1.0, self.begins.dtype), axis=-1)

    def __call__(self, t: Array) -> Array:
        """The point at time t, which broadcasts with the batch, shape (..., d)."""
        xp, batch, m = self.xp, self.length.shape, self.series.shape[-3]
        time = xp.where((t >= 0.0) & (t <= 1.0), t, xp.full_like(t, xp.nan)) + xp.zeros_like(self.length)
        index = xp.sum(xp.astype(self.begins <= time[..., None], time.dtype), axis=-1) - 1.0
        chosen = xp.astype(index[..., None] == xp.arange(m, dtype=index.dtype), index.dtype)[..., None, :]

        def piece(x: Array) -> Array:
            shape = x.shape[len(batch) + 1:]
            rows = xp.reshape(x, (*batch, m, prod(shape)))
            return xp.reshape(xp.matmul(chosen, rows), (*index.shape, *shape))

        s = ((time - piece(self.begins)) / piece(self.widths))[..., None]
        return piece(self.start) + s * piece(self.along) + _legendre_sum(piece(self.series), 2.0 * s - 1.0)

    @property
    def velocity(self) -> Array:
        """ẋ(0), with P_m′(−1) = (−1)^{m+1} m (m + 1) / 2, shape (..., d)."""
        xp, m = self.xp, np.arange(self.series.shape[-2])
        slope = xp.asarray((-1.0)**(m + 1) * m * (m + 1), dtype=self.series.dtype)
        first = xp.sum(slope[:, None] * self.series[..., 0, :, :], axis=-2)
        return (self.along[..., 0, :] + first) / self.widths[..., :1]


class _Solved(NamedTuple):
    """Rows of one number of pieces: the mask of them, shape (all,), their nodes, widths, series and lengths of pieces."""

    rows: Array
    nodes: Array
    widths: Array
    series: Array
    lengths: Array


def _legendre_sum(series: Array, z: Array) -> Array:
    """Σ c_m P_m(z) by Clenshaw's recurrence, shapes (..., m, d) and (..., 1) to (..., d)."""
    ahead = last = 0.0 * series[..., 0, :] * z
    for m in range(series.shape[-2] - 1, 0, -1):
        ahead, last = series[..., m, :] + (2 * m + 1) / (m + 1) * z * ahead - (m + 1) / (m + 2) * last, ahead
    return series[..., 0, :] + z * ahead - 0.5 * last


def join(equation: Equation, x: Array, y: Array) -> Path:
    """The geodesic from x to y, a `Path`; NaN where an end lies outside the domain.

    The ends of the segments come from halving, and from sweeps in which each moves to the middle of its neighbours
    (Noakes, A global algorithm for geodesics, J. Austral. Math. Soc. 65, 1998); where that is not enough, from the `meshes` of
    the equation. Where it is that of a metric, the path is stationary for the length, and the shortest where no two geodesics
    join x and y.

    Raises
    ------
    ConvergenceError
        If no two rules in a row agree to `ACCURACY` of the length on any of these.
    """
    xp, x, y = equation.M.point(x, y)
    shape, d = np.broadcast_shapes(x.shape, y.shape), x.shape[-1]
    x, y = (xp.reshape(xp.broadcast_to(z, shape), (-1, d)) for z in (x, y))
    found, left = _by_halving(xp, equation, x, y)
    bound = xp.full_like(x[:, 0], xp.inf)
    for mesh in equation.meshes(xp, left, x, y):
        bound = put(xp, bound, mesh.rows, mesh.bound)
        for part in _refined(xp, equation, mesh.rows, mesh.nodes, mesh.widths):
            found.append(part)
            left = left & ~part.rows
    if xp.any(left):
        count, index = first_bad(xp.reshape(left, shape[:-1]))
        first, last = (to_numpy(xp.reshape(z, shape))[index] for z in (x, y))
        most = float(to_numpy(xp.reshape(bound, shape[:-1]))[index])
        reached = f"; a path of length {most:.6g} at most was found, which may lead along the boundary" if most < np.inf else ""
        raise ConvergenceError(f"no geodesic was found to {ACCURACY:.0e} of its length for {count} pairs of points, first at "
                               f"index {index}: between {first} and {last}{reached}")
    return _assembled(xp, found, x, shape)


def _refined(xp: Namespace, equation: Equation, rows: Array, nodes: Array, widths: Array) -> Iterator[_Solved]:
    """Rows of a mesh, and those that it is too coarse for on the halves of its segments, from where the path has come to."""
    for _ in range(HALVES):
        nodes, series, lengths = _in_blocks(xp, equation, nodes, widths)
        solved = xp.all(xp.isfinite(lengths), axis=-1)
        yield _Solved(put(xp, rows, rows, solved), *(z[solved] for z in (nodes, widths, series, lengths)))
        coarse = xp.all(xp.isinf(lengths), axis=-1)
        rows, nodes, widths, series = (put(xp, rows, rows, coarse), *(z[coarse] for z in (nodes, widths, series)))
        if not xp.any(rows):
            break
        r, m, _, d = series.shape
        half = _legendre_sum(series, xp.zeros_like(series[..., 0, :1]))
        middle = 0.5 * (nodes[:, :-1, :] + nodes[:, 1:, :]) + half
        inner = xp.reshape(xp.stack([nodes[:, :-1, :], middle], axis=2), (r, 2 * m, d))
        nodes, widths = xp.concat([inner, nodes[:, -1:, :]], axis=1), 0.5 * xp.repeat(widths, 2, axis=1)


def _by_halving(xp: Namespace, equation: Equation, x: Array, y: Array) -> tuple[list[_Solved], Array]:
    """Rows in 1, 2, 4, … segments, as far as the equation goes so, and the mask of the others."""
    inside = equation.M.domain.contains
    left = inside(x) & inside(y)
    ends, found = xp.stack([x, y], axis=1)[left], []
    for k in range(equation.rounds):
        if k:
            try:
                ends = _halved(xp, equation, ends)
            except ConvergenceError:            # a mean of one row is not known
                break
        if not xp.any(xp.all(xp.isfinite(ends), axis=(-2, -1))):         # all are done or lost: no halving mends a row with NaN
            break
        step = ends[:, 1:, :] - ends[:, :-1, :]
        length = 0.5 * (equation.M.norm(ends[:, 1:, :], step) + equation.M.norm(ends[:, :-1, :], step))
        ready = xp.all(length <= LONGEST, axis=-1)
        widths = xp.full_like(length[ready], 1.0 / step.shape[1])
        nodes, series, lengths = _in_blocks(xp, equation, ends[ready], widths)
        solved = xp.all(xp.isfinite(lengths), axis=-1)
        done = put(xp, ready, ready, solved)
        found.append(_Solved(put(xp, left, left, done), *(z[solved] for z in (nodes, widths, series, lengths))))
        left, ends = put(xp, left, left, ~done), ends[~done]
    return found, left


def _halved(xp: Namespace, equation: Equation, ends: Array) -> Array:
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


def _in_blocks(xp: Namespace, equation: Equation, ends: Array, widths: Array) -> tuple[Array, ...]:
    """(nodes, series, lengths) of `_confirmed` for all rows, as many at a time as `BLOCK` allows."""
    r, m, d = ends.shape[0], ends.shape[1] - 1, ends.shape[2]
    size = max(1, BLOCK // (m * (NODES[1] * d)**2))
    parts = [_confirmed(xp, equation, *(z[i:min(i + size, r), ...] for z in (ends, widths))) for i in range(0, max(r, 1), size)]
    return tuple(xp.concat(part) for part in zip(*parts))


def _confirmed(xp: Namespace, equation: Equation, ends: Array, widths: Array) -> tuple[Array, Array, Array]:
    """(nodes, series, lengths) on the first rule that confirms the one before.

    In rows where none does, the lengths are infinite where Newton's method converges on all of them, and else NaN.
    """
    (r, m, d), gauss = (ends.shape[0], ends.shape[1] - 1, ends.shape[2]), rule(NODES[0])
    tolerance = max(ACCURACY, 1e3 * float(xp.finfo(ends.dtype).eps))
    nodes, series = ends, xp.zeros((r, m, NODES[-1] + 2, d), dtype=ends.dtype)
    lengths = xp.full_like(ends[:, 1:, 0], xp.nan)
    w = xp.zeros((r, m, gauss.n, d), dtype=ends.dtype)
    before = joined(Segments(xp, equation, gauss, gauss.boundary, ends.dtype), ends, widths, w)
    left = xp.all(xp.isfinite(before[2]), axis=-1)
    before, widths = tuple(x[left] for x in before), widths[left]
    for coarse, fine in zip(map(rule, NODES), map(rule, NODES[1:])):
        if not xp.any(left):
            break
        segments = Segments(xp, equation, fine, fine.boundary, ends.dtype)
        start = xp.matmul(xp.asarray(fine.resample(coarse), dtype=ends.dtype), before[1])
        after = joined(segments, before[0], widths, start)
        length = xp.sum(after[2], axis=-1)
        p, u = after[0][:, :-1, None, :], after[0][:, 1:, None, :] - after[0][:, :-1, None, :]
        bent = equation.M.norm(p + segments.t * u + xp.matmul(segments.position, after[1]),
                               xp.matmul(segments.position, after[1] - start))
        error = xp.abs(length - xp.sum(before[2], axis=-1))
        error = xp.maximum(error, xp.max(equation.M.norm(after[0], after[0] - before[0]), axis=-1))
        agree = xp.maximum(error, xp.max(bent, axis=(-2, -1))) <= tolerance * length
        sharp = xp.isfinite(length)
        known = put(xp, left, left, sharp)
        found = xp.matmul(segments.series, after[1][sharp])
        rest = xp.zeros((*found.shape[:2], NODES[-1] - fine.n, d), dtype=ends.dtype)
        nodes, series = put(xp, nodes, known, after[0][sharp]), put(xp, series, known, xp.concat([found, rest], axis=2))
        lengths = put(xp, lengths, left, xp.where(agree[:, None], after[2], after[2] + xp.inf))
        go_on = ~agree & sharp
        left, before, widths = put(xp, left, left, go_on), tuple(x[go_on] for x in after), widths[go_on]
    return nodes, series, lengths


def _assembled(xp: Namespace, found: list[_Solved], x: Array, shape: tuple[int, ...]) -> Path:
    """The `Path` of all rows, each in its own pieces; rows outside are NaN."""
    r, d, n = x.shape[0], x.shape[1], NODES[-1]
    most = max([part.series.shape[1] for part in found], default=1)
    nan = xp.full_like(x[:, :1], xp.nan)
    start, along = (nan[:, :, None] + xp.zeros((r, most, d), dtype=x.dtype) for _ in range(2))
    series = nan[:, :, None, None] + xp.zeros((r, most, n + 2, d), dtype=x.dtype)
    begins, widths = (xp.asarray(size, dtype=x.dtype) * xp.ones((r, most), dtype=x.dtype) for size in (2.0, 1.0))
    begins, length = set_at(xp, begins, (slice(None), 0), 0.0), xp.asarray(nan[:, 0], copy=True)
    for part in found:
        nodes, m = part.nodes, part.widths.shape[1]
        start = set_at(xp, start, part.rows, _padded(xp, nodes[:, :-1, :], most))
        along = set_at(xp, along, part.rows, _padded(xp, nodes[:, 1:, :] - nodes[:, :-1, :], most))
        series = set_at(xp, series, part.rows, _padded(xp, part.series, most))
        ends = xp.cumulative_sum(part.widths, axis=-1)
        first = slice(None), slice(m)
        widths = set_at(xp, widths, first, put(xp, widths[:, :m], part.rows, part.widths))
        begins = set_at(xp, begins, first, put(xp, begins[:, :m], part.rows, ends - part.widths))
        length = set_at(xp, length, part.rows, xp.sqrt(xp.sum(part.lengths * part.lengths / part.widths, axis=-1)))
    batch = shape[:-1]
    return Path(xp, xp.reshape(start, (*batch, most, d)), xp.reshape(along, (*batch, most, d)),
                xp.reshape(series, (*batch, most, n + 2, d)), xp.reshape(begins, (*batch, most)),
                xp.reshape(widths, (*batch, most)), xp.reshape(length, batch))


def _padded(xp: Namespace, x: Array, m: int) -> Array:
    """x with zeros up to m entries along axis 1."""
    return xp.concat([x, xp.zeros((x.shape[0], m - x.shape[1], *x.shape[2:]), dtype=x.dtype)], axis=1)


def arrive(equation: Equation, x: Array, vector: Array) -> tuple[Array, Array]:
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
    segments = Segments(xp, equation, gauss, gauss.initial, x.dtype)
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
        end, velocity = put(xp, end, left, p), put(xp, velocity, left, u)
        left = put(xp, left, left, ~agree)
    if xp.any(left):
        count, index = first_bad(xp.reshape(left, shape[:-1]))
        origin, velocity = (to_numpy(xp.reshape(z, shape))[index] for z in (x, vector))
        raise ConvergenceError(
            f"{count} geodesics were not followed to time 1 to {ACCURACY:.0e} of their length, first at index {index}: from "
            f"{origin} with velocity {velocity}; they may leave the domain", None, end)
    return xp.reshape(end, shape), xp.reshape(velocity, shape)
