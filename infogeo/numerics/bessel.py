"""The modified Bessel functions I_ν of the spherical distributions: logarithms, ratios and divergences, for every argument.

Everything is about F_ν(x) = log(Γ(ν + 1) (2/x)^ν I_ν(x)), the logarithm of the series Σ (x²/4)^k / (k! (ν + 1)_k): it is 0 at
x = 0, and its derivative is the ratio r(x) = I_{ν+1}(x) / I_ν(x). The order ν ≥ 0 is a number, x ≥ 0 an array.

Three expansions cover the quarter plane: the power series of F; Debye's expansion in 1 / √(ν² + x²) from `_FAR` on; and inside
that circle the recurrence of r in ν, started from Debye's expansion at an order of at least `_FAR` and run downwards, which
is its stable direction. Source: DLMF 10.25.2, 10.29.1, 10.41.3; Amos, Math. Comp. 28 (1974).

SciPy's `ive` does not serve: it is 0 where the logarithm is an ordinary number (``ive(100, 1e-3)``), and has neither derivatives
nor 1 − r, which cancels for large x. CuPy has none of real order.
"""
from fractions import Fraction
from functools import lru_cache
from math import ceil, lgamma, pi, sqrt
from typing import Any, NamedTuple

from ..arrays.tracing import surely
from ..backend import Array, Namespace
from .piecewise import piecewise
from .quadrature import bregman_integral
from .root import root

__all__ = ["BesselRatio", "bessel_ratio", "inverse_bessel_ratio", "log_bessel", "log_bessel_bregman", "log_bessel_gap"]

_FAR = 32.0     # √(ν² + x²) from here on: 18 terms of Debye's expansion then give full double precision
_TERMS = 18
_SERIES = 54    # terms of the power series that full precision needs at x = _FAR, ν = 0


class BesselRatio(NamedTuple):
    """The ratio r = I_{ν+1}(x) / I_ν(x) with all that is formed from it without cancellation, for small x and for large x."""

    ratio: Any      # r
    over_x: Any     # r / x, which is 1 / (2ν + 2) at x = 0
    gap: Any        # 1 − r
    slope: Any      # r′
    cross: Any      # (r′ − r / x) / x, which is 0 at x = 0
    bend: Any       # r″


@lru_cache
def _debye() -> dict[tuple[int, int], float]:
    """{(k, j): c}: log S(ν, x) ~ Σ_k w^{−k} Σ_j c y^j with w = √(ν² + x²), y = (ν / w)².

    S is the series Σ U_k(t) ν^{−k} of DLMF 10.41.3. With q = t² (1 − t²) / 2, the recurrence 10.41.9 of the U_k gives the
    derivatives of the terms L_k of log S: L_1′ = (1 − 5t²) / 8, L_{k+1}′ = (q L_k′)′ + q Σ_{i+j=k} L_i′ L_j′.
    """
    def times(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
        out = [Fraction(0)] * (len(a) + len(b) - 1)
        for i, u in enumerate(a):
            if u:
                for j, v in enumerate(b):
                    out[i + j] += u * v
        return out

    q = [Fraction(0), Fraction(0), Fraction(1, 2), Fraction(0), Fraction(-1, 2)]
    slopes = [[Fraction(1, 8), Fraction(0), Fraction(-5, 8)]]
    for k in range(1, _TERMS):
        first = times(q, slopes[-1])
        total = [Fraction(0)] * (3 * k + 3)
        for n, c in enumerate(first):
            if n:
                total[n - 1] += n * c
        for i in range(k - 1):
            for n, c in enumerate(times(q, times(slopes[i], slopes[k - 2 - i]))):
                total[n] += c
        slopes.append(total)
    return {(k, (n + 1 - k) // 2): float(c / (n + 1)) for k, slope in enumerate(slopes, 1) for n, c in enumerate(slope) if c}


@lru_cache
def _coefficients(nu: float, weight: int) -> tuple[float, ...]:
    """C_n with Σ C_n (W / w)^n = Σ_{kj} (k + 2j)^weight c_kj w^{−k} y^j, where W = max(ν, _FAR): ready for Horner's rule."""
    scale = max(nu, _FAR)
    out = [0.0] * (3 * _TERMS + 1)
    for (k, j), c in _debye().items():
        n = k + 2 * j
        out[n] += float(n**weight) * c * (nu / scale) ** (2 * j) * scale**-k
    return tuple(out)


def _debye_sum(nu: float, inverse: Array, weight: int) -> Array:
    """Σ (k + 2j)^weight c_kj w^{−k} y^j at 1 / w = `inverse`."""
    x, coefficients = max(nu, _FAR) * inverse, _coefficients(nu, weight)
    total = coefficients[-1] * x + coefficients[-2]
    for c in coefficients[-3::-1]:
        total = total * x + c
    return total


def log_bessel(xp: Namespace, nu: float, x: Array) -> Array:
    """F_ν(x) = log(Γ(ν + 1) (2/x)^ν I_ν(x)), which is x² / (4ν + 4) for small x, shape of x."""
    return piecewise(xp, _is_near(xp, nu, x), lambda x: _log_series(xp, nu, x), lambda x: _log_debye(xp, nu, x, True), x)


def log_bessel_gap(xp: Namespace, nu: float, x: Array) -> Array:
    """F_ν(x) − x, which grows with log x only, shape of x."""
    return piecewise(xp, _is_near(xp, nu, x), lambda x: _log_series(xp, nu, x) - x, lambda x: _log_debye(xp, nu, x, False), x)


def _is_near(xp: Namespace, nu: float, x: Array) -> Array:
    """Where the power series is summed: inside the circle, and where F is so small that Debye's expansion would cancel."""
    return (x <= 2.0 * sqrt(nu + 1.0)) | (_radius(xp, nu, x) < _FAR)


def _radius(xp: Namespace, nu: float, x: Array) -> Array:
    return xp.hypot(x, xp.full_like(x, nu))


def _log_series(xp: Namespace, nu: float, x: Array) -> Array:
    z = 0.25 * x * x
    total = xp.ones_like(x)
    for k in range(_SERIES, 1, -1):
        total = 1.0 + total * (z / (k * (nu + k)))
    return xp.log1p(z / (nu + 1.0) * total)


def _log_debye(xp: Namespace, nu: float, x: Array, with_linear: bool) -> Array:
    """F_ν(x), or F_ν(x) − x: w + ν log(2 / (ν + w)) − ½ log(2πw) + log Γ(ν + 1) + log S, w = √(ν² + x²).

    For large orders Stirling's series takes the place of log Γ, so that its large terms cancel on paper.
    """
    w = _radius(xp, nu, x)
    rest = _debye_sum(nu, 1.0 / w, 0)
    excess = nu * (nu / (w + x))                                                    # w − x
    if nu < 10.0:
        rise = excess + x if with_linear else excess
        return rise + nu * xp.log(2.0 / (nu + w)) - 0.5 * xp.log(2.0 * pi * w) + lgamma(nu + 1.0) + rest
    growth = x * (x / (w + nu)) / nu                                                # w / ν − 1
    rise = nu * growth if with_linear else excess - nu
    binet = sum(b / nu**(2 * k + 1) for k, b in enumerate(_BINET))
    return rise - nu * xp.log1p(0.5 * growth) - 0.5 * xp.log1p(growth) + (rest + binet)


_BINET = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)     # DLMF 5.11.1


def bessel_ratio(xp: Namespace, nu: float, x: Array) -> BesselRatio:
    """The `BesselRatio` of I_{ν+1}(x) / I_ν(x), each part of the shape of x."""
    far = _radius(xp, nu, x) >= _FAR
    if surely(xp, xp.all(far)):
        over_x, gap, slope, bend = _debye_ratio(xp, nu, x)
    else:
        near = _recurred_ratio(xp, nu, xp.where(far, xp.zeros_like(x), x))
        if not surely(xp, ~xp.any(far)):
            beyond = _debye_ratio(xp, nu, xp.where(far, x, xp.full_like(x, _FAR)))
            near = tuple(xp.where(far, a, b) for a, b in zip(beyond, near))
        over_x, gap, slope, bend = near
    ratio, bend = x * over_x, x * bend
    # the derivative of Riccati's equation r′ = 1 − r² − (2ν + 1) r / x
    return BesselRatio(ratio, over_x, gap, slope, -(bend + 2.0 * ratio * slope) / (2.0 * nu + 1.0), bend)


def _debye_ratio(xp: Namespace, nu: float, x: Array) -> tuple[Array, ...]:
    """(r / x, 1 − r, r′, r″ / x) by Debye's expansion, differentiated term by term."""
    w = _radius(xp, nu, x)
    q = 1.0 / w
    s1, s2, s3 = 0.5 + _debye_sum(nu, q, 1), _debye_sum(nu, q, 2), _debye_sum(nu, q, 3)
    a, b = nu * q, x * q                                           # a² + b² = 1
    over_x = 1.0 / (w + nu) - q * q * s1
    gap = (nu + nu * (nu / (w + x))) / (w + nu) + b * q * s1
    slope = q * (a / (1.0 + a) + q * ((b * b - a * a) * s1 + b * b * s2))
    third = (6.0 * a * a - 2.0 * b * b) * s1 + 3.0 * (a * a - b * b) * s2 - b * b * s3
    return over_x, gap, slope, q * q * q * (q * third - a * (2.0 + a) / (1.0 + a) ** 2)


def _recurred_ratio(xp: Namespace, nu: float, x: Array) -> tuple[Array, ...]:
    """(r / x, 1 − r, r′, r″ / x) for √(ν² + x²) < `_FAR`: from the order ν + m down.

    r_{ν−1} = 1 / (2ν / x + r_ν), differentiated; with g = r / x: g_{ν−1} = 1 / (2ν + x² g_ν), r′_{ν−1} = g_{ν−1}² (2ν − x² r′_ν).
    """
    square = x * x
    steps = ceil(_FAR - nu)
    g, _, slope, bend = _debye_ratio(xp, nu + steps, x)
    for k in range(steps, 0, -1):
        upper, order = g, 2.0 * (nu + k)
        g = 1.0 / (order + square * upper)
        rate = order - square * slope
        slope, bend = g * g * rate, g * g * (2.0 * (upper - g) * rate - 2.0 * slope - square * bend)
    return g, 1.0 - x * g, slope, bend


def log_bessel_bregman(xp: Namespace, nu: float, a: Array, b: Array, step: Array | None = None) -> Array:
    """B_F(a : b) = F(a) − F(b) − (a − b) F′(b) ≥ 0, without cancellation; `step` is a − b, if it is known more precisely.

    Mathematically, for near arguments the integral (a − b)² ∫₀¹ (1 − s) F″(b + s (a − b)) ds by Gauss's rule, whose terms are
    positive; for others the difference of F, or of F(x) − x where the arguments are large.
    """
    def near(a: Array, b: Array, step: Array) -> Array:
        # 12 nodes: an error of 2e-15 at the ends of the range for ν from 0 to 50, where 10 leave 2e-13 and 16 gain nothing
        return bregman_integral(lambda x: bessel_ratio(xp, nu, x).slope, b, step, 12)

    def far(a: Array, b: Array, step: Array) -> Array:
        ratio = bessel_ratio(xp, nu, b)
        plain = log_bessel(xp, nu, a) - log_bessel(xp, nu, b) - step * ratio.ratio
        excess = log_bessel_gap(xp, nu, a) - log_bessel_gap(xp, nu, b) + step * ratio.gap
        return xp.where(xp.maximum(a, b) > 2.0 * nu + 2.0, excess, plain)

    step = a - b if step is None else step
    return piecewise(xp, xp.abs(step) < 0.5 * xp.maximum(a, b) + 0.25, near, far, a, b, step)


def inverse_bessel_ratio(xp: Namespace, nu: float, ratio: Array, gap: Array | None = None) -> Array:
    """x ≥ 0 with I_{ν+1}(x) / I_ν(x) = `ratio`; NaN outside [0, 1). `gap` is 1 − ratio, if it is known more precisely.

    Newton's method from the start r (p − r²) / (1 − r²), p = 2ν + 2. Source: Banerjee, Dhillon, Ghosh & Sra, Clustering on the
    unit hypersphere using von Mises–Fisher distributions, JMLR 6 (2005), equation 4.4; Sra, Comput. Stat. 27 (2012).

    Raises
    ------
    ConvergenceError
    """
    gap = 1.0 - ratio if gap is None else gap
    inside = (ratio >= 0) & (gap > 0)
    ratio = xp.where(inside, ratio, xp.full_like(ratio, xp.nan))
    gap = xp.where(inside, gap, xp.full_like(gap, xp.nan))

    def newton(x: Array, ratio: Array, gap: Array) -> tuple[Array, Array]:
        value = bessel_ratio(xp, nu, x)
        excess = xp.where(ratio < 0.5, value.ratio - ratio, gap - value.gap)
        step = excess / value.slope
        return xp.maximum(x - step, 0.25 * x), step / xp.where(x > 0, x, xp.ones_like(x))

    return root(xp, ratio * (2.0 * nu + 2.0 - ratio * ratio) / (gap * (1.0 + ratio)), newton, "inverse Bessel ratio",
                ratio, gap)
