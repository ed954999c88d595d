"""Sets that points belong to.

One object serves the check (`contains`, `require`), the data of tests (`sample`) and the documentation (`str`).
"""
from abc import ABC, abstractmethod
from operator import index

import numpy as np

from ..backend import arrays
from ..errors import ShapeError, require

__all__ = ["Domain", "batch_shape"]


class Domain(ABC):
    """A set of points. A point has the trailing shape `shape`; leading axes are a batch."""

    shape: tuple = ()

    @abstractmethod
    def contains(self, x):
        """Whether each point lies in the set, shape (...). A point with a NaN does not."""

    @abstractmethod
    def rule(self, name):
        """The condition in words, for a point called `name`."""

    def require(self, name, x):
        """The coerced array, if every point lies in the set.

        Raises
        ------
        ShapeError, DomainError
            Naming the argument, the rule, how many points break it, and the first that does.
        """
        xp, x = arrays(x)
        n = len(self.shape)
        if x.ndim < n or tuple(x.shape[x.ndim - n:]) != self.shape:
            axes = ", ".join(["...", *map(str, self.shape)])
            raise ShapeError(f"{name} must have shape ({axes}); got {tuple(x.shape)}")
        inside = self.contains(x)
        if not xp.all(inside):
            require(name, self.rule(name), inside, x)
        return x

    def __str__(self):
        space = "R" + "".join(f"^{n}" if i == 0 else f" x {n}" for i, n in enumerate(self.shape))
        return f"{{x in {space} : {self.rule('x')}}}"

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash((type(self), tuple(vars(self).items())))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def batch_shape(shape):
    """A shape as a tuple, from an integer or integers."""
    try:
        return tuple(map(index, shape if np.iterable(shape) else (shape,)))
    except TypeError:
        raise TypeError(f"shape must be an integer or integers; got {shape!r}") from None
