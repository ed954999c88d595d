"""Hierarchical log-linear models of contingency tables."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, product
from math import prod

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays
from ..domains.base import Domain
from ..domains.supports import SimplexPoints
from ..errors import require
from ..numerics.linalg import matvec
from .states import StateFamily

__all__ = ["Hierarchical"]


class Cells(Domain):
    """Cells of a table: whole numbers x_a, one an axis, 0 ≤ x_a < shape_a."""

    def __init__(self, table: tuple[int, ...]) -> None:
        self.table = table

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.table),)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        size = xp.asarray(self.table, dtype=x.dtype)
        return xp.all((x >= 0) & (x < size) & (x == xp.floor(x)), axis=-1)

    def rule(self, name: str) -> str:
        return f"{name} integers, 0 <= {name} < {list(self.table)}"


class Tables(Domain):
    """Tables of positive numbers with sum 1."""

    def __init__(self, table: tuple[int, ...]) -> None:
        self.table = table

    @property
    def shape(self) -> tuple[int, ...]:
        return self.table

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        flat = xp.reshape(x, (*x.shape[:x.ndim - len(self.table)], prod(self.table)))
        return SimplexPoints(prod(self.table)).contains(flat)

    def rule(self, name: str) -> str:
        return f"{name} > 0 and sum({name}) = 1"


@dataclass(frozen=True)
class Hierarchical(StateFamily):
    """A table of probabilities in which only some groups of variables interact, and all their subgroups with them.

    Mathematically, with corner-point coding, the last level of each variable as its reference: for each group A (an interaction,
    or a non-empty subset of one) and each choice of levels l_a other than the last, one statistic Π_{a ∈ A} 1[x_a = l_a].

    - support: the cells x of the table, x_a in {0, …, shape_a − 1}; h(x) = 1
    - θ in R^d: the interaction terms of log p; η: the probabilities P(x_a = l_a for all a ∈ A), the margins
    - ψ(θ) = −log p(last cell)
    - the groups in order of size, then as `itertools.combinations` gives them; in a group, the levels with the last axis fastest

    All groups of one variable: the independent table. The group of all variables: every positive table, a `Categorical` in
    other coordinates.

    Ordinary parameters: `probabilities` (..., *shape), positive with sum 1. `theta_from` takes any table: it gives the member of
    the family with the same margins, the m-projection (which iterative proportional fitting finds).

    Parameters
    ----------
    shape : tuple of int
        The number of levels of each variable, each at least 2.
    interactions : tuples of axes
        For instance ``((0, 1), (1, 2))``: the two pairs, and the three variables alone.

    Raises
    ------
    ValueError
        For a variable of fewer than 2 levels, no interaction, or an interaction that names no variable, one twice, or one that
        there is not.

    Source: Amari, Information geometry on hierarchy of probability distributions, IEEE Trans. Inf. Theory 47 (2001).

    Examples
    --------
    >>> M = ig.Hierarchical((2, 2), ((0,), (1,)))  # independence
    >>> theta = M.theta_from(probabilities=[[0.4, 0.3], [0.1, 0.2]])
    >>> M.parameters(theta)["probabilities"].round(4)  # of the same margins
    array([[0.35, 0.35],
           [0.15, 0.15]])
    """

    shape: tuple[int, ...]
    interactions: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        sizes = bool(self.shape) and all(isinstance(k, (int, np.integer)) and k >= 2 for k in self.shape)
        require("shape", "shape integers >= 2", sizes, self.shape)
        interactions = tuple(tuple(sorted(int(a) for a in group)) for group in self.interactions)
        for group in interactions:
            good = bool(group) and len(set(group)) == len(group) and 0 <= group[0] <= group[-1] < len(self.shape)
            require("interactions", f"interactions tuples of different axes, 0 <= axis < {len(self.shape)}", good, group)
        require("interactions", "at least one group of axes", bool(interactions), interactions)
        object.__setattr__(self, "shape", tuple(int(k) for k in self.shape))
        object.__setattr__(self, "interactions", interactions)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The interactions and all their subgroups, in the order of θ."""
        below = chain.from_iterable(combinations(group, n) for group in self.interactions for n in range(1, len(group) + 1))
        return tuple(sorted(set(below), key=lambda group: (len(group), group)))

    @property
    def dim(self) -> int:
        return int(_indicators(self.shape, self.groups).shape[1])

    @property
    def states(self) -> int:
        return prod(self.shape)

    @property
    def support(self) -> Domain:
        return Cells(self.shape)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"probabilities": Tables(self.shape)}

    def _rows(self, start: int, stop: int) -> Array:
        return _indicators(self.shape, self.groups)[start:stop]

    def _state(self, xp: Namespace, x: Array) -> Array:
        place = xp.asarray([prod(self.shape[a + 1:]) for a in range(len(self.shape))])
        return xp.sum(xp.astype(x, xp.int64) * place, axis=-1)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        cell = self._state(xp, x)
        rows = xp.asarray(self._rows(0, self.states), dtype=x.dtype)
        return xp.reshape(xp.take(rows, xp.reshape(cell, (-1,)), axis=0), (*cell.shape, self.dim))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.zeros_like(x[..., 0])

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return matvec(xp, xp.matrix_transpose(self._cells(xp, theta)), self._probabilities(xp, theta))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        p = self._probabilities(xp, theta)
        away = self._cells(xp, theta) - self._mean_of_x(xp, theta)[..., None, :]
        return xp.matmul(xp.matrix_transpose(p[..., None] * away), away)

    def _cells(self, xp: Namespace, like: Array) -> Array:
        """All cells in the order of states, shape (cells, axes)."""
        return xp.asarray(np.indices(self.shape).reshape(len(self.shape), -1).T, dtype=like.dtype)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        state = self._draw_states(draws, theta, shape)
        levels = [state // prod(self.shape[a + 1:]) % k for a, k in enumerate(self.shape)]
        return xp.astype(xp.stack(levels, axis=-1), theta.dtype)

    def _theta_from(self, xp: Namespace, probabilities: Array) -> Array:
        batch = probabilities.shape[:probabilities.ndim - len(self.shape)]
        return self.to_theta(self._mean(xp, xp.reshape(probabilities, (*batch, self.states))))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probabilities": xp.reshape(self._probabilities(xp, theta), (*theta.shape[:-1], *self.shape))}


@lru_cache(maxsize=16)
def _indicators(shape: tuple[int, ...], groups: tuple[tuple[int, ...], ...]) -> Array:
    """The statistics of all cells, shape (cells, d), the last axis of the table fastest."""
    cells = np.indices(shape).reshape(len(shape), -1)
    columns = []
    for group in groups:
        for levels in product(*(range(shape[a] - 1) for a in group)):
            columns.append(np.all([cells[a] == level for a, level in zip(group, levels)], axis=0))
    rows = np.stack(columns, axis=1).astype(float)
    rows.flags.writeable = False
    return rows
