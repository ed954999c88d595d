"""A potential in symbols: its derivatives, each entry derived once."""
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import sympy as sp

from ..errors import ShapeError
from .algebra import listed, require_symbols, symbols_of, tidy

__all__ = ["SymbolicPotential", "array_of"]


class SymbolicPotential:
    """A function ψ of the symbols θ, with η = ∇ψ, G = ∇²ψ and T = ∇³ψ.

    Parameters
    ----------
    theta : symbol or sequence of symbols
    potential : expression
        ψ, of these symbols and of no others but the constants.
    constants : sequence of symbols
        Symbols of ψ that are not coordinates.

    Raises
    ------
    TypeError
        For something that is no symbol.
    ValueError
        For a symbol of ψ that is neither a coordinate nor a constant, or a coordinate that is listed twice.
    """

    def __init__(self, theta: sp.Symbol | Sequence[sp.Symbol], potential: sp.Expr, constants: Sequence[sp.Symbol] = ()) -> None:
        self.theta, self.constants = symbols_of(theta), tuple(constants)
        known = self.theta + self.constants
        for t in known:
            if not isinstance(t, sp.Symbol):
                raise TypeError(f"theta and constants must be SymPy symbols; got {t!r}")
        if not self.theta or len(set(known)) < len(known):
            raise ValueError(f"theta must be one symbol or more, each listed once; got {known}")
        self.potential = sp.sympify(potential)
        require_symbols(f"potential must be an expression in {listed(known)}", self.potential, known)

    @property
    def dim(self) -> int:
        """The number of coordinates."""
        return len(self.theta)

    def _coordinates(self, name: str, x: Any) -> tuple[sp.Expr, ...]:
        x = tuple(x) if isinstance(x, (Sequence, sp.Tuple, sp.MatrixBase, np.ndarray)) else (x,)
        if len(x) != self.dim:
            raise ShapeError(f"{name} must have {self.dim} coordinates; got {len(x)}")
        return tuple(map(sp.sympify, x))

    @cached_property
    def eta(self) -> sp.Matrix:
        """η = ∇ψ(θ), a column."""
        return sp.Matrix([sp.diff(self.potential, t) for t in self.theta])

    @cached_property
    def metric(self) -> sp.Matrix:
        """G = ∇²ψ(θ), the Fisher metric; each entry derived once."""
        upper = {(i, j): sp.diff(self.eta[i], self.theta[j]) for i, j in combinations_with_replacement(range(self.dim), 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: upper[min(i, j), max(i, j)])

    @cached_property
    def cubic_entries(self) -> dict[tuple[int, int, int], sp.Expr]:
        """The entries i ≤ j ≤ k of the cubic tensor, a dict: all others are these."""
        return {(i, j, k): sp.diff(self.metric[i, j], self.theta[k])
                for i, j, k in combinations_with_replacement(range(self.dim), 3)}

    @cached_property
    def cubic_tensor(self) -> sp.ImmutableDenseNDimArray:
        """The Amari–Chentsov tensor T_ijk = ∂_i∂_j∂_k ψ."""
        return array_of(3, self.dim, lambda *i: self.cubic_entries[tuple(sorted(i))])

    @cached_property
    def inverse_metric(self) -> sp.Matrix:
        """G⁻¹, by minors."""
        metric = self.metric.applyfunc(tidy)
        determinant = tidy(metric.det(method="berkowitz"))
        minors = {(i, j): tidy(metric.cofactor(i, j) / determinant) if self.dim > 1 else 1 / determinant
                  for i, j in combinations_with_replacement(range(self.dim), 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: minors[min(i, j), max(i, j)])


def array_of(rank: int, dim: int, entry: Callable[..., sp.Expr]) -> sp.ImmutableDenseNDimArray:
    """The array of the entries (i, j, …), each a function of its indices."""
    shape = (dim,) * rank
    return sp.ImmutableDenseNDimArray([entry(*i) for i in np.ndindex(*shape)], shape)
