"""The Laplace family of known location."""
from dataclasses import dataclass
from math import log

from ..backend import arrays
from ..domains.supports import Interval
from .exponential import Exponential
from .known import known_finite
from .transformed import Transformed

__all__ = ["Laplace"]


@dataclass(frozen=True)
class Laplace(Transformed):
    """The two-sided exponential distribution of scale b about m = `location`, which is known.

    Mathematically, |x − m| follows `Exponential`, and

    - support R; T(x) = |x − m|; h(x) = 1 / 2
    - θ = −1 / b < 0; η = b > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `scale`, shape (...), positive.
    """

    location: float
    base = Exponential()
    support = Interval()
    ordinary = {"scale": Interval(0)}

    def __post_init__(self):
        known_finite(self, "location")

    @property
    def kink(self):
        """Where the density is continuous but not smooth."""
        return self.location

    def sufficient_statistic(self, x):
        xp, x = arrays(x)
        return xp.abs(x - self.location)[..., None]

    def log_base_measure(self, x):
        xp, x = arrays(x)
        return xp.full_like(x, -log(2.0))

    def expected_log_base_measure(self, theta):
        xp, theta = self.point(theta)
        return xp.full_like(theta[..., 0], -log(2.0))

    def _draw(self, draws, theta, shape):
        distance = self.base._draw(draws, theta, shape)
        return self.location + draws.xp.where(draws.uniform(shape) < 0.5, -distance, distance)

    def _theta_from(self, xp, scale):
        return -1.0 / scale[..., None]

    def parameters(self, theta):
        theta = self.point(theta)[1]
        return {"scale": -1.0 / theta[..., 0]}
