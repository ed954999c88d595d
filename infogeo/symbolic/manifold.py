"""Dually flat manifolds in symbols: from a potential ψ(θ) to its closed forms."""
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import sympy as sp

from ..backend import Array
from ..domains.base import Domain
from ..domains.convex import ConvexDomain
from ..errors import ShapeError
from .algebra import NoClosedForm, listed, tidy
from .compiled import CompiledFamily, CompiledManifold
from .connection import SymbolicConnections
from .convexity import convex_points
from .functions import defined
from .inverse import solved

__all__ = ["SymbolicManifold"]


class SymbolicManifold(SymbolicConnections):
    """A dually flat manifold given by its potential as a SymPy expression.

    Mathematically, η = ∇ψ, G = ∇²ψ, T = ∇³ψ, and Γ^(α)_{ij,k} = (1 − α)/2 T_ijk in the chart θ. Index order and signs are those
    of the functions on numbers: `infogeo.christoffel`, `infogeo.riemann_tensor`.

    Parameters
    ----------
    theta : symbol or sequence of symbols
    potential : expression
        ψ, a strictly convex function of these symbols and of no others but the parameters named in `constants`.
    domain : ConvexDomain, optional
        Of θ. Without it, any point at which ψ is real and its Hessian positive definite shows that there is one.
    constants : sequence of symbols
        Symbols of ψ that are not coordinates; the closed forms keep them.

    Raises
    ------
    ValueError
        For a symbol of ψ that is neither a coordinate nor a constant, or a coordinate that is listed twice.
    ShapeError
        If the domain has another dimension.
    DomainError
        If ψ is not strictly convex, with the point and the eigenvalue.

    Source: Amari, Information Geometry and Its Applications (2016), chapters 1, 2 and 6; Shima, The Geometry of Hessian
    Structures (2007), section 3.1, for the curvature.

    Examples
    --------
    >>> import sympy as sp
    >>> t = sp.Symbol("theta", real=True)
    >>> poisson = ig.symbolic.SymbolicManifold(t, sp.exp(t))
    >>> poisson.dual_potential, poisson.theta_of_eta
    (eta*(log(eta) - 1), Matrix([[log(eta)]]))
    """

    def __init__(self, theta: sp.Symbol | Sequence[sp.Symbol], potential: sp.Expr, domain: ConvexDomain | None = None, *,
                 constants: Sequence[sp.Symbol] = ()) -> None:
        super().__init__(theta, potential, constants)
        if domain is not None and domain.dim != self.dim:
            raise ShapeError(f"domain must have the dimension of theta, {self.dim}; got {domain!r} of dimension {domain.dim}")
        self.domain, self.points = domain, convex_points(self, domain)

    def __repr__(self) -> str:
        return f"SymbolicManifold({self.theta}, {self.potential})"

    # The dual chart

    @cached_property
    def eta_symbols(self) -> tuple[sp.Symbol, ...]:
        """Symbols for the coordinates η, as the closed forms of the dual chart have them."""
        taken = {t.name for t in self.theta + self.constants}
        name = "eta" if self.dim == 1 and "eta" not in taken else None
        return (sp.Symbol(name, real=True),) if name else sp.symbols(f"eta_1:{self.dim + 1}", real=True)

    @cached_property
    def theta_of_eta(self) -> sp.Matrix:
        """θ = ∇φ(η) in the symbols `eta_symbols`, a column.

        Raises
        ------
        NoClosedForm
            Where SymPy does not solve ∇ψ(θ) = η.
        """
        return solved(self.eta, self.theta, self.eta_symbols, self.points)

    @cached_property
    def dual_potential(self) -> sp.Expr:
        """φ(η) = θ·η − ψ(θ) in the symbols `eta_symbols`.

        Raises
        ------
        NoClosedForm
            As `theta_of_eta`.
        """
        theta = self.theta_of_eta
        pairing = sum(t * e for t, e in zip(theta, self.eta_symbols))
        value = tidy(pairing) - defined(self.potential).subs(dict(zip(self.theta, theta)), simultaneous=True)
        return sp.simplify(value)

    # Divergences

    def bregman(self, p: Sequence[sp.Expr | float], q: Sequence[sp.Expr | float]) -> sp.Expr:
        """B_ψ(p, q) = ψ(p) − ψ(q) − (p − q)·∇ψ(q), for points given as sequences of symbols, expressions or numbers.

        Raises
        ------
        ShapeError
            If a point has another number of coordinates.
        """
        p, q = (self._coordinates(name, x) for name, x in (("p", p), ("q", q)))
        at_p, at_q = (dict(zip(self.theta, x)) for x in (p, q))
        slope = sum((a - b) * e.subs(at_q, simultaneous=True) for a, b, e in zip(p, q, self.eta))
        return self.potential.subs(at_p, simultaneous=True) - self.potential.subs(at_q, simultaneous=True) - slope

    def kl(self, p: Sequence[sp.Expr | float], q: Sequence[sp.Expr | float]) -> sp.Expr:
        """The canonical divergence, in a family KL(p‖q) = B_ψ(q, p), nats."""
        return self.bregman(q, p)

    # On arrays

    def compile(self, theta_domain: ConvexDomain, eta_domain: ConvexDomain | None = None) -> CompiledManifold:
        """The `DuallyFlat` on arrays, whose kernels are generated from these formulas.

        Parameters
        ----------
        theta_domain : ConvexDomain
        eta_domain : ConvexDomain, optional
            The image of `theta_domain` under ∇ψ. Without it a point is in it if its θ is: by formula where there is one, by
            Newton's method elsewhere.

        Raises
        ------
        ShapeError, TypeError, ValueError
            For another dimension, something that is no domain, a function without a form for arrays, or constants.
        """
        self._require_numbers(theta_domain=theta_domain, eta_domain=eta_domain or theta_domain)
        return CompiledManifold(self, theta_domain, eta_domain)

    def compile_family(self, theta_domain: ConvexDomain, *, x: sp.Symbol | Sequence[sp.Symbol],
                       sufficient_statistic: Sequence[sp.Expr], log_base_measure: sp.Expr, support: Domain,
                       sampler: Callable[[Any, Array, tuple[int, ...]], Array], eta_domain: ConvexDomain | None = None,
                       expected_log_base_measure: sp.Expr | None = None) -> CompiledFamily:
        """The `ExponentialFamily` on arrays, p(x; θ) = exp(θ·T(x) − ψ(θ)) h(x).

        Parameters
        ----------
        theta_domain, eta_domain : as in `compile`
        x : symbol or sequence of symbols
            The observation; its shape is () or (n,).
        sufficient_statistic : sequence of expressions in x
            T, as many as coordinates.
        log_base_measure : expression in x
            log h.
        support : Domain
            Of x.
        sampler : callable (rng, theta, shape) -> x
            Draws of batch shape `shape`, which ends in that of theta.
        expected_log_base_measure : expression in θ, optional
            E[log h(x)], which the entropy needs; a constant log h is its own.

        Raises
        ------
        ShapeError, TypeError, ValueError
            As `compile`, and where T has another length or E[log h] is missing.
        """
        self._require_numbers(theta_domain=theta_domain, eta_domain=eta_domain or theta_domain)
        x = tuple(x) if isinstance(x, (Sequence, sp.Tuple)) else x
        log_h, statistic = sp.sympify(log_base_measure), self._coordinates("sufficient_statistic", sufficient_statistic)
        if expected_log_base_measure is None:
            if log_h.free_symbols:
                raise ValueError(f"log_base_measure depends on x, {log_h}: give its mean as expected_log_base_measure, in theta")
            expected_log_base_measure = log_h
        return CompiledFamily(self, theta_domain, eta_domain, x=x, sufficient_statistic=statistic, log_base_measure=log_h,
                              support=support, sampler=sampler, expected_log_base_measure=sp.sympify(expected_log_base_measure))

    def _require_numbers(self, **domains: ConvexDomain) -> None:
        for name, domain in domains.items():
            if not isinstance(domain, ConvexDomain):
                raise TypeError(f"{name} must be a ConvexDomain such as RealSpace(2) or Orthant(1, -1); got {domain!r}")
            if domain.dim != self.dim:
                raise ShapeError(f"{name} must have the dimension of theta, {self.dim}; got {domain!r} of dimension {domain.dim}")
        if self.constants:
            raise ValueError(f"arrays need numbers for the constants {listed(self.constants)}: substitute them in the potential")

    # Display

    def closed_forms(self, alpha: sp.Expr | float = 0) -> list[tuple[str, str, Any]]:
        """The table of closed forms as (name, left side in LaTeX, expression); what SymPy cannot solve is left out."""
        rows = [("potential", r"\psi", self.potential), ("eta", r"\eta", self.eta), ("metric", "G", self.metric),
                ("inverse_metric", "G^{-1}", self.inverse_metric), ("cubic_tensor", "T", self.cubic_tensor)]
        try:
            rows += [("theta_of_eta", r"\theta(\eta)", self.theta_of_eta), ("dual_potential", r"\varphi", self.dual_potential)]
        except NoClosedForm:
            pass
        return rows + [("christoffel", r"\Gamma", self.christoffel(alpha)),
                       ("scalar_curvature", "R", self.scalar_curvature(alpha))]

    def latex(self) -> str:
        """ψ, η and G as an aligned LaTeX display."""
        rows = [(r"\psi", self.potential), (r"\eta", self.eta), ("G", self.metric)]
        lines = [rf"{left} &= {sp.latex(right)}" for left, right in rows]
        return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"
