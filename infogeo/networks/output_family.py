"""What a network asks of the family that it gives the natural parameter of."""
from typing import Protocol

import numpy as np

from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain

__all__ = ["OutputFamily"]


class OutputFamily(Protocol):
    """An `ExponentialFamily`, which stands on a higher floor than networks, by the methods that these and curvatures use."""

    @property
    def dim(self) -> int: ...

    @property
    def theta_domain(self) -> ConvexDomain: ...

    @property
    def support(self) -> Domain: ...

    def to_eta(self, theta: Array, /) -> Array: ...

    def potential(self, theta: Array, /) -> Array: ...

    def flat(self, theta: Array, vector: Array, /) -> Array: ...

    def root(self, theta: Array, z: Array, /) -> Array: ...

    def mean(self, theta: Array, /) -> Array: ...

    def log_density(self, theta: Array, x: Array, /) -> Array: ...

    def sufficient_statistic(self, x: Array, /) -> Array: ...

    def sample(self, rng: np.random.Generator, theta: Array, shape: tuple[int, ...] = (), /) -> Array: ...

    def _log_density(self, xp: Namespace, theta: Array, x: Array, /) -> Array: ...
