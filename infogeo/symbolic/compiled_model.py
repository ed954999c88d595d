"""Parametric models in symbols as Riemannian manifolds on arrays."""
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any, Protocol

import numpy as np
import sympy as sp

from ..arrays.blocks import slices
from ..backend import Array, Namespace, set_at, to_numpy
from ..domains.convex import ConvexDomain
from ..errors import ConvergenceError
from ..geometry.manifolds.manifold import Riemannian
from .algebra import NoClosedForm
from .kernel import Kernel, kernel
from .piece import Piece
from .score_moments import refined

__all__ = ["CompiledModel"]

ROWS = 1024         # points whose rules are refined together


class Scored(Protocol):
    """What is asked of a `ParametricModel` here."""

    parameters: tuple[sp.Symbol, ...]
    pieces: list[Piece]

    @property
    def dim(self) -> int: ...

    @property
    def metric(self) -> sp.Matrix: ...


class CompiledModel(Riemannian):
    """A `ParametricModel` on arrays: its Fisher metric by the closed form where there is one, else by quadrature of the score.

    Mathematically, by quadrature: the double-exponential rule about the mode of each smooth piece of an interval, Gauss rules for
    counting measure on integers. A rule is refined until two agree, and accepted where the mass is 1 and the mean of the score 0;
    it is evaluated in double precision. A closed form is evaluated as it stands. Outside the domain the metric is NaN.

    Shapes: points (..., dim), in the order of the parameters.

    Examples
    --------
    >>> import sympy as sp
    >>> x, m = sp.symbols("x m", real=True)
    >>> log_density = -sp.log(sp.pi * (1 + (x - m)**2))  # Cauchy
    >>> model = ig.symbolic.ParametricModel(log_density, x, m, sp.S.Reals)
    >>> model.compile(ig.domains.RealSpace(1)).metric([3.0]).round(9)
    array([[0.5]])
    """

    dim: int

    def __init__(self, symbolic: Scored, domain: ConvexDomain, rtol: float) -> None:
        self.symbolic, self.dim, self.rtol, self._domain = symbolic, symbolic.dim, rtol, domain

    def __repr__(self) -> str:
        return f"CompiledModel({self.symbolic!r})"

    @property
    def domain(self) -> ConvexDomain:
        return self._domain

    @cached_property
    def _upper(self) -> Kernel | None:
        """The kernel of the entries i ≤ j of the closed form, or None."""
        try:
            metric = self.symbolic.metric
            pairs = combinations_with_replacement(range(self.dim), 2)
            return kernel(self.symbolic.parameters, [metric[i, j] for i, j in pairs])
        except (NoClosedForm, TypeError):                   # a function of the closed form may have no form for arrays
            return None

    @cached_property
    def _slopes(self) -> Kernel:
        """The kernel of their derivatives, the parameter last."""
        metric, parameters = self.symbolic.metric, self.symbolic.parameters
        pairs = combinations_with_replacement(range(self.dim), 2)
        return kernel(parameters, [sp.diff(metric[i, j], u) for i, j in pairs for u in parameters])

    def _metric(self, xp: Namespace, u: Array) -> Array:
        """The Fisher metric, shape (..., dim, dim).

        Raises
        ------
        ConvergenceError
            If quadrature does not reach `rtol` at a point of the domain, with the errors and the points.
        """
        rows = xp.reshape(u, (-1, self.dim))
        inside = self._domain.contains(rows)
        out = xp.full((rows.shape[0], self.dim, self.dim), np.nan, dtype=u.dtype)
        if xp.any(inside):
            found = self._closed(xp, self._upper, rows[inside]) if self._upper else self._by_quadrature(xp, rows[inside])
            out = set_at(xp, out, inside, found)
        return xp.reshape(out, (*u.shape[:-1], self.dim, self.dim))

    def _metric_derivative(self, xp: Namespace, u: Array) -> Array:
        """∂_k G_ij(u), k last, shape (..., dim, dim, dim): of a closed form its own derivative."""
        if not self._upper:
            return super()._metric_derivative(xp, u)
        d = self.dim
        slopes = xp.reshape(self._closed(xp, self._slopes, xp.reshape(u, (-1, d)), d), (*u.shape[:-1], d, d, d))
        return xp.where(self._domain.contains(u)[..., None, None, None], slopes, xp.full_like(slopes, np.nan))

    def _closed(self, xp: Namespace, function: Kernel, u: Array, *last: int) -> Array:
        with np.errstate(all="ignore"):                     # at the edge of the domain the formulas may give inf
            return self._symmetric(xp, function(xp, *(u[:, i] for i in range(self.dim))), u, *last)

    def _by_quadrature(self, xp: Namespace, u: Array) -> Array:
        """In blocks of points, with the errors of all of them where one does not converge."""
        precise, count = xp.astype(u, xp.float64), u.shape[0]
        found = [refined(self.symbolic.pieces, xp, precise[rows, :], self.rtol) for rows in slices(count, ROWS)]
        moments, change, off = (xp.concat(parts) for parts in zip(*found))
        error = xp.maximum(change, off)
        bad = to_numpy(~(error <= self.rtol))
        if bad.any():
            first = int(np.argmax(bad))
            raise ConvergenceError(f"quadrature of the Fisher metric must reach rtol = {self.rtol:g}; {bad.sum()} of {count} "
                                   f"points do not, first {to_numpy(u)[first]} with an error of {float(error[first]):.2g}: try a "
                                   "larger rtol, or a log-density that does not overflow and has no kinks", error, u)
        return self._symmetric(xp, [moments[:, k] for k in range(1 + self.dim, moments.shape[-1])], u)

    def _symmetric(self, xp: Namespace, entries: Sequence[Any], u: Array, *last: int) -> Array:
        """The symmetric matrices of the entries i ≤ j, or of those with a last axis, shape (rows, dim, dim, *last)."""
        pairs = list(combinations_with_replacement(range(self.dim), 2))
        flat = [xp.full_like(u[:, 0], e) if isinstance(e, float) else xp.astype(e, u.dtype) for e in entries]
        block = len(flat) // len(pairs)
        place = [pairs.index((min(i, j), max(i, j))) for i in range(self.dim) for j in range(self.dim)]
        whole = xp.stack([flat[block * k + m] for k in place for m in range(block)], axis=-1)
        return xp.reshape(whole, (u.shape[0], self.dim, self.dim, *last))
