"""Objectives that know their manifold, of whatever serves a solver as one."""
from typing import Any

import numpy as np

from ...backend import Array
from ...geometry.manifolds.manifold import DuallyFlat
from ...objectives.base import Objective
from ...objectives.function import as_objective

__all__ = ["on_manifold"]


class _Known(Objective):
    """The values of another one."""

    def __init__(self, M: DuallyFlat, f: Any) -> None:
        self.manifold, self.f, self.rows = M, f, getattr(f, "rows", None)

    def __repr__(self) -> str:
        return repr(self.f)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, covector = self.f.value_and_gradient(x)
        return np.asarray(value), np.asarray(covector)


def on_manifold(M: DuallyFlat, objective: Any) -> Any:
    """An objective with `in_dual_coordinates` and `pulled_back`, of an object with ``value_and_gradient`` or a function.

    Raises
    ------
    TypeError
        Where it is neither.
    """
    f = as_objective(objective)
    return f if isinstance(f, Objective) and hasattr(f, "manifold") else _Known(M, f)
