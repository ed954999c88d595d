"""Chernoff information. Points are primal coordinates of the manifold that comes first."""
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...arrays.graphs import one_operation
from ...arrays.tracing import Partial, Slope, is_traced, only, repeat, ruled
from ...backend import Array, backend_of, column, dot
from ...errors import require_converged, takes
from ..manifolds.manifold import DuallyFlat
from .skew import jensen_bregman, require_members

__all__ = ["ChernoffInformation", "chernoff_information"]

MAX_STEPS = 200     # half of these are bisections at worst, and 53 of them exhaust a double


class ChernoffInformation(NamedTuple):
    """The Chernoff information, nats, and the weight s of p at which it is attained; shapes (...).

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> value, skew = ig.chernoff_information(M, p, q)
    >>> r = ig.e_geodesic(M, q, p, skew)
    >>> float(value.round(4)), M.kl(r, [p, q]).round(4)
    (0.5066, array([0.5066, 0.5066]))
    """

    value: Any
    skew: Any


@takes(DuallyFlat)
def chernoff_information(M: DuallyFlat, theta_p: Array, theta_q: Array) -> ChernoffInformation:
    """The Chernoff information max_s J_s(p : q) with the s that attains it, shapes (...), nats.

    Mathematically, −log min_s ∫ p^s q^{1−s} over 0 ≤ s ≤ 1. J_s is concave in s, and its derivative D(θ_s‖p) − D(θ_s‖q) vanishes
    where both divergences equal the information: θ_s is where the e-geodesic from q to p crosses the bisector. It is found as
    the zero of √D(θ_s‖p) − √D(θ_s‖q), a falling function that is linear in s for normals of equal covariance, by Newton's method
    inside a bracket, row by row. Where p = q it is 0, and s is ½. Derivatives are those of that zero: along the points the
    information has those of J_s at a constant s (the envelope theorem).

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Raises: ConvergenceError, with the last s, where a row has not settled after 200 steps; traced rows are NaN then.
    Source: Nielsen, An information-geometric characterization of Chernoff information, IEEE Signal Process. Lett. 20 (2013).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> float(ig.chernoff_information(M, p, q).value.round(6))  # 2² / 8
    0.5
    """
    return ChernoffInformation(*_information(M, theta_p, theta_q))


@one_operation
def _information(M: DuallyFlat, theta_p: Array, theta_q: Array) -> tuple[Array, Array]:
    """``(J_s, s)``."""
    require_members(M, theta_p, theta_q)
    xp, theta_p, theta_q = M.point(theta_p, theta_q)
    s = ruled(xp, partial(_skew, M), partial(_of_skew, M), theta_p, theta_q)
    value = jensen_bregman(M, theta_p, theta_q, s)
    return value, xp.where(xp.isnan(value), value, s) if is_traced(xp, value) else s


def _skew(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The s with D(θ_s‖p) = D(θ_s‖q), shape (...); of traced rows that have not settled NaN."""
    xp, step = backend_of(theta_p), theta_p - theta_q
    zero, eps = xp.zeros(step.shape[:-1], dtype=step.dtype), float(xp.finfo(step.dtype).eps)

    def further(s: Array, lower: Array, upper: Array, move: Array, settled: Array) -> tuple[Array, ...]:
        theta = theta_q + s[..., None] * step
        to_p, to_q = xp.sqrt(M.divergence(theta, theta_p)), xp.sqrt(M.divergence(theta, theta_q))
        lower, upper = xp.where(to_p > to_q, s, lower), xp.where(to_p < to_q, s, upper)
        slope = 0.5 * M.inner(theta, step, step) * ((1.0 - s) / to_p + s / to_q)
        reach = (to_p - to_q) / slope
        fast = (s + reach >= lower) & (s + reach <= upper) & (xp.abs(reach) <= 0.5 * xp.abs(move))
        settled = settled | (xp.abs(reach) <= eps) | (~fast & (xp.abs(reach) <= 1000 * eps))      # rounding is what is left
        move = xp.where(settled, zero, xp.where(fast, reach, 0.5 * (lower + upper) - s))
        return s + move, lower, upper, move, settled | (xp.abs(move) <= eps)

    start = zero + 0.5, zero, zero + 1.0, zero + 1.0, zero > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):        # where one of the points is reached, there is no Newton step
        s, _, _, move, settled = repeat(xp, lambda *state: ~xp.all(state[-1]), further, start, MAX_STEPS)
    if is_traced(xp, s):
        return only(xp, settled, s)[0]
    require_converged(f"chernoff_information: the skew has not settled after {MAX_STEPS} steps", settled, move, s)
    return s


def _of_skew(M: DuallyFlat, s: Array, theta_p: Array, theta_q: Array) -> tuple[Partial, ...]:
    """Of the zero of ψ(p) − ψ(q) − δ·η_s with δ = θ_p − θ_q, whose slope in s is −|δ|² at θ_s; 0 where p = q."""
    xp, step = backend_of(s), theta_p - theta_q
    theta, weight = theta_q + column(s) * step, column(s)
    eta, lowered = M.to_eta(theta), M.flat(theta, step)
    size = dot(step, lowered)
    one = xp.where(size > 0.0, 1.0 / xp.where(size > 0.0, size, xp.ones_like(size)), xp.zeros_like(size))
    return (Slope(lambda: column(one) * (M.to_eta(theta_p) - eta - weight * lowered)),
            Slope(lambda: column(one) * (eta - M.to_eta(theta_q) - (1.0 - weight) * lowered)))
