"""Gauss's rule on [0, 1] with the operations on polynomials through its nodes."""
from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre

from ..quadrature import gauss

__all__ = ["Rule", "rule"]


class Rule:
    """The n-point Gauss rule on [0, 1] and the matrices, on the host, of the operations on polynomials through its nodes.

    Mathematically, with shifted Legendre polynomials P_m: `coefficients` takes values to a series, `derivative` values to those
    of the derivative; `initial` and `boundary` take values of ẍ to the series, of n + 2 terms, of K w.
    """

    def __init__(self, n: int) -> None:
        self.n, (self.t, self.weight) = n, gauss(n)
        values = legendre.legvander(2.0 * self.t - 1.0, n + 1)
        self.coefficients = (2.0 * np.arange(n) + 1.0)[:, None] * values[:, :n].T * self.weight
        self.once = legendre.legint(self.coefficients, scl=0.5, lbnd=-1)             # ∫₀ᵗ, n + 1 terms
        self.initial = legendre.legint(self.once, scl=0.5, lbnd=-1)
        line = np.zeros((n + 2, 1))
        line[:2] = 0.5                                                               # t = ½ P_0 + ½ P_1
        self.boundary = self.initial - line * np.sum(self.initial, axis=0)           # P_m(1) = 1
        self.derivative = values[:, :n - 1] @ legendre.legder(self.coefficients, scl=2.0)
        self.values, self.integral = values, values[:, :n + 1] @ self.once

    def corrections(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(K, K̇): values of K w and of its derivative at the nodes."""
        return self.values @ series, self.values[:, :self.n + 1] @ legendre.legder(series, scl=2.0)

    def resample(self, other: "Rule") -> np.ndarray:
        """Values at the nodes of this rule of the polynomial with values at those of another."""
        values: np.ndarray = self.values[:, :other.n] @ other.coefficients
        return values

    def end_slopes(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The derivative of K w at t = 0 and at t = 1."""
        slope = legendre.legder(series, scl=2.0)
        return (-1.0)**np.arange(self.n + 1) @ slope, np.sum(slope, axis=0)


@lru_cache
def rule(n: int) -> Rule:
    """The rule of n points, made once."""
    return Rule(n)
