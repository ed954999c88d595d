"""One equation in one unknown for every row of a batch, by Newton's method; rows do not know of each other."""
from collections.abc import Callable

from ..backend import Array, Namespace
from ..errors import require_converged

__all__ = ["approach", "root"]


def root(xp: Namespace, x: Array, newton: Callable[[Array], tuple[Array, Array]], name: str, max_steps: int = 60) -> Array:
    """The roots of equations, elementwise, each to the rounding of its own residual; NaN where the start is.

    Parameters
    ----------
    x : array, shape (...)
        The start.
    newton : callable of x
        ``(x⁺, error)``: where Newton's method goes from x, and the error of x, relative to its size or to what rounding of the
        equation lets it have, of a shape that broadcasts to that of x: elements that share an error stop together. An error of
        √ε / 10 is squared by the step from there, which is the last.
    name : str
        What is solved for, in the words of the error.

    Raises
    ------
    ConvergenceError
        With the errors and the last points, if a row has not got there after `max_steps`.
    """
    found, error, running = approach(xp, x, newton, 0.1 * float(xp.finfo(x.dtype).eps) ** 0.5, max_steps)
    require_converged(f"{name}: Newton's method ended short of its accuracy", ~running,
                      xp.broadcast_to(error, found.shape), found)
    return found


def approach(xp: Namespace, x: Array, newton: Callable[[Array], tuple[Array, Array]], settled: float,
             max_steps: int) -> tuple[Array, Array, Array]:
    """``(x, error, running)``: as `root`, until the error is `settled`, and which are still on their way after `max_steps`.

    An element stops after the step from its own first settled point and stays there while others go on. So its bits do not
    depend on its batch: NumPy's loops give an element the same bits wherever it stands (0 of 4001 differed alone, in another
    place, strided or as a column, for 20 functions), but for negative strides, which are therefore not handed to them.
    """
    error, running = x, xp.isfinite(x)
    for _ in range(max_steps):
        if not xp.any(running):
            break
        ahead, error = newton(x)
        x = xp.where(running, ahead, x)
        running = running & ~(xp.abs(error) <= settled)
    return x, error, running
