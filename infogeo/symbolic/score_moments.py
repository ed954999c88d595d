"""Moments of a score by quadrature over the pieces of a support, refined until two rules agree."""
from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from ..arrays.blocks import slices
from ..backend import Array, Namespace, set_at
from .piece import Piece

__all__ = ["diagonal_places", "refined"]

LEVELS = 8          # of a rule: 129 nodes on the line, then twice as many, up to 16385
BLOCK = 2**17       # nodes of all points that are evaluated together


def refined(pieces: Sequence[Piece], xp: Namespace, u: Array, rtol: float) -> tuple[Array, Array, Array]:
    """(moments, change, off) at points (rows, d): rules are refined until the change, relative to |s_i| |s_j|, is rtol at most.

    `off` is the larger of what the mass is off 1 and of the mean of the score in units of its length, which are 0 whatever the
    model. A density that is not a number gives NaN.
    """
    d = u.shape[-1]
    with np.errstate(all="ignore"):                         # far out a density may be 0, its logarithm −∞, its score anything
        places = [piece.place(xp, _columns(u)) for piece in pieces]
        moments = xp.zeros((u.shape[0], 1 + d + d * (d + 1) // 2), dtype=u.dtype)
        change = xp.full_like(moments[:, 0], np.inf)
        left, before = change > rtol, None
        for level in range(LEVELS):
            now = _at_level(pieces, xp, u[left], [place[left] for place in places], level)
            if before is not None:
                moments = set_at(xp, moments, left, now)
                scale = _scale(xp, now, d)                  # 0 where all nodes missed what moves with a parameter
                step = xp.max(xp.where(scale == 0.0, xp.full_like(scale, np.inf), xp.abs(now - before) / scale), axis=-1)
                change = set_at(xp, change, left, step)
                now, left = now[step > rtol], set_at(xp, left, left, step > rtol)
                if not xp.any(left):
                    break
            before = now
        exact = xp.asarray([1.0] + [0.0] * d, dtype=u.dtype)
        off = xp.max(xp.abs(moments[:, :1 + d] - exact) / _scale(xp, moments, d)[:, :1 + d], axis=-1)
    return moments, change, off


def _columns(u: Array) -> list[Array]:
    return [u[:, i:i + 1] for i in range(u.shape[-1])]


def _at_level(pieces: Sequence[Piece], xp: Namespace, u: Array, places: list[Array], level: int) -> Array:
    """The moments by the rule of a level, in blocks of points."""
    rows = max(1, BLOCK // 2**(7 + level))
    return xp.concat([sum(piece.moments(xp, _columns(u[cut, :]), place[cut, :], level) for piece, place in zip(pieces, places))
                      for cut in slices(u.shape[0], rows)])


def _scale(xp: Namespace, moments: Array, d: int) -> Array:
    """(1, |s_i|, |s_i| |s_j| for i ≤ j), as the moments lie."""
    length = [xp.sqrt(moments[:, 1 + d + k]) for k in diagonal_places(d)]
    pairs = [a * b for a, b in combinations_with_replacement(length, 2)]
    return xp.stack([xp.ones_like(length[0]), *length, *pairs], axis=-1)


def diagonal_places(d: int) -> list[int]:
    """The places of the entries (i, i) among the pairs i ≤ j."""
    return [k for k, (i, j) in enumerate(combinations_with_replacement(range(d), 2)) if i == j]
