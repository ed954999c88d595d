"""Quadratic forms: the mirror maps of preconditioned gradient descent."""
from dataclasses import dataclass

import numpy as np

from ...backend import arrays, to_numpy
from ...domains.convex import RealSpace
from ...domains.supports import PositiveDefiniteMatrix
from ...errors import ShapeError
from ...numerics.linalg import matvec
from .arc_length import ConstantMetric
from .manifold import DuallyFlat
from .separable import diagonal3

__all__ = ["Quadratic"]


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
        PositiveDefiniteMatrix(q.shape[0]).require("Q", q)
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
