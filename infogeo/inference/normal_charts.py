"""Normal families as q: mean, root and covector from expected gradients and Hessians, the packing of each done once, here."""
from abc import ABC, abstractmethod
from typing import Any

from ..backend import Array, Namespace
from ..families.diagonal_normal import DiagonalNormal
from ..families.isotropic_normal import IsotropicNormal
from ..families.multivariate_normal import MultivariateNormal
from ..families.normal import Normal
from ..numerics.linalg import cholesky, matvec
from ..numerics.packing import pack

__all__ = ["NormalChart", "normal_chart"]


class NormalChart(ABC):
    """What expectations need of a normal family on R^p whose η are the mean and a part of E[zzᵀ].

    Mathematically, dE[g] = E[∇g]·dm + ½ tr(E[∇²g] dΣ) (Bonnet, Price), with dΣ of the chart η.
    """

    needs_diagonal: bool = False        # whether of a Hessian its diagonal is enough

    def __init__(self, q: Any) -> None:
        self.q, self.p = q, getattr(q, "p", 1)

    @abstractmethod
    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """(m, R) with z = m + R u for a white u; what R is, the other methods know."""

    @abstractmethod
    def scaled(self, xp: Namespace, root: Array, u: Array) -> Array:
        """R u, shape (..., p)."""

    @abstractmethod
    def deviations(self, xp: Namespace, root: Array, rows: Array) -> Array:
        """√(xᵀΣx) of every row x of (n, p), shape (..., n)."""

    @abstractmethod
    def of_matrix(self, xp: Namespace, mean: Array, gradient: Array, hessian: Array) -> Array:
        """The differential in η from E[∇g] (..., p) and E[∇²g] (..., p, p)."""

    @abstractmethod
    def of_rows(self, xp: Namespace, mean: Array, gradient: Array, rows: Array, weights: Array) -> Array:
        """The same where E[∇²g] = Σ w_i x_i x_iᵀ, rows (n, p), w (..., n)."""

    def of_diagonal(self, xp: Namespace, mean: Array, gradient: Array, diagonal: Array) -> Array:
        """The same from the diagonal of E[∇²g] (..., p), where that is enough."""
        raise TypeError(f"{self.q!r} needs the whole Hessian")

    def observed(self, z: Array) -> Array:
        """Points (..., p) as observations of q."""
        return z


class _Full(NormalChart):

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        found = self.q.parameters(theta)
        return found["mean"], cholesky(xp, found["covariance"])

    def scaled(self, xp: Namespace, root: Array, u: Array) -> Array:
        return matvec(xp, root, u)

    def deviations(self, xp: Namespace, root: Array, rows: Array) -> Array:
        along = xp.matmul(rows, root)
        return xp.sqrt(xp.sum(along * along, axis=-1))

    def of_matrix(self, xp: Namespace, mean: Array, gradient: Array, hessian: Array) -> Array:
        return xp.concat([gradient - matvec(xp, hessian, mean), 0.5 * pack(hessian)], axis=-1)

    def of_rows(self, xp: Namespace, mean: Array, gradient: Array, rows: Array, weights: Array) -> Array:
        return self.of_matrix(xp, mean, gradient, xp.matmul(rows.T, weights[..., None] * rows))


class _Diagonal(NormalChart):

    needs_diagonal = True

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        found = self.q.parameters(theta)
        return found["mean"], xp.sqrt(found["variance"])

    def scaled(self, xp: Namespace, root: Array, u: Array) -> Array:
        return root * u

    def deviations(self, xp: Namespace, root: Array, rows: Array) -> Array:
        return xp.sqrt(matvec(xp, rows * rows, root * root))

    def of_matrix(self, xp: Namespace, mean: Array, gradient: Array, hessian: Array) -> Array:
        return self.of_diagonal(xp, mean, gradient, xp.linalg.diagonal(hessian))

    def of_rows(self, xp: Namespace, mean: Array, gradient: Array, rows: Array, weights: Array) -> Array:
        return self.of_diagonal(xp, mean, gradient, matvec(xp, (rows * rows).T, weights))

    def of_diagonal(self, xp: Namespace, mean: Array, gradient: Array, diagonal: Array) -> Array:
        return xp.concat([gradient - diagonal * mean, 0.5 * diagonal], axis=-1)


class _Scalar(_Diagonal):
    """The normal family on the line, whose observations have no axis."""

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        mean, root = super().mean_and_root(xp, theta)
        return mean[..., None], root[..., None]

    def observed(self, z: Array) -> Array:
        return z[..., 0]


class _Isotropic(_Diagonal):

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        mean, root = super().mean_and_root(xp, theta)
        return mean, root[..., None] + xp.zeros_like(mean)

    def of_diagonal(self, xp: Namespace, mean: Array, gradient: Array, diagonal: Array) -> Array:
        """p v = η_{p+1} − |m|²."""
        trace = xp.sum(diagonal, axis=-1, keepdims=True) / self.p
        return xp.concat([gradient - trace * mean, 0.5 * trace], axis=-1)


_CHARTS: dict[type, type[NormalChart]] = {MultivariateNormal: _Full, DiagonalNormal: _Diagonal, Normal: _Scalar,
                                          IsotropicNormal: _Isotropic}


def normal_chart(q: Any) -> NormalChart:
    """The chart of a normal family. Raises TypeError for another family."""
    if type(q) not in _CHARTS:
        raise TypeError("expectations by gradients and Hessians are those of MultivariateNormal, DiagonalNormal, IsotropicNormal "
                        f"and Normal; got {q!r}")
    return _CHARTS[type(q)](q)
