"""The exact block of the Fisher metric for every layer."""
from ..backend import Array, Namespace
from ..errors import takes
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..operators.block import BlockDiagonal
from ..operators.dense import SymmetricDense
from .outputs import ExactColumns, Outputs
from .per_layer import example_gradients, has_one_position, recorded, sums_of_pass

__all__ = ["block_diagonal", "block_diagonal_of_pass"]


@takes(ConditionalModel, outputs=Outputs)
def block_diagonal(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs = ExactColumns()) -> BlockDiagonal:
    """The Fisher metric without what is between layers, a `BlockDiagonal` of a `SymmetricDense` for each layer.

    Mathematically, F_ii = (1/n) Σ_n Σ_c (J_nᵀ c)_i (J_nᵀ c)_iᵀ for the weights i of a layer, of a dense one
    (1/n) Σ_n ā_n ā_nᵀ ⊗ Σ_c g_nc g_ncᵀ.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    outputs : Outputs

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], None)
    >>> exact = ig.curvature.fisher(model, w, batch).dense()
    >>> found = ig.curvature.block_diagonal(model, w, batch).dense()
    >>> bool(np.allclose(found[:4, :4], exact[:4, :4]))
    True
    >>> float(abs(found[4:, :4]).max())
    0.0
    """
    return block_diagonal_of_pass(recorded(model, w, batch), batch, outputs)


def block_diagonal_of_pass(done: ModelPass, batch: Batch, outputs: Outputs) -> BlockDiagonal:
    """The same from a forward pass that is there already."""
    xp, n, sums = sums_of_pass(done, batch, outputs, _moment)
    return BlockDiagonal(*(SymmetricDense(_block(xp, q, total) / n) for q, total in sums))


def _moment(xp: Namespace, q: LayerQuantities) -> Array:
    """Σ_c g gᵀ of each sample, shape (n, outputs²), or where a sample has several positions the block, (weights, weights)."""
    if has_one_position(q):
        g = xp.moveaxis(q.covectors[..., 0, :], 0, 1)
        moments = xp.matmul(xp.matrix_transpose(g), g)
        return xp.reshape(moments, (moments.shape[0], -1))
    P = example_gradients(xp, q)
    P = xp.reshape(P, (P.shape[0] * P.shape[1], -1))
    return xp.matmul(xp.matrix_transpose(P), P)


def _block(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
    """Σ_n Σ_c (J_nᵀ c) (J_nᵀ c)ᵀ of a layer, shape (weights, weights), from the sum of `_moment`."""
    if not has_one_position(q):
        return total
    rows = q.layer.homogeneous(xp, q.inputs[:, 0, :])
    k, m = rows.shape[-1], q.covectors.shape[-1]
    of_inputs = xp.reshape(rows[:, :, None] * rows[:, None, :], (-1, k * k))
    block = xp.reshape(xp.matmul(xp.matrix_transpose(of_inputs), total), (k, k, m, m))
    return xp.reshape(xp.permute_dims(block, (0, 2, 1, 3)), (k * m, k * m))
