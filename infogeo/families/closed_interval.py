"""Supports that contain their ends."""
import numpy as np

from ..backend import arrays
from ..domain import Domain

__all__ = ["ClosedInterval"]


class ClosedInterval(Domain):
    """Finite numbers, elementwise, between two bounds, which belong to the set."""

    def __init__(self, lower=-np.inf, upper=np.inf):
        self.lower, self.upper = lower, upper

    def contains(self, x):
        xp, x = arrays(x)
        return (x >= self.lower) & (x <= self.upper) & xp.isfinite(x)

    def rule(self, name):
        upper = "" if np.isinf(self.upper) else f" <= {self.upper:g}"
        return f"{self.lower:g} <= {name}{upper}" if upper else f"{name} >= {self.lower:g}"
