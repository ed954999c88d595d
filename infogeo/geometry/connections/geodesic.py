"""Geodesics, of the flat connections and of the metric. Points are primal coordinates of the manifold that comes first."""
import numpy as np

from ...arrays.graphs import one_operation
from ...backend import Array, arrays
from ...errors import takes
from ...numerics.collocation.equations import HessianEquation
from ...numerics.collocation.paths import arrive, join
from ..manifolds.manifold import DuallyFlat, Riemannian

__all__ = ["alpha_exp_map", "alpha_geodesic", "e_geodesic", "exp_map", "log_map", "m_geodesic",
           "riemannian_distance", "riemannian_geodesic"]


@takes(DuallyFlat)
@one_operation
def e_geodesic(M: DuallyFlat, theta_p: Array, theta_q: Array, t: Array) -> Array:
    """The point at time t on the e-geodesic from p (t = 0) to q (t = 1), in primal coordinates, shape (..., d).

    Mathematically, θ(t) = (1 − t) θ_p + t θ_q: a straight line in the chart θ; in an exponential family the normalised
    geometric mixture.

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch.
    Domain: any t for which the point stays in the domain; in [0, 1] it always does. Towards a law on the boundary of a family,
    whose θ is infinite, the limit, that law for t > 0; NaN between two of them that exclude each other.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> M.to_eta(ig.e_geodesic(M, p, q, 0.5)).round(9)  # √(1 · 4)
    array([2.])
    """
    M.point(theta_p, theta_q)
    xp, theta_p, theta_q, t = arrays(theta_p, theta_q, t)
    t = t[..., None]
    if not M.has_limits:
        return (1.0 - t) * theta_p + t * theta_q
    with np.errstate(invalid="ignore"):         # of a law on the boundary θ is infinite, and 0 · ∞ at the other end
        return xp.where(t == 0, theta_p, xp.where(t == 1, theta_q, (1.0 - t) * theta_p + t * theta_q))


@takes(DuallyFlat)
@one_operation
def m_geodesic(M: DuallyFlat, theta_p: Array, theta_q: Array, t: Array) -> Array:
    """The point at time t on the m-geodesic from p (t = 0) to q (t = 1), in primal coordinates, shape (..., d).

    Mathematically, η(t) = (1 − t) η_p + t η_q: a straight line in the chart η, that is, the e-geodesic of ``M.dual``; in an
    exponential family the moments of the mixture.

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch.
    Domain: any t for which the point stays in the domain; in [0, 1] it always does.

    Examples
    --------
    >>> M = ig.Normal()
    >>> p, q = M.theta_from(mean=[0.0, 4.0], variance=1.0)
    >>> r = ig.m_geodesic(M, p, q, 0.5)  # the moments of the mixture
    >>> float(M.mean(r).round(9)), float(M.variance(r).round(9))
    (2.0, 5.0)
    """
    M.point(theta_p, theta_q)
    xp, theta_p, theta_q, t = arrays(theta_p, theta_q, t)
    theta_p, theta_q, far = xp.broadcast_arrays(theta_p, theta_q, t[..., None])
    share = far[..., 0]
    with np.errstate(all="ignore"):
        return M._mean_of_points(xp, xp.stack([theta_p, theta_q]), xp.stack([1.0 - share, share]))


@takes(DuallyFlat)
def alpha_geodesic(M: DuallyFlat, theta_p: Array, theta_q: Array, t: Array, alpha: float) -> Array:
    """The point at time t on the geodesic of the α-connection from p (t = 0) to q (t = 1), in primal coordinates, shape (..., d).

    Mathematically, G θ̈ + (1 − α)/2 T(θ̇, θ̇) = 0: the e-geodesic for α = 1, the m-geodesic for α = −1, and for α = 0 that of the
    metric. By collocation to 1e-8 of its length (in float32 1000 ε).

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch; α a number.
    Domain: 0 ≤ t ≤ 1, NaN elsewhere.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        If no such geodesic is found, as may be for |α| > 1.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.3.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 4.0])
    >>> [M.to_eta(ig.alpha_geodesic(M, p, q, 0.5, alpha)).round(6)
    ...  for alpha in (1.0, 0.0, -1.0)]  # √(1 · 4), ((1 + 2) / 2)², (1 + 4) / 2
    [array([2.]), array([2.25]), array([2.5])]
    """
    theta_p, theta_q = M.domain.require("theta_p", theta_p), M.domain.require("theta_q", theta_q)
    _, theta_p, theta_q, t = arrays(theta_p, theta_q, t)
    return join(HessianEquation(M, alpha), theta_p, theta_q)(t)


@takes(DuallyFlat)
def alpha_exp_map(M: DuallyFlat, theta_p: Array, vector: Array, alpha: float) -> Array:
    """The point at time 1 of the geodesic of the α-connection that starts at p with velocity v, shape (..., d).

    The point at time t is that of t v. By collocation to 1e-8 of its length (in float32 1000 ε).

    Shapes: θ_p, v (..., d); α a number.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        If the geodesic leaves the domain before, or needs more than 64 steps.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> q = ig.alpha_exp_map(M, [0.0], [3.0], alpha=-1.0)
    >>> M.to_eta(q).round(6)  # η + G v = 1 + 1 · 3
    array([4.])
    """
    theta_p = M.domain.require("theta_p", theta_p)
    return arrive(HessianEquation(M, alpha), theta_p, vector)[0]


@takes(Riemannian)
def riemannian_geodesic(M: Riemannian, theta_p: Array, theta_q: Array, t: Array) -> Array:
    """The point at time t on the shortest path from p (t = 0) to q (t = 1), of constant speed, shape (..., d).

    In closed form where the manifold has one; else for 0 ≤ t ≤ 1 by collocation to 1e-8 of its length (in float32 1000 ε), NaN at
    other times.

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        If that accuracy is not reached.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> p, q = M.theta_from(rate=[1.0, 9.0])
    >>> r = ig.riemannian_geodesic(M, p, q, 0.5)
    >>> M.to_eta(r).round(9)  # ((√1 + √9) / 2)²
    array([4.])
    """
    return M.geodesic(M.domain.require("theta_p", theta_p), M.domain.require("theta_q", theta_q), t)


@takes(Riemannian)
def riemannian_distance(M: Riemannian, theta_p: Array, theta_q: Array) -> Array:
    """The length of the shortest path between p and q, shape (...); in a statistical model the Fisher–Rao distance.

    In closed form where the manifold has one, else by collocation to a relative 1e-8 (in float32 1000 ε).

    Shapes: θ_p, θ_q (..., d); batches broadcast.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        If that accuracy is not reached.

    Source: Rao, Information and the accuracy attainable in the estimation of statistical parameters (1945).

    Examples
    --------
    >>> M = ig.Categorical(2)
    >>> p, q = M.theta_from(probabilities=[[0.5, 0.5], [0.9, 0.1]])
    >>> d = ig.riemannian_distance(M, p, q)
    >>> float(d.round(4))  # 2 arccos(√(0.5 · 0.9) + √(0.5 · 0.1))
    0.9273
    """
    return M.distance(M.domain.require("theta_p", theta_p), M.domain.require("theta_q", theta_q))


@takes(Riemannian)
def exp_map(M: Riemannian, theta_p: Array, vector: Array) -> Array:
    """The point at time 1 of the geodesic of the metric that starts at p with this velocity, shape (..., d).

    Shapes: θ_p, v (..., d).

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        In numeric form, if the geodesic leaves the domain before, or 1e-8 of its length is not reached.

    Examples
    --------
    >>> M = ig.Poisson()  # of arc length 2 √η
    >>> M.to_eta(ig.exp_map(M, [0.0], [2.0])).round(9)  # (1 + 2 / 2)²
    array([4.])
    """
    return M.exp(M.domain.require("theta_p", theta_p), vector)


@takes(Riemannian)
def log_map(M: Riemannian, theta_p: Array, theta_q: Array) -> Array:
    """The velocity at p of the geodesic of the metric from p to q, shape (..., d): the inverse of `exp_map`, of length d(p, q).

    Shapes: θ_p, θ_q (..., d).

    Raises
    ------
    DomainError, ShapeError, ConvergenceError
        As `riemannian_distance`.

    Examples
    --------
    >>> M = ig.Poisson()  # of arc length 2 √η
    >>> ig.log_map(M, [0.0], [np.log(4.0)]).round(9)  # 2 (√4 − √1)
    array([2.])
    """
    return M.log(M.domain.require("theta_p", theta_p), M.domain.require("theta_q", theta_q))
