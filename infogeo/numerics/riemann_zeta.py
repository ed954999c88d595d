"""The logarithm of Riemann's zeta function and its derivatives, from its pole to infinity.

`scipy.special.zeta` has no derivatives, and takes s = 1 + d, in which a small distance d from the pole is lost.
"""
from functools import lru_cache
from math import factorial, log

import numpy as np

from ..backend import Array, Namespace

__all__ = ["log_zeta_derivatives", "log_zeta_sums", "zeta_excess"]

_N = 20                # terms summed directly
# B_2j / (2j)!, j = 1 … 9
_EULER = tuple(b / factorial(2 * j + 2) for j, b in enumerate(
    (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)))


@lru_cache
def _tables() -> tuple[np.ndarray, ...]:
    """Coefficients of (n^{−d}, n < N), of N^{−d} (d^i, i < 4) and of N^{−d} (d^i, i < 18) in the sums k = 0 … 3, each (…, 4)."""
    n, k, L = np.arange(2.0, _N), np.arange(4), log(_N)
    direct = np.log(n)[:, None]**k / n[:, None]
    # the integral beyond N: ∫ (log x)^k x^{−1−d} dx = N^{−d} Σ_i k! / i! (log N)^i / d^{k+1−i}
    integral = np.array([[factorial(k) / factorial(i) * L**i if i <= k else 0.0 for k in range(4)] for i in range(4)])
    corrections = np.zeros((2 * len(_EULER), 4))
    corrections[0] = 0.5 * L**k / _N                         # half of the term at N
    # derivatives of x^{−a} P(log x): the next one is x^{−a−1} (P′ − a P); P by powers of log x and of d, at first (log x)^k
    P = np.zeros((4, 5, len(corrections)))
    P[k, k, 0] = 1.0
    for order in range(1, len(corrections)):
        slope = np.arange(1.0, 5.0)[:, None] * P[:, 1:]
        P[:, :4] = slope - order * P[:, :4] - np.roll(P[:, :4], 1, axis=-1)         # a = order + d
        if order % 2:
            corrections -= _EULER[order // 2] / float(_N)**(order + 1) * (L**np.arange(5.0) @ P).T
    return -np.log(n), direct, integral, corrections


def _moments(xp: Namespace, d: Array) -> list[Array]:
    """d^{k+1} Σ_{n≥2} (log n)^k n^{−1−d} for k = 0 … 3, by Euler–Maclaurin summation.

    The factor keeps the pole: near d = 0 the sums are k! / d^{k+1}.
    """
    d = xp.minimum(d, xp.full_like(d, 1e5))         # where 2^{−d} is 0 long since, and d⁴ a number
    slopes, direct, integral, corrections = (xp.asarray(table, dtype=d.dtype) for table in _tables())

    def product(v: Array, table: Array) -> Array:
        return xp.matmul(v[..., None, :], table)[..., 0, :]

    def powers(x: Array, first: int, last: int) -> Array:
        return x[..., None] ** xp.arange(first, last, dtype=d.dtype)

    scale, near = powers(d, 1, 5), powers(xp.minimum(d, xp.full_like(d, 60.0)), 0, corrections.shape[0])
    # beyond d = 60 all that follows N is less than 10^{−60} of the first term
    rest = xp.exp(-log(_N) * d)[..., None] * (product(near[..., :4], integral) + scale * product(near, corrections))
    total = scale * product(xp.exp(d[..., None] * slopes), direct) + rest
    return [total[..., k] for k in range(4)]


def zeta_excess(xp: Namespace, d: Array) -> tuple[Array, Array]:
    """(ζ(1 + d) − 1, d ζ(1 + d)): the first keeps its digits for large d, the second for small d > 0."""
    scaled = _moments(xp, d)[0]
    return scaled / d, d + scaled


def log_zeta_derivatives(xp: Namespace, d: Array) -> tuple[Array, Array, Array, Array]:
    """(f, f′, f″, f‴) of f(d) = log ζ(1 + d), d > 0; NaN for other d.

    Source: Euler–Maclaurin summation, DLMF 25.2.9 and its derivatives: 20 terms, 9 corrections.
    """
    d = xp.where(d > 0, d, xp.full_like(d, xp.nan))
    s0, s1, s2, s3 = _moments(xp, d)
    whole = d + s0
    m1, m2, m3 = s1 / whole, s2 / whole, s3 / whole       # d^k E[(log n)^k]
    value = xp.where(d < 1.0, xp.log(whole) - xp.log(d), xp.log1p(s0 / d))
    with np.errstate(over="ignore"):      # beyond the largest number near the pole
        return value, -m1 / d, (m2 - m1 * m1) / d / d, -(m3 - 3.0 * m1 * m2 + 2.0 * m1**3) / d / d / d


def log_zeta_sums(xp: Namespace, d: Array, k: Array) -> tuple[Array, Array]:
    """log Σ_{n≤k} n^{−1−d} and log Σ_{n>k} n^{−1−d}, elementwise for whole k ≥ 1, d > 0.

    The sums beyond k are 2N terms and the rest by Euler and Maclaurin, all relative to the first term, so that they do not
    underflow. Those up to k are formed so that they keep their digits where they are the smaller part of ζ.
    """
    d, k = xp.broadcast_arrays(d, k)
    step = xp.arange(2 * _N, dtype=d.dtype)
    terms = xp.sum(xp.exp(-(1.0 + d)[..., None] * xp.log1p(step / (k + 1.0)[..., None])), axis=-1)
    last = k + (2 * _N + 1)
    rest = xp.exp(-(1.0 + d) * xp.log1p(2 * _N / (k + 1.0))) * last * (1.0 / d + _corrections(xp, d, last))
    above = xp.log(terms + rest) - (1.0 + d) * xp.log(k + 1.0)
    n = 1.0 + step[:_N]
    listed = xp.sum(xp.where(n <= k[..., None], xp.exp(-(1.0 + d)[..., None] * xp.log(n)), 0.0 * k[..., None]), axis=-1)
    first = _N + 1.0 + 0.0 * k
    ratio = xp.maximum((k + 1.0) / first, 1.0 + 0.0 * k)
    between = (-xp.expm1(-d * xp.log(ratio)) / d + _corrections(xp, d, first)
               - xp.exp(-d * xp.log(ratio)) * _corrections(xp, d, xp.maximum(k + 1.0, first)))
    return xp.log(listed + xp.exp(-d * xp.log(first)) * between), above


def _corrections(xp: Namespace, d: Array, a: Array) -> Array:
    """a^d Σ_{n≥a} n^{−1−d} − 1/d, the half term and the derivatives at a."""
    s = 1.0 + xp.minimum(d, 1e3 + 0.0 * d)     # from there on none of it counts
    total, factor = 0.5 / a, s / (a * a)
    for j, b in enumerate(_EULER):
        total = total + b * factor
        factor = factor * ((s + (2 * j + 1)) / a) * ((s + (2 * j + 2)) / a)
    return total
