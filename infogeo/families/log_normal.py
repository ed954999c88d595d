"""The log-normal and the logit-normal families: monotone images of the normal."""
from dataclasses import dataclass
from functools import lru_cache, partial
from math import pi, sqrt

import numpy as np

from ..backend import Array, Namespace
from ..domains.supports import Interval
from ..numerics.piecewise import piecewise
from ..numerics.quadrature import composite
from .image import Image
from .normal import Normal

__all__ = ["LogNormal", "LogitNormal"]


class _OfNormal(Image):
    """With the ordinary parameters of the normal law."""

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return self.base._from_eta_tangent(xp, theta, d_eta)

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        return self.base._residual(xp, theta, self._pull(xp, x))


@dataclass(frozen=True)
class LogNormal(_OfNormal):
    """The law of x > 0 whose logarithm is normal with mean μ and variance v.

    Mathematically,

    - support x > 0; T(x) = (log x, log² x); h(x) = 1 / (x √(2π))
    - θ = (μ / v, −1 / (2v)), θ₂ < 0; η = (μ, v + μ²), η₂ > η₁²
    - ψ, φ and the metric are those of `Normal`

    Ordinary parameters: `mean`, `variance` (positive) of log x, shapes (...).

    Examples
    --------
    >>> M = ig.LogNormal()
    >>> M.quantile(M.theta_from(mean=0.0, variance=1.0), [0.5, 0.9]).round(3)
    array([1.   , 3.602])
    """

    base = Normal()
    support = Interval(0)

    def _pull(self, xp: Namespace, x: Array) -> Array:
        return xp.log(x)

    def _push(self, xp: Namespace, y: Array) -> Array:
        return xp.exp(y)

    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        mean, variance = self.base._mean_variance(xp, theta)
        return xp.exp(mean + 0.5 * variance)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        mean, variance = self.base._mean_variance(xp, theta)
        return xp.expm1(variance) * xp.exp(2.0 * mean + variance)

    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        return -self._parameters(xp, theta)["mean"]


@dataclass(frozen=True)
class LogitNormal(_OfNormal):
    """The law of x in (0, 1) whose log-odds are normal with mean μ and variance v.

    Mathematically, with logit x = log(x / (1 − x)),

    - support 0 < x < 1; T(x) = (logit x, logit² x); h(x) = 1 / (x (1 − x) √(2π))
    - θ = (μ / v, −1 / (2v)), θ₂ < 0; η = (μ, v + μ²), η₂ > η₁²
    - ψ, φ and the metric are those of `Normal`

    E[log h] has no closed form; it is the integral of a smooth function, formed to about 1e-14 by fixed nodes.

    Ordinary parameters: `mean`, `variance` (positive) of logit x, shapes (...).

    Examples
    --------
    >>> M = ig.LogitNormal()
    >>> theta = M.theta_from(mean=0.0, variance=1.0)
    >>> float(M.quantile(theta, 0.975).round(4))  # 1 / (1 + e^−1.96)
    0.8765
    """

    base = Normal()
    support = Interval(0, 1)
    _somewhere = np.asarray(0.5)

    def _pull(self, xp: Namespace, x: Array) -> Array:
        return xp.log(x) - xp.log1p(-x)

    def _push(self, xp: Namespace, y: Array) -> Array:
        return xp.expit(y)

    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x) - xp.log1p(-x)

    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        """E[log(2 + 2 cosh y)] with y = logit x, = E|y| + 2 E[log(1 + e^{−|y|})]."""
        ordinary = self._parameters(xp, theta)
        mean, deviation = ordinary["mean"], xp.sqrt(ordinary["variance"])
        # up to 2 the integrand is analytic far enough for the trapezoidal rule, above 2 it is smooth on the panels
        return piecewise(xp, deviation < 2.0, partial(_by_trapezoids, xp), partial(_by_panels, xp), mean, deviation)


@lru_cache
def _trapezoids() -> tuple[Array, Array]:
    """Nodes in units of the deviation and normalised weights.

    The integrand is analytic for |Im y| < π, which is at least 1.57 deviations: the error is about e^{−2π 1.57 / 0.25} = e^{−39}.
    """
    z = 0.25 * np.arange(-36, 37)
    weights = np.exp(-0.5 * z**2)
    return z, weights / weights.sum()


def _by_trapezoids(xp: Namespace, mean: Array, deviation: Array) -> Array:
    z, weights = (xp.asarray(a, dtype=mean.dtype) for a in _trapezoids())
    y = xp.abs(mean[..., None] + deviation[..., None] * z)
    return xp.sum(weights * (y + 2.0 * xp.log1p(xp.exp(-y))), axis=-1)


@lru_cache
def _panels() -> tuple[Array, Array]:
    """Gauss–Legendre nodes y on panels of (0, 38) and weights times log(1 + e^{−y})."""
    y, dy = composite([0.0, 1.0, 2.5, 5.0, 9.0, 15.0, 24.0, 38.0], 16)
    return y, dy * np.log1p(np.exp(-y))


def _by_panels(xp: Namespace, mean: Array, deviation: Array) -> Array:
    """E|y| in closed form; the rest is an integral over 0 < |y| < 38, where the normal density is smooth."""
    y, weights = (xp.asarray(a, dtype=mean.dtype) for a in _panels())
    z = mean / deviation
    folded = deviation * (sqrt(2.0 / pi) * xp.exp(-0.5 * z**2)) + mean * xp.erf(z * sqrt(0.5))
    inverse = 1.0 / deviation[..., None]
    density = xp.exp(-0.5 * (y * inverse - z[..., None]) ** 2) + xp.exp(-0.5 * (y * inverse + z[..., None]) ** 2)
    return folded + 2.0 * xp.sum(weights * density, axis=-1) / (deviation * sqrt(2.0 * pi))
