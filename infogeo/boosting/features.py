"""Features as an array of numbers: categories by their place, what is missing as NaN."""
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import DomainError, ShapeError

__all__ = ["Categories", "place"]

CATEGORICAL = ("category", "categorical", "enum")       # types of columns, in lower case


class Categories:
    """The categorical columns of the training data and the values in each; a value that was not there is missing.

    Parameters
    ----------
    X : array or DataFrame (n, p)
    chosen : "from_dtype", None, or names, indices or a mask
        As `categorical_features` of scikit-learn's histogram gradient boosting.
    """

    def __init__(self, X: Any, chosen: Any) -> None:
        self.columns = _categorical(X, chosen, list(X.columns) if hasattr(X, "columns") else None)
        self.values = {j: _sorted(_column(X, j)) for j in self.columns}

    def encoded(self, X: Any) -> Any:
        """X with the number of each category in its place; of the kind that it is, a DataFrame with its names."""
        if not self.columns:
            return X
        out = X.copy() if hasattr(X, "columns") else np.array(X, dtype=object)
        for j in self.columns:
            numbers = {value: float(i) for i, value in enumerate(self.values[j])}
            codes = np.asarray([numbers.get(value, np.nan) for value in _column(X, j)])
            if hasattr(out, "columns"):
                out[out.columns[j]] = codes
            else:
                out[:, j] = codes
        return out


def _column(X: Any, j: int) -> list[Any]:
    if hasattr(X, "columns"):
        return list(X[X.columns[j]])
    return list(np.asarray(X)[:, j])


def _sorted(values: list[Any]) -> list[Any]:
    there = {value for value in values if value == value and value is not None}
    try:
        return sorted(there)
    except TypeError:               # of several types
        return sorted(there, key=lambda value: (type(value).__name__, str(value)))


def _categorical(X: Any, chosen: Any, names: list[Any] | None) -> list[int]:
    if chosen is None:
        return []
    if isinstance(chosen, str) and chosen == "from_dtype":
        return [] if names is None else [j for j, kind in enumerate(X.dtypes) if str(kind).lower() in CATEGORICAL]
    chosen, p = np.asarray(chosen), np.shape(X if names is not None else np.asarray(X))[-1]
    if chosen.dtype == bool:
        if chosen.shape != (p,):
            raise ShapeError(f"a mask as categorical_features must have shape ({p},); got {chosen.shape}")
        return [int(j) for j in np.flatnonzero(chosen)]
    return [place(column, names, p, "categorical_features") for column in chosen.tolist()]


def place(column: Any, names: list[Any] | None, p: int, what: str) -> int:
    """The index of a feature that is given by its name or index."""
    if isinstance(column, str):
        known = names if names is not None else [f"x{j}" for j in range(p)]
        if column not in known:
            raise DomainError(f"{what} must name features of X; {column!r} is none of {', '.join(map(str, known))}")
        return known.index(column)
    if not (isinstance(column, Integral) and 0 <= int(column) < p):
        raise DomainError(f"{what} must be names or indices of features, 0 <= j < {p}; got {column!r}")
    return int(column)
