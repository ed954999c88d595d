"""Relative natural gradient descent: the Fisher metric of every layer as a model of its own, given its inputs."""
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..backend import Array, Namespace, arrays, backend_of
from ..curvature.kronecker_factors import RunningAverage
from ..errors import ShapeError, require_count, require_positive, takes
from ..networks.activations import Activation
from ..networks.affine import Affine
from ..networks.batches import relative_weights
from ..networks.network import Pass, Sequential
from ..operators.base import IdentityOperator, LinearOperator
from ..operators.block import BlockDiagonal, DenseBlocks
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker
from ..operators.rounded import Rounded
from .examples import ExampleUpdate, Seen
from .layer_matrices import LayerMatrices

__all__ = ["RelativeNatural", "relative_metrics"]


@takes(Sequential)
def relative_metrics(network: Sequential, w: Array, x: Array, weights: Any = None) -> LayerMatrices:
    """The relative Fisher metrics of the layers with weights, as `LayerMatrices` on the homogeneous inputs ā = (a, 1).

    Mathematically, of the first and of the last such layer (1/n) Σ ā āᵀ, the same for every output, shape (p, p); of a layer
    between them one matrix (1/n) Σ σ′(s_j)² ā āᵀ for each unit j of the activation σ behind it, shape (outputs, p, p). These are
    the Fisher metrics of a = σ(s), respectively s, with additive normal noise of variance 1, given the inputs. A layer with no
    activation right behind it, such as the last inside of a `Residual`, has σ(s) = s.

    Parameters
    ----------
    network : Sequential
    w : array, shape (size,)
    x : array, shape (n, *input_shape)
    weights : array, shape (n,), optional
        Of the samples: the means are then Σ weight_n … / Σ weight_n.

    Raises
    ------
    ShapeError, DomainError

    Source: Sun & Nielsen, Relative Fisher information and natural gradient for learning large modular models (2017), for the
    hidden layers; first and last layers as in the code published with Liu et al. (2024).

    Examples
    --------
    >>> network, x = ig.networks.MLP((1, 2, 1)), np.array([[1.0], [3.0]])
    >>> found = ig.training.relative_metrics(network, np.zeros(7), x)
    >>> first, last = (matrices[0] for matrices in found.layers)
    >>> first, last.shape                           # E[ā āᵀ] of the inputs
    (array([[5., 2.],
           [2., 1.]]), (3, 3))
    """
    xp, w, x = arrays(w, x)
    if x.ndim < 2:
        raise ShapeError(f"x must have shape (n, *inputs); got {tuple(x.shape)}")
    return _of_pass(network.record(w, x), relative_weights(weights, x, x.shape[0]))


def _of_pass(done: Pass, weights: Array | None) -> LayerMatrices:
    """The metrics from a forward pass that is there already, with the weights of its samples over their mean."""
    xp, steps, found = done.xp, done.steps(), []
    places = [i for i, step in enumerate(steps) if isinstance(step[0], Affine)]
    for i in places:
        layer, _, _, memory = steps[i]
        rows = layer.positions(xp, memory.a, memory.input_shape)
        if i in (places[0], places[-1]):
            total = layer.second_moment(xp, rows, weights)
        else:
            behind, _, _, seen = steps[i + 1]
            rows = layer.homogeneous(xp, rows)
            rows = rows if weights is None else xp.sqrt(weights)[:, None, None] * rows
            rows = xp.reshape(rows, (-1, rows.shape[-1]))
            slopes = layer.merge(xp, behind.first(xp, *seen)) if isinstance(behind, Activation) else None
            total = _of_units(xp, rows, slopes, layer.weight_shape[1])
        found.append(total / done.output.shape[0])
    return LayerMatrices.of([M] for M in found)


def _of_units(xp: Namespace, rows: Array, slopes: Array | None, outputs: int) -> Array:
    """Σ σ′(s_j)² ā āᵀ of every unit j, shape (outputs, p, p)."""
    if slopes is None:
        return xp.stack([xp.matmul(xp.matrix_transpose(rows), rows)] * outputs)
    weighted = xp.matrix_transpose(slopes)[:, :, None] * rows
    return xp.matmul(xp.matrix_transpose(weighted), weighted)


def _operator(network: Sequential, metrics: LayerMatrices, damping: float) -> BlockDiagonal:
    """The damped metric on all weights."""
    layers = [layer for layer in network.steps if layer.weight_shape]
    return BlockDiagonal(*(_layer_operator(layer, _damped(M, damping)) for layer, (M,) in zip(layers, metrics.layers)))


def _layer_operator(layer: Any, M: Array) -> LinearOperator:
    """M on every column of the weights, or M_j on the column of unit j."""
    xp = backend_of(M)
    if M.ndim == 3:
        return DenseBlocks(M, interleaved=True)
    return Kronecker(SymmetricDense(M), IdentityOperator(layer.weight_shape[1], like=xp.zeros(1, dtype=M.dtype)))


def _damped(M: Array, damping: float) -> Array:
    """M + damping · tr(M) I; I where the trace is 0."""
    xp, M = arrays(M)
    trace = xp.linalg.trace(M)[..., None, None]
    shift = xp.where(trace > 0, damping * trace, xp.ones_like(trace))
    return M + shift * xp.eye(M.shape[-1], dtype=M.dtype)


class RelativeState(NamedTuple):
    """Steps taken, the running average of the metrics, and the damped metric of the last inversion."""

    k: int
    averaged: Any
    metric: Any


@dataclass(frozen=True)
class RelativeNatural(ExampleUpdate):
    """RNGD: w − h M⁻¹ c with the damped running average M of the relative Fisher metrics of the layers.

    Parameters
    ----------
    damping : float
        Each matrix M is inverted as M + damping · tr(M) I. One of trace 0, of a unit that was never active, counts as I.
    average : RunningAverage
        Of the metrics of all steps.
    refresh : int
        Steps from one inversion to the next.

    Source: the code published with Liu et al., Structured natural gradient (2024), whose numbers are the defaults, but for
    the average, which has no start; it is not the algorithm of that paper, which `StructuredNatural` is. Sun & Nielsen (2017).

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 4, 1)),
    ...                                      ig.Bernoulli())
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> run = ig.descend(model.objective((x, x[:, 0] > 0)), w,
    ...                  update=ig.training.RelativeNatural(1e-2), step=0.5,
    ...                  max_steps=20)
    >>> bool(run.values[-1] < 0.5 * run.values[0])
    True
    """

    damping: float = 1e-4
    average: RunningAverage = RunningAverage(0.995)
    refresh: int = 100

    def __post_init__(self) -> None:
        require_count("refresh", self.refresh)
        require_positive("damping", self.damping)

    def init(self, x: Array) -> RelativeState:
        return RelativeState(0, self.average.init(), None)

    def learned(self, seen: Seen, x: Array, covector: Array, state: RelativeState) -> RelativeState:
        network, done = seen.loss.model.network, seen.loss.record(x).network_pass
        if not isinstance(network, Sequential) or not isinstance(done, Pass):
            raise TypeError(f"RelativeNatural needs the units of a Sequential; got {network!r}")
        averaged = self.average.update(state.averaged, _of_pass(done, seen.loss.weights))
        metric = state.metric if state.k % self.refresh else _operator(network, averaged.value, self.damping)
        return RelativeState(state.k, averaged, metric)

    def step(self, x: Array, covector: Array, h: Array, state: RelativeState) -> tuple[Array, RelativeState]:
        _, x = arrays(x)
        return x - h * Rounded(state.metric, x.dtype).solve(covector), state._replace(k=state.k + 1)
