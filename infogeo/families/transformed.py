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

    def _potential(self, xp, theta):
        return self.base.potential(theta)

    def _potential_and_eta(self, xp, theta):
        return self.base.potential_and_eta(theta)

    def _to_eta(self, xp, theta):
        return self.base.to_eta(theta)

    def _to_theta(self, xp, eta):
        return self.base.to_theta(eta)

    def _dual_potential(self, xp, eta):
        return self.base.dual_potential(eta)

    def _metric(self, xp, theta):
        return self.base.metric(theta)

    def _dual_metric(self, xp, eta):
        return self.base.dual_metric(eta)

    def _flat(self, xp, theta, vector):
        return self.base.flat(theta, vector)

    def _sharp(self, xp, theta, covector):
        return self.base.sharp(theta, covector)

    def _root(self, xp, theta, z):
        return self.base.root(theta, z)

    def _dual_flat(self, xp, eta, vector):
        return self.base.dual_flat(eta, vector)

    def _dual_sharp(self, xp, eta, covector):
        return self.base.dual_sharp(eta, covector)

    def _cubic_tensor(self, xp, theta):
        return self.base.cubic_tensor(theta)

    def _dual_cubic_tensor(self, xp, eta):
        return self.base.dual_cubic_tensor(eta)

    def _kl(self, xp, theta_p, theta_q):
        return self.base.divergence(theta_p, theta_q)

    def _distance(self, xp, x, y):
        return self.base.distance(x, y)

    def _geodesic(self, xp, x, y, t):
        return self.base.geodesic(x, y, t)

    def _exp(self, xp, x, vector):
        return self.base.exp(x, vector)

    def _log(self, xp, x, y):
        return self.base.log(x, y)
