"""Objectives of the solver laws, and step sizes in local units."""
import numpy as np

from infogeo.testing import Wavy

__all__ = ["Wavy", "length", "local_step"]


def local_step(M, x, objective, length):
    """The step sizes whose first natural-gradient step has this length in the metric, shape (...)."""
    covector = objective.value_and_gradient(x)[1]
    return length / np.sqrt(np.sum(covector * M.sharp(x, covector), axis=-1))


def length(M, x, y):
    """The distance |y − x| in the metric at x, shape (...)."""
    return M.norm(x, y - x)
