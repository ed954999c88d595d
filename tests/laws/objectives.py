"""Objectives of the solver laws, and step sizes in local units."""
import numpy as np

import infogeo as ig
from infogeo.backend import arrays


class Wavy(ig.Objective):
    """f(x) = Σ sin(x_i − c_i) + 0.3 |x − c|²: smooth, not convex, no friend of any geometry."""

    def __init__(self, M, center):
        self.manifold, self.center = M, center

    def value_and_gradient(self, x):
        xp, x, c = arrays(x, self.center)
        gap = x - c
        return xp.sum(xp.sin(gap) + 0.3 * gap * gap, axis=-1), xp.cos(gap) + 0.6 * gap


def local_step(M, x, objective, length):
    """The step sizes whose first natural-gradient step has this length in the metric, shape (...)."""
    covector = objective.value_and_gradient(x)[1]
    return length / np.sqrt(np.sum(covector * M.sharp(x, covector), axis=-1))


def length(M, x, y):
    """The distance |y − x| in the metric at x, shape (...)."""
    return M.norm(x, y - x)
