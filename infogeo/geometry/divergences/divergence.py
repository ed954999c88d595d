"""Divergences of a dually flat manifold. Arguments are primal coordinates of the manifold that comes first."""
from ...arrays.graphs import one_operation
from ...backend import Array, arrays
from ...errors import takes
from ..manifolds.manifold import DuallyFlat

__all__ = ["bregman", "canonical_divergence", "fenchel_young", "jeffreys", "jeffreys_bound"]


@takes(DuallyFlat)
def canonical_divergence(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The canonical divergence D(p‖q), shape (...), nats; in an exponential family KL(p‖q).

    Mathematically, D(p‖q) = ψ(θ_q) + φ(η_p) − θ_q·η_p = B_ψ(θ_q : θ_p) = B_φ(η_p : η_q).

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.4.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[2.0, 3.0])
    >>> D = ig.canonical_divergence(M, p, q)
    >>> float(D.round(4))  # 2 log(2 / 3) − 2 + 3
    0.1891
    """
    return M.divergence(theta_p, theta_q)


@takes(DuallyFlat)
def bregman(M: DuallyFlat, theta_a: Array, theta_b: Array) -> Array:
    """The Bregman divergence of the potential, B_ψ(a : b) = ψ(a) − ψ(b) − (a − b)·∇ψ(b), shape (...), nats.

    In an exponential family this is KL(p_b‖p_a): the order of the arguments is swapped.

    Shapes: θ_a, θ_b (..., d); batches broadcast.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[2.0, 3.0])
    >>> float(ig.bregman(M, q, p).round(4)), float(M.kl(p, q).round(4))
    (0.1891, 0.1891)
    """
    return M.divergence(theta_b, theta_a)


@takes(DuallyFlat)
def jeffreys(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """The Jeffreys divergence D(p‖q) + D(q‖p) = (θ_p − θ_q)·(η_p − η_q), shape (...), nats.

    Formed from the two divergences, which do not cancel for near points.

    Shapes: θ_p, θ_q (..., d); batches broadcast.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[2.0, 3.0])
    >>> float(ig.jeffreys(M, p, q).round(4))  # (3 − 2) log(3 / 2)
    0.4055
    """
    return M.divergence(theta_p, theta_q) + M.divergence(theta_q, theta_p)


@takes(DuallyFlat)
@one_operation
def fenchel_young(M: DuallyFlat, theta: Array, eta: Array) -> Array:
    """The Fenchel–Young divergence Y(θ, η) = ψ(θ) + φ(η) − θ·η of a point in each chart, shape (...), nats; 0 where they are one.

    Mathematically, B_ψ(θ : ∇φ(η)) = B_φ(η : ∇ψ(θ)) = D(∇φ(η)‖θ); in an exponential family the KL divergence of the target of
    mean statistic η to the model θ.

    Shapes: θ, η (..., d); batches broadcast.
    Domain: η in its domain.
    Source: Blondel, Martins & Niculae, Learning with Fenchel–Young losses, J. Mach. Learn. Res. 21 (2020).

    Examples
    --------
    >>> M = ig.Bernoulli()  # θ = 0 is the probability ½
    >>> ig.fenchel_young(M, [0.0], [[0.5], [0.9]]).round(4)
    array([0.    , 0.3681])
    """
    _, theta, eta = M.point(theta, eta)
    return M.divergence(M.to_theta(eta), theta)


@takes(DuallyFlat)
@one_operation
def jeffreys_bound(M: DuallyFlat, theta_p: Array, theta_q: Array) -> Array:
    """√J(p, q) ≥ d(p, q), shape (...): the Jeffreys divergence is the energy ∫ |ẋ|² dt of the e- and of the m-geodesic.

    By Cauchy and Schwarz no path is shorter than the root of its energy, with equality at constant speed.

    Shapes: θ_p, θ_q (..., d); batches broadcast.
    Source: Nielsen, A simple approximation method for the Fisher–Rao distance, Entropy 25 (2023).

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> float(ig.jeffreys_bound(M, p, q).round(4))  # √(3 log 4)
    2.0393
    >>> float(ig.riemannian_distance(M, p, q).round(4))  # 2 (√4 − √1)
    2.0
    """
    xp, J = arrays(jeffreys(M, theta_p, theta_q))
    return xp.sqrt(J)
