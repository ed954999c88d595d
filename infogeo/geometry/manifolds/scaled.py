"""A multiple of a potential."""
from ...domains.convex import ScaledDomain
from .manifold import DuallyFlat

__all__ = ["Scaled"]


class Scaled(DuallyFlat):
    """The potential c ψ₀ on the domain of another manifold, c > 0.

    Mathematically, η = c η₀, φ(η) = c φ₀(η / c), G = c G₀, D = c D₀: the law of the sum of c independent copies of a statistic.
    """

    def __init__(self, base, factor):
        self.base, self.factor, self.dim = base, float(factor), base.dim
        self.theta_domain, self.eta_domain = base.theta_domain, ScaledDomain(base.eta_domain, self.factor)

    def __repr__(self):
        return f"{type(self).__name__}({self.base!r}, {self.factor!r})"

    def _shrunk(self, eta):
        return self.point(eta)[1] / self.factor

    def _potential(self, xp, theta):
        return self.factor * self.base.potential(theta)

    def _to_eta(self, xp, theta):
        return self.factor * self.base.to_eta(theta)

    def _to_theta(self, xp, eta):
        return self.base.to_theta(self._shrunk(eta))

    def _dual_potential(self, xp, eta):
        return self.factor * self.base.dual_potential(self._shrunk(eta))

    def _metric(self, xp, theta):
        return self.factor * self.base.metric(theta)

    def _flat(self, xp, theta, vector):
        return self.factor * self.base.flat(theta, vector)

    def _sharp(self, xp, theta, covector):
        return self.base.sharp(theta, covector) / self.factor

    def _root(self, xp, theta, z):
        return self.factor**0.5 * self.base.root(theta, z)

    def _dual_metric(self, xp, eta):
        return self.base.dual_metric(self._shrunk(eta)) / self.factor

    def _dual_flat(self, xp, eta, vector):
        return self.base.dual_flat(self._shrunk(eta), vector) / self.factor

    def _dual_sharp(self, xp, eta, covector):
        return self.factor * self.base.dual_sharp(self._shrunk(eta), covector)

    def _cubic_tensor(self, xp, theta):
        return self.factor * self.base.cubic_tensor(theta)

    def _divergence(self, xp, theta_p, theta_q):
        return self.factor * self.base.divergence(theta_p, theta_q)

    def _distance(self, xp, x, y):
        return self.factor**0.5 * self.base.distance(x, y)

    def _geodesic(self, xp, x, y, t):
        return self.base.geodesic(x, y, t)

    def _exp(self, xp, x, vector):
        return self.base.exp(x, vector)

    def _log(self, xp, x, y):
        return self.base.log(x, y)
