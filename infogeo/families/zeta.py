"""The zeta family."""
from dataclasses import dataclass
from math import inf, log, sqrt

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..backend import Array, Namespace, arrays
from ..domains.convex import Orthant
from ..domains.supports import Integers, Interval, LimitPoints
from ..geometry.manifolds.separable import OneSeries
from ..numerics.piecewise import piecewise
from ..numerics.quadrature import bregman_integral
from ..numerics.riemann_zeta import log_zeta_derivatives, log_zeta_sums, zeta_excess
from ..numerics.root import root
from .cumulative import Cumulative, log_unless_high
from .limits import HasLimits
from .lower_tail import LowerTail, WithLowerTail

__all__ = ["Zeta"]


class _Exponents(Interval):
    """Exponents above 1, of which ∞ is one."""

    def contains(self, x: Array) -> Array:
        _, x = arrays(x)
        return x > self.lower

    def rule(self, name: str) -> str:
        return f"{super().rule(name)} or infinite"


@dataclass(frozen=True)
class Zeta(HasLimits, WithLowerTail, OneSeries):
    """The zeta (Zipf) distribution: x = 1, 2, 3, … with probability proportional to x^{−s}, s > 1.

    Mathematically,

    - support {1, 2, 3, …}; T(x) = log x; h(x) = 1 / x
    - θ = 1 − s < 0; η = −ζ′(s) / ζ(s) > 0
    - ψ(θ) = log ζ(1 − θ)
    - metric (log ζ)″(s)

    For s → ∞ the limit is x = 1.

    θ is 1 − s, not −s, so that an exponent near the pole of ζ keeps its digits; the base measure makes up for it.

    Ordinary parameters: `exponent` s, shape (...), above 1.

    Examples
    --------
    >>> M = ig.Zeta()
    >>> theta = M.theta_from(exponent=2.0)
    >>> np.exp(M.log_density(theta, [1, 2])).round(4)  # 6 / π² and ¼ of it
    array([0.6079, 0.152 ])
    """

    dim = 1
    theta_domain = Orthant(-1)
    eta_domain = Orthant(1)
    support = Integers(1)
    ordinary = {"exponent": Interval(1)}
    theta_closure = LimitPoints(1, 0.0)
    ordinary_closure = {"exponent": _Exponents(1)}
    eta_total = inf
    # √ψ″ = log 2 · 2^{−s/2} (1 + ½ (log 3 / log 2)² (2/3)^s + …) at s = 1 − θ, to 1e-18
    lower_tail = LowerTail(-60.0, ((sqrt(2.0), 0.5 * log(2.0)),
                                   (log(3.0)**2 / log(2.0) / log(4.5) * sqrt(2.0) / 3.0, log(3.0) - 0.5 * log(2.0))))

    @once
    def _derivatives(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array]:
        """ψ and its first three derivatives, each (..., 1)."""
        value, first, second, third = log_zeta_derivatives(xp, -theta)
        return value, -first, second, -third

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """By Newton's method on log η, a convex decreasing function of s, from a point to the left of the solution.

        There −ζ′/ζ(s) > 1 / (s − 1) − γ, so that s − 1 = 1 / (η + γ) is to the left and the iteration increases.
        """
        def newton(d: Array, log_eta: Array) -> tuple[Array, Array]:
            """With the slope f″ / f′ of log(−f′), f the logarithm of ζ(1 + d)."""
            _, first, second, _ = log_zeta_derivatives(xp, d)
            change = -(xp.log(-first) - log_eta) * first / second
            return d + change, change / d

        return -root(xp, 1.0 / (eta + 0.5772156649015329), newton, "zeta exponent", xp.log(eta))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.log(x)[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -self._to_eta(xp, theta)[..., 0]

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """log ζ(s) + s η."""
        return self._potential(xp, theta) + ((1.0 - theta) * self._to_eta(xp, theta))[..., 0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        step = theta_q - theta_p
        is_near = xp.abs(step) < xp.minimum(-0.5 * theta_p, 2.0 + 0.0 * theta_p)

        def near(p: Array, q: Array, step: Array) -> Array:
            return bregman_integral(lambda theta: log_zeta_derivatives(xp, -theta)[2], p, step)

        def far(p: Array, q: Array, step: Array) -> Array:
            """ψ_q − ψ_p − δ η_p, with log(ζ_q / ζ_p) from ζ − 1 for large exponents, from (s − 1) ζ near the pole."""
            (excess_p, scaled_p), (excess_q, scaled_q) = zeta_excess(xp, -p), zeta_excess(xp, -q)
            by_pole = xp.log(scaled_q / scaled_p) - xp.log(q / p)
            # the pole is the larger part of ζ up to s = 2, and log(q / p) the smaller of the two logarithms
            near_pole = (xp.maximum(p, q) > -1.0) & (xp.minimum(p, q) > -3.0)
            difference = xp.where(near_pole, by_pole, xp.log1p(excess_q) - xp.log1p(excess_p))
            return difference - step * self._to_eta(xp, p[..., None])[..., 0]

        theta_p, theta_q, step = (v[..., 0] for v in xp.broadcast_arrays(theta_p, theta_q, step))
        return piecewise(xp, is_near[..., 0], near, far, theta_p, theta_q, step)

    def _cumulative(self, xp: Namespace, theta: Array) -> Cumulative:
        return _Powers(xp, -theta[..., 0], self._potential(xp, theta))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        """ζ(s − 1) / ζ(s), s > 2."""
        return 1.0 + _moment_above_1(xp, -theta[..., 0], 1)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        """That of x − 1, s > 3."""
        d = -theta[..., 0]
        variance = _moment_above_1(xp, d, 2) - _moment_above_1(xp, d, 1) ** 2
        return xp.where(d > 2.0, variance, xp.full_like(d, inf))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """By rejection from ⌊U^{−1/(s−1)}⌋; a draw beyond the largest number of the dtype is inf.

        Source: Devroye, Non-Uniform Random Variate Generation (1986), section X.6.1.
        """
        xp = draws.xp
        d = xp.broadcast_to(-theta[..., 0], shape)
        out = xp.zeros_like(d)
        left = xp.ones(shape, dtype=xp.bool)
        while xp.any(left):
            x = xp.floor(xp.exp(-xp.log1p(-draws.uniform(shape)) / d))
            share = x * -xp.expm1(-d * xp.log1p(1.0 / x))                      # x (1 − (1 + 1/x)^{−d}), d for infinite x
            share = xp.where(xp.isfinite(x), share, d)
            taken = left & (draws.uniform(shape) * share <= -xp.expm1(-d * log(2.0)))
            out, left = xp.where(taken, x, out), left & ~taken
        return out

    def _theta_from(self, xp: Namespace, exponent: Array) -> Array:
        return (1.0 - exponent)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"exponent": 1.0 - theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"exponent": -self._sharp(xp, theta, d_eta)[..., 0]}


@dataclass(frozen=True)
class _Powers(Cumulative):
    """By the sums of the powers up to x and beyond."""

    xp: Namespace
    d: Array
    log_zeta: Array

    def log_cdf(self, x: Array) -> Array:
        low, high = log_zeta_sums(self.xp, self.d, x)
        return log_unless_high(self.xp, low - self.log_zeta, high - self.log_zeta)

    def log_survival(self, x: Array) -> Array:
        low, high = log_zeta_sums(self.xp, self.d, x)
        return log_unless_high(self.xp, high - self.log_zeta, low - self.log_zeta)


def _moment_above_1(xp: Namespace, d: Array, k: int) -> Array:
    """E[(x − 1)^k], k = 1 or 2, from the sums over n ≥ 2 of n^{j−s}, j ≤ k; inf for s ≤ k + 1."""
    finite = d > k
    at = xp.where(finite, d, xp.full_like(d, k + 1.0))
    sums = [zeta_excess(xp, at - j)[0] for j in range(k + 1)]
    total = sums[1] - sums[0] if k == 1 else sums[2] - 2.0 * sums[1] + sums[0]
    return xp.where(finite, total / (1.0 + sums[0]), xp.full_like(d, inf))
