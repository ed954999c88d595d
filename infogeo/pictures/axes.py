"""Axes of Matplotlib to draw on."""
from typing import Any

from ..errors import from_extra

__all__ = ["axes_or_new"]


def axes_or_new(ax: Any, size: tuple[float, float] = (4.8, 3.4)) -> Any:
    """The axes that are given, or those of a new figure of this size, in inches.

    Raises
    ------
    ImportError
        Where a new figure is needed and Matplotlib is not installed.
    TypeError
        For what is no axes.
    """
    if ax is not None:
        if not hasattr(ax, "errorbar"):
            raise TypeError(f"ax must be the axes of a Matplotlib figure; got {ax!r}")
        return ax
    with from_extra("figures need matplotlib", "studies"):
        import matplotlib.pyplot as plt
    return plt.subplots(figsize=size, layout="constrained")[1]
