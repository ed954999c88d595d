"""The squared length: the mirror map of gradient descent."""
from dataclasses import dataclass

import numpy as np

from ...domains.convex import RealSpace
from .arc_length import ConstantMetric
from .manifold import DuallyFlat
from .separable import diagonal, diagonal3

__all__ = ["Euclidean"]


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
