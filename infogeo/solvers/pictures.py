"""A run as a picture: its values against its steps, row by row."""
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import to_numpy
from ..pictures.axes import axes_or_new

if TYPE_CHECKING:
    from .result import Result

__all__ = ["plot_run"]

MOST_ROWS = 200         # of a large batch, rows evenly spread over the last values


def plot_run(result: "Result", ax: Any = None) -> list[Any]:
    """The values of every row; see `Result.plot`."""
    if result.values is None:
        raise ValueError("this run kept no values to draw: run it with record=")
    values = np.asarray(to_numpy(result.values), dtype=float).reshape(len(result.values), -1)
    if values.shape[1] > MOST_ROWS:
        order = np.argsort(values[-1], kind="stable")
        values = values[:, order[np.linspace(0, len(order) - 1, MOST_ROWS).astype(int)]]
    steps = np.arange(len(values)) if result.recorded is None else np.asarray(result.recorded)
    ax = axes_or_new(ax)
    lines: list[Any] = ax.plot(steps, values, lw=1.5, alpha=1.0 if values.shape[1] < 10 else 0.4,
                               color=None if values.shape[1] < 10 else "C0")
    if (finite := values[np.isfinite(values)]).size and finite.min() > 0 and finite.max() > 30 * finite.min():
        ax.set_yscale("log")
    ax.set(xlabel="record" if result.recorded is None else "step", ylabel="objective")
    return lines
