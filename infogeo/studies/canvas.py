"""Blank figures and the colours of all pictures. Matplotlib is imported when a figure is made."""
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREEN", "ORANGE", "PURPLE", "SKY", "VERMILION", "blank", "plain_numbers"]

# Okabe & Ito (2008): told apart with every kind of colour vision
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"


def blank(width: float, height: float, panels: int = 1) -> tuple["Figure", Any]:
    """A figure and its axes, one or an array of them; width and height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)            # no window, and no global state
    return figure, figure.subplots(1, panels)


def plain_numbers(axis: Any) -> None:
    """The ticks of a logarithmic axis that have a number have a plain one, 20 in place of 2 × 10¹."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: Any = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain())
