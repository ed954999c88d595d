"""Reading and checking the target: counts, samples, probabilities. Errors name the file, the line and the column."""
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from ..backend import Array, asarray, to_numpy
from ..errors import DomainError, InfogeoError
from ..families.base import ExponentialFamily
from ..families.categorical import Categorical
from .naming import InputError, named_family, parsed_value

__all__ = ["Target", "from_counts", "from_parameters", "from_probabilities", "from_samples"]

Reference: TypeAlias = int | Literal["best"] | None     # an outcome, the most probable one, or the last


@dataclass(frozen=True)
class Target:
    """A family and a point q of it.

    Shapes: theta (d,).
    """

    family: ExponentialFamily
    theta: Array
    source: str


def from_probabilities(probabilities: Array, reference: Reference = None, source: str = "probabilities") -> Target:
    """The categorical target of given probabilities.

    Parameters
    ----------
    reference : int or "best", optional
        The reference outcome, the last one by default; "best" is the most probable one.

    Raises
    ------
    InputError
    """
    p = np.asarray(probabilities, dtype=float)
    if p.ndim != 1 or p.size < 2:
        raise InputError(f"{source}: at least two outcomes are needed; got {p.size}")
    bad = np.flatnonzero(~(p > 0) | ~np.isfinite(p))
    if bad.size:
        raise InputError(f"{source}: every probability must be positive and finite; outcome {bad[0]} has {p[bad[0]]:g}")
    family = Categorical(p.size, _reference(reference, p, source))
    try:
        theta = family.theta_from(probabilities=asarray(p))
    except DomainError:
        raise InputError(f"{source}: probabilities must sum to 1; these sum to {p.sum():.15g}") from None
    return Target(family, theta, source)


def from_counts(path: str | Path, column: str, reference: Reference = None) -> Target:
    """The categorical target of a CSV file with one row for each outcome: the relative frequencies of a column of counts.

    Raises
    ------
    InputError
    """
    counts = []
    for line, (text,) in _rows(path, [column]):
        where = f"{path}: line {line}, column {column!r}"
        count = _number(text, where)
        if count != np.floor(count):
            raise InputError(f"{where}: {text!r} is not a whole number")
        if count < 0:
            raise InputError(f"{where}: the count {text} is negative")
        if count == 0:
            raise InputError(f"{where}: the count 0 puts the target on the boundary of the simplex; join or drop this outcome")
        counts.append(count)
    if len(counts) < 2:
        raise InputError(f"{path}: at least two outcomes are needed; column {column!r} has {len(counts)}")
    return from_probabilities(np.array(counts) / sum(counts), reference, f"{path}, column {column!r}")


def from_parameters(family: str, texts: Sequence[str], source: str = "parameters") -> Target:
    """The target of given ordinary parameters.

    Parameters
    ----------
    family : str
        As in `named_family`.
    texts : list of str
        ``name=value`` for each ordinary parameter, for instance ``shape=2.5`` or ``scale_matrix=[[1, 0], [0, 2]]``.

    Raises
    ------
    InputError
    """
    model, ordinary = named_family(family), {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name.strip() in ordinary:
            raise InputError(f"{source}: {text!r} must be name=value, each name once")
        ordinary[name.strip()] = _array(parsed_value(value), f"{source}: {name.strip()}")
    try:
        theta = model.theta_from(**ordinary)
    except (InfogeoError, TypeError) as error:
        raise InputError(f"{source}: {' '.join(str(error).split())}") from None
    if theta.ndim > 1:
        raise InputError(f"{source}: one target is needed; got a batch of shape {tuple(theta.shape[:-1])}")
    return Target(model, theta, source)


def _array(value: Any, where: str) -> Array:
    try:
        return asarray(np.array(value, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"{where} must be numbers; got {value!r}") from None


def from_samples(path: str | Path, columns: str | Sequence[str], family: str, reference: Reference = None) -> Target:
    """The maximum-likelihood fit to a CSV file with one row for each observation.

    Parameters
    ----------
    columns : list of str
        One, or for the families of vectors and matrices one for each entry, row by row.
    family : str
        As in `named_family`. A family of vectors may be named without its dimension, which is the number of columns then;
        ``categorical`` has as many outcomes as occur.

    Raises
    ------
    InputError
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    where = f"{path}, column {', '.join(repr(name) for name in columns)}"
    if family.strip().lower() == "categorical":
        lines, x = _samples(path, columns, family, 1)
        return _from_outcomes(path, columns[0], lines, x[:, 0], reference, where)
    model = named_family(family, len(columns))
    lines, x = _samples(path, columns, family, prod(model.support.shape))
    if reference is not None:
        raise InputError("a reference outcome belongs to the categorical family, or is an argument of it, as in "
                         f"Categorical(3, reference=0); the family is {family}")
    x = x.reshape(len(x), *model.support.shape)
    outside = np.flatnonzero(~to_numpy(model.support.contains(x)))
    if outside.size:
        i = outside[0]
        raise InputError(f"{path}: line {lines[i]}: an observation x of the family {family} must satisfy "
                         f"{model.support.rule('x')}; got {x[i]}")
    try:
        return Target(model, model.fit(asarray(x)), where)
    except InfogeoError as error:
        raise InputError(f"{where}: {' '.join(str(error).split())}") from None


def _samples(path: str | Path, columns: list[str], family: str, places: int) -> tuple[list[int], np.ndarray]:
    """The lines of the observations and their numbers, shape (n, places)."""
    if len(columns) != places:
        wanted = "one column" if places == 1 else f"{places} columns"
        raise InputError(f"{path}: the family {family} takes {wanted}; got {', '.join(columns)}")
    rows = [(line, [_number(text, f"{path}: line {line}, column {name!r}") for name, text in zip(columns, texts)])
            for line, texts in _rows(path, columns)]
    return [line for line, _ in rows], np.array([values for _, values in rows])


def _from_outcomes(path: str | Path, column: str, lines: list[int], x: np.ndarray, reference: Reference, where: str) -> Target:
    """Relative frequencies of the outcomes 0 … max."""
    bad = np.flatnonzero((x < 0) | (x != np.floor(x)))
    if bad.size:
        i = bad[0]
        raise InputError(f"{path}: line {lines[i]}, column {column!r}: an outcome must be 0, 1, 2, …; got {x[i]:g}")
    if x.max() >= x.size:
        i = x.argmax()
        raise InputError(f"{path}: line {lines[i]}, column {column!r}: outcome {x[i]:g} of {x.size} observations leaves outcomes "
                         "that never occur")
    counts = np.bincount(x.astype(int))
    if counts.size < 2 or (counts == 0).any():
        missing = 1 if counts.size < 2 else int(np.flatnonzero(counts == 0)[0])
        raise InputError(f"{where}: outcome {missing} never occurs, which puts the target on the boundary of the simplex")
    return from_probabilities(counts / counts.sum(), reference, where)


def _reference(reference: Reference, p: np.ndarray, source: str) -> int:
    if reference is None:
        return p.size - 1
    if reference == "best":
        return int(p.argmax())
    if not 0 <= reference < p.size:
        raise InputError(f"{source}: the reference must be an outcome from 0 to {p.size - 1} or 'best'; got {reference}")
    return int(reference)


def _rows(path: str | Path, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    """``(line, texts)`` of every row; blank lines are passed over."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise InputError(f"{path}: line 1: the file is empty; a header line with the names of the columns is needed")
            header = [name.strip() for name in header]
            places = [_place(path, header, name) for name in columns]
            out = []
            for row in reader:
                if not any(text.strip() for text in row):
                    continue
                short = [name for name, place in zip(columns, places) if place >= len(row)]
                if short:
                    raise InputError(f"{path}: line {reader.line_num}: no value in column {short[0]!r}")
                out.append((reader.line_num, [row[place].strip() for place in places]))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV text file: {error}") from None
    if not out:
        raise InputError(f"{path}: line 2: the file has a header but no rows")
    return out


def _place(path: str | Path, header: list[str], name: str) -> int:
    if header.count(name) > 1:
        raise InputError(f"{path}: line 1: more than one column is called {name!r}")
    if name not in header:
        raise InputError(f"{path}: line 1: no column {name!r}; the columns are {', '.join(map(repr, header))}")
    return header.index(name)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r} is not a number") from None
    if not np.isfinite(value):
        raise InputError(f"{where}: {text!r} is not a finite number")
    return value
