"""The logarithm of Riemann's zeta function and its derivatives, from its pole to infinity."""
from math import factorial, log

import numpy as np

__all__ = ["log_zeta_derivatives", "zeta_excess"]

_N = 20                # terms summed directly
# B_2j / (2j)!, j = 1 … 9
_EULER = tuple(b / factorial(2 * j + 2) for j, b in enumerate(
    (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)))


def _moments(xp, d):
    """d^{k+1} Σ_{n≥2} (log n)^k n^{−1−d} for k = 0 … 3, by Euler–Maclaurin summation.

    The factor keeps the pole: near d = 0 the sums are k! / d^{k+1}.
    """
    scale = [d, d * d, d * d * d, d * d * d * d]
    total = [xp.zeros_like(d)] * 4
    for n in range(_N - 1, 1, -1):
        term = xp.exp(-d * log(n)) / n
        total = [t + term * (s * log(n)**k) for k, (t, s) in enumerate(zip(total, scale))]
    # half of the term at N and the integral beyond it: ∫ (log x)^k x^{−1−d} dx = N^{−d} Σ_i (k)_i (log N)^{k−i} / d^{i+1}
    L, at_end = log(_N), xp.exp(-d * log(_N))
    for k in range(4):
        integral = sum(factorial(k) / factorial(k - i) * L**(k - i) * d**(k - i) for i in range(k + 1))
        total[k] = total[k] + at_end * (integral + 0.5 * L**k / _N * scale[k])
    # derivatives of x^{−a} P(log x), a = 1 + d: the next one is x^{−a−1} (P′ − a P)
    for k in range(4):
        P = [xp.zeros_like(d) + (1.0 if i == k else 0.0) for i in range(k + 1)]
        correction, a = xp.zeros_like(d), 1.0 + d
        for order in range(1, 2 * len(_EULER)):
            P = [(i + 1) * P[i + 1] - a * P[i] if i < k else -a * P[i] for i in range(k + 1)]
            a = a + 1.0
            if order % 2:
                value = sum(c * L**i for i, c in enumerate(P))
                correction = correction - _EULER[order // 2] * value / float(_N)**(order + 1)
        total[k] = total[k] + at_end * (correction * scale[k])
    return total


def zeta_excess(xp, d):
    """(ζ(1 + d) − 1, d ζ(1 + d)): the first keeps its digits for large d, the second for small d > 0."""
    scaled = _moments(xp, d)[0]
    return scaled / d, d + scaled


def log_zeta_derivatives(xp, d):
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
