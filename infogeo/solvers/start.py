"""Where a run starts."""
from typing import Any

import numpy as np

from ..backend import Array, arrays, backend_of, batch_contiguous
from ..domains.convex import RealSpace

__all__ = ["Coordinates", "spread", "start"]


class Coordinates:
    """R^d without a metric: the place of a run that names no geometry.

    Updates that bring a metric of their own, or want none, run here; what asks for more is told what is missing.
    """

    def __init__(self, dim: int) -> None:
        self.dim, self.domain = dim, RealSpace(dim)

    def __repr__(self) -> str:
        return f"R^{self.dim} without a metric"

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"the run needs a geometry, whose {name} its update, its step rule or its tol asks for: geometry=…")


def start(objective: Any, x0: Array, geometry: Any, step: Any = None) -> tuple[Any, Array]:
    """``(geometry, x)``: x0 in the domain of the geometry, with the batch shape that objective and step rule say.

    Raises
    ------
    DomainError, ShapeError
        For x0.
    """
    if geometry is None:
        x0 = arrays(x0)[1]
        geometry = Coordinates(x0.shape[-1] if x0.ndim else 1)
    x = geometry.domain.require("x0", x0)
    return geometry, spread(x, getattr(objective, "rows", None) or (), getattr(step, "rows", ()))


def spread(x: Array, *shapes: tuple[int, ...]) -> Array:
    """x for all rows of these batch shapes, contiguous along the batch."""
    batch = np.broadcast_shapes(x.shape[:-1], *shapes)
    return batch_contiguous(backend_of(x).broadcast_to(x, (*batch, x.shape[-1])))
