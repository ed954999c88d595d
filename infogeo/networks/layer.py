"""Layers: maps of a batch of inputs with the derivatives that networks are made of.

A layer is a small immutable object without arrays. Its weights, where it has some, come as a matrix W of shape
(..., inputs + 1, outputs) whose last row is the bias: with the homogeneous input ā = (a, 1) the pre-activation is s = ā W. Row by
row this is the vec, columns stacked, of the (outputs, inputs + 1) matrix of the literature.

`forward` returns the output and what the derivatives need again, called the memory.

Shapes: inputs (..., n, *input_shape); axis n is the sample, axes before it are a batch of networks or of directions.
"""
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ..backend import Array, Namespace

__all__ = ["Layer", "Part", "Shape"]

Shape = tuple[int, ...]


class Part(ABC):
    """A part of a network: a layer, or several that the network takes apart."""

    @abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of one output; ShapeError if the part does not take such inputs."""

    @abstractmethod
    def steps(self) -> "tuple[Layer, ...]":
        """The layers that it is made of, in the order in which they are computed."""

    @abstractmethod
    def replaced(self, f: "Callable[[Layer], Layer]") -> "Part":
        """The part with f of each of its layers in its place."""


class Layer(Part):
    """A map y = f(W, x), differentiable in both.

    Mathematically, with J its Jacobian: `jvp` is J (dW, dx), `pull_back` is J_xᵀ g, and `pull_back_tangent` the part of the
    derivative of J_xᵀ g along (dW, dx) that is due to J, which a linear map without weights does not have (None).

    Examples
    --------
    >>> class Scale(ig.networks.Layer):             # linear, without weights
    ...     def output_shape(self, input_shape):
    ...         return input_shape
    ...     def forward(self, xp, W, x):
    ...         return 0.1 * x, None
    ...     def jvp(self, xp, W, memory, dW, dx):
    ...         return None if dx is None else 0.1 * dx, None
    ...     def pull_back(self, xp, W, memory, g):
    ...         return 0.1 * g
    >>> network = ig.networks.Sequential([Scale(), ig.networks.Dense(1, 1)],
    ...                                  (1,))
    >>> network.forward([2.0, 1.0], [[30.0]])
    array([[7.]])
    """

    weight_shape: Any = None    # (inputs + 1, outputs) where there are weights
    place: str | None = None    # that of a skip connection which it marks

    def steps(self) -> "tuple[Layer, ...]":
        return self,

    def replaced(self, f: "Callable[[Layer], Layer]") -> "Layer":
        return f(self)

    @abstractmethod
    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        """``(y, memory)``."""

    @abstractmethod
    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        """``(dy, dmemory)``; dx is None for the input of the network, which does not move."""

    @abstractmethod
    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        """The covector at x of a covector g at y."""

    def pull_back_tangent(self, xp: Namespace, W: Array, memory: Any, dW: Array, dmemory: Array | None, g: Array) -> Array | None:
        """The derivative of `pull_back` at fixed g, or None for zero."""
        return None

    def local_curvature(self, xp: Namespace, memory: Any, g: Array) -> Array | None:
        """Σ_q g_q ∂²y_q/∂x_i² of an elementwise map, of the shape of x; None where the map is linear, or bilinear in W and x."""
        return None
