"""The sweeps of curvature propagation through a model: from the vectors at its output to those at its weights."""
from abc import ABC, abstractmethod
from typing import Any

from ..backend import Array, Namespace, arrays
from ..domains.chart import Chart
from ..networks.affine import Affine
from ..networks.interface import NetworkPass
from ..networks.layer import Shape
from ..networks.model import Batch, ConditionalModel, ModelPass, NegativeLogLikelihood
from ..networks.network import Pass
from .noise import Noise
from .propagation import Balanced, Split, Sweep, extended

__all__ = ["Apart", "Samples", "Together", "across_layers", "below_the_output", "down", "flattened", "within_layers"]


# What becomes of the samples

class Samples(ABC):
    """How the vectors of the samples are put together, and the number `axes` of the last axes of θ over which noise is white."""

    axes: int

    @abstractmethod
    def outer(self, xp: Namespace, layer: Affine, rows: Array, g: Array, input_shape: Shape) -> Array:
        """Σ r gᵀ of rows at the input and covectors at the output of a layer, shape (m, ..., inputs, outputs)."""


class Together(Samples):
    """One vector of all samples."""

    axes = 2

    def outer(self, xp: Namespace, layer: Affine, rows: Array, g: Array, input_shape: Shape) -> Array:
        return xp.matmul(xp.matrix_transpose(rows), g)


class Apart(Samples):
    """A vector of each sample, with an axis of samples before those of the matrix."""

    axes = 1

    def outer(self, xp: Namespace, layer: Affine, rows: Array, g: Array, input_shape: Shape) -> Array:
        rows, g = layer.positions(xp, rows, input_shape), layer.positions(xp, g, input_shape)
        return xp.matmul(xp.matrix_transpose(rows), g)


# The sweeps

def _at_the_output(model: ConditionalModel, w: Array, batch: Batch, noise: Noise, split: Split,
                   axes: int) -> tuple[ModelPass, Sweep]:
    """``(pass, Sweep)`` below the node of the output law."""
    return below_the_output(model.objective(batch), w, noise, split, axes)


def below_the_output(loss: NegativeLogLikelihood, w: Array, noise: Noise, split: Split, axes: int) -> tuple[ModelPass, Sweep]:
    """The same of a loss that is there already."""
    done, family, chart = loss.record(w), loss.model.family, loss.model.chart
    xp, theta, u = arrays(done.theta, done.network_pass.output)
    residual = done.weighted(family.to_eta(theta) - loss.statistic)
    sweep = Sweep(xp, chart.pull_back(u, residual) / done.n, theta.ndim - axes, split, noise)
    sweep.add_root(done.output_covector(family.root(theta, sweep.white(theta.shape))) / done.n**0.5)
    if not chart.affine:
        sweep.add_symmetric(_chart_curvature(xp, chart, u, residual) / done.n)
    return done, sweep


def _chart_curvature(xp: Namespace, chart: Chart, u: Array, covector: Array) -> Array:
    """Σ_q c_q ∂²chart_q/∂u², shape (..., n, d, d)."""
    d = u.shape[-1]
    unit = xp.reshape(xp.eye(d, dtype=u.dtype), (d, *(1,) * (u.ndim - 1), d))
    return xp.moveaxis(chart.pull_back_tangent(u, unit, covector), 0, -1)


def down(done: NetworkPass) -> list[tuple[Any, slice | None, Array, Any, bool]]:
    """(layer, slice, matrix, memory, whether no weights are below) of each layer of a pass, down to the first with weights."""
    if not isinstance(done, Pass):
        raise TypeError(f"this propagates through the layers of a Sequential; got {done.network!r}")
    steps, first = done.steps(), done.network.first
    return [(*steps[i], i == first) for i in range(len(steps) - 1, first - 1, -1)]


def within_layers(model: ConditionalModel, w: Array, batch: Batch, noise: Noise, split: Split,
                  samples: Samples) -> list[Array]:
    """The vectors at the weights without the noise of products."""
    done, sweep = _at_the_output(model, w, batch, noise, split, samples.axes)
    xp, parts, through = sweep.xp, [], done.network_pass
    if not isinstance(through, Pass):
        for layer, rows, vectors in through.propagated(sweep):
            rows = xp.matrix_transpose(layer.homogeneous(xp, rows))
            each = [flattened(xp, xp.matmul(rows, v)) for v in vectors]
            parts.append(each if samples.axes == 1 else [xp.sum(v, axis=-2) for v in each])
        return _whole(xp, parts[::-1])
    for layer, s, W, memory, lowest in down(through):
        if s:
            parts.append(_at_weights(xp, layer, memory, sweep.vectors, samples))
        if not lowest:
            sweep.through(layer, W, memory)
    return _whole(xp, parts)


def across_layers(model: ConditionalModel, w: Array, batch: Batch, noise: Noise, samples: Samples) -> list[Array]:
    """The vectors at the weights with the noise of products."""
    done, sweep = _at_the_output(model, w, batch, noise, Balanced(), samples.axes)
    xp, parts = sweep.xp, []
    for layer, s, W, memory, lowest in down(done.network_pass):
        if s:
            parts.append(_at_weights(xp, layer, memory, sweep.vectors, samples))
        product = s and not lowest               # nothing that depends on weights enters the lowest layer
        if product:
            at_W, at_a = _product_node(sweep, layer, memory, samples)
            parts[-1] = sweep.joined(parts[-1], [at_W, xp.zeros_like(at_W)])
        if not lowest:
            sweep.through(layer, W, memory)
        if product:
            sweep.add([xp.zeros_like(at_a), at_a])
    return _whole(xp, parts)


def _at_weights(xp: Namespace, layer: Affine, memory: Any, vectors: list[Array], samples: Samples) -> list[Array]:
    """Vectors at the image of a layer as vectors at its weights, shape (m, ..., weights)."""
    rows = layer.homogeneous(xp, memory.a)
    return [flattened(xp, samples.outer(xp, layer, rows, layer.merge(xp, v), memory.input_shape)) for v in vectors]


def _product_node(sweep: Sweep, layer: Affine, memory: Any, samples: Samples) -> tuple[Array, Array]:
    """The noise of s = a W: of T at W, which has no row for the bias, and of U at the input of the layer."""
    xp, a, g = sweep.xp, memory.a, layer.merge(sweep.xp, sweep.g)
    shape = layer.positions(xp, a, memory.input_shape).shape            # noise of one sample is white over its positions, too
    v = 2.0**0.5 * sweep.white(shape)
    v = xp.reshape(xp.broadcast_to(v, (v.shape[0], *shape)), (v.shape[0], *a.shape))
    size = xp.sqrt(xp.linalg.vector_norm(g, axis=-1, keepdims=True))
    at_W = samples.outer(xp, layer, v, g / xp.where(size > 0, size, xp.ones_like(size)), memory.input_shape)
    if layer.bias:
        at_W = xp.concat([at_W, xp.zeros_like(at_W[..., :1, :])], axis=-2)
    return flattened(xp, at_W), layer.put(xp, v * size, memory.input_shape)


def flattened(xp: Namespace, matrix: Array) -> Array:
    return xp.reshape(matrix, (*matrix.shape[:-2], matrix.shape[-2] * matrix.shape[-1]))


def _whole(xp: Namespace, parts: list[list[Array]]) -> list[Array]:
    """The vectors at all weights from those at the layers, the last layer first."""
    m = parts[-1][0].shape[0]
    return [xp.concat([extended(xp, v, m) for v in column[::-1]], axis=-1) for column in zip(*parts)]
