"""Iterative proportional fitting, on logarithms."""
import numpy as np

from ...backend import Array, arrays, to_numpy
from ...domains.supports import ClosedInterval, Interval
from ...errors import ConvergenceError, ShapeError, require, require_count, require_tolerance
from ...numerics.exponentials import logsumexp
from .tables import require_table

__all__ = ["proportional_fitting"]

Group = tuple[int, ...]         # axes of a table


def proportional_fitting(log_table: Array, margins: dict[Group, Array], *, tol: float, max_steps: int) -> Array:
    """The logarithm of the table nearest to a given one, in KL(P‖table), among those with given margins, shape (..., *table).

    Mathematically, the table is scaled to each margin in turn, P ← P · (margin of the wanted) / (margin of P): cyclic
    e-projections on the m-flat sets of tables that have one of the margins. The result is the given table times one factor for
    each entry of each margin. From a table of ones it is the hierarchical log-linear model with these margins, the
    m-projection.

    Parameters
    ----------
    log_table : array, shape (..., *table)
        −∞ is a cell that stays empty; it need not be normalised.
    margins : dict {axes: array}
        Axes of the table, counted from 0 and rising, and the sums over all other axes, shape (..., *sizes of these axes); not
        negative. For a matrix, ``{(0,): rows, (1,): columns}``.
    tol : float
        Ends when no margin of the table differs by more than this.
    max_steps : int
        Rounds over all margins.

    Raises
    ------
    DomainError
        For a negative margin, margins of different sums, a positive one where the table is empty; and after `max_steps` rounds,
        where no table that is empty in the same cells has these margins.
    ShapeError
    ConvergenceError
        With the largest difference that is left, after `max_steps`.

    Source: Deming & Stephan, Ann. Math. Statist. 11 (1940); Csiszár, Ann. Probab. 3 (1975), section 5.

    Examples
    --------
    >>> margins, ones = {(0,): [0.7, 0.3], (1,): [0.4, 0.6]}, np.zeros((2, 2))
    >>> P = ig.proportional_fitting(ones, margins, tol=1e-12, max_steps=10)
    >>> np.exp(P).round(6)
    array([[0.28, 0.42],
           [0.12, 0.18]])
    """
    require_count("max_steps", max_steps)
    require_tolerance(tol)
    groups, wanted, log_p = _as_arrays(log_table, margins)
    wide, others = _over_the_table(log_p, groups, wanted)
    if 0 in log_p.shape:                # a batch of no tables
        return log_p
    xp = arrays(log_p)[0]
    with np.errstate(divide="ignore"):
        logs = [xp.log(m) for m in wide]
    for _ in range(max_steps):
        for group, log_m, other in zip(groups, logs, others):
            log_p = _scaled(log_p, group, log_m, other)
        left = [xp.max(xp.abs(xp.exp(_logsumexp(log_p, other)) - m)) for m, other in zip(wide, others)]
        if max(float(x) for x in left) <= tol:
            return log_p
    require_table(log_table, groups, wanted)
    worst = max(float(x) for x in left)
    raise ConvergenceError(f"proportional_fitting: a margin is still off by {worst:.3g} after {max_steps} rounds", worst, log_p)


def _as_arrays(log_table: Array, margins: dict[Group, Array]) -> tuple[list[Group], list[Array], Array]:
    """The groups of axes, their margins and the table, the shapes of which go together."""
    if not isinstance(margins, dict):
        raise TypeError(f"margins must be a dict, such as {{(0,): rows, (1,): columns}}; got {margins!r}")
    if not margins:
        raise ShapeError("margins must name at least one group of axes")
    _, log_p, *wanted = arrays(log_table, *margins.values())
    groups = [tuple(group) for group in margins]
    depth = {margin.ndim - len(group) for group, margin in zip(groups, wanted)}
    size = log_p.ndim - min(depth)
    if len(depth) > 1 or not all(group and list(group) == sorted({*group} & {*range(size)}) for group in groups):
        got = ", ".join(f"{group}: {tuple(m.shape)}" for group, m in zip(groups, wanted))
        raise ShapeError(f"margins must have the same batch axes, and keys that are rising axes of the table, 0 <= axis < "
                         f"{size}; got {got} for a table {tuple(log_p.shape)}")
    batch = log_p.ndim - size
    table = log_p.shape[batch:]
    for group, margin in zip(groups, wanted):
        if tuple(margin.shape[batch:]) != tuple(table[a] for a in group):
            raise ShapeError(f"the margin {group} must have shape (..., {', '.join(str(table[a]) for a in group)}); got "
                             f"{tuple(margin.shape)}")
    return groups, wanted, log_p


def _over_the_table(log_p: Array, groups: list[Group], wanted: list[Array]) -> tuple[list[Array], list[Group]]:
    """The margins, not negative and of one sum above 0, with axes of length 1 for those that they sum over; and these axes."""
    xp, batch = arrays(log_p)[0], wanted[0].ndim - len(groups[0])
    size, table = log_p.ndim - batch, log_p.shape[batch:]
    for group, margin in zip(groups, wanted):
        ClosedInterval(0).require(f"the margin {group}", margin)
    others = [tuple(batch + a for a in range(size) if a not in group) for group in groups]
    wide = [xp.reshape(m, (*m.shape[:batch], *(table[a] if a in group else 1 for a in range(size))))
            for group, m in zip(groups, wanted)]
    totals = [xp.sum(m, axis=tuple(range(batch, batch + size))) for m in wide]
    Interval(0).require("the sum of a margin", totals[0])
    room = 64 * size * max(table) * float(xp.finfo(log_p.dtype).eps)
    for group, total in zip(groups, totals):
        equal = xp.abs(total - totals[0]) <= room * totals[0]
        require(f"the margin {group}", f"sum {to_numpy(totals[0])}, as that of {groups[0]}", equal, total)
    return wide, others


def _scaled(log_p: Array, group: Group, log_m: Array, other: Group) -> Array:
    """The table times one factor for each entry of a margin, which it then has."""
    xp, now = arrays(log_p)[0], _logsumexp(log_p, other)
    nothing = now == -np.inf
    require(f"the margin {group}", "0 where the table is empty", ~(nothing & (log_m > -np.inf)), log_m)
    empty = log_m == -np.inf
    factor = log_m - xp.where(nothing, xp.zeros_like(now), now)         # of empty cells any finite one will do, or −∞
    return xp.where(empty, xp.full_like(log_p, -np.inf), log_p + factor)


def _logsumexp(x: Array, axes: Group) -> Array:
    """log Σ exp(x) along several axes, which stay as axes of length 1."""
    xp, x = arrays(x)
    for axis in axes:
        x = xp.expand_dims(logsumexp(x, axis=axis), axis=axis)
    return x
