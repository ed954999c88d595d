"""The equations ∇ψ(θ) = η solved for θ in symbols."""
from collections.abc import Iterator, Sequence

import sympy as sp

from .algebra import NoClosedForm, tidy
from .convexity import DIGITS, Point
from .functions import defined

__all__ = ["solved"]

MANY = 3            # unknowns, beyond which Gröbner bases of more than quadratic equations do not end


def solved(gradient: sp.Matrix, theta: Sequence[sp.Symbol], eta: Sequence[sp.Symbol], points: Sequence[Point]) -> sp.Matrix:
    """θ as expressions in the symbols η, a column: of the roots the one that gives θ back at the points.

    Raises
    ------
    NoClosedForm
        Where SymPy does not solve the equations.
    """
    for candidate in _roots([tidy(defined(e)) for e in gradient], theta, eta):
        if all(_is_inverse(candidate, gradient, theta, eta, point) for point in points):
            return sp.Matrix(candidate)
    raise NoClosedForm("SymPy does not solve grad psi(theta) = eta; compile() solves it in numbers")


def _roots(equations: list[sp.Expr], theta: Sequence[sp.Symbol], eta: Sequence[sp.Symbol]) -> Iterator[list[sp.Expr]]:
    """The solutions in θ, or in w = exp(θ) where θ occurs as that alone: then the equations are polynomials."""
    functions = set().union(*(e.atoms(sp.Function) for e in equations))
    transcendental = sorted({type(f).__name__ for f in functions if not isinstance(f, sp.exp | sp.log)})
    if transcendental:
        raise NoClosedForm("grad psi(theta) = eta has no closed solution that is known here: it has "
                           f"{', '.join(transcendental)} of theta; compile() solves it in numbers")
    weights = {t: sp.Dummy(f"w_{t.name}", positive=True) for t in theta}
    exponential = all(t not in e.xreplace({sp.exp(t): w}).free_symbols for e in equations for t, w in weights.items())
    unknowns = tuple(weights.values()) if exponential else tuple(theta)
    if exponential:
        equations = [e.xreplace({sp.exp(t): w for t, w in weights.items()}) for e in equations]
    equations = [sp.numer(sp.together(e - y)) for e, y in zip(equations, eta)]
    if len(unknowns) > MANY and any(_degree(e, unknowns) > 2 for e in equations):
        raise NoClosedForm("grad psi(theta) = eta is not solved in more than three unknowns where it is of more than second "
                           "degree; compile() solves it in numbers")
    try:
        roots = sp.solve(equations, unknowns, dict=True)
    except NotImplementedError:
        return
    for root in roots:
        if set(root) == set(unknowns):
            found = [tidy(root[x]) for x in unknowns]
            yield [sp.log(x) for x in found] if exponential else found


def _is_inverse(candidate: Sequence[sp.Expr], gradient: sp.Matrix, theta: Sequence[sp.Symbol], eta: Sequence[sp.Symbol],
                point: Point) -> bool:
    """Whether the candidate gives the point back from its η."""
    at = dict(zip(theta, point))
    there = [defined(e).xreplace(at).evalf(DIGITS) for e in gradient]
    back = [c.xreplace(dict(zip(eta, there))).evalf(DIGITS) for c in candidate]
    # another root differs in its first digits; 1e-12 leaves room for what cancels of the 30
    return all(b.is_number and abs(sp.N(b - t)) < 1e-12 * (1 + abs(t)) for b, t in zip(back, point))


def _degree(expression: sp.Expr, unknowns: Sequence[sp.Symbol]) -> int:
    """The total degree of a polynomial, 0 for what is none."""
    return sp.Poly(expression, *unknowns).total_degree() if expression.is_polynomial(*unknowns) else 0
