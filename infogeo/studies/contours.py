"""Grids under contours that end at the boundary of a domain, without steps or specks along it."""
from collections.abc import Callable

import numpy as np

from ..backend import Array, asarray, to_numpy
from ..domains.convex import ConvexDomain

__all__ = ["columns"]

GRID = 220          # columns, and points of each
LOOKED = 400        # points of a column in which the domain is looked for first
EDGE = 1e-6         # of a column's length, from the boundary, where a divergence may be infinite


def columns(domain: ConvexDomain, through: Array, across: tuple[float, float], along: tuple[float, float]) -> np.ndarray:
    """Points in a plane of the first two coordinates through a point, as columns that reach from boundary to boundary.

    Mathematically, a line meets a convex domain in one interval: its ends are bisected, and the points lie closer towards them. A
    column that misses the domain repeats its nearest neighbour that does not.

    Shapes: through (d,); the grid (points, columns, d), NumPy.
    """
    x, rows = np.linspace(*across, GRID), np.linspace(*along, LOOKED)
    point = to_numpy(through)

    def inside(y: np.ndarray) -> np.ndarray:
        """Of points (n, columns)."""
        return to_numpy(domain.contains(asarray(_placed(point, x, y), like=through)))

    seen = inside(np.broadcast_to(rows[:, None], (LOOKED, GRID)))
    hit = np.flatnonzero(seen.any(axis=0))
    if hit.size == 0:
        hit, x = np.arange(GRID), np.full(GRID, point[0])
        seen = inside(np.broadcast_to(rows[:, None], (LOOKED, GRID)))
    nearest = hit[abs(np.arange(GRID)[:, None] - hit).argmin(axis=1)]
    x, seen = x[nearest], seen[:, nearest]
    first, last = seen.argmax(axis=0), LOOKED - 1 - seen[::-1].argmax(axis=0)
    ends = [_bisected(inside, rows[at], rows[np.clip(at + step, 0, LOOKED - 1)]) for at, step in ((first, -1), (last, 1))]
    share = 0.5 * (1.0 - (1.0 - 2.0 * EDGE) * np.cos(np.linspace(0.0, np.pi, GRID)))[:, None]
    return _placed(point, x, ends[0] + share * (ends[1] - ends[0]))


def _placed(point: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    grid = np.broadcast_to(point, (*y.shape, point.size)).copy()
    grid[..., 0], grid[..., 1] = x, y
    return grid


def _bisected(inside: Callable[[np.ndarray], np.ndarray], good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Between points inside and points outside, those inside that are next to the boundary; what is never outside is kept."""
    for _ in range(40):
        middle = 0.5 * (good + bad)
        kept = inside(middle[None])[0]
        good, bad = np.where(kept, middle, good), np.where(kept, bad, middle)
    return good
