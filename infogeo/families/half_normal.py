"""The half-normal family."""
from dataclasses import dataclass
from math import log, pi, sqrt

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.supports import ClosedInterval, Interval
from ..geometry.manifolds.scaled import Scaled
from .cumulative import Carried, StandardHalfNormal
from .exponential import Exponential
from .transformed import Transformed

__all__ = ["HalfNormal"]


@dataclass(frozen=True)
class HalfNormal(Transformed):
    """The absolute value of a normal variable with mean 0 and variance σ².

    Mathematically,

    - support x ≥ 0; T(x) = x²; h(x) = 2 / √π
    - θ = −1 / (2σ²) < 0; η = σ² > 0
    - ψ(θ) = −½ log(−θ); φ(η) = −½ − ½ log(2η)
    - metric 1 / (2θ²); dual metric 1 / (2η²)

    Ordinary parameters: `scale` (σ), shape (...), positive.

    Examples
    --------
    >>> M = ig.HalfNormal()
    >>> theta = M.fit([1.0, 2.0, 2.0])
    >>> float(M.parameters(theta)["scale"].round(4))  # √((1 + 4 + 4) / 3)
    1.7321
    """

    base = Scaled(Exponential(), 0.5)
    support = ClosedInterval(0)
    ordinary = {"scale": Interval(0)}

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None] ** 2

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x, log(2.0) - 0.5 * log(pi))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], log(2.0) - 0.5 * log(pi))

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        deviation = xp.sqrt(-0.5 / theta[..., 0])
        return Carried(StandardHalfNormal(xp), lambda x: x / deviation, lambda z: deviation * z)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return sqrt(2.0 / pi) * xp.sqrt(-0.5 / theta[..., 0])

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return (1.0 / pi - 0.5) / theta[..., 0]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        return xp.abs(draws.normal(shape)) * xp.sqrt(-0.5 / theta[..., 0])

    def _theta_from(self, xp: Namespace, scale: Array) -> Array:
        return -0.5 / scale[..., None] ** 2

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"scale": xp.sqrt(-0.5 / theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dσ = dη / (2σ)."""
        return {"scale": 0.5 / self._parameters(xp, theta)["scale"] * d_eta[..., 0]}
