"""The law of the logarithm of a generalized inverse Gaussian variable, by the trapezoidal rule."""
from collections.abc import Callable, Iterator
from functools import cached_property
from math import factorial

import numpy as np

from ..arrays.draws import Draws
from ..arrays.tracing import in_turn, is_traced, still
from ..backend import Array, Namespace, to_numpy
from ..errors import require
from ..numerics.exponentials import expm1_gap
from ..numerics.linalg import solve
from ..numerics.piecewise import piecewise
from ..numerics.root import approach

__all__ = ["LogLaw", "log_statistics"]


DEPTH = 50.0            # the trapezoidal sum ends where the integrand of every third moment is below e^{−50} of its maximum
BLOCK = 1 << 18         # nodes at a time: temporaries of 2 MB
FEWEST = 64             # nodes of any row, a power of two: ten deviations of a narrow law on both sides, three nodes on each


class LogLaw:
    """The law of t = log(x / m), m the mode of log x, at every point θ of a batch.

    Mathematically, its density is e^{−f(t)} / J with f(t) = A E(t) + B E(−t), E(u) = e^u − 1 − u, where A and B are positive with
    A − B = p and 4AB = ab, and m = 2A / a = b / (2B). No term of f is a difference. The moments are those of statistics S with
    T = M S + constants. Where A + B is large, so that the law is narrow and the components of T all but depend on each other,
    S = (t, cosh t − 1, sinh t − t), which stay well scaled; elsewhere S = (t, E(t), E(−t)), in which no tail drowns the other.
    """

    def __init__(self, xp: Namespace, theta: Array) -> None:
        self.xp, self.theta = xp, theta
        p, a, b = theta[..., 0], -2.0 * theta[..., 1], -2.0 * theta[..., 2]
        omega = xp.sqrt(a) * xp.sqrt(b)
        top = xp.maximum(xp.abs(p), omega)
        k = top * xp.sqrt((p / top) ** 2 + (omega / top) ** 2)                                   # √(p² + ω²) = A + B
        large = 0.5 * (k + xp.abs(p))
        small = 0.5 * omega * (0.5 * omega / large)
        self.p, self.k, self.narrow = p, k, k > 8.0         # t has the deviation 1/√k, about 0.35 there
        self.rise, self.fall = xp.where(p > 0, large, small), xp.where(p > 0, small, large)     # A, B
        self.mode = xp.where(p > 0, 2.0 * self.rise / a, 0.5 * b / self.fall)

    def require_in_range(self) -> None:
        """Nothing, if A and B are numbers. Raises DomainError."""
        there = self.xp.isfinite(self.rise + self.fall) & (self.rise > 0) & (self.fall > 0)
        require("theta", "p + sqrt(p² + a b) and p - sqrt(p² + a b) finite and not 0", there, self.theta)

    def depth(self, t: Array) -> Array:
        """f(t), for t of shape (...)."""
        return _depth(self.xp, self.rise, self.fall, t)

    def _summed(self, sums: Callable[..., tuple[Array, ...]], *more: Array) -> list[Array]:
        """J, E[S], and Σ p f for functions f of the nodes, for all rows.

        ``sums(t, S − E[S], p, *more)`` of nodes t with probabilities p (rows, n), and of the rows of `more`, (rows, 1), is linear
        in p, row by row.
        """
        xp, shape = self.xp, self.k.shape
        flat = [xp.reshape(v, (-1,)) for v in (self.rise, self.fall, self.narrow, *more)]
        good = xp.isfinite(flat[0] + flat[1]) & (flat[0] > 0) & (flat[1] > 0)
        rise, fall = (xp.where(good, v, xp.ones_like(v)) for v in flat[:2])
        with np.errstate(all="ignore"):         # the chart of the domain of η asks, too, and no base stands around it
            left, right = (still(xp, _reach(xp, *pair, 3.0, DEPTH)) for pair in ((fall, rise), (rise, fall)))
            level = still(xp, xp.ceil(xp.log2((left + right) * (4.5 + 2.0 * xp.sqrt(rise + fall)))))
            rows = (rise, fall, left, right, *flat[2:])
            found = (_in_turn if is_traced(xp, level) else _side_by_side)(xp, sums, level, rows)
        out = []
        for whole in found:
            keep = xp.reshape(good, (-1, *(1,) * (whole.ndim - 1)))
            whole = xp.where(keep, whole, xp.full_like(whole, xp.nan))
            out.append(xp.reshape(whole, (*shape, *whole.shape[1:])))
        return out

    @cached_property
    def _moments(self) -> list[Array]:
        """J, the mean of S and its covariance."""
        xp = self.xp

        def moments(t: Array, d: Array, p: Array) -> tuple[Array]:
            return xp.matmul(xp.matrix_transpose(p[..., None] * d), d),

        return self._summed(moments)

    @property
    def log_mass(self) -> Array:
        return self.xp.log(self._moments[0])

    @cached_property
    def _third(self) -> Array:
        """The third central moments of S, shape (..., 3, 3, 3)."""
        xp = self.xp

        def third(t: Array, d: Array, p: Array) -> tuple[Array]:
            pairs = xp.reshape(d[..., :, None] * d[..., None, :], (*t.shape, 9))
            return xp.reshape(xp.matmul(xp.matrix_transpose(p[..., None] * d), pairs), (-1, 3, 3, 3)),

        return self._summed(third)[2]

    def _from_statistics(self) -> Array:
        """M, shape (..., 3, 3)."""
        xp, m = self.xp, self.mode
        zero, one = xp.zeros_like(m), xp.ones_like(m)
        narrow = xp.where(self.narrow, one, zero)
        rows = [one, zero, zero], [m, m, m * narrow], [-one / m, narrow / m, (1.0 - 2.0 * narrow) / m]
        return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)

    def _mean_exponents(self) -> tuple[Array, Array]:
        """E[E(t)] and E[E(−t)]."""
        s, r = self._moments[1][..., 1], self._moments[1][..., 2]
        return self.xp.where(self.narrow, s + r, s), self.xp.where(self.narrow, s - r, r)

    def potential(self) -> Array:
        return self.p * self.xp.log(self.mode) - self.k + self.log_mass

    def eta(self) -> Array:
        xp, m, t = self.xp, self.mode, self._moments[1][..., 0]
        up, down = self._mean_exponents()
        return xp.stack([xp.log(m) + t, m * (1.0 + t + up), (1.0 - t + down) / m], axis=-1)

    def entropy_of_log(self) -> Array:
        """−E[log density of log x] = log J + E[f(t)]."""
        up, down = self._mean_exponents()
        return self.log_mass + self.rise * up + self.fall * down

    def metric(self) -> Array:
        xp, m = self.xp, self._from_statistics()
        metric = xp.matmul(xp.matmul(m, self._moments[2]), xp.matrix_transpose(m))
        return 0.5 * (metric + xp.matrix_transpose(metric))

    def sharp(self, covector: Array) -> Array:
        """M⁻ᵀ C⁻¹ M⁻¹, with the covariance C of S scaled to a unit diagonal."""
        xp, m = self.xp, self.mode
        t, up, down = xp.broadcast_arrays(covector[..., 0], covector[..., 1] / m, covector[..., 2] * m)
        up, down = up - t, down + t
        c, s = xp.where(self.narrow, 0.5 * (up + down), up), xp.where(self.narrow, 0.5 * (up - down), down)
        return self.sharp_of(xp.stack([t, c, s], axis=-1))[0]

    def sharp_of(self, gap: Array) -> tuple[Array, Array]:
        """(M⁻ᵀ C⁻¹ g, g·C⁻¹g) of a change g of the mean of S."""
        xp, m, covariance = self.xp, self.mode, self._moments[2]
        deviation = xp.sqrt(xp.linalg.diagonal(covariance))
        unit = covariance / (deviation[..., :, None] * deviation[..., None, :])
        raised = solve(xp, unit, gap / deviation) / deviation
        first, second, third = raised[..., 0], raised[..., 1], raised[..., 2]
        up = xp.where(self.narrow, 0.5 * (second + third), second)
        down = xp.where(self.narrow, 0.5 * (second - third), third)
        return xp.stack([first - up + down, up / m, down * m], axis=-1), xp.sum(gap * raised, axis=-1)

    def excess(self, means: Array) -> Array:
        """The mean of S less that of a sample with these means of (log x, cosh log x − 1, sinh log x − log x)."""
        xp, shift = self.xp, self.xp.log(self.mode)
        t, c, s = means[..., 0], means[..., 1], means[..., 2]
        cosh, sinh, odd = 2.0 * xp.sinh(0.5 * shift) ** 2, xp.sinh(shift), log_statistics(xp, shift)[..., 2]
        even = c * (1.0 + cosh) - s * sinh + cosh - t * sinh
        odd = s * (1.0 + cosh) - c * sinh - odd + t * cosh
        own = xp.stack([t - shift, xp.where(self.narrow, even, even + odd), xp.where(self.narrow, odd, even - odd)], axis=-1)
        return self._moments[1] - own

    def cubic_tensor(self) -> Array:
        xp, tensor, m = self.xp, self._third, self._from_statistics()
        for _ in range(3):      # contract the last axis, then bring the next one to the end
            tensor = xp.moveaxis(xp.matmul(tensor, xp.matrix_transpose(m)[..., None, :, :]), -1, -3)
        return tensor

    def kl(self, other: "LogLaw") -> Array:
        """log(J_q / J_p) + E_p[f_q − f_p]; where the variance of the log-ratio is small, log E_p[e^u] with u = Δ·(T − η_p)."""
        xp, m = self.xp, self.mode
        step = other.theta - self.theta
        up, down = step[..., 1] * m, step[..., 2] / m
        b, c = xp.where(self.narrow, up + down, up), xp.where(self.narrow, up - down, down)
        slope = xp.stack([step[..., 0] + up - down, b, c], axis=-1)                                  # Mᵀ Δ
        variance = xp.sum(slope * xp.matmul(self._moments[2], slope[..., None])[..., 0], axis=-1)
        growth = (m - other.mode) / other.mode
        small = xp.abs(growth) < 0.5
        shift = xp.where(small, xp.log1p(xp.clip(growth, -0.5, 0.5)), xp.log(m) - xp.log(other.mode))

        def both(t: Array, d: Array, p: Array, a: Array, b: Array, c: Array, rise: Array, fall: Array, up: Array,
                 down: Array, shift: Array) -> tuple[Array, Array]:
            u = a * d[..., 0] + b * d[..., 1] + c * d[..., 2]
            y = t + shift
            inner, outer = (xp.abs(y) < 1.0), xp.clip(y, -1.0, 1.0)
            climb = xp.where(inner, rise * expm1_gap(xp, outer), up * xp.exp(t) - rise * (1.0 + y))
            drop = xp.where(inner, fall * expm1_gap(xp, -outer), down * xp.exp(-t) - fall * (1.0 - y))
            return xp.sum(p * expm1_gap(xp, u), axis=-1), xp.sum(p * (climb + drop), axis=-1)

        *_, near, far = self._summed(both, slope[..., 0], b, c, other.rise, other.fall,
                                     -other.theta[..., 1] * m, -other.theta[..., 2] / m, shift)
        return xp.where(variance < 0.01, xp.log1p(near), other.log_mass + far - self.entropy_of_log())

    def draw(self, draws: Draws, shape: tuple[int, ...]) -> Array:
        """Rejection from a flat middle part between two exponential tails, which meet f at height 1.

        Source: Devroye, Random variate generation for the generalized inverse Gaussian distribution (2014).
        """
        xp, rise, fall = self.xp, self.rise, self.fall
        self.require_in_range()
        right, left = _reach(xp, rise, fall, 0.0, 1.0), _reach(xp, fall, rise, 0.0, 1.0)
        right_rate = rise * xp.expm1(right) - fall * xp.expm1(-right)
        left_rate = fall * xp.expm1(left) - rise * xp.expm1(-left)
        right_end = right - self.depth(right) / right_rate
        left_end = left - self.depth(-left) / left_rate
        middle = right_end + left_end
        total = middle + 1.0 / right_rate + 1.0 / left_rate
        t, missing = xp.zeros(shape, dtype=rise.dtype), xp.ones(shape, dtype=xp.bool)
        while xp.any(missing):
            which, v, w = draws.uniform(shape) * total, 1.0 - draws.uniform(shape), draws.uniform(shape)
            is_middle, is_right = which < middle, which < middle + 1.0 / right_rate
            tail = xp.where(is_right, right_end - xp.log(v) / right_rate, -left_end + xp.log(v) / left_rate)
            trial = xp.where(is_middle, middle * v - left_end, tail)
            height = xp.where(is_middle, xp.ones_like(v), v)
            accepted = missing & (w * height < xp.exp(-self.depth(trial)))
            t = xp.where(accepted, trial, t)
            missing = missing & ~accepted
        return self.mode * xp.exp(t)


def _side_by_side(xp: Namespace, sums: Callable[..., tuple[Array, ...]], level: Array, rows: tuple[Array, ...]) -> list[Array]:
    """The sums of rows of one number of nodes, a power of two, in one piece: what a row gets does not depend on the others."""
    order = xp.argsort(level)
    columns = [xp.take(v, order, axis=0) for v in rows]
    levels = to_numpy(xp.take(level, order, axis=0))
    done = [_block(xp, sums, n, *(v[part, None] for v in columns)) for n, part in _blocks(levels)]
    back = xp.argsort(order)
    return [xp.take(xp.concat(parts, axis=0), back, axis=0) for parts in zip(*done)]


def _blocks(level: Array) -> Iterator[tuple[int, slice]]:
    """(number of nodes, rows) of blocks of `BLOCK` nodes or so, for rows in the order of their level, log₂ of the number."""
    for power in np.unique(level) if level.size else [1]:
        n, (first, last) = 2**int(power) + 1, (int(np.searchsorted(level, power, side)) for side in ("left", "right"))
        rows = max(1, BLOCK // n)
        for start in range(first, max(first + 1, last), rows):
            yield n, slice(start, min(start + rows, last))


def _block(xp: Namespace, sums: Callable[..., tuple[Array, ...]], n: int, rise: Array, fall: Array, left: Array, right: Array,
           narrow: Array, *more: Array) -> tuple[Array, ...]:
    """(J, E[S], *sums) by the n nodes between −`left` and `right` of each row; all shapes (rows, 1)."""
    t = (left + right) * xp.linspace(0.0, 1.0, n, dtype=rise.dtype) - left
    weight = xp.exp(-_depth(xp, rise, fall, t))
    total = xp.sum(weight, axis=-1)
    p, s = weight / total[:, None], _statistics(xp, t, narrow)
    mean = xp.sum(p[..., None] * s, axis=-2)
    return total * (left + right)[:, 0] / (n - 1.0), mean, *sums(t, s - mean[:, None, :], p, *more)


def _in_turn(xp: Namespace, sums: Callable[..., tuple[Array, ...]], level: Array, rows: tuple[Array, ...]) -> list[Array]:
    """The sums of rows whose numbers of nodes are not known yet, `FEWEST` nodes of all rows after the other."""
    rise, fall, left, right, narrow, *more = (v[:, None] for v in rows)
    count = 2.0 ** level[:, None]
    step = (left + right) / count

    def nodes(start: Array) -> tuple[Array, Array]:
        """t and weights; the last node of a row, of weight e^{−50}, is left out."""
        j = start + xp.arange(FEWEST, dtype=step.dtype)
        t = xp.where(j < count, step * j - left, 0.0 * step)
        return t, xp.where(j < count, xp.exp(-_depth(xp, rise, fall, t)), 0.0 * step)

    def masses(t: Array, weight: Array) -> tuple[Array, Array]:
        return xp.sum(weight, axis=-1), xp.sum(weight[..., None] * _statistics(xp, t, narrow), axis=-2)

    def centred(t: Array, weight: Array) -> tuple[Array, ...]:
        return sums(t, _statistics(xp, t, narrow) - mean[:, None, :], weight / total[:, None], *more)

    total, moment = in_turn(xp, count, FEWEST, lambda start: masses(*nodes(start)))
    mean = moment / total[:, None]
    rest = in_turn(xp, count, FEWEST, lambda start: centred(*nodes(start)))
    return [total * step[:, 0], mean, *rest]


def _depth(xp: Namespace, rise: Array, fall: Array, t: Array) -> Array:
    return rise * expm1_gap(xp, t) + fall * expm1_gap(xp, -t)


_SINH_SERIES = tuple(1.0 / factorial(2 * k + 3) for k in range(10))     # for |t| < 1 the next term is 2e-22 of the first


def _statistics(xp: Namespace, t: Array, narrow: Array) -> Array:
    """S, shape (..., 3): (t, cosh t − 1, sinh t − t) where the law is narrow, (t, E(t), E(−t)) elsewhere."""
    def series(t: Array) -> Array:
        square, total = t * t, _SINH_SERIES[-1]
        for c in _SINH_SERIES[-2::-1]:
            total = total * square + c
        return total * square * t

    excess = piecewise(xp, xp.abs(t) < 1.0, series, lambda t: xp.sinh(t) - t, t)
    half = 2.0 * xp.sinh(0.5 * t) ** 2
    first, second = xp.where(narrow, half, expm1_gap(xp, t)), xp.where(narrow, excess, expm1_gap(xp, -t))
    return xp.stack([t, first, second], axis=-1)


def log_statistics(xp: Namespace, t: Array) -> Array:
    """(t, cosh t − 1, sinh t − t), shape (..., 3)."""
    return _statistics(xp, t, t == t)


def _reach(xp: Namespace, front: Array, back: Array, tilt: float, depth: float) -> Array:
    """t > 0, no smaller than that where front E(t) + back E(−t) − tilt t = depth, and close to it.

    Newton's method on a convex function, from above, where it never passes the root. It starts from the least of four bounds,
    by E(t) ≥ t²/2, by E(t) ≥ e^t / 4 for t ≥ 1, by E(−t) ≥ t − 1, and by E(−t) ≥ t²/4 for t ≤ 1.
    """
    square = (tilt + xp.sqrt(tilt**2 + 2.0 * depth * front)) / front
    log_front = xp.log(4.0 / front)
    zero = 0.0 * front
    exponential = log_front + xp.log(2.0 * (depth + tilt * xp.maximum(log_front, zero))) + 3.0
    # the third bound needs back > tilt, and is worse than the others close to that
    linear = xp.where(back > 1.01 * tilt, (depth + back) / xp.maximum(back - tilt, 0.001 * back), square)
    t = xp.minimum(xp.minimum(square, linear), xp.maximum(exponential, 1.0 + zero))
    short = 2.0 * (tilt / back + xp.sqrt((tilt / back) ** 2 + depth / back))
    t = xp.where(short <= 1.0, xp.minimum(short, t), t)

    def newton(t: Array, front: Array, back: Array) -> tuple[Array, Array]:
        slope = front * xp.expm1(t) - back * xp.expm1(-t) - tilt
        step = xp.maximum((_depth(xp, front, back, t) - tilt * t - depth) / slope, 0.0 * t)
        return t - step, step / t

    return approach(xp, t, newton, 0.02, 60, front, back)[0]
