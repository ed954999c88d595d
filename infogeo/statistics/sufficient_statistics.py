"""Sums of sufficient statistics that fold in pieces."""
from dataclasses import dataclass
from typing import Any

from ..arrays.sums import sum_of, two_sum
from ..arrays.weights import checked_weights
from ..backend import Array, arrays, coerced
from ..errors import ShapeError, require
from ..families.base import ExponentialFamily

__all__ = ["SufficientStatistics"]


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """The weighted sum of T(x) over a sample, and the sum of the weights: all that a fit or a posterior needs.

    Mathematically, the pair (Σ w_i, Σ w_i T(x_i)), which is additive: the sum over a union is the sum of the sums. Each addition
    of two sums keeps its rounding error in a second word, so that a million small pieces lose no more than one.

    A value: `update` and `merge` return a new one.

    Shapes: `weight` (...), `total` (..., dim) for a sample of batch shape (...).
    Source: Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54 (1974).
    """

    family: Any
    sums: Any        # (..., 1 + dim): Σ w and Σ w T
    errors: Any      # what rounding took from them

    @classmethod
    def from_data(cls, family: ExponentialFamily, x: Array, weights: Array | None = None) -> "SufficientStatistics":
        """The sums over axis 0 of a sample.

        Parameters
        ----------
        x : array, shape (n, ..., *support.shape)
        weights : array, shape (n,) or (n, ...), optional
            Non-negative and finite; 1 where they are not given.

        Raises
        ------
        DomainError, ShapeError
            For an observation outside the support, or a weight that is negative or not finite.
        """
        xp, x = coerced(x)
        x = family.require_observations("x", x)
        batch = x.ndim - len(family.support.shape)
        if batch == 0:
            raise ShapeError(f"x must have a sample axis first; got shape {tuple(x.shape)}")
        statistic = family.sufficient_statistic(x)
        if weights is None:
            weights = xp.ones(statistic.shape[:-1], dtype=statistic.dtype)
        else:
            weights = xp.broadcast_to(checked_weights(x, weights, x.shape[:batch]), statistic.shape[:-1])
        total, lost = sum_of(xp, lambda w, t: xp.concat([w[..., None], w[..., None] * t], axis=-1), weights, statistic)
        return cls(family, total, lost + xp.zeros_like(total))

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
        """
        require("the family of the other", f"family = {self.family!r}", self.family == other.family, other.family)
        xp, a, b, error_a, error_b = arrays(self.sums, other.sums, self.errors, other.errors)
        total, lost = two_sum(xp, a, b)
        return SufficientStatistics(self.family, total, error_a + error_b + lost)

    def to_eta(self) -> Array:
        """The mean statistic Σ w T(x) / Σ w, shape (..., dim): the η of the maximum-likelihood estimate, where that exists."""
        return self.total / self.weight[..., None]
