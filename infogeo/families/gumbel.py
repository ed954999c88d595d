"""The Gumbel family of known scale."""
from dataclasses import dataclass
from math import log, pi

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.supports import Interval
from .cumulative import Carried, StandardExponential
from .exponential import Exponential
from .known import known_positive
from .transformed import Transformed

__all__ = ["Gumbel"]


@dataclass(frozen=True)
class Gumbel(Transformed):
    """The extreme-value distribution of maxima of location m, with s = `scale` known: P(x < t) = exp(−e^{−(t − m)/s}).

    Mathematically, e^{−x/s} follows `Exponential`, and

    - support R; T(x) = e^{−x/s}; h(x) = e^{−x/s} / s
    - θ = −e^{m/s} < 0; η = e^{−m/s} > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `location`, shape (...).

    Examples
    --------
    >>> M = ig.Gumbel(1.0)
    >>> theta = M.theta_from(location=0.0)
    >>> float(M.mean(theta).round(4))  # Euler's constant
    0.5772
    """

    scale: float
    base = Exponential()
    support = Interval()
    ordinary = {"location": Interval()}

    def __post_init__(self) -> None:
        known_positive(self, "scale")

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.exp(-x / self.scale)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -x / self.scale - log(self.scale)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """E[log T] − log s, E[log T] = −γ − log(−θ)."""
        return -float(np.euler_gamma) - xp.log(-theta[..., 0]) - log(self.scale)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """Of every sample: θ = −1 / η, 0 or −∞ where e^{m/s} is beyond the numbers."""
        return -1.0 / self._mean_statistic(xp, x, weights)

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        rate = -theta[..., 0]
        return Carried(StandardExponential(xp), lambda x: rate * self._sufficient_statistic(xp, x)[..., 0],
                       lambda z: self.scale * (xp.log(rate) - xp.log(z)), rising=False)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.scale * (xp.log(-theta[..., 0]) + float(np.euler_gamma))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return xp.full_like(theta[..., 0], (pi * self.scale) ** 2 / 6.0)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return -self.scale * draws.xp.log(self.base._draw(draws, theta, shape))

    def _theta_from(self, xp: Namespace, location: Array) -> Array:
        return -xp.exp(location / self.scale)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"location": self.scale * xp.log(-theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dm = −s dη / η."""
        return {"location": self.scale * theta[..., 0] * d_eta[..., 0]}
