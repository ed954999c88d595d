"""The von Mises family: angles on the circle."""
from dataclasses import dataclass
from math import pi

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.supports import ClosedInterval, Interval
from ..numerics.bessel import log_bessel_gap
from .transformed import Transformed
from .von_mises_fisher import VonMisesFisher

__all__ = ["VonMises"]


@dataclass(frozen=True)
class VonMises(Transformed):
    """The von Mises distribution of an angle: mean direction m, concentration κ.

    Mathematically,

    - support: all angles, where angles that differ by 2π are the same; T(x) = (cos x, sin x); h(x) = 1 / 2π
    - θ = κ (cos m, sin m) in R²; η = A(κ) (cos m, sin m), A = I₁ / I₀, all vectors of length below 1
    - ψ(θ) = log I₀(κ)
    - the geometry is that of `VonMisesFisher(2)`

    The density integrates to 1 over any interval of length 2π; samples lie in [−π, π], and the distribution function, quantiles
    and moments are those of the angle there.

    Ordinary parameters: `mean_direction` m, an angle, and `concentration` κ, not negative, shapes (...).
    Source: Mardia & Jupp, Directional Statistics (2000), section 3.5.4.

    Examples
    --------
    >>> M = ig.VonMises()
    >>> M.fit([0.1, 0.4, 6.0]).round(3)
    array([13.149,  0.959])
    """

    base = VonMisesFisher(2)
    support = Interval()
    ordinary = {"mean_direction": Interval(), "concentration": ClosedInterval(0)}

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([xp.cos(x), xp.sin(x)], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x, -float(np.log(2 * np.pi)))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self.base._expected_log_base_measure(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−2κ sin²((x − m) / 2) − (ψ − κ) − log 2π, so that a large κ does not cancel."""
        kappa = xp.hypot(theta[..., 0], theta[..., 1])
        half = xp.sin(0.5 * (x - xp.atan2(theta[..., 1], theta[..., 0])))
        return -2.0 * kappa * half * half - (log_bessel_gap(xp, 0.0, kappa) + float(np.log(2 * np.pi)))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self.base._entropy(xp, theta)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return self.base._fit(xp, self._sufficient_statistic(xp, x), weights)

    @property
    def _ends(self) -> tuple[float, float]:
        return -pi, pi

    def _pieces(self, xp: Namespace, theta: Array) -> list[tuple[Array, Array, Array]]:
        """On both sides of the angle that is opposite to the mean direction, where the density is least."""
        mode = xp.atan2(theta[..., 1:], theta[..., :1])
        least, right = xp.where(mode > 0, mode - pi, mode + pi), mode > 0
        start, end = xp.full_like(mode, -pi), xp.full_like(mode, pi)
        return [(start, least, xp.where(right, start, mode)), (least, end, xp.where(right, mode, end))]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        x = self.base._draw(draws, theta, shape)
        return draws.xp.atan2(x[..., 1], x[..., 0])

    def _theta_from(self, xp: Namespace, mean_direction: Array, concentration: Array) -> Array:
        mean_direction, concentration = xp.broadcast_arrays(mean_direction, concentration)
        return concentration[..., None] * self._sufficient_statistic(xp, mean_direction)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        """The ordinary parameters as a dict of arrays; at θ = 0, where every angle would do, the angle 0."""
        return {"mean_direction": xp.atan2(theta[..., 1], theta[..., 0]), "concentration": xp.hypot(theta[..., 0], theta[..., 1])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """Along and across θ: dκ = θ·dθ / κ, dm = (θ₁ dθ₂ − θ₂ dθ₁) / κ²."""
        vector, (kappa, direction) = self._sharp(xp, theta, d_eta), (xp.hypot(theta[..., 0], theta[..., 1]), theta)
        along = xp.sum(direction * vector, axis=-1) / kappa
        across = direction[..., 0] * vector[..., 1] - direction[..., 1] * vector[..., 0]
        return {"mean_direction": across / kappa**2, "concentration": along}
