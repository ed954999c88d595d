"""Projections onto affine submanifolds of a dually flat manifold."""
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import arrays, to_numpy
from ..errors import DomainError, ShapeError
from ..linalg import matvec, solve
from ..newton import minimize

__all__ = ["AffineSubmanifold", "e_project", "m_project"]


@dataclass(frozen=True, eq=False)
class AffineSubmanifold:
    """The points origin + Σ u_a basis_a of a chart, u in R^m: e-flat where the chart is θ, m-flat where it is η.

    Parameters
    ----------
    origin : array, shape (..., d)
        A point of the submanifold, in the domain of the manifold's chart.
    basis : array, shape (m, d)
        Linearly independent directions.

    Raises
    ------
    ShapeError, DomainError
        If the shapes do not fit, or the directions are dependent.
    """

    origin: Any
    basis: Any

    def __post_init__(self):
        _, origin, basis = arrays(self.origin, self.basis)
        if basis.ndim != 2 or origin.ndim == 0 or basis.shape[1] != origin.shape[-1]:
            got = f"{tuple(basis.shape)} and {tuple(origin.shape)}"
            raise ShapeError(f"basis must have shape (m, d) and origin (..., d); got {got}")
        rank = np.linalg.matrix_rank(to_numpy(basis))
        if rank < basis.shape[0]:
            raise DomainError(f"basis must satisfy: rows linearly independent; {basis.shape[0]} rows have rank {rank}")
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "basis", basis)

    @property
    def dim(self):
        return self.basis.shape[0]

    def embed(self, u):
        """origin + uᵀ basis, shape (..., m) to (..., d)."""
        xp, origin, basis, u = arrays(self.origin, self.basis, u)
        return origin + xp.matmul(u[..., None, :], basis)[..., 0, :]


def m_project(M, theta_p, onto):
    """The m-projection of p onto an e-flat submanifold: argmin over q in `onto` of D(p‖q), in primal coordinates.

    Mathematically, η_p − η_q is orthogonal to the submanifold; D(p‖r) = D(p‖q) + D(q‖r) for every r in it (Pythagoras). In
    an exponential family it matches the moments along the basis.

    Parameters
    ----------
    M : DuallyFlat
    theta_p : array, shape (..., d)
    onto : AffineSubmanifold
        In primal coordinates of M; its origin in the domain.

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain.
    ConvergenceError
        If the minimum is not attained, or not to 1000 ε.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.4.
    """
    theta_p, origin = M.domain.require("theta_p", theta_p), M.domain.require("onto.origin", onto.origin)
    xp, theta_p, origin, basis = arrays(theta_p, origin, onto.basis)
    eta_p = M.to_eta(theta_p)
    batch = np.broadcast_shapes(theta_p.shape[:-1], origin.shape[:-1])
    start = xp.zeros((*batch, onto.dim), dtype=theta_p.dtype)
    along = xp.sqrt(xp.sum(basis * basis, axis=-1))

    def hessian_solve(u, gradient):
        theta = onto.embed(u)[..., None, :]
        hessian = xp.matmul(M.flat(theta, xp.broadcast_to(basis, (*batch, *basis.shape))), xp.matrix_transpose(basis))
        return solve(xp, hessian, gradient)

    u = minimize(
        xp, start, name="projection",
        value=lambda u: M.potential(onto.embed(u)) - xp.sum(eta_p * onto.embed(u), axis=-1),
        gradient=lambda u: matvec(xp, basis, M.to_eta(onto.embed(u)) - eta_p),
        solve=hessian_solve,
        contains=lambda u: M.domain.contains(onto.embed(u)),
        scale=xp.max(along) * (1.0 + xp.max(xp.abs(eta_p), axis=-1) + xp.zeros(batch, dtype=theta_p.dtype)))
    return onto.embed(u)


def e_project(M, theta_p, onto):
    """The e-projection of p onto an m-flat submanifold: argmin over q in `onto` of D(q‖p), in primal coordinates.

    Mathematically, the m-projection on ``M.dual``; in an exponential family the I-projection, an exponential tilting.

    Parameters
    ----------
    M : DuallyFlat
    theta_p : array, shape (..., d)
    onto : AffineSubmanifold
        In dual coordinates η of M, where an m-flat submanifold is affine.

    Raises
    ------
    DomainError, ShapeError, ConvergenceError
        As `m_project`.

    Source: Csiszár, I-divergence geometry of probability distributions, Ann. Probab. 3 (1975).
    """
    theta_p = M.domain.require("theta_p", theta_p)
    return M.to_theta(m_project(M.dual, M.to_eta(theta_p), onto))
