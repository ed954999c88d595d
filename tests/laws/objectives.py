"""Objectives of the solver laws, step sizes in local units, and the manifolds of what is one loop over all of them."""
import numpy as np
import pytest

from infogeo.testing import Wavy

from ..registry import MANIFOLDS

__all__ = ["Wavy", "every_kind_of_loop", "length", "local_step"]

# All of R^d, a bounded domain, a numeric inverse, a dual: the loop asks a manifold for charts, `sharp` and membership alone, and
# that these are right everywhere are laws of their own.
LOOPS = ["Categorical(3)", "Categorical(6).dual", "Gamma", "Normal.dual"]

every_kind_of_loop = pytest.mark.parametrize("M", [MANIFOLDS[name] for name in LOOPS], ids=LOOPS)


def local_step(M, x, objective, length):
    """The step sizes whose first natural-gradient step has this length in the metric, shape (...)."""
    covector = objective.value_and_gradient(x)[1]
    return length / np.sqrt(np.sum(covector * M.sharp(x, covector), axis=-1))


def length(M, x, y):
    """The distance |y − x| in the metric at x, shape (...)."""
    return M.norm(x, y - x)
