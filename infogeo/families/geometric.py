"""The geometric and negative binomial families."""
from dataclasses import dataclass
from math import inf, log, pi
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays, column
from ..domains.convex import Orthant
from ..domains.supports import ClosedInterval, Integers, Interval, LimitPoints
from ..errors import require_positive
from ..geometry.manifolds.arc_length import ArcLength
from ..geometry.manifolds.scaled import Scaled
from ..numerics.exponentials import kl_terms, log1m_exp
from ..numerics.factorials import deviance, factorial_gap
from ..numerics.lattice import entropy
from ..numerics.piecewise import piecewise
from .base import ConstantBaseMeasure
from .cumulative import Carried, Shares, StandardExponential
from .limits import HasLimits
from .transformed import Transformed

__all__ = ["Geometric", "NegativeBinomial"]


@dataclass(frozen=True)
class Geometric(HasLimits, ArcLength, ConstantBaseMeasure):
    """The number of failures before the first success, of probability p.

    Mathematically, with q = 1 − p,

    - support {0, 1, 2, …}; T(x) = x; h(x) = 1
    - θ = log q < 0; η = q / p > 0
    - ψ(θ) = −log(1 − e^θ); φ(η) = η log η − (1 + η) log(1 + η)
    - metric q / p²; dual metric 1 / (η (1 + η))

    Ordinary parameters: `probability` of a success, shape (...), in (0, 1).

    Examples
    --------
    >>> M = ig.Geometric()
    >>> M.fit([0.0, 2.0, 7.0]).round(3)
    array([-0.288])
    """

    dim = 1
    theta_domain = Orthant(-1)
    eta_domain = Orthant(1)
    support = Integers(0)
    observed = 0
    ordinary = {"probability": Interval(0, 1)}
    theta_closure = LimitPoints(1, 0.0)
    eta_total = inf
    ordinary_closure = {"probability": ClosedInterval(0, 1)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return -log1m_exp(xp, theta[..., 0])

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return _odds(xp, theta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        odds = _odds(xp, theta)
        return odds * (1.0 + odds)

    def _third(self, xp: Namespace, theta: Array) -> Array:
        """q (1 + q) / p³."""
        odds = _odds(xp, theta)
        return odds * (1.0 + odds) * (1.0 + 2.0 * odds)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return -xp.log1p(1.0 / eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return (xp.where(eta < 1, xp.xlogy(eta, eta / (1.0 + eta)), -eta * xp.log1p(1.0 / eta)) - xp.log1p(eta))[..., 0]

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return 1.0 / (eta * (1.0 + eta))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """ψ(θ) − θ η, two positive terms."""
        return self._potential(xp, theta) - (theta * _odds(xp, theta))[..., 0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """1/p_p times the divergence of one trial: a failure with log-ratio θ_q − θ_p, a success with log(p_q / p_p)."""
        step = theta_q - theta_p
        growth = -_odds(xp, theta_p) * xp.expm1(xp.minimum(step, 1.0 + 0.0 * step))              # p_q / p_p − 1
        near = xp.log1p(xp.clip(growth, -0.5, 0.5))
        success = xp.where((xp.abs(growth) < 0.5) & (step < 1.0), near, log1m_exp(xp, theta_q) - log1m_exp(xp, theta_p))
        failures = kl_terms(xp, xp.exp(theta_p), xp.exp(theta_q), step)
        successes = kl_terms(xp, -xp.expm1(theta_p), -xp.expm1(theta_q), success)
        return ((failures + successes) / -xp.expm1(theta_p))[..., 0]

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        rate = -theta[..., 0]
        return Carried(StandardExponential(xp), lambda x: rate * (x + 1.0), lambda z: z / rate - 1.0)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """By inversion: ⌊log U / log q⌋."""
        xp = draws.xp
        return xp.floor(xp.log1p(-draws.uniform(shape)) / theta[..., 0])

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return xp.log1p(-probability)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": -xp.expm1(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dp = −p² dη."""
        return {"probability": -xp.expm1(theta[..., 0]) ** 2 * d_eta[..., 0]}

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """2 artanh √q, which is arsinh(1 / sinh(−θ/2))."""
        return xp.asinh(1.0 / xp.sinh(-0.5 * theta))

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        s = xp.where(s > 0, s, xp.full_like(s, xp.nan))
        return -2.0 * xp.asinh(1.0 / xp.sinh(s))

    def _arc_between(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """2 artanh √q_q − 2 artanh √q_p, by the addition theorem of tanh(−θ/4) = e^{−s}.

        Mathematically, 2 arsinh of sinh ¼(θ_q − θ_p) / √(sinh ½θ_p sinh ½θ_q), from exponentials that do not overflow.
        """
        step = theta_q - theta_p
        roots = xp.sqrt(-xp.expm1(theta_p)) * xp.sqrt(-xp.expm1(theta_q))
        grows = step > 0                    # by choices and not by |step|, which has no derivative at 0
        apart = xp.exp(0.5 * xp.where(grows, theta_q, theta_p)) * xp.expm1(0.5 * xp.where(grows, -step, step)) / roots
        return 2.0 * xp.asinh(xp.where(grows, -apart, apart))


def _odds(xp: Namespace, theta: Array) -> Array:
    """q / p = 1 / (e^{−θ} − 1)."""
    # e^{−θ} of the second form overflows far below the seam
    return xp.where(theta < -1.0, xp.exp(theta) / -xp.expm1(theta), 1.0 / xp.expm1(-theta))


@dataclass(frozen=True)
class NegativeBinomial(HasLimits, Transformed):
    """The number of failures before the r-th success, of probability p; r > 0 is known and need not be whole.

    Mathematically, with q = 1 − p: the geometry is r times that of the geometric family,

    - support {0, 1, 2, …}; T(x) = x; h(x) = Γ(x + r) / (Γ(r) x!)
    - θ = log q < 0; η = r q / p > 0
    - ψ(θ) = −r log(1 − e^θ); φ(η) = η log(η / (r + η)) − r log(1 + η / r)
    - metric r q / p²; dual metric 1 / η − 1 / (r + η)

    Ordinary parameters: `probability` of a success, shape (...), in (0, 1); `theta_from` takes `mean`, positive, in its
    place: of r = 6·10¹⁶ successes at a mean of 55 it has 1 − p = 9·10⁻¹⁶, of which a probability near 1 keeps no digit.

    Examples
    --------
    >>> M = ig.NegativeBinomial(2.5)
    >>> M.quantile(M.theta_from(probability=0.5), [0.5, 0.9])
    array([2., 5.])
    """

    r: float
    support = Integers(0)
    observed = 0
    ordinary = Geometric.ordinary
    theta_closure = Geometric.theta_closure
    eta_total = inf
    ordinary_closure = Geometric.ordinary_closure

    def __post_init__(self) -> None:
        require_positive("r", self.r)
        object.__setattr__(self, "base", Scaled(Geometric(), self.r))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        """log C(x + r − 1, x), from the parts of the factorials that do not cancel."""
        r = xp.full_like(x, float(self.r))
        mixing = r * xp.log1p(x / r) + xp.where(x > 0, x * xp.log1p(r / xp.where(x > 0, x, r)), xp.zeros_like(x))
        return mixing + self._log_prefactor(xp, x)

    def _log_prefactor(self, xp: Namespace, x: Array) -> Array:
        """The part of log p(x) beside the deviances of x failures and r successes among x + r trials."""
        r = xp.full_like(x, float(self.r))
        return factorial_gap(xp, x + r) - factorial_gap(xp, r) - factorial_gap(xp, x) - xp.log1p(x / r)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """φ(η) with its sign changed, less the entropy."""
        return -self._entropy(xp, theta) - self._dual_potential(xp, self._to_eta(xp, theta))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        theta, r = theta[..., 0], float(self.r)
        p, q = -xp.expm1(theta), xp.exp(theta)
        gap = r * q - x * p                                   # expected failures among x + r trials, less x
        failures = deviance(xp, x, gap, xp.log(x + r) + theta)
        successes = deviance(xp, xp.full_like(gap, r), -gap, xp.log(x + r) + log1m_exp(xp, theta))
        return self._log_prefactor(xp, x) - failures - successes

    def theta_from(self, *, mean: Any = None, boundary: Any = False, **ordinary: Array) -> Array:
        if mean is not None and ordinary:
            raise TypeError(f"{self!r} takes either the mean or the probability; got {', '.join(('mean', *ordinary))}")
        if mean is None:
            return super().theta_from(boundary=boundary, **ordinary)
        mean = (ClosedInterval(0) if boundary else Interval(0)).require("mean", mean)
        xp, mean = arrays(mean)
        with np.errstate(all="ignore"):
            odds = self.r / mean
            theta = -xp.where(odds < inf, xp.log1p(odds), log(self.r) - xp.log(mean))[..., None]
        self._require_in_range(theta, (self.theta_closure if boundary else self.theta_domain).contains(theta))
        return theta

    theta_from.__doc__ = ConstantBaseMeasure.theta_from.__doc__

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """By the sum; where r q > 10¹⁰, and with it mean² / variance, from two terms about the normal law, to 1e-20."""
        return piecewise(xp, theta[..., 0] + log(self.r) > log(1e10), lambda theta: self._entropy_near_normal(xp, theta),
                         lambda theta: self._entropy_by_sum(xp, theta[..., None]), theta[..., 0])

    def _entropy_near_normal(self, xp: Namespace, theta: Array) -> Array:
        """½ log(2πe v) − skewness² / 12, v = r q / p². Source: Edgeworth's expansion; McCullagh, Tensor Methods (1987), 5.5."""
        q, log_p = xp.exp(theta), log1m_exp(xp, theta)
        return 0.5 * (log(2.0 * pi) + 1.0 + log(self.r) + theta) - log_p - (1.0 + q) ** 2 / (12.0 * self.r) / q

    def _entropy_by_sum(self, xp: Namespace, theta: Array) -> Array:
        eta = self._to_eta(xp, theta)[..., 0]
        mode = xp.floor(xp.maximum((self.r - 1.0) / self.r * eta, 0.0 * eta))
        at = theta[..., None, :]
        top = self._log_density(xp, theta, mode)
        log_term = lambda t: self._log_density(xp, at, column(mode) + t) - column(top)
        return entropy(xp, log_term, mode, xp.full_like(mode, np.inf))

    def _cumulative(self, xp: Namespace, theta: Array) -> Shares:
        theta = theta[..., 0]
        return Shares(xp, lambda x: (xp.full_like(x, float(self.r)), x + 1.0, -xp.expm1(theta), xp.exp(theta)))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """A Poisson count whose rate is gamma distributed."""
        xp = draws.xp
        odds = _odds(xp, theta[..., 0])
        return draws.poisson(draws.gamma(xp.full_like(odds, float(self.r)), shape) * odds, shape)

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return xp.log1p(-probability)[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": -xp.expm1(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dp = −p² dη / r."""
        return {"probability": -xp.expm1(theta[..., 0]) ** 2 * d_eta[..., 0] / self.r}
