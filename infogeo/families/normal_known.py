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
from .exponential import Exponential
from .known import known_finite, known_positive
from .transformed import Transformed

__all__ = ["NormalKnownMean", "NormalKnownVariance"]


@dataclass(frozen=True)
class NormalKnownVariance(Transformed):
    """The normal distribution of mean μ, with v = `variance` known: a flat manifold.

    Mathematically,

    - support R; T(x) = x; h(x) = e^{−x²/(2v)} / √(2πv)
    - θ = μ / v in R; η = μ in R
    - ψ(θ) = v θ² / 2; φ(η) = η² / (2v)
    - metric v; dual metric 1 / v

    Ordinary parameters: `mean`, shape (...).
    """

    variance: float
    support = Interval()
    ordinary = {"mean": Interval()}

    def __post_init__(self) -> None:
        known_positive(self, "variance")
        object.__setattr__(self, "base", Scaled(Euclidean(1), self.variance))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -0.5 * x**2 / self.variance - 0.5 * log(2.0 * pi * self.variance)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """−½ (1 + μ² / v + log(2πv))."""
        return -0.5 * self.variance * theta[..., 0] ** 2 - 0.5 * log(2.0 * pi * np.e * self.variance)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ (x − μ)² / v − ½ log(2πv): the square completed, which does not cancel."""
        return -0.5 * (x - self.variance * theta[..., 0]) ** 2 / self.variance - 0.5 * log(2.0 * pi * self.variance)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], 0.5 * log(2.0 * pi * np.e * self.variance))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.variance * theta[..., 0] + float(np.sqrt(self.variance)) * draws.normal(shape)

    def _theta_from(self, xp: Namespace, mean: Array) -> Array:
        return mean[..., None] / self.variance

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"mean": self.variance * theta[..., 0]}


@dataclass(frozen=True)
class NormalKnownMean(ConstantBaseMeasure, Transformed):
    """The normal distribution of variance v, with μ = `mean` known.

    Mathematically,

    - support R; T(x) = (x − μ)²; h(x) = 1 / √π
    - θ = −1 / (2v) < 0; η = v > 0
    - ψ(θ) = −½ log(−θ); φ(η) = −½ − ½ log(2η)
    - metric 1 / (2θ²); dual metric 1 / (2η²)

    Ordinary parameters: `variance`, shape (...), positive.
    """

    mean: float
    base = Scaled(Exponential(), 0.5)
    log_h = -0.5 * log(pi)
    support = Interval()
    ordinary = {"variance": Interval(0)}

    def __post_init__(self) -> None:
        known_finite(self, "mean")

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return (x[..., None] - self.mean) ** 2

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.mean + draws.xp.sqrt(-0.5 / theta[..., 0]) * draws.normal(shape)

    def _theta_from(self, xp: Namespace, variance: Array) -> Array:
        return -0.5 / variance[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"variance": -0.5 / theta[..., 0]}
