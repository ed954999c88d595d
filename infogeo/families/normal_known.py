"""The normal families with one parameter known."""
from dataclasses import dataclass
from math import log, pi

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.supports import Interval
from ..geometry.manifolds.euclidean import Euclidean
from ..geometry.manifolds.scaled import Scaled
from .base import ConstantBaseMeasure
from .cumulative import Carried, StandardNormal
from .exponential import Exponential
from .known import known_finite, known_positive
from .transformed import Transformed

__all__ = ["NormalKnownMean", "NormalKnownVariance"]


@dataclass(frozen=True)
class NormalKnownVariance(Transformed):
    """The normal distribution of mean μ, with v = `known_variance`: a flat manifold.

    Mathematically,

    - support R; T(x) = x; h(x) = e^{−x²/(2v)} / √(2πv)
    - θ = μ / v in R; η = μ in R
    - ψ(θ) = v θ² / 2; φ(η) = η² / (2v)
    - metric v; dual metric 1 / v

    Ordinary parameters: `mean`, shape (...).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(4.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> float(M.kl(p, q).round(12))  # 2² / (2 · 4)
    0.5
    """

    known_variance: float
    support = Interval()
    observed = 0
    ordinary = {"mean": Interval()}

    def __post_init__(self) -> None:
        known_positive(self, "known_variance")
        object.__setattr__(self, "base", Scaled(Euclidean(1), self.known_variance))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -0.5 * x**2 / self.known_variance - 0.5 * log(2.0 * pi * self.known_variance)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """−½ (1 + μ² / v + log(2πv))."""
        return -0.5 * self.known_variance * theta[..., 0] ** 2 - 0.5 * log(2.0 * pi * np.e * self.known_variance)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ (x − μ)² / v − ½ log(2πv): the square completed, which does not cancel."""
        v = self.known_variance
        return -0.5 * (x - v * theta[..., 0]) ** 2 / v - 0.5 * log(2.0 * pi * v)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * log(2.0 * pi * np.e * self.known_variance) + 0.0 * theta[..., 0]       # NaN where θ is

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        mean, deviation = self.known_variance * theta[..., 0], float(np.sqrt(self.known_variance))
        return Carried(StandardNormal(xp), lambda x: (x - mean) / deviation, lambda z: mean + deviation * z)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.known_variance * theta[..., 0] + float(np.sqrt(self.known_variance)) * draws.normal(shape)

    def _theta_from(self, xp: Namespace, mean: Array) -> Array:
        return mean[..., None] / self.known_variance

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"mean": self.known_variance * theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"mean": d_eta[..., 0]}


@dataclass(frozen=True)
class NormalKnownMean(ConstantBaseMeasure, Transformed):
    """The normal distribution of variance v, with μ = `known_mean`.

    Mathematically,

    - support R; T(x) = (x − μ)²; h(x) = 1 / √π
    - θ = −1 / (2v) < 0; η = v > 0
    - ψ(θ) = −½ log(−θ); φ(η) = −½ − ½ log(2η)
    - metric 1 / (2θ²); dual metric 1 / (2η²)

    Ordinary parameters: `variance`, shape (...), positive.

    Examples
    --------
    >>> M = ig.NormalKnownMean(1.0)
    >>> M.to_eta(M.fit([0.0, 1.0, 3.0])).round(4)  # (1 + 0 + 4) / 3
    array([1.6667])
    """

    known_mean: float
    base = Scaled(Exponential(), 0.5)
    log_h = -0.5 * log(pi)
    support = Interval()
    ordinary = {"variance": Interval(0)}

    def __post_init__(self) -> None:
        known_finite(self, "known_mean")

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return (x[..., None] - self.known_mean) ** 2

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        mean, deviation = self.known_mean, xp.sqrt(-0.5 / theta[..., 0])
        return Carried(StandardNormal(xp), lambda x: (x - mean) / deviation, lambda z: mean + deviation * z)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], self.known_mean)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return -0.5 / theta[..., 0]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.known_mean + draws.xp.sqrt(-0.5 / theta[..., 0]) * draws.normal(shape)

    def _theta_from(self, xp: Namespace, variance: Array) -> Array:
        return -0.5 / variance[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"variance": -0.5 / theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"variance": d_eta[..., 0]}
