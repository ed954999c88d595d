"""The logarithmic series family."""
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..backend import Array, Namespace, column
from ..domains.convex import Orthant
from ..domains.supports import ClosedInterval, Integers, Interval, LimitPoints
from ..geometry.manifolds.separable import OneSeries
from ..numerics.exponentials import log1m_exp
from ..numerics.lattice import panel_sums
from ..numerics.piecewise import piecewise
from ..numerics.quadrature import bregman_integral
from ..numerics.root import root
from .limits import HasLimits
from .lower_tail import LowerTail, WithLowerTail

__all__ = ["LogSeries"]

_TERMS = 40     # of the power series in p < 0.3: 0.3^40 = 1e-21


@dataclass(frozen=True)
class LogSeries(HasLimits, WithLowerTail, OneSeries):
    """The logarithmic series distribution (Fisher): x = 1, 2, 3, … with probability proportional to p^x / x.

    Mathematically, with L = −log(1 − p) and the odds a = p / (1 − p),

    - support {1, 2, 3, …}; T(x) = x − 1; h(x) = 1 / x
    - θ = log p < 0; η = a / L − 1 > 0
    - ψ(θ) = log(L / p)
    - metric (a / L) (1 + a − a / L)

    For p → 0 the limit is x = 1.

    T is x − 1, not x, so that a mean near 1 keeps its digits.

    Ordinary parameters: `probability` p, shape (...), in (0, 1).
    Source: Fisher, Corbet & Williams (1943); Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), chapter 7.

    Examples
    --------
    >>> M = ig.LogSeries()
    >>> theta = M.theta_from(probability=0.5)
    >>> float(M.mean(theta).round(4))  # 1 / log 2
    1.4427
    """

    dim = 1
    theta_domain = Orthant(-1)
    eta_domain = Orthant(1)
    support = Integers(1)
    ordinary = {"probability": Interval(0, 1)}
    theta_closure = LimitPoints(1, 0.0)
    ordinary_closure = {"probability": ClosedInterval(0, 1)}
    eta_total = inf
    lower_tail = LowerTail(-20.0, ((sqrt(2.0), 0.5), (sqrt(2.0) * 5.0 / 18.0, 1.5)))     # √ψ″ = √(p/2) (1 + 5p/6 + …), to 1e-17

    @once
    def _derivatives(self, xp: Namespace, theta: Array) -> Any:
        """(ψ, η, ψ″, ψ‴), each (..., 1)."""
        return tuple(_derivatives(xp, theta))

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """By Newton's method on log η as a function of u = log(p / (1 − p)), whose slope is between ½ and 1, then once in θ."""
        def at(u: Array, eta: Array) -> tuple[Array, Array, Array]:
            theta = xp.where(u < 0, u, xp.zeros_like(u)) - xp.log1p(xp.exp(-xp.abs(u)))
            _, mean, variance, _ = _derivatives(xp, theta)
            L = -log1m_exp(xp, theta)           # of odds above 1e154 the variance a² / L (1 − 1/L) is no number
            return theta, xp.where(variance < inf, mean / variance, xp.expm1(-theta) * L / (L - 1.0)), xp.log(mean / eta)

        def newton(u: Array, eta: Array, size: int) -> tuple[Array, Array]:
            theta, ratio, residual = at(u, eta)
            return u - residual * ratio / -xp.expm1(theta), residual / size

        log_eta = xp.log(eta)
        u = root(xp, log_eta + 0.7, newton, "log-series probability", eta, 1.0 + xp.abs(log_eta))
        theta, ratio, residual = at(u, eta)
        return theta - residual * ratio

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return (x - 1.0)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """−E[log x], by the power series for small p, by panels of integers for others."""
        return -piecewise(xp, theta[..., 0] < log(0.3), lambda theta: _power_series(xp, theta)[3],
                          lambda theta: _mean_logarithm(xp, theta), theta[..., 0])

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """ψ − θ η + E[log x], three positive terms."""
        psi, eta = self._derivatives(xp, theta)[:2]
        return (psi - theta * eta)[..., 0] - self._expected_log_base_measure(xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        step = theta_q - theta_p
        is_near = xp.abs(step) < 0.5 * xp.minimum(-theta_p, 1.0 + 0.0 * theta_p)
        near = lambda p, q, step: bregman_integral(lambda theta: _derivatives(xp, theta)[2], p, step)

        def far(p: Array, q: Array, step: Array) -> Array:
            psi_p, eta_p, _, _ = _derivatives(xp, p)
            psi_q = _derivatives(xp, q)[0]
            # near p = 1, log(L_q / L_p) from the ratio of 1 − p
            ratio = -xp.log(xp.expm1(q) / xp.expm1(p)) / -log1m_exp(xp, p)
            # log(1 + ratio) loses a digit below; far below −1, ψ = p/2 is lost beside it, and it overflows
            usable = (xp.maximum(p, q) > -1.0) & (xp.minimum(p, q) > -3.0) & (ratio > -0.5)
            by_ratio = xp.log1p(xp.where(usable, ratio, xp.zeros_like(ratio))) - step
            return xp.where(usable, by_ratio, psi_q - psi_p) - step * eta_p

        theta_p, theta_q, step = (v[..., 0] for v in xp.broadcast_arrays(theta_p, theta_q, step))
        return piecewise(xp, is_near[..., 0], near, far, theta_p, theta_q, step)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return 1.0 + self._to_eta(xp, theta)[..., 0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._metric(xp, theta)[..., 0, 0]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """⌊1 + log V / log(1 − (1 − p)^U)⌋.

        Source: Kemp, Efficient generation of logarithmically distributed pseudo-random variables (1981), algorithm LK.
        """
        xp = draws.xp
        power = log1m_exp(xp, theta[..., 0]) * draws.uniform(shape)             # log (1 − p)^U
        return 1.0 + xp.floor(xp.log1p(-draws.uniform(shape)) / log1m_exp(xp, power))

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return xp.log(probability)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": xp.exp(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"probability": xp.exp(theta[..., 0]) * self._sharp(xp, theta, d_eta)[..., 0]}


def _power_series(xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array]:
    """(log L/p, η, E[(x − 1)²], E[log x]) from their series in p."""
    p = xp.exp(theta)
    whole, first, second, logarithm = ([0.0 * p] * 4)
    for x in range(_TERMS, 1, -1):                          # Σ_{x≥2} c_x p^{x−1} by Horner's rule
        whole = p * (1.0 / x + whole)
        first = p * ((x - 1.0) / x + first)
        second = p * ((x - 1.0) ** 2 / x + second)
        logarithm = p * (log(x) / x + logarithm)
    norm = 1.0 + whole
    return xp.log1p(whole), first / norm, second / norm, logarithm / norm


def _derivatives(xp: Namespace, theta: Array) -> Any:
    """ψ and its first three derivatives, elementwise."""
    small = theta < log(0.3)
    # for small p the derivatives of ψ = log(L / p) from those of the power series
    at_small = xp.where(small, theta, xp.full_like(theta, -2.0))
    p = xp.exp(at_small)
    sums = [0.0 * p] * 4
    for x in range(_TERMS, 1, -1):
        sums = [p * ((x - 1.0) ** k / x + total) for k, total in enumerate(sums)]
    norm = 1.0 + sums[0]
    m1, m2, m3 = (s / norm for s in sums[1:])
    series = (xp.log1p(sums[0]), m1, m2 - m1 * m1, m3 - 3.0 * m1 * m2 + 2.0 * m1**3)
    at_large = xp.where(small, xp.full_like(theta, -1.0), theta)
    L, a = -log1m_exp(xp, at_large), 1.0 / xp.expm1(-at_large)
    m = a / L
    closed = (xp.log(L) - at_large, m - 1.0, m * (1.0 + a - m), m * ((1.0 + a) * (1.0 + 2.0 * a - 3.0 * m) + 2.0 * m * m))
    return [xp.where(small, s, c) for s, c in zip(series, closed)]


def _mean_logarithm(xp: Namespace, theta: Array) -> Array:
    """E[log x] = Σ log x p^x / (x L)."""
    log_term = lambda t: t * column(theta) - xp.log1p(t)
    zero = 0.0 * theta
    total, = panel_sums(xp, log_term, zero, zero + np.inf, lambda t, _, weight: (weight * xp.log1p(t),), 1)
    return total * xp.exp(theta) / -log1m_exp(xp, theta)
