"""Estimates of truncated normal laws whose variance the mean statistic (E x, E x²) hides."""
from collections.abc import Callable
from typing import Any

from ..arrays.sums import average, centred
from ..backend import Array, Namespace

__all__ = ["fit_of_deviations"]


def fit_of_deviations(M: Any, by_means: Callable[..., Array], xp: Namespace, x: Array, weights: Array) -> Array:
    """θ of the samples x (n, ...): by means where these tell it, else from the deviations from the mean.

    Mathematically, y = (x − m) / s follows the normal law between (lower − m) / s and (upper − m) / s: a family of its own for
    each sample, so they go one after the other. It is left to the means where |m| < 100 s, and ε (m / s)² is 2e-12 at most.
    """
    mean, away = centred(xp, weights, x)
    unit = xp.sqrt(average(xp, weights, away * away))
    far = (xp.abs(mean) > 100.0 * unit) & (unit > 0)
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
