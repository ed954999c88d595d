"""The incomplete gamma functions P and Q = 1 − P, and their logarithms also where they underflow.

SciPy has no logarithms of them. Its values are taken where they are above `FAR`: of 200 points in each of five ranges of
10⁻⁶ < α < 10⁵, the largest relative errors there were 1.4e-13 (P) and 1.9e-13 (Q), beside mpmath at 40 digits.
"""
from collections.abc import Callable

from ..backend import Array, Namespace
from .gamma_functions import log_gamma_weight
from .piecewise import piecewise

__all__ = ["FAR", "log_lower_gamma", "log_of", "log_upper_gamma"]

FAR = 1e-13     # a tail below it is more than 7 deviations out
# Of the fractions, from the last one to the first. In tails below `FAR` 20 give both to 3e-16, for 10⁻⁶ < α < 10⁵
# (1500 points beside hypergeometric functions of mpmath).
TERMS = 24


def log_lower_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """log P(α, y) = log ∫₀^y t^{α−1} e^{−t} dt / Γ(α), elementwise, y > 0."""
    return _log_tail(xp, xp.gammainc, xp.gammaincc, _lower_fraction, alpha, y)


def log_upper_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """log Q(α, y) = log ∫_y^∞ t^{α−1} e^{−t} dt / Γ(α), elementwise, y > 0."""
    return _log_tail(xp, xp.gammaincc, xp.gammainc, _upper_fraction, alpha, y)


def log_of(xp: Namespace, p: Array, rest: Array) -> Array:
    """log p of a probability, from the rest 1 − p where this is the smaller one."""
    return xp.where(p > 0.5, xp.log1p(-xp.minimum(rest, 0.75 + 0.0 * rest)), xp.log(p))


def _log_tail(xp: Namespace, tail: Callable[..., Array], rest: Callable[..., Array], fraction: Callable[..., Array], alpha: Array,
              y: Array) -> Array:
    limits = xp.finfo(y.dtype)
    alpha, y = xp.broadcast_arrays(alpha, xp.clip(y, float(limits.smallest_normal), 1e-3 * float(limits.max)))
    near = lambda p, alpha, y: log_of(xp, p, rest(alpha, y))
    far = lambda p, alpha, y: log_gamma_weight(xp, alpha, y, xp.log(y)) - xp.log(fraction(alpha, y))
    p = tail(alpha, y)
    return piecewise(xp, p > FAR, near, far, p, alpha, y)


def _lower_fraction(alpha: Array, y: Array) -> Array:
    """y^α e^{−y} / γ(α, y) = α − y + y / (α + 1 − y + 2y / (α + 2 − y + …)), of positive terms for y < α.

    Source: Jones & Thron, Continued Fractions (1980), the T-fraction of ₁F₁(1; α + 1; y).
    """
    value = alpha + TERMS - y
    for n in range(TERMS, 0, -1):
        value = alpha + (n - 1) - y + n * y / value
    return value


def _upper_fraction(alpha: Array, y: Array) -> Array:
    """y^α e^{−y} / Γ(α, y) = y + 1 − α − 1 (1 − α) / (y + 3 − α − 2 (2 − α) / (y + 5 − α − …)). Source: DLMF 8.9.2."""
    value = y - alpha + (2 * TERMS + 1)
    for n in range(TERMS, 0, -1):
        value = y - alpha + (2 * n - 1) - n * (n - alpha) / value
    return value
