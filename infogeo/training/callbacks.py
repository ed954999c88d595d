"""Callbacks of a run: values on held-out data, early stopping, the average of the iterates."""
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Array, backend_of, column, to_numpy
from ..errors import require, require_count
from ..solvers.moment import Moment

__all__ = ["EarlyStopping", "PolyakAverage", "Validation"]


class Validation:
    """A function of the weights, every so many steps: the loss of held-out examples, an error rate.

    Parameters
    ----------
    metric : function (w) -> array, shape (...)
        Such as ``model.objective(held_out).value``.
    every : int

    Attributes
    ----------
    steps : list of int
        The numbers of steps taken where the metric was looked at.
    values : list of arrays, shape (...), NumPy

    Examples
    --------
    >>> watch = ig.training.Validation(lambda w: w[0]**2, every=2)
    >>> run = ig.descend(lambda w: (w[0]**2 / 2, w), [8.0],
    ...                  update=ig.GradientUpdate(), step=0.5, max_steps=6,
    ...                  callbacks=[watch])
    >>> watch.steps, [float(value) for value in watch.values]
    ([2, 4, 6], [4.0, 0.25, 0.015625])
    """

    state: Any

    def __init__(self, metric: Callable[[Array], Array], every: int = 1) -> None:
        self.metric, self.every, self.state = metric, require_count("every", every), ([], [])

    @property
    def steps(self) -> list[int]:
        steps: list[int] = self.state[0]
        return steps

    @property
    def values(self) -> list[Array]:
        values: list[Array] = self.state[1]
        return values

    def __call__(self, moment: Moment) -> bool:
        if moment.k % self.every == 0:
            self.steps.append(moment.k)
            self.values.append(to_numpy(self.metric(moment.x)))
        return False


class EarlyStopping(Validation):
    """A validation that ends the run after `patience` values without a new smallest one, and keeps the weights of that.

    Of a batch of runs every row has its own smallest value, and all of them end when none had a new one.

    Parameters
    ----------
    metric, every
        As of `Validation`.
    patience : int

    Attributes
    ----------
    best : array, shape (...), NumPy
    x : array, shape (..., d)
        The weights of the best values; None before the first.

    Examples
    --------
    >>> held_out = ig.training.EarlyStopping(lambda w: (w[0] - 3)**2,
    ...                                      patience=2)
    >>> run = ig.descend(lambda w: (w[0]**2 / 2, w), [8.0],
    ...                  update=ig.GradientUpdate(), step=0.2, max_steps=99,
    ...                  callbacks=[held_out])
    >>> int(run.steps), held_out.x.round(3)         # past 3, and two steps more
    (6, array([3.277]))
    """

    def __init__(self, metric: Callable[[Array], Array], patience: int, every: int = 1) -> None:
        super().__init__(metric, every)
        self.patience, self.state = require_count("patience", patience), ([], [], np.inf, None, 0)

    @property
    def best(self) -> Array:
        return self.state[2]

    @property
    def x(self) -> Array:
        return self.state[3]

    def __call__(self, moment: Moment) -> bool:
        super().__call__(moment)
        if moment.k % self.every:
            return False
        steps, values, best, x, waited = self.state
        better = values[-1] < best
        mask = backend_of(moment.x).asarray(better)
        x = moment.x if x is None else backend_of(x).where(column(mask), moment.x, x)
        waited = 0 if np.any(better) else waited + 1
        self.state = steps, values, np.where(better, values[-1], best), x, waited
        return waited >= self.patience


class PolyakAverage:
    """The average of the iterates x̄_k = ξ x̄_{k−1} + (1 − ξ) x_k with ξ = min(1 − 1/k, decay), k = 1, 2, ….

    Parameters
    ----------
    decay : float
        From 0 to 1; 1 for the mean of all iterates.

    Attributes
    ----------
    x : array, shape (..., d)
        The average; None before the first step.

    Source: Polyak & Juditsky, Acceleration of stochastic approximation by averaging (1992); Martens & Grosse (2015), section 12.

    Examples
    --------
    >>> average = ig.training.PolyakAverage(decay=1.0)
    >>> run = ig.descend(lambda w: (abs(w[0]), np.sign(w)), [0.5],
    ...                  update=ig.GradientUpdate(), step=1.0, max_steps=10,
    ...                  callbacks=[average])
    >>> run.x, average.x                            # to and fro, and the mean
    (array([0.5]), array([0.]))
    """

    def __init__(self, decay: float = 0.99) -> None:
        require("decay", "0 <= decay <= 1", 0 <= decay <= 1, decay)
        self.decay, self.state = decay, None

    @property
    def x(self) -> Array:
        return self.state

    def __call__(self, moment: Moment) -> None:
        xi = min(1.0 - 1.0 / moment.k, self.decay)
        self.state = moment.x if self.state is None else xi * self.state + (1.0 - xi) * moment.x
