"""Sums of sufficient statistics that fold in pieces."""
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..arrays.pieces import folded, is_in_pieces
from ..backend import Array
from ..errors import require, takes
from ..families.base import ExponentialFamily
from ..families.statistic_sums import merged_sums, statistic_sums, sums_in_pieces

__all__ = ["SufficientStatistics"]


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """The weighted sum of T(x) over a sample, and the sum of the weights: all that a fit or a posterior needs.

    Mathematically, the pair (Σ w_i, Σ w_i T(x_i)), which is additive: the sum over a union is the sum of the sums. Each addition
    of two sums keeps its rounding error in a second word, so that a million small pieces lose no more than one.

    A value: `update` and `merge` return a new one.

    Shapes: `weight` (...), `total` (..., dim) for a sample of batch shape (...).
    Source: Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54 (1974).

    Examples
    --------
    >>> total = ig.statistics.SufficientStatistics.from_data(ig.Poisson(), [1.0, 2.0]).update([6.0])
    >>> total.to_eta()
    array([3.])
    """

    family: Any
    sums: Any        # (..., 1 + dim): Σ w and Σ w T
    errors: Any      # what rounding took from them

    @classmethod
    @takes(family=ExponentialFamily)
    def from_data(cls, family: ExponentialFamily, x: Array, weights: Array | None = None) -> "SufficientStatistics":
        """The sums over axis 0 of a sample.

        Parameters
        ----------
        x : array, shape (n, ..., *support.shape), or a Dask array, data frame or series
            A Dask collection is summed piece by piece where its pieces are; each is loaded once.
        weights : array, shape (n,) or (n, ...), optional
            Non-negative and finite; 1 where they are not given.

        Raises
        ------
        DomainError, ShapeError
            For an observation outside the support, or a weight that is negative or not finite.
        """
        sums = sums_in_pieces if is_in_pieces(x) else statistic_sums
        return cls(family, *sums(family, x, weights))

    @classmethod
    @takes(family=ExponentialFamily)
    def of_chunks(cls, family: ExponentialFamily, chunks: Iterable[Any], *,
                  map: Callable[..., Iterable["SufficientStatistics"]] = map) -> "SufficientStatistics":
        """The sums over a sample that comes in chunks, joined as a tree of merges.

        Parameters
        ----------
        chunks : iterable
            Of samples as `from_data` takes them, of pairs (x, weights), or of functions without arguments that give either and so
            load a chunk where it is summed.
        map : function
            ``map(f, chunks)`` yields or returns f of each, in their order: the builtin, an executor's or a cluster's, as in
            `studies.in_blocks`. What comes back is of the size of a sum.

        Raises
        ------
        DomainError, ShapeError
            As `from_data`, and where there is no chunk.
        """
        return folded(map(partial(_of_chunk, family), chunks), cls.merge)

    @property
    def weight(self) -> Array:
        """Σ w, shape (...): the number of observations where they have no weights."""
        return (self.sums + self.errors)[..., 0]

    @property
    def total(self) -> Array:
        """Σ w T(x), shape (..., dim)."""
        return (self.sums + self.errors)[..., 1:]

    def update(self, x: Array, weights: Array | None = None) -> "SufficientStatistics":
        """With more observations; arguments as in `from_data`."""
        return self.merge(SufficientStatistics.from_data(self.family, x, weights))

    def merge(self, other: "SufficientStatistics") -> "SufficientStatistics":
        """With the observations of another one; batches broadcast.

        Raises
        ------
        DomainError
            If the families differ.
        TypeError
            If the other is none.
        """
        if not isinstance(other, SufficientStatistics):
            raise TypeError(f"merge takes SufficientStatistics; got {other!r}")
        require("the family of the other", f"family = {self.family!r}", self.family == other.family, other.family)
        return SufficientStatistics(self.family, *merged_sums((self.sums, self.errors), (other.sums, other.errors)))

    def to_eta(self) -> Array:
        """The mean statistic Σ w T(x) / Σ w, shape (..., dim): the η of the maximum-likelihood estimate, where that exists.

        NaN of no observations.
        """
        with np.errstate(invalid="ignore"):
            return self.total / self.weight[..., None]


def _of_chunk(family: ExponentialFamily, chunk: Any) -> SufficientStatistics:
    """Of a sample, a pair of it and its weights, or a function that gives them."""
    found = chunk() if callable(chunk) else chunk
    x, weights = found if isinstance(found, tuple) else (found, None)
    return SufficientStatistics.from_data(family, x, weights)
