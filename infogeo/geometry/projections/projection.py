"""Projections onto flat sets: the m-projection, and the e-projection as that of the dual manifold."""
import numpy as np

from ...arrays.tracing import is_traced
from ...backend import Array, arrays
from ...errors import takes
from ..manifolds.manifold import DuallyFlat
from .flat_sets import FlatSet, required_point

__all__ = ["e_project", "m_project"]


@takes(DuallyFlat, onto=FlatSet)
def m_project(M: DuallyFlat, theta_p: Array, onto: FlatSet) -> Array:
    """The m-projection of p onto an e-flat set: argmin over q in `onto` of D(p‖q), in primal coordinates.

    Mathematically, η_p − η_q is orthogonal to a submanifold; D(p‖r) = D(p‖q) + D(q‖r) for every r in it (Pythagoras), and
    D(p‖r) ≥ D(p‖q) + D(q‖r) in a set with inequalities. In an exponential family it matches the moments along the submanifold.

    Parameters
    ----------
    M : DuallyFlat
    theta_p : array, shape (..., d)
    onto : FlatSet
        `AffineSubmanifold` (its origin in the domain), `AffineConstraints`, `Halfspaces` or an `Intersection` of these, in primal
        coordinates of M.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain, and for a set that meets the boundary of the domain only, where the projection is a limit,
        or no point of its closure: that is found out where the domain is a polyhedron, as the expectations of finitely many
        states and the quadrants are.
    ConvergenceError
        If the minimum is not attained, or not to 1000 ε; for one, because no point of another domain is in the set.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.4.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> equal = ig.AffineSubmanifold([0.0, 0.0], [[1.0, 1.0]])  # p₁ = p₂
    >>> p, r = M.theta_from(probabilities=[0.5, 0.1, 0.4]), np.ones(2)
    >>> q = ig.m_project(M, p, onto=equal)
    >>> M.parameters(q)["probabilities"].round(6)
    array([0.3, 0.3, 0.4])
    >>> np.allclose(M.kl(p, r), M.kl(p, q) + M.kl(q, r))  # Pythagoras
    True
    """
    return onto.nearest(M, required_point(M, "theta_p", theta_p, onto))


@takes(DuallyFlat, onto=FlatSet)
def e_project(M: DuallyFlat, theta_p: Array, onto: FlatSet) -> Array:
    """The e-projection of p onto an m-flat set: argmin over q in `onto` of D(q‖p), in primal coordinates.

    Mathematically, the m-projection on ``M.dual``; in an exponential family the I-projection, an exponential tilting. Onto a face
    of a family of outcomes or counts, where some η_i are 0, it is the law given that these outcomes do not come: θ_i = −∞.

    Parameters
    ----------
    M : DuallyFlat
    theta_p : array, shape (..., d)
    onto : FlatSet
        As for `m_project`, in dual coordinates η of M, where an m-flat set is affine.

    Raises
    ------
    DomainError, ShapeError, ConvergenceError
        As `m_project`.

    Source: Csiszár, I-divergence geometry of probability distributions, Ann. Probab. 3 (1975).

    Examples
    --------
    >>> M = ig.Categorical(6)  # a die of mean 4.5 (Jaynes)
    >>> mean = ig.AffineConstraints([[-5.0, -4.0, -3.0, -2.0, -1.0]], [4.5 - 6])
    >>> q = ig.e_project(M, np.zeros(5), onto=mean)
    >>> M.parameters(q)["probabilities"].round(3)
    array([0.054, 0.079, 0.114, 0.165, 0.24 , 0.347])
    """
    theta_p = required_point(M, "theta_p", theta_p, onto)
    if M.has_limits and (face := onto.face()) is not None:
        xp, theta_p = arrays(theta_p)
        theta = xp.where(xp.asarray(face), xp.asarray(-np.inf, dtype=theta_p.dtype), theta_p)
        there = getattr(M, "theta_closure").contains(theta)         # η_i = 0 is a face of some factors of a product only
        if is_traced(xp, there):
            found = M.to_theta(m_project(M.dual, M.to_eta(theta_p), onto))
            return xp.where(there[..., None], theta, found)
        if xp.all(there):
            return theta
    return M.to_theta(m_project(M.dual, M.to_eta(theta_p), onto))
