"""One equation in one unknown for every row of a batch, by Newton's method; rows do not know of each other.

SciPy has no counterpart: `scipy.optimize.newton` of arrays goes on until all rows are done, so that the bits of a row depend on
the others, and `scipy.optimize.elementwise.find_root` takes brackets, and goes by values alone.
"""
from collections.abc import Callable
from functools import partial
from math import inf, sqrt

from ..arrays.tracing import Native, Partial, is_differentiated, is_traced, repeat, ruled, selects
from ..backend import NUMPY, Array, Namespace
from ..errors import require_converged

__all__ = ["approach", "root", "root_between"]

MANY = 1000     # elements: a step of fewer costs little more than its calls


def root(xp: Namespace, x: Array, newton: Callable[..., tuple[Array, Array]], name: str, *given: Array,
         max_steps: int = 60) -> Array:
    """The roots of equations, elementwise, each to the rounding of its own residual.

    NaN, which is no failure, where the start or what an equation knows is not finite: a root at an end of its range is 0 or
    infinite, and no step there is a number.

    Parameters
    ----------
    x : array, shape (...)
        The start.
    newton : callable (x, *given)
        ``(x⁺, error)``: where Newton's method goes from x, and the error of x, relative to its size or to what rounding of the
        equation lets it have, of a shape that broadcasts to that of x: elements that share an error stop together. An error of
        √ε / 10 is squared by the step from there, which is the last.
    name : str
        What is solved for, in the words of the error.
    given : arrays
        What the equation of an element knows, beside what all know: with it, elements that are done are left out of the steps of
        the others. Where elements share an error, nothing is given, and the equations know their arrays by themselves.

    Raises
    ------
    ConvergenceError
        With the errors and the last points, if a row has not got there after `max_steps`; a traced one is NaN then.
    """
    if xp is not NUMPY and given and is_differentiated(xp, x, *given):
        return ruled(xp, partial(_root, xp, newton, name, max_steps), partial(_of_equation, newton), x, *given)
    return _root(xp, newton, name, max_steps, x, *given)


def _of_equation(newton: Callable[..., tuple[Array, Array]], found: Array, x: Array, *given: Array) -> list[Partial]:
    """What the implicit function theorem says, which is a step of Newton's method from the root; the start has no part in it."""
    def moved(i: int) -> Native:
        return Native(lambda g: newton(found, *given[:i], g, *given[i + 1:])[0], given[i])

    return [Partial(), *(moved(i) for i in range(len(given)))]


def _root(xp: Namespace, newton: Callable[..., tuple[Array, Array]], name: str, max_steps: int, x: Array, *given: Array) -> Array:
    found, error, running = approach(xp, x, newton, _settled(xp, x), max_steps, *given)
    return _found(xp, name, found, error, running, x + sum(0.0 * g for g in given))


def _settled(xp: Namespace, x: Array) -> float:
    eps: float = float(xp.finfo(x.dtype).eps)
    return 0.1 * sqrt(eps)


def _found(xp: Namespace, name: str, found: Array, error: Array, running: Array, known: Array) -> Array:
    """The roots, NaN where what is `known` is not finite."""
    if is_traced(xp, found):
        return xp.where(running, xp.full_like(found, xp.nan), found)
    if xp.any(running):
        nowhere = ~xp.isfinite(known)
        found, running = xp.where(nowhere, xp.nan, found), running & ~nowhere
    require_converged(f"{name}: Newton's method ended short of its accuracy", ~running,
                      xp.broadcast_to(error, found.shape), found)
    return found


def root_between(xp: Namespace, low: Array, high: Array, equation: Callable[[Array], tuple[Array, Array, Array]],
                 name: str) -> Array:
    """The roots of increasing functions between two places, elementwise, by Newton's method; else as `root`, without derivatives.

    Parameters
    ----------
    equation : callable (x)
        ``(gap, ahead, other)``: the value at x, where Newton's method goes from there, and where that of another form of the
        equation goes. The latter where the first leads out of what is known to hold the root; the middle where both do, or where
        they have not halved that.
    """
    def step(x: Array, error: Array, running: Array, low: Array, high: Array, before: Array) -> tuple[Array, ...]:
        gap, ahead, other = equation(x)
        low, high = xp.where(gap < 0, x, low), xp.where(gap > 0, x, high)
        halved = high - low <= 0.5 * before
        ahead = xp.where((ahead >= low) & (ahead <= high) | ~halved, ahead, other)
        rounding = 4.0 * float(xp.finfo(x.dtype).eps) * xp.abs(x)
        closed = (high - low <= rounding) | (xp.abs(ahead - x) <= rounding)
        ahead = xp.where((ahead >= low) & (ahead <= high), ahead, 0.5 * (low + high))
        error = xp.where(closed, xp.zeros_like(gap), gap)
        ahead = xp.where(running & ~closed, ahead, x)
        return ahead, error, running & ~(xp.abs(error) <= _settled(xp, x)), low, high, high - low

    start = 0.5 * (low + high)
    state = (start, start, xp.isfinite(start), low, high, xp.full_like(high, inf))
    found, error, running, *_ = repeat(xp, lambda x, error, running, *_: xp.any(running), step, state, 200)
    return _found(xp, name, found, error, running, start)


def approach(xp: Namespace, x: Array, newton: Callable[..., tuple[Array, Array]], settled: float, max_steps: int,
             *given: Array) -> tuple[Array, Array, Array]:
    """``(x, error, running)``: as `root`, until the error is `settled`, and which are still on their way after `max_steps`.

    An element stops after the step from its own first settled point and stays there while others go on, among the others or
    without them. So its bits do not depend on its batch: NumPy's loops give an element the same bits wherever it stands (0 of
    4001 differed alone, in another place, strided or as a column, for 20 functions on AVX-512). Only negative strides take other
    loops, and other bits.
    """
    error, running = x, xp.isfinite(x)
    if xp is not NUMPY and selects(xp, x, *given):
        def step(x: Array, error: Array, running: Array) -> tuple[Array, ...]:
            ahead, error = newton(x, *given)
            return xp.where(running, ahead, x), error, running & ~(xp.abs(error) <= settled)

        return repeat(xp, lambda x, error, running: xp.any(running), step, (x, error, running), max_steps)
    for k in range(max_steps):
        if not xp.any(running):
            break
        if k and given and xp.name == "numpy" and x.size > MANY and 2 * running.sum() < x.size:
            rest, error = running.copy(), error.copy()      # at the least half are done: the others go on without them
            alone = (xp.broadcast_to(g, x.shape)[rest] for g in given)
            x[rest], error[rest], running[rest] = approach(xp, x[rest], newton, settled, max_steps - k, *alone)
            break
        ahead, error = newton(x, *given)
        x = xp.where(running, ahead, x)
        running = running & ~(xp.abs(error) <= settled)
    return x, error, running
