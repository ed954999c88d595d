"""The circular complex normal family."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..backend import Array, Namespace, coerced
from ..domains.base import Domain
from ..domains.convex import ConvexDomain
from ..numerics.linalg import cholesky, inverse_lower, matvec, of_full_rank, trace_minus_log_det
from .base import ExponentialFamily
from .hermitian import HermitianDefinite, HermitianMatrix, as_complex, pack_hermitian, real_matrix, unpack_hermitian
from .known import known_integer

__all__ = ["ComplexNormal"]


class _ComplexSpace(Domain):
    """C^p."""

    def __init__(self, p: int) -> None:
        self.p = p

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.p,)

    def contains(self, x: Array) -> Array:
        xp, x = coerced(x)
        return xp.all(xp.isfinite(x), axis=-1)

    def rule(self, name: str) -> str:
        return f"{name} finite"

    def __str__(self) -> str:
        return f"{{x in C^{self.p} : x finite}}"


@dataclass(frozen=True)
class ComplexNormal(ExponentialFamily):
    """The circular complex normal distribution on C^p of mean 0 and covariance Γ = E[xxᴴ]; E[xxᵀ] = 0.

    Mathematically, with ⟨H⟩ the isometric packing of a Hermitian matrix as p² real numbers, row by row from the diagonal on:
    H_ii, then √2 Re H_ij and √2 Im H_ij for each j > i, so that ⟨H⟩·⟨K⟩ = tr(HK),

    - support C^p; T(x) = ⟨xxᴴ⟩; h(x) = π^{−p}
    - θ = ⟨−Γ⁻¹⟩, negative definite; η = ⟨Γ⟩, positive definite
    - ψ(θ) = log det Γ; φ(η) = −p − log det Γ
    - metric: A ↦ ⟨ΓAΓ⟩; dual metric: A ↦ ⟨Γ⁻¹AΓ⁻¹⟩

    Observations are complex arrays; real ones are taken as they are. Densities are with respect to real and imaginary parts.

    Ordinary parameters: `covariance`, complex Hermitian, shape (..., p, p), positive definite.
    Source: Goodman, Statistical analysis based on a certain multivariate complex Gaussian distribution, Ann. Math. Stat. 34
    (1963).

    Examples
    --------
    >>> M = ig.ComplexNormal(2)
    >>> theta = M.theta_from(covariance=[[2.0, 1.0j], [-1.0j, 2.0]])
    >>> M.to_eta(theta).round(4)  # Γ₁₁, √2 Re Γ₁₂, √2 Im Γ₁₂, Γ₂₂
    array([2.    , 0.    , 1.4142, 2.    ])
    """

    p: int
    nan_outside = ("theta", "eta")      # by their Cholesky factors

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return self.p * self.p

    @property
    def theta_domain(self) -> ConvexDomain:
        return HermitianDefinite(self.p, -1)

    @property
    def eta_domain(self) -> ConvexDomain:
        return HermitianDefinite(self.p, 1)

    @property
    def support(self) -> Domain:
        return _ComplexSpace(self.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"covariance": HermitianMatrix(self.p)}

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array]:
        """(P, L⁻¹, P⁻¹, log det Γ) with the real matrix P = L Lᵀ of the precision."""
        precision = unpack_hermitian(xp, -theta, self.p)
        lower = cholesky(xp, precision)
        root = inverse_lower(xp, lower)
        # both copies of an entry of Γ are made the same one: their roundings differ by the condition of P
        covariance = unpack_hermitian(xp, pack_hermitian(xp, xp.matmul(xp.matrix_transpose(root), root), self.p), self.p)
        log_det = -xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)
        return precision + 0.0 * log_det[..., None, None], root, covariance, log_det

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._parts(xp, theta)[3]

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return pack_hermitian(xp, self._parts(xp, theta)[2], self.p)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._on_basis(xp, self._flat, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """tr(ΓAΓBΓC) + tr(ΓBΓAΓC) on the basis."""
        covariance = self._parts(xp, theta)[2][..., None, None, :, :]
        basis = unpack_hermitian(xp, xp.eye(self.dim, dtype=theta.dtype), self.p)
        first, second = basis[:, None, :, :], basis[None, :, :, :]
        product = xp.matmul(covariance, xp.matmul(first, xp.matmul(covariance, xp.matmul(second, covariance))))
        return 2.0 * pack_hermitian(xp, product, self.p)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return -self._to_eta(xp, -eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._potential(xp, -eta) - float(self.p)

    def _congruence(self, xp: Namespace, outer: Array, vector: Array) -> Array:
        return pack_hermitian(xp, xp.matmul(outer, xp.matmul(unpack_hermitian(xp, vector, self.p), outer)), self.p)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._congruence(xp, self._parts(xp, theta)[2], vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._congruence(xp, self._parts(xp, theta)[0], covector)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._metric(xp, -eta)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._flat(xp, -eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._sharp(xp, -eta, covector)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        xp, x = as_complex(x)
        v, w = xp.concat([xp.real(x), xp.imag(x)], axis=-1), xp.concat([-xp.imag(x), xp.real(x)], axis=-1)
        return pack_hermitian(xp, v[..., :, None] * v[..., None, :] + w[..., :, None] * w[..., None, :], self.p)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        xp, x = as_complex(x)
        return xp.full_like(xp.real(x[..., 0]), -self.p * float(np.log(np.pi)))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return 0.0 * self._potential(xp, theta) - self.p * float(np.log(np.pi))      # NaN where θ is not definite

    def log_density(self, theta: Array, x: Array) -> Array:
        return super().log_density(theta, as_complex(x)[1])

    log_density.__doc__ = ExponentialFamily.log_density.__doc__

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−xᴴΓ⁻¹x − log det(πΓ)."""
        v = xp.concat([xp.real(x), xp.imag(x)], axis=-1)
        precision, _, _, log_det = self._parts(xp, theta)
        return -xp.sum(v * matvec(xp, precision, v), axis=-1) - (log_det + self.p * float(np.log(np.pi)))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._potential(xp, theta) + self.p * (1.0 + float(np.log(np.pi)))

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """tr W − log det(I + W) with W = L⁻¹(P_q − P_p)L⁻ᴴ and P_p = L Lᴴ; half of that of the real matrices."""
        _, root, _, log_det_p = self._parts(xp, theta_p)
        step = unpack_hermitian(xp, theta_p - theta_q, self.p)
        whitened = xp.matmul(root, xp.matmul(step, xp.matrix_transpose(root)))
        return 0.5 * trace_minus_log_det(xp, whitened, 2.0 * (log_det_p - self._parts(xp, theta_q)[3]))

    def fit(self, x: Array, weights: Array | None = None, prior: Any | None = None) -> Array:
        return super().fit(as_complex(x)[1], weights, prior)

    fit.__doc__ = ExponentialFamily.fit.__doc__

    def _normalised(self, xp: Namespace, x: Array, weights: Array) -> tuple[Array, Array]:
        return super()._normalised(xp, xp.real(x), weights)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """As in the base class; a second moment of deficient rank, which rounding may hide, has no inverse."""
        moment = self._mean_statistic(xp, x, weights)
        full = of_full_rank(xp, unpack_hermitian(xp, moment, self.p))
        return self.to_theta(xp.where(xp.isfinite(full[..., :1, 0]), moment, xp.full_like(moment, xp.nan)))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return _join(xp, xp.zeros_like(theta[..., :self.p]), xp.zeros_like(theta[..., :self.p]))

    def _variance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return xp.linalg.diagonal(self._parts(xp, theta)[2])[..., :self.p]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["covariance"]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """L⁻ᴴz with z of independent circular coordinates, whose real and imaginary parts have variance ½."""
        xp, p = draws.xp, self.p
        root = self._parts(xp, theta)[1]
        v = matvec(xp, xp.matrix_transpose(root), draws.normal((*shape, 2 * p)) * float(np.sqrt(0.5)))
        return _join(xp, v[..., :p], v[..., p:])

    def theta_from(self, **ordinary: Array) -> Array:
        if "covariance" in ordinary:
            ordinary["covariance"] = as_complex(ordinary["covariance"])[1]
        return super().theta_from(**ordinary)

    theta_from.__doc__ = ExponentialFamily.theta_from.__doc__

    def _theta_from(self, xp: Namespace, covariance: Array) -> Array:
        real, imaginary = xp.real(covariance), xp.imag(covariance)
        full = real_matrix(xp, real, imaginary)
        root = inverse_lower(xp, cholesky(xp, full))
        return -pack_hermitian(xp, xp.matmul(xp.matrix_transpose(root), root), self.p)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        p, covariance = self.p, self._parts(xp, theta)[2]
        return {"covariance": _join(xp, covariance[..., :p, :p], covariance[..., p:, :p])}


def _join(xp: Namespace, real: Array, imaginary: Array) -> Array:
    """real + i imaginary."""
    dtype = xp.complex64 if real.dtype == xp.float32 else xp.complex128
    return xp.astype(real, dtype) + 1j * xp.astype(imaginary, dtype)
