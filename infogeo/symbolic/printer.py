"""A printer of SymPy expressions in the functions of the array API standard."""
from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.printing.pycode import AbstractPythonCodePrinter

from .functions import defined

__all__ = ["ArrayPrinter"]

# SymPy's names and those of the standard or of the special functions of a `Namespace`; one argument each.
_STANDARD = {"exp": "exp", "log": "log", "Abs": "abs", "sign": "sign", "floor": "floor", "ceiling": "ceil",
             "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
             "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
             "loggamma": "gammaln", "erf": "erf", "Expit": "expit"}


class ArrayPrinter(AbstractPythonCodePrinter):          # type: ignore[misc]
    """Prints an expression in the functions of the array API standard, ``xp``, and those of SciPy's that a `Namespace` has.

    Raises
    ------
    TypeError
        For a function that has no such form, by its name.
    """

    printmethod = "_array_code"
    _default_settings = AbstractPythonCodePrinter._default_settings | {"fully_qualified_modules": False}

    def doprint(self, expr: sp.Expr, assign_to: Any = None) -> str:
        return self._print(sp.sympify(expr))

    def _print(self, expr: sp.Expr, **kwargs: Any) -> str:
        if isinstance(expr, sp.Expr) and not expr.free_symbols and not (expr.is_Integer or expr.is_Float):
            return repr(float(sp.N(defined(expr), 20)))
        return str(super()._print(expr, **kwargs))

    def _print_Integer(self, expr: sp.Expr) -> str:
        return repr(float(expr))

    def _print_Float(self, expr: sp.Expr) -> str:
        return repr(float(expr))

    def _print_Symbol(self, expr: sp.Expr) -> str:
        return str(expr.name)

    def _print_Pow(self, expr: sp.Expr, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        x = self.parenthesize(base, 1000)
        if exponent.is_Integer:
            power = x if abs(exponent) == 1 else f"_power({self._print(base)}, {abs(int(exponent))})"
            return power if exponent > 0 else f"(1.0/{power})"
        if exponent == sp.S.Half:
            return f"xp.sqrt({self._print(base)})"
        if exponent == -sp.S.Half:
            return f"(1.0/xp.sqrt({self._print(base)}))"
        return f"{x}**{self.parenthesize(exponent, 1000)}"

    def _print_Mul(self, expr: sp.Expr) -> str:
        """Factors of negative exponent below one line; a sign in front costs nothing."""
        sign = "-" if expr.could_extract_minus_sign() else ""
        over: list[sp.Expr] = []
        under: list[sp.Expr] = []
        for factor in sp.Mul.make_args(-expr if sign else expr):
            base, exponent = factor.as_base_exp()
            below = not factor.is_number and exponent.is_number and exponent.is_negative
            (under if below else over).append(1 / factor if below else factor)
        numerator = "*".join(self.parenthesize(f, 500) for f in over) or "1.0"
        if not under:
            return f"{sign}{numerator}"
        denominator = "*".join(self.parenthesize(f, 500) for f in under)
        return f"{sign}{numerator}/({denominator})"

    def parenthesize(self, item: sp.Expr, level: int, strict: bool = False) -> str:
        text = self._print(item)
        return text if item.is_Symbol or (isinstance(item, sp.Function) and "(" in text) or \
            (item.is_number and item.is_nonnegative) else f"({text})"

    def _print_Function(self, expr: sp.Expr) -> str:
        name = type(expr).__name__
        if name not in _STANDARD:
            raise TypeError(f"{name} has no form for arrays; those that have: {', '.join(sorted(_STANDARD))}, LogSumExp, "
                            "Log1pExp, MultiGammaLn, polygamma, Max, Min, Piecewise")
        return f"xp.{_STANDARD[name]}({self._print(expr.args[0])})"

    _print_Abs = _print_sign = _print_floor = _print_ceiling = _print_Function

    def _print_log(self, expr: sp.Expr) -> str:
        """log Γ as such: so SymPy writes it for an integer."""
        of_gamma = isinstance(expr.args[0], sp.gamma)
        return f"xp.gammaln({self._print(expr.args[0].args[0])})" if of_gamma else self._print_Function(expr)

    def _print_gamma(self, expr: sp.Expr) -> str:
        return self._print(sp.exp(sp.loggamma(expr.args[0])))

    def _print_polygamma(self, expr: sp.Expr) -> str:
        order, x = expr.args
        if not order.is_Integer:
            raise TypeError(f"polygamma needs a whole number as its order; got {order}")
        return f"xp.digamma({self._print(x)})" if order == 0 else f"_polygamma({int(order)}, {self._print(x)})"

    def _print_TrigammaGap(self, expr: sp.Expr) -> str:
        a, trigamma = map(self._print, expr.args)
        return f"_trigamma_gap(xp, {a}, {trigamma})"

    def _print_MultiGammaLn(self, expr: sp.Expr) -> str:
        return self._print(expr.definition())

    _print_AbsPower = _print_MultiGammaLn

    def _print_Log1pExp(self, expr: sp.Expr) -> str:
        x = self._print(expr.args[0])
        return f"xp.logaddexp({x}, xp.zeros_like({x}))"

    def _print_Max(self, expr: sp.Expr) -> str:
        return self._pairwise("xp.maximum", expr.args)

    def _print_Min(self, expr: sp.Expr) -> str:
        return self._pairwise("xp.minimum", expr.args)

    def _pairwise(self, function: str, xs: Sequence[sp.Expr]) -> str:
        numbers = [x for x in xs if x.is_number]
        first, *rest = [self._print(x) for x in xs if not x.is_number]
        rest += [f"xp.full_like({first}, {self._print(x)})" for x in numbers]
        for x in rest:
            first = f"{function}({first}, {x})"
        return first

    def _print_Piecewise(self, expr: sp.Expr) -> str:
        (value, condition), *others = expr.args
        if condition == sp.true:
            return self._print(value)
        rest = self._print(sp.Piecewise(*others)) if others else repr(float("nan"))
        return f"_where(xp, {self._print(condition)}, {self._print(value)}, {rest})"

    def _print_Relational(self, expr: sp.Expr) -> str:
        return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

    def _print_And(self, expr: sp.Expr) -> str:
        return "(" + " & ".join(map(self._print, expr.args)) + ")"

    def _print_Or(self, expr: sp.Expr) -> str:
        return "(" + " | ".join(map(self._print, expr.args)) + ")"
