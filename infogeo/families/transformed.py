"""Families that share the geometry of another manifold."""
from ..geometry.manifolds.manifold import DuallyFlat
from .base import ExponentialFamily

__all__ = ["Transformed"]


class Transformed(ExponentialFamily):
    """A family with the log-partition of another manifold, `base`, and observations of its own.

    Mathematically, ψ is that of `base`, and with it the charts, the metric and every divergence; T, h and the support differ.
    This is so where a transform of x follows another family, or a sum of independent copies does.
    """

    base: DuallyFlat

    @property
    def dim(self):
        return self.base.dim

    @property
    def theta_domain(self):
        return self.base.theta_domain

    @property
    def eta_domain(self):
        return self.base.eta_domain

    def potential(self, theta):
        return self.base.potential(theta)

    def potential_and_eta(self, theta):
        return self.base.potential_and_eta(theta)

    def to_eta(self, theta):
        return self.base.to_eta(theta)

    def to_theta(self, eta):
        return self.base.to_theta(eta)

    def dual_potential(self, eta):
        return self.base.dual_potential(eta)

    def metric(self, theta):
        return self.base.metric(theta)

    def dual_metric(self, eta):
        return self.base.dual_metric(eta)

    def flat(self, theta, vector):
        return self.base.flat(theta, vector)

    def sharp(self, theta, covector):
        return self.base.sharp(theta, covector)

    def root(self, theta, z):
        return self.base.root(theta, z)

    def dual_flat(self, eta, vector):
        return self.base.dual_flat(eta, vector)

    def dual_sharp(self, eta, covector):
        return self.base.dual_sharp(eta, covector)

    def cubic_tensor(self, theta):
        return self.base.cubic_tensor(theta)

    def dual_cubic_tensor(self, eta):
        return self.base.dual_cubic_tensor(eta)

    def kl(self, theta_p, theta_q):
        return self.base.divergence(theta_p, theta_q)

    def distance(self, x, y):
        return self.base.distance(x, y)

    def geodesic(self, x, y, t):
        return self.base.geodesic(x, y, t)

    def exp(self, x, vector):
        return self.base.exp(x, vector)

    def log(self, x, y):
        return self.base.log(x, y)
