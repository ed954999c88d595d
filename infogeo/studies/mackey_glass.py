"""A chaotic series to predict: the delay equation of Mackey and Glass."""
import numpy as np

from ..errors import require, require_positive

__all__ = ["mackey_glass"]


def mackey_glass(duration: float = 1500.0, h: float = 0.1, delay: float = 17.0, start: float = 1.2) -> np.ndarray:
    """x at the times 0, h, 2h, … up to `duration`, shape (⌊duration / h⌋ + 1,), for x = `start` up to the time 0.

    Mathematically, ẋ(t) = .2 x(t − τ) / (1 + x(t − τ)¹⁰) − .1 x(t), by the Runge–Kutta method of order 4. The delayed value at
    half a step is that of the cubic with the values and slopes at its ends; the slope at 0 is 0 from the left and that of the
    equation from the right. The error falls with h⁴: with h = .1 x(50) = 1.060954363 has all these digits.

    Parameters
    ----------
    duration : float
    h : float
        A part of `delay`, a whole number of times.
    delay : float
        τ. At 17 the series is chaotic.
    start : float

    Raises
    ------
    DomainError

    Examples
    --------
    >>> import infogeo as ig
    >>> x = ig.studies.mackey_glass(50.0)
    >>> x.shape, round(float(x[-1]), 9)
    ((501,), 1.060954363)

    Source: Mackey & Glass, Oscillation and chaos in physiological control systems (1977).
    """
    for name, value in (("duration", duration), ("h", h), ("delay", delay), ("start", start)):
        require_positive(name, value)
    m, steps = round(delay / h), int(duration / h * (1.0 + 1e-12))
    require("h", f"delay / h a whole number; delay = {delay}", m > 0 and abs(m * h - delay) < 1e-9 * delay, h)
    # values and slopes from the time −delay on; x before 0 stands still
    x, slopes = [start] * (m + 1), [0.0] * m
    for n in range(steps):
        now, late, next_late = x[-1], x[n], x[n + 1]
        slopes.append(_slope(now, late))
        middle = 0.5 * (late + next_late) + 0.125 * h * (slopes[n] - (0.0 if n + 1 == m else slopes[n + 1]))
        second = _slope(now + 0.5 * h * slopes[-1], middle)
        third = _slope(now + 0.5 * h * second, middle)
        x.append(now + h / 6.0 * (slopes[-1] + 2.0 * second + 2.0 * third + _slope(now + h * third, next_late)))
    return np.array(x[m:])


def _slope(x: float, late: float) -> float:
    return 0.2 * late / (1.0 + late**10) - 0.1 * x
