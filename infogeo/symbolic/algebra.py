"""Algebra on closed forms."""
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import sympy as sp

from ..errors import InfogeoError

__all__ = ["NoClosedForm", "listed", "require_symbols", "shared_powers", "symbols_of", "tidy"]

Found: TypeAlias = tuple[sp.Expr, sp.Expr, dict[sp.Symbol, int]]    # of a product: it, its number, the exponents of its symbols

# Products whose common factors are left to common subexpressions: the search grows with their square, and is made again for
# every factor found. Of 133 products of the cubic tensor of Categorical(8) one search takes 9 ms.
MANY = 120
# Operations of expressions that are left as they are: the cubic tensors of NormalWishart(2) and LogDet(3), of 6800 and 5100,
# become kernels in 0.1 s without it and in 0.5 s with it (`symbolic_manifold(M).compile(M.theta_domain).cubic_tensor(theta)`).
LONG = 2000


class NoClosedForm(InfogeoError):
    """SymPy does not find the closed form that was asked for; the message says which, and what numbers can do instead.

    Examples
    --------
    >>> try:
    ...     ig.symbolic.symbolic_manifold(ig.Gamma()).theta_of_eta
    ... except ig.symbolic.NoClosedForm as error:
    ...     print(str(error).split("; ")[1])
    compile() solves it in numbers
    """


def symbols_of(x: sp.Symbol | Sequence[sp.Symbol]) -> tuple[sp.Symbol, ...]:
    """One symbol or a sequence of them as a tuple."""
    return tuple(x) if isinstance(x, (Sequence, sp.Tuple)) else (x,)


def require_symbols(rule: str, expression: sp.Expr, known: Iterable[sp.Symbol]) -> None:
    """Raises ValueError, with the rule, where an expression has other symbols than the known ones."""
    unknown = sorted(map(str, expression.free_symbols - set(known)))
    if unknown:
        raise ValueError(f"{rule}; {len(unknown)} of its symbols are not: {', '.join(unknown)}")


def listed(xs: Iterable[Any]) -> str:
    """In brackets, with commas."""
    return f"({', '.join(map(str, xs))})"


@lru_cache(maxsize=4096)                        # the tensors of a manifold have the same entries many times
def tidy(expression: sp.Expr) -> sp.Expr:
    """The expression over one denominator without common factors, factored; as it is where that is not a rational function."""
    expression = sp.sympify(expression)
    if expression.is_number and not expression.free_symbols:
        return sp.nsimplify(expression) if expression.is_Rational else sp.simplify(expression)
    if expression.has(sp.Piecewise, sp.Max, sp.Min):
        return expression
    return sp.factor(sp.cancel(sp.together(sp.expand_power_exp(expression))))


def shared_powers(expressions: list[sp.Expr],
                  names: Iterator[sp.Symbol]) -> tuple[list[tuple[sp.Symbol, sp.Expr]], list[sp.Expr]]:
    """Reciprocals and products of symbols that occur in several powers, each as a name of its own.

    Mathematically, with r = κ/x and p = κ' x y, of the numbers κ with which they occur, κ/x + x⁻² y is r + (r/κ)² y. Expressions
    of very many operations are left as they are.

    Returns
    -------
    temporaries : list of (symbol, expression), in order
    expressions : list
    """
    if sum(map(sp.count_ops, expressions)) > LONG:
        return [], expressions
    temporaries: list[tuple[sp.Symbol, sp.Expr]] = []
    while found := _reciprocal(expressions) or _product(expressions):
        old, number, power = found
        name = next(names)
        temporaries.append((name, number * old))
        expressions = [e.replace(_is_product, lambda m: _in_powers(m, name / number, power)) for e in expressions]
    return temporaries, [sp.factor_terms(e) for e in expressions]


def _is_product(e: sp.Expr) -> bool:
    return bool(e.is_Mul or (e.is_Pow and e.base.is_Symbol))


def _exponents(product: sp.Expr) -> dict[sp.Symbol, int]:
    """The whole exponents of the symbols in a product."""
    return {b: int(e) for b, e in product.as_powers_dict().items() if b.is_Symbol and e.is_Integer}


def _in_powers(product: sp.Expr, new: sp.Expr, power: dict[sp.Symbol, int]) -> sp.Expr:
    """The product with the highest power of the one of these exponents that divides it written as that of `new`."""
    exponents = _exponents(product)
    n = min(exponents.get(b, 0) // e for b, e in power.items())
    return product * prod((b ** (-n * e) for b, e in power.items()), start=new**n) if n > 0 else product


def _products(expressions: Sequence[sp.Expr]) -> list[sp.Expr]:
    return sorted(set().union(*(e.atoms(sp.Mul, sp.Pow) for e in expressions)), key=sp.default_sort_key)


def _number(products: list[sp.Expr], old: sp.Expr) -> sp.Expr:
    """The number with which it occurs by itself, else 1."""
    numbers = [m.as_coeff_Mul() for m in products if m.is_Mul]
    return next((number for number, rest in numbers if rest == old), sp.S.One)


def _reciprocal(expressions: Sequence[sp.Expr]) -> Found | None:
    """(1/x, its number, exponents) of a symbol x with several negative powers, or None."""
    products = _products(expressions)
    powers = [m for m in products if m.is_Pow and m.base.is_Symbol and m.exp.is_Integer and m.exp.is_negative]
    for m in powers:
        if sum(other.base == m.base for other in powers) > 1:
            return 1 / m.base, _number(products, 1 / m.base), {m.base: -1}
    return None


def _product(expressions: Sequence[sp.Expr]) -> Found | None:
    """(x y …, its number, exponents) of the product that saves most where it occurs in powers, or None."""
    products = _products(expressions)
    monomials = [e for e in map(_exponents, products) if len(e) > 1 and min(e.values()) > 0]
    if len(monomials) > MANY:
        return None
    most, best = 0, None
    for bases in dict.fromkeys(tuple(e) for e in monomials):
        counts = [min(e.get(b, 0) for b in bases) for e in monomials]
        saved = (sum(counts) - 1) * (len(bases) - 1)
        if max(counts) > 1 and saved > most:
            most, best = saved, bases
    if best is None:
        return None
    old = prod(best, start=sp.S.One)
    return old, _number(products, old), dict.fromkeys(best, 1)
