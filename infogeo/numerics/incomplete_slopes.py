"""Derivatives of the incomplete gamma and beta functions in their parameters, as integrals of one sign.

Mathematically, with w the density of the law of log t, or of log(t / (1 − t)), at the place x, ∂P(α, x) / ∂α = −w G and
∂I_x(α, β) / ∂α = −w H, where G and H are integrals of |log t − E log t| over that side of x on which the sign does not
change, of a density that is 1 at x. So nothing cancels, and the derivatives of the quantiles, x G and x (1 − x) H, need no w. The
nodes do not depend on the arguments but by the width of the law: derivatives of the sums are sums of derivatives.

Beside mpmath at 60 digits, of 109 laws with 10⁻³ < α < 300 at quantiles of 10⁻⁸ to 0.999 G is right to 1.2e-14, and of 113 with
10⁻² < α, β < 100 H to 6.5e-13, to 2e-14 where both exceed 1.

Neither SciPy nor PyTorch has these derivatives; JAX has that of P, to 1e-10 or so, and of I_x none.
"""
from functools import lru_cache

import numpy as np

from ..arrays.tracing import still
from ..backend import Array, Namespace
from .piecewise import piecewise

__all__ = ["beta_slope", "gamma_slope"]

_TERMS = 24


@lru_cache
def _rule() -> tuple[np.ndarray, np.ndarray]:
    """Nodes s and weights of ∫₀^∞ f(s) ds for f that falls at least as e^{−s} or so, by s = exp(v − e^{−v}).

    Source: Takahasi & Mori, Double exponential formulas for numerical integration (1974).
    """
    v = np.arange(-3.5, 5.0, 1 / 16)
    s = np.exp(v - np.exp(-v))
    return s, s * (1.0 + np.exp(-v)) / 16


def gamma_slope(xp: Namespace, alpha: Array, x: Array) -> Array:
    """G with ∂P(α, x) / ∂α = −x^α e^{−x} / Γ(α) · G, elementwise, α > 0, x > 0."""
    alpha, x = xp.broadcast_arrays(alpha, x)

    def series(alpha: Array, x: Array) -> Array:
        """Σ_n x^n / (α)_{n+1} (digamma(α + n + 1) − log x)."""
        level, factor, total = xp.digamma(alpha + 1.0) - xp.log(x), 1.0 / alpha, 0.0
        for n in range(1, _TERMS):
            total = total + factor * level
            factor, level = factor * x / (alpha + n), level + 1.0 / (alpha + n)
        return total

    def integral(alpha: Array, x: Array) -> Array:
        s, weight = (xp.asarray(column, dtype=x.dtype) for column in _rule())
        gap = xp.log(x) - xp.digamma(alpha)
        below = still(xp, gap) <= 0
        rate = still(xp, xp.where(below, alpha - x, x - alpha))
        short = 2.0 / (rate + xp.sqrt(rate**2 + 2.0 * still(xp, x)))
        long = still(xp, xp.where(below, (1.0 + x) / alpha, xp.log1p((1.0 + alpha) / x)))
        width = xp.where(short < 1.0, short, long)[..., None]
        s, weight = s * width, weight * width
        alpha, x, below = alpha[..., None], x[..., None], below[..., None]
        drop = xp.where(below, alpha * s + x * xp.expm1(-s), x * xp.expm1(s) - alpha * s)
        sign = xp.where(below, -1.0, 1.0)
        return xp.sum(weight * (sign * gap[..., None] + s) * xp.exp(-drop), axis=-1)

    return piecewise(xp, x < 1.0, series, integral, alpha, x)


def beta_slope(xp: Namespace, alpha: Array, beta: Array, x: Array, y: Array) -> Array:
    """H with ∂I_x(α, β) / ∂α = −x^α y^β / B(α, β) · H, elementwise, y = 1 − x; ∂I_x(α, β) / ∂β is that of 1 − I_y(β, α)."""
    alpha, beta, x, y = xp.broadcast_arrays(alpha, beta, x, y)

    def series(alpha: Array, beta: Array, x: Array, y: Array) -> Array:
        """y^{−β} Σ_n (1 − β)_n x^n / n! / (α + n) (E log t − log x + 1 / (α + n)), without the 1 / α that cancels for n = 0."""
        level = xp.digamma(alpha + 1.0) - xp.digamma(alpha + beta) - xp.log(x)
        factor, total = 1.0 / alpha, level / alpha
        term = 1.0 + 0.0 * x
        for n in range(1, _TERMS):
            term = term * x * (n - beta) / n
            total = total + term / (alpha + n) * (level - factor + 1.0 / (alpha + n))
        return total * y**-beta

    def integral(alpha: Array, beta: Array, x: Array, y: Array) -> Array:
        s, weight = (xp.asarray(column, dtype=x.dtype) for column in _rule())
        gap = xp.log(x) - xp.digamma(alpha) + xp.digamma(alpha + beta)
        below = still(xp, gap) <= 0
        a, b, front, back = (xp.where(below, *pair) for pair in ((alpha, beta), (beta, alpha), (x, y), (y, x)))
        rate, bend, total = still(xp, a * back - b * front), still(xp, (a + b) * front * back), still(xp, a + b)
        short = 2.0 / (rate + xp.sqrt(rate**2 + 2.0 * bend))
        width = xp.where(short < 1.0, short, still(xp, (1.0 - total * xp.log(back)) / a))[..., None]
        s, weight = s * width, weight * width
        near, far = (lambda s, back: xp.log1p(back * xp.expm1(s))), (lambda s, back: s + xp.log(back))
        up = piecewise(xp, s < 600.0, near, far, s, back[..., None])
        down = xp.log1p(front[..., None] * xp.expm1(-s))
        drop = a[..., None] * up + b[..., None] * down
        along = xp.where(below[..., None], up - gap[..., None], gap[..., None] - down)
        return xp.sum(weight * along * xp.exp(-drop), axis=-1)

    return piecewise(xp, x * (1.0 + beta) < 0.25, series, integral, alpha, beta, x, y)
