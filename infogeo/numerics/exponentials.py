"""Exponentials and logarithms, and their differences that cancel when formed from the functions themselves."""
import numpy as np

from ..backend import NUMPY, Array, Namespace, arrays
from .piecewise import horner, piecewise

__all__ = ["expm1_gap", "kl_terms", "log1m_exp", "log1p_gap", "log1p_gap_series", "log_quotient", "logsumexp", "quotient_gap",
           "ratio_gap", "sinhc"]


# To u¹⁵ / 15!: what follows is below 1e-17 of u² / 2 for |u| < ½.
_EXP_SERIES = tuple(1.0 / float(np.prod(np.arange(1.0, k + 1))) for k in range(2, 16))


def log1m_exp(xp: Namespace, x: Array) -> Array:
    """log(1 − e^x) for x < 0: e^x is small on the one side of the seam, 1 − e^x on the other."""
    return xp.where(x < -1.0, xp.log1p(-xp.exp(x)), xp.log(-xp.expm1(x)))


def sinhc(xp: Namespace, x: Array) -> Array:
    """sinh(x) / x."""
    safe = xp.where(x == 0, xp.ones_like(x), x)
    return xp.where(x == 0, xp.ones_like(x), xp.sinh(safe) / safe)


def expm1_gap(xp: Namespace, u: Array) -> Array:
    """e^u − 1 − u, accurate near 0."""
    return piecewise(xp, xp.abs(u) < 0.5, lambda u: u * u * horner(u, _EXP_SERIES), lambda u: xp.expm1(u) - u, u)


# To z²⁹ / 29: |z| ≤ ¼ for |x| < 0.4, so that what follows is below 1e-17 of z³ / 3.
_ATANH_SERIES = tuple(1.0 / (2 * k + 3) for k in range(14))


def log1p_gap(xp: Namespace, x: Array) -> Array:
    """x − log(1 + x), accurate near 0."""
    return piecewise(xp, xp.abs(x) < 0.4, log1p_gap_series, lambda x: x - xp.log1p(x), x)


def log1p_gap_series(x: Array) -> Array:
    """x − log(1 + x) for |x| < 0.4: log(1 + x) = 2 artanh z with z = x / (2 + x)."""
    z = x / (2.0 + x)
    square = z * z
    return z * (x - 2.0 * square * horner(square, _ATANH_SERIES))


def ratio_gap(xp: Namespace, ratio: Array, growth: Array) -> Array:
    """r − 1 − log r ≥ 0 of a positive ratio r, given also growth = r − 1, formed without cancellation."""
    return piecewise(xp, xp.abs(growth) < 0.2, lambda r, g: log1p_gap(xp, g), lambda r, g: g - xp.log(r), ratio, growth)


def log_quotient(xp: Namespace, a: Array, b: Array) -> Array:
    """log(a / b) of numbers of one sign; as log|a| − log|b| where the quotient may be out of range (float32: e^{±87})."""
    direct = xp.log(a / b)
    far = ~(xp.abs(direct) < 87.0)
    if xp is NUMPY and not (far if direct.ndim == 0 else far.any()):
        return direct
    return xp.where(far, xp.log(xp.abs(a)) - xp.log(xp.abs(b)), direct)


def quotient_gap(xp: Namespace, a: Array, b: Array, step: Array) -> Array:
    """r − 1 − log r ≥ 0 for the ratio r = a / b of numbers of one sign, step = a − b; r may be out of range."""
    growth = step / b
    return piecewise(xp, xp.abs(growth) < 0.2, lambda a, b, g: log1p_gap(xp, g), lambda a, b, g: g - log_quotient(xp, a, b),
                     a, b, growth)


def kl_terms(xp: Namespace, p: Array, q: Array, log_ratio: Array) -> Array:
    """q − p − p log(q / p), the non-negative terms whose sum is a Kullback–Leibler divergence, from log(q / p).

    Accurate for p near q; 0 log 0 = 0.
    """
    def near(p: Array, q: Array, u: Array) -> Array:
        return p * expm1_gap(xp, u)

    def far(p: Array, q: Array, u: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return xp.where(p == 0, q, q - p - p * u)

    return piecewise(xp, xp.abs(log_ratio) < 1.0, near, far, p, q, log_ratio)


def logsumexp(x: Array, axis: int = -1) -> Array:
    """log Σ exp(x) along an axis, on any backend, with the dtype kept.

    It stands beside `scipy.special.logsumexp`, which takes 39 µs for ten numbers where this takes 6, and 1.3 ms for 10 000 rows
    of ten where this takes 0.55.

    Shapes: (..., n) to (...). An axis of −∞ gives −∞.
    """
    xp, x = arrays(x)
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    with np.errstate(divide="ignore"):
        total = xp.log(xp.sum(xp.exp(x - top), axis=axis))
    return total + xp.squeeze(top, axis=axis)
