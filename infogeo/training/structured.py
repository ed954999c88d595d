"""Structured natural gradient descent: plain gradient descent in weights w′ = G^{1/2} w behind frozen local Fisher layers."""
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..backend import Array, Namespace, set_at
from ..curvature.damping import Damping
from ..curvature.kronecker_factors import RunningAverage
from ..curvature.outputs import ExactColumns, Outputs
from ..curvature.per_layer import recorded
from ..errors import ShapeError, require, require_count, takes
from ..networks.affine import Affine
from ..networks.interface import Network
from ..networks.layer import Layer, Shape
from ..networks.model import Batch, ConditionalModel
from ..networks.network import Sequential
from ..networks.products import add_at
from ..operators.base import IdentityOperator, LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.kronecker import Kronecker
from .examples import ExampleUpdate, Seen
from .layer_matrices import LayerMatrices
from .layer_metrics import LayerMetric
from .square_roots import Eigen, SquareRoots, square_root

__all__ = ["LocalFisher", "StructuredNatural", "local_roots", "rebuild", "restore"]


# Networks with local Fisher layers

@dataclass(frozen=True, eq=False)
class LocalFisher(Affine):
    """A layer with weights w = S⁻¹ w′ behind a frozen square root S of a metric; w′ is what is trained.

    Mathematically, a covector c at w is S⁻¹ c at w′, so that a step of gradient descent in w′ is one of w against G⁻¹ c, G = S S.

    Parameters
    ----------
    layer : Affine
    root : LinearOperator
        S, symmetric, on the weights of the layer as a vector.

    Source: Liu & Liu, Structured natural gradient descent (2021), for the local Fisher layer.

    Examples
    --------
    >>> S = ig.operators.SymmetricDense(np.diag([2.0, 2.0]))  # w = w′ / 2
    >>> layer = ig.training.LocalFisher(ig.networks.Dense(1, 1), S)
    >>> network = ig.networks.Sequential([layer], (1,))
    >>> network.forward([4.0, 2.0], [[3.0]])        # 2 · 3 + 1
    array([[7.]])
    """

    layer: Affine
    root: LinearOperator = field(repr=False)

    weight_shape = property(lambda self: self.layer.weight_shape)
    bias = property(lambda self: self.layer.bias)
    input_rank = property(lambda self: self.layer.input_rank)
    fans = property(lambda self: self.layer.fans)

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.output_shape(input_shape)

    def count(self, input_shape: Shape) -> int:
        return self.layer.count(input_shape)

    def take(self, xp: Namespace, x: Array) -> Array:
        return self.layer.take(xp, x)

    def put(self, xp: Namespace, rows: Array, input_shape: Shape) -> Array:
        return self.layer.put(xp, rows, input_shape)

    def merge(self, xp: Namespace, g: Array) -> Array:
        return self.layer.merge(xp, g)

    def spread(self, xp: Namespace, s: Array, input_shape: Shape) -> Array:
        return self.layer.spread(xp, s, input_shape)

    def weights(self, xp: Namespace, W: Array) -> Array:
        """S⁻¹ w′ as a matrix, shape (..., inputs + 1, outputs)."""
        return xp.reshape(self.root.solve(xp.reshape(W, (*W.shape[:-2], -1))), W.shape)

    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        return self.layer.forward(xp, self.weights(xp, W), x)

    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        return self.layer.jvp(xp, self.weights(xp, W), memory, self.weights(xp, dW), dx)

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        return self.layer.pull_back(xp, self.weights(xp, W), memory, g)

    def pull_back_tangent(self, xp: Namespace, W: Array, memory: Any, dW: Array, dmemory: Array | None, g: Array) -> Array | None:
        return self.layer.pull_back_tangent(xp, self.weights(xp, W), memory, self.weights(xp, dW), dmemory, g)

    def weight_covector(self, xp: Namespace, rows: Array, g: Array, out: Array) -> Array:
        return set_at(xp, out, ..., self.root.solve(self.layer.weight_covector(xp, rows, g, out)))

    def weight_covector_tangent(self, xp: Namespace, drows: Array, g: Array, out: Array) -> Array:
        moved = self.layer.weight_covector_tangent(xp, drows, g, xp.zeros_like(out))
        return add_at(xp, out, ..., self.root.solve(moved))

    def example_covectors(self, xp: Namespace, memory: Any, g: Array, out: Array) -> Array:
        return set_at(xp, out, ..., self.root.solve(self.layer.example_covectors(xp, memory, g, out)))


@takes(ConditionalModel, metric=LayerMetric, damping=Damping, engine=SquareRoots, outputs=Outputs)
def local_roots(model: ConditionalModel, w: Array, batch: Batch, metric: LayerMetric, damping: Damping,
                engine: SquareRoots = Eigen(), outputs: Outputs = ExactColumns()) -> list[LinearOperator]:
    """The square roots of a model's layer metrics at w, one operator for each layer with weights.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
        y is looked at by `Observed` outputs only.
    metric : LayerMetric
    damping : Damping
    engine : SquareRoots
    outputs : Outputs
        The covectors at the output that the metrics are made of.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], None)
    >>> roots = ig.training.local_roots(model, w, batch, ig.training.Block(),
    ...                                 ig.curvature.Tikhonov(0.1))
    >>> exact = ig.curvature.block_diagonal(model, w, batch).blocks[0].dense()
    >>> S = roots[0].dense()
    >>> bool(np.allclose(S @ S, exact + 0.1 * np.eye(4)))
    True
    """
    done = recorded(model, w, batch)
    return _roots(model.network, metric.matrices(done, batch, outputs), metric, damping, engine, done.theta.dtype)


def rebuild(network: Network, w: Array, roots: Sequence[LinearOperator]) -> tuple[Sequential, Array]:
    """``(network, w′)``: the same function with local Fisher layers, and its trainable weights w′ = S w.

    Parameters
    ----------
    network : Sequential
    w : array, shape (..., size)
    roots : sequence of LinearOperator
        S of each layer with weights, as `local_roots` gives them.

    Examples
    --------
    >>> S = ig.operators.SymmetricDense(np.diag([2.0, 4.0]))
    >>> plain, w = ig.networks.MLP((1, 1)), np.array([3.0, 1.0])
    >>> network, moved = ig.training.rebuild(plain, w, [S])
    >>> moved, network.forward(moved, [[5.0]]), plain.forward(w, [[5.0]])
    (array([6., 4.]), array([[16.]]), array([[16.]]))
    """
    if not isinstance(network, Sequential):     # that of a model is any network to a type checker
        raise TypeError(f"rebuild takes a Sequential as its argument network; got {network!r}")
    needed = sum(isinstance(layer, Affine) for layer in network.steps)
    if len(roots) != needed or not all(isinstance(root, LinearOperator) for root in roots):
        raise TypeError(f"roots must be {needed} operators, one for each layer with weights; got {roots!r}")
    remaining = iter(roots)

    def local(layer: Layer) -> Layer:
        return LocalFisher(layer, next(remaining)) if isinstance(layer, Affine) else layer

    return Sequential([part.replaced(local) for part in network.layers], network.input_shape), BlockDiagonal(*roots).matvec(w)


@takes(Sequential)
def restore(network: Sequential, w: Array) -> tuple[Sequential, Array]:
    """``(network, w)``: the function of a rebuilt network without local Fisher layers, w = S⁻¹ w′.

    Examples
    --------
    >>> S = ig.operators.SymmetricDense(np.diag([2.0, 4.0]))
    >>> plain, w = ig.networks.MLP((1, 1)), np.array([3.0, 1.0])
    >>> network, moved = ig.training.rebuild(plain, w, [S])
    >>> again, w = ig.training.restore(network, moved)
    >>> moved, w
    (array([6., 4.]), array([3., 1.]))
    """
    local = [layer for layer in network.steps if isinstance(layer, LocalFisher)]
    if not local:
        raise ShapeError("restore takes a network with LocalFisher layers, as rebuild makes it; got one without")
    parts = [part.replaced(lambda layer: layer.layer if isinstance(layer, LocalFisher) else layer) for part in network.layers]
    return Sequential(parts, network.input_shape), BlockDiagonal(*(layer.root for layer in local)).solve(w)


def _roots(network: Network, matrices: LayerMatrices, metric: LayerMetric, damping: Damping, engine: SquareRoots,
           dtype: Any) -> list[LinearOperator]:
    """S of every layer, found in float64 and then rounded to the dtype of the network."""
    layers = [layer for layer in network.steps if isinstance(layer, Affine)]
    operators = [[engine.curvature(matrix) for matrix in found] for found in matrices.layers]
    damped = [metric.damped(layer, factors, damping) for layer, factors in zip(layers, operators)]
    return [_astype(square_root(operator, engine), dtype) for operator in damped]


def _astype(root: LinearOperator, dtype: Any) -> LinearOperator:
    """A root in the dtype of the weights."""
    if isinstance(root, Kronecker):
        return Kronecker(_astype(root.A, dtype), _astype(root.B, dtype))
    if isinstance(root, IdentityOperator):
        return IdentityOperator(root.dim, like=root.xp.zeros(1, dtype=dtype))
    cast: LinearOperator = root.astype(dtype)       # type: ignore[attr-defined]
    return cast


# The optimiser

class StructuredState(NamedTuple):
    """Steps taken, the running average of the layer matrices, the square roots made of it, and the step v′."""

    k: int
    averaged: Any
    roots: Any
    step: Any


@dataclass(eq=False)
class StructuredNatural(ExampleUpdate):
    """SNGD: gradient descent with momentum in w′ = S w behind local Fisher layers S⁻¹, which are renewed every so many steps.

    Mathematically, v′ ← β v′ − h S⁻¹ c and w ← w + S⁻¹ v′. With β = 0 this is w − h G⁻¹ c with the block-diagonal metric G = S S
    of the last renewal. At a renewal w′ becomes S_new w, so that the function stays, and v′ becomes S_new S_old⁻¹ v′, so that the
    motion stays.

    Parameters
    ----------
    metric : LayerMetric
        `Block`, `TwoSided`, `InputSide`, `OutputSide`.
    damping : Damping
    engine : SquareRoots
        `Eigen`, `DenmanBeavers`, `NewtonSchulz`, `Nystrom`.
    refresh : int
        Steps from one renewal to the next.
    average : RunningAverage
        Of the matrices of all renewals; ``RunningAverage(0.0)`` for those of the last alone.
    momentum : float
        β.
    outputs : Outputs
        The covectors at the output that the metrics are made of.

    Source: Liu & Liu, Structured natural gradient descent (2021); Liu, Boumaraf, Li, Lin, Liu, Niu & Werghi (2024), for the local
    Fisher layers; that the momentum is carried across renewals is ours.

    Examples
    --------
    >>> x = 10 * np.random.default_rng(0).standard_normal((50, 1))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> loss = model.objective((x, 2 * x[:, 0] - 1))          # badly scaled
    >>> sngd = ig.training.StructuredNatural(ig.training.Block(),
    ...                                      ig.curvature.Undamped())
    >>> run = ig.descend(loss, np.zeros(2), update=sngd, step=1.0, max_steps=1)
    >>> run.x.round(6)                              # least squares, in one step
    array([ 2., -1.])
    """

    metric: LayerMetric
    damping: Damping
    engine: SquareRoots = Eigen()
    refresh: int = 20
    average: RunningAverage = RunningAverage(0.95)
    momentum: float = 0.0
    outputs: Outputs = ExactColumns()

    def __post_init__(self) -> None:
        require_count("refresh", self.refresh)
        require("momentum", "0 <= momentum < 1", 0 <= self.momentum < 1, self.momentum)

    def init(self, x: Array) -> StructuredState:
        return StructuredState(0, self.average.init(), None, 0.0 * x)

    def learned(self, seen: Seen, x: Array, covector: Array, state: StructuredState) -> StructuredState:
        if state.k % self.refresh:
            return state
        averaged = self.average.update(state.averaged, self.metric.matrices(seen.loss.record(x), seen.loss.batch, self.outputs))
        roots = _roots(seen.loss.model.network, averaged.value, self.metric, self.damping, self.engine, x.dtype)
        step = state.step if state.roots is None else BlockDiagonal(*roots).matvec(BlockDiagonal(*state.roots).solve(state.step))
        return StructuredState(state.k, averaged, roots, step)

    def step(self, x: Array, covector: Array, h: Array, state: StructuredState) -> tuple[Array, StructuredState]:
        S = BlockDiagonal(*state.roots)
        step = self.momentum * state.step - h * S.solve(covector)
        return x + S.solve(step), state._replace(k=state.k + 1, step=step)
