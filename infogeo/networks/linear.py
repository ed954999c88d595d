"""Linear maps without weights."""
from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any

from ..backend import Array, Namespace
from ..errors import ShapeError
from .layer import Layer, Shape

__all__ = ["Flatten", "Linear"]


class Linear(Layer):
    """A linear map without weights; its memory is what its transpose needs."""

    @abstractmethod
    def apply(self, xp: Namespace, memory: Any, x: Array) -> Array:
        """The map."""

    @abstractmethod
    def remember(self, xp: Namespace, x: Array) -> Any:
        """The memory of an input."""

    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        memory = self.remember(xp, x)
        return self.apply(xp, memory, x), memory

    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        return (None if dx is None else self.apply(xp, memory, dx)), None


@dataclass(frozen=True)
class Flatten(Linear):
    """An input of `input_rank` axes as one vector, the last axis fastest.

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Flatten(2)], (2, 3))
    >>> network.forward(np.zeros(0), np.arange(6.0).reshape(1, 2, 3))
    array([[0., 1., 2., 3., 4., 5.]])
    """

    input_rank: int = 3

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != self.input_rank:
            raise ShapeError(f"{self!r} takes inputs of {self.input_rank} axes; got shape {tuple(input_shape)}")
        return (prod(input_shape),)

    def remember(self, xp: Namespace, x: Array) -> Any:
        return tuple(x.shape[x.ndim - self.input_rank:])

    def apply(self, xp: Namespace, memory: Any, x: Array) -> Array:
        return xp.reshape(x, (*x.shape[:x.ndim - self.input_rank], prod(memory)))

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        return xp.reshape(g, (*g.shape[:-1], *memory))
