"""Normal families as q: mean, root and covector from expected gradients and Hessians, the packing of each done once, here."""
from abc import ABC, abstractmethod
from typing import Any

from ..backend import Array, Namespace
from ..families.diagonal_normal import DiagonalNormal
from ..families.isotropic_normal import IsotropicNormal
from ..families.multivariate_normal import MultivariateNormal
from ..families.normal import Normal
from ..numerics.linalg import cholesky, eigh, matvec
from ..numerics.packing import pack
from .low_rank_normal import LowRankNormal

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
    def images(self, xp: Namespace, root: Any, rows: Array) -> Array:
        """Σ^½ x of every row x of (n, p), shape (..., n, k): of which the products are the covariances of the x·z."""

    @abstractmethod
    def of_matrix(self, xp: Namespace, mean: Array, root: Any, gradient: Array, hessian: Array) -> Array:
        """The differential in the coordinates of q from E[∇g] (..., p) and E[∇²g] (..., p, p)."""

    @abstractmethod
    def of_rows(self, xp: Namespace, mean: Array, root: Any, gradient: Array, rows: Array, weights: Array) -> Array:
        """The same where E[∇²g] = Σ w_i x_i x_iᵀ, rows (n, p), w (..., n)."""

    def of_diagonal(self, xp: Namespace, mean: Array, root: Any, gradient: Array, diagonal: Array) -> Array:
        """The same from the diagonal of E[∇²g] (..., p), where that is enough."""
        raise TypeError(f"{self.q!r} needs the whole Hessian")

    def directions(self, xp: Namespace, root: Any) -> Array | None:
        """Along which the Hessian is needed beside its diagonal, shape (r, ..., p); None where all of it or no more is."""
        return None

    def of_products(self, xp: Namespace, root: Any, gradient: Array, diagonal: Array, products: Array) -> Array:
        """The same from the diagonal and the products with the `directions`, shape (r, ..., p)."""
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
        along = self.images(xp, root, rows)
        return xp.sqrt(xp.sum(along * along, axis=-1))

    def images(self, xp: Namespace, root: Any, rows: Array) -> Array:
        return xp.matmul(rows, root)

    def of_matrix(self, xp: Namespace, mean: Array, root: Any, gradient: Array, hessian: Array) -> Array:
        return xp.concat([gradient - matvec(xp, hessian, mean), 0.5 * pack(hessian)], axis=-1)

    def of_rows(self, xp: Namespace, mean: Array, root: Any, gradient: Array, rows: Array, weights: Array) -> Array:
        return self.of_matrix(xp, mean, root, gradient, xp.matmul(rows.T, weights[..., None] * rows))


class _Diagonal(NormalChart):

    needs_diagonal = True

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        found = self.q.parameters(theta)
        return found["mean"], xp.sqrt(found["variance"])

    def scaled(self, xp: Namespace, root: Array, u: Array) -> Array:
        return root * u

    def deviations(self, xp: Namespace, root: Array, rows: Array) -> Array:
        return xp.sqrt(matvec(xp, rows * rows, root * root))

    def images(self, xp: Namespace, root: Any, rows: Array) -> Array:
        return rows * root[..., None, :]

    def of_matrix(self, xp: Namespace, mean: Array, root: Any, gradient: Array, hessian: Array) -> Array:
        return self.of_diagonal(xp, mean, root, gradient, xp.linalg.diagonal(hessian))

    def of_rows(self, xp: Namespace, mean: Array, root: Any, gradient: Array, rows: Array, weights: Array) -> Array:
        return self.of_diagonal(xp, mean, root, gradient, matvec(xp, (rows * rows).T, weights))

    def of_diagonal(self, xp: Namespace, mean: Array, root: Any, gradient: Array, diagonal: Array) -> Array:
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

    def of_diagonal(self, xp: Namespace, mean: Array, root: Any, gradient: Array, diagonal: Array) -> Array:
        """p v = η_{p+1} − |m|²."""
        trace = xp.sum(diagonal, axis=-1, keepdims=True) / self.p
        return xp.concat([gradient - trace * mean, 0.5 * trace], axis=-1)


class _LowRank(NormalChart):
    """Coordinates (m, log d, U) of `LowRankNormal`; the root is that of I + Y Yᵀ, Y = D^{−1/2} U, between two √d.

    Mathematically, (I + Y Yᵀ)^½ = I + Y Q diag(1 / (√(1 + λ) + 1)) Qᵀ Yᵀ with YᵀY = Q diag(λ) Qᵀ.
    """

    def mean_and_root(self, xp: Namespace, theta: Array) -> tuple[Array, Any]:
        parts = self.q.parts(xp, theta)
        deviation = xp.sqrt(parts.d)
        Y = parts.U / deviation[..., None]
        size, Q = eigh(xp, xp.matmul(xp.matrix_transpose(Y), Y))
        share = 1.0 / (xp.sqrt(1.0 + xp.where(size > 0, size, xp.zeros_like(size))) + 1.0)
        return parts.mean, (deviation, Y, xp.matmul(Q * share[..., None, :], xp.matrix_transpose(Q)))

    def scaled(self, xp: Namespace, root: Any, u: Array) -> Array:
        deviation, Y, inner = root
        return deviation * (u + matvec(xp, Y, matvec(xp, inner, matvec(xp, xp.matrix_transpose(Y), u))))

    def deviations(self, xp: Namespace, root: Any, rows: Array) -> Array:
        image = self.images(xp, root, rows)
        return xp.sqrt(xp.sum(image * image, axis=-1))

    def images(self, xp: Namespace, root: Any, rows: Array) -> Array:
        wide = root[0][..., None, :] * rows
        return xp.concat([wide, xp.matmul(wide, root[1])], axis=-1)

    def of_matrix(self, xp: Namespace, mean: Array, root: Any, gradient: Array, hessian: Array) -> Array:
        products = xp.matmul(hessian, root[0][..., None] * root[1])
        return self._joined(xp, root, gradient, xp.linalg.diagonal(hessian), products)

    def of_rows(self, xp: Namespace, mean: Array, root: Any, gradient: Array, rows: Array, weights: Array) -> Array:
        products = xp.matmul(rows.T, weights[..., None] * xp.matmul(rows, root[0][..., None] * root[1]))
        return self._joined(xp, root, gradient, matvec(xp, (rows * rows).T, weights), products)

    def directions(self, xp: Namespace, root: Any) -> Array | None:
        return xp.moveaxis(root[0][..., None] * root[1], -1, 0)

    def of_products(self, xp: Namespace, root: Any, gradient: Array, diagonal: Array, products: Array) -> Array:
        return self._joined(xp, root, gradient, diagonal, xp.moveaxis(products, 0, -1))

    def _joined(self, xp: Namespace, root: Any, gradient: Array, diagonal: Array, products: Array) -> Array:
        """½ tr(H dΣ) is ½ d_i H_ii in log d_i and H U in U."""
        flat = xp.reshape(products, (*products.shape[:-2], -1))
        return xp.concat([gradient, 0.5 * root[0] * root[0] * diagonal, flat], axis=-1)


_CHARTS: dict[type, type[NormalChart]] = {MultivariateNormal: _Full, DiagonalNormal: _Diagonal, Normal: _Scalar,
                                          IsotropicNormal: _Isotropic, LowRankNormal: _LowRank}


def normal_chart(q: Any) -> NormalChart:
    """The chart of a normal family. Raises TypeError for another family."""
    if type(q) not in _CHARTS:
        raise TypeError("expectations by gradients and Hessians are those of MultivariateNormal, DiagonalNormal, "
                        f"IsotropicNormal, Normal and LowRankNormal; got {q!r}")
    return _CHARTS[type(q)](q)
