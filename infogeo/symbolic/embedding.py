"""Curved families in symbols: the geometry that an embedding u ↦ θ(u) pulls back."""
from collections.abc import Sequence
from functools import cached_property

import sympy as sp

from ..errors import ShapeError
from .algebra import require_symbols, symbols_of, tidy
from .manifold import SymbolicManifold

__all__ = ["SymbolicSubmanifold", "pull_back"]


class SymbolicSubmanifold:
    """The submanifold θ(u) of a `SymbolicManifold`, as it lies there; see `pull_back`.

    Examples
    --------
    >>> import sympy as sp
    >>> u = sp.Symbol("mu", positive=True)
    >>> normal = ig.symbolic.symbolic_manifold(ig.Normal())
    >>> curve = ig.symbolic.pull_back(normal, (1 / u, -1 / (2 * u**2)), u)
    >>> curve.metric[0], sp.simplify(curve.statistical_curvature)  # N(μ, μ²)
    (3/mu**2, 2/27)
    """

    def __init__(self, manifold: SymbolicManifold, embedding: Sequence[sp.Expr], u: sp.Symbol | Sequence[sp.Symbol]) -> None:
        self.manifold = manifold
        self.u = symbols_of(u)
        self.embedding = sp.Matrix([sp.sympify(e) for e in embedding])
        if len(self.embedding) != manifold.dim:
            raise ShapeError(f"embedding must have {manifold.dim} coordinates; got {len(self.embedding)}")
        require_symbols(f"embedding must be expressions in {self.u}", self.embedding, self.u)

    @cached_property
    def _ambient_metric(self) -> sp.Matrix:
        return manifold_at(self.manifold, self.embedding)

    @cached_property
    def tangent(self) -> sp.Matrix:
        """∂θ^i/∂u^a, a column for each u."""
        return self.embedding.jacobian(self.u)

    @cached_property
    def metric(self) -> sp.Matrix:
        """The induced metric g_ab = G_ij ∂_aθ^i ∂_bθ^j."""
        return (self.tangent.T * self._ambient_metric * self.tangent).applyfunc(tidy)

    def second_fundamental_form(self, a: int = 0, b: int = 0) -> sp.Matrix:
        """H_ab, the part of ∂_a∂_bθ that is orthogonal to the submanifold, a column: that of the e-connection.

        It is zero for all a and b where the submanifold is an exponential family itself.
        """
        bent = self.embedding.diff(self.u[a]).diff(self.u[b])
        along = self.metric.inv() * self.tangent.T * self._ambient_metric * bent
        return (bent - self.tangent * along).applyfunc(tidy)

    @cached_property
    def statistical_curvature(self) -> sp.Expr:
        """Efron's γ² = |H|² / g² of a curve.

        Raises
        ------
        ShapeError
            If there is more than one u.
        """
        if len(self.u) != 1:
            raise ShapeError(f"the statistical curvature is that of a curve, with one u; got {self.u}")
        bent = self.second_fundamental_form()
        return tidy((bent.T * self._ambient_metric * bent)[0] / self.metric[0]**2)


def manifold_at(manifold: SymbolicManifold, point: Sequence[sp.Expr]) -> sp.Matrix:
    """The metric of the manifold at a point of expressions."""
    return manifold.metric.subs(dict(zip(manifold.theta, point)), simultaneous=True)


def pull_back(manifold: SymbolicManifold, embedding: Sequence[sp.Expr],
              u: sp.Symbol | Sequence[sp.Symbol]) -> SymbolicSubmanifold:
    """The geometry of a curved family, or of another chart, θ = θ(u) in a symbolic manifold.

    Mathematically, g_ab = G_ij ∂_aθ^i ∂_bθ^j, and the normal part of ∂_a∂_bθ with respect to G, whose square over g² is the
    statistical curvature of a curve.

    Parameters
    ----------
    manifold : SymbolicManifold
    embedding : sequence of expressions in u, as many as coordinates
    u : symbol or sequence of symbols

    Raises
    ------
    ShapeError
        For another number of coordinates.
    ValueError
        For a symbol of the embedding that is not in u.

    Source: Efron, Defining the curvature of a statistical problem, Ann. Statist. 3 (1975).

    Examples
    --------
    >>> import sympy as sp
    >>> rate = sp.Symbol("lambda", positive=True)
    >>> poisson = ig.symbolic.symbolic_manifold(ig.Poisson())
    >>> ig.symbolic.pull_back(poisson, [sp.log(rate)], rate).metric[0]
    1/lambda
    """
    return SymbolicSubmanifold(manifold, embedding, u)
