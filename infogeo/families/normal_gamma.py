"""The normal–gamma family: the conjugate prior of mean and precision of the normal family."""
from dataclasses import dataclass

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.convex import Orthant, ProductDomain, RealSpace
from ..domains.supports import Interval
from .normal_wishart import NormalWishart
from .transformed import Transformed

__all__ = ["NormalGamma"]


@dataclass(frozen=True)
class NormalGamma(Transformed):
    """The normal–gamma distribution of a mean μ and a precision λ: λ is gamma(α, β), and μ given λ is N(m, 1 / (κλ)).

    Mathematically, an observation is the vector x = (μ, λ), and

    - support: μ in R, λ > 0; T(x) = (log λ, λ, λμ, λμ²); h(x) = 1 / √(2πλ)
    - θ = (α, −β − ½κm², κm, −½κ), with α, β, κ > 0
    - η = (digamma(α) − log β, α/β, mα/β, 1/κ + m²α/β)
    - ψ(θ) = log Γ(α) − α log β − ½ log κ

    It is `NormalWishart(1)` with α = ν/2 and β = 1 / (2V).

    Ordinary parameters: `location` m, `precision_scale` κ, `shape` α, `rate` β, the last three positive, shapes (...).

    Examples
    --------
    >>> M = ig.NormalGamma()
    >>> theta = M.theta_from(location=3.0, precision_scale=1.0,
    ...                      shape=2.0, rate=1.0)
    >>> M.mean(theta)  # E μ = m, E λ = α / β
    array([3., 2.])
    """

    base = NormalWishart(1)
    support = ProductDomain(RealSpace(1), Orthant(1))
    ordinary = {"location": Interval(), "precision_scale": Interval(0), "shape": Interval(0), "rate": Interval(0)}

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self.base._sufficient_statistic(xp, x)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return self.base._log_base_measure(xp, x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self.base._expected_log_base_measure(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self.base._log_density(xp, theta, x)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self.base._entropy(xp, theta)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return self.base._fit(xp, x, weights)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.base._mean_of_x(xp, theta)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.base._covariance_of_x(xp, theta)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.base._draw(draws, theta, shape)

    def _theta_from(self, xp: Namespace, location: Array, precision_scale: Array, shape: Array, rate: Array) -> Array:
        return self.base._from_rate(xp, location[..., None], precision_scale, shape, rate[..., None, None])

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        s, m, kappa, rate, _, _, _ = self.base._parts(xp, theta)
        return {"location": m[..., 0], "precision_scale": kappa, "shape": s, "rate": rate[..., 0, 0]}
