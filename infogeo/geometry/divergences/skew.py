"""Skew Jensen–Bregman divergences: how far ψ lies below its chord. Points are primal coordinates of the manifold."""
from ...arrays.graphs import one_operation
from ...arrays.tracing import is_traced
from ...backend import Array, arrays
from ...domains.supports import Interval
from ...errors import takes
from ...objectives.skew import scaled_jensen
from ..manifolds.manifold import DuallyFlat

__all__ = ["bhattacharyya", "coerced", "jensen_bregman", "require_members"]


@takes(DuallyFlat)
@one_operation
def jensen_bregman(M: DuallyFlat, theta_p: Array, theta_q: Array, s: Array) -> Array:
    """The skew Jensen–Bregman divergence J_s(p : q) with weight s on p, shape (...), nats.

    Mathematically, J_s = s ψ(θ_p) + (1 − s) ψ(θ_q) − ψ(θ_s) = s D(θ_s‖p) + (1 − s) D(θ_s‖q) at θ_s = s θ_p + (1 − s) θ_q, formed
    from the divergences, which do not cancel. In an exponential family ∫ p^s q^{1−s} = e^{−J_s}: p and q have the base measure h
    in common, and h^s h^{1−s} = h. Not negative for 0 ≤ s ≤ 1, not positive elsewhere; J_s(p : q) = J_{1−s}(q : p).

    Shapes: θ_p, θ_q (..., d); s (...); batches broadcast.
    Domain: any finite s; −∞ where θ_s is outside the domain and the integral diverges.
    Raises: DomainError for s that is not finite.
    Source: Nielsen & Boltz, The Burbea–Rao and Bhattacharyya centroids, IEEE Trans. Inf. Theory 57 (2011), section III.

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> ig.jensen_bregman(M, p, q, [0.25, 0.5]).round(4)  # s (1 − s) 2² / 2
    array([0.375, 0.5  ])
    """
    theta_p, theta_q, s = coerced(M, theta_p, theta_q, "s", s)
    return s * (1.0 - s) * scaled_jensen(M, theta_p, theta_q, s)


@takes(DuallyFlat)
@one_operation
def bhattacharyya(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The Bhattacharyya distance −log ∫ √(p q) = J_½(p : q), symmetric, shape (...), nats.

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Source: Kailath, The divergence and Bhattacharyya distance measures in signal selection, IEEE Trans. Commun. 15 (1967).

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> float(ig.bhattacharyya(M, p, q).round(12))  # (√4 − √1)² / 2
    0.5
    """
    return 0.25 * scaled_jensen(M, *coerced(M, theta_p, theta_q, "s", 0.5))


def coerced(M: DuallyFlat, theta_p: Array, theta_q: Array, name: str, s: Array) -> tuple[Array, Array, Array]:
    """The two points and the skew or order called `name` as arrays of one library, the latter finite."""
    require_members(M, theta_p, theta_q)
    _, theta_p, theta_q, s = arrays(theta_p, theta_q, s)
    return theta_p, theta_q, Interval().require(name, s)


def require_members(M: DuallyFlat, theta_p: Array, theta_q: Array) -> None:
    """Nothing, if none of the points is a law on the boundary of the family, where ψ at a point between tells nothing.

    Raises
    ------
    DomainError
    """
    xp, *points = M.point(theta_p, theta_q)
    for name, theta in zip(("theta_p", "theta_q"), points if M.has_limits else ()):
        infinite = xp.any(xp.isinf(theta))
        if not is_traced(xp, infinite) and infinite:
            M.domain.require(name, theta)
