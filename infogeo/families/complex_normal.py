"""The circular complex normal family."""
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.memo import once
from ..backend import arrays, backend_of
from ..domains.base import Domain
from ..domains.chart import LogCholeskyChart
from ..domains.convex import ConvexDomain
from ..numerics.linalg import cholesky, inverse_lower, matvec, positive_definite, trace_minus_log_det
from .base import ExponentialFamily
from .known import known_integer

__all__ = ["ComplexNormal"]

# A Hermitian matrix H = A + iB is the real symmetric matrix [[A, −B], [B, A]]: products, inverses and positive definiteness carry
# over, and the trace and log det are twice those of H


@lru_cache
def _indices(p):
    """(position, sign, taken, weight) between the p² packed coordinates of H and the entries of its real matrix."""
    position, sign = np.zeros((2 * p, 2 * p), dtype=np.int64), np.zeros((2 * p, 2 * p))
    taken, weight = [], []

    def put(entries, factor):
        for (i, j), s in entries.items():
            position[i, j], sign[i, j] = len(taken), s * factor
        first, = list(entries)[:1]
        taken.append(2 * p * first[0] + first[1])
        weight.append(1.0 / factor)

    half = np.sqrt(0.5)
    for i in range(p):
        put({(i, i): 1, (p + i, p + i): 1}, 1.0)
        for j in range(i + 1, p):
            put({(i, j): 1, (j, i): 1, (p + i, p + j): 1, (p + j, p + i): 1}, half)                      # Re H_ij
            put({(p + i, j): 1, (p + j, i): -1, (j, p + i): 1, (i, p + j): -1}, half)                    # Im H_ij
    return position.reshape(-1), sign, np.asarray(taken), np.asarray(weight)


def _unpack(xp, x, p):
    """The real matrix of packed coordinates, shape (..., p²) to (..., 2p, 2p)."""
    position, sign, _, _ = _indices(p)
    full = xp.take(x, xp.asarray(position), axis=-1)
    return xp.reshape(full, (*x.shape[:-1], 2 * p, 2 * p)) * xp.asarray(sign, dtype=x.dtype)


def _pack(xp, matrix, p):
    """The inverse of `_unpack`; the matrix is symmetrised."""
    _, _, taken, weight = _indices(p)
    symmetric = 0.5 * (matrix + xp.matrix_transpose(matrix))
    flat = xp.reshape(symmetric, (*matrix.shape[:-2], 4 * p * p))
    return xp.take(flat, xp.asarray(taken), axis=-1) * xp.asarray(weight, dtype=matrix.dtype)


class _HermitianDefinite(ConvexDomain):
    """Packed Hermitian p × p matrices that are positive (sign 1) or negative (sign −1) definite."""

    def __init__(self, p, sign):
        self.p, self.sign, self.dim = p, sign, p * p

    def contains(self, x):
        xp, x = arrays(x)
        with np.errstate(invalid="ignore"):
            return positive_definite(xp, self.sign * _unpack(xp, x, self.p))

    def rule(self, name):
        return f"the Hermitian matrix of {name} {'positive' if self.sign > 0 else 'negative'} definite"

    @property
    def chart(self):
        return _HermitianCholeskyChart(self.p, self.sign)


class _HermitianCholeskyChart(LogCholeskyChart):
    """L Lᴴ with L lower triangular, its diagonal e^u, all as real matrices of twice the order."""

    def _unpack(self, xp, x):
        return _unpack(xp, x, self.p)

    def _pack(self, xp, matrix):
        return _pack(xp, matrix, self.p)

    def _pattern(self, xp, like):
        ones = np.tril(np.ones((self.p, self.p)), -1)
        return xp.asarray(np.tile(ones, (2, 2)), dtype=like.dtype), xp.eye(2 * self.p, dtype=like.dtype)

    def _factor(self, xp, matrix):
        """The real Cholesky factor, once the real and the imaginary part of a coordinate are neighbours: L then is triangular."""
        order = np.arange(2 * self.p).reshape(2, self.p).T.reshape(-1)
        both = lambda x, order: xp.take(xp.take(x, xp.asarray(order), axis=-1), xp.asarray(order), axis=-2)
        return both(cholesky(xp, both(matrix, order)), np.argsort(order))


class _ComplexSpace(Domain):
    """C^p."""

    def __init__(self, p):
        self.p = p

    @property
    def shape(self):
        return (self.p,)

    def contains(self, x):
        xp, x = arrays(x)
        return xp.all(xp.isfinite(x), axis=-1)

    def rule(self, name):
        return f"{name} finite"

    def __str__(self):
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
    """

    p: int

    def __post_init__(self):
        known_integer(self, "p")

    @property
    def dim(self):
        return self.p * self.p

    @property
    def theta_domain(self):
        return _HermitianDefinite(self.p, -1)

    @property
    def eta_domain(self):
        return _HermitianDefinite(self.p, 1)

    @property
    def support(self):
        return _ComplexSpace(self.p)

    @property
    def ordinary(self):
        return {"covariance": _HermitianMatrix(self.p)}

    @once
    def _parts(self, xp, theta):
        """(P, L⁻¹, P⁻¹, log det Γ) with the real matrix P = L Lᵀ of the precision."""
        precision = _unpack(xp, -theta, self.p)
        lower = cholesky(xp, precision)
        root = inverse_lower(xp, lower)
        # both copies of an entry of Γ are made the same one: their roundings differ by the condition of P
        covariance = _unpack(xp, _pack(xp, xp.matmul(xp.matrix_transpose(root), root), self.p), self.p)
        return precision, root, covariance, -xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)

    def _potential(self, xp, theta):
        return self._parts(xp, theta)[3]

    def _to_eta(self, xp, theta):
        return _pack(xp, self._parts(xp, theta)[2], self.p)

    def _to_theta(self, xp, eta):
        return -self._to_eta(xp, -eta)

    def _dual_potential(self, xp, eta):
        return self._potential(xp, -eta) - float(self.p)

    def _congruence(self, xp, outer, vector):
        return _pack(xp, xp.matmul(outer, xp.matmul(_unpack(xp, vector, self.p), outer)), self.p)

    def _flat(self, xp, theta, vector):
        return self._congruence(xp, self._parts(xp, theta)[2], vector)

    def _sharp(self, xp, theta, covector):
        return self._congruence(xp, self._parts(xp, theta)[0], covector)

    def _dual_flat(self, xp, eta, vector):
        return self._flat(xp, -eta, vector)

    def _dual_sharp(self, xp, eta, covector):
        return self._sharp(xp, -eta, covector)

    def _metric(self, xp, theta):
        return self._on_basis(xp, self._flat, theta)

    def _dual_metric(self, xp, eta):
        return self._metric(xp, -eta)

    def _cubic_tensor(self, xp, theta):
        """tr(ΓAΓBΓC) + tr(ΓBΓAΓC) on the basis."""
        covariance = self._parts(xp, theta)[2][..., None, None, :, :]
        basis = _unpack(xp, xp.eye(self.dim, dtype=theta.dtype), self.p)
        first, second = basis[:, None, :, :], basis[None, :, :, :]
        product = xp.matmul(covariance, xp.matmul(first, xp.matmul(covariance, xp.matmul(second, covariance))))
        return 2.0 * _pack(xp, product, self.p)

    def _sufficient_statistic(self, xp, x):
        xp, x = _complex(x)
        v, w = xp.concat([xp.real(x), xp.imag(x)], axis=-1), xp.concat([-xp.imag(x), xp.real(x)], axis=-1)
        return _pack(xp, v[..., :, None] * v[..., None, :] + w[..., :, None] * w[..., None, :], self.p)

    def _log_base_measure(self, xp, x):
        xp, x = _complex(x)
        return xp.full_like(xp.real(x[..., 0]), -self.p * float(np.log(np.pi)))

    def _expected_log_base_measure(self, xp, theta):
        return xp.full_like(theta[..., 0], -self.p * float(np.log(np.pi)))

    def log_density(self, theta, x):
        return super().log_density(theta, _complex(x)[1])

    log_density.__doc__ = ExponentialFamily.log_density.__doc__

    def _log_density(self, xp, theta, x):
        """−xᴴΓ⁻¹x − log det(πΓ)."""
        v = xp.concat([xp.real(x), xp.imag(x)], axis=-1)
        precision, _, _, log_det = self._parts(xp, theta)
        return -xp.sum(v * matvec(xp, precision, v), axis=-1) - (log_det + self.p * float(np.log(np.pi)))

    def _entropy(self, xp, theta):
        return self._potential(xp, theta) + self.p * (1.0 + float(np.log(np.pi)))

    def _kl(self, xp, theta_p, theta_q):
        """tr W − log det(I + W) with W = L⁻¹(P_q − P_p)L⁻ᴴ and P_p = L Lᴴ; half of that of the real matrices."""
        _, root, _, log_det_p = self._parts(xp, theta_p)
        step = _unpack(xp, theta_p - theta_q, self.p)
        whitened = xp.matmul(root, xp.matmul(step, xp.matrix_transpose(root)))
        return 0.5 * trace_minus_log_det(xp, whitened, 2.0 * (log_det_p - self._parts(xp, theta_q)[3]))

    def fit(self, x, weights=None, prior=None):
        return super().fit(_complex(x)[1], weights, prior)

    fit.__doc__ = ExponentialFamily.fit.__doc__

    def _normalised(self, xp, x, weights):
        return super()._normalised(xp, xp.real(x), weights)

    def _fit(self, xp, x, weights):
        """As in the base class; fewer than p observations have a singular second moment, which rounding may hide."""
        eta, theta = super()._fit(xp, x, weights)
        enough = xp.sum(xp.astype((weights > 0) & xp.ones_like(x[..., 0], dtype=xp.bool), xp.int64), axis=0) >= self.p
        return eta, xp.where(enough[..., None], theta, xp.full_like(theta, xp.nan))

    def _draw(self, draws, theta, shape):
        """L⁻ᴴz with z of independent circular coordinates, whose real and imaginary parts have variance ½."""
        xp, p = draws.xp, self.p
        root = self._parts(xp, theta)[1]
        v = matvec(xp, xp.matrix_transpose(root), draws.normal((*shape, 2 * p)) * float(np.sqrt(0.5)))
        return _join(xp, v[..., :p], v[..., p:])

    def theta_from(self, **ordinary):
        if "covariance" in ordinary:
            ordinary["covariance"] = _complex(ordinary["covariance"])[1]
        return super().theta_from(**ordinary)

    theta_from.__doc__ = ExponentialFamily.theta_from.__doc__

    def _theta_from(self, xp, covariance):
        real, imaginary = xp.real(covariance), xp.imag(covariance)
        full = xp.concat([xp.concat([real, -imaginary], axis=-1), xp.concat([imaginary, real], axis=-1)], axis=-2)
        root = inverse_lower(xp, cholesky(xp, full))
        return -_pack(xp, xp.matmul(xp.matrix_transpose(root), root), self.p)

    def _parameters(self, xp, theta):
        p, covariance = self.p, self._parts(xp, theta)[2]
        return {"covariance": _join(xp, covariance[..., :p, :p], covariance[..., p:, :p])}


class _HermitianMatrix(Domain):
    """Hermitian positive definite p × p matrices, not packed."""

    def __init__(self, p):
        self.p = p

    @property
    def shape(self):
        return (self.p, self.p)

    def contains(self, x):
        xp, x = _complex(x)
        real, imaginary = xp.real(x), xp.imag(x)
        gap = xp.max(xp.abs(x - xp.conj(xp.matrix_transpose(x))), axis=(-2, -1))
        size = xp.max(xp.abs(x), axis=(-2, -1))
        full = xp.concat([xp.concat([real, -imaginary], axis=-1), xp.concat([imaginary, real], axis=-1)], axis=-2)
        return positive_definite(xp, full) & (gap <= 64 * float(xp.finfo(real.dtype).eps) * size)

    def rule(self, name):
        return f"{name} Hermitian and positive definite"


def _complex(x):
    """(xp, x) with x as a complex array; numbers and lists follow the chosen backend."""
    xp = backend_of(x)
    if not hasattr(x, "dtype"):
        return xp, xp.asarray(x, dtype=xp.complex128)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp, x
    x = arrays(x)[1]
    return xp, xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128)


def _join(xp, real, imaginary):
    """real + i imaginary."""
    dtype = xp.complex64 if real.dtype == xp.float32 else xp.complex128
    return xp.astype(real, dtype) + 1j * xp.astype(imaginary, dtype)
