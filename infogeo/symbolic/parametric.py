"""Any parametric model in symbols: its score and its Fisher metric."""
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
import sympy as sp

from ..domains.convex import ConvexDomain
from ..errors import ShapeError, require_positive
from .algebra import NoClosedForm, require_symbols, symbols_of, tidy
from .compiled_model import CompiledModel
from .density import NotExponentialFamily, from_density
from .embedding import pull_back
from .functions import defined
from .integrals import neat
from .pieces import pieces_of
from .proper import AGREEMENT, proper_points

__all__ = ["ParametricModel"]

SETS = sp.Interval, sp.FiniteSet, sp.Range, type(sp.S.Naturals0), type(sp.S.Naturals), type(sp.S.Integers)


class ParametricModel:
    """A parametric model given by its log-density as a SymPy expression; its ordinary parameters are the coordinates.

    Mathematically, s_i = ∂_i log p(x; u), and the Fisher metric is G_ij = E[s_i s_j].

    Parameters
    ----------
    log_density : expression
        Normalised: the integral, or the sum, of the density over the support is 1.
    x : symbol
    parameters : symbol or sequence of symbols
        Real or positive, by their assumptions.
    support : Interval, FiniteSet, Range, Naturals0, Naturals or Integers of SymPy
        Of x, the same for all parameters.

    Raises
    ------
    TypeError
        For something that is no symbol or no such set, or a function that has no form for arrays.
    ValueError
        For a symbol of the log-density that is neither x nor a parameter, a parameter that is not real, a support that depends on
        the parameters, or kinks in an order that is not known.
    DomainError
        If the density does not integrate to 1, or the mean of the score is not 0, with the parameters.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.2.

    Examples
    --------
    >>> import sympy as sp
    >>> x, m = sp.symbols("x m", real=True)
    >>> log_density = -sp.log(sp.pi * (1 + (x - m)**2))  # Cauchy
    >>> model = ig.symbolic.ParametricModel(log_density, x, m, sp.S.Reals)
    >>> model.metric
    Matrix([[1/2]])
    """

    def __init__(self, log_density: sp.Expr, x: sp.Symbol, parameters: sp.Symbol | Sequence[sp.Symbol], support: sp.Set) -> None:
        self.parameters = symbols_of(parameters)
        self.log_density, self.x, self.support = sp.sympify(log_density), x, support
        for symbol in (x, *self.parameters):
            if not isinstance(symbol, sp.Symbol):
                raise TypeError(f"x and parameters must be SymPy symbols; got {symbol!r}")
        if not self.parameters or len({x, *self.parameters}) <= len(self.parameters):
            raise ValueError(f"parameters must be one symbol or more, each listed once, and none of them {x}; got "
                             f"{self.parameters}")
        for u in self.parameters:
            if not u.is_real or u.is_integer:
                raise ValueError(f"parameters must be real, such as Symbol({u.name!r}, real=True) or positive=True; {u} is not")
        known = {x, *self.parameters}
        require_symbols(f"log_density must be an expression in {x} and {self.parameters}", self.log_density, known)
        self._require_fixed_support()
        self.pieces = pieces_of(self, support)
        self._points, self._moments = proper_points(self.pieces, self.parameters, support)

    def _require_fixed_support(self) -> None:
        if not isinstance(self.support, SETS):
            raise TypeError("support must be an Interval, FiniteSet, Range, Naturals0, Naturals or Integers of SymPy; got "
                            f"{self.support!r}")
        if self.support.free_symbols:
            moving = ", ".join(sorted(map(str, self.support.free_symbols)))
            raise ValueError(f"support must not depend on {moving}, as the Fisher metric needs a fixed one; got {self.support}")
        if self.support.is_empty or not (self.support.inf.is_extended_real and self.support.inf < self.support.sup):
            raise ValueError(f"support must have two real values or more; got {self.support}")

    @property
    def dim(self) -> int:
        """The number of parameters."""
        return len(self.parameters)

    def __repr__(self) -> str:
        return f"ParametricModel({self.log_density}, {self.x}, {self.parameters}, {self.support})"

    @cached_property
    def observation(self) -> sp.Symbol:
        """The observation as a symbol with the assumptions that the support makes true."""
        sign = "nonnegative" if self.support.inf >= 0 else "nonpositive" if self.support.sup <= 0 else "real"
        if isinstance(self.support, sp.Interval):                           # its ends have no mass
            sign = {"nonnegative": "positive", "nonpositive": "negative"}.get(sign, sign)
        return sp.Dummy(self.x.name, **{sign: True})        # not an integer: SymPy would write log Γ(n) as the log of Γ(n)

    @cached_property
    def expanded_log_density(self) -> sp.Expr:
        """The log-density in `observation`, factorials as log Γ: they are positive on the support."""
        expression = defined(self.log_density).subs(self.x, self.observation).replace(
            lambda e: isinstance(e, (sp.factorial, sp.binomial, sp.beta)), lambda e: e.rewrite(sp.gamma))
        expression = expression.replace(lambda e: isinstance(e, sp.log) and e.args[0].has(sp.gamma) and not e.args[0].is_Add,
                                        lambda e: sp.expand_log(e, force=True))
        return sp.expand_log(expression).replace(lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma),
                                                 lambda e: sp.loggamma(e.args[0].args[0]))

    # Closed forms

    @cached_property
    def score(self) -> tuple[sp.Expr, ...]:
        """∂_i log p, a tuple."""
        return tuple(tidy(s).xreplace({self.observation: self.x}) for s in self._score)

    @cached_property
    def _score(self) -> tuple[sp.Expr, ...]:
        return tuple(sp.diff(self.expanded_log_density, u) for u in self.parameters)

    def expectation(self, f: sp.Expr) -> sp.Expr:
        """E[f(x; u)], an expression in the parameters.

        Raises
        ------
        NoClosedForm
            Where the integral or the sum has none that is known here, or is not known to converge.
        """
        parts = [piece.integral(sp.sympify(f).subs(self.x, self.observation)) for piece in self.pieces]
        if None in parts:
            raise NoClosedForm(f"the mean of {f} has no closed form that is known here; compile() has the metric in numbers")
        return neat(sum(parts))

    @cached_property
    def total(self) -> sp.Expr:
        """∫ p, which is 1: the integral or the sum in symbols.

        Raises
        ------
        NoClosedForm
            As `expectation`. The constructor has checked it in numbers.
        """
        return self.expectation(1)

    @cached_property
    def metric(self) -> sp.Matrix:
        """The Fisher metric G_ij = E[s_i s_j]; each entry derived once, and confirmed by quadrature at some parameters.

        Mathematically, of an exponential family the Hessian of ψ in the chart u; of other models integrals of products of
        powers, exponentials and logarithms, after a change of variable that takes location, scale and shape out of the density.

        Raises
        ------
        NoClosedForm
            Where none is found; `compile` has the metric in numbers.
        """
        for route in (self._metric_of_family, self._metric_of_score):
            try:
                found = route()
            except (NoClosedForm, NotExponentialFamily, NotImplementedError):
                continue
            if self._agrees(found):
                return found
        raise NoClosedForm("the Fisher metric has no closed form that is known here; compile() has it in numbers")

    def _metric_of_family(self) -> sp.Matrix:
        form = from_density(self.expanded_log_density, self.observation, self.parameters, self.support)
        return pull_back(form.manifold, form.natural_parameters, self.parameters).metric

    def _metric_of_score(self) -> sp.Matrix:
        entries = {(i, j): self.expectation(self._score[i] * self._score[j])
                   for i, j in combinations_with_replacement(range(self.dim), 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: entries[min(i, j), max(i, j)])

    def _agrees(self, metric: sp.Matrix) -> bool:
        """Whether the closed form has the values of quadrature: algebra on branches of logarithms and powers can go wrong."""
        upper = [metric[i, j] for i, j in combinations_with_replacement(range(self.dim), 2)]
        for point, moments in zip(self._points, self._moments):
            at = dict(zip(self.parameters, map(sp.Float, point)))
            values = [sp.N(defined(e.subs(at))) for e in upper]
            if not all(value.is_number and value.is_real for value in values):
                return False
            expected = moments[1 + self.dim:]
            if np.max(np.abs(np.array(values, float) - expected)) > AGREEMENT * np.max(np.abs(expected)):
                return False
        return True

    def latex(self) -> str:
        """The score s and, where it has a closed form, the metric G as an aligned LaTeX display."""
        rows = [("s", sp.Matrix(self.score))]
        try:
            rows.append(("G", self.metric))
        except NoClosedForm:
            pass
        return r"\begin{aligned}" + r" \\ ".join(rf"{left} &= {sp.latex(right)}" for left, right in rows) + r"\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def compile(self, domain: ConvexDomain, rtol: float = 1e-9) -> CompiledModel:
        """The `Riemannian` manifold on arrays whose points are parameters.

        Parameters
        ----------
        domain : ConvexDomain
            Of the parameters.
        rtol : float
            To which the numeric metric is refined, relative to the lengths of the score; a closed form has no use for it.

        Raises
        ------
        ShapeError, TypeError, DomainError
            For another dimension, something that is no domain, an rtol that is not positive.
        """
        if not isinstance(domain, ConvexDomain):
            raise TypeError(f"domain must be a ConvexDomain such as RealSpace(2) or Orthant(1, 1); got {domain!r}")
        if domain.dim != self.dim:
            raise ShapeError(f"domain must have the dimension of the parameters, {self.dim}; got {domain!r} of dimension "
                             f"{domain.dim}")
        require_positive("rtol", rtol)
        return CompiledModel(self, domain, rtol)
