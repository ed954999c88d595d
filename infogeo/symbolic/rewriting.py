"""Equal forms of an expression: stable ones, and those in which less cancels."""
from collections.abc import Iterator

import sympy as sp

from .algebra import tidy
from .functions import Log1pExp, LogSumExp, Softmax, SoftmaxRest, TrigammaGap

__all__ = ["alternatives", "complements", "stable"]


def stable(expression: sp.Expr) -> sp.Expr:
    """The expression with log(c + Σ c_i exp(x_i)), all c positive, written as `LogSumExp` or `Log1pExp`.

    Mathematically, log Σ exp(x_i + log c_i), a number being the exponential of its logarithm.
    """
    return expression.replace(lambda e: isinstance(e, sp.log) and e.args[0].is_Add and e.args[0].has(sp.exp), _as_logarithm)


def _as_logarithm(logarithm: sp.Expr) -> sp.Expr:
    exponents = []
    for term in logarithm.args[0].args:
        factor, rest = term.as_independent(sp.exp, as_Add=False)
        if not (factor.is_positive and (rest == 1 or isinstance(rest, sp.exp))):
            return logarithm
        exponents.append(sp.log(factor) + (rest.args[0] if isinstance(rest, sp.exp) else 0))
    if len(exponents) == 2 and 0 in exponents:
        return Log1pExp(exponents[0] + exponents[1])
    return LogSumExp(*exponents)


def complements(expression: sp.Expr) -> sp.Expr:
    """The expression with 1 − p_i of a softmax as such."""
    return expression.replace(SoftmaxRest, lambda i, *xs: 1 - Softmax(i, *xs))


def alternatives(expression: sp.Expr) -> Iterator[sp.Expr]:
    """The expression and equal ones, in which less may cancel: over one denominator, then with one of these identities.

    Mathematically, 1 = Σ p_i for the number in a sum with a softmax; trigamma(a) = 1/a + gap(a) in the numerator; and in a sum of
    reciprocals 1 / trigamma(a) = a − a gap(a) / trigamma(a).
    """
    simple = tidy(complements(expression))
    over, under = sp.fraction(simple)
    yield expression
    yield simple.replace(lambda e: e.is_Add, _shares)
    if over.has(sp.polygamma):
        gapped = over.replace(_is_trigamma, lambda t: 1 / t.args[1] + TrigammaGap(t.args[1], t))
        yield sp.factor_terms(sp.expand(gapped)) / under
    if expression.is_Add:
        yield _reciprocals(expression)


def _is_trigamma(e: sp.Expr) -> bool:
    return isinstance(e, sp.polygamma) and e.args[0] == 1


def _shares(total: sp.Expr) -> sp.Expr:
    """a + Σ a_i p_i as Σ (a + a_i) p_i, over all i."""
    number, rest = total.as_coeff_Add()
    arguments = [term.args[1:] for term in rest.as_coefficients_dict() if isinstance(term, Softmax)]
    if number == 0 or not arguments:
        return total
    return rest + sp.Add(*(number * Softmax(i, *arguments[0]) for i in range(len(arguments[0]))))


def _reciprocals(total: sp.Expr) -> sp.Expr:
    """c / trigamma(a) + … as c a + … − c a gap(a) / trigamma(a) − …, the first terms expanded."""
    linear, rest = [], []
    for term in total.args:
        c, reciprocal = term.as_independent(sp.polygamma, as_Add=False)
        trigamma = 1 / reciprocal
        if _is_trigamma(trigamma):
            a = trigamma.args[1]
            linear.append(c * a)
            rest.append(-c * a * TrigammaGap(a, trigamma) / trigamma)
        else:
            rest.append(term)
    return sp.expand(sp.Add(*linear)) + sp.Add(*rest)
