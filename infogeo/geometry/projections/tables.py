"""Whether there is a table with given margins that is empty in given cells: a linear programme."""
from collections.abc import Sequence

import numpy as np
import scipy        # optimize is loaded where it is first asked for
from scipy.sparse import csr_array, vstack

from ...backend import Array, to_numpy
from ...errors import DomainError, first_bad
from .feasibility import MOST

__all__ = ["require_table"]


def require_table(log_table: Array, groups: Sequence[tuple[int, ...]], margins: Sequence[Array]) -> None:
    """Nothing, unless it is certain that no table of the batch's shape has these margins and is empty where the given one is.

    Parameters
    ----------
    log_table : array, shape (..., *table)
        −∞ in empty cells.
    groups, margins : as of `proportional_fitting`, margins of one batch shape.

    Raises
    ------
    DomainError
        Saying how many tables there are none for, and the index of the first.
    """
    cells = to_numpy(log_table) > -np.inf
    size = cells.ndim - margins[0].ndim + len(groups[0])
    batch = np.broadcast_shapes(cells.shape[:cells.ndim - size], *(m.shape[:m.ndim - len(g)] for g, m in zip(groups, margins)))
    cells = np.broadcast_to(cells, (*batch, *cells.shape[cells.ndim - size:]))
    wanted = [np.broadcast_to(to_numpy(m), (*batch, *m.shape[m.ndim - len(g):])).astype(float) for g, m in zip(groups, margins)]
    none = np.zeros(batch, dtype=bool)
    for row in list(np.ndindex(*batch))[:MOST]:
        none[row] = not _exists(cells[row], groups, [margin[row] for margin in wanted])
    if none.any():
        count, first = first_bad(none)
        raise DomainError("the margins must satisfy those of some table that is empty in the same cells; in "
                          f"{count} tables, first at index {first}, no such table has them")


def _exists(cells: np.ndarray, groups: Sequence[tuple[int, ...]], margins: Sequence[np.ndarray]) -> bool:
    """Whether these cells, none negative, can have the margins, or one cannot tell."""
    places = np.nonzero(cells)
    total = max(float(margins[0].sum()), float(np.finfo(float).tiny))
    sums = []
    for group, margin in zip(groups, margins):
        index = np.ravel_multi_index([places[axis] for axis in group], margin.shape)
        sums.append(csr_array((np.ones(index.size), (index, np.arange(index.size))), shape=(margin.size, index.size)))
    found = scipy.optimize.linprog(np.zeros(places[0].size), A_eq=vstack(sums),
                                   b_eq=np.concatenate([margin.reshape(-1) for margin in margins]) / total)
    return bool(found.status != 2)
