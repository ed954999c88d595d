"""From SymPy expressions to functions of arrays."""
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import sympy as sp

from ..backend import Array, Namespace
from ..numerics.gamma_functions import polygamma, trigamma_gap
from .algebra import shared_powers
from .functions import LogSumExp, Softmax, SoftmaxRest
from .printer import ArrayPrinter
from .softmaxes import Softmaxes

__all__ = ["Kernel", "kernel"]

Kernel: TypeAlias = Callable[..., list[Any]]        # (xp, *arrays) -> arrays, and floats where nothing depends on the arrays


def _power(x: Array, n: int) -> Array:
    """x^n for a whole n > 1 by products: x**3.0 of 16384 float64 takes 64 µs, x * x * x 4 and exp(x) 9 (timeit, one thread)."""
    square = x * x
    if n <= 3:
        return square if n == 2 else square * x
    half = _power(square, n // 2)
    return half * x if n % 2 else half


def _where(xp: Namespace, condition: Array, a: Any, b: Any) -> Array:
    """`a` where the condition holds, else `b`; one of them may be a number, or both."""
    if isinstance(a, float) and isinstance(b, float):
        a = xp.full(condition.shape, a)
    a, b = (xp.full_like(y, x) if isinstance(x, float) else x for x, y in ((a, b), (b, a)))
    return xp.where(condition, a, b)


_NAMES = {"_power": _power, "_softmaxes": Softmaxes, "_polygamma": polygamma, "_where": _where, "_trigamma_gap": trigamma_gap}


_SHARED = {LogSumExp: ".log_sum", Softmax: ".p", SoftmaxRest: ".rest"}


def _softmax_nodes(expressions: Sequence[sp.Expr]) -> list[tuple[tuple[sp.Expr, ...], list[sp.Expr]]]:
    """The softmax functions of the expressions, by their arguments, the innermost first."""
    groups: dict[tuple[sp.Expr, ...], list[sp.Expr]] = {}
    for node in set().union(*(e.atoms(*_SHARED) for e in expressions)):
        xs = node.args if isinstance(node, LogSumExp) else node.args[1:]
        groups.setdefault(xs, []).append(node)
    return sorted(groups.items(), key=lambda item: (sum(x.count_ops() for x in item[0]), str(item)))


def kernel(symbols: Iterable[sp.Symbol], expressions: Iterable[sp.Expr]) -> Kernel:
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
        known: dict[sp.Expr, sp.Symbol] = {}
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
    scope: dict[str, Any] = dict(_NAMES)
    exec(compile(source, "<infogeo.symbolic kernel>", "exec"), scope)
    made: Kernel = scope["kernel"]
    made.source = source                        # type: ignore[attr-defined]
    return made
