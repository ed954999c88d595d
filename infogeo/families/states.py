"""Families on finitely many states, summed exactly."""
from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from math import log, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays.draws import Draws, draw_states
from ..arrays.memo import once
from ..backend import Array, Namespace, backend_of
from ..domains.convex import ConvexDomain, RealSpace
from ..numerics.exponentials import expm1_gap
from ..numerics.linalg import matvec
from .base import ExponentialFamily
from .categorical import Categorical
from .state_inversion import Inversion, MomentPolytope

__all__ = ["StateFamily"]

_BLOCK = 2**21     # numbers in an intermediate array, 16 MB of doubles: states are taken in blocks that keep to it


class StateFamily(ExponentialFamily):
    """A family on finitely many states s with probabilities h(s) exp(θ·T(s) − ψ(θ)), summed exactly.

    Mathematically, ψ = log Σ_s h(s) e^{θ·T(s)}, η = Σ_s p(s) T(s), and the metric and the cubic tensor are the second and third
    central moments of T. A subclass gives `states`, `dim`, `_rows`, the statistics of a range of states, and `_state`.

    Deviations T(s) − η are formed from T(s) − T(m), with m the most probable state: that of m itself, which is all that there is
    where m is nearly certain, then keeps its digits.
    """

    if TYPE_CHECKING:
        @property
        def states(self) -> int:
            """How many there are."""

    log_base: Any = None        # log h(s), shape (states,), NumPy; None where it is 0

    @abstractmethod
    def _rows(self, start: int, stop: int) -> Array:
        """T of the states start … stop − 1 as a NumPy array, shape (stop − start, dim)."""

    @abstractmethod
    def _state(self, xp: Namespace, x: Array) -> Array:
        """The number of the state of an observation, shape (...)."""

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    @cached_property
    def eta_domain(self) -> ConvexDomain:
        return MomentPolytope(self)

    def _blocks(self, like: Array, size: int) -> Iterator[tuple[slice, Array]]:
        """The statistics in blocks of states, as (slice, array); `size` counts the numbers that one state needs."""
        xp, step = backend_of(like), max(1, min(_BLOCK // max(1, size), self.states))
        for start in range(0, self.states, step):
            stop = min(start + step, self.states)
            yield slice(start, stop), xp.asarray(self._rows(start, stop), dtype=like.dtype)

    @cached_property
    def _scale(self) -> tuple[Array, Array]:
        """The middle and the half-width of the range of each statistic, shapes (dim,)."""
        low = np.full(self.dim, np.inf)
        high = -low
        for _, rows in self._blocks(np.zeros(1), self.dim):
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        return 0.5 * (low + high), 0.5 * (high - low)

    @property
    def _reach(self) -> Array:
        """The half-widths of the statistics times their number."""
        return self._scale[1] * self.dim

    def _field(self, xp: Namespace, vector: Array) -> Array:
        """v·T(s) for every state, shapes (..., dim) to (..., states).

        One product a row: a row of a batch then has the same rounding as alone.
        """
        row = vector[..., None, :]
        parts = [xp.matmul(row, xp.matrix_transpose(rows))[..., 0, :] for _, rows in self._blocks(vector, self.dim)]
        return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)

    def _mean(self, xp: Namespace, weight: Array) -> Array:
        """Σ_s w(s) T(s), shapes (..., states) to (..., dim)."""
        row = weight[..., None, :]
        return sum(xp.matmul(row[..., block], rows)[..., 0, :] for block, rows in self._blocks(weight, self.dim))

    @once
    def _log_probabilities(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """(ψ, log p), shapes (...) and (..., states).

        log p is formed from the differences to the largest logit, whose own state is left out of the sum inside log1p: the
        logarithm of a probability near 1 keeps its digits.
        """
        logit = self._field(xp, theta)
        if self.log_base is not None:
            logit = logit + xp.asarray(self.log_base, dtype=theta.dtype)
        top = xp.max(logit, axis=-1, keepdims=True)
        mode = xp.argmax(logit, axis=-1, keepdims=True)
        below = logit - top
        others = xp.arange(self.states) != mode
        rest = xp.sum(xp.where(others, xp.exp(below), xp.zeros_like(below)), axis=-1, keepdims=True)
        total = xp.log1p(rest)
        return (top + total)[..., 0], below - total

    def _probabilities(self, xp: Namespace, theta: Array) -> Array:
        return xp.exp(self._log_probabilities(xp, theta)[1])

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._log_probabilities(xp, theta)[0]

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._mean(xp, self._probabilities(xp, theta))

    def _is_mode(self, xp: Namespace, theta: Array) -> Array:
        """Which state m is the most probable one, shape (..., states)."""
        return xp.arange(self.states) == xp.argmax(self._log_probabilities(xp, theta)[1], axis=-1, keepdims=True)

    def _from_mode(self, xp: Namespace, theta: Array, size: int) -> Iterator[tuple[Array, Array]]:
        """Blocks of (p, T − T(m)) over the states, shapes (..., b) and (..., b, dim)."""
        p, mode = self._probabilities(xp, theta), self._mean(xp, xp.astype(self._is_mode(xp, theta), theta.dtype))
        for block, rows in self._blocks(theta, max(1, prod(theta.shape[:-1])) * size):
            yield p[..., block], rows - mode[..., None, :]

    def _centred(self, xp: Namespace, theta: Array, size: int) -> Iterator[tuple[Array, Array]]:
        """Blocks of (p, T − η) over the states, shapes (..., b) and (..., b, dim)."""
        mean = sum(matvec(xp, xp.matrix_transpose(gap), p) for p, gap in self._from_mode(xp, theta, size))
        for p, gap in self._from_mode(xp, theta, size):
            yield p, gap - mean[..., None, :]

    def _deviation(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        """v·(T(s) − η) for every state, shape (..., states)."""
        field = self._field(xp, vector)
        field = field - xp.sum(xp.where(self._is_mode(xp, theta), field, xp.zeros_like(field)), axis=-1, keepdims=True)
        return field - xp.sum(self._probabilities(xp, theta) * field, axis=-1, keepdims=True)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return sum(xp.matmul(xp.matrix_transpose(p[..., None] * gap), gap)
                   for p, gap in self._centred(xp, theta, self.dim))

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """E[(T − η)_i (T − η)_j (T − η)_k]."""
        d, total = self.dim, 0.0
        for p, gap in self._centred(xp, theta, self.dim**2):
            pairs = gap[..., :, None] * gap[..., None, :]
            pairs = xp.reshape(pairs, (*gap.shape[:-1], d * d))
            total = total + xp.matmul(xp.matrix_transpose(p[..., None] * gap), pairs)
        return xp.reshape(total, (*theta.shape[:-1], d, d, d))

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """By damped Newton; NaN outside the hull of the statistics."""
        return Inversion(self, xp, eta).theta()

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        """Cov[T] v = E[(T − η) ((T − η)·v)], without the matrix."""
        weight = self._probabilities(xp, theta) * self._deviation(xp, theta, vector)
        return self._mean(xp, weight) - xp.sum(weight, axis=-1, keepdims=True) * self._to_eta(xp, theta)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        if self.log_base is None:
            return 0.0 * theta[..., 0]          # NaN where θ is
        return matvec(xp, self._probabilities(xp, theta)[..., None, :], xp.asarray(self.log_base, dtype=theta.dtype))[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        log_p, state = self._log_probabilities(xp, theta)[1], self._state(xp, x)
        batch = np.broadcast_shapes(log_p.shape[:-1], state.shape)
        log_p, state = xp.broadcast_to(log_p, (*batch, self.states)), xp.broadcast_to(state, batch)
        return xp.take_along_axis(log_p, state[..., None], axis=-1)[..., 0]

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """−Σ p log p."""
        log_p = self._log_probabilities(xp, theta)[1]
        p = xp.exp(log_p)
        return -xp.sum(xp.where(p == 0, xp.zeros_like(p), p * log_p), axis=-1)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """log E_p[e^v] with v = (θ_q − θ_p)·(T − η_p), formed as log(1 + E_p[e^v − 1 − v]) because E_p[v] = 0.

        Every term is non-negative, so nothing cancels, for near, far and extreme points alike. Where e^v p leaves the range of
        the arithmetic, the logarithm of the sum is taken from its largest term.
        """
        step = theta_q - theta_p
        log_p = self._log_probabilities(xp, theta_p)[1]
        v = self._deviation(xp, theta_p, step)
        tilted, ceiling = log_p + v, 0.5 * log(float(xp.finfo(step.dtype).max))
        top = xp.max(tilted, axis=-1, keepdims=True)
        # above v = 2, e^v is put together with p, which alone may be too small for the arithmetic
        near = xp.exp(log_p) * expm1_gap(xp, xp.minimum(v, 2.0 + 0.0 * v))
        far = xp.exp(xp.minimum(tilted, ceiling + 0.0 * v)) - xp.exp(log_p) * (1.0 + v)
        excess = xp.log1p(xp.sum(xp.where(v < 2.0, near, far), axis=-1))
        largest = xp.log(xp.sum(xp.exp(tilted - top), axis=-1)) + top[..., 0]
        return xp.where(top[..., 0] < ceiling, excess, largest)

    @cached_property
    def _simplex(self) -> tuple[Categorical, Array, Array]:
        """Where the states are one more than the statistics, and the family all distributions: θ as log-odds, A θ + b."""
        rows, base = self._rows(0, self.states), np.zeros(self.states) if self.log_base is None else self.log_base
        return Categorical(self.states), rows[:-1] - rows[-1], base[:-1] - base[-1]

    @property
    def _is_whole(self) -> bool:
        return bool(self.states == self.dim + 1)

    def _log_odds(self, xp: Namespace, theta: Array) -> Array:
        _, matrix, base = self._simplex
        return matvec(xp, xp.asarray(matrix, dtype=theta.dtype), theta) + xp.asarray(base, dtype=theta.dtype)

    def _from_log_odds(self, xp: Namespace, odds: Array) -> Array:
        _, matrix, base = self._simplex
        return matvec(xp, xp.asarray(np.linalg.inv(matrix), dtype=odds.dtype), odds - xp.asarray(base, dtype=odds.dtype))

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        if not self._is_whole:
            return super()._distance(xp, x, y)
        return self._simplex[0]._distance(xp, self._log_odds(xp, x), self._log_odds(xp, y))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        if not self._is_whole:
            return super()._geodesic(xp, x, y, t)
        return self._from_log_odds(xp, self._simplex[0]._geodesic(xp, self._log_odds(xp, x), self._log_odds(xp, y), t))

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        if not self._is_whole:
            return super()._exp(xp, x, vector)
        simplex, matrix, _ = self._simplex
        pushed = matvec(xp, xp.asarray(matrix, dtype=vector.dtype), vector)
        return self._from_log_odds(xp, simplex._exp(xp, self._log_odds(xp, x), pushed))

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        if not self._is_whole:
            return super()._log(xp, x, y)
        simplex, matrix, _ = self._simplex
        back = xp.asarray(np.linalg.inv(matrix), dtype=x.dtype)
        return matvec(xp, back, simplex._log(xp, self._log_odds(xp, x), self._log_odds(xp, y)))

    def _draw_states(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draw_states(draws, self._probabilities(draws.xp, theta), shape)
