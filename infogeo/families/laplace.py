"""The Laplace family of known location."""
from dataclasses import dataclass
from math import log

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.supports import Interval
from .cumulative import Carried, StandardLaplace
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

    Examples
    --------
    >>> M = ig.Laplace(0.0)
    >>> M.fit([-1.0, 3.0, 5.0]).round(4)  # −1 / b, b the mean of |x|
    array([-0.3333])
    """

    location: float
    base = Exponential()
    support = Interval()
    ordinary = {"scale": Interval(0)}

    def __post_init__(self) -> None:
        known_finite(self, "location")

    @property
    def kink(self) -> Array:
        """Where the density is continuous but not smooth."""
        return self.location

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.abs(x - self.location)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x, -log(2.0))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], -log(2.0))

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        rate = -theta[..., 0]
        return Carried(StandardLaplace(xp), lambda x: rate * (x - self.location), lambda z: self.location + z / rate)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], self.location)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return 2.0 / theta[..., 0] ** 2

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        distance = self.base._draw(draws, theta, shape)
        return self.location + draws.xp.where(draws.uniform(shape) < 0.5, -distance, distance)

    def _theta_from(self, xp: Namespace, scale: Array) -> Array:
        return -1.0 / scale[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"scale": -1.0 / theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"scale": d_eta[..., 0]}
