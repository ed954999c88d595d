"""Networks: layers one after the other, with exact derivatives in the weights."""
# The passes stand beside the network: each is what it makes, and goes through its layers in its order.
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ..arrays.blocks import gather, slices
from ..arrays.draws import Draws
from ..backend import Array, Namespace, backend_of, coerced, set_at
from ..errors import ShapeError, require, takes
from .affine import Affine
from .initial import Initial
from .interface import LayerQuantities, Network, NetworkPass, shape_of_inputs
from .layer import Layer, Part, Shape
from .residual import Skips

__all__ = ["Pass", "Sequential"]


# Outputs of layers in a block of samples, eight megabytes of float32. The gradient of a network of two convolutions on 512 images
# takes 36 ms with it, 32 and 49 with twice and four times as much, 40 and 77 with a quarter and a sixteenth (one thread)
ACTIVATIONS = 2**21

Step = tuple[Any, slice | None, Array, Any]         # layer, slice of its weights, matrix, memory: those of one of `steps`


class Sequential(Network):
    """Layers one after the other: a map f(w, x) of a flat weight vector and a batch of inputs.

    Mathematically, w holds the weight matrices W_1, W_2, … of the layers that have some, each (inputs + 1, outputs) row by row;
    `blocks` gives them as views.

    Parameters
    ----------
    layers : sequence of Layer or Residual
    input_shape : tuple of int
        The shape of one input.

    Attributes
    ----------
    steps : tuple of Layer
        The layers in the order in which they are computed: `layers`, with those inside of a `Residual` between marks.
    first : int
        Of these the first with weights: below it no covector is needed.

    Shapes: weights w (..., size), inputs x (..., n, *input_shape), outputs (..., n, *output_shape). Leading axes of w are a batch
    of networks and broadcast with those of x.

    Raises
    ------
    ShapeError
        If a layer does not take what the one before it gives.

    Examples
    --------
    >>> from infogeo.networks import Dense, Relu, Sequential
    >>> network = Sequential([Dense(2, 3), Relu(), Dense(3, 1)], (2,))
    >>> blocks = network.blocks(np.zeros(network.size))
    >>> network.size, blocks[0].shape, blocks[1], blocks[2].shape
    (13, (3, 3), None, (4, 1))
    """

    def __init__(self, layers: Iterable[Part], input_shape: Iterable[int]) -> None:
        self.layers, self.input_shape = tuple(layers), shape_of_inputs(input_shape)
        self.output_shape = self.input_shape
        for part in self.layers:
            if not isinstance(part, Part):
                raise TypeError(f"layers must be layers; got {part!r}")
            self.output_shape = part.output_shape(self.output_shape)
        self.steps: tuple[Layer, ...] = tuple(step for part in self.layers for step in part.steps())
        self.slices: list[slice | None] = []    # the part of w of each step, None where it has no weights
        self.size = 0
        for layer in self.steps:
            stop = self.size + (np.prod(layer.weight_shape, dtype=int).item() if layer.weight_shape else 0)
            self.slices.append(slice(self.size, stop) if layer.weight_shape else None)
            self.size = stop
        self.first = next((i for i, s in enumerate(self.slices) if s), len(self.steps))
        self._skips = any(layer.place for layer in self.steps)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.layers)}, {self.input_shape})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequential) and (self.layers, self.input_shape) == (other.layers, other.input_shape)

    def __hash__(self) -> int:
        return hash((self.layers, self.input_shape))

    def blocks(self, w: Array) -> list[Array | None]:
        """The weight matrix of each of `steps`, a view of shape (..., inputs + 1, outputs); None where there are no weights."""
        xp, w = self._weights("w", w)
        return self._blocks(xp, w)

    def _blocks(self, xp: Namespace, w: Array) -> list[Array | None]:
        return [xp.reshape(w[..., s], (*w.shape[:-1], *layer.weight_shape)) if s else None
                for layer, s in zip(self.steps, self.slices)]

    @cached_property
    def shapes(self) -> list[Shape]:
        """The shape of one output of each of `steps`."""
        shape, found, skips = self.input_shape, [], Skips(add=lambda shape, kept: shape)
        for layer in self.steps:
            shape = skips.forward(layer, layer.output_shape(shape))
            found.append(shape)
        return found

    def init(self, rng: np.random.Generator, initial: Initial | Sequence[Initial], *, shape: Shape = (),
             dtype: str = "float64") -> Array:
        """Random weights, shape (*shape, size), biases 0, on the chosen backend.

        Parameters
        ----------
        initial : Initial, or sequence of one for each layer with weights
        """
        xp = backend_of()
        draws = Draws(rng, xp, getattr(xp, dtype))
        parts, affine = [], sum(isinstance(layer, Affine) for layer in self.steps)
        laws = [initial] * affine if isinstance(initial, Initial) else list(initial)
        require("initial", f"{affine} laws, one a layer with weights", len(laws) == affine, len(laws))
        remaining = iter(laws)
        for layer in self.steps:
            if isinstance(layer, Affine):
                drawn = next(remaining).draw(draws, (*shape, layer.inputs, layer.weight_shape[1]), *layer.fans)
                parts.append(xp.reshape(drawn, (*shape, layer.inputs * layer.weight_shape[1])))
                if layer.bias:
                    parts.append(xp.zeros((*shape, layer.weight_shape[1]), dtype=drawn.dtype))
        return xp.concat(parts, axis=-1) if parts else xp.zeros((*shape, 0), dtype=getattr(xp, dtype))

    def forward(self, w: Array, x: Array) -> Array:
        """f(w, x), shape (..., n, *output_shape)."""
        xp, w, x = self._arguments(w, x)
        if prod(x.shape) > self.rows_of_a_block:       # maybe in blocks, which the cores share
            return self.record(w, x).output
        skips = Skips() if self._skips else None
        for layer, W in zip(self.steps, self._blocks(xp, w)):
            x, _ = layer.forward(xp, W, x)
            x = x if skips is None else skips.forward(layer, x)
        return x

    def record(self, w: Array, x: Array) -> "Pass":
        """The `Pass` of w and x: the output, and what its derivatives need."""
        xp, w, x = self._arguments(w, x)
        blocks = self.blocks_of_samples(w, x)
        return Pass(self, xp, w, x) if len(blocks) == 1 else PassInBlocks(self, xp, w, x, blocks)

    def _arguments(self, w: Array, x: Array) -> tuple[Namespace, Array, Array]:
        xp, w, x = coerced(w, x)
        self._weights("w", w)
        self.require_inputs(x)
        return xp, w, x

    @property
    def rows_of_a_block(self) -> int:
        """How many samples go together: their activations fit into the cache, unless the weights are more."""
        # a block reads all weights and gives a covector at each: four times as many activations leave that a small share
        return max(1, max(ACTIVATIONS, 4 * self.size) // max(1, self._activations))

    @cached_property
    def _activations(self) -> int:
        """Numbers in the outputs of all layers for one sample."""
        return sum(prod(shape) for shape, layer in zip(self.shapes, self.steps) if layer.place is None)

    def blocks_of_samples(self, w: Array, x: Array) -> list[slice]:
        """Slices of the samples that go together; one for a batch of networks, or off the host."""
        (xp, w, x), n = coerced(w, x), x.shape[x.ndim - len(self.input_shape) - 1]
        rows = self.rows_of_a_block
        if xp.name != "numpy" or w.ndim > 1 or x.ndim > len(self.input_shape) + 1 or rows >= n:
            return [slice(0, n)]
        return slices(n, rows)

    def _weights(self, name: str, w: Array) -> tuple[Namespace, Array]:
        xp, w = coerced(w)
        if w.ndim == 0 or w.shape[-1] != self.size:
            raise ShapeError(f"{name} must have shape (..., {self.size}); got {tuple(w.shape)}")
        return xp, w


class Pass(NetworkPass):
    """A forward pass: the output f(w, x), and the derivatives at this w and x, for as many directions as one likes.

    Mathematically, J = ∂f/∂w. `jvp` and `vjp` are J and Jᵀ; `vjp_tangent` is the derivative of w ↦ J(w)ᵀ g(w) along dw, which is
    what a Hessian-vector product is made of.

    Examples
    --------
    >>> network, x = ig.networks.MLP((1, 1)), [[1.0], [3.0]]
    >>> done = network.record(np.array([2.0, -1.0]), x)
    >>> done.jvp(np.array([1.0, 0.0]))[:, 0]        # J = (x, 1)
    array([1., 3.])
    >>> g, dg = np.ones((2, 1)), np.array([[1.0], [0.0]])
    >>> done.vjp_tangent(np.ones(2), g, dg)         # Jᵀ dg, as J is constant
    array([1., 1.])
    """

    @takes(network=Sequential)
    def __init__(self, network: Sequential, xp: Namespace, w: Array, x: Array) -> None:
        if not isinstance(xp, Namespace):
            raise TypeError(f"Pass takes a Namespace as its argument xp, such as backend_of(w, x); got {xp!r}")
        self.network, self.xp, self.dtype = network, xp, xp.result_type(w, x)
        self._matrices = network._blocks(xp, w)
        self._memories, skips = [], Skips()
        for layer, W in zip(network.steps, self._matrices):
            x, memory = layer.forward(xp, W, x)
            x = skips.forward(layer, x)
            self._memories.append(memory)
        self.output = x

    @property
    def blocks(self) -> "list[tuple[slice, Pass]]":
        """The samples in blocks, a list of (slice, Pass): here all of them."""
        return [(slice(None), self)]

    def steps(self) -> list[Step]:
        """(layer, slice, matrix, memory) of each layer from the first to the last."""
        return list(zip(self.network.steps, self.network.slices, self._matrices, self._memories))

    def as_covector(self, g: Array) -> Array:
        """A covector at the output, broadcast to it."""
        _, g = coerced(g)
        shape = self.output.shape
        try:
            return self.xp.broadcast_to(g, np.broadcast_shapes(g.shape, shape))
        except ValueError:
            raise ShapeError(f"g must broadcast with the output of shape {tuple(shape)}; got {tuple(g.shape)}") from None

    def _backward(self, g: Array) -> Iterator[tuple[int, Affine, slice, Any, Array]]:
        """(index, layer, slice, memory, covector at its output) of each layer with weights, from the last to the first."""
        first = self.network.first
        steps, skips = self.steps(), Skips()
        for i in range(len(steps) - 1, first - 1, -1):
            layer, s, W, memory = steps[i]
            if s:
                yield i, layer, s, memory, g
            if i > first:
                g = skips.backward(layer, layer.pull_back(self.xp, W, memory, g))

    def _empty(self, g: Array) -> Array:
        """Where a covector at the weights goes, shape (..., size)."""
        batch = g.shape[:g.ndim - 1 - len(self.network.output_shape)]
        return self.xp.empty((*batch, self.network.size), dtype=self.dtype)

    def _joined(self, out: Array, s: slice, part: Array) -> Array:
        """The covector at all weights with that at those of a layer, which already is a view of it where arrays have views."""
        return set_at(self.xp, out, (..., s), part) if self.xp.name == "jax" else out

    def vjp(self, g: Array) -> Array:
        """Jᵀ g, shape (..., size)."""
        g = self.as_covector(g)
        out = self._empty(g)
        for _, layer, s, memory, covector in self._backward(g):
            out = self._joined(out, s, layer.weight_covector(self.xp, memory.a, covector, out[..., s]))
        return out

    def per_example_gradients(self, g: Array) -> Array:
        """J_nᵀ g_n of every sample, shape (..., n, size)."""
        g = self.as_covector(g)
        shape = *g.shape[:g.ndim - len(self.network.output_shape)], self.network.size
        return self._examples_into(g, self.xp.empty(shape, dtype=self.dtype))

    def _examples_into(self, g: Array, out: Array) -> Array:
        """J_nᵀ g_n of every sample in an array of that shape, where the library writes to arrays."""
        for _, layer, s, memory, covector in self._backward(g):
            out = self._joined(out, s, layer.example_covectors(self.xp, memory, covector, out[..., s]))
        return out

    def layer_inputs(self) -> list[tuple[Affine, Array]]:
        """(layer, rows a at L positions of each sample) of each layer with weights, shape (..., n, L, inputs)."""
        return [(layer, layer.positions(self.xp, memory.a, memory.input_shape))
                for layer, s, _, memory in self.steps() if s]

    def layer_quantities(self, g: Array) -> list[LayerQuantities]:
        """`LayerQuantities` of each layer with weights, from the first to the last, for the covectors g at the output."""
        found = []
        for i, layer, s, memory, covector in self._backward(self.as_covector(g)):
            rows, shape = memory.a, memory.input_shape
            found.append(LayerQuantities(i, layer, s, layer.positions(self.xp, rows, shape),
                                         layer.positions(self.xp, layer.merge(self.xp, covector), shape)))
        return found[::-1]

    def _forward_tangents(self, dw: Array) -> tuple[Array, list[Any]]:
        """``(d output, [(dW, dmemory)])`` along dw."""
        _, dw = self.network._weights("dw", dw)
        dx, tangents, skips = None, [], Skips()
        for (layer, _, W, memory), dW in zip(self.steps(), self.network._blocks(self.xp, dw)):
            dx, dmemory = layer.jvp(self.xp, W, memory, dW, dx)
            dx = skips.forward(layer, dx)
            tangents.append((dW, dmemory))
        return self.xp.zeros_like(self.output) if dx is None else dx, tangents

    def jvp(self, dw: Array) -> Array:
        """J dw, shape (..., n, *output_shape)."""
        return self._forward_tangents(dw)[0]

    def vjp_tangent(self, dw: Array, g: Array, dg: Array | Callable[[Array], Array]) -> Array:
        """The derivative of Jᵀ g along dw, where g moves by dg itself, shape (..., size).

        `dg` may be a function of the derivative of the output along dw, which is at hand here.
        """
        moved, tangents = self._forward_tangents(dw)
        g, dg = self.as_covector(g), self.as_covector(dg(moved) if callable(dg) else dg)
        shape = np.broadcast_shapes(g.shape, dg.shape, moved.shape)
        return self._backward_tangents(tangents, self.xp.broadcast_to(g, shape), self.xp.broadcast_to(dg, shape))

    def _backward_tangents(self, tangents: list[Any], g: Array, dg: Array) -> Array:
        xp, first = self.xp, self.network.first
        out = self._empty(dg)
        steps, skips, moved = self.steps(), Skips(), Skips()
        for i in range(len(steps) - 1, first - 1, -1):
            (layer, s, W, memory), (dW, dmemory) = steps[i], tangents[i]
            if s:
                part = layer.weight_covector(xp, memory.a, dg, out[..., s])
                if dmemory is not None:
                    part = layer.weight_covector_tangent(xp, dmemory, g, part)
                out = self._joined(out, s, part)
            if i > first:
                turned = layer.pull_back_tangent(xp, W, memory, dW, dmemory, g)
                dg = layer.pull_back(xp, W, memory, dg)
                dg = moved.backward(layer, dg if turned is None else dg + turned)
                g = skips.backward(layer, layer.pull_back(xp, W, memory, g))
        return out


class PassInBlocks(Pass):
    """A `Pass` block by block of the samples, whose activations stay in the cache; blocks go side by side on the cores."""

    def __init__(self, network: Sequential, xp: Namespace, w: Array, x: Array, slices: list[slice]) -> None:
        self.network, self.xp, self.dtype = network, xp, xp.result_type(w, x)
        self._w, self._x = w, x
        self._parts: list[tuple[slice, Pass]] = gather(lambda s: (s, Pass(network, xp, w, x[s, ...])), slices)
        self.output = xp.concat([part.output for _, part in self._parts])

    @property
    def blocks(self) -> "list[tuple[slice, Pass]]":
        return self._parts

    @cached_property
    def _whole(self) -> Pass:
        """The pass of all samples together, for those who look into the layers."""
        return Pass(self.network, self.xp, self._w, self._x)

    def steps(self) -> list[Step]:
        return self._whole.steps()

    def _axis(self, x: Array) -> int:
        """The axis of the samples, before those of one output."""
        return len(x.shape) - 1 - len(self.network.output_shape)

    def _cut(self, g: Array) -> list[tuple[Pass, Array]]:
        """A covector at the output in blocks."""
        axis = self._axis(g)
        return [(part, g[(*(slice(None),) * axis, rows, ...)]) for rows, part in self.blocks]

    def vjp(self, g: Array) -> Array:
        return sum(gather(lambda block: block[0].vjp(block[1]), self._cut(self.as_covector(g))))

    def jvp(self, dw: Array) -> Array:
        parts = gather(lambda block: block[1].jvp(dw), self.blocks)
        return self.xp.concat(parts, axis=self._axis(parts[0]))

    def _examples_into(self, g: Array, out: Array) -> Array:
        blocks = [(*cut, out[..., rows, :]) for cut, (rows, _) in zip(self._cut(g), self.blocks)]
        gather(lambda block: block[0]._examples_into(*block[1:]), blocks)
        return out

    def layer_quantities(self, g: Array) -> list[LayerQuantities]:
        parts = gather(lambda block: block[0].layer_quantities(block[1]), self._cut(self.as_covector(g)))
        return [qs[0]._replace(inputs=self.xp.concat([q.inputs for q in qs], axis=-3),
                               covectors=self.xp.concat([q.covectors for q in qs], axis=-3)) for qs in zip(*parts)]

    def _forward_tangents(self, dw: Array) -> tuple[Array, list[Any]]:
        found = gather(lambda block: block[1]._forward_tangents(dw), self.blocks)
        return self.xp.concat([moved for moved, _ in found], axis=self._axis(found[0][0])), [tangents for _, tangents in found]

    def _backward_tangents(self, tangents: list[Any], g: Array, dg: Array) -> Array:
        cut = [(part, moves, g, dg) for moves, (part, g), (_, dg) in zip(tangents, self._cut(g), self._cut(dg))]
        return sum(gather(lambda block: block[0]._backward_tangents(*block[1:]), cut))
