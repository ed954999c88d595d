"""Blank figures and the colours of all pictures. Matplotlib is imported only here, and only when a figure is made."""
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREEN", "ORANGE", "PURPLE", "SKY", "VERMILION", "blank"]

# Okabe & Ito (2008): told apart with every kind of colour vision
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"


def blank(width: float, height: float, panels: int = 1) -> tuple["Figure", Any]:
    """A figure and its axes, one or an array of them; width and height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)            # no window, and no global state
    return figure, figure.subplots(1, panels)
