"""Optimal transport with entropy: Sinkhorn's algorithm on logarithms, from high temperatures down, with Newton steps."""
from typing import Any

import numpy as np

from ...backend import Array, Namespace, arrays, to_numpy
from ...domains.supports import Interval
from ...errors import ConvergenceError, ShapeError, require, require_count, require_tolerance
from ...numerics.exponentials import logsumexp
from ...numerics.linalg import solve
from .proportional_fitting import proportional_fitting
from .tables import require_table

__all__ = ["sinkhorn"]

# From one temperature to the next. A power of two, so that log P · COOLING is exact and P stays a Gibbs plan of its cost.
COOLING = 4.0
# Before the table is cooled, no row is off by more than this part of its margin. With 0.5 one of 180 runs fails, 0.01 takes 30
# rounds where 0.1 takes 25 (python benchmarks/transport.py).
LOOSE = 0.1
# A plain round that leaves less than this of the error is followed by another one, and not by a Newton step.
FAST = 0.25
# Added to the Hessian, as a part of the margins: parts of a table that share less than this of their mass are moved against each
# other by the line search alone. Of 180 runs down to T = 1e-6 (python benchmarks/transport.py) 4 fail with 0 and 4 with 1e-6.
JOINED = 1e-10


def sinkhorn(cost: Array, rows: Array, columns: Array, *, temperature: Array, tol: float, max_steps: int) -> Array:
    """The logarithm of the transport plan of least cost and entropy, min over P of Σ P·cost + T Σ P log P, shape (..., m, n).

    Mathematically, P_ij = exp((f_i + g_j − cost_ij) / T) with the given sums over rows and columns: `proportional_fitting` of
    e^{−cost/T}. The temperature falls by factors of 4 from where the cost spreads by T: as (f + g − cost)/T is log P, that is a
    table raised to the power of 4. At each temperature rounds of Sinkhorn's alternate with Newton steps of the dual problem in f,
    which is concave, wherever they are slow: where parts of the table are joined by little mass, plain rounds need exp(gap/T).

    Parameters
    ----------
    cost : array, shape (..., m, n)
        +∞ is a cell that stays empty.
    rows, columns : arrays, shapes (..., m) and (..., n)
        Not negative, of equal sum.
    temperature : float, or array of shape (...)
        T, positive, in the unit of the cost: the smaller, the nearer to optimal transport. The cost of the plan is at most
        T log(m n) Σ rows above the least.
    tol : float
        Ends when no sum over a row or column differs by more than this.
    max_steps : int
        Rounds at all temperatures together. A Newton step belongs to its round; it solves min(m, n) equations.

    Raises
    ------
    DomainError, ShapeError
        As `proportional_fitting`.
    ConvergenceError
        With the largest difference that is left, after `max_steps` rounds.

    Source: Sinkhorn, Ann. Math. Statist. 35 (1964); Cuturi, Sinkhorn distances, NeurIPS (2013); Schmitzer, Stabilized sparse
    scaling algorithms for entropy regularized transport problems, SIAM J. Sci. Comput. 41 (2019); Brauer, Clason, Lorenz & Wirth,
    A Sinkhorn–Newton method for entropic optimal transport (2017).

    Examples
    --------
    >>> cost, rows, columns = 1.0 - np.eye(2), [0.5, 0.5], [0.6, 0.4]
    >>> P = ig.sinkhorn(cost, rows, columns, temperature=0.05,
    ...                 tol=1e-9, max_steps=99)
    >>> np.exp(P).round(4)
    array([[0.5, 0. ],
           [0.1, 0.4]])
    """
    xp, cost, rows, columns, temperature = arrays(cost, rows, columns, temperature)
    if cost.ndim < 2 or 0 in cost.shape[-2:]:
        raise ShapeError(f"cost must have shape (..., m, n), m >= 1, n >= 1; got {tuple(cost.shape)}")
    require("cost", "cost > -inf", cost > -np.inf, cost)
    Interval(0).require("temperature", temperature)
    require_count("max_steps", max_steps)
    require_tolerance(tol)
    batch = _batch(cost, rows, columns, temperature)
    cost = xp.broadcast_to(cost, (*batch, *cost.shape[-2:]))
    rows, columns = (xp.broadcast_to(margin, (*batch, *margin.shape[-1:])) for margin in (rows, columns))
    stages = _stages(cost, temperature)
    first = -cost / _wide(temperature * COOLING**stages)
    log_p = proportional_fitting(first, {(0,): rows, (1,): columns}, tol=np.inf, max_steps=1)       # which looks at the margins
    if 0 in log_p.shape:
        return log_p
    plan = _Plan(log_p, rows, columns, max_steps)
    for stage in range(int(to_numpy(stages).max(initial=0.0)), 0, -1):
        plan.cool(stages >= stage)
    try:
        return plan.finished(tol)
    except ConvergenceError:
        require_table(-cost, [(0,), (1,)], [rows, columns])
        raise


def _batch(cost: Array, rows: Array, columns: Array, temperature: Array) -> tuple[int, ...]:
    """The batch shape of all. Raises ShapeError where they have none."""
    shapes = cost.shape[:-2], rows.shape[:-1], columns.shape[:-1], temperature.shape
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError("the batch shapes of cost, rows, columns and temperature must broadcast; got "
                         f"{', '.join(str(tuple(shape)) for shape in shapes)}") from None


def _wide(x: Array) -> Array:
    """A number per table, shape (...), beside (..., m, n)."""
    return x[..., None, None] if x.ndim else x


def _stages(cost: Array, temperature: Array) -> Array:
    """How often the temperature is lowered from where the cost spreads by it, shape (...)."""
    xp, cost, temperature = arrays(cost, temperature)
    finite = xp.isfinite(cost)
    spread = xp.max(xp.where(finite, cost, -xp.inf), axis=(-2, -1)) - xp.min(xp.where(finite, cost, xp.inf), axis=(-2, -1))
    wide = xp.where(spread > temperature, spread, temperature + xp.zeros_like(spread))
    most = np.floor(np.log(float(xp.finfo(cost.dtype).max)) / np.log(COOLING)) - 1.0        # COOLING**most is a number
    return xp.clip(xp.ceil((xp.log(wide) - xp.log(temperature)) / float(np.log(COOLING))), 0.0, float(most))


class _Plan:
    """Tables on their way to their margins, with not more rows than columns.

    Attributes
    ----------
    log_p : array, shape (..., m, n)
        Its column sums are the wanted ones.
    used : integer array, shape (...)
        Rounds that each table took.
    """

    def __init__(self, log_p: Array, rows: Array, columns: Array, max_steps: int) -> None:
        self.xp, log_p, rows, columns = arrays(log_p, rows, columns)
        self.turned = log_p.shape[-2] > log_p.shape[-1]
        if self.turned:
            log_p, rows, columns = self.xp.matrix_transpose(log_p), columns, rows
        self.log_p, self.rows, self.columns, self.max_steps = log_p, rows, columns, max_steps
        with np.errstate(divide="ignore"):
            self.log_rows, self.log_columns = self.xp.log(rows), self.xp.log(columns)
        self.used = self.xp.ones(log_p.shape[:-2], dtype=self.xp.int64)
        self.log_p = self._to_columns(log_p)

    def cool(self, which: Array) -> None:
        """Fit these tables loosely, and lower their temperature."""
        self._fit(which, LOOSE * self.rows)
        with np.errstate(over="ignore"):        # to −∞, a cell that stays empty
            self.log_p = self.xp.where(_wide(which), COOLING * self.log_p, self.log_p)

    def finished(self, tol: float) -> Array:
        """The logarithms of the tables once they have their margins."""
        self._fit(self.xp.ones_like(self.used) > 0, tol)
        p = self.xp.exp(self.log_p)
        left = [self.xp.max(self.xp.abs(self.xp.sum(p, axis=axis) - wanted))
                for axis, wanted in ((-1, self.rows), (-2, self.columns))]
        worst = max(float(x) for x in left)
        log_p = self.xp.matrix_transpose(self.log_p) if self.turned else self.log_p
        if not worst <= tol:
            raise ConvergenceError(f"sinkhorn: a margin is still off by {worst:.3g} after {int(self.xp.max(self.used))} rounds",
                                   worst, log_p)
        return log_p

    def _fit(self, active: Array, tol: Any) -> None:
        """Rounds for the active tables, until no row is off by more than tol, a number or shape (..., m)."""
        xp = self.xp
        before = xp.full(active.shape, xp.inf, dtype=self.log_p.dtype)
        while True:
            off = self._off(self.log_p)
            active = active & (self.used < self.max_steps) & ~xp.all(xp.abs(off) <= tol, axis=-1)
            if not xp.any(active):
                return
            error = xp.max(xp.abs(off), axis=-1)
            slow = active & ~(error <= FAST * before)
            fitted = self._newton(slow, off) if xp.any(slow) else self.log_p
            fitted = self._to_columns(_scaled(xp, fitted, self.log_rows, -1))
            self.log_p, before = xp.where(_wide(active), fitted, self.log_p), error
            self.used = self.used + xp.astype(active, xp.int64)

    def _off(self, log_p: Array) -> Array:
        """What the rows lack, the differential of the dual function in f, shape (..., m)."""
        return self.rows - self.xp.sum(self.xp.exp(log_p), axis=-1)

    def _to_columns(self, log_p: Array) -> Array:
        return _scaled(self.xp, log_p, self.log_columns, -2)

    def _newton(self, which: Array, off: Array) -> Array:
        """A Newton step in f / T, g being what the columns ask for, as far as the dual function rises by it.

        Mathematically, its Hessian is −(diag(P1) − P diag(1/columns) Pᵀ), in which f + constant is f.
        """
        xp, p = self.xp, self.xp.exp(self.log_p)
        share = p / xp.where(self.columns > 0, self.columns, xp.ones_like(self.columns))[..., None, :]
        sums = xp.sum(p, axis=-1) + xp.where(self.rows > 0, JOINED * self.rows, xp.ones_like(self.rows))
        hessian = xp.eye(p.shape[-2], dtype=p.dtype) * sums[..., None] - xp.matmul(share, xp.matrix_transpose(p))
        hessian = hessian + self.rows[..., :, None] * self.rows[..., None, :] / _wide(xp.sum(self.rows, axis=-1))
        a = solve(xp, hessian, off)
        a = xp.where(xp.isfinite(a), a, xp.zeros_like(a))
        slope = xp.sum(a * off, axis=-1)
        h = xp.where(which, xp.ones_like(slope), xp.zeros_like(slope))
        for _ in range(60):
            trial = self._to_columns(self.log_p + (h[..., None] * a)[..., None])
            far = which & (xp.sum(a * self._off(trial), axis=-1) < -0.5 * slope)       # beyond the top, and steeply down
            if not xp.any(far):
                break
            h = xp.where(far, 0.5 * h, h)
        return xp.where(_wide(which), trial, self.log_p)


def _scaled(xp: Namespace, log_p: Array, log_margin: Array, axis: int) -> Array:
    """The tables with these sums over an axis; what is empty stays so."""
    now = logsumexp(log_p, axis=axis)
    factor = xp.where(now == -xp.inf, -xp.inf, log_margin - xp.where(now == -xp.inf, xp.zeros_like(now), now))
    return log_p + xp.expand_dims(factor, axis=axis)
