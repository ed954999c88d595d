"""The squared p-norms."""
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, RealSpace
from ...errors import require, require_count
from ...numerics.exponentials import expm1_gap, log1p_gap
from .manifold import DuallyFlat
from .separable import diagonal, diagonal3

__all__ = ["PNorm"]


@dataclass(frozen=True)
class PNorm(DuallyFlat):
    """ψ(x) = ½ ‖x‖_p² on R^d, p > 1: φ(η) = ½ ‖η‖_q² with 1/p + 1/q = 1.

    The potential is not twice differentiable where a coordinate is 0 and p < 2, and its metric is singular there for p > 2:
    `metric`, `flat`, `sharp` and `cubic_tensor` hold where no coordinate is 0.
    Source: Gentile, The robustness of the p-norm algorithms, Machine Learning 53 (2003).

    Examples
    --------
    >>> M, x = ig.PNorm(2, p=3.0), np.array([1.0, 2.0])
    >>> float(np.linalg.norm(x, 3.0).round(4))
    2.0801
    >>> float(np.linalg.norm(M.to_eta(x), 1.5).round(4))  # 1/3 + 1/1.5 = 1
    2.0801
    """

    dim: int
    p: float

    smooth = False

    def __post_init__(self) -> None:
        require_count("dim", self.dim)
        require("p", "1 < p < inf", isinstance(self.p, Real) and 1 < float(self.p) < np.inf, self.p)

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    eta_domain = theta_domain

    @property
    def _conjugate(self) -> "PNorm":
        return PNorm(self.dim, self.p / (self.p - 1.0))

    def _p_norm(self, theta: Array) -> Array:
        xp, theta = self.point(theta)
        size = xp.max(xp.abs(theta), axis=-1, keepdims=True)
        size = xp.where(size > 0, size, xp.ones_like(size))
        return size * xp.sum(xp.abs(theta / size) ** self.p, axis=-1, keepdims=True) ** (1.0 / self.p)

    def _unit(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array]:
        """(‖x‖, r, ∂‖x‖) with r = |x| / ‖x‖ and ∂‖x‖ = sign(x) r^{p−1}; at 0 the gradient is 0."""
        norm = self._p_norm(theta)
        ratio = xp.abs(theta) / xp.where(norm > 0, norm, xp.ones_like(norm))
        return norm, ratio, xp.sign(theta) * ratio ** (self.p - 1.0)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * self._p_norm(theta)[..., 0] ** 2

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._conjugate.potential(eta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        norm, _, gradient = self._unit(xp, theta)
        return norm * gradient

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._conjugate.to_eta(eta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        """(p − 1) diag(r^{p−2}) − (p − 2) g gᵀ with r and g of `_unit`."""
        _, ratio, g = self._unit(xp, theta)
        return (self.p - 1.0) * diagonal(xp, ratio ** (self.p - 2.0)) - (self.p - 2.0) * g[..., :, None] * g[..., None, :]

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._conjugate.metric(eta)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        _, ratio, g = self._unit(xp, theta)
        return (self.p - 1.0) * ratio ** (self.p - 2.0) * vector - (self.p - 2.0) * g * xp.sum(g * vector, axis=-1, keepdims=True)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        """The metric of the conjugate norm at η, by which ∇²φ = (∇²ψ)⁻¹."""
        return self._conjugate.flat(self._to_eta(xp, theta), covector)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._conjugate.flat(eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._conjugate.sharp(eta, covector)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """½ (N_q − N_p)² + N_p (N_q − N_p − g_p·(x_q − x_p)) for near points, with the norms N and g = ∂N.

        With x_q = x_p (1 + ε), N_q = N_p (1 + S)^{1/p}, S = Σ r^p ((1 + ε)^p − 1): the bracket is a sum of terms
        (1 + x)^a − 1 − a x, which do not cancel.
        """
        step = theta_q - theta_p
        near = xp.all(xp.abs(step) < 0.5 * xp.abs(theta_p), axis=-1)
        safe = xp.where(theta_p == 0, xp.ones_like(theta_p), theta_p)
        change = xp.where(near[..., None], step / safe, xp.zeros_like(step))
        norm, ratio, _ = self._unit(xp, theta_p)
        weight = ratio**self.p
        growth = xp.sum(weight * xp.expm1(self.p * xp.log1p(change)), axis=-1)
        longer = xp.expm1(xp.log1p(growth) / self.p)
        gap = _power_gap(xp, growth, 1.0 / self.p) + xp.sum(weight * _power_gap(xp, change, self.p), axis=-1) / self.p
        return xp.where(near, norm[..., 0] ** 2 * (0.5 * longer**2 + gap), super()._divergence(xp, theta_p, theta_q))

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        p, (norm, ratio, g) = self.p, self._unit(xp, theta)
        curvature = diagonal(xp, ratio ** (p - 2.0))
        third = diagonal3(xp, xp.sign(theta) * ratio ** (p - 3.0))
        mixed = sum(xp.moveaxis(curvature[..., :, :, None] * g[..., None, None, :], -1, axis) for axis in (-1, -2, -3))
        outer = g[..., :, None, None] * g[..., None, :, None] * g[..., None, None, :]
        return (p - 1.0) * (p - 2.0) / norm[..., None, None] * (third - mixed + 2.0 * outer)


def _power_gap(xp: Namespace, x: Array, a: float) -> Array:
    """(1 + x)^a − 1 − a x, accurate near 0."""
    return expm1_gap(xp, a * xp.log1p(x)) - a * log1p_gap(xp, x)
