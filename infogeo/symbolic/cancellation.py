"""How much cancels in an expression, by its numbers at points of the domain."""
from collections.abc import Iterable, Sequence

import mpmath
import sympy as sp

from .convexity import DIGITS, Point
from .functions import defined
from .potential import SymbolicPotential
from .rewriting import alternatives

__all__ = ["Cancellation"]

LONG = 300          # operations of an expression that algebra takes seconds to simplify


class Cancellation:
    """What cancels in expressions of the coordinates of a potential, at points of its domain.

    Mathematically, Σ|x_i| / |Σ x_i| of a sum; those sums of which the metric consists are given and do not count.
    """

    def __init__(self, psi: SymbolicPotential, points: Sequence[Point]) -> None:
        self.theta, self.points = psi.theta, points
        self.given = psi.metric.atoms(sp.Add)

    def values(self, expressions: Iterable[sp.Expr]) -> list[list[mpmath.mpf]]:
        """The values in many digits: a list for each point."""
        with mpmath.workdps(DIGITS):
            function = sp.lambdify(self.theta, [defined(e) for e in expressions], modules="mpmath", cse=True)
            return [function(*(mpmath.mpf(int(x.p)) / int(x.q) for x in point)) for point in self.points]

    def __call__(self, expression: sp.Expr) -> float:
        """The largest of the sums in an expression."""
        sums = list(expression.atoms(sp.Add) - self.given)
        worst = mpmath.mpf(1)
        for values in self.values([term for s in sums for term in s.args]):
            rest = iter(values)
            for s in sums:
                xs = [next(rest) for _ in s.args]
                size, total = sum(map(abs, xs)), abs(sum(xs))
                worst = max(worst, size / total if total else mpmath.inf)
        return float(worst)

    def clearest(self, expression: sp.Expr) -> sp.Expr:
        """Of the expression and its alternatives the shortest of those in which the least cancels."""
        if sp.count_ops(expression) > LONG:
            return expression
        return min(alternatives(expression), key=lambda form: (round(self(form), 2), sp.count_ops(form)))
