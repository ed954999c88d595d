"""Boltzmann machines: pairwise interacting spins, all visible."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays
from ..domains.base import Domain
from ..domains.convex import RealSpace
from ..errors import require
from ..geometry.manifolds.interface import formula
from .states import StateFamily

__all__ = ["BoltzmannMachine"]

_KEPT = 12         # up to this number of spins the statistics of all states are kept: 4096 rows of at most 78 numbers, 2.6 MB


class Spins(Domain):
    """Vectors of n numbers, each −1 or 1."""

    def __init__(self, n: int) -> None:
        self.n = n

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n,)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(xp.abs(x) == 1.0, axis=-1)

    def rule(self, name: str) -> str:
        return f"{name} = -1 or 1"


@dataclass(frozen=True)
class BoltzmannMachine(StateFamily):
    """Spins s ∈ {−1, 1}^n with a field on each and a coupling on each edge, enumerated exactly (n up to 20).

    Mathematically, with E the edges i < j,

    - support {−1, 1}^n; T(s) = (s_1, …, s_n, (s_i s_j)_{ij ∈ E}); h(s) = 1
    - θ = (fields b, couplings w) in R^{n + |E|}; η = (E[s_i], E[s_i s_j]), in the interior of the correlation polytope
    - ψ(θ) = log Σ_s exp(Σ b_i s_i + Σ w_ij s_i s_j)
    - metric: the covariance of the spins and their products

    In the order of states, spin i of state k is 1 where bit i of k is set.

    Ordinary parameters: `fields` (..., n) and `couplings` (..., |E|), in the order of `edges`.

    Parameters
    ----------
    n : int
        1 to 20.
    edges : pairs (i, j) of different spins, optional
        All pairs unless given.

    Raises
    ------
    ValueError
        For other n, or an edge that is no pair of different spins, or that is listed twice.

    Source: Amari, Kurata & Nagaoka, Information geometry of Boltzmann machines, IEEE Trans. Neural Networks 3 (1992).

    Examples
    --------
    >>> M = ig.BoltzmannMachine(2)
    >>> theta = M.theta_from(fields=[0.0, 0.0], couplings=[0.5])
    >>> M.to_eta(theta)[2:].round(4)  # E[s₁ s₂] = tanh ½
    array([0.4621])
    """

    n: int
    edges: Any = None       # a tuple of pairs, once made

    def __post_init__(self) -> None:
        require("n", "n an integer, 1 <= n <= 20", isinstance(self.n, (int, np.integer)) and 1 <= self.n <= 20, self.n)
        edges = combinations(range(self.n), 2) if self.edges is None else self.edges
        edges = tuple(tuple(sorted(int(i) for i in edge)) for edge in edges)
        for edge in edges:
            good = len(edge) == 2 and 0 <= edge[0] < edge[1] < self.n and edges.count(edge) == 1
            require("edges", f"edges different pairs of different spins, 0 <= i, j < {self.n}", good, edge)
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "edges", edges)

    @property
    def dim(self) -> int:
        return self.n + len(self.edges)

    @property
    def states(self) -> int:
        return 1 << self.n

    @property
    def support(self) -> Domain:
        return Spins(self.n)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"fields": RealSpace(self.n), "couplings": RealSpace(len(self.edges))}

    @property
    def observed(self) -> slice:
        return slice(self.n)

    def _rows(self, start: int, stop: int) -> Array:
        if self.n <= _KEPT:
            return _all_statistics(self.n, self.edges)[start:stop]
        return _statistics(self.n, self.edges, start, stop)

    def all_states(self) -> Array:
        """Every state in order, shape (2^n, n), as NumPy."""
        return _statistics(self.n, (), 0, self.states)

    def _state(self, xp: Namespace, x: Array) -> Array:
        return xp.sum(xp.astype(x > 0, xp.int64) * 2 ** xp.arange(self.n), axis=-1)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        if not self.edges:
            return x
        first, second = (xp.asarray([edge[side] for edge in self.edges]) for side in (0, 1))
        return xp.concat([x, xp.take(x, first, axis=-1) * xp.take(x, second, axis=-1)], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.zeros_like(x[..., 0])

    @formula("theta", axes=1)
    def probabilities(self, theta: Array) -> Array:
        """p(s) of every state in order, shape (..., 2^n)."""

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        state = self._draw_states(draws, theta, shape)[..., None]
        bit = (state // (2 ** xp.arange(self.n))) % 2
        return 2.0 * xp.astype(bit, theta.dtype) - 1.0

    def _theta_from(self, xp: Namespace, fields: Array, couplings: Array) -> Array:
        batch = np.broadcast_shapes(fields.shape[:-1], couplings.shape[:-1])
        parts = [xp.broadcast_to(x, (*batch, x.shape[-1])) for x in (fields, couplings)]
        return xp.concat(parts, axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"fields": theta[..., :self.n], "couplings": theta[..., self.n:]}


def _statistics(n: int, edges: tuple[tuple[int, int], ...], start: int, stop: int) -> Array:
    """(spins, products on edges) of the states start … stop − 1."""
    bits = (np.arange(start, stop)[:, None] >> np.arange(n)) & 1
    spins = 2.0 * bits - 1.0
    products = [spins[:, [i]] * spins[:, [j]] for i, j in edges]
    return np.concatenate([spins, *products], axis=1)


@lru_cache(maxsize=16)
def _all_statistics(n: int, edges: tuple[tuple[int, int], ...]) -> Array:
    rows = _statistics(n, edges, 0, 2**n)
    rows.flags.writeable = False
    return rows
