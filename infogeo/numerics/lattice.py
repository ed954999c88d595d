"""Sums over consecutive integers of terms that are smooth between them.

A sum over 2^j integers is a Gauss rule for the counting measure: twenty nodes, between the integers, however many there are.
So a distribution on the integers is summed in a few panels, whether its width is 10 or 10^9.
"""
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..arrays.tracing import accumulate
from ..backend import Array, Namespace

__all__ = ["entropy", "panel_sums", "panels"]

# Of a panel. 16 give the variance of Poisson laws of means 1 to 1e9 as precisely (3e-13, rounding); four more are for terms that
# change faster along a panel, of which log e³ is allowed.
NODES = 20
_EXACT = 4      # panels of up to 2^4 integers hold the integers themselves
_CONTINUOUS = 32    # from 2^32 integers on, counting and length are the same to rounding


@lru_cache
def _rules() -> tuple[np.ndarray, np.ndarray]:
    """Nodes on [−1, 1] and weights of sum 1 for 2^j equidistant points, j = 0 … 32, shapes (33, 20).

    Source: Golub & Welsch (1969), with the recurrence of the discrete Chebyshev polynomials, DLMF 18.22 (Gram's).
    """
    nodes, weights = np.zeros((_CONTINUOUS + 1, NODES)), np.zeros((_CONTINUOUS + 1, NODES))
    k = np.arange(1.0, NODES)
    for j in range(_CONTINUOUS + 1):
        count = 2.0**j
        if j <= _EXACT:
            index = np.minimum(np.arange(NODES), count - 1)
            nodes[j] = (2 * index + 1 - count) / count
            weights[j] = (np.arange(NODES) < count) / count
        else:
            off_diagonal = np.sqrt(k**2 / (4 * k**2 - 1) * (1 - (k / count)**2))
            nodes[j], vectors = np.linalg.eigh(np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1))
            weights[j] = vectors[0] ** 2
    return nodes, weights


def panels(xp: Namespace, log_term: Callable[[Array], Array], down: Array, up: Array) -> Iterator[tuple[Array, Array]]:
    """The sum of e^{log_term(t)} f(t) over the integers −down ≤ t ≤ up, as pairs (t, weight) of panels.

    Mathematically, Σ_t e^{log_term(t)} f(t) = Σ_panels Σ_nodes weight · f(t). Panels start at t = 0, where `log_term` is 0 and
    near its largest, and go up and then down. They widen as long as `log_term` changes slowly, but stay as far from −down − 1
    and from up + 1 as they are wide: there the terms, products of factorials, have their poles. A direction ends at its
    bound, or where the terms are below e^{−50} of the largest one other than that at the bound.

    Parameters
    ----------
    log_term : callable (t) -> array
        Shapes (..., 20) to (..., 20); smooth, unimodal.
    down, up : arrays, shape (...)
        Non-negative whole numbers, or inf.
    """
    for start, panel in _directions(xp, log_term, down, up):
        state = start
        while xp.any(state[-1]):
            (t, _, weight), state = panel(*state)
            yield t, weight


def panel_sums(xp: Namespace, log_term: Callable[[Array], Array], down: Array, up: Array,
               terms: Callable[[Array, Array, Array], Sequence[Array]], n: int) -> list[Array]:
    """n sums Σ weight · f over panels, shape (...) each: `terms` makes the summands of (t, log_term(t), weight)."""
    totals = [xp.zeros_like(up)] * n
    for start, panel in _directions(xp, log_term, down, up):

        def further(*state: Array, panel: Any = panel) -> tuple[Array, ...]:
            found, after = panel(*state[:4])
            return *after, *(total + xp.sum(part, axis=-1) for total, part in zip(state[4:], terms(*found)))

        totals = list(accumulate(xp, lambda *state: xp.any(state[3]), further, (*start, *totals))[4:])
    return totals


State = tuple[Array, ...]       # where a direction stands: the integers done, level and end of the last panel, which go on


def _directions(xp: Namespace, log_term: Callable[[Array], Array], down: Array,
                up: Array) -> Iterator[tuple[State, Callable[..., tuple[tuple[Array, Array, Array], State]]]]:
    """Up and down: where the panels begin, and the function of a state to ``((t, log_term(t), weight), next state)``."""
    nodes, weights = (xp.asarray(table, dtype=up.dtype) for table in _rules())
    beside = xp.where(down > 0, xp.zeros_like(up), xp.minimum(up, xp.ones_like(up)))
    floor = log_term(xp.broadcast_to(beside[..., None], (*up.shape, NODES)))[..., 0] - 50.0
    for sign, first, room, behind in (1.0, 0.0, up + 1.0, down + 1.0), (-1.0, -1.0, down, up + 2.0):
        def panel(start: Array, level: Array, end: Array, active: Array, sign: float = sign, first: float = first,
                  room: Array = room, behind: Array = behind) -> tuple[tuple[Array, Array, Array], State]:
            row = xp.astype(xp.reshape(xp.minimum(level, xp.full_like(level, _CONTINUOUS)), (-1,)), xp.int64)
            width = 2.0**level
            step = 0.5 * ((xp.reshape(xp.take(nodes, row, axis=0), (*up.shape, NODES)) + 1.0) * width[..., None] - 1.0)
            share = xp.reshape(xp.take(weights, row, axis=0), (*up.shape, NODES)) * width[..., None]
            position = start[..., None] + step
            used = active[..., None] & (position <= room[..., None] - 0.5)
            t = xp.where(used, first + sign * position, xp.zeros_like(position))
            value = log_term(t)
            weight = xp.where(used, share * xp.exp(value), xp.zeros_like(value))
            last = xp.where(used[..., -1], value[..., -1], end)
            change = xp.abs(last - end)
            start, end = start + width, last
            active = active & (start < room) & (last + xp.log(1.0 + start) >= floor)
            level = level + xp.astype(change < 1.0, up.dtype) - xp.astype(change > 3.0, up.dtype)
            distance = xp.minimum(behind + start, 0.5 * (room - start + 1.0))
            # wider panels than the exact ones must be far from the poles
            widest = xp.floor(xp.log2(xp.maximum(distance, xp.ones_like(distance))))
            level = xp.minimum(xp.clip(level, 0.0, 1000.0), xp.maximum(widest, xp.full_like(widest, float(_EXACT))))
            return (t, value, weight), (start, xp.where(active, level, xp.zeros_like(level)), end, active)

        yield (xp.zeros_like(up), xp.zeros_like(up), xp.zeros_like(up), room > 0), panel


def entropy(xp: Namespace, log_term: Callable[[Array], Array], down: Array, up: Array) -> Array:
    """−Σ p log p of the distribution with p(t) in proportion to e^{log_term(t)}, shape (...), nats; arguments as in `panels`.

    Mathematically, log S − E[log_term] with S = Σ e^{log_term}, 1 for t = 0 and the sum of the others.
    """
    others, mean = panel_sums(xp, log_term, down, up, lambda t, value, weight: (
        xp.where(t == 0, xp.zeros_like(t), weight), weight * value), 2)
    return xp.log1p(others) - mean / (1.0 + others)
