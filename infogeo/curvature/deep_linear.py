"""The exact natural gradient of deep linear networks, and what it makes of others."""
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays
from ..errors import takes
from ..networks.activations import Identity
from ..networks.affine import Dense
from ..networks.interface import Network
from ..networks.model import Batch, ConditionalModel
from ..networks.network import Sequential
from ..networks.products import second_moment
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker
from ..operators.reached import ReachedSquare
from .kfac import kfac
from .outputs import ExactColumns, Outputs
from .per_layer import recorded
from .sharing import Expand, Sharing

__all__ = ["deep_linear", "layerwise_natural"]

RANKS = 1e-10, 1e-5         # singular values below this share of a matrix are those of rounding, of passes in float64 and float32


@takes(ConditionalModel)
def deep_linear(model: ConditionalModel, w: Array, batch: Batch) -> LinearOperator:
    """The block-diagonal operator of a deep linear network whose solve is the natural gradient, exact in function space.

    Mathematically, f(x) = W_L … W_1 x with outputs of constant covariance. The Fisher metric F is singular, as many weights give
    one map. Of L square layers X = (1/L) diag(F_11⁻¹, …, F_LL⁻¹) satisfies F X F = F, so that X of a gradient is a natural
    gradient; this operator is L diag(F_11, …, F_LL), of Kronecker products of the second moment of a layer's inputs and of the
    metric pulled back to its outputs. Along the flow of X the loss minus its least value decays as e^{−2t}.

    Of other widths a layer may reach some changes of the map only: those of its inputs' range and of the range of what follows
    it, which shrink and grow from layer to layer. In bases of the two nested families, a pair of basis vectors that N_ab layers
    reach is moved 1/N_ab of its way by each of them. Where no layer is narrower than inputs and outputs N is L, and the inverses
    are pseudo-inverses; behind a bottleneck X is exact in the maps that the network can move to.

    Parameters
    ----------
    model : ConditionalModel
        Of dense layers without bias and no activation but the identity, and a family whose metric does not depend on θ.
    w : array, shape (size,)
    batch : pair (x, y)
        y is not used.

    Raises
    ------
    ValueError
        If the network or the family is of another kind; `layerwise_natural` takes any network.

    Source: Bernacchia, Lengyel & Hennequin, Exact natural gradient in deep linear networks and application to the nonlinear case
    (2018), for square layers; other widths are derived here.

    Examples
    --------
    >>> network = ig.networks.MLP((2, 2, 2), ig.networks.Identity(), bias=False)
    >>> outputs = ig.Independent(ig.NormalKnownVariance(1.0), 2)
    >>> model = ig.networks.ConditionalModel(network, outputs)
    >>> w, batch = np.tile([1.0, 0.2, -0.1, 0.8], 2), (np.eye(2), None)
    >>> F = ig.curvature.fisher(model, w, batch).dense()
    >>> X = ig.curvature.deep_linear(model, w, batch).inverse().dense()
    >>> bool(np.allclose(F @ X @ F, F))
    True
    """
    square = _require_linear(model.network)
    done = recorded(model, w, batch)
    xp, theta = arrays(done.theta)
    covectors = ExactColumns().covectors(model.family, theta, batch)
    _require_constant(model, covectors)
    root = 1.0 if done.weights is None else xp.sqrt(done.weights)[:, None, None]
    layers = [(root * q.inputs, q.covectors) for q in done.layer_quantities(covectors)]
    if not square:
        k = 0 if done.weights is None else int(xp.argmax(done.weights))         # a sample that counts
        scale = 1.0 if done.weights is None else xp.sqrt(done.weights[k])
        return _of_any_widths(xp, [(rows, covectors[:, k, 0, :] / scale) for rows, covectors in layers], theta.dtype)
    blocks = [Kronecker(*(SymmetricDense(_second_moment(xp, rows) / done.n, theta.dtype) for rows in layer)) for layer in layers]
    return float(len(blocks)) * BlockDiagonal(*blocks)


@takes(ConditionalModel, outputs=Outputs, sharing=Sharing)
def layerwise_natural(model: ConditionalModel, w: Array, batch: Batch, *, outputs: Outputs = ExactColumns(),
                      sharing: Sharing = Expand()) -> LinearOperator:
    """L times the Kronecker-factored curvature of L layers with weights: what `deep_linear` is, of any network.

    Mathematically, W_i moves by (1/L) G_i⁻¹ ∇_{W_i} Λ_i⁻¹ with the second moments Λ_i of the layer's inputs, behind their
    activations, and G_i of the covectors at its pre-activations under the model's own law. Each layer makes its share of the
    step, so that a step of size 1 of an undamped `kfac` goes about L times too far where the activations are near to
    linear, and one of this does not.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y), or (x, y, weights)
    outputs : Outputs
    sharing : Sharing

    Source: Bernacchia, Lengyel & Hennequin (2018), from the abstract: the expression for linear networks applied to nonlinear
    ones. That second moments behind activations take the place of the covariances, and biases are one more input, is our reading.

    Examples
    --------
    >>> from infogeo.curvature import kfac, layerwise_natural
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], None)
    >>> found, plain = layerwise_natural(model, w, batch), kfac(model, w, batch)
    >>> bool(np.allclose(found.dense(), 2 * plain.dense()))     # two layers
    True
    """
    blocks = kfac(model, w, batch, outputs=outputs, sharing=sharing)
    return float(len(blocks.blocks)) * blocks


def _of_any_widths(xp: Namespace, layers: list[tuple[Array, Array]], dtype: Any) -> LinearOperator:
    """From inputs (n, 1, a) and covectors (d, b), which are those of every sample, of each layer."""
    n, rank = layers[0][0].shape[0], RANKS[xp.finfo(dtype).bits < 64]
    inputs = [xp.astype(rows[:, 0, :], xp.float64) / n**0.5 for rows, _ in layers]
    outputs = [xp.astype(covectors, xp.float64) for _, covectors in layers]
    from_last, below = _nested(xp, inputs[::-1], rank)          # the ranges shrink from layer to layer
    from_first, above = _nested(xp, outputs, rank)              # these grow
    reached = [xp.asarray(np.outer(np.arange(E.shape[1]) < i, np.arange(D.shape[1]) < j), dtype=xp.float64)
               for E, D, i, j in zip([from_last] * len(layers), [from_first] * len(layers), below[::-1], above)]
    counts = sum(reached[1:], start=reached[0])
    blocks = []
    for H, A, seen in zip(inputs, outputs, reached):
        P, T = (xp.matmul(xp.matrix_transpose(basis), X) for basis, X in ((from_last, H), (from_first, A)))
        blocks.append(ReachedSquare(*(xp.astype(part, dtype) for part in (P, T, seen * counts))))
    return BlockDiagonal(*blocks)


def _nested(xp: Namespace, matrices: list[Array], rank: float) -> tuple[Array, list[int]]:
    """An orthonormal basis whose first columns span the range of the first matrix, more that of the next, …, and how many do."""
    basis, ranks = matrices[0][:, :0], []
    for A in matrices:
        rest = A - xp.matmul(basis, xp.matmul(xp.matrix_transpose(basis), A))
        U, s, _ = xp.linalg.svd(rest, full_matrices=False)
        new = int(xp.sum(xp.astype(s > rank * xp.linalg.vector_norm(A), xp.int64)))
        basis = xp.concat([basis, U[:, :new]], axis=-1)
        ranks.append(basis.shape[1])
    return basis, ranks


def _second_moment(xp: Namespace, rows: Array) -> Array:
    """Σ r rᵀ over all rows, in float64."""
    return second_moment(xp, xp.reshape(xp.astype(rows, xp.float64), (-1, 1, rows.shape[-1])))


def _require_linear(network: Network) -> bool:
    """Whether all layers are square."""
    if not isinstance(network, Sequential):
        raise ValueError(f"the network must be a Sequential of linear layers; got {network!r}")
    for i, layer in enumerate(network.layers):
        linear = isinstance(layer, Dense) and not layer.bias
        if not linear and not isinstance(layer, Identity):
            raise ValueError(f"the network must have dense layers without bias and no activation but the identity; layer {i} is "
                             f"{layer!r}; layerwise_natural takes any network")
    return all(layer.n_inputs == layer.n_outputs for layer in network.layers if isinstance(layer, Dense))


def _require_constant(model: ConditionalModel, covectors: Array) -> None:
    first = covectors[:, :1, :]
    xp, first = arrays(first)
    # a root of one matrix, computed at different points: equal up to the rounding of its factorisation
    spread, size = float(xp.max(xp.abs(covectors - first))), float(xp.max(xp.abs(first)))
    if not model.chart.affine or not spread <= 100 * float(xp.finfo(first.dtype).eps) * size:
        raise ValueError(f"the family must have a metric that does not depend on theta; got {model.family!r}")
