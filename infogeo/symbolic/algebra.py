"""Algebra on closed forms."""
from functools import lru_cache

import sympy as sp

from ..errors import InfogeoError

__all__ = ["NoClosedForm", "tidy"]


class NoClosedForm(InfogeoError):
    """SymPy does not find the closed form that was asked for; the message says which, and what numbers can do instead."""


@lru_cache(maxsize=4096)
def tidy(expression):
    """The expression over one denominator without common factors, factored; as it is where that is not a rational function."""
    expression = sp.sympify(expression)
    if expression.is_number and not expression.free_symbols:
        return sp.nsimplify(expression) if expression.is_Rational else sp.simplify(expression)
    if expression.has(sp.Piecewise, sp.Max, sp.Min):
        return expression
    return sp.factor(sp.cancel(sp.together(sp.expand_power_exp(expression))))
