"""Sets that are flat in a chart: affine submanifolds, linear constraints and inequalities, intersections."""
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...arrays.joined import gathered, joined, listed
from ...arrays.kept import kept
from ...arrays.tracing import ruled
from ...backend import Array, arrays, backend_of
from ...errors import ShapeError, require, takes
from ...numerics.linalg import matvec, solve
from ...numerics.newton import minimize
from ..manifolds.manifold import DuallyFlat
from .multipliers import nearest, numbers
from .rules import of_submanifold

__all__ = ["AffineConstraints", "AffineSubmanifold", "FlatSet", "Halfspaces", "Intersection", "required_point"]


class FlatSet(ABC):
    """A convex set of a chart that linear equations and inequalities describe: e-flat where the chart is θ, m-flat where it is η.

    Mathematically, the points x with C x = d and A x ≤ b.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> half = ig.AffineConstraints([[1.0, 0.0]], [0.5])  # η₁ = ½: m-flat
    >>> p = M.theta_from(probabilities=[0.2, 0.6, 0.2])
    >>> M.to_eta(ig.e_project(M, p, onto=half)).round(6)
    array([0.5  , 0.375])
    """

    @abstractmethod
    def equations(self) -> tuple[Array, Array]:
        """``(C, d)``, shapes (k, d) and (..., k)."""

    @abstractmethod
    def inequalities(self) -> tuple[Array, Array]:
        """``(A, b)``, shapes (n, d) and (..., n)."""

    def face(self) -> Any:
        """Which coordinates are 0, shape (d,), if that is all that the set says, in numbers that are there; else None."""
        (C, d), (A, _) = self.equations(), self.inequalities()
        C, d = numbers(C), numbers(d)
        if C is None or d is None:
            return None
        single = A.shape[0] == 0 and C.shape[0] > 0 and not d.any() and bool(np.all(np.sum(C != 0, axis=1) == 1))
        return np.any(C != 0, axis=0) if single else None

    def nearest(self, M: DuallyFlat, theta_p: Array) -> Array:
        """The m-projection of points of the domain: argmin over q in the set of D(p‖q), in primal coordinates.

        Mathematically, η_q = η_p − Cᵀv − Aᵀu with multipliers v, and u ≥ 0, that minimise D(q‖p) + v·(d − C θ_p) + u·(b − A θ_p):
        by Newton's method, with inequalities by an interior-point method.
        """
        return nearest(M, theta_p, self.equations(), self.inequalities())


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

    Examples
    --------
    >>> M = ig.Normal()
    >>> unit = ig.AffineSubmanifold([0.0, -0.5], [[1.0, 0.0]])           # variance 1
    >>> ig.m_project(M, M.theta_from(mean=3.0, variance=2.0), onto=unit).round(6)
    array([ 3. , -0.5])
    """

    origin: Any
    basis: Any

    def __post_init__(self) -> None:
        _, origin, basis = gathered(self.origin, self.basis)
        if basis.ndim != 2 or origin.ndim == 0 or basis.shape[1] != origin.shape[-1]:
            got = f"{tuple(basis.shape)} and {tuple(origin.shape)}"
            raise ShapeError(f"basis must have shape (m, d) and origin (..., d); got {got}")
        if (host := numbers(self.basis)) is not None:
            rank = np.linalg.matrix_rank(host)
            require("basis", f"rank = {basis.shape[0]}, the number of its rows", rank == basis.shape[0], rank)
        object.__setattr__(self, "origin", kept(origin))
        object.__setattr__(self, "basis", kept(basis))

    def face(self) -> Any:
        return None if numbers(self.basis) is None else super().face()       # its normals have no derivative on JAX

    @property
    def dim(self) -> int:
        return int(self.basis.shape[0])

    def embed(self, u: Array) -> Array:
        """origin + uᵀ basis, shape (..., m) to (..., d). Raises ShapeError."""
        xp, u, origin, basis = joined(u, self.origin, self.basis)
        if u.ndim == 0 or u.shape[-1] != self.dim:
            raise ShapeError(f"u must have shape (..., {self.dim}); got {tuple(u.shape)}")
        return origin + xp.matmul(u[..., None, :], basis)[..., 0, :]

    def equations(self) -> tuple[Array, Array]:
        """The orthogonal complement of the basis is constant: N x = N origin."""
        xp, origin, basis = arrays(self.origin, self.basis)
        host = numbers(basis)
        turned = xp.linalg.svd(basis, full_matrices=True) if host is None else np.linalg.svd(host, full_matrices=True)
        normals = xp.asarray(turned[2][self.dim:, :], dtype=basis.dtype)
        return normals, matvec(xp, normals, origin)

    def inequalities(self) -> tuple[Array, Array]:
        return _nothing(self.origin)

    def nearest(self, M: DuallyFlat, theta_p: Array) -> Array:
        """By Newton's method in the coordinates u of the submanifold."""
        origin = M.domain.require("onto.origin", self.origin)
        xp, theta_p, origin, basis = joined(theta_p, origin, self.basis)
        return ruled(xp, partial(_along, M), partial(of_submanifold, M), theta_p, origin, basis)[..., :M.dim]


def _along(M: DuallyFlat, theta_p: Array, origin: Array, basis: Array) -> Array:
    """(q, u) in one array: the m-projection q = origin + uᵀ basis and its coordinates."""
    xp, eta_p = backend_of(theta_p), M.to_eta(theta_p)
    batch = np.broadcast_shapes(theta_p.shape[:-1], origin.shape[:-1])
    start = xp.zeros((*batch, basis.shape[0]), dtype=theta_p.dtype)
    length = xp.sqrt(xp.sum(basis * basis, axis=-1))
    point: Callable[[Array], Array] = lambda u: origin + xp.matmul(u[..., None, :], basis)[..., 0, :]

    def hessian_solve(u: Array, gradient: Array) -> Array:
        lowered = M.flat(point(u)[..., None, :], xp.broadcast_to(basis, (*batch, *basis.shape)))
        return solve(xp, xp.matmul(lowered, xp.matrix_transpose(basis)), gradient)

    u = minimize(
        xp, start, name="projection",
        value=lambda u: M.potential(point(u)) - xp.sum(eta_p * point(u), axis=-1),
        gradient=lambda u: matvec(xp, basis, M.to_eta(point(u)) - eta_p),
        solve=hessian_solve,
        contains=lambda u: M.domain.contains(point(u)),
        scale=xp.max(length) * (1.0 + xp.max(xp.abs(eta_p), axis=-1) + xp.zeros(batch, dtype=theta_p.dtype)))
    return xp.concat([point(u), u], axis=-1)


class _Linear(FlatSet):
    """Rows `normals` (k, d) of linear forms with values `offsets` (..., k)."""

    normals: Any
    offsets: Any

    def __post_init__(self) -> None:
        _, normals, offsets = gathered(self.normals, self.offsets)
        if normals.ndim != 2 or offsets.ndim == 0 or normals.shape[0] != offsets.shape[-1] or normals.shape[0] == 0:
            got = f"{tuple(normals.shape)} and {tuple(offsets.shape)}"
            raise ShapeError(f"normals must have shape (k, d) and offsets (..., k), k >= 1; got {got}")
        if (host := numbers(self.normals)) is not None:
            size = np.max(np.abs(host), axis=-1)
            require("normals", "rows finite and not zero", (size > 0) & np.isfinite(size), self.normals)
        object.__setattr__(self, "normals", kept(normals))
        object.__setattr__(self, "offsets", kept(offsets))


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

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> fair = M.theta_from(probabilities=[1 / 3] * 3)
    >>> M.to_eta(ig.e_project(M, fair, onto=ig.AffineConstraints([[1.0, 1.0]], [0.9]))).round(4)
    array([0.45, 0.45])
    """

    normals: Any
    offsets: Any

    def equations(self) -> tuple[Array, Array]:
        return self.normals, self.offsets

    def inequalities(self) -> tuple[Array, Array]:
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

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> fair = M.theta_from(probabilities=[1 / 3] * 3)
    >>> M.to_eta(ig.e_project(M, fair, onto=ig.Halfspaces([[1.0, 0.0]], [0.2]))).round(4)
    array([0.2, 0.4])
    """

    normals: Any
    offsets: Any

    def equations(self) -> tuple[Array, Array]:
        return _nothing(self.normals)

    def inequalities(self) -> tuple[Array, Array]:
        return self.normals, self.offsets


class Intersection(FlatSet):
    """The points that lie in each of several flat sets of one chart.

    Parameters
    ----------
    *parts : FlatSet
        Of one dimension d; their batches broadcast.

    Examples
    --------
    >>> M, half = ig.Categorical(3), ig.AffineConstraints([[1.0, 0.0]], [0.5])
    >>> both = ig.Intersection(half, ig.Halfspaces([[0.0, 1.0]], [0.2]))
    >>> M.to_eta(ig.e_project(M, np.zeros(2), onto=both)).round(6)
    array([0.5, 0.2])
    """

    @takes(parts=FlatSet)
    def __init__(self, *parts: FlatSet) -> None:
        widths = {part.equations()[0].shape[1] for part in parts}
        if len(widths) != 1:
            raise ShapeError(f"the parts of an intersection must be sets of one dimension; got {sorted(widths) or 'none'}")
        self.parts = parts

    def equations(self) -> tuple[Array, Array]:
        return _stacked([part.equations() for part in self.parts])

    def inequalities(self) -> tuple[Array, Array]:
        return _stacked([part.inequalities() for part in self.parts])


def required_point(M: DuallyFlat, name: str, theta: Any, *sets: FlatSet) -> Array:
    """A point of the domain of M; a list becomes an array of the library of the sets, where they have tensors.

    Raises
    ------
    DomainError, ShapeError
    """
    return M.domain.require(name, listed(theta, *sets))


def _nothing(like: Array) -> tuple[Array, Array]:
    """No rows at all."""
    xp, like = arrays(like)
    return xp.zeros((0, like.shape[-1]), dtype=like.dtype), xp.zeros((0,), dtype=like.dtype)


def _stacked(pairs: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    xp, *flat = gathered(*(array for pair in pairs for array in pair))
    normals, offsets = flat[::2], flat[1::2]
    batch = np.broadcast_shapes(*(b.shape[:-1] for b in offsets))
    return xp.concat(normals, axis=0), xp.concat([xp.broadcast_to(b, (*batch, b.shape[-1])) for b in offsets], axis=-1)
