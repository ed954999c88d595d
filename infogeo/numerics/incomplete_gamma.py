"""The incomplete gamma functions P and Q = 1 − P, their inverses, and their logarithms also where they underflow.

SciPy has no logarithms of them. Its values are taken where they are above `FAR`: of 200 points in each of five ranges of
10⁻⁶ < α < 10⁵, the largest relative errors there were 1.4e-13 (P) and 1.9e-13 (Q), beside mpmath at 40 digits.
"""
from collections.abc import Callable

from ..arrays.tracing import Factor, is_differentiated, ruled
from ..backend import NUMPY, Array, Namespace
from .gamma_functions import log_gamma_weight
from .incomplete_slopes import gamma_slope
from .piecewise import piecewise

__all__ = ["FAR", "inverse_lower_gamma", "inverse_upper_gamma", "log_lower_gamma", "log_of", "log_upper_gamma", "lower_gamma",
           "upper_gamma"]

FAR = 1e-13     # a tail below it is more than 7 deviations out
# Of the fractions, from the last one to the first. In tails below `FAR` 20 give both to 3e-16, for 10⁻⁶ < α < 10⁵
# (1500 points beside hypergeometric functions of mpmath).
TERMS = 24


def lower_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """P(α, y), elementwise, y ≥ 0, with its derivatives in both."""
    return _with_derivatives(xp, xp.gammainc, _tail, 1.0, alpha, y)


def upper_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """Q(α, y) = 1 − P(α, y), as `lower_gamma`."""
    return _with_derivatives(xp, xp.gammaincc, _tail, -1.0, alpha, y)


def inverse_lower_gamma(xp: Namespace, alpha: Array, q: Array) -> Array:
    """y with P(α, y) = q, elementwise, 0 < q < 1, with its derivatives in both."""
    return _with_derivatives(xp, xp.gammaincinv, _place, 1.0, alpha, q)


def inverse_upper_gamma(xp: Namespace, alpha: Array, q: Array) -> Array:
    """y with Q(α, y) = q, as `inverse_lower_gamma`."""
    return _with_derivatives(xp, xp.gammainccinv, _place, -1.0, alpha, q)


def _with_derivatives(xp: Namespace, f: Callable[..., Array], rule: Callable[..., tuple[Factor, Factor]], sign: float,
                      alpha: Array, x: Array) -> Array:
    if xp is NUMPY or not is_differentiated(xp, alpha, x):
        return f(alpha, x)
    return ruled(xp, f, lambda found, alpha, x: rule(xp, sign, found, alpha, x), alpha, x)


def _tail(xp: Namespace, sign: float, found: Array, alpha: Array, y: Array) -> tuple[Factor, Factor]:
    weight = sign * xp.exp(log_gamma_weight(xp, alpha, y, xp.log(y)))
    return Factor(lambda: -weight * gamma_slope(xp, alpha, y)), Factor(lambda: weight / y)


def _place(xp: Namespace, sign: float, found: Array, alpha: Array, q: Array) -> tuple[Factor, Factor]:
    """By the implicit function theorem; 0 of a place that is 0 in numbers."""
    y = xp.where(found > 0, found, xp.ones_like(found))
    only = sign * xp.where(found > 0, y, xp.zeros_like(y))
    return (Factor(lambda: sign * only * gamma_slope(xp, alpha, y)),
            Factor(lambda: only * xp.exp(-log_gamma_weight(xp, alpha, y, xp.log(y)))))


def log_lower_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """log P(α, y) = log ∫₀^y t^{α−1} e^{−t} dt / Γ(α), elementwise, y > 0."""
    return _log_tail(xp, lower_gamma, upper_gamma, _lower_fraction, alpha, y)


def log_upper_gamma(xp: Namespace, alpha: Array, y: Array) -> Array:
    """log Q(α, y) = log ∫_y^∞ t^{α−1} e^{−t} dt / Γ(α), elementwise, y > 0."""
    return _log_tail(xp, upper_gamma, lower_gamma, _upper_fraction, alpha, y)


def log_of(xp: Namespace, p: Array, rest: Array) -> Array:
    """log p of a probability, from the rest 1 − p where this is the smaller one."""
    return xp.where(p > 0.5, xp.log1p(-xp.minimum(rest, 0.75 + 0.0 * rest)), xp.log(p))


def _log_tail(xp: Namespace, tail: Callable[..., Array], rest: Callable[..., Array], fraction: Callable[..., Array], alpha: Array,
              y: Array) -> Array:
    limits = xp.finfo(y.dtype)
    alpha, y = xp.broadcast_arrays(alpha, xp.clip(y, float(limits.smallest_normal), 1e-3 * float(limits.max)))
    near = lambda p, alpha, y: log_of(xp, p, rest(xp, alpha, y))
    far = lambda p, alpha, y: log_gamma_weight(xp, alpha, y, xp.log(y)) - xp.log(fraction(alpha, y))
    p = tail(xp, alpha, y)
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
