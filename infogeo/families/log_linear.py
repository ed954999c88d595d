"""Log-linear families on a finite set of states."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, to_numpy
from ..domains.base import Domain
from ..domains.supports import Integers, SimplexPoints
from ..errors import ShapeError, require
from .cumulative import TabulatedCumulative
from .states import StateFamily

__all__ = ["LogLinear"]


@dataclass(frozen=True, eq=False)
class LogLinear(StateFamily):
    """A log-linear model: states 0 … m − 1 with any sufficient statistics and any base measure.

    Mathematically, with T(s) the row s of the matrix of statistics,

    - support {0, …, m − 1}; T(x) = statistics[x]; h(x) = exp(log_base[x]), 1 unless given
    - θ in R^d; η = Σ p(s) T(s), in the interior of the convex hull of the rows
    - ψ(θ) = log Σ_s h(s) e^{θ·T(s)}
    - metric Cov[T]

    Ordinary parameters: `probabilities`, shape (..., m), positive with sum 1. `theta_from` takes any of them: it gives the member
    of the family with the same moments, the m-projection.

    Parameters
    ----------
    statistics : array, shape (m, d)
        With affinely independent columns: none is a combination of the others and a constant.
    log_base : array, shape (m,), optional

    Raises
    ------
    ShapeError, DomainError
        If the shapes do not fit, an entry is not finite, or the columns are dependent.

    Examples
    --------
    >>> M = ig.LogLinear([[0.0], [1.0], [2.0]])
    >>> theta = M.theta_from(probabilities=[0.45, 0.1, 0.45])  # of mean 1
    >>> M.parameters(theta)["probabilities"].round(4)  # of greatest entropy
    array([0.3333, 0.3333, 0.3333])
    """

    statistics: Any
    log_base: Any = None

    def __post_init__(self) -> None:
        rows = np.array(to_numpy(self.statistics), dtype=float)
        if rows.ndim != 2 or rows.shape[1] == 0:
            raise ShapeError(f"statistics must have shape (m, d); got {rows.shape}")
        require("statistics", "statistics finite", np.isfinite(rows).all(axis=-1), rows)
        gap = rows - rows.mean(axis=0)
        width = np.abs(gap).max(axis=0)
        rank = np.linalg.matrix_rank(gap / np.where(width > 0, width, 1.0))
        require("statistics", f"rank = {rows.shape[1]}, the number of columns, less their means", rank == rows.shape[1], rank)
        rows.flags.writeable = False
        object.__setattr__(self, "statistics", rows)
        if self.log_base is not None:
            log_base = np.array(to_numpy(self.log_base), dtype=float)
            if log_base.shape != rows.shape[:1]:
                raise ShapeError(f"log_base must have shape ({rows.shape[0]},); got {log_base.shape}")
            require("log_base", "log_base finite", np.isfinite(log_base), log_base)
            log_base.flags.writeable = False
            object.__setattr__(self, "log_base", log_base)
        self.__dict__["states"], self.__dict__["dim"] = rows.shape

    def __repr__(self) -> str:
        return f"LogLinear(statistics of {self.states} states x {self.dim})"

    def _rows(self, start: int, stop: int) -> Array:
        return self.statistics[start:stop]

    @property
    def support(self) -> Domain:
        return Integers(0, self.states - 1)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"probabilities": SimplexPoints(self.states)}

    def _state(self, xp: Namespace, x: Array) -> Array:
        return xp.astype(x, xp.int64)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        rows = xp.asarray(self.statistics, dtype=x.dtype)
        chosen = xp.take(rows, xp.reshape(self._state(xp, x), (-1,)), axis=0)
        return xp.reshape(chosen, (*x.shape, self.dim))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        if self.log_base is None:
            return xp.zeros_like(x)
        base = xp.asarray(self.log_base, dtype=x.dtype)
        return xp.reshape(xp.take(base, xp.reshape(self._state(xp, x), (-1,))), x.shape)

    def _numeric(self, xp: Namespace, theta: Array) -> TabulatedCumulative:
        return TabulatedCumulative(xp, 0.0, self._log_probabilities(xp, theta)[1])

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.astype(self._draw_states(draws, theta, shape), theta.dtype)

    def _theta_from(self, xp: Namespace, probabilities: Array) -> Array:
        return self.to_theta(self._mean(xp, probabilities))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probabilities": self._probabilities(xp, theta)}
