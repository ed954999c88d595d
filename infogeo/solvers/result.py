"""What a run gives back."""
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from ..backend import to_numpy

__all__ = ["Result", "Status"]


class Status(IntEnum):
    """How a row of a run ended; `text` says what to try."""

    CONVERGED = 0
    MAX_STEPS = 1
    LEFT_DOMAIN = 2
    NONFINITE = 3
    STOPPED = 4

    @property
    def text(self):
        return _TEXTS[self]


_TEXTS = {
    Status.CONVERGED: "The Riemannian norm of the gradient fell to tol.",
    Status.MAX_STEPS: "All steps were taken; if that is not enough, raise max_steps or the step size.",
    Status.LEFT_DOMAIN: "The next step left the domain, in the chart or in its mirror image, and was not taken; try a smaller "
                        "step size, Backtracking, or the other chart.",
    Status.NONFINITE: "The objective, its gradient or the next point is infinite or NaN; try a smaller step size or another "
                      "start.",
    Status.STOPPED: "A callback ended the run; its last snapshot, if it took one, goes on with resume.",
}


@dataclass(frozen=True)
class Result:
    """A run of `descend` or `flow`.

    Attributes
    ----------
    x : array, shape (..., d)
        The last points.
    path : array, shape (records, ..., d), or None
        ``path[0]`` is x0, ``path[k]`` the point after k steps (of a flow, the point at ``times[k]``).
    values : array, shape (records, ...), or None
        The objective along the path, as the run saw it.
    status : integer array, shape (...)
        A `Status` for each row.
    steps : integer array, shape (...)
        Steps that each row took.
    """

    x: Any
    path: Any
    values: Any
    status: Any
    steps: Any

    @property
    def message(self):
        """In words, how the rows ended."""
        found, counts = np.unique(to_numpy(self.status), return_counts=True)
        return "\n".join(f"{Status(s).name} ({n} of {counts.sum()} rows): {Status(s).text}" for s, n in zip(found, counts))
