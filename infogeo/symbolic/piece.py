"""A part of the support of a model on which its log-density is smooth."""
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
import sympy as sp

from ..backend import Array, Namespace
from .algebra import tidy
from .kernel import kernel
from .rewriting import stable

__all__ = ["RELATIONAL", "Density", "Piece", "peak", "summed"]

RELATIONAL = sp.core.relational.Relational


class Density(Protocol):
    """What is asked of a `ParametricModel` here."""

    x: sp.Symbol
    parameters: tuple[sp.Symbol, ...]

    @property
    def observation(self) -> sp.Symbol: ...

    @property
    def expanded_log_density(self) -> sp.Expr: ...


class Piece(ABC):
    """A part of the support as the image x = φ(y) of a standard set of y.

    `log_density` is that of y: log |φ′| is a part of it. The score is that of x, at x = φ(y).
    """

    def __init__(self, model: Density, x: sp.Expr, y: sp.Symbol, log_slope: sp.Expr = sp.S.Zero) -> None:
        self.x, self.y, self.parameters, self._symbol = x, y, model.parameters, model.observation
        self.log_density = self.at(model.expanded_log_density) + log_slope
        smooth = stable(self.log_density)
        if smooth != -sp.oo and smooth.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
            raise ValueError(f"log_density must be finite on the support, or -oo where a linear condition on {model.x} says so; "
                             f"on the part {model.x} = {x} it is {smooth}")
        score = [self.at(sp.diff(stable(model.expanded_log_density), u)) for u in self.parameters]
        self._kernel = kernel((y, *self.parameters), [smooth, *score])

    def at(self, expression: sp.Expr) -> sp.Expr:
        """The expression in x as one in y; conditions and signs are decided where the assumptions do."""
        expression = expression.subs(self._symbol, self.x)
        expression = expression.replace(lambda e: isinstance(e, RELATIONAL), lambda e: e.func(tidy(e.lhs - e.rhs), 0))
        return expression.replace(lambda e: isinstance(e, (sp.Abs, sp.sign)), lambda e: e.func(tidy(e.args[0])))

    def values(self, xp: Namespace, y: Array, columns: list[Array]) -> list[Array]:
        """The log-density and the components of the score, shape (rows, n) each."""
        found = self._kernel(xp, y, *columns)
        return [xp.full_like(y, v) if isinstance(v, float) else xp.broadcast_to(v, y.shape) for v in found]

    def log(self, xp: Namespace, y: Array, columns: list[Array]) -> Array:
        """The log-density for the search of its largest value: −∞ where it is not a number."""
        value = self.values(xp, y, columns)[0]
        return xp.where(xp.isnan(value), xp.full_like(value, -np.inf), value)

    @abstractmethod
    def place(self, xp: Namespace, columns: list[Array]) -> Array:
        """Where the mass is, for `moments`."""

    @abstractmethod
    def moments(self, xp: Namespace, columns: list[Array], place: Array, level: int) -> Array:
        """The integrals of p (1, s_i, s_i s_j for i ≤ j) by the rule of this level, shape (rows, 1 + d + d (d + 1) / 2)."""

    @abstractmethod
    def integral(self, f: sp.Expr) -> sp.Expr | None:
        """The integral of f p in symbols, for f in x; None where none is known."""


def summed(xp: Namespace, mass: Array, score: Sequence[Array]) -> Array:
    """Σ m (1, s_i, s_i s_j for i ≤ j) over the last axis; where there is no mass a score that overflows does not count."""
    score = [xp.where(mass > 0.0, s, xp.zeros_like(s)) for s in score]
    pairs = [a * b for a, b in combinations_with_replacement(score, 2)]
    return xp.stack([xp.sum(mass * f, axis=-1) for f in (xp.ones_like(mass), *score, *pairs)], axis=-1)


def peak(xp: Namespace, f: Callable[[Array], Array], like: Array, low: float, high: float) -> Array:
    """The place of the largest value of a unimodal function, shape (rows, 1): grids, each on the two cells about the best."""
    left, cell = xp.full_like(like, low), (high - low) / 256
    for count in (256, *(64,) * 9):
        s = left + cell * xp.arange(count + 1.0, dtype=like.dtype)
        value = f(s)
        best = xp.astype(xp.argmax(value, axis=-1, keepdims=True), like.dtype)
        left, cell = left + cell * (best - 1.0), cell / 32
        if xp.all(xp.max(value, axis=-1) - xp.min(value, axis=-1) < 0.01):
            break                                           # it is flat there
    return left + 32 * cell
