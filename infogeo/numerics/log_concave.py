"""Draws from log-concave distributions on the integers."""
from collections.abc import Callable

from ..arrays.draws import Draws
from ..backend import Array, set_at

__all__ = ["log_concave"]


def log_concave(draws: Draws, mode: Callable[..., Array], log_mass: Callable[..., Array], shape: tuple[int, ...],
                *parameters: Array) -> Array:
    """Draws from a log-concave distribution on the integers, by rejection; about one proposal in four is taken.

    Mathematically, with P the probability of the mode m and w = 1 + P/2, every such distribution has
    p(m ± x) ≤ P min(1, e^{w − P (x − ½)}): a table with exponential sides, whatever the distribution.

    Parameters
    ----------
    mode : callable (*parameters) -> m
    log_mass : callable (x, *parameters) -> log p(x)
        −∞ outside the support.
    shape : tuple
    parameters : arrays that broadcast to `shape`

    Source: Devroye, A simple generator for discrete log-concave distributions, Computing 39 (1987).
    """
    xp = draws.xp
    flat = [xp.reshape(xp.broadcast_to(p, shape), (-1,)) for p in parameters]
    start = mode(*flat)
    log_top = log_mass(start, *flat)
    out = xp.zeros_like(start)
    left = xp.ones(start.shape, dtype=xp.bool)
    while xp.any(left):
        m, peak, *own = (array[left] for array in (start, log_top, *flat))
        top = xp.exp(peak)
        w = 1.0 + 0.5 * top
        which, along, height, side = (draws.uniform(m.shape) for _ in range(4))
        inner = which * (1.0 + w) < w
        beyond = -xp.log1p(-along)
        scaled = xp.where(inner, along * w, w + beyond)           # P |y|
        distance = xp.floor(scaled / top + 0.5)
        x = m + xp.where(side < 0.5, -distance, distance)
        log_hat = xp.where(inner, xp.zeros_like(beyond), -beyond)
        taken = xp.log1p(-height) + log_hat <= log_mass(x, *own) - peak
        # a distance of 0 is proposed with either sign over half the width: nothing to correct
        out = set_at(xp, out, left, xp.where(taken, x, xp.zeros_like(x)))
        left = set_at(xp, left, left, ~taken)
    return xp.reshape(out, shape)
