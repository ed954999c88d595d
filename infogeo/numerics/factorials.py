"""Factorials without their largest part, and the deviances that are left of a log-density of counts.

Mathematically, log p(x) = θ·T(x) − ψ(θ) + log h(x) is a small difference of large terms where counts are large; with the large
parts taken out by hand it is a sum of deviances and of what Stirling's formula leaves of the factorials.

Source: Loader, Fast and accurate computation of binomial probabilities (2000).
"""
from ..backend import Array, Namespace
from .exponentials import log1p_gap
from .gamma_functions import stirling_gap
from .piecewise import piecewise

__all__ = ["deviance", "factorial_gap"]


def factorial_gap(xp: Namespace, x: Array) -> Array:
    """log x! − x log x + x for x ≥ 0, which grows as ½ log x."""
    return piecewise(xp, x >= 10.0, lambda x: stirling_gap(xp, x) + xp.log(x),
                     lambda x: xp.gammaln(1.0 + x) - xp.xlogy(x, x) + x, x)


def deviance(xp: Namespace, x: Array, gap: Array, log_mean: Array) -> Array:
    """x log(x / mean) − x + mean ≥ 0 for x ≥ 0, from gap = mean − x and log mean."""
    x, gap, log_mean = xp.broadcast_arrays(x, gap, log_mean)

    def far(x: Array, gap: Array, log_mean: Array) -> Array:
        return xp.xlogy(x, x) - xp.where(x > 0, x * log_mean, xp.zeros_like(x)) + gap

    return piecewise(xp, xp.abs(gap) < 0.5 * x, lambda x, gap, log_mean: x * log1p_gap(xp, gap / x), far, x, gap, log_mean)
