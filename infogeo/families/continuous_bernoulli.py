"""The continuous Bernoulli family."""
from dataclasses import dataclass
from functools import partial
from math import factorial

from ..arrays.draws import Draws
from ..arrays.sums import average
from ..backend import Array, Namespace
from ..domains.convex import OpenSimplex, RealSpace
from ..domains.supports import ClosedInterval, Interval
from ..geometry.manifolds.separable import Separable
from ..numerics.exponentials import ratio_gap
from ..numerics.incomplete_gamma import log_of
from ..numerics.piecewise import piecewise, positive
from ..numerics.quadrature import bregman_integral
from ..numerics.root import root
from .base import ConstantBaseMeasure
from .cumulative import ContinuousCumulative

__all__ = ["ContinuousBernoulli"]

NEAR = 4.0    # |θ| below which the power series about 0 are used: 14 terms in (θ/2)² ≤ 4 give full precision


@dataclass(frozen=True)
class ContinuousBernoulli(Separable, ConstantBaseMeasure):
    """Numbers in [0, 1] of density proportional to λ^x (1 − λ)^{1−x}.

    Mathematically, the uniform distribution tilted exponentially:

    - support 0 ≤ x ≤ 1; T(x) = x; h(x) = 1
    - θ = log(λ / (1 − λ)) in R; η = 1 / (1 − e^{−θ}) − 1 / θ in (0, 1), ½ at θ = 0
    - ψ(θ) = log((e^θ − 1) / θ)
    - metric 1 / θ² − 1 / (4 sinh²(θ/2)), 1/12 at θ = 0

    Near θ = 0 all of these are quotients of power series whose terms have one sign.

    Ordinary parameters: `probability` (λ, which is not the mean), shape (...), in (0, 1).
    Source: Loaiza-Ganem & Cunningham, The continuous Bernoulli: fixing a pervasive error in variational autoencoders (2019).

    Examples
    --------
    >>> M = ig.ContinuousBernoulli()
    >>> M.mean(M.theta_from(probability=[0.5, 0.9])).round(4)  # less than λ
    array([0.5   , 0.6699])
    """

    dim = 1
    theta_domain = RealSpace(1)
    eta_domain = OpenSimplex(1)
    support = ClosedInterval(0, 1)
    observed = 0
    ordinary = {"probability": Interval(0, 1)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        far = lambda t: xp.maximum(t, 0.0 * t) + _log_of_tail(xp, xp.abs(t))
        return piecewise(xp, xp.abs(theta) < NEAR, lambda t: 0.5 * t + _log_sinhc(xp, t), far, theta)[..., 0]

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        def far(t: Array) -> Array:
            small = _small_mean(xp, xp.abs(t))
            return xp.where(t > 0, 1.0 - small, small)

        return piecewise(xp, xp.abs(theta) < NEAR, lambda t: 0.5 + _centred_mean(t), far, theta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        def far(t: Array) -> Array:
            v = xp.abs(t)
            return (1.0 / v) ** 2 - xp.exp(-v) / xp.expm1(-v) ** 2

        return piecewise(xp, xp.abs(theta) < NEAR, _variance, far, theta)

    def _third(self, xp: Namespace, theta: Array) -> Array:
        def far(t: Array) -> Array:
            v = xp.abs(t)
            tail = xp.exp(-v)
            return xp.sign(t) * (tail * (1.0 + tail) / (1.0 - tail) ** 3 - 2.0 * (1.0 / v) ** 3)

        return piecewise(xp, xp.abs(theta) < NEAR, _third_cumulant, far, theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        away = eta - 0.5
        return piecewise(xp, xp.abs(away) < 0.25, partial(_invert_near, xp), partial(_invert_far, xp), away, eta, 1.0 - eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return _negative_entropy(xp, self.to_theta(eta))[..., 0]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return -_negative_entropy(xp, theta)[..., 0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """Near: Δ² ∫_0^1 (1 − t) ψ″(θ_p + tΔ) dt with Δ = θ_q − θ_p. Far: reflected to θ_p ≤ 0, where nothing cancels."""
        theta_p, theta_q = xp.broadcast_arrays(theta_p, theta_q)
        by_integral, by_tails = (lambda p, q: self._kl_near(xp, p, q)), (lambda p, q: self._kl_far(xp, p, q))
        return piecewise(xp, xp.abs(theta_q - theta_p) < NEAR, by_integral, by_tails, theta_p, theta_q)[..., 0]

    def _kl_near(self, xp: Namespace, p: Array, q: Array) -> Array:
        # ψ″ has its poles at ±2πi: for |Δ| < 4 the error of 14 nodes is below rounding
        return bregman_integral(lambda theta: self._second(xp, theta), p, q - p, 14)

    def _kl_far(self, xp: Namespace, p: Array, q: Array) -> Array:
        sign = xp.where(p > 0, -xp.ones_like(p), xp.ones_like(p))
        p, q = sign * p, sign * q

        def both_tails(p: Array, q: Array) -> Array:
            """ψ(θ) = −log(−θ) + log(1 − e^θ): the divergence of the first term less that of minus the second, which is small."""
            step = q - p
            odds = -xp.exp(p) / xp.expm1(p)
            tail = xp.log1p(-xp.exp(p)) - xp.log1p(-xp.exp(q)) - step * odds
            return ratio_gap(xp, q / p, step / p) - tail

        def direct(p: Array, q: Array) -> Array:
            eta = self._to_eta(xp, p[..., None])[..., 0]
            return self._potential(xp, q[..., None]) - self._potential(xp, p[..., None]) - (q - p) * eta

        return piecewise(xp, xp.maximum(p, q) < -NEAR, both_tails, direct, p, q)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From the means of x − ½, of x and of 1 − x: none is a difference."""
        means = average(xp, weights, xp.stack([x - 0.5, x, 1.0 - x], axis=-1))
        away, least, most = means[..., :1], means[..., 1:2], means[..., 2:]
        least, most = positive(xp, least), positive(xp, most)
        return piecewise(xp, xp.abs(away) < 0.25, partial(_invert_near, xp), partial(_invert_far, xp), away, least, most)

    def _cumulative(self, xp: Namespace, theta: Array) -> ContinuousCumulative:
        return _Tilted(xp, theta[..., 0])

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """By inversion on the side of θ ≤ 0, x = log(1 + u (e^θ − 1)) / θ; reflected for θ > 0."""
        xp, t = draws.xp, theta[..., 0]
        u = draws.uniform(shape)
        v = xp.where(t == 0, xp.ones_like(t), -xp.abs(t))
        x = xp.where(t == 0, u, xp.log1p(u * xp.expm1(v)) / v)
        return xp.where(t > 0, 1.0 - x, x)

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return (xp.log(probability) - xp.log1p(-probability))[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": xp.expit(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"probability": xp.expit(theta[..., 0]) * xp.expit(-theta[..., 0]) * self._sharp(xp, theta, d_eta)[..., 0]}


@dataclass(frozen=True)
class _Tilted(ContinuousCumulative):
    """Of the density in proportion to e^{θx} on [0, 1]."""

    xp: Namespace
    theta: Array

    def _parts(self, x: Array, sign: float) -> tuple[Array, Array]:
        """P = (1 − e^{tx}) / (1 − e^t), as a share and the logarithm of its factor e^{−t(1 − x)} for t > 0, with t = ±θ."""
        xp, t = self.xp, sign * self.theta
        v = xp.where(t == 0, xp.ones_like(t), -xp.abs(t))
        share = xp.where(t == 0, x, xp.expm1(v * x) / xp.expm1(v))
        return share, xp.where(t > 0, -t * (1.0 - x), 0.0 * t)

    def cdf(self, x: Array) -> Array:
        share, log_factor = self._parts(x, 1.0)
        return share * self.xp.exp(log_factor)

    def survival(self, x: Array) -> Array:
        share, log_factor = self._parts(1.0 - x, -1.0)
        return share * self.xp.exp(log_factor)

    def log_cdf(self, x: Array) -> Array:
        share, log_factor = self._parts(x, 1.0)
        return self.xp.where(log_factor < -1.0, log_factor + self.xp.log(share), log_of(self.xp, self.cdf(x), self.survival(x)))

    def log_survival(self, x: Array) -> Array:
        share, log_factor = self._parts(1.0 - x, -1.0)
        return self.xp.where(log_factor < -1.0, log_factor + self.xp.log(share), log_of(self.xp, self.survival(x), self.cdf(x)))

    def quantile(self, q: Array) -> Array:
        return self._solved(q, 1.0 - q, self.theta)

    def upper_quantile(self, q: Array) -> Array:
        return self._solved(1.0 - q, q, self.theta)

    def _solved(self, q: Array, rest: Array, t: Array) -> Array:
        """log(1 + q (e^t − 1)) / t, where e^t overflows and where the argument is small by its parts."""
        xp = self.xp
        t = xp.where(t == 0, xp.full_like(t, 1e-30), t)
        growth = q * xp.expm1(xp.minimum(t, 80.0 + 0.0 * t))
        small = xp.log(rest + q * xp.exp(xp.minimum(t, 0.0 * t)))
        x = xp.where(growth < -0.5, small, xp.log1p(xp.maximum(growth, -0.75 + 0.0 * growth))) / t
        return xp.where(t > 80.0, xp.where(t * q > 0, xp.logaddexp(xp.log(q) + t, xp.log(rest)) / t, x), x)


# Power series in w = u² with u = θ / 2. Their coefficients have one sign, so that nothing cancels on the real line.
_TERMS = range(1, 15)       # at w = 4 the next term of sinh u / u is 7e-26 of the sum
_SINHC = tuple(1.0 / factorial(2 * k + 1) for k in _TERMS)                                # sinh u / u − 1, over w
_LANGEVIN = tuple(2.0 * k / factorial(2 * k + 1) for k in _TERMS)                         # (u cosh u − sinh u) / u, over w
_SQUARE = tuple(2.0 ** (2 * k + 1) / factorial(2 * k + 2) for k in _TERMS)                # sinh² u / w − 1, over w
_CUBE = tuple(((2 * k + 1) * 2 * k * (2 * k - 1) - (3.0 ** (2 * k + 1) - 3.0) / 4.0) / factorial(2 * k + 1)
              for k in range(3, 22))                                                      # (u³ cosh u − sinh³ u) / u, over w³


def _horner(x: Array, coefficients: Array) -> Array:
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _log_sinhc(xp: Namespace, theta: Array) -> Array:
    """log(sinh u / u), u = θ / 2."""
    w = 0.25 * theta**2
    return xp.log1p(w * _horner(w, _SINHC))


def _centred_mean(theta: Array) -> Array:
    """η − ½ = ½ (coth u − 1 / u)."""
    u = 0.5 * theta
    w = u * u
    return 0.5 * u * _horner(w, _LANGEVIN) / (1.0 + w * _horner(w, _SINHC))


def _variance(theta: Array) -> Array:
    """¼ (1 / u² − 1 / sinh² u)."""
    w = 0.25 * theta**2
    rest = _horner(w, _SQUARE)
    return 0.25 * rest / (1.0 + w * rest)


def _third_cumulant(theta: Array) -> Array:
    """¼ (cosh u / sinh³ u − 1 / u³)."""
    u = 0.5 * theta
    w = u * u
    return 0.25 * u * _horner(w, _CUBE) / (1.0 + w * _horner(w, _SINHC)) ** 3


def _log_of_tail(xp: Namespace, v: Array) -> Array:
    """ψ(−v) = log((1 − e^{−v}) / v) for v > 0."""
    return xp.log1p(-xp.exp(-v)) - xp.log(v)


def _small_mean(xp: Namespace, v: Array) -> Array:
    """η(−v) = 1/v − 1 / (e^v − 1) for v > 0."""
    return 1.0 / v + xp.exp(-v) / xp.expm1(-v)


def _negative_entropy(xp: Namespace, theta: Array) -> Array:
    """φ = θη − ψ, even in θ."""
    def far(t: Array) -> Array:
        v = xp.abs(t)
        return -1.0 - v * xp.exp(-v) / xp.expm1(-v) - _log_of_tail(xp, v)

    return piecewise(xp, xp.abs(theta) < NEAR, lambda t: t * _centred_mean(t) - _log_sinhc(xp, t), far, theta)


def _start(xp: Namespace, e: Array) -> Array:
    """|θ| of a mean e ≤ ½, to 5 %. Source: Cohen, A Padé approximant to the inverse Langevin function (1991)."""
    m = 1.0 - 2.0 * e
    return 0.5 * m * (3.0 - m * m) / (e * (1.0 - e))


def _invert_near(xp: Namespace, target: Array, least: Array, most: Array) -> Array:
    """θ of target = η − ½, least = η, most = 1 − η."""
    theta = xp.where(target < 0, -_start(xp, least), _start(xp, most))
    return _newton(xp, theta, _centred_mean, _variance, target, xp.abs(target) + 0.5)


def _invert_far(xp: Namespace, target: Array, least: Array, most: Array) -> Array:
    e = xp.minimum(least, most)
    solved = xp.maximum(e, xp.full_like(e, 0.02))      # below, |θ| = 1 / e to rounding
    slope = lambda v: xp.exp(-v) / xp.expm1(-v) ** 2 - 1.0 / v**2
    v = _newton(xp, _start(xp, solved), lambda v: _small_mean(xp, v), slope, solved, solved)
    v = xp.where(e < 0.02, 1.0 / e, v)
    return xp.where(target < 0, -v, v)


def _newton(xp: Namespace, x: Array, mean: Array, slope: Array, target: Array, size: int) -> Array:
    def newton(x: Array, target: Array, size: int) -> tuple[Array, Array]:
        residual = mean(x) - target
        return x - residual / slope(x), residual / size

    return root(xp, x, newton, "continuous Bernoulli mean", target, size)
