"""Sums over Conway–Maxwell–Poisson distributions."""
from collections.abc import Callable
from functools import lru_cache
from math import lgamma, log, pi
from typing import Any, NamedTuple

import numpy as np

from ..arrays.tracing import only, selects, surely
from ..backend import Array, Namespace, column
from ..numerics.exponentials import expm1_gap
from ..numerics.factorials import deviance, factorial_gap
from ..numerics.lattice import panel_sums

__all__ = ["Sums", "deviation", "mean_bounds", "near_kl", "sums"]


_GRID = 96      # outcomes that are summed directly where the rest has no mass
_BLOCK = 4096   # points that are summed at once: temporaries of 4096 × 96 doubles, 3 MB
_LARGEST = 300.0    # beyond log μ = 300 the leading order of every sum is exact to rounding


class Sums(NamedTuple):
    """Sums over the distribution, shapes (...).

    With m the mode and μ = λ^{1/ν}: where μ ≥ 2, (L, c, tilt) = (log μ, μ, 0), elsewhere (0, 0, log λ). Then
    v(x) = log x! − x L + c has no large linear part, and log p(x) = tilt (x − m) − ν (v(x) − v(m)) − log_norm.
    """

    mode: Any
    pivot: Any           # L
    level: Any           # c
    tilt: Any
    v_mode: Any          # v(m)
    top: Any             # log of λ^m / (m!)^ν
    log_norm: Any        # ψ − top
    mean_x: Any          # E[x − m]
    mean_v: Any          # E[v − v(m)]
    xx: Any              # second and third cumulants of (x, v)
    xv: Any
    vv: Any
    xxx: Any
    xxv: Any
    xvv: Any
    vvv: Any


@lru_cache
def _factorials() -> tuple[list[float], list[float]]:
    """log x! and log x! − x log x + x for x = 0 … 95."""
    logarithms = [lgamma(x + 1.0) for x in range(_GRID)]
    return logarithms, [0.0] + [logarithms[x] - x * log(x) + x for x in range(1, _GRID)]


def deviation(xp: Namespace, x: Array, gap: Array, pivot: Array, level: Array) -> Array:
    """v(x) = log x! − x L + c: for c = μ the deviance of x from μ, given gap = μ − x, and what Stirling's formula leaves."""
    return xp.where(level > 0, factorial_gap(xp, x) + deviance(xp, x, gap, pivot), xp.gammaln(x + 1.0))


def _frame(xp: Namespace, theta1: Array, theta2: Array) -> tuple[Array, Array, Array, Array, Array]:
    """(mode, L, c, tilt, v(m)); c is inf where μ overflows."""
    log_mu = theta1 / -theta2
    mu = xp.exp(log_mu)
    large = mu >= 2.0       # below, log x! has no large part
    zero = 0.0 * theta2
    mode, level = xp.floor(mu), xp.where(large, mu, zero)
    pivot, tilt = xp.where(large, log_mu, zero), xp.where(large, zero, theta1)
    return mode, pivot, level, tilt, xp.where(large, deviation(xp, mode, level - mode, pivot, level), zero)


def _summed(xp: Namespace, f: Callable[..., Any], n: int, theta1: Array, theta2: Array, *more: Array) -> list[Array]:
    """Σ_x e^{log p(x) − log p(m)} f(x), n arrays.

    `f` takes (t, s, log_term, share, *more), with t = x − m and s = v(x) − v(m), and gives the n arrays to be summed; a node
    stands for `share` integers.
    """
    shape = theta1.shape
    flat = [xp.reshape(a, (-1,)) for a in (theta1, theta2, *more)]
    size = flat[0].shape[0]
    blocks = [[a[i:min(i + _BLOCK, size)] for a in flat] for i in range(0, max(size, 1), _BLOCK)]
    done = [_block(xp, f, n, *block) for block in blocks]
    return [xp.reshape(xp.concat(parts), shape) for parts in zip(*done)]


def _block(xp: Namespace, f: Callable[..., Any], n: int, theta1: Array, theta2: Array, *more: Array) -> list[Array]:
    """Direct sums where the grid holds the mass, panels elsewhere."""
    mode, pivot, level, tilt, v_mode = _frame(xp, theta1, theta2)
    beside = xp.maximum(mode, xp.ones_like(mode))
    edge = xp.full_like(mode, float(_GRID))
    rise = deviation(xp, edge, level - edge, pivot, level) - deviation(xp, beside, level - beside, pivot, level)
    narrow = (mode < _GRID) & (tilt * (edge - beside) + theta2 * rise < -50.0)      # e^{−50} of the mode at the grid's end
    everything = (theta1, theta2, mode, pivot, level, tilt, v_mode, *more)
    if surely(xp, xp.all(narrow)):
        return _grid_sums(xp, f, *everything)
    if surely(xp, ~xp.any(narrow)):
        return _panel_sums(xp, f, n, *everything)
    if selects(xp, narrow):
        inner = _grid_sums(xp, f, *only(xp, narrow, *everything))
        outer = _panel_sums(xp, f, n, *only(xp, ~narrow, *everything))
        return [xp.where(narrow, a, b) for a, b in zip(inner, outer)]
    inner = _grid_sums(xp, f, *(a[narrow] for a in everything))
    outer = _panel_sums(xp, f, n, *(a[~narrow] for a in everything))
    out = [xp.zeros_like(theta1) for _ in inner]
    for total, a, b in zip(out, inner, outer):
        total[narrow], total[~narrow] = a, b
    return out


def _grid_sums(xp: Namespace, f: Callable[..., Any], theta1: Array, theta2: Array, mode: Array, pivot: Array, level: Array,
               tilt: Array, v_mode: Array, *more: Array) -> list[Array]:
    theta2, mode, pivot, level, tilt, v_mode, *rest = (a[..., None] for a in (theta2, mode, pivot, level, tilt, v_mode, *more))
    logarithms, gaps = (xp.asarray(table, dtype=theta1.dtype) for table in _factorials())
    x = xp.arange(_GRID, dtype=theta1.dtype)
    v = xp.where(level > 0, gaps + deviance(xp, x, level - x, pivot), logarithms)
    t, s = x - mode, v - v_mode
    log_term = tilt * t + theta2 * s
    return [xp.sum(a, axis=-1) for a in f(t, s, log_term, xp.ones_like(log_term), *rest)]


def _panel_sums(xp: Namespace, f: Callable[..., Any], n: int, theta1: Array, theta2: Array, mode: Array, pivot: Array,
                level: Array, tilt: Array, v_mode: Array, *more: Array) -> list[Array]:
    down, up = mode, xp.full_like(mode, np.inf)
    theta2, mode, pivot, level, tilt, v_mode, *rest = (a[..., None] for a in (theta2, mode, pivot, level, tilt, v_mode, *more))

    def above(t: Array) -> Array:
        return deviation(xp, mode + t, (level - mode) - t, pivot, level) - v_mode

    def terms(t: Array, log_term: Array, weight: Array) -> list[Array]:
        share = xp.where(weight > 0, weight * xp.exp(-log_term), xp.zeros_like(weight))
        return f(t, above(t), log_term, share, *rest)       # type: ignore[no-any-return]

    return panel_sums(xp, lambda t: tilt * t + theta2 * above(t), down, up, terms, n)


def sums(xp: Namespace, theta: Array) -> Sums:
    """All of `Sums`."""
    huge = (theta[..., 1] < 0) & (theta[..., 0] > -_LARGEST * theta[..., 1])
    if surely(xp, ~xp.any(huge)):
        return _sums(xp, theta)
    found = _sums(xp, xp.where(huge[..., None], -xp.ones_like(theta), theta))
    return Sums(*(xp.where(huge, limit, own) for limit, own in zip(_limit(xp, theta[..., 0], -theta[..., 1]), found)))


def _sums(xp: Namespace, theta: Array) -> Sums:
    """Those of points that are summed."""
    theta1, theta2 = theta[..., 0], theta[..., 1]
    mode, pivot, level, tilt, v_mode = _frame(xp, theta1, theta2)

    def powers(t: Array, s: Array, log_term: Array, share: Array) -> tuple[Array, ...]:
        """All but the mode's own, in which t = s = 0."""
        w = xp.where(t == 0, xp.zeros_like(t), share * xp.exp(log_term))
        wt, ws = w * t, w * s
        wtt, wts, wss = wt * t, wt * s, ws * s
        return w, wt, ws, wtt, wts, wss, wtt * t, wtt * s, wts * s, wss * s

    excess, *raw = _summed(xp, powers, 10, theta1, theta2)
    a, b, tt, ts, ss, ttt, tts, tss, sss = (total / (1.0 + excess) for total in raw)
    cumulants = (tt - a * a, ts - a * b, ss - b * b,
                 ttt - 3.0 * a * tt + 2.0 * a**3, tts - 2.0 * a * ts - b * tt + 2.0 * a * a * b,
                 tss - 2.0 * b * ts - a * ss + 2.0 * a * b * b, sss - 3.0 * b * ss + 2.0 * b**3)
    top = tilt * mode + theta2 * (v_mode - level)
    return Sums(mode, pivot, level, tilt, v_mode, top, xp.log1p(excess), a, b, *cumulants)


def _limit(xp: Namespace, log_rate: Array, nu: Array) -> tuple[Array, ...]:
    """The fields of `Sums` for μ → ∞, where ψ = ν μ − ½ (ν − 1) (log μ + log 2π) − ½ log ν; inf where they overflow.

    Source: Gaunt, Iyengar, Olde Daalhuis & Simsek, An asymptotic expansion for the normalizing constant of the
    Conway–Maxwell–Poisson distribution (2019).
    """
    pivot, zero = log_rate / nu, 0.0 * nu
    mu = xp.exp(pivot)
    v_mode = 0.5 * (pivot + log(2 * pi))
    variance = mu / nu
    return (mu, pivot, mu, zero, v_mode, nu * mu - nu * v_mode, v_mode - 0.5 * xp.log(nu), 0.5 / nu - 0.5, 0.5 / nu,
            variance, 0.5 / nu**2, 0.5 / nu**2, variance / nu, variance / nu, 1.0 / nu**3, 1.0 / nu**3)


def near_kl(xp: Namespace, theta1: Array, theta2: Array, step1: Array, step2: Array) -> Array:
    s = sums(xp, xp.stack([theta1, theta2], axis=-1))

    def growth(t: Array, v: Array, log_term: Array, share: Array, slope: Array, step2: Array, mean_x: Array,
               mean_v: Array) -> list[Array]:
        """The weight times e^y − 1 − y; where y is not small, e^y is put together with the weight, which may underflow alone."""
        y = slope * (t - mean_x) + step2 * (v - mean_v)
        small = xp.abs(y) < 1.0
        near = xp.exp(log_term) * expm1_gap(xp, xp.where(small, y, xp.zeros_like(y)))
        far = xp.exp(xp.minimum(log_term + y, xp.full_like(y, 700.0))) - xp.exp(log_term) * (1.0 + y)
        return [share * xp.where(small, near, far)]

    total = _summed(xp, growth, 1, theta1, theta2, step1 + step2 * s.pivot, step2, s.mean_x, s.mean_v)[0]
    return xp.log1p(total * xp.exp(-s.log_norm))


def mean_bounds(xp: Namespace, mean: Array) -> tuple[Array, Array]:
    """The bounds of E[log X!] for this mean: log x! on the chain between integers, and that of the geometric distribution."""
    below = xp.floor(mean)
    theta = -xp.log1p(1.0 / mean)
    zero = 0.0 * mean
    total, = panel_sums(xp, lambda t: t * column(theta), zero, zero + np.inf,
                        lambda t, _, weight: (weight * xp.gammaln(t + 1.0),), 1)
    return xp.gammaln(below + 1.0) + (mean - below) * xp.log1p(below), total / (1.0 + mean)
