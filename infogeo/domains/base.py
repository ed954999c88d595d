"""Sets that points belong to.

One object serves the check (`contains`, `require`), the data of tests (`sample`) and the documentation (`str`).
"""
from abc import ABC, abstractmethod
from collections.abc import Iterable
from operator import index
from typing import NoReturn

import numpy as np

from ..arrays.tracing import is_traced
from ..backend import Array, coerced
from ..errors import ShapeError, require

__all__ = ["Domain", "batch_shape"]


class Domain(ABC):
    """A set of points. A point has the trailing shape `shape`; leading axes are a batch.

    Examples
    --------
    >>> domain = ig.domains.ClosedInterval(0, 1)  # one of them
    >>> domain.contains([0.5, 2.0]), domain.rule("x")
    (array([ True, False]), '0 <= x <= 1')
    >>> domain.require("x", 2.0)
    Traceback (most recent call last):
        ...
    infogeo.errors.DomainError: x must satisfy 0 <= x <= 1; got 2.0
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The trailing shape of a point."""
        return ()

    @property
    def whole(self) -> bool:
        """Of a `ConvexDomain`, whether it is all of R^d."""
        return self._not_of_vectors()

    @property
    def closed(self) -> bool:
        """Of a `ConvexDomain`, whether its boundary belongs to it."""
        return self._not_of_vectors()

    def _not_of_vectors(self) -> NoReturn:
        raise TypeError(f"theta_domain and eta_domain must be sets of coordinate vectors, such as RealSpace(1), Orthant(1) or "
                        f"OpenSimplex(1); got a set of observations, {self!r}")

    @abstractmethod
    def contains(self, x: Array) -> Array:
        """Whether each point lies in the set, shape (...). A point with a NaN does not."""

    def interior(self, x: Array) -> Array:
        """Whether each point lies in the set and at no end of it, shape (...): at an end a formula may be no number."""
        return self.contains(x)

    def inward(self, x: Array) -> Array:
        """Draws that rounding took to an end of the set, moved to the next number inside; others as they are."""
        return x

    @abstractmethod
    def rule(self, name: str) -> str:
        """The condition in words, for a point called `name`."""

    def require(self, name: str, x: Array) -> Array:
        """The coerced array, if every point lies in the set.

        Raises
        ------
        ShapeError, DomainError
            Naming the argument, the rule, how many points break it, and the first that does; not of a traced array.
        """
        xp, x = coerced(x)
        self.require_shape(name, x)
        inside = self.contains(x)
        if not (is_traced(xp, inside) or xp.all(inside)):          # jax.jit traces what is found of numbers, too
            require(name, self.rule(name), inside, x)
        return x

    def require_shape(self, name: str, x: Array) -> None:
        """Nothing, if an array ends in the shape of a point. Raises ShapeError."""
        n = len(self.shape)
        if x.ndim < n or tuple(x.shape[x.ndim - n:]) != self.shape:
            axes = ", ".join(["...", *map(str, self.shape)])
            raise ShapeError(f"{name} must have shape ({axes}); got {tuple(x.shape)}")

    def __str__(self) -> str:
        space = "R" + "".join(f"^{n}" if i == 0 else f" x {n}" for i, n in enumerate(self.shape))
        return f"{{x in {space} : {self.rule('x')}}}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), tuple(vars(self).items())))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def batch_shape(shape: int | Iterable[int]) -> tuple[int, ...]:
    """A shape as a tuple, from an integer or integers."""
    try:
        return tuple(map(index, shape if np.iterable(shape) else (shape,)))
    except TypeError:
        raise TypeError(f"shape must be an integer or integers; got {shape!r}") from None
