"""Rows and covectors of the calls of a module, sample by sample: what the curvature of their parameters is made of."""
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ...backend import Array
from .calls import CONVOLUTIONS, NORMS, SCALES, Call
from .layout import Axis, Group, Slot

__all__ = ["by_sample", "convolved", "covectors_of", "elementwise", "empty", "rows_of"]


def empty(shape: tuple[int, ...], dtype: Any, device: Any) -> Array:
    """A large tensor to be written to, on the host in memory of NumPy's, which asks the system for large pages.

    512 gradients of 2.8 million weights are there in 0.9 s, in PyTorch's own memory in 1.3.
    """
    if device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return torch.from_numpy(np.empty(shape, np.float32 if dtype == torch.float32 else np.float64))


def by_sample(t: Array, axis: Axis, lead: int = 0) -> Array:
    """An array with the samples, and the positions that lie on their axis, in front: (lead, n, positions, rest)."""
    t = t.movedim(axis.place + lead, lead)
    return t.unflatten(lead, (t.shape[lead] // axis.positions, axis.positions))


def rows_of(call: Call, axis: Axis, group: Group, k: int, dtype: Any) -> Array:
    """The rows a that a layer multiplies, shape (n, L, inputs); k is the group of a convolution."""
    if call.kind in CONVOLUTIONS:
        return by_sample(_patches(call, group, k), axis).flatten(1, -2)
    a = by_sample(call.a, axis)
    if call.kind == "embedding":
        a = _one_hot(a.flatten(1), group.layers[0].n_inputs, call.arguments["padding_idx"], dtype)
    return a.flatten(1, -2)


def _one_hot(tokens: Array, size: int, padding: int | None, dtype: Any) -> Array:
    rows = F.one_hot(tokens, size).to(dtype)
    if padding is not None:                                # it has no gradient
        rows[..., padding] = 0.0
    return rows


def _patches(call: Call, group: Group, k: int) -> Array:
    """The patches of the images of group k, shape (n, positions, inputs)."""
    x, d = call.a, CONVOLUTIONS[call.kind]
    kernel = group.slots[0].shape[2:]
    stride, dilation = (_each(call.arguments[name], d) for name in ("stride", "dilation"))
    channels = group.slots[0].shape[1]
    if call.arguments["groups"] > 1:
        x = x[:, k * channels:(k + 1) * channels]
    x = F.pad(x, _padding(call.arguments["padding"], kernel, dilation, d))
    for i in range(d):
        x = x.unfold(2 + i, (kernel[i] - 1) * dilation[i] + 1, stride[i])
        x = x[..., ::dilation[i]] if dilation[i] > 1 else x
    # the positions last, as in the image, so that runs of them are copied: 512 of 8 x 14 x 14 in 2.2 ms, by F.unfold in 7.1
    kernel_first = 0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d)
    return x.permute(kernel_first).flatten(2 + d).flatten(1, 1 + d).mT


def _each(value: Any, d: int) -> tuple[int, ...]:
    return (value,) * d if isinstance(value, int) else tuple(value) if len(value) == d else tuple(value) * d


def _padding(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...], d: int) -> list[int]:
    """As `torch.nn.functional.pad` takes it: the last axis first."""
    if padding == "valid":
        return [0] * (2 * d)
    if padding == "same":
        total = [step * (size - 1) for size, step in zip(kernel, dilation)]
        return [end for t in reversed(total) for end in (t // 2, t - t // 2)]
    return [p for p in reversed(_each(padding, d)) for _ in range(2)]


def convolved(call: Call, g: Array, group: Group) -> Array:
    """The gradients of the samples in the weights of a convolution, shapes (m, *y.shape) to (m, n, inputs, outputs).

    The images of the samples are channels of one image, each a group of its own: of 512 of 28 x 28 through two convolutions they
    take 6.7 ms, as products with the patches 19.9.
    """
    d, n, (outputs, channels, *kernel) = CONVOLUTIONS[call.kind], call.a.shape[0], group.slots[0].shape
    stride, padding, dilation = (list(_each(call.arguments[name], d)) for name in ("stride", "padding", "dilation"))
    x = call.a.detach().reshape(1, n * channels, *call.a.shape[2:])
    like = x.new_empty((n * outputs, channels, *kernel))
    arguments = x, like, None, stride, padding, dilation, False, [0] * d, n, [False, True, False]
    found = [torch.ops.aten.convolution_backward(c.reshape(1, n * outputs, *c.shape[2:]), *arguments)[1] for c in g]
    return torch.stack(found).reshape(len(g), n, outputs, channels * prod(kernel)).mT


def covectors_of(call: Call, axis: Axis, g: Array, group: Group, k: int) -> Array:
    """The covectors at what a layer gives, shapes (m, *y.shape) to (m, n, L, outputs)."""
    g = by_sample(g, axis, 1)
    if call.kind in CONVOLUTIONS:
        outputs = group.layers[0].n_outputs
        g = g.movedim(3, -1)[..., k * outputs:(k + 1) * outputs]
    return g.flatten(2, -2)


def elementwise(call: Call, axis: Axis, g: Array, slot: Slot) -> Array:
    """The gradients of a parameter that scales, shifts or is expanded, shapes (m, *y.shape) to (m, n, size)."""
    if call.weight == slot.name and call.kind in NORMS | SCALES:
        g = g * call.a
    kept = [i for i in _places(call, slot) if i != axis.place]
    order = [i for i in range(call.y.ndim) if i != axis.place]          # the axes behind (m, n, positions)
    g = by_sample(g, axis, 1)
    summed = [2, *(3 + j for j, i in enumerate(order) if i not in kept)]
    return torch.sum(g, dim=summed).reshape(*g.shape[:2], prod(slot.shape))


def _places(call: Call, slot: Slot) -> list[int]:
    """The axes of the output of a call along which a parameter has entries of its own."""
    d = call.y.ndim
    if call.kind in ("batch_norm", "group_norm", "instance_norm", *CONVOLUTIONS):
        return [1]
    if call.kind == "prelu":
        return [1] if slot.shape != (1,) else []
    places = range(d - len(slot.shape), d)
    return [i for i, size in zip(places, slot.shape) if size != 1]
