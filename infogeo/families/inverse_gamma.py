"""The inverse gamma family."""
from dataclasses import dataclass
from math import inf

from ..backend import Array, Namespace
from ..domains.supports import Interval
from .gamma import Gamma
from .image import Image

__all__ = ["InverseGamma"]


@dataclass(frozen=True)
class InverseGamma(Image):
    """The inverse of a gamma variable, of shape α and scale β.

    Mathematically, 1/x follows `Gamma` with rate β, and

    - support x > 0; T(x) = (log(1/x), 1/x); h(x) = 1 / x
    - θ = (α, −β), θ₁ > 0 > θ₂; η = (digamma(α) − log β, α / β), η₁ < log η₂
    - ψ(θ) = log Γ(α) − α log β; φ(η) = α digamma(α) − α − log Γ(α)
    - metric [[trigamma(α), 1/β], [1/β, α/β²]]

    Ordinary parameters: `shape`, `scale`, positive, shapes (...).

    Examples
    --------
    >>> M = ig.InverseGamma()
    >>> theta = M.theta_from(shape=3.0, scale=4.0)
    >>> float(M.mean(theta)), float(M.variance(theta))  # 4 / 2, 4² / (2² · 1)
    (2.0, 4.0)
    """

    base = Gamma()
    rising = False
    support = Interval(0)
    ordinary = {"shape": Interval(0), "scale": Interval(0)}

    def _pull(self, xp: Namespace, x: Array) -> Array:
        return 1.0 / x

    def _push(self, xp: Namespace, y: Array) -> Array:
        return 1.0 / y

    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        return -2.0 * xp.log(x)

    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        return 2.0 * self._to_eta(xp, theta)[..., 0]

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        alpha = theta[..., 0]
        return xp.where(alpha > 1.0, -theta[..., 1] / (alpha - 1.0), xp.full_like(alpha, inf))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        alpha = theta[..., 0]
        return xp.where(alpha > 2.0, (theta[..., 1] / (alpha - 1.0)) ** 2 / (alpha - 2.0), xp.full_like(alpha, inf))

    def _theta_from(self, xp: Namespace, shape: Array, scale: Array) -> Array:
        return self.base._theta_from(xp, shape, rate=scale)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        ordinary = self.base._parameters(xp, theta)
        return {"shape": ordinary["shape"], "scale": ordinary["rate"]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        ordinary = self.base._from_eta_tangent(xp, theta, d_eta)
        return {"shape": ordinary["shape"], "scale": ordinary["rate"]}

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        ordinary = self.base._residual(xp, theta, self._pull(xp, x))
        return {"shape": ordinary["shape"], "scale": ordinary["rate"]}
