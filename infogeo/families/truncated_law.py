"""The laws of a truncated family at their nodes: means over them, all listed, or one block of states after the other."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from typing import Any

from ..arrays.tracing import Forward, Partial, in_turn, is_differentiated, ruled, still
from ..backend import Array, Namespace, backend_of
from .nodes import Nodes, StateNodes

__all__ = ["AtNodes", "Listed", "StatesInTurn", "forward", "of_log_probability"]

BLOCK = 64          # states at a time: a Poisson law of mean 10 has no more


def of_log_probability(M: Any, found: Array, theta: Array) -> tuple[Partial, ...]:
    """The derivative of the sums over nodes, forwards."""
    return Forward(lambda theta: M._log_probability(backend_of(theta), theta), theta),


def forward(xp: Namespace, f: Callable[[Array], Array], theta: Array) -> Array:
    """``f(theta)``, shape (...), with the derivative that goes forwards through its sums."""
    return ruled(xp, f, lambda found, theta: (Forward(f, theta),), theta) if is_differentiated(xp, theta) else f(theta)


class AtNodes(ABC):
    """The law of every θ of a batch.

    Attributes
    ----------
    log_total : array, shape (...)
        log P(lower < x < upper) under the family of the nodes; NaN for θ outside the domain.
    mean : array, shape (..., dim)
        E[T].
    p : array, shape (..., m)
        The probabilities of the nodes, where they are listed.
    """

    log_total: Array
    mean: Array
    p: Any

    @abstractmethod
    def sums(self, f: Callable[..., tuple[Array, ...]]) -> tuple[Array, ...]:
        """``f(p, T, log h, log-density)`` of all nodes, of shapes (..., m) but T (..., m, dim), which is linear in p."""

    @abstractmethod
    def largest(self, f: Callable[[Array], Array]) -> Array:
        """The largest ``f(T)``, shapes (..., m, dim) to (..., m), where p is not 0; NaN for θ outside the domain, shape (...)."""


class Listed(AtNodes):
    """All nodes at once."""

    def __init__(self, xp: Namespace, family: Any, nodes: Nodes, inside: Array, theta: Array) -> None:
        x, log_weight = nodes.weighted(xp, theta)
        log_density = nodes.log_density(xp, theta, x)
        logs = log_density + log_weight
        logs = xp.where(xp.isnan(logs), xp.full_like(logs, -inf), logs)
        top = xp.max(logs, axis=-1, keepdims=True)
        mass = xp.exp(logs - top)
        total = xp.sum(mass, axis=-1, keepdims=True)
        used = mass > 0
        somewhere = xp.take_along_axis(x + xp.zeros_like(logs), xp.argmax(logs, axis=-1, keepdims=True), axis=-1)
        x = xp.where(used, x, somewhere)
        self.xp = xp
        self.log_total = xp.where(inside, (top + xp.log(total))[..., 0], xp.full_like(top[..., 0], xp.nan))
        self.p = xp.where(inside[..., None], mass / total, xp.full_like(mass, xp.nan))
        self.statistic, self.log_base = family._sufficient_statistic(xp, x), family._log_base_measure(xp, x)
        self.mean = xp.matmul(self.p[..., None, :], self.statistic)[..., 0, :]
        self.log_density = xp.where(used, log_density, xp.zeros_like(self.p)) - self.log_total[..., None]

    def sums(self, f: Callable[..., tuple[Array, ...]]) -> tuple[Array, ...]:
        return f(self.p, self.statistic, self.log_base, self.log_density)

    def largest(self, f: Callable[[Array], Array]) -> Array:
        xp, value = self.xp, f(self.statistic)
        return xp.max(xp.where(self.p == 0, xp.full_like(value, -inf), value), axis=-1)


class StatesInTurn(AtNodes):
    """Of whole numbers without a largest one, whose number that counts is not known yet."""

    def __init__(self, xp: Namespace, family: Any, nodes: StateNodes, inside: Array, theta: Array) -> None:
        self.xp, self.family, self.nodes, self.inside, self.theta = xp, family, nodes, inside, theta
        self.count = nodes.count(xp, theta)

        top, total, moment = in_turn(xp, self.count, BLOCK, self._scaled, self._joined, -inf)
        self.log_total = xp.where(inside, top + xp.log(total), xp.full_like(top, xp.nan))
        self.mean = moment / total[..., None] + 0.0 * self.log_total[..., None]

    def _scaled(self, start: Array) -> tuple[Array, Array, Array]:
        """The largest log-density of a block, and Σ 1 and Σ T over it in units of that density."""
        xp, (x, logs) = self.xp, self._logs(start)
        top = still(xp, xp.max(logs, axis=-1))
        mass = xp.where(logs > -inf, xp.exp(logs - top[..., None]), xp.zeros_like(logs))
        statistic = self.family._sufficient_statistic(xp, x)
        return top, xp.sum(mass, axis=-1), xp.matmul(mass[..., None, :], statistic)[..., 0, :]

    def _joined(self, first: tuple[Array, ...], second: tuple[Array, ...]) -> tuple[Array, ...]:
        """The same of two blocks; at the beginning of the loop there is none yet, of top −∞."""
        xp, top = self.xp, self.xp.maximum(first[0], second[0])
        total, moment = xp.zeros_like(top), 0.0
        for own, mass, along in (first, second):
            unit = xp.where(own > -inf, xp.exp(own - top), xp.zeros_like(top))
            total = total + xp.where(own > -inf, unit * mass, xp.zeros_like(top))
            moment = moment + xp.where(own[..., None] > -inf, unit[..., None] * along, xp.zeros_like(along))
        return top, total, moment

    @property
    def p(self) -> Any:
        raise TypeError(f"samples of a truncated {self.family!r} are drawn from a list of states, whose number a traced array "
                        "does not tell: call sample outside jax.jit and vmap")

    def _logs(self, start: Array) -> tuple[Array, Array]:
        """The states of a block and their log-density in the whole family, −∞ for those that do not count."""
        xp, j = self.xp, start + self.xp.arange(BLOCK, dtype=self.theta.dtype)
        x = self.nodes.low + xp.where(j < self.count, j, xp.zeros_like(j))
        logs = self.nodes.log_density(xp, self.theta, x)
        return x, xp.where((j < self.count) & ~xp.isnan(logs), logs, xp.full_like(logs, -inf))

    def _block(self, start: Array) -> tuple[Array, ...]:
        """(p, T, log h, log-density) of a block of states."""
        xp, (x, logs) = self.xp, self._logs(start)
        used = logs > -inf
        log_density = xp.where(used, logs, xp.zeros_like(logs)) - self.log_total[..., None]
        p = xp.where(used | ~self.inside[..., None], xp.exp(log_density), xp.zeros_like(logs))
        return p, self.family._sufficient_statistic(xp, x), self.family._log_base_measure(xp, x), log_density

    def sums(self, f: Callable[..., tuple[Array, ...]]) -> tuple[Array, ...]:
        return in_turn(self.xp, self.count, BLOCK, lambda start: f(*self._block(start)))

    def largest(self, f: Callable[[Array], Array]) -> Array:
        xp = self.xp

        def of_block(start: Array) -> tuple[Array]:
            p, statistic, *_ = self._block(start)
            value = f(statistic)
            return xp.max(xp.where(p == 0, xp.full_like(value, -inf), value), axis=-1),

        return in_turn(xp, self.count, BLOCK, of_block, lambda found, more: (xp.maximum(found[0], more[0]),), -inf)[0]
