"""The Pareto family of known minimum."""
from dataclasses import dataclass
from math import inf, log

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.supports import ClosedInterval, Interval
from .cumulative import Carried, StandardExponential
from .exponential import Exponential
from .known import known_positive
from .transformed import Transformed

__all__ = ["Pareto"]


@dataclass(frozen=True)
class Pareto(Transformed):
    """The power law of exponent α above m = `minimum`, which is known: P(x > t) = (m / t)^α.

    Mathematically, log(x / m) follows `Exponential`, and

    - support x ≥ m; T(x) = log(x / m); h(x) = 1 / x
    - θ = −α < 0; η = 1 / α > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `exponent`, shape (...), positive.

    Examples
    --------
    >>> M = ig.Pareto(1.0)
    >>> M.survival(M.theta_from(exponent=2.0), [1.0, 2.0, 10.0]).round(9)  # x⁻²
    array([1.  , 0.25, 0.01])
    """

    minimum: float
    base = Exponential()
    ordinary = {"exponent": Interval(0)}

    def __post_init__(self) -> None:
        known_positive(self, "minimum")

    @property
    def support(self) -> Domain:
        return ClosedInterval(self.minimum)

    @property
    def _somewhere(self) -> Array:
        return np.asarray(self.minimum)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        """log(x / m), near the minimum from the difference x − m."""
        growth = (x - self.minimum) / self.minimum
        far = xp.where(growth < np.inf, xp.log(x / self.minimum), xp.log(x) - log(self.minimum))
        return xp.where(growth < 1.0, xp.log1p(growth), far)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -log(self.minimum) - self._to_eta(xp, theta)[..., 0]

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        exponent = -theta[..., 0]
        return Carried(StandardExponential(xp), lambda x: exponent * self._sufficient_statistic(xp, x)[..., 0],
                       lambda z: self.minimum * xp.exp(z / exponent))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        a = -theta[..., 0]
        return xp.where(a > 1.0, self.minimum * a / (a - 1.0), xp.full_like(a, inf))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        a = -theta[..., 0]
        return xp.where(a > 2.0, (self.minimum / (a - 1.0)) ** 2 * a / (a - 2.0), xp.full_like(a, inf))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.minimum * draws.xp.exp(self.base._draw(draws, theta, shape))

    def _theta_from(self, xp: Namespace, exponent: Array) -> Array:
        return -exponent[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"exponent": -theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dα = −α² dη."""
        return {"exponent": -theta[..., 0] ** 2 * d_eta[..., 0]}
