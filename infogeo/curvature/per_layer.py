"""What the curvature of a layer's weights is made of: sums over samples and over covectors at the output."""
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..backend import Array, Namespace, arrays
from ..errors import ShapeError, require
from ..networks.batches import relative_weights, require_batch
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ConditionalModel, ModelPass
from .outputs import Outputs

__all__ = ["example_gradients", "has_one_position", "layer_sums", "recorded", "sums_of_pass"]

Moment: TypeAlias = Callable[[Namespace, LayerQuantities], Array]


def recorded(model: ConditionalModel, w: Array, batch: Batch) -> ModelPass:
    """The `ModelPass` of one weight vector and the inputs of a batch (x, y), with the weights of its samples if there are some.

    Raises
    ------
    ShapeError
        If w is not one vector of weights, or x not one batch of inputs.
    DomainError
        If they are not finite.
    """
    x, _, weights = require_batch(batch)
    xp, w, x = arrays(w, x)
    if w.shape != (model.network.size,):
        raise ShapeError(f"w must have shape ({model.network.size},), the weights of one model; got {tuple(w.shape)}")
    shape = model.network.input_shape
    if tuple(x.shape[1:]) != shape:
        raise ShapeError(f"x must have shape ({', '.join(['n', *map(str, shape)])}); got {tuple(x.shape)}")
    require("w", "w finite", xp.isfinite(w), w)
    require("x", "x finite", xp.isfinite(x), x)
    return model.record(w, x, relative_weights(weights, x, x.shape[0]))


def layer_sums(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs,
               moment: Moment) -> tuple[Namespace, int, list[tuple[LayerQuantities, Array]]]:
    """``(xp, n, [(q, Σ moment(xp, q))])`` for every layer with weights, with the sum over the groups of covectors of `outputs`.

    Where a sample has one position the moment is one of each sample, shape (n, ...), else the sum over the samples. The
    `LayerQuantities` q that comes with a sum has the inputs of such a layer, and covectors of the last group.
    """
    return sums_of_pass(recorded(model, w, batch), batch, outputs, moment)


def sums_of_pass(done: ModelPass, batch: Batch, outputs: Outputs,
                 moment: Moment) -> tuple[Namespace, int, list[tuple[LayerQuantities, Array]]]:
    """`layer_sums` from a forward pass that is there already."""
    xp, blocks = arrays(done.theta)[0], done.network_pass.blocks
    sums: list[Array] = []
    for covectors in outputs.groups(done.model.family, done.theta, batch):
        g, quantities, terms = done.output_covector(covectors), [], []
        for rows, part in blocks:                           # block by block of the samples: covectors at images are large
            quantities.append(part.layer_quantities(g[..., rows, :]))
            terms.append([moment(xp, q) for q in quantities[-1]])
        joined = [_joined(xp, qs, of_layer) for qs, of_layer in zip(zip(*quantities), zip(*terms))]
        sums = joined if not sums else [total + term for total, term in zip(sums, joined)]
    whole = [qs[0]._replace(inputs=xp.concat([q.inputs for q in qs])) if has_one_position(qs[0]) else qs[0]
             for qs in zip(*quantities)]
    return xp, done.n, list(zip(whole, sums))


def _joined(xp: Namespace, qs: Sequence[LayerQuantities], terms: Sequence[Array]) -> Array:
    """The moments of all samples from those of the blocks."""
    return xp.concat(list(terms)) if has_one_position(qs[0]) else sum(terms[1:], start=terms[0])


def has_one_position(q: LayerQuantities) -> bool:
    """Whether every sample passes through the weights once, so that its gradient is the outer product ā gᵀ."""
    return bool(q.inputs.shape[-2] == 1)


def example_gradients(xp: Namespace, q: LayerQuantities) -> Array:
    """Σ ā gᵀ over the positions of each sample, shape (m, n, inputs + 1, outputs)."""
    m, n, L, outputs = q.covectors.shape
    # the covectors beside each other: one product a sample, where m products would each read its rows
    g = xp.reshape(xp.permute_dims(q.covectors, (1, 2, 0, 3)), (n, L, m * outputs))
    found = xp.matmul(xp.matrix_transpose(q.inputs), g)
    if q.layer.bias:
        found = xp.concat([found, xp.sum(g, axis=1, keepdims=True)], axis=1)
    return xp.permute_dims(xp.reshape(found, (n, -1, m, outputs)), (2, 0, 1, 3))
