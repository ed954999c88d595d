"""What conditional models and curvatures ask of a network and of a forward pass of it."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array
from ..errors import ShapeError
from .affine import Affine
from .initial import Initial
from .layer import Layer, Part, Shape

__all__ = ["LayerQuantities", "Network", "NetworkPass", "shape_of_inputs"]


class LayerQuantities(NamedTuple):
    """What the curvature of one layer's weights is made of.

    Attributes
    ----------
    place : int
        The place of the layer in the `steps` of the network.
    layer : Affine
    weights : slice
        Its part of the flat weight vector.
    inputs : array, shape (..., n, L, inputs)
        The rows a at L positions of each sample; `layer.homogeneous` appends the 1.
    covectors : array, shape (..., n, L, outputs)
        The covectors g at the pre-activations.

    Examples
    --------
    >>> network = ig.networks.MLP((1, 2, 1))
    >>> done = network.record(np.linspace(-1.0, 1.0, 7), [[1.0], [3.0]])
    >>> for q in done.layer_quantities(np.ones((2, 1))):
    ...     print(q.weights, q.inputs.shape, q.covectors.shape)
    slice(0, 4, None) (2, 1, 1) (2, 1, 2)
    slice(4, 7, None) (2, 1, 2) (2, 1, 1)
    """

    place: int
    layer: Affine
    weights: slice
    inputs: Array
    covectors: Array


def shape_of_inputs(given: Iterable[int]) -> Shape:
    """The shape of one input, as it was given. Raises ShapeError where it is no tuple of integers."""
    try:
        return tuple(index(size) for size in given)
    except TypeError:
        raise ShapeError(f"input_shape must be a tuple of integers, that of one input, such as (4,); got {given!r}") from None


class Network(ABC):
    """A map f(w, x) of a flat weight vector and a batch of inputs, with exact derivatives in the weights.

    Mathematically, w is cut into the weight matrices of its layers, each (inputs + 1, outputs) row by row.

    Attributes
    ----------
    input_shape, output_shape : tuples of int
    size : int
        The number of weights.
    steps : sequence of Layer
        Those with weights, at least.
    slices : sequence of slice or None
        The part of w of each of them; None where it has no weights.
    layers : sequence of Part
        What it is made of, as far as it is known; the last gives the output.

    Shapes: weights w (..., size), inputs x (..., n, *input_shape), outputs (..., n, *output_shape).

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1))           # x W + b: J = (x, 1)
    >>> w, x = np.array([2.0, -1.0]), [[1.0], [3.0]]
    >>> network.jvp(w, x, np.array([1.0, 0.0]))[:, 0]
    array([1., 3.])
    >>> network.vjp(w, x, np.ones((2, 1)))          # of both samples together
    array([4., 2.])
    """

    input_shape: Shape
    output_shape: Shape
    size: int
    steps: Sequence[Layer]
    slices: Sequence[slice | None]
    layers: Sequence[Part]

    @property
    @abstractmethod
    def shapes(self) -> Sequence[Shape]:
        """Shapes of one sample, the widest between layers among them."""

    @abstractmethod
    def init(self, rng: np.random.Generator, initial: Initial | Sequence[Initial], *, shape: Shape = (),
             dtype: Any = "float64") -> Array:
        """Random weights, shape (*shape, size), biases 0."""

    @abstractmethod
    def forward(self, w: Array, x: Array) -> Array:
        """f(w, x), shape (..., n, *output_shape)."""

    @abstractmethod
    def record(self, w: Array, x: Array) -> NetworkPass:
        """The forward pass of w and x: the output, and what its derivatives need."""

    @abstractmethod
    def blocks_of_samples(self, w: Array, x: Array) -> list[slice]:
        """Slices of the samples that go together."""

    def require_inputs(self, x: Array) -> None:
        """Nothing, if inputs have shape (..., n, *input_shape). Raises ShapeError."""
        k = len(self.input_shape)
        if x.ndim < k + 1 or tuple(x.shape[x.ndim - k:]) != tuple(self.input_shape):
            axes = ", ".join(["...", "n", *map(str, self.input_shape)])
            raise ShapeError(f"x must have shape ({axes}); got {tuple(x.shape)}")

    def jvp(self, w: Array, x: Array, dw: Array) -> Array:
        """J dw, the derivative of the output along dw, shape (..., n, *output_shape); leading axes of dw are directions."""
        return self.record(w, x).jvp(dw)

    def vjp(self, w: Array, x: Array, g: Array) -> Array:
        """Jᵀ g, the covector at the weights of a covector at the output, shape (..., size)."""
        return self.record(w, x).vjp(g)

    def per_example_gradients(self, w: Array, x: Array, g: Array) -> Array:
        """J_nᵀ g_n of every sample, shape (..., n, size)."""
        return self.record(w, x).per_example_gradients(g)


class NetworkPass(ABC):
    """A forward pass: the output f(w, x), and the derivatives at this w and x, for as many directions as one likes.

    Mathematically, J = ∂f/∂w.

    Attributes
    ----------
    output : array

    Examples
    --------
    >>> done = ig.networks.MLP((1, 1)).record(np.array([2.0, -1.0]),
    ...                                       [[1.0], [3.0]])
    >>> done.output[:, 0], done.vjp(np.ones((2, 1)))
    (array([1., 5.]), array([4., 2.]))
    >>> done.per_example_gradients(np.ones((2, 1)))
    array([[1., 1.],
           [3., 1.]])
    """

    network: Any
    xp: Any
    dtype: Any
    output: Array

    @property
    @abstractmethod
    def blocks(self) -> Sequence[tuple[slice, NetworkPass]]:
        """The samples in blocks, a list of (slice, pass)."""

    @abstractmethod
    def vjp(self, g: Array) -> Array:
        """Jᵀ g, shape (..., size)."""

    @abstractmethod
    def jvp(self, dw: Array) -> Array:
        """J dw, shape (..., n, *output_shape)."""

    @abstractmethod
    def vjp_tangent(self, dw: Array, g: Array, dg: Array | Callable[[Array], Array]) -> Array:
        """The derivative of Jᵀ g along dw, where g moves by dg itself, shape (..., size)."""

    @abstractmethod
    def per_example_gradients(self, g: Array) -> Array:
        """J_nᵀ g_n of every sample, shape (..., n, size)."""

    @abstractmethod
    def layer_inputs(self) -> list[tuple[Affine, Array]]:
        """(layer, rows a at L positions of each sample) of each layer with weights, shape (..., n, L, inputs)."""

    @abstractmethod
    def layer_quantities(self, g: Array) -> list[LayerQuantities]:
        """`LayerQuantities` of each layer with weights, from the first to the last, for the covectors g at the output."""

    def propagated(self, sweep: Any) -> Iterable[tuple[Affine, Array, list[Array]]]:
        """(layer, rows, vectors) of each layer with weights for a sweep of curvature propagation that has come to the output.

        Shapes: rows (n, L, inputs), vectors at the pre-activations (m, n, L, outputs).
        """
        raise TypeError(f"curvature is not propagated through {self.network!r}")
