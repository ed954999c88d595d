"""Σ w and Σ w T(x) over a sample, or over one that lies in pieces, and the member of a family that they are fitted by."""
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..arrays.pieces import reduced
from ..arrays.sums import sum_of, two_sum
from ..arrays.weights import checked_weights
from ..backend import Array, arrays, coerced
from ..errors import ShapeError

if TYPE_CHECKING:
    from .base import ExponentialFamily

__all__ = ["merged_sums", "statistic_sums", "sums_in_pieces"]

Sums: TypeAlias = tuple[Array, Array]       # (Σ w, Σ w T), shape (..., 1 + dim), and what rounding took from them


def statistic_sums(family: "ExponentialFamily", x: Array, weights: Array | None = None) -> Sums:
    """Over axis 0 of a sample x (n, ..., *support.shape), with weights (n,) or (n, ...).

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
    return total, lost + xp.zeros_like(total)


def _sums_about(family: "ExponentialFamily", about: Array, x: Array, weights: Array | None = None) -> Sums:
    return statistic_sums(family, family.require_observations("x", coerced(x)[1]) - about, weights)


def merged_sums(a: Sums, b: Sums) -> Sums:
    """Over the union; batches broadcast."""
    xp, sums_a, sums_b, error_a, error_b = arrays(a[0], b[0], a[1], b[1])
    total, lost = two_sum(xp, sums_a, sums_b)
    return total, error_a + error_b + lost


def sums_in_pieces(family: "ExponentialFamily", x: Any, weights: Any = None, about: Array = 0.0) -> Sums:
    """Over a Dask array, data frame or series, as a tree of sums over its pieces; of x less a point where one is given."""
    f = partial(_sums_about, family, about) if np.any(about) else partial(statistic_sums, family)
    return reduced(f, merged_sums, x) if weights is None else reduced(f, merged_sums, x, weights)
