"""Tables of numbers from text files: separators, decimal commas, gzip, headers. Errors name the file, the line and the column."""
import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .inputs import InputError, suggestion

__all__ = ["NumberColumns", "TextTable", "is_number", "read_table"]

DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class NumberColumns:
    """Some columns of a table.

    Shapes: values (rows, columns); lines (rows,), where the rows stand in the file.
    """

    names: list[str]
    lines: list[int]
    texts: list[list[str]]
    values: np.ndarray


@dataclass(frozen=True)
class TextTable:
    """A table as it stands in a file.

    Attributes
    ----------
    names : list of str
        Of the header; "1", "2", … where the file has none.
    header : bool
        Whether it has one.
    rows : list of pairs (line, texts)
        Blank lines and lines that begin with # are passed over.
    """

    path: str
    names: list[str]
    header: bool
    rows: list[tuple[int, list[str]]]

    def columns(self, names: Sequence[str]) -> NumberColumns:
        """The numbers of some columns.

        Raises
        ------
        InputError
        """
        places = [self._place(name) for name in names]
        for line, row in self.rows:
            short = [name for name, place in zip(names, places) if place >= len(row)]
            if short:
                raise InputError(f"{self.path}: line {line}: no value in column {short[0]!r}")
        texts = [[row[place].strip() for place in places] for _, row in self.rows]
        lines = [line for line, _ in self.rows]
        numbers = [self._numbers(name, lines, [row[i] for row in texts]) for i, name in enumerate(names)]
        return NumberColumns(list(names), lines, texts, np.array(numbers).T)

    def texts(self, name: str) -> list[str]:
        """One column as it stands there.

        Raises
        ------
        InputError
        """
        place = self._place(name)
        for line, row in self.rows:
            if place >= len(row) or not row[place].strip():
                raise InputError(f"{self.path}: line {line}: no value in column {name!r}")
        return [row[place].strip() for _, row in self.rows]

    def _place(self, name: str) -> int:
        if self.names.count(name) > 1:
            raise InputError(f"{self.path}: line 1: more than one column is called {name!r}")
        if name in self.names:
            return self.names.index(name)
        if not self.header:
            raise InputError(f"{self.path}: no column {name!r}: the first line holds numbers, not names, so columns go by their "
                             f"number, 1 to {len(self.names)}")
        raise InputError(f"{self.path}: line 1: no column {name!r}; the columns are {', '.join(map(repr, self.names))}"
                         f"{suggestion(name, self.names)}")

    def _numbers(self, name: str, lines: list[int], texts: list[str]) -> list[float]:
        commas = [i for i, text in enumerate(texts) if DECIMAL_COMMA.fullmatch(text)]
        points = [i for i, text in enumerate(texts) if "." in text] if commas else []
        if points:
            i, j = commas[0], points[0]
            raise InputError(f"{self.path}: column {name!r} has decimal commas (line {lines[i]}: {texts[i]!r}) and points "
                             f"(line {lines[j]}: {texts[j]!r})")
        chosen = set(commas)
        return [_number(text.replace(",", ".") if i in chosen else text, f"{self.path}: line {line}, column {name!r}")
                for i, (line, text) in enumerate(zip(lines, texts))]


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r} is not a number") from None
    if not np.isfinite(value):
        raise InputError(f"{where}: {text!r} is not a finite number")
    return value


def read_table(path: str | Path, called: Sequence[str] = ()) -> TextTable:
    """The table of a text file, gzipped or not, with columns between commas, semicolons, tabs, bars or blanks.

    The separator is the first of tab, semicolon, bar and comma in the header, or white space where every line has as many words.
    A number may have a decimal comma where that is no separator. A first line of numbers is no header; then columns are called
    "1", "2", …, unless the names in `called` stand in it and are no such numbers.

    Raises
    ------
    InputError
        Naming the file, the line and the cause.
    """
    lines = _text(path).splitlines(keepends=True)
    kept = ["\n" if line.lstrip().startswith("#") else line for line in lines]
    first = next((line for line in kept if line.strip()), None)
    if first is None:
        raise InputError(f"{path}: line 1: the file is empty; a header line with the names of the columns is needed")
    rows = _split(path, kept, _separator(first, kept))
    names = [name.strip() for name in rows[0][1]]
    numbers = [str(i + 1) for i in range(len(names))]
    header = not all(map(is_number, names)) or bool(called) and all(name in names and name not in numbers for name in called)
    table = TextTable(str(path), names if header else numbers, header, rows[1:] if header else rows)
    if not table.rows:
        raise InputError(f"{path}: line 2: the file has a header but no rows")
    for line, row in table.rows:
        if len(row) > len(names) and any(text.strip() for text in row[len(names):]):
            above = f"the header {len(names)} names" if header else f"the first line {len(names)}"
            raise InputError(f"{path}: line {line}: {len(row)} values, {above}; a number with a decimal comma must stand in "
                             "quotes, or between semicolons or tabs")
    return table


def _text(path: str | Path) -> str:
    try:
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if content[:2] == b"PK":
            raise InputError(f"{path}: a ZIP archive or a spreadsheet, not a CSV text file: unpack or export it")
        return content.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: a damaged gzip file: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a CSV text file: {error}") from None


def _separator(header: str, lines: Sequence[str]) -> str | None:
    """None is white space."""
    for mark in "\t;|,":
        if len(next(csv.reader([header], delimiter=mark), [])) > 1:
            return mark
    counts = {len(line.split()) for line in lines if line.strip()}
    return None if len(counts) == 1 and counts != {1} else ","


def _split(path: str | Path, lines: Sequence[str], separator: str | None) -> list[tuple[int, list[str]]]:
    """``(line, texts)`` of every line that is not blank."""
    if separator is None:
        return [(i + 1, line.split()) for i, line in enumerate(lines) if line.strip()]
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator)
    try:
        return [(reader.line_num, row) for row in reader if any(text.strip() for text in row)]
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV text file: {error}") from None


def is_number(text: str) -> bool:
    """Whether a text stands for one, with a decimal point or comma."""
    try:
        float(text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return False
    return True
