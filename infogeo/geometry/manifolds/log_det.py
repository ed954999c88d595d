"""The log-determinant of positive definite matrices, with the affine-invariant metric."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ...arrays.memo import once
from ...arrays.tracing import Native, ruled
from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, PositiveDefinite
from ...numerics.linalg import cholesky, eigh, inverse_lower, trace_minus_log_det
from ...numerics.matrix_exponential import exponential, logarithm
from ...numerics.packing import pack, packed_size, unpack
from .manifold import DuallyFlat
from .rules import of_geodesic

__all__ = ["LogDet"]


@dataclass(frozen=True)
class LogDet(DuallyFlat):
    """ψ(X) = −log det X on packed symmetric positive definite p × p matrices: η = −X⁻¹,
    D(p‖q) = tr(X_p⁻¹X_q) − log det(X_p⁻¹X_q) − p (Stein's loss).

    The metric is ⟨V, W⟩ = tr(X⁻¹VX⁻¹W), the affine-invariant metric.

    Examples
    --------
    >>> M = ig.LogDet(2)
    >>> A, B = ig.pack(np.eye(2)), ig.pack(2 * np.eye(2))
    >>> float(M.divergence(A, B).round(4))  # 2 (2 − log 2 − 1)
    0.6137
    """

    p: int

    @property
    def dim(self) -> int:
        return packed_size(self.p)

    @property
    def theta_domain(self) -> ConvexDomain:
        return PositiveDefinite(self.p)

    @property
    def eta_domain(self) -> ConvexDomain:
        return PositiveDefinite(self.p, -1)

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array]:
        """(L⁻¹, X⁻¹, log det X) with X = L Lᵀ."""
        lower = cholesky(xp, unpack(theta, self.p))
        root = inverse_lower(xp, lower)
        return root, xp.matmul(xp.matrix_transpose(root), root), 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return -self._parts(xp, theta)[2]

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._potential(xp, -eta) - float(self.p)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return -pack(self._parts(xp, theta)[1])

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return -self._to_eta(xp, -eta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._on_basis(xp, self._flat, theta)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._metric(xp, -eta)

    def _congruence(self, outer: Array, vector: Array) -> Array:
        xp, vector = self.point(vector)
        return pack(xp.matmul(outer, xp.matmul(unpack(vector, self.p), outer)))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._congruence(self._parts(xp, theta)[1], vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._congruence(unpack(theta, self.p), covector)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._flat(xp, -eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._sharp(xp, -eta, covector)

    # The affine-invariant geometry, with the first of two points moved to I by X ↦ L⁻¹XL⁻ᵀ, X_x = L Lᵀ

    def _logarithm(self, xp: Namespace, x: Array, y: Array) -> tuple[Namespace, Array, Array, Array]:
        """(xp, L, log λ, U) of the whitened Y = U diag(λ) Uᵀ: log λ = arsinh of the eigenvalues of ½ (Y − Y⁻¹).

        With W = Y − I from the difference of the points, Y − Y⁻¹ = W + W Y⁻¹ keeps its digits where they are near.
        """
        lower, excess = self._whitened(xp, x, y - x)
        inverse = xp.matmul(xp.matrix_transpose(lower), xp.matmul(self._parts(xp, y)[1], lower))
        gap = excess + xp.matmul(excess, inverse)
        values, vectors = eigh(xp, 0.25 * (gap + xp.matrix_transpose(gap)))
        return xp, lower, xp.asinh(values), vectors

    def _whitened(self, xp: Namespace, x: Array, vector: Array) -> tuple[Array, Array]:
        """(L, L⁻¹ V L⁻ᵀ), the second symmetric."""
        root = self._parts(xp, x)[0]
        across = xp.matrix_transpose(root)
        return xp.matmul(unpack(x, self.p), across), xp.matmul(root, xp.matmul(unpack(vector, self.p), across))

    @staticmethod
    def _unwhitened(xp: Namespace, lower: Array, values: Array, vectors: Array) -> Array:
        """⟨L U diag(values) Uᵀ Lᵀ⟩."""
        turned = xp.matmul(lower, vectors)
        return pack(xp.matmul(turned * values[..., None, :], xp.matrix_transpose(turned)))

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """√Σ log² λ_i with the eigenvalues λ of X_x⁻¹X_y, shape (...)."""
        xp, _, logs, _ = self._logarithm(xp, x, y)
        return xp.sqrt(xp.sum(logs * logs, axis=-1))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """The point X_x (X_x⁻¹X_y)^t, shape (..., dim)."""
        def between(x: Array, y: Array, t: Array) -> Array:
            _, lower, logs, vectors = self._logarithm(xp, x, y)
            return self._unwhitened(xp, lower, xp.exp(t[..., None] * logs), vectors)

        return ruled(xp, between, partial(of_geodesic, self), x, y, t)

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The point X_x exp(X_x⁻¹V), shape (..., dim)."""
        def moved(x: Array, vector: Array) -> Array:
            lower, inside = self._whitened(xp, x, vector)
            logs, vectors = eigh(xp, inside)
            return self._unwhitened(xp, lower, xp.exp(logs), vectors)

        return self._like(xp, exponential, moved, x, vector)

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The velocity X_x log(X_x⁻¹X_y), shape (..., dim)."""
        def between(x: Array, y: Array) -> Array:
            _, lower, logs, vectors = self._logarithm(xp, x, y)
            return self._unwhitened(xp, lower, logs, vectors)

        return self._like(xp, logarithm, between, x, y)

    def _like(self, xp: Namespace, f: Callable[[Namespace, Array], Array], way: Callable[[Array, Array], Array], x: Array,
              z: Array) -> Array:
        """``way(x, z)``, with the derivatives of ⟨L f(L⁻¹ Z L⁻ᵀ) Lᵀ⟩, which is the same: f has them at equal eigenvalues."""
        def composed(x: Array, z: Array) -> Array:
            lower, inside = self._whitened(xp, x, z)
            return pack(xp.matmul(lower, xp.matmul(f(xp, inside), xp.matrix_transpose(lower))))

        def rule(y: Array, x: Array, z: Array) -> tuple[Native, Native]:
            return Native(lambda x: composed(x, z), x), Native(lambda z: composed(x, z), z)

        return ruled(xp, way, rule, x, z)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """−tr(X⁻¹AX⁻¹BX⁻¹C) − tr(X⁻¹BX⁻¹AX⁻¹C) on the basis."""
        inverse = self._parts(xp, theta)[1][..., None, None, :, :]
        basis = unpack(xp.eye(self.dim, dtype=theta.dtype), self.p)
        first, second = basis[:, None, :, :], basis[None, :, :, :]
        product = xp.matmul(inverse, xp.matmul(first, xp.matmul(inverse, xp.matmul(second, inverse))))
        return -2.0 * pack(product)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """tr W − log det(I + W) with W = L⁻¹(X_q − X_p)L⁻ᵀ and X_p = L Lᵀ."""
        root, _, log_det_p = self._parts(xp, theta_p)
        step = unpack(theta_q - theta_p, self.p)
        whitened = xp.matmul(root, xp.matmul(step, xp.matrix_transpose(root)))
        return trace_minus_log_det(xp, whitened, self._parts(xp, theta_q)[2] - log_det_p)
