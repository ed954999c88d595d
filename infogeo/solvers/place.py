"""Where a run stands: what step rules see."""
from typing import Any

import numpy as np

from ..backend import Array, backend_of

__all__ = ["Place"]


class Place:
    """Where a run stands at one step, as its step rule sees it.

    Attributes
    ----------
    k : int
        Steps taken.
    x : array, shape (..., d)
    value, covector : arrays, shapes (...) and (..., d)
        Of the objective of the step, at x.
    geometry : Riemannian
        Of the objective that the step sees.
    objective : Objective
        The one that the step sees.
    update : Update
        Made for that objective.
    state : object
        That of the update.
    last : tuple
        ``(x, value, covector)`` before the last step.
    h : array, shape (...), or number
        The last step size; None before the first step.

    Examples
    --------
    >>> class Parabola(ig.Step):  # through f, its slope, f at h = 1
    ...     def __call__(self, at):
    ...         slope, ahead = -(at.covector @ at.direction()), at.curve(1.0)
    ...         return slope / (2 * (at.probe(ahead) - at.value + slope))
    >>> run = ig.descend(lambda x: (x @ x / 8, x / 4), [3.0],
    ...                  geometry=ig.Euclidean(1), update=ig.GradientUpdate(),
    ...                  step=Parabola(), max_steps=1)
    >>> run.x
    array([0.])
    """

    # slots: the loop reads and writes them at every step
    __slots__ = ("k", "x", "value", "covector", "geometry", "objective", "update", "state", "last", "h")

    def __init__(self, k: int, x: Array, objective: Any, geometry: Any, state: Any, last: tuple[Array, Array, Array],
                 h: Array = None) -> None:
        self.k, self.x, self.state, self.last, self.h = k, x, state, last, h
        self.value: Array
        self.covector: Array
        self.objective, self.geometry = objective, geometry
        self.update: Any = None         # made for the objective before the step

    def direction(self) -> Array:
        """That of the update's curve at h = 0, shape (..., d): −c, −G⁻¹c, …"""
        return self.update.velocity(self.geometry, self.x, self.covector)

    def curve(self, h: Array) -> Array:
        """The point at step size h, shape (...) or a number, on the curve of the update."""
        return self.update(self.geometry, self.x, self.covector, h, self.state)[0]

    def probe(self, y: Array) -> Array:
        """The value of the step's objective at another point, shape (...); +∞ outside the domain and where it is not finite."""
        xp, inside = backend_of(self.x), self.geometry.domain.contains(y)
        value = self.objective.value_and_gradient(xp.where(inside[..., None], y, self.x))[0]
        return xp.where(inside & xp.isfinite(value), value, xp.full_like(value, np.inf))
