"""The triangle of three probabilities."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..errors import ShapeError, require
from .axes import axes_or_new

__all__ = ["CORNERS", "draw_triangle", "plot_ternary"]

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])      # of the outcomes 0, 1, 2


def plot_ternary(probabilities: Array, *, ax: Any = None, labels: Sequence[str] = ("0", "1", "2"), marker: str = "",
                 **style: Any) -> list[Any]:
    """Paths of laws of three outcomes in the triangle whose corners are the outcomes.

    Mathematically, p is drawn at Σ p_i c_i with c the corners: straight lines are mixtures, and the distance from a side is the
    probability of the corner that faces it.

    Parameters
    ----------
    probabilities : array, shape (n, 3) or (n, ..., 3)
        A path of n points; with more axes a path for each entry of the batch, as the ``path`` of a run has them.
    ax : Axes, optional
        Of Matplotlib; a new figure is made where there are none.
    labels : sequence of three str
        The names of the outcomes, written at the corners.
    marker : str
        Of Matplotlib, for the points of the paths, as in ``marker="o"`` with ``linestyle=""`` for points alone.
    **style
        Of the lines, as `matplotlib.lines.Line2D` takes it.

    Returns
    -------
    list of Line2D
        A line for each path.

    Raises
    ------
    DomainError, ShapeError
        Where the last axis is not three probabilities with sum 1.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import infogeo as ig
    >>> lines = ig.pictures.plot_ternary([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]], ax=Figure().subplots())
    >>> lines[0].get_xydata().round(3)
    array([[0.15 , 0.087],
           [0.65 , 0.26 ]])
    """
    p = np.asarray(to_numpy(probabilities), dtype=float)
    if p.ndim < 2 or p.shape[-1] != 3:
        raise ShapeError(f"probabilities must have shape (n, 3) or (n, ..., 3); got {p.shape}")
    kept = (p >= 0).all(axis=-1) & (abs(p.sum(axis=-1) - 1.0) <= 1e-6)
    require("probabilities", "p >= 0 with sum 1", kept | np.isnan(p).any(axis=-1), p)
    require("labels", "one name for each of three outcomes", len(labels) == 3, list(labels))
    ax = axes_or_new(ax, (4.2, 3.8))
    draw_triangle(ax, labels)
    lines: list[Any] = ax.plot(*np.moveaxis((p @ CORNERS).reshape(len(p), -1, 2), -1, 0), marker=marker, **style)
    return lines


def draw_triangle(ax: Any, labels: Sequence[str]) -> None:
    """The triangle with a grid of tenths, once on the same axes; the corners bear the labels."""
    if getattr(ax, "_has_triangle", False):
        return
    ax._has_triangle = True
    for share in np.arange(0.2, 1.0, 0.2):
        for i in range(3):
            ends = share * CORNERS[i] + (1.0 - share) * np.delete(CORNERS, i, axis=0)
            ax.plot(*ends.T, color="0.88", lw=0.8, zorder=0)
    ax.plot(*CORNERS[[0, 1, 2, 0]].T, color="0.3", lw=1.2, zorder=1)
    places = ((-6, -6), "right", "top"), ((6, -6), "left", "top"), ((0, 6), "center", "bottom")
    for corner, label, (offset, ha, va) in zip(CORNERS, labels, places):
        ax.annotate(label, corner, offset, textcoords="offset points", ha=ha, va=va)
    ax.set(aspect="equal", xlim=(-0.1, 1.1), ylim=(-0.12, 1.0))
    ax.axis("off")
