"""The von Mises–Fisher family: directions on the sphere."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import lgamma

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.sums import average
from ..backend import Array, Namespace, arrays, set_at
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, OpenBall, RealSpace
from ..domains.supports import ClosedInterval
from ..numerics.bessel import BesselRatio, bessel_ratio, inverse_bessel_ratio, log_bessel, log_bessel_bregman, log_bessel_gap
from ..numerics.linalg import matvec
from .base import ExponentialFamily
from .known import known_integer
from .matrix_gamma import differ

__all__ = ["VonMisesFisher"]


def _dot(xp: Namespace, a: Array, b: Array) -> Array:
    """a·b over the last axis, summed in the same way for one point and for a batch."""
    return xp.sum(a * b, axis=-1)


class _UnitSphere(Domain):
    """Vectors of length 1 (to the rounding of p products)."""

    def __init__(self, p: int) -> None:
        self.p = p

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.p,)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        # 16 ε a product: whoever normalised x has rounded a square root and a quotient, too
        return xp.abs(_dot(xp, x, x) - 1.0) <= 16 * self.p * float(xp.finfo(x.dtype).eps)

    def rule(self, name: str) -> str:
        return f"|{name}| = 1"


@lru_cache
def _log_area(p: int) -> float:
    """log of the area of the unit sphere in R^p, 2π^{p/2} / Γ(p/2)."""
    return float(np.log(2.0)) + 0.5 * p * float(np.log(np.pi)) - lgamma(0.5 * p)


def _length_and_direction(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """(|x|, x / |x|), the latter 0 where x is; |x| without squares that are out of range."""
    top = xp.max(xp.abs(x), axis=-1, keepdims=True)
    size = xp.where((top > 0) & (top < xp.inf), top, xp.ones_like(top))
    x = x / size
    length = xp.sqrt(_dot(xp, x, x))
    return size[..., 0] * length, x / xp.where(length == 0, xp.ones_like(length), length)[..., None]


def _some_direction(xp: Namespace, direction: Array) -> Array:
    """The directions, with that of the first axis where they are 0."""
    first = xp.concat([xp.ones_like(direction[..., :1]), xp.zeros_like(direction[..., 1:])], axis=-1)
    return xp.where(xp.all(direction == 0, axis=-1)[..., None], first, direction)


@dataclass(frozen=True)
class VonMisesFisher(ExponentialFamily):
    """The von Mises–Fisher distribution on the unit sphere of R^p: mean direction μ, concentration κ.

    Mathematically, with n = p/2 − 1 and A(κ) = I_{n+1}(κ) / I_n(κ),

    - support: x in R^p with |x| = 1; T(x) = x; h(x) = 1 / (area of the sphere)
    - θ = κμ in R^p; η = A(κ) μ, all vectors of length below 1
    - ψ(θ) = log(Γ(p/2) (2/κ)^n I_n(κ)), which is 0 at θ = 0, the uniform distribution
    - metric A′(κ) μμᵀ + (A(κ)/κ) (I − μμᵀ): `flat` and `sharp` are O(p)

    Densities are with respect to the area of the sphere.

    Ordinary parameters: `mean_direction` (..., p), of length 1; `concentration` κ (...), not negative.
    Source: Mardia & Jupp, Directional Statistics (2000), sections 9.3.2 and 10.3.1.

    Examples
    --------
    >>> M = ig.VonMisesFisher(3)
    >>> theta = M.theta_from(mean_direction=[0.0, 0.0, 1.0], concentration=2.0)
    >>> M.to_eta(theta).round(4)  # coth 2 − ½
    array([0.    , 0.    , 0.5373])
    """

    p: int

    def __post_init__(self) -> None:
        known_integer(self, "p", 2)

    observed = slice(None)

    @property
    def dim(self) -> int:
        return self.p

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.p)

    @property
    def eta_domain(self) -> ConvexDomain:
        return OpenBall(self.p)

    @property
    def support(self) -> Domain:
        return _UnitSphere(self.p)

    @property
    def _somewhere(self) -> Array:
        return np.eye(self.p)[0]

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean_direction": self.support, "concentration": ClosedInterval(0)}

    @property
    def _order(self) -> float:
        return 0.5 * self.p - 1.0

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, BesselRatio]:
        """(κ, μ, the `BesselRatio` of κ)."""
        kappa, direction = _length_and_direction(xp, theta)
        return kappa, direction, bessel_ratio(xp, self._order, kappa)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return log_bessel(xp, self._order, _length_and_direction(xp, theta)[0])

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._parts(xp, theta)[2].over_x[..., None] * theta

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        _, direction, ratio = self._parts(xp, theta)
        return self._matrix(xp, ratio.slope, ratio.over_x, direction)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """A″ μμμ + ((A′ − A/κ) / κ) (μ_i P_jk + μ_j P_ik + μ_k P_ij) with P = I − μμᵀ."""
        _, direction, ratio = self._parts(xp, theta)
        zero, one = xp.zeros_like(ratio.slope), xp.ones_like(ratio.slope)
        projection, rest = self._matrix(xp, one, zero, direction), self._matrix(xp, zero, one, direction)
        i, j, k = direction[..., :, None, None], direction[..., None, :, None], direction[..., None, None, :]
        mixed = i * rest[..., None, :, :] + j * rest[..., :, None, :] + k * rest[..., :, :, None]
        return ratio.bend[..., None, None, None] * i * projection[..., None, :, :] + ratio.cross[..., None, None, None] * mixed

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        length, direction = _length_and_direction(xp, eta)
        return inverse_bessel_ratio(xp, self._order, length)[..., None] * direction

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._negative_entropy(xp, self.to_theta(eta))

    def _negative_entropy(self, xp: Namespace, theta: Array) -> Array:
        """φ = κA − ψ: κ (A − 1) − (ψ − κ) where κ is large, so that κ itself does not enter."""
        kappa, _, ratio = self._parts(xp, theta)
        large = -kappa * ratio.gap - log_bessel_gap(xp, self._order, kappa)
        return xp.where(kappa > self.p, large, kappa * ratio.ratio - log_bessel(xp, self._order, kappa))

    @staticmethod
    def _scaled(xp: Namespace, along: Array, across: Array, direction: Array, vector: Array) -> Array:
        """(along μμᵀ + across (I − μμᵀ)) v."""
        radial = _dot(xp, direction, vector)[..., None] * direction
        return across[..., None] * (vector - radial) + along[..., None] * radial

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        _, direction, ratio = self._parts(xp, theta)
        return self._scaled(xp, ratio.slope, ratio.over_x, direction, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        _, direction, ratio = self._parts(xp, theta)
        return self._scaled(xp, 1.0 / ratio.slope, 1.0 / ratio.over_x, direction, covector)

    def _matrix(self, xp: Namespace, along: Array, across: Array, direction: Array) -> Array:
        eye, direction = xp.eye(self.p, dtype=direction.dtype), _some_direction(xp, direction)
        projection = direction[..., :, None] * direction[..., None, :]
        # 1 − μ_i² as the sum of the other squares: where μ is nearly an axis, the rest counts beside a much smaller A′
        rest = xp.where(eye > 0, matvec(xp, 1.0 - eye, direction * direction)[..., None], -projection)
        return along[..., None, None] * projection + across[..., None, None] * rest

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        _, direction, ratio = self._parts(xp, self.to_theta(eta))
        return self._matrix(xp, 1.0 / ratio.slope, 1.0 / ratio.over_x, direction)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x[..., 0], -_log_area(self.p))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -_log_area(self.p) + 0.0 * theta[..., 0]         # NaN where θ is

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ κ |x − μ|² − (ψ − κ) − log area: the square completed, so that a large κ does not cancel."""
        kappa, direction = _length_and_direction(xp, theta)
        away = x - direction
        return -0.5 * kappa * _dot(xp, away, away) - (log_bessel_gap(xp, self._order, kappa) + _log_area(self.p))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return _log_area(self.p) - self._negative_entropy(xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """B_F(κ_q : κ_p) + A(κ_p) κ_q (1 − μ_p·μ_q), with ψ(θ) = F(κ)."""
        step = theta_q - theta_p
        kappa_p, direction_p, ratio = self._parts(xp, theta_p)
        kappa_q, direction_q = _length_and_direction(xp, theta_q)
        total = kappa_p + kappa_q
        nonzero = xp.where(total == 0, xp.ones_like(total), total)
        longer = _dot(xp, step, (theta_p + theta_q) / nonzero[..., None])                  # κ_q − κ_p
        # κ_q (1 − μ_p·μ_q) = ½ κ_q |μ_q − μ_p|² from the unit vectors; for near points from the step without its radial part
        turn, across = direction_q - direction_p, step - longer[..., None] * direction_p
        near = _dot(xp, step, step) < 0.25 * kappa_p * kappa_p
        safe = xp.where(near, kappa_q, xp.ones_like(total))
        away = xp.where(near, kappa_p * _dot(xp, across, across) / safe, kappa_p * kappa_q * _dot(xp, turn, turn))
        return log_bessel_bregman(xp, self._order, kappa_q, kappa_p + xp.zeros_like(total), longer) + 0.5 * ratio.over_x * away

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """With 1 − |η| = ½ E|x − μ|², so that a concentrated sample keeps its digits; the estimate is NaN if all x are equal."""
        length, direction = _length_and_direction(xp, average(xp, weights, x))
        away = x - direction
        gap = 0.5 * average(xp, weights, _dot(xp, away, away))
        several = differ(xp, x, weights)
        exact = xp.where(length < 0.5, 1.0 - length, gap)
        kappa = inverse_bessel_ratio(xp, self._order, length, xp.where(several, exact, xp.full_like(gap, xp.nan)))
        return kappa[..., None] * direction

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """Wood's rejection for the component along μ, and a uniform direction across."""
        xp = draws.xp
        kappa, direction = _length_and_direction(xp, theta)
        direction = _some_direction(xp, direction)
        kappa = xp.broadcast_to(kappa, shape)
        below = xp.reshape(_one_minus_cosine(draws, xp.reshape(kappa, (-1,)), self.p), (*shape, 1))
        across = draws.normal((*shape, self.p))
        for _ in range(2):              # a normal vector that is nearly along μ is orthogonal only after the second projection
            across = _length_and_direction(xp, across - _dot(xp, across, direction)[..., None] * direction)[1]
        return (1.0 - below) * direction + xp.sqrt(below * (2.0 - below)) * across

    def _theta_from(self, xp: Namespace, mean_direction: Array, concentration: Array) -> Array:
        return concentration[..., None] * mean_direction

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        """The ordinary parameters as a dict of arrays; at θ = 0, where every direction would do, that of the first axis."""
        kappa, direction, _ = self._parts(xp, theta)
        return {"mean_direction": _some_direction(xp, direction), "concentration": kappa}


def _one_minus_cosine(draws: Draws, kappa: Array, p: int) -> Array:
    """Draws of 1 − μ·x for κ of shape (n,).

    The envelope is a transformed beta variable Z: 1 − μ·x = 2bZ / (1 − (1 − b) Z). All is written for 1 − μ·x, which keeps its
    digits where κ is large. Source: Wood, Simulation of the von Mises–Fisher distribution, Commun. Stat. Simul. 23 (1994).
    """
    xp, m = draws.xp, p - 1.0
    b = m / (2.0 * kappa + xp.hypot(2.0 * kappa, xp.full_like(kappa, m)))
    out = xp.zeros_like(kappa)
    pending = xp.ones_like(kappa, dtype=xp.bool)
    while xp.any(pending):
        scale, concentration = b[pending], kappa[pending]
        half = xp.full_like(scale, 0.5 * m)
        first, second = draws.gamma(half, scale.shape), draws.gamma(half, scale.shape)
        z = first / (first + second)
        below = 2.0 * scale * z / (1.0 - (1.0 - scale) * z)
        centre = 2.0 * scale / (1.0 + scale)                                      # 1 − x₀
        ratio = (below + (1.0 - below) * centre) / (centre * (2.0 - centre))      # (1 − x₀ μ·x) / (1 − x₀²)
        uniform = 1.0 - draws.uniform(scale.shape)
        accepted = concentration * (centre - below) + m * xp.log(ratio) >= xp.log(uniform)
        out = set_at(xp, out, pending, xp.where(accepted, below, xp.full_like(below, xp.nan)))
        pending = xp.isnan(out)
    return out
