"""Distribution functions on the line, their logarithms and inverses: the closed forms that families share."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from ..arrays.tracing import repeat
from ..backend import Array, Namespace
from ..numerics.incomplete_beta import inverse_lower_beta, log_lower_beta, lower_beta
from ..numerics.incomplete_gamma import (inverse_lower_gamma, inverse_upper_gamma, log_lower_gamma, log_of, log_upper_gamma,
                                         lower_gamma, upper_gamma)

__all__ = ["Carried", "ContinuousCumulative", "Cumulative", "Law", "Shares", "StandardBeta", "StandardExponential",
           "StandardGamma", "StandardHalfNormal", "StandardLaplace", "StandardNormal", "TabulatedCumulative", "binary_search",
           "log_sum", "log_unless_high"]


class Cumulative(ABC):
    """P(X ≤ x) and P(X > x) for x inside the support, elementwise, each to its own relative precision, with their logarithms."""

    xp: Namespace

    def cdf(self, x: Array) -> Array:
        return self.xp.exp(self.log_cdf(x))

    def survival(self, x: Array) -> Array:
        return self.xp.exp(self.log_survival(x))

    @abstractmethod
    def log_cdf(self, x: Array) -> Array:
        """log P(X ≤ x)."""

    @abstractmethod
    def log_survival(self, x: Array) -> Array:
        """log P(X > x)."""


class Law(Cumulative):
    """With the moments, which come from the same sums."""

    @abstractmethod
    def moments(self) -> tuple[Array, Array]:
        """The mean and the variance of x, shapes (...)."""


class ContinuousCumulative(Cumulative):
    """Of a law with a density, whose distribution function has an inverse."""

    @abstractmethod
    def quantile(self, q: Array) -> Array:
        """x with P(X ≤ x) = q, 0 < q < 1."""

    @abstractmethod
    def upper_quantile(self, q: Array) -> Array:
        """x with P(X > x) = q, 0 < q < 1."""


@dataclass(frozen=True)
class StandardNormal(ContinuousCumulative):
    """Of the normal law of mean 0 and variance 1."""

    xp: Namespace

    def cdf(self, x: Array) -> Array:
        return self.xp.ndtr(x)

    def survival(self, x: Array) -> Array:
        return self.xp.ndtr(-x)

    def log_cdf(self, x: Array) -> Array:
        return self.xp.log_ndtr(x)

    def log_survival(self, x: Array) -> Array:
        return self.xp.log_ndtr(-x)

    def quantile(self, q: Array) -> Array:
        return self.xp.ndtri(q)

    def upper_quantile(self, q: Array) -> Array:
        return -self.xp.ndtri(q)


@dataclass(frozen=True)
class StandardExponential(ContinuousCumulative):
    """Of the exponential law of rate 1."""

    xp: Namespace

    def cdf(self, x: Array) -> Array:
        return -self.xp.expm1(-x)

    def log_cdf(self, x: Array) -> Array:
        return log_of(self.xp, self.cdf(x), self.survival(x))

    def log_survival(self, x: Array) -> Array:
        return -x

    def quantile(self, q: Array) -> Array:
        return -self.xp.log1p(-q)

    def upper_quantile(self, q: Array) -> Array:
        return -self.xp.log(q)


@dataclass(frozen=True)
class StandardHalfNormal(ContinuousCumulative):
    """Of the absolute value of a standard normal variable."""

    xp: Namespace

    def cdf(self, x: Array) -> Array:
        return self.xp.erf(sqrt(0.5) * x)

    def survival(self, x: Array) -> Array:
        return 2.0 * self.xp.ndtr(-x)

    def log_cdf(self, x: Array) -> Array:
        return log_of(self.xp, self.cdf(x), self.survival(x))

    def log_survival(self, x: Array) -> Array:
        xp = self.xp
        return xp.where(x < 1.0, xp.log1p(-self.cdf(x)), log(2.0) + xp.log_ndtr(-x))

    def quantile(self, q: Array) -> Array:
        return self.xp.where(q < 0.5, sqrt(2.0) * self.xp.erfinv(q), self.upper_quantile(1.0 - q))

    def upper_quantile(self, q: Array) -> Array:
        return -self.xp.ndtri(0.5 * q)


@dataclass(frozen=True)
class StandardLaplace(ContinuousCumulative):
    """Of the law of density ½ e^{−|x|}."""

    xp: Namespace

    def log_cdf(self, x: Array) -> Array:
        xp = self.xp
        return xp.where(x < 0, x - log(2.0), xp.log1p(-0.5 * xp.exp(-xp.abs(x))))

    def log_survival(self, x: Array) -> Array:
        return self.log_cdf(-x)

    def cdf(self, x: Array) -> Array:
        xp = self.xp
        tail = 0.5 * xp.exp(-xp.abs(x))
        return xp.where(x < 0, tail, 1.0 - tail)

    def survival(self, x: Array) -> Array:
        return self.cdf(-x)

    def quantile(self, q: Array) -> Array:
        xp = self.xp
        return xp.where(q < 0.5, xp.log(2.0 * q), -xp.log(2.0 * (1.0 - q)))

    def upper_quantile(self, q: Array) -> Array:
        return -self.quantile(q)


@dataclass(frozen=True)
class StandardGamma(ContinuousCumulative):
    """Of the gamma law of shape α and rate 1."""

    xp: Namespace
    alpha: Array

    def cdf(self, x: Array) -> Array:
        return lower_gamma(self.xp, self.alpha, x)

    def survival(self, x: Array) -> Array:
        return upper_gamma(self.xp, self.alpha, x)

    def log_cdf(self, x: Array) -> Array:
        return log_lower_gamma(self.xp, self.alpha, x)

    def log_survival(self, x: Array) -> Array:
        return log_upper_gamma(self.xp, self.alpha, x)

    def quantile(self, q: Array) -> Array:
        return self._inverse(q, inverse_lower_gamma, inverse_upper_gamma)

    def upper_quantile(self, q: Array) -> Array:
        return self._inverse(q, inverse_upper_gamma, inverse_lower_gamma)

    def _inverse(self, q: Array, own: Callable[..., Array], other: Callable[..., Array]) -> Array:
        """Each from the smaller one of q and 1 − q."""
        xp = self.xp
        low, high = xp.where(q < 0.5, q, 0.5 + 0.0 * q), xp.where(q < 0.5, 0.5 + 0.0 * q, 1.0 - q)
        return xp.where(q < 0.5, own(xp, self.alpha, low), other(xp, self.alpha, high))


@dataclass(frozen=True)
class Shares(Cumulative):
    """Where P(X ≤ x) = I_u(a, b) with a, b, u and 1 − u functions of x: beta laws, and sums of trials."""

    xp: Namespace
    of: Callable[[Array], tuple[Array, Array, Array, Array]]

    def cdf(self, x: Array) -> Array:
        return lower_beta(self.xp, *self.xp.broadcast_arrays(*self.of(x)))

    def survival(self, x: Array) -> Array:
        a, b, u, v = self.xp.broadcast_arrays(*self.of(x))
        return lower_beta(self.xp, b, a, v, u)

    def log_cdf(self, x: Array) -> Array:
        return log_lower_beta(self.xp, *self.of(x))

    def log_survival(self, x: Array) -> Array:
        a, b, u, v = self.of(x)
        return log_lower_beta(self.xp, b, a, v, u)


@dataclass(frozen=True)
class StandardBeta(Shares, ContinuousCumulative):
    """Of the beta law of parameters α and β."""

    alpha: Array
    beta: Array

    def quantile(self, q: Array) -> Array:
        xp = self.xp
        low, high = xp.where(q < 0.5, q, 0.5 + 0.0 * q), xp.where(q < 0.5, 0.5 + 0.0 * q, 1.0 - q)
        return xp.where(q < 0.5, inverse_lower_beta(xp, self.alpha, self.beta, low),
                        1.0 - inverse_lower_beta(xp, self.beta, self.alpha, high))

    def upper_quantile(self, q: Array) -> Array:
        """From whichever end is nearer, of which 1 − q is exact."""
        flipped = StandardBeta.of_parameters(self.xp, self.beta, self.alpha)
        return self.xp.where(q > 0.5, self.quantile(1.0 - q), 1.0 - flipped.quantile(q))

    @staticmethod
    def of_parameters(xp: Namespace, alpha: Array, beta: Array) -> "StandardBeta":
        return StandardBeta(xp, lambda x: (alpha, beta, x, 1.0 - x), alpha, beta)


@dataclass(frozen=True)
class Carried(ContinuousCumulative):
    """Of x where z = pull(x), monotone, follows another law.

    Parameters
    ----------
    law : ContinuousCumulative
    pull, push : callable (array) -> array
        z(x), and x(z).
    rising : bool
        Whether z grows with x.
    """

    law: ContinuousCumulative
    pull: Callable[[Array], Array]
    push: Callable[[Array], Array]
    rising: bool = True

    def cdf(self, x: Array) -> Array:
        return (self.law.cdf if self.rising else self.law.survival)(self.pull(x))

    def survival(self, x: Array) -> Array:
        return (self.law.survival if self.rising else self.law.cdf)(self.pull(x))

    def log_cdf(self, x: Array) -> Array:
        return (self.law.log_cdf if self.rising else self.law.log_survival)(self.pull(x))

    def log_survival(self, x: Array) -> Array:
        return (self.law.log_survival if self.rising else self.law.log_cdf)(self.pull(x))

    def quantile(self, q: Array) -> Array:
        return self.push((self.law.quantile if self.rising else self.law.upper_quantile)(q))

    def upper_quantile(self, q: Array) -> Array:
        return self.push((self.law.upper_quantile if self.rising else self.law.quantile)(q))


@dataclass(frozen=True)
class TabulatedCumulative(Law):
    """Of the counts first, first + 1, … with the logarithms of all their probabilities, shape (..., m)."""

    xp: Namespace
    first: float
    log_p: Array

    def moments(self) -> tuple[Array, Array]:
        xp, p = self.xp, self.xp.exp(self.log_p)
        count = xp.arange(p.shape[-1], dtype=p.dtype)
        mean = xp.sum(p * count, axis=-1)
        return self.first + mean, xp.sum(p * (count - mean[..., None]) ** 2, axis=-1)

    def log_cdf(self, x: Array) -> Array:
        return self._logs(x)[0]

    def log_survival(self, x: Array) -> Array:
        return self._logs(x)[1]

    def _logs(self, x: Array) -> tuple[Array, Array]:
        """Both logarithms: the sums on both sides of x, each from its largest term."""
        xp = self.xp
        below = self.first + xp.arange(self.log_p.shape[-1], dtype=x.dtype) <= x[..., None]
        nothing = xp.full_like(self.log_p, -np.inf)
        low, high = (log_sum(xp, xp.where(side, self.log_p, nothing)) for side in (below, ~below))
        return log_unless_high(xp, low, high), log_unless_high(xp, high, low)


def log_unless_high(xp: Namespace, own: Array, other: Array) -> Array:
    """log p, from log(1 − p) where p is above ½."""
    return xp.where(own < other, own, xp.log1p(-xp.exp(xp.minimum(other, -0.25 + 0.0 * other))))


def log_sum(xp: Namespace, log_terms: Array) -> Array:
    """log Σ e^{terms} over the last axis, which may be −∞."""
    top = xp.max(log_terms, axis=-1, keepdims=True)
    top = xp.where(top == -np.inf, xp.zeros_like(top), top)
    return top[..., 0] + xp.log(xp.sum(xp.exp(log_terms - top), axis=-1))


MOST = 4096     # steps of a search: from the smallest number to the largest it takes half as many


def binary_search(xp: Namespace, reached: Callable[[Array], Array], start: Array, step: Array, lower: float,
                  upper: float) -> Array:
    """The smallest whole number x ≤ upper that is `reached`, as all above it are; lower where that is, elementwise.

    From `start` in steps that double, then by halves, so that a good start costs few evaluations.
    """
    high = xp.clip(start, lower, upper)
    low, step = xp.full_like(high, lower - 1.0), xp.maximum(step, 1.0 + 0.0 * high)
    met = reached(high)
    down, up = met, ~met & (high < upper)
    low = xp.where(met, low, high)

    def wider(low: Array, high: Array, step: Array, down: Array, up: Array) -> tuple[Array, ...]:
        trial = xp.clip(xp.where(down, high - step, high + step), lower, upper)
        hit = reached(trial) | (trial == upper)
        low = xp.where(up & ~hit, trial, xp.where(down & ~hit, trial, low))
        high = xp.where((down & hit) | up, trial, high)
        down, up = down & hit & (trial > lower), up & ~hit
        return low, high, 2.0 * step, down, up

    low, high, *_ = repeat(xp, lambda low, high, step, down, up: xp.any(down | up), wider, (low, high, step, down, up), MOST)

    def between(low: Array, high: Array) -> tuple[Array, Array]:
        middle = xp.floor(low + 0.5 * (high - low))
        return middle, (middle > low) & (middle < high)

    def halved(low: Array, high: Array) -> tuple[Array, ...]:
        middle, open_ = between(low, high)
        hit = reached(xp.where(open_, middle, high))
        return xp.where(open_ & ~hit, middle, low), xp.where(open_ & hit, middle, high)

    return repeat(xp, lambda low, high: xp.any(between(low, high)[1]), halved, (low, high), MOST)[1]
