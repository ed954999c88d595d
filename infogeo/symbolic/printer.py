"""From SymPy expressions to kernels that run on every array library, by a printer of the array API standard."""
from functools import cached_property
from math import exp, log

import numpy as np
import sympy as sp
from sympy.printing.pycode import AbstractPythonCodePrinter

from ..arrays.blocks import ELEMENTS, share
from ..backend import batch_contiguous
from ..numerics.special import polygamma, trigamma_gap
from .algebra import shared_powers
from .functions import LogSumExp, Softmax, SoftmaxRest, defined

__all__ = ["ArrayPrinter", "kernel", "tabulate"]

# SymPy's names and those of the standard or of the special functions of a `Namespace`; one argument each.
_STANDARD = {"exp": "exp", "log": "log", "Abs": "abs", "sign": "sign", "floor": "floor", "ceiling": "ceil",
             "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
             "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
             "loggamma": "gammaln", "erf": "erf", "Expit": "expit"}


class ArrayPrinter(AbstractPythonCodePrinter):
    """Prints an expression in the functions of the array API standard, ``xp``, and those of SciPy's that a `Namespace` has.

    Raises
    ------
    TypeError
        For a function that has no such form, by its name.
    """

    printmethod = "_array_code"
    _default_settings = AbstractPythonCodePrinter._default_settings | {"fully_qualified_modules": False}

    def doprint(self, expr, assign_to=None):
        return self._print(sp.sympify(expr))

    def _print(self, expr, **kwargs):
        if isinstance(expr, sp.Expr) and not expr.free_symbols and not (expr.is_Integer or expr.is_Float):
            return repr(float(sp.N(defined(expr), 20)))
        return super()._print(expr, **kwargs)

    def _print_Integer(self, expr):
        return repr(float(expr))

    def _print_Float(self, expr):
        return repr(float(expr))

    def _print_Symbol(self, expr):
        return expr.name

    def _print_Pow(self, expr, rational=False):
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

    def _print_Mul(self, expr):
        """Factors of negative exponent below one line; a sign in front costs nothing."""
        sign = "-" if expr.could_extract_minus_sign() else ""
        over, under = [], []
        for factor in sp.Mul.make_args(-expr if sign else expr):
            base, exponent = factor.as_base_exp()
            below = not factor.is_number and exponent.is_number and exponent.is_negative
            (under if below else over).append(1 / factor if below else factor)
        numerator = "*".join(self.parenthesize(f, 500) for f in over) or "1.0"
        if not under:
            return f"{sign}{numerator}"
        denominator = "*".join(self.parenthesize(f, 500) for f in under)
        return f"{sign}{numerator}/({denominator})"

    def parenthesize(self, item, level, strict=False):
        text = self._print(item)
        return text if item.is_Symbol or (isinstance(item, sp.Function) and "(" in text) or \
            (item.is_number and item.is_nonnegative) else f"({text})"

    def _print_Function(self, expr):
        name = type(expr).__name__
        if name not in _STANDARD:
            raise TypeError(f"{name} has no form for arrays; those that have: {', '.join(sorted(_STANDARD))}, LogSumExp, "
                            "Log1pExp, MultiGammaLn, polygamma, Max, Min, Piecewise")
        return f"xp.{_STANDARD[name]}({self._print(expr.args[0])})"

    _print_Abs = _print_sign = _print_floor = _print_ceiling = _print_Function

    def _print_log(self, expr):
        """log Γ as such: so SymPy writes it for an integer."""
        of_gamma = isinstance(expr.args[0], sp.gamma)
        return f"xp.gammaln({self._print(expr.args[0].args[0])})" if of_gamma else self._print_Function(expr)

    def _print_gamma(self, expr):
        return self._print(sp.exp(sp.loggamma(expr.args[0])))

    def _print_polygamma(self, expr):
        order, x = expr.args
        if not order.is_Integer:
            raise TypeError(f"polygamma needs a whole number as its order; got {order}")
        return f"xp.digamma({self._print(x)})" if order == 0 else f"_polygamma({int(order)}, {self._print(x)})"

    def _print_TrigammaGap(self, expr):
        a, trigamma = map(self._print, expr.args)
        return f"_trigamma_gap(xp, {a}, {trigamma})"

    def _print_MultiGammaLn(self, expr):
        return self._print(expr.definition())

    _print_AbsPower = _print_MultiGammaLn

    def _print_Log1pExp(self, expr):
        x = self._print(expr.args[0])
        return f"xp.logaddexp({x}, xp.zeros_like({x}))"

    def _print_Max(self, expr):
        return self._pairwise("xp.maximum", expr.args)

    def _print_Min(self, expr):
        return self._pairwise("xp.minimum", expr.args)

    def _pairwise(self, function, xs):
        numbers = [x for x in xs if x.is_number]
        first, *rest = [self._print(x) for x in xs if not x.is_number]
        rest += [f"xp.full_like({first}, {self._print(x)})" for x in numbers]
        for x in rest:
            first = f"{function}({first}, {x})"
        return first

    def _print_Piecewise(self, expr):
        (value, condition), *others = expr.args
        if condition == sp.true:
            return self._print(value)
        rest = self._print(sp.Piecewise(*others)) if others else repr(float("nan"))
        return f"_where(xp, {self._print(condition)}, {self._print(value)}, {rest})"

    def _print_Relational(self, expr):
        return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

    def _print_And(self, expr):
        return "(" + " & ".join(map(self._print, expr.args)) + ")"

    def _print_Or(self, expr):
        return "(" + " | ".join(map(self._print, expr.args)) + ")"


def _power(x, n):
    """x^n for a whole n > 1 by products: a general power costs as much as all the rest."""
    square = x * x
    if n <= 3:
        return square if n == 2 else square * x
    half = _power(square, n // 2)
    return half * x if n % 2 else half


def _where(xp, condition, a, b):
    """`a` where the condition holds, else `b`; one of them may be a number, or both."""
    if isinstance(a, float) and isinstance(b, float):
        a = xp.full(condition.shape, a)
    a, b = (xp.full_like(y, x) if isinstance(x, float) else x for x, y in ((a, b), (b, a)))
    return xp.where(condition, a, b)


class _Softmaxes:
    """log Σ exp x_i, p_i and 1 − p_i of some arrays and numbers, each evaluated when it is asked for.

    Mathematically, with a number c among the arguments L = c + m + log(1 + (Σ e^{x_i−c−m} + e^{−m} − 1)), m = max(x − c, 0):
    log1p keeps the digits of a small L. Where the sum is far from the largest float, m = 0 needs no maximum.
    """

    def __init__(self, xp, *xs):
        numbers = [x for x in xs if isinstance(x, float)]
        array = next(x for x in xs if not isinstance(x, float))
        shift = log(sum(exp(x - max(numbers)) for x in numbers)) + max(numbers) if numbers else 0.0
        shifted = [x if isinstance(x, float) or not shift else x - shift for x in xs]
        top, excess = 0.0, None
        if numbers:
            excess = self._weigh(xp, shifted, None, shift)
            if xp.name != "numpy" or not (excess < 1e13).all():        # a look is free on the host only
                excess = None
        if excess is None:
            arrays = [x for x in shifted if not isinstance(x, float)]
            top = xp.zeros_like(array) if numbers else arrays[0]
            for x in arrays:
                top = xp.maximum(top, x)
            excess = self._weigh(xp, shifted, top, shift) + ((xp.exp(-top) if numbers else 0.0) - 1.0)
        self.xp, self.total, self.log_sum = xp, 1.0 + excess, shift + top + xp.log1p(excess)

    def _weigh(self, xp, xs, top, shift):
        """Σ e^{x_i − top} of the arrays; the numbers among the weights are relative to the same base."""
        weight = (lambda x: exp(x) * (1.0 if top is None else xp.exp(-top))), (lambda x: xp.exp(x if top is None else x - top))
        self.weights = [weight[0](x - shift) if isinstance(x, float) else weight[1](x) for x in xs]
        first, *others = [w for w, x in zip(self.weights, xs) if not isinstance(x, float)]
        return sum(others, start=first)

    @cached_property
    def p(self):
        return [w / self.total for w in self.weights]

    @cached_property
    def rest(self):
        """1 − p_i; where p_i is more than a half, it is the sum of the others, which does not cancel."""
        major = [x > 0.5 for x in self.p]
        minor = sum(self.xp.where(m, 0.0 * x, x) for m, x in zip(major, self.p))
        return [self.xp.where(m, minor, 1.0 - x) for m, x in zip(major, self.p)]


_NAMES = {"_power": _power, "_softmaxes": _Softmaxes, "_polygamma": polygamma, "_where": _where, "_trigamma_gap": trigamma_gap}
_SHARED = {LogSumExp: ".log_sum", Softmax: ".p", SoftmaxRest: ".rest"}


def _softmax_nodes(expressions):
    """The softmax functions of the expressions, by their arguments, the innermost first."""
    groups: dict = {}
    for node in set().union(*(e.atoms(*_SHARED) for e in expressions)):
        xs = node.args if isinstance(node, LogSumExp) else node.args[1:]
        groups.setdefault(xs, []).append(node)
    return sorted(groups.items(), key=lambda item: (sum(x.count_ops() for x in item[0]), str(item)))


def kernel(symbols, expressions):
    """A function (xp, *arrays) of the values of the symbols, which gives the list of the values of the expressions.

    Common subexpressions are evaluated once; an expression that does not depend on the symbols gives a float. The function's
    attribute `source` is its text.

    Raises
    ------
    TypeError
        For a function that has no form for arrays.
    ValueError
        For a symbol that is not among the arguments.
    """
    symbols, expressions = tuple(symbols), [sp.sympify(e) for e in expressions]
    unknown = sorted(map(str, set().union(*(e.free_symbols for e in expressions)) - set(symbols)))
    if unknown:
        raise ValueError(f"the expressions have the unknown symbols {', '.join(unknown)}; the arguments are {symbols}")
    names = [sp.Symbol(f"x{i}", real=True) for i in range(len(symbols))]
    expressions = [e.xreplace(dict(zip(symbols, names))) for e in expressions]
    printer, lines, shared = ArrayPrinter(), [], 0
    while nodes := _softmax_nodes(expressions):
        xs, functions = nodes[0]
        call = f"s{shared}"
        lines.append(f"{call} = _softmaxes(xp, {', '.join(printer.doprint(x) for x in xs)})")
        known = {}
        for f in sorted(functions, key=str):
            place = _SHARED[type(f)] + ("" if isinstance(f, LogSumExp) else f"[{int(f.args[0])}]")
            known[f] = sp.Symbol(f"{call}_{len(known)}", real=True)
            lines.append(f"{known[f].name} = {call}{place}")
        expressions, shared = [e.xreplace(known) for e in expressions], shared + 1
    powers, expressions = shared_powers(expressions, sp.numbered_symbols("p", real=True))
    temporaries, results = sp.cse(expressions, symbols=sp.numbered_symbols("t", real=True), order="none")
    lines += [f"{t.name} = {printer.doprint(e)}" for t, e in powers + temporaries]
    lines.append(f"return [{', '.join(map(printer.doprint, results))}]")
    source = f"def kernel({', '.join(['xp', *(x.name for x in names)])}):\n" + "".join(f"    {line}\n" for line in lines)
    scope = dict(_NAMES)
    exec(compile(source, "<infogeo.symbolic kernel>", "exec"), scope)
    scope["kernel"].source = source
    return scope["kernel"]


def tabulate(function, shape, places, xp, *xs):
    """The values of a kernel at points, shape (..., *shape): the arguments are the coordinates of the points.

    Large NumPy batches go block by block, side by side on the cores that there are.

    Parameters
    ----------
    function : callable (xp, *arrays) -> values
    places : for each value its indices in the last axes, one or several
    xs : points, vectors, shapes (..., n), which broadcast
    """
    batch = np.broadcast_shapes(*(x.shape[:-1] for x in xs))
    out = xp.empty((*batch, *shape), dtype=xp.result_type(*xs))

    def fill(part, *points):
        near = [x if x.shape[-1] < 3 else batch_contiguous(x) for x in points]      # a copy costs as much as reads at a stride
        values = function(xp, *(x[..., i] for x in near for i in range(x.shape[-1])))
        for value, indices in zip(values, places):
            for index in indices:
                part[(..., *index)] = value

    count, width = int(np.prod(batch)), max(x.shape[-1] for x in xs)
    with np.errstate(all="ignore"):                 # outside the domain the formulas give NaN or inf
        if xp.name != "numpy" or count * width <= 2 * ELEMENTS:
            fill(out, *xs)
        else:
            table, rows = out.reshape(-1, *shape), max(256, ELEMENTS // width)
            xs = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in xs]
            share(lambda k: fill(table[k:k + rows], *(x[k:k + rows] for x in xs)), range(0, count, rows))
    return out if batch or shape else out[()]
