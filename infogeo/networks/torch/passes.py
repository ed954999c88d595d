"""A forward pass of a PyTorch module with the derivatives of its output in the weights."""
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import torch
from torch.func import vjp, vmap

from ...backend import Array, Namespace
from ...errors import ShapeError
from ..affine import Affine, Dense
from ..interface import LayerQuantities, NetworkPass
from .calls import CONVOLUTIONS, Recorder
from .layout import Axis, Group
from .moments import convolved, covectors_of, elementwise, empty, rows_of
from .skeleton import Skeleton

__all__ = ["TorchPass"]


class TorchPass(NetworkPass):
    """The output f(w, x) of a module, and its derivatives there, from one graph that stays.

    Mathematically, J = ∂f/∂w; Jᵀ g is a backward pass, J v the backward pass of g ↦ Jᵀ g, which is linear, and the derivative of
    Jᵀ g that of the backward pass itself.
    """

    def __init__(self, network: Any, xp: Namespace, w: Array, x: Array, recorder: type[Recorder] = Recorder) -> None:
        self.network, self.xp, self.dtype = network, xp, w.dtype
        self._skeleton: Skeleton = network.skeleton
        self.w, self.x = w, x.detach()
        self.leaves = {name: p.detach().requires_grad_() for name, p in self._skeleton.views(w.detach()).items()}
        with torch.enable_grad():
            self.u, self.seen = self._skeleton.run(self.leaves, self.x, recorder)
        self.output = self.u.detach()
        self._rows: dict[str, list[Array]] = {}

    @property
    def blocks(self) -> "list[tuple[slice, TorchPass]]":
        return [(slice(None), self)]

    # Products

    def vjp(self, g: Array) -> Array:
        lead, g = self._covectors(g)
        return self._vector(self.backward(list(self.leaves.values()), g), lead)

    def jvp(self, dw: Array) -> Array:
        lead, dw = self._directions(dw)
        z, found = self._transposed
        views = self._skeleton.views(dw)
        moved = _gradients(list(found.values()), [z], [views[name] for name in found])[0] if found else None
        shape = (*lead, *self.output.shape)
        return torch.zeros(shape, dtype=self.dtype, device=self.output.device) if moved is None else moved.reshape(shape)

    @cached_property
    def _transposed(self) -> tuple[Array, dict[str, Any]]:
        """z, and Jᵀ z as a function of it, of the parameters that the output depends on."""
        z = torch.zeros_like(self.output, requires_grad=True)
        return z, self._differentiable(z)

    def _differentiable(self, g: Array) -> dict[str, Any]:
        """Jᵀ g with a graph of its own, of the parameters where it has one."""
        with torch.enable_grad():
            found = torch.autograd.grad(self.u, list(self.leaves.values()), g, create_graph=True, allow_unused=True)
        return {name: t for name, t in zip(self.leaves, found) if t is not None and t.requires_grad}

    def vjp_tangent(self, dw: Array, g: Array, dg: Array | Callable[[Array], Array]) -> Array:
        dg = dg(self.jvp(dw)) if callable(dg) else dg
        _, g = self._coerced(g)
        return self._second(dw, g) + self.vjp(dg)

    def _second(self, dw: Array, g: Array) -> Array:
        """Σ g · ∂²f/∂w² dw, shape (..., size)."""
        if g.ndim > self.output.ndim:
            lead = np.broadcast_shapes(dw.shape[:-1], g.shape[:g.ndim - self.output.ndim])
            dw, g = dw.expand(*lead, dw.shape[-1]), g.expand(*lead, *self.output.shape)
            rows = zip(dw.reshape(-1, dw.shape[-1]), g.reshape(-1, *self.output.shape))
            return torch.stack([self._second(v, c) for v, c in rows]).reshape(*lead, -1)
        lead, dw = self._directions(dw)
        found = self._differentiable(g)
        if not found:
            return torch.zeros((*lead, self.network.size), dtype=self.dtype, device=dw.device)
        views = self._skeleton.views(dw)
        return self._vector(_gradients(list(found.values()), list(self.leaves.values()), [views[name] for name in found]), lead)

    # Layers

    def per_example_gradients(self, g: Array) -> Array:
        lead, g = self._covectors(g)
        out = empty((*g.shape[:2], self.network.size), self.dtype, g.device)
        at_calls, unknown = self.at_calls([self.u], [g]), self._of_unknown(g)
        for group in self._skeleton.groups:
            if self._is_plain_convolution(group):
                self._of_convolution(group, at_calls[group.calls[0]], out)
                continue
            for layer, s, rows, c in self.at_layers(g.shape[0], at_calls, unknown, [group]):
                layer.examples_of_rows(self.xp, rows, c, out[..., s])
        return out.reshape(*lead, *out.shape[1:])

    def _of_convolution(self, group: Group, g: Array, out: Array) -> None:
        """Write the gradients of the samples in the parameters of a convolution."""
        (layer,), (s,), (i,) = group.layers, group.slices, group.calls
        part = out[..., s].unflatten(-1, layer.weight_shape)
        part[..., :layer.inputs, :] = convolved(self.seen.calls[i], g, group)
        if layer.bias:
            part[..., -1, :] = torch.sum(g.flatten(3), dim=-1)

    def _is_plain_convolution(self, group: Group) -> bool:
        """Whether a group is one call of a convolution of images, each a sample."""
        if group.kind != "affine" or len(group.calls) != 1 or len(group.layers) != 1:
            return False
        call, axes = self.seen.calls[group.calls[0]], self._skeleton.axes[group.calls[0]]
        return call.kind in CONVOLUTIONS and axes == (Axis(0, 1), Axis(0, 1)) and not isinstance(call.arguments["padding"], str)

    def layer_inputs(self) -> list[tuple[Affine, Array]]:
        self.network.require_known()
        rows = [a for group in self._skeleton.groups for a in self._rows_of(group)]
        return list(zip(self.network.steps, rows, strict=True))

    def layer_quantities(self, g: Array) -> list[LayerQuantities]:
        self.network.require_known()
        lead, g = self._covectors(g)
        return [LayerQuantities(k, layer, s, rows, c.reshape(*lead, *c.shape[1:]))
                for k, (layer, s, rows, c) in enumerate(self._quantities(g))]

    def _rows_of(self, group: Group) -> list[Array]:
        """The inputs of every layer of a group, shapes (n, L, inputs)."""
        name = group.slots[0].name
        if name not in self._rows:
            self._rows[name] = [self._rows_of_layer(group, k) for k in range(len(group.layers))]
        return self._rows[name]

    def _rows_of_layer(self, group: Group, k: int) -> Array:
        if group.kind != "affine":
            return torch.ones((self.output.shape[0], 1, 1), dtype=self.dtype, device=self.output.device)
        parts = [rows_of(self.seen.calls[i], self._skeleton.axes[i][0], group, k, self.dtype)       # type: ignore[arg-type]
                 for i in group.calls]
        return (parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)).detach()

    def _quantities(self, g: Array) -> Iterator[tuple[Dense, slice, Array, Array]]:
        """(layer, slice, rows, covectors) of every layer, for covectors (m, n, outputs) at the output."""
        return self.at_layers(g.shape[0], self.at_calls([self.u], [g]), self._of_unknown(g))

    def at_calls(self, outputs: list[Any], g: list[Any]) -> list[Array]:
        """Covectors (m, *shape) at tensors of the graph as covectors at what the calls give."""
        ys = [call.y for call in self.seen.calls]
        found = _gradients(outputs, ys, g) if ys else []
        return [g[0].new_zeros((g[0].shape[0], *y.shape)) if c is None else c for y, c in zip(ys, found)]

    def at_layers(self, m: int, at_calls: list[Array], unknown: dict[str, Any],
                  groups: list[Group] | None = None) -> Iterator[tuple[Dense, slice, Array, Array]]:
        """(layer, slice, rows, covectors) of every layer, for m covectors at the calls and those of unknown parameters."""
        calls = self.seen.calls
        for group in self._skeleton.groups if groups is None else groups:
            rows = iter(self._rows_of(group))
            if group.kind == "affine":
                for k, (layer, s) in enumerate(zip(group.layers, group.slices)):
                    parts = [covectors_of(calls[i], self._skeleton.axes[i][1], at_calls[i], group, k)    # type: ignore[arg-type]
                             for i in group.calls]
                    yield layer, s, next(rows), parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
                continue
            whole = unknown[group.slots[0].name] if group.kind == "unknown" else self._of_elements(group, at_calls, m)
            start = group.slices[0].start
            for layer, s in zip(group.layers, group.slices):
                yield layer, s, next(rows), whole[..., None, s.start - start:s.stop - start]

    def _of_elements(self, group: Group, at_calls: list[Array], m: int) -> Array:
        """The gradients of the samples in parameters that enter elementwise, shape (m, n, size)."""
        parts = []
        for slot in group.slots:
            total = self.output.new_zeros((m, self.output.shape[0], prod(slot.shape)))
            for i in group.calls:
                axis = self._skeleton.axes[i][1]
                assert axis is not None
                total = total + elementwise(self.seen.calls[i], axis, at_calls[i], slot)
            parts.append(total)
        return torch.cat(parts, dim=-1).detach()

    def _of_unknown(self, g: Array) -> dict[str, Any]:
        """The gradients of the samples in parameters of functions without a form: a backward pass of each sample."""
        names = [slot.name for group in self._skeleton.groups if group.kind == "unknown" for slot in group.slots]
        if not names:
            return {}
        held = {name: p.detach() for name, p in self.leaves.items()}

        def one(x: Array, c: Array) -> Any:
            def f(some: dict[str, Any]) -> Any:
                return self._skeleton.called(Recorder({}), held | some, x[None])[0]
            return vjp(f, {name: held[name] for name in names})[1](c)[0]

        try:
            with _quiet():
                found = [vmap(one)(self.x, c) for c in g]
        except RuntimeError:            # of a function that torch.func does not take
            found = [self._one_by_one(held, names, c) for c in g]
        return {name: torch.stack([f[name] for f in found]).flatten(2) for name in names}

    def _one_by_one(self, held: dict[str, Any], names: list[str], c: Array) -> dict[str, Any]:
        """The gradients of every sample in some parameters, for a covector (n, outputs)."""
        rows = []
        for x, one in zip(self.x, c):
            some = {name: held[name].clone().requires_grad_() for name in names}
            with torch.enable_grad():
                u = self._skeleton.called(Recorder({}), held | some, x[None])
            rows.append(_backward([u], list(some.values()), [one[None]]))
        return {name: torch.stack([torch.zeros_like(held[name]) if g is None else g for g in parts])
                for name, parts in zip(names, zip(*rows))}

    # Shapes

    def backward(self, inputs: list[Any], g: Array) -> list[Any]:
        """Covectors (m, n, outputs) at the output as covectors at tensors of the graph; None where these do not matter."""
        return _gradients([self.u], inputs, [g])

    def _coerced(self, g: Array) -> tuple[tuple[int, ...], Array]:
        """(leading axes, a covector at the output broadcast to it)."""
        g = torch.as_tensor(g, dtype=self.dtype, device=self.output.device)
        shape = self.output.shape
        try:
            g = g.expand(np.broadcast_shapes(tuple(g.shape), tuple(shape)))
        except ValueError:
            raise ShapeError(f"g must broadcast with the output of shape {tuple(shape)}; got {tuple(g.shape)}") from None
        return tuple(g.shape[:g.ndim - len(shape)]), g

    def _covectors(self, g: Array) -> tuple[tuple[int, ...], Array]:
        """(leading axes, covectors of shape (m, n, outputs))."""
        lead, g = self._coerced(g)
        return lead, g.reshape(prod(lead), *self.output.shape)

    def _directions(self, dw: Array) -> tuple[tuple[int, ...], Array]:
        """(leading axes, directions of shape (m, size))."""
        if dw.ndim == 0 or dw.shape[-1] != self.network.size:
            raise ShapeError(f"dw must have shape (..., {self.network.size}); got {tuple(dw.shape)}")
        lead = tuple(dw.shape[:-1])
        return lead, dw.to(self.dtype).reshape(prod(lead), dw.shape[-1])

    def _vector(self, found: list[Any], lead: tuple[int, ...]) -> Array:
        """Gradients of the parameters, (m, *shape), as (*lead, size)."""
        return self._skeleton.gathered(dict(zip(self.leaves, found)), self.output).reshape(*lead, self.network.size)


def _gradients(outputs: list[Any], inputs: list[Any], g: list[Any]) -> list[Any]:
    """Σ gᵀ ∂output/∂input of m covectors together, (m, *shape) each; None where an input does not matter."""
    m = g[0].shape[0]
    if m == 0:
        return [t.new_zeros((0, *t.shape)) for t in inputs]
    if m > 1 and g[0].device.type != "cpu":
        try:
            with _quiet():
                return _backward(outputs, inputs, g, is_grads_batched=True)
        except RuntimeError:        # of a function that PyTorch has no rule of several covectors for
            pass
    # on the host one after the other: 10 covectors of two convolutions in 61 ms, together in 108 to 177
    rows = [_backward(outputs, inputs, [c[k] for c in g]) for k in range(m)]
    return [None if parts[0] is None else parts[0][None] if m == 1 else torch.stack(parts) for parts in zip(*rows)]


def _backward(outputs: list[Any], inputs: list[Any], g: list[Any], **options: Any) -> list[Any]:
    known = [t for t in inputs if t.requires_grad]          # not what a module computes under torch.no_grad()
    found = iter(torch.autograd.grad(outputs, known, g, retain_graph=True, allow_unused=True, **options) if known else ())
    return [next(found) if t.requires_grad else None for t in inputs]


@contextmanager
def _quiet() -> Iterator[None]:
    """No word on what PyTorch does for one covector after the other in place of all together."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop", category=UserWarning)
        yield
