"""Tables of text, for a terminal."""
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["number", "table", "wrapped"]

WIDTH = 110     # characters of a note's line


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Iterable[str] = ()) -> str:
    """A title, aligned columns (the first to the left, numbers to the right), notes."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
             for row in cells]
    lines.insert(1, "  " + "  ".join("-" * w for w in widths))
    return "\n".join([title, "", *lines, *(wrapped(note, "  ") for note in notes)])


def wrapped(text: str, indent: str) -> str:
    """Lines of at most `WIDTH` characters, the second and later ones indented."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, initial_indent="  ", subsequent_indent=indent)


def number(x: float, digits: int = 6) -> str:
    """A number as text: "-" for NaN, "never" for what is infinite."""
    return "-" if np.isnan(x) else "never" if np.isposinf(x) else f"{x:.{digits}g}"
