"""Quadratic forms: the mirror maps of preconditioned gradient descent."""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...arrays.kept import kept
from ...backend import Array, Namespace, arrays, to_numpy
from ...domains.convex import ConvexDomain, RealSpace
from ...domains.supports import PositiveDefiniteMatrix
from ...errors import ShapeError
from ...numerics.linalg import matvec
from .arc_length import ConstantMetric
from .manifold import DuallyFlat
from .separable import diagonal3

__all__ = ["Quadratic"]


@dataclass(frozen=True, eq=False)
class Quadratic(ConstantMetric, DuallyFlat):
    """ψ(x) = ½ xᵀQx on R^d, with Q symmetric positive definite, shape (d, d): η = Qx. A copy of Q is kept.

    Mirror descent is Q⁻¹-preconditioned gradient descent.

    Examples
    --------
    >>> ig.Quadratic([[2.0, 1.0], [1.0, 1.0]]).to_eta([1.0, 1.0])
    array([3., 2.])
    """

    Q: Array

    def __post_init__(self) -> None:
        q = kept(to_numpy(arrays(self.Q)[1]))
        if q.ndim != 2 or q.shape[0] != q.shape[1]:
            raise ShapeError(f"Q must have shape (d, d); got {q.shape}")
        PositiveDefiniteMatrix(q.shape[0]).require("Q", q)
        object.__setattr__(self, "Q", q)

    @cached_property
    def _inverse(self) -> Array:
        return np.linalg.inv(self.Q)

    @property
    def dim(self) -> int:
        return int(self.Q.shape[0])

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    eta_domain = theta_domain

    def _apply(self, matrix: Array, x: Array) -> Array:
        xp, x = self.point(x)
        return matvec(xp, xp.asarray(matrix, dtype=x.dtype), x)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * xp.sum(theta * self._to_eta(xp, theta), axis=-1)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._apply(self.Q, theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._apply(self._inverse, eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return 0.5 * xp.sum(eta * self.to_theta(eta), axis=-1)

    def _everywhere(self, matrix: Array, x: Array) -> Array:
        xp, x = self.point(x)
        return xp.broadcast_to(xp.asarray(matrix, dtype=x.dtype), (*x.shape, self.dim))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._everywhere(self.Q, theta)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._everywhere(self._inverse, eta)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._apply(self.Q, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._apply(self._inverse, covector)

    _dual_flat, _dual_sharp = _sharp, _flat    # type: ignore[assignment]     # of other arguments' names

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return diagonal3(xp, xp.zeros_like(theta))

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._potential(xp, theta_p - theta_q)
