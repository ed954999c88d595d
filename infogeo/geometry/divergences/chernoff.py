"""Chernoff information. Points are primal coordinates of the manifold that comes first."""
from typing import Any, NamedTuple

import numpy as np

from ...arrays.tracing import is_traced
from ...backend import Array
from ...errors import ConvergenceError, takes
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
    inside a bracket, row by row. Where p = q it is 0, and s is ½.

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Raises: ConvergenceError, with the last s, where a row has not settled after 200 steps.
    Source: Nielsen, An information-geometric characterization of Chernoff information, IEEE Signal Process. Lett. 20 (2013).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> float(ig.chernoff_information(M, p, q).value.round(6))  # 2² / 8
    0.5
    """
    require_members(M, theta_p, theta_q)
    xp, theta_p, theta_q = M.point(theta_p, theta_q)
    if is_traced(xp, theta_p, theta_q):
        raise TypeError("chernoff_information looks at numbers, which a traced array has not: call it outside jax.jit and "
                        "jax.vmap")
    step = theta_p - theta_q
    lower = xp.zeros(step.shape[:-1], dtype=step.dtype)
    upper, s, move = lower + 1.0, lower + 0.5, lower + 1.0
    settled, eps = lower > 0.0, float(xp.finfo(step.dtype).eps)
    for _ in range(MAX_STEPS):
        theta = theta_q + s[..., None] * step
        to_p, to_q = xp.sqrt(M.divergence(theta, theta_p)), xp.sqrt(M.divergence(theta, theta_q))
        lower, upper = xp.where(to_p > to_q, s, lower), xp.where(to_p < to_q, s, upper)
        with np.errstate(divide="ignore", invalid="ignore"):                # one of the points is reached: no Newton step
            slope = 0.5 * M.inner(theta, step, step) * ((1.0 - s) / to_p + s / to_q)
            reach = (to_p - to_q) / slope
        fast = (s + reach >= lower) & (s + reach <= upper) & (xp.abs(reach) <= 0.5 * xp.abs(move))
        settled = settled | (xp.abs(reach) <= eps) | (~fast & (xp.abs(reach) <= 1000 * eps))      # rounding is what is left
        move = xp.where(settled, xp.zeros_like(s), xp.where(fast, reach, 0.5 * (lower + upper) - s))
        s, settled = s + move, settled | (xp.abs(move) <= eps)
        if xp.all(settled):
            return ChernoffInformation(jensen_bregman(M, theta_p, theta_q, s), s)
    raise ConvergenceError(f"chernoff_information: the skew has not settled after {MAX_STEPS} steps", move, s)
