"""The normal family with the same variance in every direction."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from ..arrays.draws import Draws
from ..arrays.sums import average, centred
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, MappedDomain, Orthant, ProductDomain, RealSpace
from ..domains.supports import Interval
from ..geometry.manifolds.half_plane import HalfSpace, Hyperbolic
from ..numerics.exponentials import quotient_gap
from ..numerics.piecewise import positive
from .base import ConstantBaseMeasure
from .known import known_integer

__all__ = ["IsotropicNormal"]


def _square(xp: Namespace, a: Array) -> Array:
    return xp.sum(a * a, axis=-1)


def _join(xp: Namespace, vector: Array, number: Array) -> Array:
    """(a_1, …, a_p, b) of a vector and a number."""
    return xp.concat([vector, number[..., None]], axis=-1)


@lru_cache
def _moments(p: int) -> MappedDomain:
    """The pairs (μ, p v + |μ|²) with v > 0."""
    return MappedDomain(ProductDomain(RealSpace(p), Orthant(1)),
                        lambda xp, z: _join(xp, z[..., :p], p * z[..., p] + _square(xp, z[..., :p])),
                        lambda xp, eta: eta[..., p] > _square(xp, eta[..., :p]),
                        lambda name: f"{name}[{p}] > |{name}[:{p}]|**2")


@dataclass(frozen=True)
class IsotropicNormal(Hyperbolic, ConstantBaseMeasure):
    """The normal distribution on R^p of mean μ and covariance v I.

    Mathematically,

    - support R^p; T(x) = (x, |x|²); h(x) = (2π)^{−p/2}
    - θ = (μ / v, −1 / (2v)), the last coordinate negative; η = (μ, p v + |μ|²)
    - ψ(θ) = −|θ_{1…p}|² / (4θ_{p+1}) − (p/2) log(−2θ_{p+1}); φ(η) = −p/2 − (p/2) log v
    - metric [[v I, 2vμ], [2vμᵀ, 2pv² + 4v|μ|²]]; `flat` and `sharp` are O(p)

    Ordinary parameters: `mean` (..., p), `variance` (...), positive.

    Examples
    --------
    >>> M = ig.IsotropicNormal(3)
    >>> theta = M.theta_from(mean=[0.0, 3.0, 4.0], variance=2.0)
    >>> theta, M.to_eta(theta)  # 3 · 2 + 5²
    (array([ 0.  ,  1.5 ,  2.  , -0.25]), array([ 0.,  3.,  4., 31.]))
    """

    p: int
    moves_with_x = True

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return self.p + 1

    @property
    def theta_domain(self) -> ConvexDomain:
        return ProductDomain(RealSpace(self.p), Orthant(-1))

    @property
    def eta_domain(self) -> ConvexDomain:
        return _moments(self.p)

    @property
    def support(self) -> Domain:
        return RealSpace(self.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean": RealSpace(self.p), "variance": Interval(0)}

    def _split(self, x: Array) -> tuple[Array, Array]:
        return x[..., :self.p], x[..., self.p]

    def _mean_variance(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        variance = -0.5 / theta[..., self.p]
        return theta[..., :self.p] * variance[..., None], variance

    def _variance(self, xp: Namespace, eta: Array) -> Array:
        mean, second = self._split(eta)
        return (second - _square(xp, mean)) / self.p

    @property
    def half_space(self) -> HalfSpace:
        return HalfSpace(self.dim, sqrt(2.0 * self.p))

    @property
    def log_h(self) -> float:
        return -0.5 * self.p * float(np.log(2 * np.pi))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        a, b = self._split(theta)
        return -0.25 * _square(xp, a) / b - 0.5 * self.p * xp.log(-2.0 * b)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        mean, variance = self._mean_variance(xp, theta)
        return _join(xp, mean, self.p * variance + _square(xp, mean))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        mean, v = self._mean_variance(xp, theta)
        v = v[..., None, None]
        cross = 2.0 * v * mean[..., None]
        corner = 2.0 * v * (self.p * v + 2.0 * _square(xp, mean)[..., None, None])
        upper = xp.concat([v * xp.eye(self.p, dtype=mean.dtype), cross], axis=-1)
        return xp.concat([upper, xp.concat([xp.matrix_transpose(cross), corner], axis=-1)], axis=-2)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """The third cumulants of (x, |x|²): 0 and 2v² δ_ij, then 8v²μ_i and 8pv³ + 24v²|μ|² as often as |x|² occurs."""
        mean, v = self._mean_variance(xp, theta)
        p, v = self.p, v[..., None, None]
        eye = 2.0 * v * v * xp.eye(p, dtype=mean.dtype)
        cross = 8.0 * v * v * mean[..., None]
        corner = 8.0 * v * v * (p * v + 3.0 * _square(xp, mean)[..., None, None])
        inner = xp.concat([xp.zeros((*eye.shape[:-2], p, p, p), dtype=mean.dtype), eye[..., None]], axis=-1)
        inner = xp.concat([inner, xp.concat([eye, cross], axis=-1)[..., :, None, :]], axis=-2)
        last = xp.concat([xp.concat([eye, cross], axis=-1),
                          xp.concat([xp.matrix_transpose(cross), corner], axis=-1)], axis=-2)
        return xp.concat([inner, last[..., None, :, :]], axis=-3)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._theta_from(xp, eta[..., :self.p], self._variance(xp, eta))

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return -0.5 * self.p * (1.0 + xp.log(self._variance(xp, eta)))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        mean, v = self._mean_variance(xp, theta)
        a, b = self._split(vector)
        d_mean = v[..., None] * (a + 2.0 * mean * b[..., None])
        return _join(xp, d_mean, 2.0 * self.p * v * v * b + 2.0 * xp.sum(mean * d_mean, axis=-1))

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        mean, v = self._mean_variance(xp, theta)
        return self._raise(xp, mean, v, covector)

    def _raise(self, xp: Namespace, mean: Array, v: Array, covector: Array) -> Array:
        d_mean, d_second = self._split(covector)
        b = 0.5 * (d_second - 2.0 * xp.sum(mean * d_mean, axis=-1)) / (self.p * v * v)
        return _join(xp, d_mean / v[..., None] - 2.0 * mean * b[..., None], b)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        mean, v = eta[..., :self.p, None], self._variance(xp, eta)[..., None, None]
        corner = 0.5 / (self.p * v * v)
        cross = -2.0 * corner * mean
        inner = xp.eye(self.p, dtype=eta.dtype) / v - 2.0 * cross * xp.matrix_transpose(mean)
        upper = xp.concat([inner, cross], axis=-1)
        return xp.concat([upper, xp.concat([xp.matrix_transpose(cross), corner], axis=-1)], axis=-2)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._raise(xp, eta[..., :self.p], self._variance(xp, eta), vector)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return _join(xp, x, _square(xp, x))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ |x − μ|² / v − (p/2) log(2πv): the square completed, which does not cancel."""
        mean, v = self._mean_variance(xp, theta)
        return -0.5 * (_square(xp, x - mean) / v + self.p * xp.log(2.0 * np.pi * v))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        _, v = self._mean_variance(xp, theta)
        return 0.5 * self.p * xp.log(2.0 * np.pi * np.e * v)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """(p/2) (r − 1 − log r) + ½ |μ_p − μ_q|² / v_q with r = v_p / v_q; both differences from θ_q − θ_p."""
        a, b = self._split(theta_q - theta_p)
        a_p, b_p = self._split(theta_p)
        b_q = theta_q[..., self.p]
        growth = b / b_p                                    # r − 1
        near = xp.abs(growth)[..., None] < 0.5
        far = theta_q[..., :self.p] - b_q[..., None] * (a_p / b_p[..., None])
        shift = xp.where(near, a - a_p * growth[..., None], far)              # (μ_q − μ_p) / v_q
        square = _square(xp, 0.5 * shift / xp.sqrt(-b_q)[..., None])
        return 0.5 * self.p * quotient_gap(xp, b_q, b_p, b) + square

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From the centred second moment, so that a large mean does not cost digits."""
        mean, away = centred(xp, weights, x)
        return self._theta_from(xp, mean, positive(xp, average(xp, weights, _square(xp, away))) / self.p)

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        mean, variance = self._mean_variance(xp, theta)
        middle, away = centred(xp, weights, mean)
        return self._theta_from(xp, middle, average(xp, weights, variance + _square(xp, away) / self.p))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["mean"]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["variance"][..., None, None] * xp.eye(self.p, dtype=theta.dtype)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        mean, v = self._mean_variance(xp, theta)
        return mean + xp.sqrt(v)[..., None] * draws.normal((*shape, self.p))

    def _theta_from(self, xp: Namespace, mean: Array, variance: Array) -> Array:
        natural = mean / variance[..., None]
        return _join(xp, natural, xp.broadcast_to(-0.5 / variance, natural.shape[:-1]))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        mean, variance = self._mean_variance(xp, theta)
        return {"mean": mean, "variance": variance}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        mean, (d_mean, d_second) = self._mean_variance(xp, theta)[0], self._split(d_eta)
        return {"mean": d_mean, "variance": (d_second - 2.0 * xp.sum(mean * d_mean, axis=-1)) / self.p}

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        """(μ − x, v − |x − μ|² / p)."""
        mean, variance = self._mean_variance(xp, theta)
        return {"mean": mean - x, "variance": variance - _square(xp, x - mean) / self.p}

    def _to_half_space(self, xp: Namespace, x: Array) -> Array:
        """(μ/√(2p), σ)."""
        mean, variance = self._mean_variance(xp, x)
        return _join(xp, mean / self.half_space.radius, xp.sqrt(variance))

    def _from_half_space(self, xp: Namespace, point: Array) -> Array:
        u, v = self._split(point)
        return self._theta_from(xp, self.half_space.radius * u, v * v)

    def _vector_to_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """(dμ/√(2p), dσ), with dμ = v (a + 2μb) and dσ = σ³ b for a vector (a, b) in θ."""
        mean, v = self._mean_variance(xp, x)
        a, b = self._split(vector)
        return _join(xp, v[..., None] / self.half_space.radius * (a + 2.0 * mean * b[..., None]), v * xp.sqrt(v) * b)

    def _vector_from_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        mean, v = self._mean_variance(xp, x)
        u, rise = self._split(vector)
        b = rise / (v * xp.sqrt(v))
        return _join(xp, self.half_space.radius * u / v[..., None] - 2.0 * mean * b[..., None], b)

    def _half_space_step(self, xp: Namespace, x: Array, y: Array) -> Array:
        """As in the family `Normal`, with vectors in the place of the first coordinate."""
        (m_x, v_x), (m_y, v_y) = self._mean_variance(xp, x), self._mean_variance(xp, y)
        a, b = self._split(y - x)
        mean_step = -(a + (m_x + m_y) * b[..., None]) / (x + y)[..., self.p:]
        return _join(xp, mean_step / self.half_space.radius, 2.0 * v_x * v_y * b / (xp.sqrt(v_x) + xp.sqrt(v_y)))
