"""Functions of a length that are smooth in its square: at length 0, too, where the length itself has no derivative."""
from collections.abc import Callable
from math import comb, factorial

from ..arrays.tracing import is_differentiated, only, selects
from ..backend import Array, Namespace
from .exponentials import sinhc
from .piecewise import horner

__all__ = ["NEAR", "asin_squared", "asinh_squared_series", "cos_root", "cosh_and_sinhc_series", "differentiably", "sinc_root",
           "sinhc_root"]

NEAR = 0.25         # the seam: what the series below leave out is under 1e-16 of a value, and of two derivatives
_COSH = tuple(1.0 / factorial(2 * k) for k in range(12))
_SINHC = tuple(1.0 / factorial(2 * k + 1) for k in range(12))
_COS, _SINC = (tuple((-1.0) ** k * c for k, c in enumerate(series)) for series in (_COSH, _SINHC))

# arcsin² x = ½ Σ (2x)^{2k} / (k² C(2k, k)), k from 1; of arsinh² x with alternating signs. Source: Gradshteyn & Ryzhik, 1.645.2
_ASIN = tuple(0.5 * 4.0**k / (k * k * comb(2 * k, k)) for k in range(1, 19))
_ASINH = tuple((-1.0) ** k * c for k, c in enumerate(_ASIN))


def differentiably(xp: Namespace, close: Callable[..., Array], near: Callable[..., Array], far: Callable[..., Array],
                   *xs: Array) -> Array:
    """``far(*xs)``, but where a derivative may be asked ``near(*xs)`` of the rows for which ``close(*xs)``, shape (...).

    Both are the same function: `far` a formula without a derivative at some of these, `near` one with it. Shapes: xs (..., *).
    """
    if not (selects(xp, *xs) or is_differentiated(xp, *xs)):
        return far(*xs)
    chosen = close(*xs)
    inner, outer = near(*only(xp, chosen, *xs)), far(*only(xp, ~chosen, *xs))
    return xp.where(chosen[(..., *(None,) * (inner.ndim - chosen.ndim))], inner, outer)


def _of_root(xp: Namespace, series: tuple[float, ...], f: Callable[[Array], Array], square: Array) -> Array:
    return differentiably(xp, lambda s: s < NEAR, lambda s: horner(s, series), lambda s: f(xp.sqrt(s)), square)


def sinhc_root(xp: Namespace, square: Array) -> Array:
    """sinh(√s) / √s for s ≥ 0, elementwise."""
    return _of_root(xp, _SINHC, lambda x: sinhc(xp, x), square)


def cos_root(xp: Namespace, square: Array) -> Array:
    """cos √s for s ≥ 0, elementwise."""
    return _of_root(xp, _COS, xp.cos, square)


def sinc_root(xp: Namespace, square: Array) -> Array:
    """sin(√s) / √s for s ≥ 0, elementwise."""
    return _of_root(xp, _SINC, lambda x: _sinc(xp, x), square)


def asin_squared(xp: Namespace, square: Array) -> Array:
    """arcsin² √q for 0 ≤ q ≤ 1, elementwise."""
    return differentiably(xp, lambda q: 4.0 * q < NEAR, lambda q: q * horner(q, _ASIN), lambda q: xp.asin(xp.sqrt(q)) ** 2,
                          square)


def asinh_squared_series(square: Array) -> Array:
    """arsinh² √q for 4q < `NEAR`, elementwise: the series."""
    return square * horner(square, _ASINH)


def cosh_and_sinhc_series(square: Array) -> tuple[Array, Array]:
    """(cosh √s, sinh(√s) / √s) for s < `NEAR`, elementwise: the series."""
    return horner(square, _COSH), horner(square, _SINHC)


def _sinc(xp: Namespace, x: Array) -> Array:
    safe = xp.where(x == 0, xp.ones_like(x), x)
    return xp.where(x == 0, xp.ones_like(x), xp.sin(safe) / safe)
