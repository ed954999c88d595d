"""Potentials that are sums over coordinates, among them every potential of one coordinate."""
from abc import abstractmethod

from .manifold import DuallyFlat

__all__ = ["OneSeries", "Separable", "diagonal", "diagonal3"]


def diagonal(xp, values):
    """The diagonal matrices of these vectors, shape (..., d) to (..., d, d)."""
    return xp.eye(values.shape[-1], dtype=values.dtype) * values[..., None]


def diagonal3(xp, values):
    """The tensors with these vectors on the diagonal i = j = k, shape (..., d) to (..., d, d, d)."""
    eye = xp.eye(values.shape[-1], dtype=values.dtype)
    return eye[:, :, None] * eye[:, None, :] * values[..., None, None]


class Separable(DuallyFlat):
    """A potential ψ(θ) = Σ f(θ_i): metric, dual metric and cubic tensor are diagonal, and nothing costs more than O(d)."""

    @abstractmethod
    def second(self, theta):
        """f″(θ_i), shape (..., d)."""

    @abstractmethod
    def third(self, theta):
        """f‴(θ_i), shape (..., d)."""

    def dual_second(self, eta):
        """The second derivative of the conjugate at η_i, 1 / f″(θ_i), shape (..., d)."""
        return 1.0 / self.second(self.to_theta(eta))

    def flat(self, theta, vector):
        _, theta, vector = self.point(theta, vector)
        return self.second(theta) * vector

    def sharp(self, theta, covector):
        _, theta, covector = self.point(theta, covector)
        return covector / self.second(theta)

    def root(self, theta, z):
        xp, theta, z = self.point(theta, z)
        return xp.sqrt(self.second(theta)) * z

    def dual_flat(self, eta, vector):
        _, eta, vector = self.point(eta, vector)
        return self.dual_second(eta) * vector

    def dual_sharp(self, eta, covector):
        _, eta, covector = self.point(eta, covector)
        return covector / self.dual_second(eta)

    def metric(self, theta):
        xp, theta = self.point(theta)
        return diagonal(xp, self.second(theta))

    def dual_metric(self, eta):
        xp, eta = self.point(eta)
        return diagonal(xp, self.dual_second(eta))

    def cubic_tensor(self, theta):
        xp, theta = self.point(theta)
        return diagonal3(xp, self.third(theta))


class OneSeries(Separable):
    """One coordinate, whose potential and its derivatives come out of one evaluation."""

    @abstractmethod
    def _derivatives(self, theta):
        """(ψ, ψ′, ψ″, ψ‴), each (..., 1)."""

    def potential(self, theta):
        return self._derivatives(theta)[0][..., 0]

    def to_eta(self, theta):
        return self._derivatives(theta)[1]

    def second(self, theta):
        return self._derivatives(theta)[2]

    def third(self, theta):
        return self._derivatives(theta)[3]
