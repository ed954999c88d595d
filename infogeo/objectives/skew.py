"""How far ψ lies below its chord, as divergences and objectives take it: scaled, so that its ends are the two KL divergences."""
from typing import Any

import numpy as np

from ..backend import Array, backend_of, column
from ..numerics.linalg import matvec

__all__ = ["scaled_jensen", "scaled_jensen_and_gradient", "scaled_jensen_hessian"]

# Below this weight of q the difference η(θ) − η(θ_s), which cancels like ε / weight, gives way to the metric in the middle, whose
# error is of the order of the weight squared: both are 1e-10 of the whole here.
NEAR = 1e-5


def scaled_jensen(M: Any, theta_p: Array, theta_q: Array, s: Array) -> Array:
    """J_s(p : q) / (s (1 − s)), shape (...): positive and smooth in s, with the limits D(q‖p) at s = 0 and D(p‖q) at s = 1.

    Mathematically, D(θ_s‖p) / (1 − s) + D(θ_s‖q) / s between the points. Beyond p, where s > 1, p lies between θ_s and q, and the
    same for these is (D(p‖θ_s) / (s − 1) + D(p‖q)) / s, again a sum of positive terms; beyond q with p and q swapped. Between
    the points J_s is the minimum over c of s D(c‖p) + (1 − s) D(c‖q), so that the rounding of θ_s does not count; beyond them it
    counts as that of the points does.

    Shapes: arrays of one library θ_p, θ_q (..., d) and s (...), which broadcast.
    Domain: any finite s; +∞ where θ_s is outside the domain.
    """
    xp = backend_of(s)
    first = s >= 0.5
    near, far = xp.where(column(first), theta_p, theta_q), xp.where(column(first), theta_q, theta_p)
    rest = xp.where(first, 1.0 - s, s)                                  # the weight of the far end, at most ½
    point = near + rest[..., None] * (far - near)
    beyond = rest < 0.0
    outside = beyond & ~M.theta_domain.contains(point)
    point = xp.where(outside[..., None], near, point)
    middle, end = xp.where(beyond[..., None], near, point), xp.where(beyond[..., None], point, near)
    share = xp.where(beyond, -rest * (1.0 - rest), rest)
    with np.errstate(over="ignore"):                                    # beyond the largest float it is inf
        to_end = M.divergence(middle, end) / xp.where(share == 0.0, xp.ones_like(share), share)      # D(p‖p) = 0
    infinite = xp.where(outside, xp.full_like(to_end, np.inf), xp.zeros_like(to_end))
    return to_end + M.divergence(middle, far) / (1.0 - rest) + infinite


def scaled_jensen_and_gradient(M: Any, theta_p: Array, theta_q: Array, s: Array) -> tuple[Array, Array]:
    """That with its differential in θ_p, (η(θ_p) − η(θ_s)) / (1 − s), shapes (...) and (..., d).

    Its ends are the differentials η_p − η_q of D(q‖p) and G(θ_p)(θ_p − θ_q) of D(p‖q).
    """
    xp, rest = backend_of(s), (1.0 - s)[..., None]
    step = theta_p - theta_q
    near = xp.abs(rest) < NEAR
    slope = M.to_eta(theta_p) - M.to_eta(theta_p - rest * step)
    slope = slope / xp.where(near, xp.ones_like(rest), rest)
    if xp.any(near):
        slope = xp.where(near, M.flat(theta_p - 0.5 * xp.where(near, rest, 0.0 * rest) * step, step), slope)
    return scaled_jensen(M, theta_p, theta_q, s), slope


def scaled_jensen_hessian(M: Any, theta_p: Array, theta_q: Array, s: Array) -> Array:
    """The second derivatives in θ_p, G(θ_p) + s (G(θ_p) − G(θ_s)) / (1 − s), shape (..., d, d); at s = 1 G + T (θ_p − θ_q)."""
    xp, rest = backend_of(s), (1.0 - s)[..., None]
    step, metric, near = theta_p - theta_q, M.metric(theta_p), xp.abs(rest) < NEAR
    change = (metric - M.metric(theta_p - rest * step)) / xp.where(near, xp.ones_like(rest), rest)[..., None]
    if xp.any(near):
        middle = theta_p - 0.5 * xp.where(near, rest, 0.0 * rest) * step
        change = xp.where(near[..., None], matvec(xp, M.cubic_tensor(middle), step[..., None, :]), change)
    return metric + s[..., None, None] * change
