"""Averages along a run, as callbacks."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backend import Array, column
from ..errors import require_count
from .moment import Moment

__all__ = ["Average"]


class Average:
    """The weighted mean of a run's points, Σ w_k x_k / Σ w_k over the steps k = first, first + 1, ….

    Parameters
    ----------
    weight : function (Moment) -> number or array of shape (...), optional
        w_k, of the moment after step k = 1, 2, …; 1 where none is given. ``lambda moment: moment.h`` makes the ergodic average.
    point : function (Moment) -> array, shape (..., d), optional
        What is averaged; the points x_k where none is given. The points ahead, for which mirror-prox has its bound, are
        ``lambda moment: moment.state.y``.
    first : int
        The first step that counts: a suffix average leaves out what came before.

    Attributes
    ----------
    x : array, shape (..., d)
        The average; None before step `first`.

    Examples
    --------
    >>> import infogeo as ig
    >>> average = ig.Average(weight=lambda moment: moment.k)
    >>> f = lambda x: (x[0]**2 / 2, [x[0]])
    >>> run = ig.descend(f, [4.0], update=ig.GradientUpdate(), step=0.5, max_steps=3, callbacks=[average])
    >>> run.path[1:, 0], average.x          # (1 * 2 + 2 * 1 + 3 * 0.5) / 6
    (array([2. , 1. , 0.5]), array([0.91666667]))
    """

    def __init__(self, weight: Callable[[Moment], Any] | None = None, point: Callable[[Moment], Array] | None = None,
                 first: int = 1) -> None:
        for name, f in (("weight", weight), ("point", point)):
            if f is not None and (isinstance(f, type) or not callable(f)):
                raise TypeError(f"{name} must be a function of a Moment; got {f!r}")
        self.weight, self.point, self.first = weight, point, require_count("first", first)
        self.state: Any = None

    @property
    def x(self) -> Array:
        return None if self.state is None else self.state[0]

    def __call__(self, moment: Moment) -> None:
        if moment.k < self.first:
            return
        w = 1.0 if self.weight is None else self.weight(moment)
        x = moment.x if self.point is None else self.point(moment)
        if self.state is None:
            self.state = x, w
        else:
            mean, total = self.state
            total = total + w
            self.state = mean + column(w / total) * (x - mean), total
