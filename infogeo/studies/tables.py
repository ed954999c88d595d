"""Tables of text, for a terminal of 80 columns."""
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["number", "table", "wrapped"]

WIDTH = 80      # characters of a line
LEAST = 6       # of a column that is narrowed


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Iterable[str] = ()) -> str:
    """A title, aligned columns (the first to the left, numbers to the right), notes.

    Where that is wider than a terminal, the cells of the widest columns are broken at spaces, and words as far as need be.
    """
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = _widths(cells)
    lines = [line for row in cells for line in _lines(row, widths)]
    lines.insert(len(_lines(cells[0], widths)), "  " + "  ".join("-" * w for w in widths))
    return "\n".join([title, "", *lines, *(wrapped(note, "  ") for note in notes)])


def _widths(cells: list[list[str]]) -> list[int]:
    """Of the columns: as wide as their cells, or narrowed: the first column after the others, words last."""
    columns = list(zip(*cells))
    widths = [max(map(len, column)) for column in columns]
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    for least in ([widths[0], *words[1:]], words, [min(LEAST, w) for w in words]):
        while sum(widths) + 2 * len(widths) > WIDTH:
            room = [w - m for w, m in zip(widths, least)]
            if max(room) <= 0:
                break
            # the widest of those that can give way
            i = max((i for i in range(len(widths)) if room[i] > 0), key=lambda i: widths[i])
            widths[i] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The lines of one row."""
    broken = [textwrap.wrap(cell, max(w, 1), break_on_hyphens=False) or [""] for cell, w in zip(row, widths)]
    height = max(map(len, broken))
    padded = [part + [""] * (height - len(part)) for part in broken]
    return ["  " + "  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))).rstrip()
            for line in zip(*padded)]


def wrapped(text: str, indent: str, first: str = "  ") -> str:
    """Lines of at most `WIDTH` characters, the second and later ones indented."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, initial_indent=first, subsequent_indent=indent)


def number(x: float, digits: int = 6) -> str:
    """A number as text: "-" for NaN, "never" for what is infinite."""
    return "-" if np.isnan(x) else "never" if np.isposinf(x) else f"{x:.{digits}g}"
