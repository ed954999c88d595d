"""One formula here, another there: pieces of an array, each evaluated on its own elements only."""
from collections.abc import Callable
from functools import partial

from ..arrays.tracing import needed, selects, surely
from ..backend import NUMPY, Array, Namespace

__all__ = ["horner", "mended", "piecewise", "positive", "unless_cancelled", "unless_lost"]


def piecewise(xp: Namespace, condition: Array, inner: Callable[..., Array], outer: Callable[..., Array], *xs: Array) -> Array:
    """`inner` of the elements where the condition holds, `outer` of the others; each is evaluated on its own elements only."""
    if xp is not NUMPY and selects(xp, condition, *xs):
        return _selected(xp, condition, inner, outer, *xs)
    if xp.all(condition):
        return inner(*xs)
    if not xp.any(condition):
        return outer(*xs)
    condition, *xs = xp.broadcast_arrays(condition, *xs)
    out = xp.zeros_like(xs[0])
    out[condition] = inner(*(x[condition] for x in xs))
    out[~condition] = outer(*(x[~condition] for x in xs))
    return out


def _selected(xp: Namespace, condition: Array, inner: Callable[..., Array], outer: Callable[..., Array], *xs: Array) -> Array:
    """`piecewise` with both formulas, each with NaN in the place of what is not its own."""
    if surely(xp, xp.all(condition)):
        return inner(*xs)
    if surely(xp, ~xp.any(condition)):
        return outer(*xs)
    condition, *xs = xp.broadcast_arrays(condition, *xs)
    return xp.where(condition, needed(xp, condition, inner, *xs), needed(xp, ~condition, outer, *xs))


def mended(xp: Namespace, direct: Array, lost: Array, careful: Callable[..., Array], *xs: Array) -> Array:
    """`direct` but for the elements of the mask `lost`, which are `careful(*xs)`, elementwise as by `piecewise`."""
    if xp is not NUMPY and selects(xp, lost, direct, *xs):
        lost, direct, *xs = xp.broadcast_arrays(lost, direct, *xs)
        return xp.where(lost, needed(xp, lost, careful, *xs), direct)
    return piecewise(xp, lost, lambda _, *xs: careful(*xs), lambda direct, *_: direct, direct, *xs)


def positive(xp: Namespace, s: Array) -> Array:
    """The numbers as they are where they are positive, NaN elsewhere."""
    if xp is NUMPY and s.size and (s.min() if s.ndim else s) > 0:      # a look at the least costs a tenth of the copy
        return s
    return xp.where(s > 0, s, xp.full_like(s, xp.nan))


def unless_cancelled(xp: Namespace, direct: Array, size: Array, careful: Callable[..., Array], *points: Array) -> Array:
    """`direct`, a difference of terms of the given size, where it keeps 12 of 16 digits or so; `careful(xp, *points)` elsewhere.

    Shapes: direct and size (...); points (..., d), of which `careful` gets the rows that need it.
    """
    return unless_lost(xp, direct, ~(xp.abs(direct) > 1e-2 * size), careful, *points)


def unless_lost(xp: Namespace, direct: Array, lost: Array, careful: Callable[..., Array], *points: Array) -> Array:
    """`direct` but for the rows of the mask `lost`, which are `careful(xp, *points)`.

    Shapes: lost (...), direct (..., *), points (..., d).
    """
    if xp is not NUMPY and selects(xp, lost, *points):
        if surely(xp, ~xp.any(lost)):
            return direct
        points = tuple(xp.broadcast_to(x, (*lost.shape, x.shape[-1])) for x in points)
        rows = lost[(..., *(None,) * (direct.ndim - lost.ndim))]
        return xp.where(rows, needed(xp, lost, partial(careful, xp), *points), direct)
    if lost.ndim == 0:
        return careful(xp, *points) if lost else direct
    if not xp.any(lost):
        return direct
    out = xp.asarray(direct, copy=True)
    out[lost] = careful(xp, *(xp.broadcast_to(x, (*lost.shape, x.shape[-1]))[lost] for x in points))
    return out


def horner(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Σ c_k x^k, constant term first."""
    total = coefficients[-1] * x**0 if len(coefficients) == 1 else coefficients[-1] * x + coefficients[-2]
    for c in coefficients[-3::-1]:
        total = total * x + c
    return total
