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

    def potential(self, theta):
        return self.factor * self.base.potential(theta)

    def to_eta(self, theta):
        return self.factor * self.base.to_eta(theta)

    def to_theta(self, eta):
        return self.base.to_theta(self._shrunk(eta))

    def dual_potential(self, eta):
        return self.factor * self.base.dual_potential(self._shrunk(eta))

    def metric(self, theta):
        return self.factor * self.base.metric(theta)

    def flat(self, theta, vector):
        return self.factor * self.base.flat(theta, vector)

    def sharp(self, theta, covector):
        return self.base.sharp(theta, covector) / self.factor

    def root(self, theta, z):
        return self.factor**0.5 * self.base.root(theta, z)

    def dual_metric(self, eta):
        return self.base.dual_metric(self._shrunk(eta)) / self.factor

    def dual_flat(self, eta, vector):
        return self.base.dual_flat(self._shrunk(eta), vector) / self.factor

    def dual_sharp(self, eta, covector):
        return self.factor * self.base.dual_sharp(self._shrunk(eta), covector)

    def cubic_tensor(self, theta):
        return self.factor * self.base.cubic_tensor(theta)

    def divergence(self, theta_p, theta_q):
        return self.factor * self.base.divergence(theta_p, theta_q)

    def distance(self, x, y):
        return self.factor**0.5 * self.base.distance(x, y)

    def geodesic(self, x, y, t):
        return self.base.geodesic(x, y, t)

    def exp(self, x, vector):
        return self.base.exp(x, vector)

    def log(self, x, y):
        return self.base.log(x, y)
