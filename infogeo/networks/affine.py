"""Layers with weights: dense layers and convolutions."""
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..backend import Array, Namespace, set_at
from ..errors import ShapeError, require, require_count
from .layer import Layer, Shape
from .products import add_at, add_to_rows, moment_into, outer_into, product_into, second_moment, sum_of_rows
from .window import Window, pair

__all__ = ["Affine", "AffineMemory", "Convolution2D", "Dense"]


class AffineMemory(NamedTuple):
    """The memory of a layer with weights: its input as rows, and the shape of one input."""

    a: Array
    input_shape: Shape


class Affine(Layer):
    """s = ā W for rows ā that are taken from the input: what dense and convolution layers share.

    Mathematically, a sample has L rows a, one for each position, and g is a covector at the images of the rows; the covector at
    W is Σ ā gᵀ over samples and positions. These rows and covectors are what Kronecker factors are made of.

    Shapes: rows (..., n L, inputs), covectors at their images (..., n L, outputs).

    Examples
    --------
    >>> layer = ig.networks.Convolution2D(channels=3, n_outputs=8, kernel=5)
    >>> layer.weight_shape, layer.count((32, 32, 3))  # 5 · 5 · 3 + 1, 28²
    ((76, 8), 784)
    >>> ig.networks.Dense(4, 2).count((4,))                     # one position
    1
    """

    bias: bool
    input_rank: int

    @property
    @abstractmethod
    def fans(self) -> tuple[int, int]:
        """(inputs of an output, outputs of an input)."""

    @abstractmethod
    def count(self, input_shape: Shape) -> int:
        """L, the positions of a sample."""

    @abstractmethod
    def take(self, xp: Namespace, x: Array) -> Array:
        """The rows of an input."""

    @abstractmethod
    def put(self, xp: Namespace, rows: Array, input_shape: Shape) -> Array:
        """The transpose of `take`: a covector at the rows as one at the input."""

    @abstractmethod
    def merge(self, xp: Namespace, g: Array) -> Array:
        """Images, or covectors there, as rows."""

    @abstractmethod
    def spread(self, xp: Namespace, s: Array, input_shape: Shape) -> Array:
        """The inverse of `merge`."""

    @property
    def inputs(self) -> int:
        """The length of a row, without the 1."""
        rows: int = self.weight_shape[0] - self.bias
        return rows

    def homogeneous(self, xp: Namespace, rows: Array) -> Array:
        """ā = (a, 1), or a itself without a bias."""
        return xp.concat([rows, xp.ones_like(rows[..., :1])], axis=-1) if self.bias else rows

    def positions(self, xp: Namespace, rows: Array, input_shape: Shape) -> Array:
        """Rows with the positions on an axis of their own, shape (..., n, L, length)."""
        L = self.count(input_shape)
        return xp.reshape(rows, (*rows.shape[:-2], rows.shape[-2] // L, L, rows.shape[-1]))

    def second_moment(self, xp: Namespace, inputs: Array, weights: Array | None = None) -> Array:
        """Σ ā āᵀ over samples and positions, shapes (..., n, L, inputs) to (..., inputs + 1, inputs + 1); ā is not formed.

        With weights v of the samples, shape (n,), it is Σ v ā āᵀ.
        """
        if weights is not None:
            return second_moment(xp, xp.sqrt(weights)[:, None, None] * self.homogeneous(xp, inputs))
        if not self.bias:
            return second_moment(xp, inputs)
        *lead, n, L, k = inputs.shape
        out = moment_into(xp, inputs, xp.empty((*lead, k + 1, k + 1), dtype=inputs.dtype))
        total = xp.sum(inputs, axis=(-3, -2))
        for index, value in (((k, slice(k)), total), ((slice(k), k), total), ((k, k), float(n * L))):
            out = set_at(xp, out, (..., *index), value)
        return out

    def _linear(self, W: Array) -> Array:
        return W[..., :-1, :] if self.bias else W

    def _times(self, xp: Namespace, rows: Array, W: Array) -> Array:
        """ā W."""
        s = xp.matmul(rows, self._linear(W))
        return add_to_rows(xp, s, W[..., -1:, :]) if self.bias else s

    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        memory = AffineMemory(self.take(xp, x), tuple(x.shape[-self.input_rank:]))
        return self.spread(xp, self._times(xp, memory.a, W), memory.input_shape), memory

    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        ds, da = self._times(xp, memory.a, dW), None
        if dx is not None:
            da = self.take(xp, dx)
            ds = ds + xp.matmul(da, self._linear(W))
        return self.spread(xp, ds, memory.input_shape), da

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        rows = xp.matmul(self.merge(xp, g), xp.matrix_transpose(self._linear(W)))
        return self.put(xp, rows, memory.input_shape)

    def pull_back_tangent(self, xp: Namespace, W: Array, memory: Any, dW: Array, dmemory: Array | None, g: Array) -> Array | None:
        return self.pull_back(xp, dW, memory, g)

    def weight_covector(self, xp: Namespace, rows: Array, g: Array, out: Array) -> Array:
        """Σ ā gᵀ over samples and positions, shape (..., weights): `out` itself, where the library writes to arrays."""
        g = self.merge(xp, g)
        out = product_into(xp, xp.matrix_transpose(rows), g, out)
        return set_at(xp, out, (..., slice(self.inputs * g.shape[-1], None)), sum_of_rows(xp, g)) if self.bias else out

    def weight_covector_tangent(self, xp: Namespace, drows: Array, g: Array, out: Array) -> Array:
        """`out`, with the share of moving rows, Σ (da, 0) gᵀ, added to it."""
        g = self.merge(xp, g)
        covector, split = xp.matmul(xp.matrix_transpose(drows), g), self.inputs * g.shape[-1]
        return add_at(xp, out, (..., slice(split)), xp.reshape(covector, (*covector.shape[:-2], split)))

    def example_covectors(self, xp: Namespace, memory: AffineMemory, g: Array, out: Array) -> Array:
        """Σ ā gᵀ over the positions of each sample, shape (..., n, weights): `out` itself, as in `weight_covector`."""
        rows = self.positions(xp, memory.a, memory.input_shape)
        return self.examples_of_rows(xp, rows, self.positions(xp, self.merge(xp, g), memory.input_shape), out)

    def examples_of_rows(self, xp: Namespace, rows: Array, g: Array, out: Array) -> Array:
        """The same of rows (..., n, L, inputs) and covectors at their images (..., n, L, outputs)."""
        if rows.shape[-2] == 1:
            total = g[..., 0, :]
            out = outer_into(xp, rows[..., 0, :], total, out)
        else:
            total = sum_of_rows(xp, g)
            out = product_into(xp, xp.matrix_transpose(rows), g, out)
        return set_at(xp, out, (..., slice(self.inputs * g.shape[-1], None)), total) if self.bias else out


@dataclass(frozen=True)
class Dense(Affine):
    """s = ā W, every output from every input.

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Dense(2, 1)], (2,))
    >>> network.forward([3.0, -1.0, 5.0], [[1.0, 2.0]])  # 3 · 1 − 1 · 2 + 5
    array([[6.]])
    """

    n_inputs: int
    n_outputs: int
    bias: bool = True
    input_rank = 1

    def __post_init__(self) -> None:
        require_count("n_inputs", self.n_inputs)
        require_count("n_outputs", self.n_outputs)

    @property
    def weight_shape(self) -> tuple[int, int]:
        return self.n_inputs + self.bias, self.n_outputs

    @property
    def fans(self) -> tuple[int, int]:
        return self.n_inputs, self.n_outputs

    def output_shape(self, input_shape: Shape) -> Shape:
        if tuple(input_shape) != (self.n_inputs,):
            raise ShapeError(f"{self!r} takes inputs of shape ({self.n_inputs},); got {tuple(input_shape)}")
        return (self.n_outputs,)

    def count(self, input_shape: Shape) -> int:
        return 1

    def take(self, xp: Namespace, x: Array) -> Array:
        return x

    def put(self, xp: Namespace, rows: Array, input_shape: Shape) -> Array:
        return rows

    def merge(self, xp: Namespace, g: Array) -> Array:
        return g

    def spread(self, xp: Namespace, s: Array, input_shape: Shape) -> Array:
        return s


@dataclass(frozen=True)
class Convolution2D(Affine):
    """A linear filter over the positions of an image, shapes (height, width, channels) to (height′, width′, n_outputs).

    Mathematically, s_l = ā_l W, where the row a_l is the patch at position l: kernel × kernel × channels numbers, channels
    fastest.

    Parameters
    ----------
    channels, n_outputs : int
    kernel, stride, padding : int or pair of int
        Padding is with zeros, on both sides.

    Examples
    --------
    >>> edge = ig.networks.Convolution2D(1, 1, kernel=(1, 2), bias=False)
    >>> image = np.array([[1.0, 4.0, 9.0], [0.0, 0.0, 2.0]])[None, ..., None]
    >>> network = ig.networks.Sequential([edge], (2, 3, 1))
    >>> network.forward([-1.0, 1.0], image)[0, ..., 0]        # differences
    array([[3., 5.],
           [0., 2.]])
    """

    channels: int
    n_outputs: int
    kernel: Any = 3
    stride: Any = 1
    padding: Any = 0
    bias: bool = True
    input_rank = 3

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, pair(name, getattr(self, name)))
        sizes = {"channels": self.channels, "n_outputs": self.n_outputs, "kernel": min(self.kernel), "stride": min(self.stride)}
        for name, value in sizes.items():
            require_count(name, value)
        require("padding", "padding >= 0", min(self.padding) >= 0, self.padding)

    @property
    def weight_shape(self) -> tuple[int, int]:
        return self.kernel[0] * self.kernel[1] * self.channels + self.bias, self.n_outputs

    @property
    def fans(self) -> tuple[int, int]:
        area = self.kernel[0] * self.kernel[1]
        return area * self.channels, area * self.n_outputs

    def _window(self, input_shape: Shape) -> Window:
        return Window(self, input_shape, self.kernel, self.stride, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3 or input_shape[2] != self.channels:
            raise ShapeError(f"{self!r} takes inputs of shape (height, width, {self.channels}); got {tuple(input_shape)}")
        return (*self._window(input_shape).output, self.n_outputs)

    def count(self, input_shape: Shape) -> int:
        height, width = self._window(input_shape).output
        return height * width

    def take(self, xp: Namespace, x: Array) -> Array:
        return xp.reshape(self._window(x.shape[-3:]).patches(xp, x), (*x.shape[:-4], -1, self.inputs))

    def put(self, xp: Namespace, rows: Array, input_shape: Shape) -> Array:
        window = self._window(input_shape)
        patches = xp.reshape(rows, (*rows.shape[:-2], -1, *window.output, self.inputs))
        c = self.channels
        return window.put(xp, [patches[..., k * c:(k + 1) * c] for k in range(len(window.offsets))])

    def merge(self, xp: Namespace, g: Array) -> Array:
        return xp.reshape(g, (*g.shape[:-4], g.shape[-4] * g.shape[-3] * g.shape[-2], g.shape[-1]))

    def spread(self, xp: Namespace, s: Array, input_shape: Shape) -> Array:
        return xp.reshape(s, (*s.shape[:-2], -1, *self._window(input_shape).output, self.n_outputs))

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        """One place of the window after the other: each a product and a sum over long runs of memory."""
        kernel, rows, c = xp.matrix_transpose(self._linear(W)), self.merge(xp, g), self.channels
        window = self._window(memory.input_shape)
        parts = (xp.matmul(rows, kernel[..., k * c:(k + 1) * c]) for k in range(len(window.offsets)))
        return window.put(xp, (xp.reshape(part, (*part.shape[:-2], -1, *window.output, c)) for part in parts))
