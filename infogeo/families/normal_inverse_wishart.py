"""The normal–inverse-Wishart family: the conjugate prior of mean and covariance of the multivariate normal family."""
from dataclasses import dataclass, field

from ..backend import Array, Namespace
from ..domains.base import Domain
from ..numerics.linalg import matvec
from ..numerics.packing import pack, unpack
from .image import Image
from .matrix_gamma import inverse_and_log_det, inverse_matrix_gamma_moments, log_det, with_location
from .normal_wishart import NormalWishart, log_normal_given_precision
from .wishart import InverseWishart, number_and_matrix

__all__ = ["NormalInverseWishart"]


@dataclass(frozen=True)
class NormalInverseWishart(Image):
    """The normal–inverse-Wishart distribution of a mean μ and a covariance Σ: Σ is inverse Wishart, and μ given Σ is N(m, Σ/κ).

    Mathematically, an observation is the vector x = (μ, ⟨Σ⟩), with ⟨·⟩ the isometric packing of symmetric matrices, and

    - support: μ in R^p, Σ positive definite; T(x) = (−log det Σ, ⟨Σ⁻¹⟩, Σ⁻¹μ, μᵀΣ⁻¹μ); h(x) = (2π)^{−p/2} (det Σ)^{−p−1/2}
    - θ, η, ψ, φ and the metric are those of `NormalWishart` with Λ = Σ⁻¹ and R = ½Ψ

    Densities are with respect to μ and the entries of Σ on and above the diagonal.

    Ordinary parameters: `location` m (..., p); `precision_scale` κ (...), positive; `degrees_of_freedom` ν (...), above p − 1;
    `scale_matrix` Ψ (..., p, p), symmetric positive definite.

    Examples
    --------
    >>> M = ig.NormalInverseWishart(1)
    >>> theta = M.theta_from(location=[3.0], precision_scale=1.0,
    ...                      degrees_of_freedom=4.0, scale_matrix=[[2.0]])
    >>> M.mean(theta).round(9)  # E Σ = Ψ / (ν − p − 1)
    array([3., 1.])
    """

    p: int
    base: NormalWishart = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", NormalWishart(self.p))

    @property
    def support(self) -> Domain:
        return self.base.support

    def _pull(self, xp: Namespace, x: Array) -> Array:
        """(μ, ⟨Σ⟩) to (μ, ⟨Σ⁻¹⟩), and back."""
        inverse = inverse_and_log_det(xp, unpack(x[..., self.p:], self.p))[1]
        return xp.concat([x[..., :self.p], pack(inverse)], axis=-1)

    def _push(self, xp: Namespace, y: Array) -> Array:
        return self._pull(xp, y)

    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        return -(self.p + 1.0) * log_det(xp, unpack(x[..., self.p:], self.p))

    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        return (self.p + 1.0) * self._to_eta(xp, theta)[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """That of Σ, and of μ given Σ, from μ − m."""
        s, m, kappa, rate, _, _, _ = self.base._parts(xp, theta)
        mu, covariance = x[..., :self.p], unpack(x[..., self.p:], self.p)
        root, _, log_det_covariance = inverse_and_log_det(xp, covariance)
        marginal = InverseWishart(self.p)._log_density(xp, number_and_matrix(xp, s, -rate), covariance)
        return marginal + log_normal_given_precision(xp, matvec(xp, root, mu - m), kappa, -log_det_covariance)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._moments_of_x(xp, theta)[0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._moments_of_x(xp, theta)[1]

    def _moments_of_x(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """Cov μ = E Σ / κ."""
        s, m, kappa, rate, _, _, _ = self.base._parts(xp, theta)
        mean, covariance = inverse_matrix_gamma_moments(xp, s, rate)
        return with_location(xp, m, mean / kappa[..., None, None], mean, covariance)

    def _theta_from(self, xp: Namespace, location: Array, precision_scale: Array, degrees_of_freedom: Array,
                    scale_matrix: Array) -> Array:
        s = 0.5 * (degrees_of_freedom - (self.p - 1.0))
        return self.base._from_rate(xp, location, precision_scale, s, 0.5 * scale_matrix)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        s, m, kappa, rate, _, _, _ = self.base._parts(xp, theta)
        return {"location": m, "precision_scale": kappa, "degrees_of_freedom": 2.0 * s + (self.p - 1.0),
                "scale_matrix": 2.0 * rate}
