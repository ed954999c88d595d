"""Projections onto sets that are flat in a chart: affine submanifolds, linear constraints and inequalities, intersections."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import arrays, to_numpy
from ...errors import DomainError, ShapeError
from ...numerics.interior_point import minimize_within
from ...numerics.linalg import matvec, solve
from ...numerics.newton import minimize

__all__ = ["AffineConstraints", "AffineSubmanifold", "FlatSet", "Halfspaces", "Intersection", "e_project", "m_project"]


class FlatSet(ABC):
    """A convex set of a chart that linear equations and inequalities describe: e-flat where the chart is θ, m-flat where it is η.

    Mathematically, the points x with C x = d and A x ≤ b.
    """

    @abstractmethod
    def equations(self):
        """``(C, d)``, shapes (k, d) and (..., k)."""

    @abstractmethod
    def inequalities(self):
        """``(A, b)``, shapes (n, d) and (..., n)."""

    def nearest(self, M, theta_p):
        """The m-projection of points of the domain: argmin over q in the set of D(p‖q), in primal coordinates.

        Mathematically, η_q = η_p − Cᵀv − Aᵀu with multipliers v, and u ≥ 0, that minimise D(q‖p) + v·(d − C θ_p) + u·(b − A θ_p):
        by Newton's method, with inequalities by an interior-point method.
        """
        (C, d), (A, b) = self.equations(), self.inequalities()
        if C.shape[-1] != M.dim:
            raise ShapeError(f"{M!r} takes sets of dimension {M.dim}; got one of dimension {C.shape[-1]}")
        xp, theta_p, C, d, A, b = arrays(theta_p, C, d, A, b)
        batch = np.broadcast_shapes(theta_p.shape[:-1], d.shape[:-1], b.shape[:-1])
        theta_p = xp.broadcast_to(theta_p, (*batch, M.dim))
        C, d = _independent(xp, C, xp.broadcast_to(d, (*batch, C.shape[0])))
        if A.shape[0] == C.shape[0] == 0:
            return theta_p
        if A.shape[0] == 0:
            return _by_multipliers(xp, M, theta_p, C, d)
        return _within(xp, M, theta_p, (A, xp.broadcast_to(b, (*batch, A.shape[0]))), (C, d))


@dataclass(frozen=True, eq=False)
class AffineSubmanifold(FlatSet):
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

    def equations(self):
        """The orthogonal complement of the basis is constant: N x = N origin."""
        xp, origin, basis = arrays(self.origin, self.basis)
        normals = np.linalg.svd(to_numpy(basis), full_matrices=True)[2][self.dim:]
        normals = xp.asarray(normals, dtype=basis.dtype)
        return normals, matvec(xp, normals, origin)

    def inequalities(self):
        return _nothing(self.origin)

    def nearest(self, M, theta_p):
        """By Newton's method in the coordinates u of the submanifold."""
        origin = M.domain.require("onto.origin", self.origin)
        xp, theta_p, origin, basis = arrays(theta_p, origin, self.basis)
        eta_p = M.to_eta(theta_p)
        batch = np.broadcast_shapes(theta_p.shape[:-1], origin.shape[:-1])
        start = xp.zeros((*batch, self.dim), dtype=theta_p.dtype)
        along = xp.sqrt(xp.sum(basis * basis, axis=-1))

        def hessian_solve(u, gradient):
            theta = self.embed(u)[..., None, :]
            hessian = xp.matmul(M.flat(theta, xp.broadcast_to(basis, (*batch, *basis.shape))), xp.matrix_transpose(basis))
            return solve(xp, hessian, gradient)

        u = minimize(
            xp, start, name="projection",
            value=lambda u: M.potential(self.embed(u)) - xp.sum(eta_p * self.embed(u), axis=-1),
            gradient=lambda u: matvec(xp, basis, M.to_eta(self.embed(u)) - eta_p),
            solve=hessian_solve,
            contains=lambda u: M.domain.contains(self.embed(u)),
            scale=xp.max(along) * (1.0 + xp.max(xp.abs(eta_p), axis=-1) + xp.zeros(batch, dtype=theta_p.dtype)))
        return self.embed(u)


class _Linear(FlatSet):
    """Rows `normals` (k, d) of linear forms with values `offsets` (..., k)."""

    normals: Any
    offsets: Any

    def __post_init__(self):
        _, normals, offsets = arrays(self.normals, self.offsets)
        if normals.ndim != 2 or offsets.ndim == 0 or normals.shape[0] != offsets.shape[-1] or normals.shape[0] == 0:
            got = f"{tuple(normals.shape)} and {tuple(offsets.shape)}"
            raise ShapeError(f"normals must have shape (k, d) and offsets (..., k), k >= 1; got {got}")
        size = np.max(np.abs(to_numpy(normals)), axis=-1)
        bad = ~((size > 0) & np.isfinite(size))
        if bad.any():
            raise DomainError(f"normals must satisfy: rows finite and not zero; {int(bad.sum())} of {bad.size} do not, first at "
                              f"index ({int(np.argwhere(bad)[0, 0])},)")
        object.__setattr__(self, "normals", normals)
        object.__setattr__(self, "offsets", offsets)


@dataclass(frozen=True, eq=False)
class AffineConstraints(_Linear):
    """The points x of a chart with N x = b: in the chart η, the distributions with given expectations.

    Parameters
    ----------
    normals : array, shape (k, d)
        Rows may depend on each other, as the row and column sums of a table do.
    offsets : array, shape (..., k)

    Raises
    ------
    ShapeError, DomainError
        If the shapes do not fit, or a row is zero. A projection raises a DomainError if dependent rows contradict each other.
    """

    normals: Any
    offsets: Any

    def equations(self):
        return self.normals, self.offsets

    def inequalities(self):
        return _nothing(self.normals)


@dataclass(frozen=True, eq=False)
class Halfspaces(_Linear):
    """The points x of a chart with N x ≤ b, row by row.

    Parameters
    ----------
    normals : array, shape (n, d)
    offsets : array, shape (..., n)

    Raises
    ------
    ShapeError, DomainError
        If the shapes do not fit, or a row is zero.
    """

    normals: Any
    offsets: Any

    def equations(self):
        return _nothing(self.normals)

    def inequalities(self):
        return self.normals, self.offsets


class Intersection(FlatSet):
    """The points that lie in each of several flat sets of one chart.

    Parameters
    ----------
    *parts : FlatSet
        Of one dimension d; their batches broadcast.
    """

    def __init__(self, *parts):
        widths = {part.equations()[0].shape[1] for part in parts}
        if len(widths) != 1:
            raise ShapeError(f"the parts of an intersection must be sets of one dimension; got {sorted(widths) or 'none'}")
        self.parts = parts

    def equations(self):
        return _stacked([part.equations() for part in self.parts])

    def inequalities(self):
        return _stacked([part.inequalities() for part in self.parts])


def _nothing(like):
    """No rows at all."""
    xp, like = arrays(like)
    return xp.zeros((0, like.shape[-1]), dtype=like.dtype), xp.zeros((0,), dtype=like.dtype)


def _stacked(pairs):
    xp, *flat = arrays(*(array for pair in pairs for array in pair))
    normals, offsets = flat[::2], flat[1::2]
    batch = np.broadcast_shapes(*(b.shape[:-1] for b in offsets))
    return xp.concat(normals, axis=0), xp.concat([xp.broadcast_to(b, (*batch, b.shape[-1])) for b in offsets], axis=-1)


def _independent(xp, C, d):
    """The equations C x = d with orthonormal rows in the place of dependent ones, which must not contradict each other."""
    u, singular, rows = np.linalg.svd(to_numpy(C).astype(float), full_matrices=False)
    eps = float(xp.finfo(d.dtype).eps)
    rank = int(np.sum(singular > max(C.shape) * eps * singular.max(initial=0.0)))
    spare = np.linalg.svd(u[:, :rank], full_matrices=True)[0][:, rank:]
    host = to_numpy(d)
    contradiction = np.max(np.abs(host @ spare), axis=-1, initial=0.0)
    bad = contradiction > 100 * max(C.shape) * eps * (np.max(np.abs(host), axis=-1, initial=0.0))
    if np.any(bad):
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DomainError(
            f"the equations must satisfy: dependent rows agree; {int(bad.sum())} of {bad.size} do not, first at index {first}: "
            f"they miss each other by {contradiction[first]:.3g}")
    turn = xp.asarray((u[:, :rank] / singular[:rank]).T, dtype=d.dtype)
    return xp.asarray(rows[:rank], dtype=d.dtype), matvec(xp, turn, d)


def _dual_problem(xp, M, theta_p, rows, offsets):
    """What the multipliers u of forms N θ_q = b, or ≤ b, minimise: with η_q = η_p − Nᵀu, D(q‖p) + u·(b − N θ_p).

    Its gradient is b − N θ_q, its Hessian N G⁻¹ Nᵀ.
    """
    eta_p, left = M.to_eta(theta_p), offsets - matvec(xp, rows, theta_p)
    eta = lambda u: eta_p - xp.matmul(u[..., None, :], rows)[..., 0, :]
    wide = xp.broadcast_to(rows, (*theta_p.shape[:-1], *rows.shape))
    point = lambda u: M.to_theta(eta(u))
    return point, {
        "value": lambda u: M.dual.divergence(eta_p, eta(u)) + xp.sum(u * left, axis=-1),      # an e-projection needs no to_theta
        "gradient": lambda u: left - matvec(xp, rows, point(u) - theta_p),
        "hessian": lambda u: xp.matmul(M.dual_flat(eta(u)[..., None, :], wide), xp.matrix_transpose(rows)),
        "contains": lambda u: M.dual.domain.contains(eta(u))}


def _by_multipliers(xp, M, theta_p, C, d):
    """argmin D(p‖q) subject to C θ_q = d, with orthonormal rows, by Newton's method."""
    point, problem = _dual_problem(xp, M, theta_p, C, d)
    hessian = problem.pop("hessian")
    u = minimize(
        xp, xp.zeros_like(d), name="projection", solve=lambda u, gradient: solve(xp, hessian(u), gradient),
        scale=1.0 + xp.max(xp.abs(d), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), **problem)
    return point(u)


def _within(xp, M, theta_p, halfspaces, equations):
    """argmin D(p‖q) subject to A θ_q ≤ b and C θ_q = d, with u ≥ 0 for A; a point that lies there is its own projection."""
    (A, b), (C, d) = halfspaces, equations
    length = xp.sqrt(xp.sum(A * A, axis=-1))
    A, b = A / length[:, None], b / length
    n, rows = A.shape[0], xp.concat([A, C], axis=0)
    point, problem = _dual_problem(xp, M, theta_p, rows, xp.concat([b, d], axis=-1))
    origin = xp.zeros((*theta_p.shape[:-1], rows.shape[0]), dtype=theta_p.dtype)
    gap = problem["gradient"](origin)
    reach = xp.max(xp.abs(gap), axis=-1)
    reach = xp.where(reach > 0, reach, xp.ones_like(reach))
    softness = xp.max(xp.sum(problem["hessian"](origin) * xp.eye(rows.shape[0], dtype=A.dtype), axis=-1), axis=-1)
    start, positive = reach / softness, xp.concat([xp.ones_like(b), xp.zeros_like(d)], axis=-1)
    for _ in range(200):                       # multipliers that are small enough keep the point in the domain
        inside = problem["contains"](start[..., None] * positive)
        if xp.all(inside):
            break
        start = xp.where(inside, start, 0.5 * start)
    u, _ = minimize_within(
        xp, start[..., None] * positive, name="projection", slack=start[..., None] * xp.ones_like(b),
        multipliers=reach[..., None] * xp.ones_like(b), normals=-xp.eye(rows.shape[0], dtype=A.dtype)[:n, :],
        scale=(1.0 + xp.max(xp.abs(b), axis=-1) + xp.max(xp.abs(theta_p), axis=-1), reach / softness), **problem)
    there = xp.all(gap[..., :n] >= 0, axis=-1) & xp.all(gap[..., n:] == 0, axis=-1)
    return xp.where(there[..., None], theta_p, point(u))


def m_project(M, theta_p, onto):
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
        For a point outside the domain.
    ConvergenceError
        If the minimum is not attained, or not to 1000 ε; for one, because no point of the domain is in the set.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.4.
    """
    return onto.nearest(M, M.domain.require("theta_p", theta_p))


def e_project(M, theta_p, onto):
    """The e-projection of p onto an m-flat set: argmin over q in `onto` of D(q‖p), in primal coordinates.

    Mathematically, the m-projection on ``M.dual``; in an exponential family the I-projection, an exponential tilting.

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
    """
    theta_p = M.domain.require("theta_p", theta_p)
    return M.to_theta(m_project(M.dual, M.to_eta(theta_p), onto))
