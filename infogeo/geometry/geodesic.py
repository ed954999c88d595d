"""Geodesics of the two flat connections. Points are primal coordinates of the manifold that comes first."""
from ..backend import arrays

__all__ = ["e_geodesic", "m_geodesic"]


def e_geodesic(M, theta_p, theta_q, t):
    """The point at time t on the e-geodesic from p (t = 0) to q (t = 1), in primal coordinates, shape (..., d).

    Mathematically, θ(t) = (1 − t) θ_p + t θ_q: a straight line in the chart θ; in an exponential family the normalised
    geometric mixture.

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch.
    Domain: any t for which the point stays in the domain; in [0, 1] it always does.
    """
    M.point(theta_p, theta_q)
    _, theta_p, theta_q, t = arrays(theta_p, theta_q, t)
    t = t[..., None]
    return (1.0 - t) * theta_p + t * theta_q


def m_geodesic(M, theta_p, theta_q, t):
    """The point at time t on the m-geodesic from p (t = 0) to q (t = 1), in primal coordinates, shape (..., d).

    Mathematically, η(t) = (1 − t) η_p + t η_q: a straight line in the chart η, that is, the e-geodesic of ``M.dual``; in an
    exponential family the moments of the mixture.

    Shapes: θ_p, θ_q (..., d); t (...), which broadcasts with the batch.
    Domain: any t for which the point stays in the domain; in [0, 1] it always does.
    """
    return M.to_theta(e_geodesic(M.dual, M.to_eta(theta_p), M.to_eta(theta_q), t))
