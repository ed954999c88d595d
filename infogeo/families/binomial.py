"""The binomial and multinomial families."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.sums import average
from ..backend import Array, Namespace, arrays, column
from ..domains.base import Domain
from ..domains.supports import Integers, Interval, SimplexPoints
from ..errors import require_count
from ..geometry.manifolds.scaled import Scaled
from ..numerics.factorials import deviance, factorial_gap
from ..numerics.lattice import entropy, panel_sums
from ..numerics.linalg import covariance_of_shares
from ..numerics.log_concave import log_concave
from ..numerics.piecewise import positive
from .bernoulli import Bernoulli
from .categorical import Categorical
from .cumulative import Shares
from .limits import HasLimits
from .transformed import Transformed

__all__ = ["Binomial", "CountVectors", "Multinomial"]


@dataclass(frozen=True)
class Binomial(HasLimits, Transformed):
    """The number of successes in n independent trials of probability p.

    Mathematically, the geometry is n times that of the Bernoulli family,

    - support {0, …, n}; T(x) = x; h(x) = C(n, x)
    - θ = log(p / (1 − p)) in R; η = n p in (0, n)
    - ψ(θ) = n log(1 + e^θ); φ(η) = η log(η / n) + (n − η) log(1 − η / n)
    - metric n p (1 − p); dual metric 1 / η + 1 / (n − η)

    Ordinary parameters: `probability`, shape (...), in (0, 1).

    Examples
    --------
    >>> M = ig.Binomial(10)
    >>> M.log_density(M.theta_from(probability=0.5), [4.0, 5.0]).round(3)
    array([-1.584, -1.402])
    """

    n: int
    observed = 0
    ordinary = {"probability": Interval(0, 1)}

    def __post_init__(self) -> None:
        require_count("n", self.n)
        object.__setattr__(self, "base", Scaled(Bernoulli(), self.n))

    @property
    def theta_closure(self) -> Domain:
        return Bernoulli.theta_closure

    @property
    def eta_total(self) -> float:
        return float(self.n)

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        return Bernoulli.ordinary_closure

    @property
    def support(self) -> Domain:
        return Integers(0, self.n)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        """log C(n, x) = n H(x / n), with H the entropy of one trial, and what Stirling's formula leaves."""
        n = float(self.n)
        return -xp.xlogy(x, x / n) - xp.xlogy(n - x, (n - x) / n) + _log_prefactor(xp, n, x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """φ(η) with its sign changed, less the entropy."""
        return self.n * Bernoulli()._entropy(xp, theta) - self._entropy(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return _log_mass(xp, float(self.n), theta[..., 0], x)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """Of the rarer outcome: p and 1 − p have the same."""
        return entropy(xp, *_around_mode(xp, float(self.n), -xp.abs(theta[..., 0]))) + 0.0 * theta[..., 0]     # NaN where θ is

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return Bernoulli()._fit(xp, x / float(self.n), weights)

    def _cumulative(self, xp: Namespace, theta: Array) -> Shares:
        n, failure, success = float(self.n), xp.expit(-theta[..., 0]), xp.expit(theta[..., 0])
        return Shares(xp, lambda x: (n - x, x + 1.0, failure, success))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return _draw(draws, theta[..., 0], float(self.n), shape)

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return (xp.log(probability) - xp.log1p(-probability))[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": xp.expit(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"probability": d_eta[..., 0] / self.n}


def _log_prefactor(xp: Namespace, n: Array, x: Array) -> Array:
    """The part of log p(x) beside the deviances of successes and failures."""
    whole = factorial_gap(xp, n + 0.0 * x)
    return whole - factorial_gap(xp, x) - factorial_gap(xp, n - x)


def _log_mass(xp: Namespace, n: Array, logit: Array, x: Array) -> Array:
    """log p(x) of n trials, a number or an array."""
    p, q = xp.expit(logit), xp.expit(-logit)
    log_p, log_q = -Bernoulli()._potential(xp, -logit[..., None]), -Bernoulli()._potential(xp, logit[..., None])
    gap = xp.where(logit < 0, n * p - x, (n - x) - n * q)
    log_n = xp.log(n + 0.0 * gap)
    successes = deviance(xp, x, gap, log_n + log_p)
    failures = deviance(xp, n - x, -gap, log_n + log_q)
    return _log_prefactor(xp, n, x) - successes - failures


def _around_mode(xp: Namespace, n: Array, logit: Array) -> tuple[Callable[[Array], Array], Array, Array]:
    """(t ↦ log p(m + t) − log p(m), m, n − m) with the mode m."""
    mode = xp.minimum(xp.floor((n + 1.0) * xp.expit(logit)), xp.full_like(logit, n))
    start, top, at = mode[..., None], _log_mass(xp, n, logit, mode)[..., None], logit[..., None]
    return lambda t: _log_mass(xp, n, at, start + t) - top, mode, n - mode


def _mean(xp: Namespace, n: Array, logit: Array, f: Callable[[Array], Array]) -> Array:
    """E[f(X)] of binomial X, shape (...); f takes arrays with a trailing axis of nodes, smooth on (−1, n + 1)."""
    log_term, mode, left = _around_mode(xp, n, logit)
    total, mass = panel_sums(xp, log_term, mode, left, lambda t, _, weight: (weight * f(mode[..., None] + t), weight), 2)
    return total / mass


def _draw(draws: Draws, logit: Array, n: Array, shape: tuple[int, ...]) -> Array:
    """Binomial draws; n a number or an array of whole numbers, which may be 0."""
    xp = draws.xp
    logit = xp.broadcast_to(logit, shape)
    n = n + xp.zeros_like(logit)

    def log_mass(x: Array, logit: Array, n: Array) -> Array:
        inside = (x >= 0) & (x <= n)
        at = xp.where(inside & (n > 0), x, xp.zeros_like(x))
        trials = xp.where(n > 0, n, xp.ones_like(n))
        value = xp.where(n > 0, _log_mass(xp, trials, logit, at), xp.zeros_like(x))
        return xp.where(inside, value, xp.full_like(x, -np.inf))

    mode = lambda logit, n: xp.minimum(xp.floor((n + 1.0) * xp.expit(logit)), n)
    return log_concave(draws, mode, log_mass, shape, logit, n)


class CountVectors(Domain):
    """Vectors of k counts with sum n."""

    def __init__(self, k: int, n: int) -> None:
        self.k, self.n = k, n

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.k,)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all((x >= 0) & (x == xp.floor(x)), axis=-1) & (xp.sum(x, axis=-1) == self.n)

    def rule(self, name: str) -> str:
        return f"{name} >= 0, integers, and sum({name}) = {self.n}"


@dataclass(frozen=True)
class Multinomial(HasLimits, Transformed):
    """How often each of k outcomes comes in n independent trials, with a reference outcome r (the last one unless given).

    Mathematically, the geometry is n times that of the categorical family; with i running over the outcomes other than r,

    - support: x in {0, 1, …}^k with sum n; T(x) = (x_i)_i; h(x) = n! / Π x_j!
    - θ_i = log(p_i / p_r) in R^{k−1}; η_i = n p_i, positive with sum below n
    - ψ(θ) = n log(1 + Σ e^{θ_i}); φ(η) = Σ η_i log(η_i / n) + (n − Σ η_i) log(1 − Σ η_i / n)
    - metric n (diag(p) − ppᵀ)

    Ordinary parameters: `probabilities`, shape (..., k), positive with sum 1.

    Examples
    --------
    >>> M = ig.Multinomial(3, 10)
    >>> M.fit([[5.0, 3.0, 2.0], [4.0, 3.0, 3.0]]).round(3)
    array([0.588, 0.182])
    """

    k: int
    n: int
    reference: int | None = None
    one: Categorical = field(init=False, repr=False, compare=False)        # of one trial

    def __post_init__(self) -> None:
        require_count("n", self.n)
        one = Categorical(self.k, self.reference)
        object.__setattr__(self, "reference", one.reference)
        object.__setattr__(self, "one", one)
        object.__setattr__(self, "base", Scaled(one, self.n))

    @property
    def support(self) -> Domain:
        return CountVectors(self.k, self.n)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"probabilities": SimplexPoints(self.k)}

    @property
    def _somewhere(self) -> Array:
        return np.array([float(self.n)] + [0.0] * (self.k - 1))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        r: Any = self.reference
        return xp.concat([x[..., :r], x[..., r + 1:]], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        """log of the multinomial coefficient: n times the entropy of x / n, and what Stirling's formula leaves."""
        return self._log_prefactor(xp, x) - xp.sum(xp.xlogy(x, x / float(self.n)), axis=-1)

    def _log_prefactor(self, xp: Namespace, x: Array) -> Array:
        whole = factorial_gap(xp, xp.full_like(x[..., 0], float(self.n)))
        return whole - xp.sum(factorial_gap(xp, x), axis=-1)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """φ(η) with its sign changed, less the entropy."""
        return self.n * self.one._entropy(xp, theta) - self._entropy(xp, theta)

    def _probabilities(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array]:
        """(p, 1 − p, log p) of the outcomes in order, each (..., k); 1 − p without cancellation."""
        p, r = self.one._parameters(xp, theta)["probabilities"], self.reference
        others = xp.matmul(p[..., None, :], 1.0 - xp.eye(self.k, dtype=theta.dtype))[..., 0, :]
        full = xp.concat([theta[..., :r], xp.zeros_like(theta[..., :1]), theta[..., r:]], axis=-1)
        near = xp.log1p(-xp.minimum(others, 0.5 + 0.0 * others))
        return p, others, xp.where(others < 0.5, near, full - column(self.one._potential(xp, theta)))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        n = float(self.n)
        p, others, log_p = self._probabilities(xp, theta)
        # of the largest probability, n p − x from what is left of n: it does not cancel where p is near 1
        gap = xp.where(p > 0.5, (n - x) - n * others, n * p - x)
        return self._log_prefactor(xp, x) - xp.sum(deviance(xp, x, gap, log(n) + log_p), axis=-1)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """Σ_j E[log x_j! − x_j log(n p_j) + n p_j] − (log n! − n log n + n), an expectation under each binomial marginal.

        For the most probable outcome it is taken over y = n − x_j, together with the last bracket, which it nearly cancels
        where that outcome has almost all the mass.
        """
        n = float(self.n)
        p, others, log_p = self._probabilities(xp, theta)
        largest = xp.argmax(p, axis=-1, keepdims=True)
        major = xp.arange(self.k, dtype=largest.dtype) == largest
        small, log_small = xp.where(major, others, p), xp.where(major, xp.log(others), log_p)
        logit = log_small - xp.where(major, log_p, xp.log(others))
        rare, rare_log, common_log = (v[..., None] for v in (small, log_small, xp.where(major, log_p, xp.log(others))))

        def surprise(x: Array) -> Array:
            """Of x (or, for the major outcome, of n − x and less the bracket)."""
            own = factorial_gap(xp, x) + deviance(xp, x, n * rare - x, log(n) + rare_log)
            rest = n - x
            complement = (factorial_gap(xp, rest) - factorial_gap(xp, xp.full_like(rest, n))
                          + deviance(xp, rest, x - n * rare, log(n) + common_log))
            return xp.where(major[..., None], complement, own)

        return xp.sum(_mean(xp, n, logit, surprise), axis=-1)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return self.one._theta_from(xp, positive(xp, average(xp, weights, x)))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.n * self.one._probabilities(xp, theta)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.n * covariance_of_shares(xp, self.one._probabilities(xp, theta))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """One binomial after the other, each out of the trials that are left."""
        xp = draws.xp
        p, _, log_p = self._probabilities(xp, theta)
        left = xp.full(shape, float(self.n), dtype=theta.dtype)
        counts = []
        for j in range(self.k - 1):
            logit = log_p[..., j] - xp.log(xp.sum(p[..., j + 1:], axis=-1))
            counts.append(_draw(draws, logit, left, shape))
            left = left - counts[-1]
        return xp.stack([*counts, left], axis=-1)

    @property
    def theta_closure(self) -> Domain:
        return self.one.theta_closure

    @property
    def eta_total(self) -> float:
        return float(self.n)

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        return self.one.ordinary_closure

    def _theta_on_boundary(self, xp: Namespace, **ordinary: Array) -> Array:
        return self.one._theta_on_boundary(xp, **ordinary)

    def _theta_from(self, xp: Namespace, probabilities: Array) -> Array:
        return self.one.theta_from(probabilities=probabilities)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return self.one._parameters(xp, theta)

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return self.one._from_eta_tangent(xp, theta, d_eta / self.n)
