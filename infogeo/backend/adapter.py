"""What stands for a random generator of another library under the names of NumPy's."""
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from .namespace import Array

__all__ = ["Generator"]


class Generator(ABC):
    """Draws by the generator of another library, under the names of NumPy's.

    What the library draws itself lies on its device, in its widest floats. Every other method is that of a NumPy generator
    whose seed is drawn from this one, once.
    """

    @abstractmethod
    def seed(self) -> int:
        """A number drawn."""

    @abstractmethod
    def random(self, size: Any = ()) -> Array:
        """Uniform on [0, 1)."""

    @abstractmethod
    def standard_normal(self, size: Any = ()) -> Array:
        """Normal of mean 0 and variance 1."""

    @abstractmethod
    def standard_gamma(self, shape: Array, size: Any = ()) -> Array:
        """Gamma of this shape and rate 1."""

    @abstractmethod
    def poisson(self, lam: Array, size: Any = ()) -> Array:
        """Poisson of this rate, as floats; normal, of the same mean and variance, where the rate is too large to be counted."""

    def standard_exponential(self, size: Any = ()) -> Array:
        """Exponential of rate 1."""
        return self.standard_gamma(1.0, size)

    @cached_property
    def host(self) -> np.random.Generator:
        return np.random.default_rng(self.seed())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.host, name)
