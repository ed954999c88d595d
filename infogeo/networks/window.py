"""A window that moves over an image."""
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np

from ..backend import Array, Namespace, set_at
from ..errors import DomainError, ShapeError
from .layer import Shape
from .products import add_at

__all__ = ["Pair", "Window", "pair"]

# Numbers in a row of the window from which on a copy row by row beats one of each place after the other. 512 images of 28 x 28 in
# float32: at 3 numbers (one channel, 3 x 3) 6.7 ms by place and 15.6 by row, at 4 (two, 2 x 2) 22.8 and 10.7, at 24 120 and 45
RUN = 4

Pair = tuple[int, int]


class Window:
    """The positions of a moving window on an image: one strided view of the padded image for each place in the window."""

    def __init__(self, layer: Any, input_shape: Shape, kernel: Pair, stride: Pair, padding: Pair = (0, 0)) -> None:
        self.size, self.padding, self.kernel, self.stride = tuple(input_shape[:2]), padding, kernel, stride
        padded = [s + 2 * p for s, p in zip(self.size, padding)]
        if any(k > s for k, s in zip(kernel, padded)):
            raise ShapeError(f"{layer!r} does not fit into an image of shape {tuple(input_shape)}")
        self.output = tuple((s - k) // step + 1 for s, k, step in zip(padded, kernel, stride))
        along = [[slice(i, i + step * (n - 1) + 1, step) for i in range(k)] for k, step, n in zip(kernel, stride, self.output)]
        self.offsets = list(product(*along))

    def _padded(self, xp: Namespace, x: Array) -> Array:
        (p, q), (height, width) = self.padding, self.size
        if not (p or q):
            return x
        return set_at(xp, self._blank(xp, x), (..., slice(p, p + height), slice(q, q + width), slice(None)), x)

    def take(self, xp: Namespace, x: Array) -> list[Array]:
        """The views, each of shape (..., *output, channels)."""
        x = self._padded(xp, x)
        return [x[..., rows, columns, :] for rows, columns in self.offsets]

    def patches(self, xp: Namespace, x: Array) -> Array:
        """The window at every position, shape (..., *output, kernel * channels)."""
        if xp.name != "numpy" or self.kernel[1] * x.shape[-1] < RUN:
            return xp.concat(self.take(xp, x), axis=-1)
        windows = np.lib.stride_tricks.sliding_window_view(self._padded(xp, x), self.kernel, axis=(-3, -2))
        windows = np.moveaxis(windows[..., ::self.stride[0], ::self.stride[1], :, :, :], -3, -1)     # a window's row is a run
        return windows.reshape(*windows.shape[:-3], -1)

    def put(self, xp: Namespace, parts: Iterable[Array]) -> Array:
        """The transpose of `take`."""
        out: Array = None
        apart = all(step >= k for step, k in zip(self.stride, self.kernel))
        for (rows, columns), part in zip(self.offsets, parts):
            out = self._blank(xp, part) if out is None else out
            if apart:                                             # no place in two windows: nothing to read before it is written
                out = set_at(xp, out, (..., rows, columns, slice(None)), part)
            else:
                out = add_at(xp, out, (..., rows, columns, slice(None)), part)
        (p, q), (height, width) = self.padding, self.size
        return out[..., p:p + height, q:q + width, :]

    def _blank(self, xp: Namespace, like: Array) -> Array:
        height, width = (s + 2 * p for s, p in zip(self.size, self.padding))
        return xp.zeros((*like.shape[:-3], height, width, like.shape[-1]), dtype=like.dtype)


def pair(name: str, value: Any) -> Pair:
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, (int, np.integer)) for v in pair):
        raise DomainError(f"{name} must be an integer or a pair of integers; got {value!r}")
    return int(pair[0]), int(pair[1])
