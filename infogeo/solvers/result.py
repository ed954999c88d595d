"""What a run gives back."""
from dataclasses import dataclass
from enum import IntEnum
from html import escape
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..pictures.embedded import embedded
from .pictures import plot_run

__all__ = ["LOST", "Result", "Status"]


class Status(IntEnum):
    """How a row of a run ended; `text` says what to try.

    Examples
    --------
    >>> f = lambda x: (x[:, 0]**2 / 2, x)           # two rows: each has its own
    >>> run = ig.descend(f, [[0.0], [1.0]], geometry=ig.Euclidean(1),
    ...                  update=ig.GradientUpdate(), step=0.1, max_steps=3,
    ...                  tol=1e-3)
    >>> [ig.Status(row).name for row in run.status]
    ['CONVERGED', 'MAX_STEPS']
    """

    CONVERGED = 0
    MAX_STEPS = 1
    LEFT_DOMAIN = 2
    NONFINITE = 3
    STOPPED = 4
    STALLED = 5
    DIVERGED = 6
    SINGULAR = 7
    FINISHED = 8

    @property
    def text(self) -> str:
        return _TEXTS[self]

    @classmethod
    def _missing_(cls, value: object) -> "Status | None":
        """``Status(result.status)`` of one run: from Python 3.12 on an array is not looked up by what it is equal to."""
        return cls(int(value)) if getattr(value, "shape", None) == () else None      # type: ignore[call-overload]


_TEXTS = {
    Status.CONVERGED: "The Riemannian norm of the gradient fell to tol, or the stopping rule that is tol was met.",
    Status.MAX_STEPS: "All steps were taken; if that is not enough, raise max_steps, or the step size while the values fall.",
    Status.LEFT_DOMAIN: "The next step left the domain, in the chart or in its mirror image, or has no projection that is found, "
                        "and was not taken; try a smaller step size, Backtracking, or the other chart.",
    Status.NONFINITE: "The objective, its gradient or the next point is infinite or NaN; try a smaller step size or another "
                      "start.",
    Status.STOPPED: "A callback ended the run; its last snapshot, if it took one, goes on with resume.",
    Status.STALLED: "No step that the rule tries moves the row: an optimum to rounding, in the domain or on its boundary, which "
                    "a larger tol accepts; or a direction that does not descend, and then check the gradient and the metric.",
    Status.DIVERGED: "The last value is far above the first, by more than 1000 times its size and more than 1000; try a smaller "
                     "step size, Backtracking, or more damping.",
    Status.SINGULAR: "The metric is singular or indefinite at the last point: the natural gradient is not finite there, or does "
                     "not descend. Damp the metric, or try a smaller step size or another start; an optimum at infinity, as of "
                     "separable data, ends so.",
    Status.FINISHED: "The flow was followed to the last of its times.",
}


# Rows that ended before their time, as there was nothing to step to
LOST = (Status.LEFT_DOMAIN, Status.NONFINITE, Status.SINGULAR)


@dataclass(frozen=True, repr=False)
class Result:
    """A run of `descend`.

    Attributes
    ----------
    x : array, shape (..., d)
        The last points; of a method whose answer is another point, that (`Update.answer`).
    path : array, shape (records, ..., d), or None
        ``path[0]`` is x0, ``path[k]`` the point after k steps.
    values : array, shape (records, ...), or None
        The objective along the path, as the run saw it; of a random one the last value is that of the objective itself. None for
        an objective that has no values, a `VectorField`.
    status : integer array, shape (...)
        A `Status` for each row.
    steps : integer array, shape (...)
        Steps that each row took.
    state : object
        The last state of the update: velocities, factors, λ, …; None where it carries none.
    recorded : integer array, shape (records,), NumPy
        The numbers of steps after which path and values were taken; None where they were taken at given times.

    Examples
    --------
    >>> f = lambda x: (x[0]**2 / 2, x)
    >>> run = ig.descend(f, [4.0], geometry=ig.Euclidean(1),
    ...                  update=ig.GradientUpdate(), step=0.5, max_steps=50,
    ...                  tol=1.0)
    >>> run.path[:, 0], run.values
    (array([4., 2., 1.]), array([8. , 2. , 0.5]))
    >>> run.x, int(run.steps), ig.Status(run.status).name
    (array([1.]), 2, 'CONVERGED')
    """

    x: Array
    path: Array
    values: Array
    status: Array
    steps: Array
    state: Any = None
    recorded: Any = None

    def text(self, status: Status) -> str:
        """In words, how a row of this status ended, and what to try."""
        return status.text

    def __repr__(self) -> str:
        """Five lines."""
        status, steps = to_numpy(self.status), to_numpy(self.steps)
        first, last = (None, None) if self.values is None else (_range(self.values[k, ...]) for k in (0, -1))
        return (f"Result of {status.size} rows, x of shape {tuple(self.x.shape)}\n"
                f"  status: {', '.join(f'{n} {s.name}' for s, n in self._counts())}\n"
                f"  steps: {_range(steps)}\n"
                f"  values: {'not recorded' if first is None else f'{first} at first, {last} at last'}\n"
                f"  message: {' '.join(self.text(s) for s, _ in self._counts())}")

    def plot(self, *, ax: Any = None) -> list[Any]:
        """The objective against steps, a line for each row, on a logarithmic scale where the values span it.

        Parameters
        ----------
        ax : Axes, optional
            Of Matplotlib; a new figure is made where there are none.

        Returns
        -------
        list of Line2D
            Of a batch of more than 200 rows, 200 of them, evenly spread over the last values.

        Raises
        ------
        ValueError
            Where the run kept no values.
        """
        return plot_run(self, ax)

    def _repr_html_(self) -> str:
        """For notebooks: the five lines, and the picture where there are values and Matplotlib."""
        picture = "" if self.values is None or len(self.values) < 2 else embedded(lambda ax: plot_run(self, ax))
        return f"<div><pre>{escape(repr(self))}</pre>{picture}</div>"

    def _counts(self) -> list[tuple[Status, int]]:
        """How many rows ended in each way."""
        found, counts = np.unique(to_numpy(self.status), return_counts=True)
        return [(Status(s), int(n)) for s, n in zip(found, counts)]

    @property
    def message(self) -> str:
        """In words, how the rows ended."""
        rows = to_numpy(self.status).size
        return "\n".join(f"{s.name} ({n} of {rows} rows): {self.text(s)}" for s, n in self._counts())


def _range(x: Array) -> str:
    """The numbers of an array as one, or from the least to the greatest."""
    x = to_numpy(x)
    if not x.size:
        return "none"
    low, high = (f"{float(f(x)):.6g}" for f in (np.min, np.max))
    return low if low == high else f"{low} to {high}"
