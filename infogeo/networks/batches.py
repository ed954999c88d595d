"""Batches of samples, with or without weights."""
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..arrays.weights import shares
from ..backend import Array, arrays, backend_of

__all__ = ["Batch", "RelativeWeights", "relative_weights", "require_batch", "total_weight"]

Batch: TypeAlias = tuple[Array, Array] | tuple[Array, Array, Any]      # (x, y), or (x, y, weights)


@dataclass(frozen=True, eq=False)
class RelativeWeights:
    """Weights that are taken as they are: those of a part of a sample, over the mean weight of all of it.

    Attributes
    ----------
    values : array, shape (n,)

    Examples
    --------
    >>> from infogeo.networks import MLP, ConditionalModel, RelativeWeights
    >>> model, w = ConditionalModel(MLP((1, 1)), ig.Bernoulli()), np.ones(2)
    >>> whole = model.objective(([[1.0], [3.0]], [0, 1], [3.0, 1.0]))
    >>> parts = (([[1.0]], [0], RelativeWeights(np.array([1.5]))),
    ...          ([[3.0]], [1], RelativeWeights(np.array([0.5]))))
    >>> mean = np.mean([model.objective(part).value(w) for part in parts])
    >>> bool(np.isclose(whole.value(w), mean))
    True
    """

    values: Array


def require_batch(batch: Batch) -> tuple[Array, Array, Any]:
    """(x, y, weights) of a batch, weights None where it has none. Raises TypeError."""
    if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
        got = f"{len(batch)} things" if isinstance(batch, (tuple, list)) else repr(batch)
        raise TypeError(f"batch must be a pair (x, y), or (x, y, weights); got {got}")
    return batch[0], batch[1], batch[2] if len(batch) == 3 else None


def total_weight(batch: Batch, n: int) -> float:
    """The number of observations, the sum of the weights where there are some."""
    weights = require_batch(batch)[2]
    if weights is None:
        return float(n)
    xp, values = arrays(weights.values if isinstance(weights, RelativeWeights) else weights)
    return float(xp.sum(values))


def relative_weights(weights: Any, x: Array, n: int) -> Array | None:
    """The weights of n samples over their mean, shape (n,), in the dtype of x; None where there are none.

    Raises
    ------
    DomainError, ShapeError
        For weights that are negative, not finite, all 0, or not n.
    """
    if weights is None:
        return None
    if isinstance(weights, RelativeWeights):
        return weights.values
    share = shares(x, weights, (n,))[1]
    return backend_of(x).astype(float(n) * share, x.dtype, copy=False)
