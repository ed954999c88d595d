"""From the log-density of a model to its exponential family: natural parameters, statistics, base measure, log-partition."""
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from ..errors import DomainError, InfogeoError
from .algebra import NoClosedForm, require_symbols, symbols_of, tidy
from .manifold import SymbolicManifold

__all__ = ["ExponentialForm", "NotExponentialFamily", "from_density"]


class NotExponentialFamily(InfogeoError):
    """The log-density is no finite sum of products of a function of the parameters and one of the observation.

    Examples
    --------
    >>> import sympy as sp
    >>> x, m = sp.symbols("x mu", real=True)
    >>> try:
    ...     ig.symbolic.from_density(-sp.log(sp.pi * (1 + (x - m)**2)), x, m)
    ... except ig.symbolic.NotExponentialFamily as error:
    ...     print(str(error).split("; ")[1])
    ParametricModel has its Fisher metric
    """


@dataclass(frozen=True)
class ExponentialForm:
    """log p = θ(u)·T(x) − ψ(θ) + log h(x), with u the ordinary parameters.

    Attributes
    ----------
    manifold : SymbolicManifold
        ψ in the symbols θ.
    natural_parameters : tuple
        θ as expressions in the ordinary parameters.
    sufficient_statistic : tuple
        T as expressions in x.
    log_base_measure : expression in x
    support : set
        Of x, as it was given.

    Examples
    --------
    >>> import sympy as sp
    >>> x, b = sp.symbols("x beta", positive=True)
    >>> form = ig.symbolic.from_density(sp.log(b) - b * x, x, b)  # exponential
    >>> form.natural_parameters, form.sufficient_statistic
    ((-beta,), (x,))
    >>> form.manifold.potential
    -log(-theta)
    """

    manifold: SymbolicManifold
    natural_parameters: tuple[sp.Expr, ...]
    sufficient_statistic: tuple[sp.Expr, ...]
    log_base_measure: sp.Expr
    support: sp.Set | None = None


def from_density(log_density: sp.Expr, x: sp.Symbol, parameters: sp.Symbol | Sequence[sp.Symbol],
                 support: sp.Set | None = None) -> ExponentialForm:
    """The exponential family whose log-density this is, with statistics as they come: T has no constant factors.

    Mathematically, log p expanded into Σ c_j(u) T_j(x), the T_j different functions of x, is θ·T − ψ + log h with θ = c where the
    map u ↦ θ can be inverted.

    Parameters
    ----------
    log_density : expression
    x : symbol
    parameters : symbol or sequence of symbols
        Their assumptions (positive, real) count: log(a b) splits only if a and b are positive.
    support : SymPy set, optional
        Of x; the form keeps it.

    Raises
    ------
    NotExponentialFamily
        With the term that does not separate. `ParametricModel` has the Fisher metric of such a model.
    NoClosedForm
        If there are more statistics than parameters, which is a curved family, or SymPy does not invert u ↦ θ.

    Examples
    --------
    >>> import sympy as sp
    >>> n, m = sp.symbols("n mu", positive=True)
    >>> log_density = n * sp.log(m) - m - sp.loggamma(n + 1)  # Poisson
    >>> form = ig.symbolic.from_density(log_density, n, m)
    >>> form.natural_parameters, form.log_base_measure
    ((log(mu),), -loggamma(n + 1))
    """
    parameters = symbols_of(parameters)
    require_symbols(f"log_density must be an expression in {x} and {parameters}", sp.sympify(log_density), {x, *parameters})
    coefficients: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(sp.expand_log(sp.expand(log_density)))):
        coefficient, statistic = term.as_independent(x, as_Add=False)
        if statistic.has(*parameters):
            raise NotExponentialFamily(f"log_density is not that of an exponential family: its term {term} does not separate "
                                       f"into a function of {x} and one of {parameters}; ParametricModel has its Fisher metric")
        coefficients[statistic] = coefficients.get(statistic, 0) + coefficient
    split = {t: c.as_independent(*parameters, as_Add=True) for t, c in coefficients.items() if t != 1}
    log_h = sp.Add(*(constant * t for t, (constant, _) in split.items()))
    natural = {t: c for t, (_, c) in sorted(split.items(), key=lambda item: sp.default_sort_key(item[0])) if c != 0}
    if len(natural) > len(parameters):
        raise NoClosedForm(f"{len(natural)} statistics {tuple(natural)} for {len(parameters)} parameters: a curved family; pull "
                           "back the larger one")
    count = len(natural)
    theta = (sp.Symbol("theta", real=True),) if count == 1 else sp.symbols(f"theta_1:{count + 1}", real=True)
    roots = sp.solve([c - t for c, t in zip(natural.values(), theta)], parameters, dict=True)
    for root in roots:
        psi = -coefficients.get(sp.S.One, sp.S.Zero).subs(root, simultaneous=True)
        if not psi.has(*parameters):
            try:
                manifold = SymbolicManifold(theta, _over_one_denominator(psi))
            except DomainError:                 # a root of the wrong sign, whose ψ is not real
                continue
            return ExponentialForm(manifold, tuple(natural.values()), tuple(natural), log_h, support)
    raise NoClosedForm(f"SymPy does not invert the map of {parameters} to the natural parameters {tuple(natural.values())}, "
                       "to a real potential")


def _over_one_denominator(psi: sp.Expr) -> sp.Expr:
    """The arguments of the logarithms over one denominator."""
    return psi.replace(sp.log, lambda x: sp.log(tidy(x)))
