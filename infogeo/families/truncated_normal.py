"""Estimates of truncated normal laws whose variance the mean statistic (E x, E x²) hides."""
from collections.abc import Callable
from math import isinf
from typing import Any

from ..arrays.sums import average, centred
from ..arrays.tracing import is_traced
from ..backend import Array, Namespace

__all__ = ["fit_of_deviations", "in_units", "tail_start"]


def tail_start(M: Any, xp: Namespace, eta: Array, theta: Array) -> Array:
    """θ, or where the law is nearly exponential from a bound on, a density e^{−λy − κy²}, y > 0: λ and κ to first order in κ/λ².

    Mathematically, E y = (1 − 4ε) / λ and E y² = (2 − 20ε) / λ² with ε = κ/λ²: E y² / 2(E y)² = 1 − 2ε.
    """
    for bound, sign in ((M.support.lower, 1.0), (M.support.upper, -1.0)):
        if not isinf(bound):
            gap = sign * (eta[..., 0] - bound)
            ratio = (eta[..., 1] - bound * (2.0 * eta[..., 0] - bound)) / (2.0 * gap**2)
            share = 0.5 * (1.0 - ratio)
            rate = (1.0 - 4.0 * share) / gap
            curvature = share * rate**2
            tail = xp.stack([2.0 * curvature * bound - sign * rate, -curvature], axis=-1)
            theta = xp.where(((share > 0) & (share < 0.05))[..., None], tail, theta)
    return theta


def in_units(M: Any, plain: Callable[..., Array], xp: Namespace, eta: Array) -> Array:
    """θ(η), of laws far smaller or larger than 1 in units of √E x²: what is small beside 1 passes for 0 in the iteration.

    The bounds in these units are those of a family of its own for each η, so they go one after the other; of traced η they are
    NaN.
    """
    unit = xp.sqrt(eta[..., 1])
    other = (eta[..., 1] > 0) & xp.isfinite(unit) & (xp.abs(xp.log(unit)) > 5.0)
    if is_traced(xp, eta):
        return plain(xp, xp.where(other[..., None], xp.full_like(eta, xp.nan), eta))
    if not xp.any(other):
        return plain(xp, eta)
    found = []
    for row, u, is_other in zip(xp.reshape(eta, (-1, 2)), xp.reshape(unit, (-1,)), xp.reshape(other, (-1,))):
        powers = xp.stack([u, u * u])
        scaled = type(M)(M.family, M.lower / float(u), M.upper / float(u)) if is_other else M
        found.append(scaled._to_theta(xp, row / powers) / powers if is_other else plain(xp, row))
    return xp.reshape(xp.stack(found), eta.shape)


def fit_of_deviations(M: Any, by_means: Callable[..., Array], xp: Namespace, x: Array, weights: Array) -> Array:
    """θ of the samples x (n, ...): by means where these tell it, else from the deviations from the mean.

    Mathematically, y = (x − m) / s follows the normal law between (lower − m) / s and (upper − m) / s: a family of its own for
    each sample, so they go one after the other; of traced ones they are NaN. It is left to the means where |m| < 100 s, and
    ε (m / s)² is 2e-12 at most.
    """
    mean, away = centred(xp, weights, x)
    unit = xp.sqrt(average(xp, weights, away * away))
    far = (xp.abs(mean) > 100.0 * unit) & (unit > 0)
    if is_traced(xp, far):
        return xp.where(far[..., None], xp.nan, by_means(xp, x, weights))
    if not xp.any(far):
        return by_means(xp, x, weights)
    columns = [xp.reshape(v, (x.shape[0], -1)) for v in (x, weights + 0.0 * x, away)]
    rows = [xp.reshape(v, (-1,)) for v in (far, mean, unit)]
    found = []
    for i in range(rows[0].shape[0]):
        (own, share, gap), (is_far, m, s) = (v[:, i] for v in columns), (v[i] for v in rows)
        found.append(_centred(M, xp, own, share, gap, m, s) if is_far else by_means(xp, own, share))
    return xp.reshape(xp.stack(found), (*mean.shape, 2))


def _centred(M: Any, xp: Namespace, x: Array, weights: Array, away: Array, m: Array, s: Array) -> Array:
    """θ of one sample x = m + away (n,), from that of away / s: m itself is rounded, the bounds go by an observation."""
    lower, upper = (((end - float(x[0])) + float(away[0])) / float(s) for end in (M.lower, M.upper))
    own = type(M)(M.family, lower, upper)._fit(xp, away / s, weights)
    curvature = own[1] / s**2
    return xp.stack([own[0] / s - 2.0 * m * curvature, curvature])
