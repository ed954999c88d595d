"""Layers: maps of a batch of inputs with the derivatives that networks are made of.

A layer is a small immutable object without arrays. Its weights, where it has some, come as a matrix W of shape
(..., inputs + 1, outputs) whose last row is the bias: with the homogeneous input ā = (a, 1) the pre-activation is s = ā W. Row by
row this is the vec, columns stacked, of the (outputs, inputs + 1) matrix of the literature.

`forward` returns the output and what the derivatives need again, called the memory.

Shapes: inputs (..., n, *input_shape); axis n is the sample, axes before it are a batch of networks or of directions.
"""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError, require_count

__all__ = ["Activation", "Affine", "AveragePool", "Convolution2D", "Dense", "Flatten", "Identity", "Layer", "Logistic", "MaxPool",
           "Relu", "Softplus", "Tanh", "second_moment"]


class Layer(ABC):
    """A map y = f(W, x), differentiable in both.

    Mathematically, with J its Jacobian: `jvp` is J (dW, dx), `pull_back` is J_xᵀ g, and `pull_back_tangent` the part of the
    derivative of J_xᵀ g along (dW, dx) that is due to J, which a linear map without weights does not have (None).
    """

    weight_shape: tuple | None = None    # (inputs + 1, outputs) where there are weights

    @abstractmethod
    def output_shape(self, input_shape):
        """The shape of one output; ShapeError if the layer does not take such inputs."""

    @abstractmethod
    def forward(self, xp, W, x):
        """``(y, memory)``."""

    @abstractmethod
    def jvp(self, xp, W, memory, dW, dx):
        """``(dy, dmemory)``; dx is None for the input of the network, which does not move."""

    @abstractmethod
    def pull_back(self, xp, W, memory, g):
        """The covector at x of a covector g at y."""

    def pull_back_tangent(self, xp, W, memory, dW, dmemory, g):
        """The derivative of `pull_back` at fixed g, or None for zero."""
        return None

    def local_curvature(self, xp, memory, g):
        """Σ_q g_q ∂²y_q/∂x_i² of an elementwise map, of the shape of x; None where the map is linear, or bilinear in W and x."""
        return None


# Layers with weights

class Rows(NamedTuple):
    """The memory of a layer with weights: its input as rows, and the shape of one input."""

    a: Any
    input_shape: tuple


class Affine(Layer):
    """s = ā W for rows ā that are taken from the input: what dense and convolution layers share.

    Mathematically, a sample has L rows a, one for each position, and g is a covector at the images of the rows; the covector at
    W is Σ ā gᵀ over samples and positions. These rows and covectors are what Kronecker factors are made of.

    Shapes: rows (..., n L, inputs), covectors at their images (..., n L, outputs).
    """

    bias: bool
    input_rank: int

    @abstractmethod
    def count(self, input_shape):
        """L, the positions of a sample."""

    @abstractmethod
    def take(self, xp, x):
        """The rows of an input."""

    @abstractmethod
    def put(self, xp, rows, input_shape):
        """The transpose of `take`: a covector at the rows as one at the input."""

    @abstractmethod
    def merge(self, xp, g):
        """Images, or covectors there, as rows."""

    @abstractmethod
    def spread(self, xp, s, input_shape):
        """The inverse of `merge`."""

    @property
    def inputs(self):
        """The length of a row, without the 1."""
        return self.weight_shape[0] - self.bias

    def homogeneous(self, xp, rows):
        """ā = (a, 1), or a itself without a bias."""
        return xp.concat([rows, xp.ones_like(rows[..., :1])], axis=-1) if self.bias else rows

    def positions(self, xp, rows, input_shape):
        """Rows with the positions on an axis of their own, shape (..., n, L, length)."""
        L = self.count(input_shape)
        return xp.reshape(rows, (*rows.shape[:-2], rows.shape[-2] // L, L, rows.shape[-1]))

    def second_moment(self, xp, inputs):
        """Σ ā āᵀ over samples and positions, shapes (..., n, L, inputs) to (..., inputs + 1, inputs + 1); ā is not formed."""
        moment = second_moment(xp, inputs)
        if not self.bias:
            return moment
        total = xp.sum(inputs, axis=(-3, -2))[..., None, :]
        count = xp.ones_like(total[..., :1]) * float(inputs.shape[-3] * inputs.shape[-2])
        upper = xp.concat([moment, xp.matrix_transpose(total)], axis=-1)
        return xp.concat([upper, xp.concat([total, count], axis=-1)], axis=-2)

    def _linear(self, W):
        return W[..., :-1, :] if self.bias else W

    def _times(self, xp, rows, W):
        """ā W."""
        s = xp.matmul(rows, self._linear(W))
        return _add_to_rows(xp, s, W[..., -1:, :]) if self.bias else s

    def forward(self, xp, W, x):
        memory = Rows(self.take(xp, x), tuple(x.shape[-self.input_rank:]))
        return self.spread(xp, self._times(xp, memory.a, W), memory.input_shape), memory

    def jvp(self, xp, W, memory, dW, dx):
        ds, da = self._times(xp, memory.a, dW), None
        if dx is not None:
            da = self.take(xp, dx)
            ds = ds + xp.matmul(da, self._linear(W))
        return self.spread(xp, ds, memory.input_shape), da

    def pull_back(self, xp, W, memory, g):
        rows = xp.matmul(self.merge(xp, g), xp.matrix_transpose(self._linear(W)))
        return self.put(xp, rows, memory.input_shape)

    def pull_back_tangent(self, xp, W, memory, dW, dmemory, g):
        return self.pull_back(xp, dW, memory, g)

    def weight_covector(self, xp, rows, g, out):
        """Σ ā gᵀ over samples and positions, into `out` of shape (..., weights)."""
        g = self.merge(xp, g)
        split = self.inputs * g.shape[-1]
        _product_into(xp, xp.matrix_transpose(rows), g, out[..., :split])
        if self.bias:
            out[..., split:] = _sum_of_rows(xp, g)

    def weight_covector_tangent(self, xp, drows, g, out):
        """The share of moving rows, Σ (da, 0) gᵀ, added to `out`."""
        g = self.merge(xp, g)
        covector = xp.matmul(xp.matrix_transpose(drows), g)
        out[..., :self.inputs * g.shape[-1]] += xp.reshape(covector, (*covector.shape[:-2], self.inputs * g.shape[-1]))

    def example_covectors(self, xp, memory, g, out):
        """Σ ā gᵀ over the positions of each sample, into `out` of shape (..., n, weights)."""
        rows = self.positions(xp, self.homogeneous(xp, memory.a), memory.input_shape)
        g = self.positions(xp, self.merge(xp, g), memory.input_shape)
        if rows.shape[-2] == 1:
            _outer_into(xp, rows[..., 0, :], g[..., 0, :], out)
        else:
            _product_into(xp, xp.matrix_transpose(rows), g, out)


def second_moment(xp, rows):
    """Σ r rᵀ over samples and positions, shapes (..., n, L, k) to (..., k, k).

    NumPy recognises the product of an array with its own transpose and computes half of it.
    """
    rows = xp.reshape(rows, (*rows.shape[:-3], rows.shape[-3] * rows.shape[-2], rows.shape[-1]))
    return xp.matmul(xp.matrix_transpose(rows), rows)


def _add_to_rows(xp, s, b):
    """s + b for a row b, shapes (..., n, k) and (..., 1, k), in s itself: it is new and large.

    Short rows go several at a time, as a loop over a few numbers costs more than the numbers.
    """
    n, k = s.shape[-2:]
    together = gcd(n, max(1, 256 // k))
    whole = xp.reshape(s, (*s.shape[:-2], n // together, together * k))
    whole += xp.concat([b] * together, axis=-1)
    return xp.reshape(whole, s.shape)


def _sum_of_rows(xp, g):
    """Σ of the rows, shape (..., n, k) to (..., k), as a product: a sum over short rows is slower."""
    return xp.matmul(xp.ones(g.shape[-2], dtype=g.dtype), g)


def _product_into(xp, a, b, out):
    """a b, shapes (..., m, n) and (..., n, p), written into a slice (..., m p) of a larger array."""
    if xp.name == "numpy":
        np.matmul(a, b, out=np.reshape(out, (*out.shape[:-1], a.shape[-2], b.shape[-1]), copy=False))
    else:
        out[...] = xp.reshape(xp.matmul(a, b), out.shape)


def _outer_into(xp, a, b, out):
    """a bᵀ of vectors, shapes (..., m) and (..., p), written into a slice (..., m p): no library call per sample."""
    if xp.name == "numpy":
        np.multiply(a[..., None], b[..., None, :], out=np.reshape(out, (*out.shape[:-1], a.shape[-1], b.shape[-1]), copy=False))
    else:
        out[...] = xp.reshape(a[..., None] * b[..., None, :], out.shape)


@dataclass(frozen=True)
class Dense(Affine):
    """s = ā W, every output from every input."""

    n_inputs: int
    n_outputs: int
    bias: bool = True
    input_rank = 1

    def __post_init__(self):
        require_count("n_inputs", self.n_inputs)
        require_count("n_outputs", self.n_outputs)

    @property
    def weight_shape(self):
        return self.n_inputs + self.bias, self.n_outputs

    @property
    def fans(self):
        """(inputs of an output, outputs of an input)."""
        return self.n_inputs, self.n_outputs

    def output_shape(self, input_shape):
        if tuple(input_shape) != (self.n_inputs,):
            raise ShapeError(f"{self!r} takes inputs of shape ({self.n_inputs},); got {tuple(input_shape)}")
        return (self.n_outputs,)

    def count(self, input_shape):
        return 1

    def take(self, xp, x):
        return x

    def put(self, xp, rows, input_shape):
        return rows

    def merge(self, xp, g):
        return g

    def spread(self, xp, s, input_shape):
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
    """

    channels: int
    n_outputs: int
    kernel: Any = 3
    stride: Any = 1
    padding: Any = 0
    bias: bool = True
    input_rank = 3

    def __post_init__(self):
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, _pair(name, getattr(self, name)))
        sizes = {"channels": self.channels, "n_outputs": self.n_outputs, "kernel": min(self.kernel), "stride": min(self.stride)}
        for name, value in sizes.items():
            require_count(name, value)
        if min(self.padding) < 0:
            raise ValueError(f"padding must not be negative; got {self.padding!r}")

    @property
    def weight_shape(self):
        return self.kernel[0] * self.kernel[1] * self.channels + self.bias, self.n_outputs

    @property
    def fans(self):
        """(inputs of an output, outputs of an input)."""
        area = self.kernel[0] * self.kernel[1]
        return area * self.channels, area * self.n_outputs

    def _window(self, input_shape):
        return _Window(self, input_shape, self.kernel, self.stride, self.padding)

    def output_shape(self, input_shape):
        if len(input_shape) != 3 or input_shape[2] != self.channels:
            raise ShapeError(f"{self!r} takes inputs of shape (height, width, {self.channels}); got {tuple(input_shape)}")
        return (*self._window(input_shape).output, self.n_outputs)

    def count(self, input_shape):
        height, width = self._window(input_shape).output
        return height * width

    def take(self, xp, x):
        return xp.reshape(self._window(x.shape[-3:]).patches(xp, x), (*x.shape[:-4], -1, self.inputs))

    def put(self, xp, rows, input_shape):
        window = self._window(input_shape)
        patches = xp.reshape(rows, (*rows.shape[:-2], -1, *window.output, self.inputs))
        c = self.channels
        return window.put(xp, [patches[..., k * c:(k + 1) * c] for k in range(len(window.offsets))])

    def merge(self, xp, g):
        return xp.reshape(g, (*g.shape[:-4], g.shape[-4] * g.shape[-3] * g.shape[-2], g.shape[-1]))

    def spread(self, xp, s, input_shape):
        return xp.reshape(s, (*s.shape[:-2], -1, *self._window(input_shape).output, self.n_outputs))

    def pull_back(self, xp, W, memory, g):
        """One place of the window after the other: each a product and a sum over long runs of memory."""
        kernel, rows, c = xp.matrix_transpose(self._linear(W)), self.merge(xp, g), self.channels
        window = self._window(memory.input_shape)
        parts = (xp.matmul(rows, kernel[..., k * c:(k + 1) * c]) for k in range(len(window.offsets)))
        return window.put(xp, (xp.reshape(part, (*part.shape[:-2], -1, *window.output, c)) for part in parts))


class _Window:
    """The positions of a moving window on an image: one strided view of the padded image for each place in the window."""

    def __init__(self, layer, input_shape, kernel, stride, padding=(0, 0)):
        self.size, self.padding, self.kernel, self.stride = tuple(input_shape[:2]), padding, kernel, stride
        padded = [s + 2 * p for s, p in zip(self.size, padding)]
        if any(k > s for k, s in zip(kernel, padded)):
            raise ShapeError(f"{layer!r} does not fit into an image of shape {tuple(input_shape)}")
        self.output = tuple((s - k) // step + 1 for s, k, step in zip(padded, kernel, stride))
        along = [[slice(i, i + step * (n - 1) + 1, step) for i in range(k)] for k, step, n in zip(kernel, stride, self.output)]
        self.offsets = list(product(*along))

    def _padded(self, xp, x):
        (p, q), (height, width) = self.padding, self.size
        if not (p or q):
            return x
        padded = self._blank(xp, x)
        padded[..., p:p + height, q:q + width, :] = x
        return padded

    def take(self, xp, x):
        """The views, each of shape (..., *output, channels)."""
        x = self._padded(xp, x)
        return [x[..., rows, columns, :] for rows, columns in self.offsets]

    def patches(self, xp, x):
        """The window at every position, shape (..., *output, kernel * channels)."""
        if xp.name != "numpy" or self.kernel[1] * x.shape[-1] < 8:           # below, by the run is no faster than by the place
            return xp.concat(self.take(xp, x), axis=-1)
        windows = np.lib.stride_tricks.sliding_window_view(self._padded(xp, x), self.kernel, axis=(-3, -2))
        windows = np.moveaxis(windows[..., ::self.stride[0], ::self.stride[1], :, :, :], -3, -1)     # a window's row is a run
        return windows.reshape(*windows.shape[:-3], -1)

    def put(self, xp, parts):
        """The transpose of `take`."""
        out, apart = None, all(step >= k for step, k in zip(self.stride, self.kernel))
        for (rows, columns), part in zip(self.offsets, parts):
            out = self._blank(xp, part) if out is None else out
            if apart:                                             # no place in two windows
                out[..., rows, columns, :] = part
            else:
                out[..., rows, columns, :] += part
        (p, q), (height, width) = self.padding, self.size
        return out[..., p:p + height, q:q + width, :]

    def _blank(self, xp, like):
        height, width = (s + 2 * p for s, p in zip(self.size, self.padding))
        return xp.zeros((*like.shape[:-3], height, width, like.shape[-1]), dtype=like.dtype)


def _pair(name, value):
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, (int, np.integer)) for v in pair):
        raise ValueError(f"{name} must be an integer or a pair of integers; got {value!r}")
    return tuple(int(v) for v in pair)


# Layers without weights

class _Linear(Layer):
    """A linear map without weights; its memory is what its transpose needs."""

    @abstractmethod
    def apply(self, xp, memory, x):
        """The map."""

    @abstractmethod
    def remember(self, xp, x):
        """The memory of an input."""

    def forward(self, xp, W, x):
        memory = self.remember(xp, x)
        return self.apply(xp, memory, x), memory

    def jvp(self, xp, W, memory, dW, dx):
        return (None if dx is None else self.apply(xp, memory, dx)), None


@dataclass(frozen=True)
class Flatten(_Linear):
    """An input of `input_rank` axes as one vector, the last axis fastest."""

    input_rank: int = 3

    def output_shape(self, input_shape):
        if len(input_shape) != self.input_rank:
            raise ShapeError(f"{self!r} takes inputs of {self.input_rank} axes; got shape {tuple(input_shape)}")
        return (prod(input_shape),)

    def remember(self, xp, x):
        return tuple(x.shape[x.ndim - self.input_rank:])

    def apply(self, xp, memory, x):
        return xp.reshape(x, (*x.shape[:x.ndim - self.input_rank], prod(memory)))

    def pull_back(self, xp, W, memory, g):
        return xp.reshape(g, (*g.shape[:-1], *memory))


class _Pool(_Linear):
    """One number for each window and channel."""

    kernel: Any
    stride: Any

    def __post_init__(self):
        object.__setattr__(self, "kernel", _pair("kernel", self.kernel))
        object.__setattr__(self, "stride", self.kernel if self.stride is None else _pair("stride", self.stride))
        require_count("kernel", min(self.kernel))
        require_count("stride", min(self.stride))

    def _window(self, input_shape):
        return _Window(self, input_shape, self.kernel, self.stride)

    def output_shape(self, input_shape):
        if len(input_shape) != 3:
            raise ShapeError(f"{self!r} takes inputs of shape (height, width, channels); got {tuple(input_shape)}")
        return (*self._window(input_shape).output, input_shape[2])


@dataclass(frozen=True)
class AveragePool(_Pool):
    """The mean over each window of an image; the stride is the kernel unless given."""

    kernel: Any = 2
    stride: Any = None

    def remember(self, xp, x):
        return self._window(x.shape[-3:])

    def apply(self, xp, memory, x):
        return sum(memory.take(xp, x)) / len(memory.offsets)

    def pull_back(self, xp, W, memory, g):
        share = g / len(memory.offsets)
        return memory.put(xp, [share] * len(memory.offsets))


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest number in each window of an image; of equal ones the first. The stride is the kernel unless given."""

    kernel: Any = 2
    stride: Any = None

    def remember(self, xp, x):
        return self.forward(xp, None, x)[1]

    def forward(self, xp, W, x):
        window = self._window(x.shape[-3:])
        y, *others = (xp.asarray(part, copy=True) for part in window.take(xp, x))       # in one run of memory each
        greater = []
        for part in others:
            greater.append(part > y)
            y = xp.maximum(y, part)
        chosen, free = [], xp.ones_like(y, dtype=xp.bool)
        for later in reversed(greater):
            chosen.append(later & free)
            free = free & ~later
        chosen = [free, *reversed(chosen)]
        return y, (window, chosen)

    def apply(self, xp, memory, x):
        window, chosen = memory
        return sum(xp.astype(mask, part.dtype) * part for mask, part in zip(chosen, window.take(xp, x)))

    def pull_back(self, xp, W, memory, g):
        window, chosen = memory
        return window.put(xp, (xp.astype(mask, g.dtype) * g for mask in chosen))


class Activation(Layer):
    """An elementwise function y = σ(s), with its first two derivatives.

    Where `from_output` is true the derivatives use y only, and s, which is then None, is not kept. Where `curved` is false σ″ is
    0 everywhere.
    """

    from_output = True
    curved = True

    @abstractmethod
    def value(self, xp, s):
        """σ(s)."""

    @abstractmethod
    def first(self, xp, s, y):
        """σ′(s), given y = σ(s)."""

    @abstractmethod
    def second(self, xp, s, y):
        """σ″(s), given y = σ(s)."""

    def output_shape(self, input_shape):
        return tuple(input_shape)

    def forward(self, xp, W, x):
        y = self.value(xp, x)
        return y, (None if self.from_output else x, y)

    def jvp(self, xp, W, memory, dW, dx):
        return (None if dx is None else self.first(xp, *memory) * dx), dx

    def pull_back(self, xp, W, memory, g):
        return self.first(xp, *memory) * g

    def pull_back_tangent(self, xp, W, memory, dW, dmemory, g):
        return None if dmemory is None else self.second(xp, *memory) * dmemory * g

    def local_curvature(self, xp, memory, g):
        return self.second(xp, *memory) * g if self.curved else None


@dataclass(frozen=True)
class Identity(Activation):
    """σ(s) = s."""

    curved = False

    def value(self, xp, s):
        return s

    def first(self, xp, s, y):
        return xp.ones_like(y)

    def second(self, xp, s, y):
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Tanh(Activation):
    """σ(s) = tanh s; σ′ = 1 − y², σ″ = −2 y σ′."""

    def value(self, xp, s):
        return xp.tanh(s)

    def first(self, xp, s, y):
        return 1.0 - y * y

    def second(self, xp, s, y):
        return -2.0 * y * (1.0 - y * y)


@dataclass(frozen=True)
class Logistic(Activation):
    """σ(s) = 1 / (1 + e^{−s}); σ′ = y (1 − y), σ″ = σ′ (1 − 2 y)."""

    def value(self, xp, s):
        return xp.expit(s)

    def first(self, xp, s, y):
        return y * (1.0 - y)

    def second(self, xp, s, y):
        return y * (1.0 - y) * (1.0 - 2.0 * y)


@dataclass(frozen=True)
class Relu(Activation):
    """σ(s) = max(s, 0); σ′ = 1 where s > 0, else 0; σ″ = 0."""

    curved = False

    def value(self, xp, s):
        return xp.maximum(s, xp.zeros_like(s))

    def first(self, xp, s, y):
        return xp.astype(y > 0, y.dtype)

    def second(self, xp, s, y):
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Softplus(Activation):
    """σ(s) = log(1 + e^s); σ′ = 1 − e^{−y}, the logistic function of s, and σ″ = σ′ e^{−y}."""

    def value(self, xp, s):
        return xp.maximum(s, xp.zeros_like(s)) + xp.log1p(xp.exp(-xp.abs(s)))

    def first(self, xp, s, y):
        return -xp.expm1(-y)

    def second(self, xp, s, y):
        return -xp.expm1(-y) * xp.exp(-y)
