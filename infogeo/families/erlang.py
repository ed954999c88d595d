"""The Erlang family."""
from dataclasses import dataclass
from math import lgamma

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.supports import ClosedInterval, Interval
from ..errors import require_count
from ..geometry.manifolds.scaled import Scaled
from ..numerics.gamma_functions import log_gamma_weight
from .cumulative import Carried
from .exponential import Exponential
from .gamma import Gamma
from .transformed import Transformed

__all__ = ["Erlang"]


@dataclass(frozen=True)
class Erlang(Transformed):
    """The waiting time for the k-th event of a Poisson process of rate β, with k = `shape` known.

    Mathematically, the sum of k `Exponential` variables:

    - support x ≥ 0, without 0 where k > 1; T(x) = x; h(x) = x^{k−1} / (k − 1)!
    - θ = −β < 0; η = k / β > 0
    - ψ(θ) = −k log(−θ); φ(η) = −k − k log(η / k)
    - metric k / θ²; dual metric k / η²

    Ordinary parameters: `rate`, shape (...), positive.

    Examples
    --------
    >>> M = ig.Erlang(3)
    >>> float(M.survival(M.theta_from(rate=1.0), 2.0).round(4))  # 5 e⁻²
    0.6767
    """

    shape: int
    observed = 0
    ordinary = {"rate": Interval(0)}

    def __post_init__(self) -> None:
        require_count("shape", self.shape)
        object.__setattr__(self, "base", Scaled(Exponential(), self.shape))

    @property
    def support(self) -> Domain:
        return Interval(0) if self.shape > 1 else ClosedInterval(0)

    def _as_gamma(self, xp: Namespace, theta: Array) -> Array:
        """The point of the gamma family."""
        return xp.concat([xp.full_like(theta, float(self.shape)), theta], axis=-1)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return (self.shape - 1.0) * xp.log(x) - lgamma(self.shape)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return (self.shape - 1.0) * Gamma()._to_eta(xp, self._as_gamma(xp, theta))[..., 0] - lgamma(self.shape)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        scaled = -theta[..., 0] * x
        return log_gamma_weight(xp, xp.full_like(scaled, float(self.shape)), scaled, xp.log(scaled)) - xp.log(x)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return Exponential()._log_density(xp, theta, x)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return Gamma()._entropy(xp, self._as_gamma(xp, theta))

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        return Gamma()._cumulative(xp, self._as_gamma(xp, theta))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return Gamma()._draw(draws, self._as_gamma(draws.xp, theta), shape)

    def _theta_from(self, xp: Namespace, rate: Array) -> Array:
        return -rate[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"rate": -theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dβ = −β² dη / k."""
        return {"rate": -theta[..., 0] ** 2 * d_eta[..., 0] / self.shape}
