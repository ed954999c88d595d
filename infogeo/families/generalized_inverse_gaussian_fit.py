"""Estimates of generalized inverse Gaussian laws of samples that hardly differ, from their deviations."""
from ..arrays.sums import average
from ..arrays.tracing import is_differentiated, repeat
from ..backend import Array, Namespace
from .gamma import shape_from_log_gap
from .generalized_inverse_gaussian_law import LogLaw, log_statistics

__all__ = ["fit_of_deviations"]

_STEPS = 60         # 3 to 9 were taken by samples of spread 0.3 to 1e-6


def fit_of_deviations(xp: Namespace, x: Array, weights: Array) -> Array:
    """θ of narrow samples (n, ...); NaN where there is none, or where rounding hides it.

    Mathematically, the means of (t, cosh t − 1, sinh t − t), t = log(x / c) with log c = E log x, tell E log x, E x and E 1/x
    without a difference of theirs, to ε (1 + κ) with κ = 1 / Var t. Newton's method for them starts from the log-normal law of
    the same variance and skewness.
    """
    log_c = average(xp, weights, xp.log(x))
    c = xp.exp(log_c)
    growth = (x - c) / c
    t = xp.where(xp.abs(growth) < 0.5, xp.log1p(xp.clip(growth, -0.5, 0.5)), xp.log(x / c))
    means = xp.stack([average(xp, weights, part) for part in (xp.moveaxis(log_statistics(xp, t), -1, 0))], axis=-1)
    means = xp.where(_is_mean(xp, means)[..., None], means, xp.full_like(means, xp.nan))
    start = _start(xp, means)
    far, everywhere = xp.full_like(start[..., 0], xp.inf), xp.all(start == start, axis=-1)
    found = repeat(xp, lambda *state: xp.any(state[-1]), lambda *state: _step(xp, means, *state), (start, start, far, everywhere),
                   _STEPS)
    best, decrement = found[1], found[2]
    if is_differentiated(xp, means):            # a step from the end has the derivative of the end
        law = LogLaw(xp, best)
        best = best - law.sharp_of(law.excess(means))[0]
    best = xp.where((decrement < 1e-16)[..., None], best, xp.full_like(best, xp.nan))
    return xp.stack([best[..., 0], best[..., 1] / c, best[..., 2] * c], axis=-1)


def _step(xp: Namespace, means: Array, theta: Array, best: Array, decrement: Array, running: Array) -> tuple[Array, ...]:
    """Where Newton's method goes; the best point until now with its decrement; whether a row goes on."""
    law = LogLaw(xp, theta)
    step, now = law.sharp_of(law.excess(means))
    better = running & (now < decrement)
    best, decrement = xp.where(better[..., None], theta, best), xp.where(better, now, decrement)
    damped = theta - step / (1.0 + xp.sqrt(xp.where(now < 0.1, xp.zeros_like(now), now)))[..., None]
    leaves = xp.any(damped[..., 1:] >= 0, axis=-1, keepdims=True)
    theta = xp.where(leaves, theta - 0.5 * (theta - damped) * _room(xp, theta, damped), damped)
    return theta, best, decrement, better & (now > 1e-30)


def _room(xp: Namespace, theta: Array, other: Array) -> Array:
    """Which part of the way to another point lies in the domain, shape (..., 1)."""
    rise = other[..., 1:] - theta[..., 1:]
    part = xp.where(rise > 0, -theta[..., 1:] / rise, xp.ones_like(rise))
    return xp.min(xp.minimum(part, xp.ones_like(part)), axis=-1, keepdims=True)


def _is_mean(xp: Namespace, means: Array) -> Array:
    """As of the domain of η, from deviations: between the gamma and the inverse gamma law of the same means."""
    t, c, s = means[..., 0], means[..., 1], means[..., 2]
    up, down = t + (c + s), (c - s) - t             # E x / c − 1 and E c / x − 1
    above, below = xp.log1p(up) - t, xp.log1p(down) + t
    first, second = (shape_from_log_gap(xp, xp.where(gap > 0, gap, xp.full_like(gap, xp.nan))) for gap in (above, below))
    product = 2.0 * c + up * down                   # E x E 1/x − 1
    return xp.maximum(first, second) * product < 1.0 + product


def _start(xp: Namespace, means: Array) -> Array:
    """k = A + B = 1 / Var t, and p = A − B of the skewness −p / k^{3/2}, not too close to ±k."""
    variance = 2.0 * means[..., 1]
    k, share = 1.0 / variance, xp.clip(-6.0 * means[..., 2] / variance**2, -0.9, 0.9)
    return xp.stack([k * share, -0.5 * k * (1.0 + share), -0.5 * k * (1.0 - share)], axis=-1)
