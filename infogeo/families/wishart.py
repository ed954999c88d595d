"""The Wishart family and that of the inverse."""
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, MappedDomain, Orthant, PositiveDefinite, ProductDomain
from ..domains.supports import Interval, PositiveDefiniteMatrix
from ..numerics.linalg import cholesky
from ..numerics.packing import pack, packed_size, unpack
from ..numerics.piecewise import positive
from .base import ExponentialFamily
from .image import Image
from .known import known_integer
from .matrix_gamma import (bartlett, halves, inverse_and_log_det, inverse_matrix_gamma_moments, log_det, log_det_of_root,
                           matrix_gamma_kl, matrix_gamma_moments, matrix_gamma_weight, mean_and_gap, pull, push, push_twice,
                           shape_from_gap, shape_potential)

__all__ = ["InverseWishart", "Wishart"]


def number_and_matrix(xp: Namespace, number: Array, matrix: Array) -> Array:
    """(s, ⟨A⟩): coordinates of a number and a symmetric matrix of the same batch."""
    return xp.concat([number[..., None], pack(matrix)], axis=-1)


@lru_cache
def _means(p: int) -> MappedDomain:
    """The pairs (E log det X, ⟨E X⟩), with E log det X < log det E X."""
    return MappedDomain(
        ProductDomain(Orthant(1), PositiveDefinite(p)),
        lambda xp, z: xp.concat([(log_det(xp, unpack(z[..., 1:], p)) - z[..., 0])[..., None], z[..., 1:]], axis=-1),
        lambda xp, eta: eta[..., 0] < log_det(xp, unpack(eta[..., 1:], p)),
        lambda name: f"unpack({name}[1:]) positive definite and {name}[0] < log(det(unpack({name}[1:])))")


@dataclass(frozen=True)
class Wishart(ExponentialFamily):
    """The Wishart distribution of p × p matrices: ν degrees of freedom and scale V, so that E X = νV.

    Mathematically, with s = (ν − p + 1) / 2, a = ν / 2 = s + (p − 1) / 2, R = ½V⁻¹, and ⟨·⟩ the isometric packing of symmetric
    matrices (`infogeo.numerics.packing`),

    - support: X symmetric positive definite; T(X) = (log det X, ⟨X⟩); h(X) = 1 / det X
    - θ = (s, ⟨−R⟩), s > 0, −R negative definite; η = (Σ_j digamma(s + j/2) − log det R, ⟨aR⁻¹⟩), j = 0 … p − 1, which fill
      the set where E X is positive definite and E log det X < log det E X
    - ψ(θ) = (p (p − 1) / 4) log π + Σ_j log Γ(s + j/2) − a log det R
    - metric: (u, A) ↦ (u Σ_j trigamma(s + j/2) + tr(R⁻¹A), ⟨u R⁻¹ + a R⁻¹AR⁻¹⟩), a number beside a matrix: `flat` and `sharp`
      (by a Schur complement) are matrix products of order p³

    θ₁ is s, the distance from the edge ν = p − 1, so that a distribution near the edge keeps its digits; the base measure
    makes up for it. Densities are with respect to the entries on and above the diagonal.

    Ordinary parameters: `degrees_of_freedom` (...), above p − 1; `scale_matrix` V (..., p, p), symmetric positive definite.
    Source: Muirhead, Aspects of Multivariate Statistical Theory (1982), section 3.2.

    Examples
    --------
    >>> M = ig.Wishart(2)
    >>> M.mean(M.theta_from(degrees_of_freedom=5.0, scale_matrix=np.eye(2))).round(12)
    array([[5., 0.],
           [0., 5.]])
    """

    p: int
    nan_outside = ("theta", "eta")      # by their Cholesky factors

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return 1 + packed_size(self.p)

    @property
    def theta_domain(self) -> ConvexDomain:
        return ProductDomain(Orthant(1), PositiveDefinite(self.p, -1))

    @property
    def eta_domain(self) -> ConvexDomain:
        return _means(self.p)

    @property
    def support(self) -> Domain:
        return PositiveDefiniteMatrix(self.p)

    @property
    def _somewhere(self) -> Array:
        return np.eye(self.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"degrees_of_freedom": Interval(self.p - 1), "scale_matrix": PositiveDefiniteMatrix(self.p)}

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array, Array]:
        """(s, R, L⁻¹, R⁻¹, log det R) with R = L Lᵀ; s, R and R⁻¹ are NaN outside the domain."""
        rate = -unpack(theta[..., 1:], self.p)
        root, inverse, log_det_rate = inverse_and_log_det(xp, rate)
        s = positive(xp, theta[..., 0]) + 0.0 * log_det_rate
        nothing = 0.0 * s[..., None, None]
        return s, rate + nothing, root, inverse + nothing, log_det_rate

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, _, log_det_rate = self._parts(xp, theta)
        t = halves(xp, s, self.p)
        return 0.25 * self.p * (self.p - 1) * float(np.log(np.pi)) + xp.sum(xp.gammaln(t), axis=-1) - t[..., -1] * log_det_rate

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, inverse, log_det_rate = self._parts(xp, theta)
        t = halves(xp, s, self.p)
        return number_and_matrix(xp, xp.sum(xp.digamma(t), axis=-1) - log_det_rate, t[..., -1, None, None] * inverse)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._on_basis(xp, self._flat, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, inverse, _ = self._parts(xp, theta[..., None, None, :])
        basis = xp.eye(self.dim, dtype=theta.dtype)
        u, m = basis[:, 0], -unpack(basis[:, 1:], self.p)
        second = push_twice(xp, s, inverse, (u[:, None], m[:, None, :, :]), (u[None, :], m[None, :, :, :]))
        return number_and_matrix(xp, *second)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        _, inverse, log_det_mean = inverse_and_log_det(xp, unpack(eta[..., 1:], self.p))
        s = shape_from_gap(xp, log_det_mean - eta[..., 0], self.p)
        return number_and_matrix(xp, s, -(s + 0.5 * (self.p - 1))[..., None, None] * inverse)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._negative_entropy(xp, self.to_theta(eta))

    def _negative_entropy(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, _, log_det_rate = self._parts(xp, theta)
        return shape_potential(xp, s, log_det_rate, self.p)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        s, _, _, inverse, _ = self._parts(xp, theta)
        return number_and_matrix(xp, *push(xp, s, inverse, vector[..., 0], -unpack(vector[..., 1:], self.p)))

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        s, rate, _, _, _ = self._parts(xp, theta)
        d_shape, d_rate = pull(xp, s, rate, covector[..., 0], unpack(covector[..., 1:], self.p))
        return number_and_matrix(xp, d_shape, -d_rate)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._on_basis(xp, self._sharp, self.to_theta(eta))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return number_and_matrix(xp, log_det(xp, x), x)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -log_det(xp, x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -self._to_eta(xp, theta)[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        s, rate, _, _, log_det_rate = self._parts(xp, theta)
        root = cholesky(xp, x)
        log_det_x = log_det_of_root(xp, root)
        ratio = xp.matmul(xp.matrix_transpose(root), xp.matmul(rate, root))
        return matrix_gamma_weight(xp, s, ratio, log_det_rate + log_det_x) - 0.5 * (self.p + 1.0) * log_det_x

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._to_eta(xp, theta)[..., 0] - self._negative_entropy(xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """See `matrix_gamma_kl`."""
        step = theta_q - theta_p
        (s_p, _, root, _, log_det_p), (s_q, rate_q, _, _, log_det_q) = self._parts(xp, theta_p), self._parts(xp, theta_q)
        return matrix_gamma_kl(xp, s_p, s_q, step[..., 0], root, rate_q, -unpack(step[..., 1:], self.p), log_det_q - log_det_p)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From log det E X − E log det X, formed from the observations relative to their mean, so that many degrees of freedom
        keep their digits."""
        mean, gap = mean_and_gap(xp, x, weights)
        s, inverse = shape_from_gap(xp, gap, self.p), inverse_and_log_det(xp, mean)[1]
        return number_and_matrix(xp, s, -(s + 0.5 * (self.p - 1))[..., None, None] * inverse)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, inverse, _ = self._parts(xp, theta)
        return matrix_gamma_moments(xp, s, inverse)[0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        s, _, _, inverse, _ = self._parts(xp, theta)
        return matrix_gamma_moments(xp, s, inverse)[1]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        s, _, root, _, _ = self._parts(draws.xp, theta)
        return bartlett(draws, s, root, shape)

    def _theta_from(self, xp: Namespace, degrees_of_freedom: Array, scale_matrix: Array) -> Array:
        s = 0.5 * (degrees_of_freedom - (self.p - 1.0))
        minus_rate = -0.5 * inverse_and_log_det(xp, scale_matrix)[1]
        batch = np.broadcast_shapes(s.shape, minus_rate.shape[:-2])
        return number_and_matrix(xp, xp.broadcast_to(s, batch), xp.broadcast_to(minus_rate, (*batch, self.p, self.p)))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        s, _, _, inverse, _ = self._parts(xp, theta)
        return {"degrees_of_freedom": 2.0 * s + (self.p - 1.0), "scale_matrix": 0.5 * inverse}


@dataclass(frozen=True)
class InverseWishart(Image):
    """The inverse Wishart distribution of p × p matrices: X⁻¹ is Wishart with ν degrees of freedom and scale Ψ⁻¹.

    Mathematically,

    - support: X symmetric positive definite; T(X) = (−log det X, ⟨X⁻¹⟩); h(X) = (det X)^{−p}
    - θ, η, ψ, φ and the metric are those of `Wishart` with R = ½Ψ: θ = ((ν − p + 1) / 2, ⟨−½Ψ⟩)

    E X = Ψ / (ν − p − 1) where ν > p + 1. Densities are with respect to the entries on and above the diagonal.

    Ordinary parameters: `degrees_of_freedom` (...), above p − 1; `scale_matrix` Ψ (..., p, p), symmetric positive definite.

    Examples
    --------
    >>> M = ig.InverseWishart(2)
    >>> theta = M.theta_from(degrees_of_freedom=5.0, scale_matrix=np.eye(2))
    >>> M.mean(theta).round(9)  # Ψ / (ν − p − 1)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    p: int
    base: Wishart = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", Wishart(self.p))

    @property
    def support(self) -> Domain:
        return self.base.support

    @property
    def _somewhere(self) -> Array:
        return np.eye(self.p)

    def _pull(self, xp: Namespace, x: Array) -> Array:
        return inverse_and_log_det(xp, x)[1]

    def _push(self, xp: Namespace, y: Array) -> Array:
        return self._pull(xp, y)

    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        return -(self.p + 1.0) * log_det(xp, x)

    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        return (self.p + 1.0) * self._to_eta(xp, theta)[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        s, rate, _, _, log_det_rate = self.base._parts(xp, theta)
        root, _, log_det_x = inverse_and_log_det(xp, x)
        ratio = xp.matmul(root, xp.matmul(rate, xp.matrix_transpose(root)))
        return matrix_gamma_weight(xp, s, ratio, log_det_rate - log_det_x) - 0.5 * (self.p + 1.0) * log_det_x

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        s, rate, _, _, _ = self.base._parts(xp, theta)
        return inverse_matrix_gamma_moments(xp, s, rate)[0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        s, rate, _, _, _ = self.base._parts(xp, theta)
        return inverse_matrix_gamma_moments(xp, s, rate)[1]

    def _theta_from(self, xp: Namespace, degrees_of_freedom: Array, scale_matrix: Array) -> Array:
        s = 0.5 * (degrees_of_freedom - (self.p - 1.0))
        batch = np.broadcast_shapes(s.shape, scale_matrix.shape[:-2])
        return number_and_matrix(xp, xp.broadcast_to(s, batch), xp.broadcast_to(-0.5 * scale_matrix, (*batch, self.p, self.p)))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        s, rate, _, _, _ = self.base._parts(xp, theta)
        return {"degrees_of_freedom": 2.0 * s + (self.p - 1.0), "scale_matrix": 2.0 * rate}
