"""A moment of a run: what callbacks see after every step."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..backend import Array
from .snapshot import Snapshot

__all__ = ["Moment"]


@dataclass(frozen=True)
class Moment:
    """A run after k steps, as its callbacks see it. A callback that returns True ends the run.

    Attributes
    ----------
    k : int
        Steps taken.
    x : array, shape (..., d)
        The points now; on NumPy not to be written.
    before, value, covector : arrays, shapes (..., d), (...) and (..., d)
        The points before the last step, and what it saw there.
    h : array, shape (...), or number
        Its step size.
    state : object
        That of the update.
    snapshot : function (after=0, note=None) -> Snapshot
        All that the run needs to go on from here; to be asked for while the callback has its turn. Without the first `after`
        records, where these are kept elsewhere; a note, of plain values, is kept with it.
    records : function () -> dict of arrays, records first
        Those of the steps before.

    Examples
    --------
    >>> seen = []
    >>> def watch(moment):
    ...     seen.append((moment.k, float(moment.x[0])))
    ...     return moment.x[0] < 2                  # True ends the run
    >>> run = ig.descend(lambda x: (x[0]**2 / 2, x), [8.0],
    ...                  update=ig.GradientUpdate(), step=0.5, max_steps=50,
    ...                  callbacks=[watch])
    >>> seen, ig.Status(run.status).name
    ([(1, 4.0), (2, 2.0), (3, 1.0)], 'STOPPED')
    """

    k: int
    x: Array
    before: Array
    value: Array
    covector: Array
    h: Array
    state: Any
    snapshot: Callable[..., Snapshot]
    records: Callable[[], dict[str, Array]]
