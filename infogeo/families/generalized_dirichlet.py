"""The generalized Dirichlet family of Connor and Mosimann."""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import Orthant
from ..domains.supports import ClosedSimplexPoints
from ..geometry.manifolds.product import ProductManifold
from .beta import Beta, log_beta_density
from .dirichlet import Dirichlet
from .known import known_integer
from .transformed import Transformed

__all__ = ["GeneralizedDirichlet"]


@dataclass(frozen=True)
class GeneralizedDirichlet(Transformed):
    """Probabilities broken off a stick one after the other, each piece an independent beta share of what is left.

    Mathematically, with the rests r_i = x_i + … + x_k and the shares z_i = x_i / r_i, i < k, which follow `Beta`(α_i, β_i),

    - support: x in R^k, not negative, with sum 1; T(x) = (log z_1, log(1 − z_1), log z_2, …); h(x) = Π 1 / (z_i (1 − z_i) r_i)
    - θ = (α_1, β_1, α_2, …) > 0; η and ψ those of the k − 1 beta distributions, ψ their sum
    - metric block diagonal, k − 1 blocks of 2 × 2

    With β_i = α_{i+1} + β_{i+1} it is the Dirichlet distribution of concentration (α_1, …, α_{k−1}, β_{k−1}). Densities are with
    respect to the first k − 1 coordinates.

    Ordinary parameters: `alpha`, `beta`, shapes (..., k − 1), positive.
    Source: Connor & Mosimann, Concepts of independence for proportions with a generalization of the Dirichlet distribution,
    Journal of the American Statistical Association 64 (1969).

    Examples
    --------
    >>> M = ig.GeneralizedDirichlet(3)
    >>> theta = M.theta_from(alpha=[1.0, 2.0], beta=[7.0, 5.0])
    >>> M.mean(theta).round(6)  # that of Dirichlet(1, 2, 5)
    array([0.125, 0.25 , 0.625])
    """

    k: int

    def __post_init__(self) -> None:
        known_integer(self, "k", 2)
        object.__setattr__(self, "base", ProductManifold(*[Dirichlet(2)] * (self.k - 1)))

    @property
    def support(self) -> Domain:
        return ClosedSimplexPoints(self.k)

    @property
    def _somewhere(self) -> Array:
        return np.full(self.k, 1.0 / self.k)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        signs = Orthant(*[1] * (self.k - 1))
        return {"alpha": signs, "beta": signs}

    def _pairs(self, xp: Namespace, theta: Array) -> Array:
        """(α_i, β_i) of each share, shape (..., k − 1, 2)."""
        return xp.reshape(theta, (*theta.shape[:-1], self.k - 1, 2))

    def _rests(self, xp: Namespace, x: Array) -> Array:
        """r_1 … r_k, shape (..., k): sums of positive numbers, nothing is subtracted."""
        return xp.matmul(x, xp.tril(xp.ones((self.k, self.k), dtype=x.dtype)))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        log_rests = xp.log(self._rests(xp, x))
        pairs = xp.stack([xp.log(x)[..., :-1] - log_rests[..., :-1], log_rests[..., 1:] - log_rests[..., :-1]], axis=-1)
        return xp.reshape(pairs, (*x.shape[:-1], self.dim))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        """Σ of log r_i − log x_i − log r_{i+1}."""
        log_rests = xp.log(self._rests(xp, x))
        return xp.sum(log_rests[..., :-1] - log_rests[..., 1:] - xp.log(x)[..., :-1], axis=-1)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        logs = self._pairs(xp, self._to_eta(xp, theta))
        return -xp.sum(logs, axis=(-2, -1)) - self._expected_log_rests(xp, logs)

    def _expected_log_rests(self, xp: Namespace, logs: Array) -> Array:
        """Σ_{i<k} E[log r_i], with log r_i = Σ_{j<i} log(1 − z_j): the j-th share counts k − 1 − j times (from j = 1)."""
        times = xp.arange(self.k - 2, -1, -1, dtype=logs.dtype)
        return xp.sum(times * logs[..., 1], axis=-1)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        pairs = self._pairs(xp, theta)
        rests = self._rests(xp, x)
        share, left = x[..., :-1] / rests[..., :-1], rests[..., 1:] / rests[..., :-1]
        terms = log_beta_density(xp, pairs[..., 0], pairs[..., 1], share, left) - xp.log(rests[..., :-1])
        return xp.sum(terms, axis=-1)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """NaN where a rest r_i is 0 before the last: what becomes of its shares depends on the way."""
        pairs, rests = self._pairs(xp, theta), self._rests(xp, x)
        left = xp.where(rests[..., :-1] > 0, rests[..., :-1], xp.full_like(rests[..., :-1], xp.nan))
        terms = Beta()._log_density_anywhere(xp, pairs, x[..., :-1] / left) - xp.log(left)
        return xp.sum(xp.where(xp.isnan(left), left, terms), axis=-1)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """Those of the shares and Σ E[log r_i]."""
        logs = self._pairs(xp, self._to_eta(xp, theta))
        return xp.sum(Beta()._entropy(xp, self._pairs(xp, theta)), axis=-1) + self._expected_log_rests(xp, logs)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        rests = self._rests(xp, x)
        shares = xp.stack([x[..., :-1], rests[..., 1:]], axis=-1) / rests[..., :-1, None]
        theta = Dirichlet(2)._fit(xp, shares, weights[..., None])
        return xp.reshape(theta, (*theta.shape[:-2], self.dim))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        share, left, _ = self._moments_of_shares(xp, theta)
        return xp.stack([part for part, _ in _pieces(share, left)], axis=-1)

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        """By the second moments of the rests r_i: Var(r_{i+1}) = Var(r_i) E[(1 − z_i)²] + E[r_i]² Var(z_i), and so on."""
        share, left, spread = self._moments_of_shares(xp, theta)
        covariance, spread_of_rest, k = {}, 0.0 * share[..., 0], self.k
        pieces = _pieces(share, left)
        for i in range(k - 1):
            (_, rest), m, n, v = pieces[i], share[..., i], left[..., i], spread[..., i]
            covariance[i, i] = spread_of_rest * (v + m * m) + rest * rest * v
            behind = spread_of_rest * (m * n - v) - rest * rest * v                      # Cov(x_i, r_{i+1})
            for j in range(i + 1, k):
                covariance[i, j] = covariance[j, i] = behind * (pieces[j][0] / pieces[i + 1][1])
            spread_of_rest = spread_of_rest * (v + n * n) + rest * rest * v
        covariance[k - 1, k - 1] = spread_of_rest
        return xp.stack([xp.stack([covariance[i, j] for j in range(k)], axis=-1) for i in range(k)], axis=-2)

    def _moments_of_shares(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array]:
        """E[z_i], E[1 − z_i] and Var(z_i), shapes (..., k − 1)."""
        pairs = self._pairs(xp, theta)
        total = xp.sum(pairs, axis=-1)
        share, left = pairs[..., 0] / total, pairs[..., 1] / total
        return share, left, share * left / (total + 1.0)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        shares = Dirichlet(2)._draw(draws, self._pairs(xp, theta), (*shape, self.k - 1))
        pieces, rest = [], 1.0
        for i in range(self.k - 1):
            pieces.append(rest * shares[..., i, 0])
            rest = rest * shares[..., i, 1]
        return xp.stack([*pieces, rest], axis=-1)

    def _theta_from(self, xp: Namespace, alpha: Array, beta: Array) -> Array:
        pairs = xp.stack(xp.broadcast_arrays(alpha, beta), axis=-1)
        return xp.reshape(pairs, (*pairs.shape[:-2], self.dim))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        pairs = self._pairs(xp, theta)
        return {"alpha": pairs[..., 0], "beta": pairs[..., 1]}


def _pieces(share: Array, left: Array) -> list[tuple[Array, Array]]:
    """The means of x_i and r_i, i = 1 … k."""
    rest, pieces = 0.0 * share[..., 0] + 1.0, []
    for i in range(share.shape[-1]):
        pieces.append((rest * share[..., i], rest))
        rest = rest * left[..., i]
    return [*pieces, (rest, rest)]
