"""A picture inside a page of HTML."""
import re
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from typing import Any

__all__ = ["embedded"]


def embedded(draw: Callable[[Any], Any], size: tuple[float, float] = (3.6, 2.2)) -> str:
    """What `draw` puts on axes, as an SVG element; nothing where Matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return ""
    from matplotlib.figure import Figure

    figure, text = Figure(figsize=size, layout="constrained"), StringIO()
    draw(figure.subplots())
    figure.savefig(text, format="svg")
    return re.sub(r"^.*?(?=<svg)", "", text.getvalue(), flags=re.DOTALL)
