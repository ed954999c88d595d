"""Reading and checking the target: counts, samples, probabilities. Errors name the file, the line and the column."""
import warnings
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
from .inputs import InputError, InputWarning
from .naming import named_family, parsed_value
from .reading import NumberColumns, TextTable, read_table

__all__ = ["Reference", "Target", "from_counts", "from_parameters", "from_probabilities", "from_samples", "reference_of"]

Reference: TypeAlias = int | Literal["best"] | None     # an outcome, the most probable one, or the last


@dataclass(frozen=True)
class Target:
    """A family and a point q of it.

    Shapes: theta (d,).

    Examples
    --------
    >>> target = ig.studies.from_parameters("gamma", ["shape=2", "rate=0.5"])
    >>> target.family, target.theta
    (Gamma(), array([ 2. , -0.5]))
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

    Examples
    --------
    >>> target = ig.studies.from_probabilities([0.2, 0.5, 0.3],
    ...                                        reference="best")
    >>> target.family
    Categorical(k=3, reference=1)
    """
    p = np.asarray(probabilities, dtype=float)
    if p.ndim != 1 or p.size < 2:
        raise InputError(f"{source}: at least two outcomes are needed; got {p.size}")
    bad = np.flatnonzero(~(p > 0) | ~np.isfinite(p))
    if bad.size:
        raise InputError(f"{source}: every probability must be positive and finite; outcome {bad[0]} has {p[bad[0]]:g}")
    family = Categorical(p.size, reference_of(reference, p, source))
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

    Examples
    --------
    >>> path = ig.studies.example_data("horse_kicks")  # 109, 65, 22, 3, 1
    >>> target = ig.studies.from_counts(path, "corps_years")
    >>> target.family.parameters(target.theta)["probabilities"].round(3)
    array([0.545, 0.325, 0.11 , 0.015, 0.005])
    """
    found = read_table(path, [column]).columns([column])
    counts = found.values[:, 0]
    for line, (text,), count in zip(found.lines, found.texts, counts):
        where = f"{path}: line {line}, column {column!r}"
        if count != np.floor(count):
            raise InputError(f"{where}: {text!r} is not a whole number")
        if count < 0:
            raise InputError(f"{where}: the count {text} is negative")
        if count == 0:
            raise InputError(f"{where}: the count 0 puts the target on the boundary of the simplex; join or drop this outcome")
    if len(counts) < 2:
        raise InputError(f"{path}: at least two outcomes are needed; column {column!r} has {len(counts)}")
    return from_probabilities(counts / counts.sum(), reference, f"{path}, column {column!r}")


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

    Examples
    --------
    >>> target = ig.studies.from_parameters("normal", ["mean=1", "variance=4"])
    >>> target.theta     # mean / variance, −½ / variance
    array([ 0.25 , -0.125])
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


def from_samples(path: str | Path, columns: str | Sequence[str], family: str, reference: Reference = None,
                 weights: str | None = None) -> Target:
    """The maximum-likelihood fit to a CSV file with one row for each observation.

    Parameters
    ----------
    columns : list of str
        One, or for the families of vectors and matrices one for each entry, row by row. In a file without a header they are
        called "1", "2", ….
    family : str
        As in `named_family`. A family of vectors may be named without its dimension, which is the number of columns then;
        ``categorical`` has as many outcomes as occur.
    weights : str, optional
        The column that says how often each row was observed, as in a frequency table.

    Raises
    ------
    InputError

    Warns
    -----
    InputWarning
        Where the file looks like a frequency table whose counts are not used.

    Examples
    --------
    >>> path = ig.studies.example_data("horse_kick_deaths")   # 122 in 200 years
    >>> target = ig.studies.from_samples(path, "deaths", "poisson")
    >>> found = target.family.parameters(target.theta)
    >>> round(float(found["rate"]), 6)
    0.61
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    where = f"{path}, column {', '.join(map(repr, columns))}{f', weights {weights!r}' if weights is not None else ''}"
    called = columns if weights is None else [*columns, weights]
    if family.strip().lower() == "categorical":
        found = _samples(path, called, family, 1 + (weights is not None))
        return _from_outcomes(path, columns[0], found, _weights(path, found, weights), reference, where)
    model = named_family(family, len(columns))
    _require_places(path, columns, family, prod(model.support.shape))
    found = _samples(path, called, family, len(called))
    if reference is not None:
        raise InputError("a reference outcome belongs to the categorical family, or is an argument of it, as in "
                         f"Categorical(3, reference=0); the family is {family}")
    x = found.values[:, :len(columns)].reshape(len(found.lines), *model.support.shape)
    outside = np.flatnonzero(~to_numpy(model.support.contains(x)))
    if outside.size:
        i = outside[0]
        raise InputError(f"{path}: line {found.lines[i]}: an observation x of the family {family} must satisfy "
                         f"{model.support.rule('x')}; got {x[i]}")
    try:
        weight = _weights(path, found, weights)
        return Target(model, model.fit(asarray(x), weights=None if weight is None else asarray(weight)), where)
    except InfogeoError as error:
        raise InputError(f"{where}: {' '.join(str(error).split())}") from None


def _require_places(path: str | Path, columns: list[str], family: str, places: int) -> None:
    if len(columns) != places:
        wanted = "one column" if places == 1 else f"{places} columns"
        raise InputError(f"{path}: the family {family} takes {wanted}; got {', '.join(columns)}")


def _samples(path: str | Path, called: list[str], family: str, places: int) -> NumberColumns:
    """The columns; a warning where the only one called looks like the values of a frequency table."""
    _require_places(path, called, family, places)
    table = read_table(path, called)
    found = table.columns(called)
    counts = _counts_beside(table, found) if len(called) == 1 else None
    if counts is not None:
        warnings.warn(f"{path}: looks like a frequency table: column {called[0]!r} has every value once, and {counts!r} whole "
                      f"numbers; each row counts once, unless its weight is in {counts!r} (--weights {counts})", InputWarning,
                      stacklevel=3)
    return found


def _counts_beside(table: TextTable, found: NumberColumns) -> str | None:
    """The other column of a table of two whose first has neighbouring whole numbers, each once, and whose second has counts."""
    x = found.values[:, 0]
    others = [name for name in table.names if name not in found.names]
    if len(others) != 1 or x.size < 3 or not np.array_equal(np.sort(x), np.arange(x.min(), x.min() + x.size)):
        return None
    try:
        counts = table.columns(others).values[:, 0]
    except InputError:
        return None
    return others[0] if bool(np.all((counts >= 0) & (counts == np.floor(counts))) and counts.max() > 1) else None


def _weights(path: str | Path, found: NumberColumns, weights: str | None) -> np.ndarray | None:
    if weights is None:
        return None
    w = found.values[:, -1]
    bad = np.flatnonzero(w < 0)
    if bad.size:
        i = bad[0]
        raise InputError(f"{path}: line {found.lines[i]}, column {weights!r}: the weight {found.texts[i][-1]} is negative")
    if not w.any():
        raise InputError(f"{path}: column {weights!r}: all weights are 0")
    return w


def _from_outcomes(path: str | Path, column: str, found: NumberColumns, weights: np.ndarray | None, reference: Reference,
                   where: str) -> Target:
    """Relative frequencies of the outcomes 0 … max."""
    x = found.values[:, 0]
    bad = np.flatnonzero((x < 0) | (x != np.floor(x)))
    if bad.size:
        i = bad[0]
        raise InputError(f"{path}: line {found.lines[i]}, column {column!r}: an outcome must be 0, 1, 2, …; got {x[i]:g}")
    if x.max() >= x.size:
        i = x.argmax()
        raise InputError(f"{path}: line {found.lines[i]}, column {column!r}: outcome {x[i]:g} of {x.size} observations leaves "
                         "outcomes that never occur")
    counts = np.bincount(x.astype(int), weights)
    if counts.size < 2 or (counts == 0).any():
        missing = 1 if counts.size < 2 else int(np.flatnonzero(counts == 0)[0])
        raise InputError(f"{where}: outcome {missing} never occurs, which puts the target on the boundary of the simplex")
    return from_probabilities(counts / counts.sum(), reference, where)


def reference_of(reference: Reference, p: np.ndarray, source: str) -> int:
    """The reference outcome that is meant, of the weights p of the outcomes."""
    if reference is None:
        return p.size - 1
    if reference == "best":
        return int(p.argmax())
    if not 0 <= reference < p.size:
        raise InputError(f"{source}: the reference must be an outcome from 0 to {p.size - 1} or 'best'; got {reference}")
    return int(reference)
