"""Weights of a sample, whose axis 0 counts the observations."""
from typing import Any

import numpy as np

from ..backend import NUMPY, Array, arrays, coerced
from ..errors import ShapeError, require, require_positive

__all__ = ["checked_weights", "sample_weights", "shares"]


def checked_weights(x: Array, weights: Array, batch: tuple[int, ...]) -> Array:
    """Weights (n,) or (n, ...) of a sample x with these batch axes, n first, in its library and with as many axes.

    Raises
    ------
    DomainError, ShapeError
        For a weight that is negative or not finite, or another shape.
    """
    xp, _, weights = coerced(x, weights)
    shapes = {(batch[0],): None, tuple(batch): None}
    if tuple(weights.shape) not in shapes:
        raise ShapeError(f"weights must have shape {' or '.join(map(str, shapes))}; got {tuple(weights.shape)}")
    require("weights", "weights >= 0", (weights >= 0) & xp.isfinite(weights), weights)
    return xp.reshape(weights, (*weights.shape, *(1,) * (len(batch) - weights.ndim)))


def shares(x: Array, weights: Array | None, batch: tuple[int, ...]) -> tuple[Array, Array]:
    """``(Σ w, w / Σ w)``, shapes that broadcast with (...) and (n, ...); n and 1/n where no weights are given.

    Raises
    ------
    DomainError, ShapeError
        As `checked_weights`, and where the sum is not positive.
    """
    if weights is None:
        xp, x = arrays(x)
        one, shape = xp.asarray(1.0 / batch[0], dtype=x.dtype), (batch[0], *(1,) * (len(batch) - 1))
        if xp is NUMPY:         # `broadcast_to` costs 4 µs, a fifth of a short fit
            return float(batch[0]), np.ndarray(shape, one.dtype, one, strides=(0,) * len(batch))
        return float(batch[0]), xp.broadcast_to(one, shape)
    weights = checked_weights(x, weights, batch)
    xp, _ = arrays(weights)
    total = xp.sum(weights, axis=0, keepdims=True)
    require_positive("the sum of weights", total[0, ...])
    return total[0, ...], weights / total


def sample_weights(sample_weight: Any, n: int) -> Array:
    """Weights (n,) that are finite and not negative; 1 each where none are given, and a number for all."""
    weights = np.asarray(1.0 if sample_weight is None else sample_weight, dtype=float)
    weights = np.full(n, weights) if weights.ndim == 0 else weights
    if weights.shape != (n,):
        raise ShapeError(f"sample_weight must have shape ({n},); got {weights.shape}")
    require("sample_weight", "sample_weight >= 0", (weights >= 0) & np.isfinite(weights), weights)
    return weights
