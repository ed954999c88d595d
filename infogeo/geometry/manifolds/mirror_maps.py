"""Mirror maps as dually flat manifolds: θ is the primal point x, η = ∇ψ(x) the mirror point."""
from dataclasses import dataclass

import numpy as np

from ...arrays.memo import once
from ...backend import arrays, to_numpy
from ...domains.convex import Orthant, PositiveDefinite, RealSpace
from ...errors import DomainError, ShapeError
from ...numerics.linalg import cholesky, inverse_lower, matvec, trace_minus_log_det
from ...numerics.packing import pack, packed_size, unpack
from ...numerics.special import expm1_gap, kl_terms, log1p_gap, ratio_gap
from .arc_length import ArcLength, ConstantMetric, log_ratio
from .manifold import DuallyFlat
from .separable import diagonal, diagonal3

__all__ = ["Burg", "Euclidean", "LogDet", "NegativeEntropy", "PNorm", "Quadratic"]


@dataclass(frozen=True)
class Euclidean(ConstantMetric, DuallyFlat):
    """ψ(x) = ½ |x|² on R^d: η = x, D(p‖q) = ½ |x_p − x_q|². Mirror descent is gradient descent."""

    dim: int

    @property
    def theta_domain(self):
        return RealSpace(self.dim)

    eta_domain = theta_domain

    def potential(self, theta):
        xp, theta = self.point(theta)
        return 0.5 * xp.sum(theta * theta, axis=-1)

    dual_potential = potential

    def to_eta(self, theta):
        return self.point(theta)[1]

    to_theta = to_eta

    def metric(self, theta):
        xp, theta = self.point(theta)
        return diagonal(xp, xp.ones_like(theta))

    dual_metric = metric

    def flat(self, theta, vector):
        xp, theta, vector = self.point(theta, vector)
        return xp.broadcast_to(vector, np.broadcast_shapes(theta.shape, vector.shape))

    sharp = dual_flat = dual_sharp = flat

    def cubic_tensor(self, theta):
        xp, theta = self.point(theta)
        return diagonal3(xp, xp.zeros_like(theta))

    def divergence(self, theta_p, theta_q):
        _, theta_p, theta_q = self.point(theta_p, theta_q)
        return self.potential(theta_p - theta_q)


@dataclass(frozen=True, eq=False)
class Quadratic(ConstantMetric, DuallyFlat):
    """ψ(x) = ½ xᵀQx on R^d, with Q symmetric positive definite, shape (d, d): η = Qx.

    Mirror descent is Q⁻¹-preconditioned gradient descent.
    """

    Q: np.ndarray

    def __post_init__(self):
        q = to_numpy(arrays(self.Q)[1])
        if q.ndim != 2 or q.shape[0] != q.shape[1]:
            raise ShapeError(f"Q must have shape (d, d); got {q.shape}")
        if not np.allclose(q, q.T, rtol=1e-12, atol=0) or not np.all(np.linalg.eigvalsh(q) > 0):
            raise DomainError("Q must be symmetric and positive definite")
        object.__setattr__(self, "Q", q)
        object.__setattr__(self, "_inverse", np.linalg.inv(q))

    @property
    def dim(self):
        return self.Q.shape[0]

    @property
    def theta_domain(self):
        return RealSpace(self.dim)

    eta_domain = theta_domain

    def _apply(self, matrix, x):
        xp, x = self.point(x)
        return matvec(xp, xp.asarray(matrix, dtype=x.dtype), x)

    def potential(self, theta):
        xp, theta = self.point(theta)
        return 0.5 * xp.sum(theta * self.to_eta(theta), axis=-1)

    def to_eta(self, theta):
        return self._apply(self.Q, theta)

    def to_theta(self, eta):
        return self._apply(self._inverse, eta)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return 0.5 * xp.sum(eta * self.to_theta(eta), axis=-1)

    def _everywhere(self, matrix, x):
        xp, x = self.point(x)
        return xp.broadcast_to(xp.asarray(matrix, dtype=x.dtype), (*x.shape, self.dim))

    def metric(self, theta):
        return self._everywhere(self.Q, theta)

    def dual_metric(self, eta):
        return self._everywhere(self._inverse, eta)

    def flat(self, theta, vector):
        return self._apply(self.Q, self.point(theta, vector)[2])

    def sharp(self, theta, covector):
        return self._apply(self._inverse, self.point(theta, covector)[2])

    dual_flat, dual_sharp = sharp, flat

    def cubic_tensor(self, theta):
        xp, theta = self.point(theta)
        return diagonal3(xp, xp.zeros_like(theta))

    def divergence(self, theta_p, theta_q):
        _, theta_p, theta_q = self.point(theta_p, theta_q)
        return self.potential(theta_p - theta_q)


@dataclass(frozen=True)
class NegativeEntropy(ArcLength):
    """ψ(x) = Σ x_i log x_i − x_i on the positive orthant: η = log x, D(p‖q) = Σ x_q log(x_q / x_p) − x_q + x_p.

    Mirror descent is the exponentiated gradient x ← x e^{−h c}.
    """

    dim: int

    @property
    def theta_domain(self):
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self):
        return RealSpace(self.dim)

    def potential(self, theta):
        xp, theta = self.point(theta)
        return xp.sum(xp.xlogy(theta, theta) - theta, axis=-1)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return xp.sum(xp.exp(eta), axis=-1)

    def to_eta(self, theta):
        xp, theta = self.point(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return xp.log(theta)

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        return xp.exp(eta)

    def second(self, theta):
        return 1.0 / self.point(theta)[1]

    def third(self, theta):
        return -1.0 / self.point(theta)[1] ** 2

    def dual_second(self, eta):
        return self.to_theta(eta)

    def arc_length(self, theta):
        """2 √x."""
        xp, theta = self.point(theta)
        return 2.0 * xp.sqrt(theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        return (0.5 * xp.where(s > 0, s, xp.full_like(s, xp.nan))) ** 2

    def arc_between(self, theta_p, theta_q):
        """2 √q − 2 √p."""
        xp, p, q = self.point(theta_p, theta_q)
        return 2.0 * (q - p) / (xp.sqrt(p) + xp.sqrt(q))

    def divergence(self, theta_p, theta_q):
        """Σ q log(q / p) − q + p."""
        xp, p, q = self.point(theta_p, theta_q)
        near = xp.log1p(xp.clip((p - q) / q, -0.5, 1.0))
        log_ratio = xp.where(xp.abs(p - q) < 0.5 * q, near, xp.log(p) - xp.log(q))
        return xp.sum(kl_terms(xp, q, p, log_ratio), axis=-1)


@dataclass(frozen=True)
class Burg(ArcLength):
    """ψ(x) = −Σ log x_i on the positive orthant: η = −1 / x, D(p‖q) = Σ r − 1 − log r with r = x_q / x_p (Itakura–Saito).

    Mirror descent is x ← x / (1 + h x c).
    """

    dim: int

    @property
    def theta_domain(self):
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self):
        return Orthant(*[-1] * self.dim)

    def potential(self, theta):
        xp, theta = self.point(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            return -xp.sum(xp.log(theta), axis=-1)

    def dual_potential(self, eta):
        xp, eta = self.point(eta)
        return -xp.sum(xp.log(-eta), axis=-1) - float(self.dim)

    def to_eta(self, theta):
        return -1.0 / self.point(theta)[1]

    def to_theta(self, eta):
        xp, eta = self.point(eta)
        return xp.where(eta < 0, -1.0 / eta, xp.full_like(eta, xp.nan))

    def second(self, theta):
        return 1.0 / self.point(theta)[1] ** 2

    dual_second = second

    def third(self, theta):
        return -2.0 / self.point(theta)[1] ** 3

    def arc_length(self, theta):
        """log x."""
        xp, theta = self.point(theta)
        return xp.log(theta)

    def from_arc_length(self, s):
        xp, s = self.point(s)
        return xp.exp(s)

    def arc_between(self, theta_p, theta_q):
        """log(q / p)."""
        xp, p, q = self.point(theta_p, theta_q)
        return log_ratio(xp, p, q, q - p)

    def divergence(self, theta_p, theta_q):
        """Σ r − 1 − log r with r = q / p."""
        xp, p, q = self.point(theta_p, theta_q)
        return xp.sum(ratio_gap(xp, q / p, (q - p) / p), axis=-1)


@dataclass(frozen=True)
class PNorm(DuallyFlat):
    """ψ(x) = ½ ‖x‖_p² on R^d, p > 1: φ(η) = ½ ‖η‖_q² with 1/p + 1/q = 1.

    The potential is not twice differentiable where a coordinate is 0 and p < 2, and its metric is singular there for p > 2:
    `metric`, `flat`, `sharp` and `cubic_tensor` hold where no coordinate is 0.
    Source: Gentile, The robustness of the p-norm algorithms, Machine Learning 53 (2003).
    """

    dim: int
    p: float

    def __post_init__(self):
        if not self.p > 1 or not np.isfinite(self.p):
            raise ValueError(f"p must satisfy 1 < p < inf; got {self.p!r}")

    @property
    def theta_domain(self):
        return RealSpace(self.dim)

    eta_domain = theta_domain

    @property
    def _conjugate(self):
        return PNorm(self.dim, self.p / (self.p - 1.0))

    def _norm(self, theta):
        xp, theta = self.point(theta)
        size = xp.max(xp.abs(theta), axis=-1, keepdims=True)
        size = xp.where(size > 0, size, xp.ones_like(size))
        return size * xp.sum(xp.abs(theta / size) ** self.p, axis=-1, keepdims=True) ** (1.0 / self.p)

    def _unit(self, theta):
        """(‖x‖, r, ∂‖x‖) with r = |x| / ‖x‖ and ∂‖x‖ = sign(x) r^{p−1}; at 0 the gradient is 0."""
        xp, theta = self.point(theta)
        norm = self._norm(theta)
        ratio = xp.abs(theta) / xp.where(norm > 0, norm, xp.ones_like(norm))
        return norm, ratio, xp.sign(theta) * ratio ** (self.p - 1.0)

    def potential(self, theta):
        return 0.5 * self._norm(theta)[..., 0] ** 2

    def dual_potential(self, eta):
        return self._conjugate.potential(eta)

    def to_eta(self, theta):
        norm, _, gradient = self._unit(theta)
        return norm * gradient

    def to_theta(self, eta):
        return self._conjugate.to_eta(eta)

    def metric(self, theta):
        """(p − 1) diag(r^{p−2}) − (p − 2) g gᵀ with r and g of `_unit`."""
        xp, theta = self.point(theta)
        _, ratio, g = self._unit(theta)
        return (self.p - 1.0) * diagonal(xp, ratio ** (self.p - 2.0)) - (self.p - 2.0) * g[..., :, None] * g[..., None, :]

    def dual_metric(self, eta):
        return self._conjugate.metric(eta)

    def flat(self, theta, vector):
        xp, theta, vector = self.point(theta, vector)
        _, ratio, g = self._unit(theta)
        return (self.p - 1.0) * ratio ** (self.p - 2.0) * vector - (self.p - 2.0) * g * xp.sum(g * vector, axis=-1, keepdims=True)

    def sharp(self, theta, covector):
        """The metric of the conjugate norm at η, by which ∇²φ = (∇²ψ)⁻¹."""
        _, theta, covector = self.point(theta, covector)
        return self._conjugate.flat(self.to_eta(theta), covector)

    def dual_flat(self, eta, vector):
        return self._conjugate.flat(eta, vector)

    def dual_sharp(self, eta, covector):
        return self._conjugate.sharp(eta, covector)

    def divergence(self, theta_p, theta_q):
        """½ (N_q − N_p)² + N_p (N_q − N_p − g_p·(x_q − x_p)) for near points, with the norms N and g = ∂N.

        With x_q = x_p (1 + ε), N_q = N_p (1 + S)^{1/p}, S = Σ r^p ((1 + ε)^p − 1): the bracket is a sum of terms
        (1 + x)^a − 1 − a x, which do not cancel.
        """
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        step = theta_q - theta_p
        near = xp.all(xp.abs(step) < 0.5 * xp.abs(theta_p), axis=-1)
        safe = xp.where(theta_p == 0, xp.ones_like(theta_p), theta_p)
        change = xp.where(near[..., None], step / safe, xp.zeros_like(step))
        norm, ratio, _ = self._unit(theta_p)
        weight = ratio**self.p
        growth = xp.sum(weight * xp.expm1(self.p * xp.log1p(change)), axis=-1)
        longer = xp.expm1(xp.log1p(growth) / self.p)
        gap = _power_gap(xp, growth, 1.0 / self.p) + xp.sum(weight * _power_gap(xp, change, self.p), axis=-1) / self.p
        return xp.where(near, norm[..., 0] ** 2 * (0.5 * longer**2 + gap), super().divergence(theta_p, theta_q))

    def cubic_tensor(self, theta):
        xp, theta = self.point(theta)
        p, (norm, ratio, g) = self.p, self._unit(theta)
        curvature = diagonal(xp, ratio ** (p - 2.0))
        third = diagonal3(xp, xp.sign(theta) * ratio ** (p - 3.0))
        mixed = sum(xp.moveaxis(curvature[..., :, :, None] * g[..., None, None, :], -1, axis) for axis in (-1, -2, -3))
        outer = g[..., :, None, None] * g[..., None, :, None] * g[..., None, None, :]
        return (p - 1.0) * (p - 2.0) / norm[..., None, None] * (third - mixed + 2.0 * outer)


def _power_gap(xp, x, a):
    """(1 + x)^a − 1 − a x, accurate near 0."""
    return expm1_gap(xp, a * xp.log1p(x)) - a * log1p_gap(xp, x)


@dataclass(frozen=True)
class LogDet(DuallyFlat):
    """ψ(X) = −log det X on packed symmetric positive definite p × p matrices: η = −X⁻¹,
    D(p‖q) = tr(X_p⁻¹X_q) − log det(X_p⁻¹X_q) − p (Stein's loss).

    The metric is ⟨V, W⟩ = tr(X⁻¹VX⁻¹W), the affine-invariant metric.
    """

    p: int

    @property
    def dim(self):
        return packed_size(self.p)

    @property
    def theta_domain(self):
        return PositiveDefinite(self.p)

    @property
    def eta_domain(self):
        return PositiveDefinite(self.p, -1)

    @once
    def _parts(self, theta):
        """(L⁻¹, X⁻¹, log det X) with X = L Lᵀ."""
        xp, theta = self.point(theta)
        lower = cholesky(xp, unpack(theta, self.p))
        root = inverse_lower(xp, lower)
        return root, xp.matmul(xp.matrix_transpose(root), root), 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)

    def potential(self, theta):
        return -self._parts(theta)[2]

    def dual_potential(self, eta):
        return self.potential(-self.point(eta)[1]) - float(self.p)

    def to_eta(self, theta):
        return -pack(self._parts(theta)[1])

    def to_theta(self, eta):
        return -self.to_eta(-self.point(eta)[1])

    def metric(self, theta):
        return self._on_basis(self.flat, theta)

    def dual_metric(self, eta):
        return self.metric(-self.point(eta)[1])

    def _congruence(self, outer, vector):
        xp, vector = self.point(vector)
        return pack(xp.matmul(outer, xp.matmul(unpack(vector, self.p), outer)))

    def flat(self, theta, vector):
        _, theta, vector = self.point(theta, vector)
        return self._congruence(self._parts(theta)[1], vector)

    def sharp(self, theta, covector):
        xp, theta, covector = self.point(theta, covector)
        return self._congruence(unpack(theta, self.p), covector)

    def dual_flat(self, eta, vector):
        return self.flat(-self.point(eta)[1], vector)

    def dual_sharp(self, eta, covector):
        return self.sharp(-self.point(eta)[1], covector)

    # The affine-invariant geometry, with the first of two points moved to I by X ↦ L⁻¹XL⁻ᵀ, X_x = L Lᵀ

    def _logarithm(self, x, y):
        """(xp, L, log λ, U) of the whitened Y = U diag(λ) Uᵀ: log λ = arsinh of the eigenvalues of ½ (Y − Y⁻¹).

        With W = Y − I from the difference of the points, Y − Y⁻¹ = W + W Y⁻¹ keeps its digits where they are near.
        """
        xp, x, y = self.point(x, y)
        root, _, _ = self._parts(x)
        lower = xp.matmul(unpack(x, self.p), xp.matrix_transpose(root))
        excess = xp.matmul(root, xp.matmul(unpack(y - x, self.p), xp.matrix_transpose(root)))
        inverse = xp.matmul(xp.matrix_transpose(lower), xp.matmul(self._parts(y)[1], lower))
        gap = excess + xp.matmul(excess, inverse)
        values, vectors = _eigh(xp, 0.25 * (gap + xp.matrix_transpose(gap)))
        return xp, lower, xp.asinh(values), vectors

    @staticmethod
    def _unwhitened(xp, lower, values, vectors):
        """⟨L U diag(values) Uᵀ Lᵀ⟩."""
        turned = xp.matmul(lower, vectors)
        return pack(xp.matmul(turned * values[..., None, :], xp.matrix_transpose(turned)))

    def distance(self, x, y):
        """√Σ log² λ_i with the eigenvalues λ of X_x⁻¹X_y, shape (...)."""
        xp, _, logs, _ = self._logarithm(x, y)
        return xp.sqrt(xp.sum(logs * logs, axis=-1))

    def geodesic(self, x, y, t):
        """The point X_x (X_x⁻¹X_y)^t, shape (..., dim)."""
        self.point(x, y)
        xp, x, y, t = arrays(x, y, t)
        _, lower, logs, vectors = self._logarithm(x, y)
        return self._unwhitened(xp, lower, xp.exp(t[..., None] * logs), vectors)

    def exp(self, x, vector):
        """The point X_x exp(X_x⁻¹V), shape (..., dim)."""
        xp, x, vector = self.point(x, vector)
        root = self._parts(x)[0]
        lower = xp.matmul(unpack(x, self.p), xp.matrix_transpose(root))
        logs, vectors = _eigh(xp, xp.matmul(root, xp.matmul(unpack(vector, self.p), xp.matrix_transpose(root))))
        return self._unwhitened(xp, lower, xp.exp(logs), vectors)

    def log(self, x, y):
        """The velocity X_x log(X_x⁻¹X_y), shape (..., dim)."""
        xp, lower, logs, vectors = self._logarithm(x, y)
        return self._unwhitened(xp, lower, logs, vectors)

    def cubic_tensor(self, theta):
        """−tr(X⁻¹AX⁻¹BX⁻¹C) − tr(X⁻¹BX⁻¹AX⁻¹C) on the basis."""
        xp, theta = self.point(theta)
        inverse = self._parts(theta)[1][..., None, None, :, :]
        basis = unpack(xp.eye(self.dim, dtype=theta.dtype), self.p)
        first, second = basis[:, None, :, :], basis[None, :, :, :]
        product = xp.matmul(inverse, xp.matmul(first, xp.matmul(inverse, xp.matmul(second, inverse))))
        return -2.0 * pack(product)

    def divergence(self, theta_p, theta_q):
        """tr W − log det(I + W) with W = L⁻¹(X_q − X_p)L⁻ᵀ and X_p = L Lᵀ."""
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        root, _, log_det_p = self._parts(theta_p)
        step = unpack(theta_q - theta_p, self.p)
        whitened = xp.matmul(root, xp.matmul(step, xp.matrix_transpose(root)))
        return trace_minus_log_det(xp, whitened, self._parts(theta_q)[2] - log_det_p)


def _eigh(xp, matrix):
    """Eigenvalues and eigenvectors of symmetric matrices; NaN for a matrix with entries that are not finite."""
    outside = ~xp.all(xp.isfinite(matrix), axis=(-2, -1))[..., None]
    values, vectors = xp.linalg.eigh(xp.where(outside[..., None], xp.zeros_like(matrix), matrix))
    return xp.where(outside, xp.full_like(values, xp.nan), values), vectors
