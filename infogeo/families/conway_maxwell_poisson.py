"""The Conway–Maxwell–Poisson family."""
from dataclasses import dataclass
from math import log

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.tracing import repeat
from ..backend import Array, Namespace, arrays
from ..domains.chart import Chart, ComposedChart
from ..domains.convex import ConvexDomain, Orthant, ProductDomain, RealSpace
from ..domains.image import GradientChart
from ..domains.supports import Integers, Interval
from ..numerics.exponentials import kl_terms
from ..numerics.linalg import symmetric2
from ..numerics.log_concave import log_concave
from ..numerics.newton import minimize
from ..numerics.piecewise import piecewise
from .base import ExponentialFamily
from .conway_maxwell_poisson_sums import Sums, deviation, mean_bounds, near_kl, sums

__all__ = ["ConwayMaxwellPoisson"]


class _Natural(ProductDomain):
    """R × (−∞, 0), its bulk where λ^{1/ν} is not astronomical."""

    def __init__(self) -> None:
        super().__init__(RealSpace(1), Orthant(-1))

    @property
    def chart(self) -> Chart:
        return _DispersionChart()


class _DispersionChart(Chart):
    """θ = (u₁ ν / (1 + ν), −ν) with ν = e^{u₂}."""

    def _parts(self, u: Array) -> tuple[Array, Array, Array, Array, Array]:
        """(xp, u₁, ν, ν / (1 + ν), 1 / (1 + ν))."""
        xp, u = arrays(u)
        return xp, u[..., 0], xp.exp(u[..., 1]), xp.expit(u[..., 1]), xp.expit(-u[..., 1])

    def __call__(self, u: Array) -> Array:
        xp, u1, dispersion, share, _ = self._parts(u)
        return xp.stack([u1 * share, -dispersion], axis=-1)

    def inverse(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.stack([x[..., 0] * (1.0 - 1.0 / x[..., 1]), xp.log(-x[..., 1])], axis=-1)

    def push_forward(self, u: Array, vector: Array) -> Array:
        xp, u1, dispersion, share, rest = self._parts(u)
        v1, v2 = vector[..., 0], vector[..., 1]
        return xp.stack([share * (v1 + u1 * rest * v2), -dispersion * v2], axis=-1)

    def pull_back(self, u: Array, covector: Array) -> Array:
        xp, u1, dispersion, share, rest = self._parts(u)
        c1, c2 = covector[..., 0], covector[..., 1]
        return xp.stack([share * c1 + 0.0 * c2, u1 * share * rest * c1 - dispersion * c2], axis=-1)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, u1, dispersion, share, rest = self._parts(u)
        (v1, v2), (c1, c2) = ((x[..., 0], x[..., 1]) for x in (vector, covector))
        slope, bend = share * rest, share * rest * (rest - share)
        return xp.stack([slope * v2 * c1 + 0.0 * c2, (slope * v1 + bend * u1 * v2) * c1 - dispersion * v2 * c2], axis=-1)


class _Moments(ConvexDomain):
    """The means of (X, log X!): between the chain of the points (x, log x!) and the means of the geometric distributions.

    The family is not steep: its limits ν → 0, the geometric distributions, have finite means. So this set is open and simply
    connected but, unlike that of a steep family, it is not convex where it borders on them.
    """

    dim = 2

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        inside = xp.all(xp.isfinite(x), axis=-1) & (x[..., 0] > 0)
        chain, geometric = mean_bounds(xp, xp.where(inside, x[..., 0], xp.ones_like(x[..., 0])))
        return inside & (x[..., 1] > chain) & (x[..., 1] < geometric)

    def rule(self, name: str) -> str:
        return (f"{name}[0] > 0 and log {name}[0]! (linear between integers) < {name}[1] "
                f"< E[log X!] of the geometric distribution with mean {name}[0]")

    @property
    def chart(self) -> Chart:
        return ComposedChart(_DispersionChart(), GradientChart(ConwayMaxwellPoisson()))


@dataclass(frozen=True)
class ConwayMaxwellPoisson(ExponentialFamily):
    """Counts with probability proportional to λ^x / (x!)^ν: Poisson for ν = 1, wider for ν < 1, narrower for ν > 1.

    Mathematically,

    - support {0, 1, 2, …}; T(x) = (x, log x!); h(x) = 1
    - θ = (log λ, −ν), θ₂ < 0; η = (E[x], E[log x!])
    - ψ(θ) = log Σ λ^x / (x!)^ν

    ψ and its derivatives are sums over the integers around the mode λ^{1/ν}, to rounding: all of 0 … 95 where these have the
    mass, Gauss rules for counting measure elsewhere. Where λ^{1/ν} is beyond the largest number, so are ψ and η: they are inf.

    Ordinary parameters: `rate` λ and `dispersion` ν, positive, shapes (...).
    Source: Shmueli, Minka, Kadane, Borle & Boatwright, A useful distribution for fitting discrete data (2005).

    Examples
    --------
    >>> M = ig.ConwayMaxwellPoisson()
    >>> theta = M.theta_from(rate=4.0, dispersion=[0.5, 1.0, 2.0])
    >>> (M.variance(theta) / M.mean(theta)).round(3)
    array([1.937, 1.   , 0.589])
    """

    dim = 2
    steep = False       # geometric distributions are limits of finite mean
    theta_domain = _Natural()
    eta_domain = _Moments()
    support = Integers(0)
    observed = 0
    ordinary = {"rate": Interval(0), "dispersion": Interval(0)}

    @once
    def _sums(self, xp: Namespace, theta: Array) -> Sums:
        return sums(xp, theta)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        s = self._sums(xp, theta)
        return s.top + s.log_norm

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        s = self._sums(xp, theta)
        return xp.stack([s.mode + s.mean_x, xp.gammaln(s.mode + 1.0) + s.mean_v + s.pivot * s.mean_x], axis=-1)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        s = self._sums(xp, theta)
        cross = s.xv + s.pivot * s.xx
        return symmetric2(xp, s.xx, cross, s.vv + s.pivot * (s.xv + cross))

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        s = self._sums(xp, theta)
        L = s.pivot
        t112 = s.xxv + L * s.xxx
        t122 = s.xvv + L * (s.xxv + t112)
        t222 = s.vvv + L * (s.xvv + (s.xvv + L * s.xxv) + t122)
        return xp.stack([symmetric2(xp, s.xxx, t112, t122), symmetric2(xp, t112, t122, t222)], axis=-3)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """By damped Newton on ψ(θ) − η·θ, then on log η.

        It starts from ν in proportion to (1 − f) / f, f the place of η₂ between its bounds, and with log λ from the mode where
        λ^{1/ν} is about E[X] + ½ − 1/(2ν), from the geometric distribution of the same mean elsewhere.
        """
        mean = xp.where(xp.isnan(eta[..., 0]), xp.ones_like(eta[..., 0]), eta[..., 0])
        chain, geometric = mean_bounds(xp, mean)
        one = xp.ones_like(mean)
        dispersion = xp.minimum(1.4 * (geometric - eta[..., 1]) / (eta[..., 1] - chain) / xp.maximum(mean, one), 20.0 * one)
        mode = mean + 0.5 - 0.5 / dispersion
        by_mode = dispersion * xp.log(xp.where(mode > 0, mode, one))
        log_rate = xp.where((mode > 0.3 * mean) & (mean > 1.0), by_mode, -xp.log1p(1.0 / mean) + dispersion * xp.log1p(mean))
        # below a mean of 1 a large ν leaves 0 and 1, and η₂ = p₂ log 2 with p₁² = 2^ν p₀ p₂: from a start of larger ν Newton's
        # first step went to the edge ν = 0, and 2 to 5 of 1000 draws of the bulk stayed there
        few = xp.minimum(mean, 0.999 * one)
        sharp = xp.log(few * few / (1.0 - few) / eta[..., 1] * log(2.0)) / log(2.0)
        sharply = (mean < 1.0) & (sharp > 2.0)
        dispersion = xp.where(sharply, sharp, dispersion)
        log_rate = xp.where(sharply, xp.log(few / (1.0 - few)), log_rate)
        start = xp.stack([log_rate, -dispersion], axis=-1)
        theta = minimize(
            xp, start + 0.0 * eta[..., :1], name="to_theta",
            value=lambda theta: self._potential(xp, theta) - xp.sum(eta * theta, axis=-1),
            gradient=lambda theta: self._to_eta(xp, theta) - eta,
            solve=lambda theta, g: self._sharp(xp, theta, g), contains=self.theta_domain.contains,
            scale=1.0 + xp.max(xp.abs(eta), axis=-1))
        return self._polished(xp, theta, eta)

    def _polished(self, xp: Namespace, theta: Array, eta: Array) -> Array:
        """Newton's method on log η, as long as it gains: where η is small, a residual that is small beside 1 is not enough."""
        def residual(theta: Array) -> Array:
            return xp.log(self._to_eta(xp, theta) / eta)

        def step(theta: Array, off: Array, better: Array) -> tuple[Array, ...]:
            trial = theta - self._sharp(xp, theta, self._to_eta(xp, theta) * off)
            trial = xp.stack([trial[..., 0], xp.minimum(trial[..., 1], 0.25 * theta[..., 1])], axis=-1)
            again = residual(trial)
            better = xp.max(xp.abs(again), axis=-1) < 0.5 * xp.max(xp.abs(off), axis=-1)
            return *(xp.where(better[..., None], new, old) for new, old in ((trial, theta), (again, off))), better

        start = (theta, residual(theta), xp.ones(theta.shape[:-1], dtype=xp.bool))
        return repeat(xp, lambda theta, off, better: xp.any(better), step, start, 60)[0]

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        """The negative entropy: h is 1."""
        return -self._entropy(xp, self.to_theta(eta))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        """Through the basis (x, v), in which the metric is far from singular."""
        s = self._sums(xp, theta)
        a, b = vector[..., 0] + s.pivot * vector[..., 1], vector[..., 1]
        first, second = s.xx * a + s.xv * b, s.xv * a + s.vv * b
        return xp.stack([first, second + s.pivot * first], axis=-1)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        s = self._sums(xp, theta)
        first = covector[..., 0]
        second = covector[..., 1] - s.pivot * first
        b = (second - s.xv / s.xx * first) / (s.vv - s.xv / s.xx * s.xv)
        a = (first - s.xv * b) / s.xx
        return xp.stack([a - s.pivot * b, b], axis=-1)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        s = self._sums(xp, self.to_theta(eta))
        inverse = 1.0 / (s.vv - s.xv / s.xx * s.xv)
        slope = s.xv / s.xx + s.pivot                           # of log x! on x
        return symmetric2(xp, 1.0 / s.xx + slope * slope * inverse, -slope * inverse, inverse)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([x, xp.gammaln(x + 1.0)], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.zeros_like(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return xp.zeros_like(theta[..., 0])

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        s = self._sums(xp, theta)
        v = deviation(xp, x, s.level - x, s.pivot, s.level)
        return s.tilt * (x - s.mode) + theta[..., 1] * (v - s.v_mode) - s.log_norm

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        s = self._sums(xp, theta)
        return s.log_norm - s.tilt * s.mean_x - theta[..., 1] * s.mean_v

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """log E_p[e^y] with y = (θ_q − θ_p)·(T − η_p), as log(1 + E_p[e^y − 1 − y]) for near points."""
        far = self._far_kl(xp, theta_p, theta_q)
        step = theta_q - theta_p
        theta, step = xp.broadcast_arrays(theta_p, step)
        near = lambda far, *rest: near_kl(xp, *rest)
        pairs = (theta[..., 0], theta[..., 1], step[..., 0], step[..., 1])
        return piecewise(xp, far > 0.1, lambda far, *rest: far, near, far, *pairs)

    def _far_kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """ψ_q − ψ_p − (θ_q − θ_p)·η_p.

        For large modes the part ν μ of ψ, μ = λ^{1/ν}, is taken out; its divergence is ν_q (μ_q − μ_p − μ_p log(μ_q / μ_p)).
        """
        p, q = self._sums(xp, theta_p), self._sums(xp, theta_q)
        step = theta_q - theta_p
        simple = (q.top - p.top) + (q.log_norm - p.log_norm) - xp.sum(step * self._to_eta(xp, theta_p), axis=-1)
        large = kl_terms(xp, *xp.broadcast_arrays(p.level, q.level, q.pivot - p.pivot)) * -theta_q[..., 1]
        rest_p, rest_q = (theta[..., 1] * s.v_mode + s.log_norm for theta, s in ((theta_p, p), (theta_q, q)))
        tilt = (step[..., 0] + step[..., 1] * p.pivot) * (p.mode - p.level + p.mean_x)
        split = large + (rest_q - rest_p - tilt - step[..., 1] * (p.v_mode + p.mean_v))
        # of smaller modes ν μ is no larger than the rest, and nothing is gained by taking it out
        return xp.where(xp.minimum(p.level, q.level) > 10.0, split, simple)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """No estimate exists where no more than two neighbouring counts are seen: their mean is on the chain, to rounding."""
        seen = weights > 0
        most = xp.max(xp.where(seen, x, xp.full_like(x, -np.inf)), axis=0)
        least = xp.min(xp.where(seen, x, xp.full_like(x, np.inf)), axis=0)
        theta = super()._fit(xp, x, weights)
        return xp.where((most - least > 1.0)[..., None], theta, xp.full_like(theta, xp.nan))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        s = self._sums(xp, theta)

        def log_mass(x: Array, mode: Array, tilt: Array, pivot: Array, level: Array, v_mode: Array, log_norm: Array,
                     theta2: Array) -> Array:
            at = xp.maximum(x, xp.zeros_like(x))
            value = tilt * (at - mode) + theta2 * (deviation(xp, at, level - at, pivot, level) - v_mode) - log_norm
            return xp.where(x >= 0, value, xp.full_like(value, -np.inf))

        return log_concave(draws, lambda mode, *rest: mode, log_mass, shape,
                           s.mode, s.tilt, s.pivot, s.level, s.v_mode, s.log_norm, theta[..., 1])

    def _theta_from(self, xp: Namespace, rate: Array, dispersion: Array) -> Array:
        rate, dispersion = xp.broadcast_arrays(rate, dispersion)
        return xp.stack([xp.log(rate), -dispersion], axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"rate": xp.exp(theta[..., 0]), "dispersion": -theta[..., 1]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        vector = self._sharp(xp, theta, d_eta)
        return {"rate": xp.exp(theta[..., 0]) * vector[..., 0], "dispersion": -vector[..., 1]}
