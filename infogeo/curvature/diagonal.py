"""The diagonal of the Fisher metric."""
from ..backend import Array, Namespace
from ..errors import takes
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..operators.dense import DiagonalOperator
from .outputs import ExactColumns, Outputs
from .per_layer import example_gradients, has_one_position, recorded, sums_of_pass

__all__ = ["diagonal_fisher", "diagonal_of_pass"]


@takes(ConditionalModel, outputs=Outputs)
def diagonal_fisher(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs = ExactColumns()) -> DiagonalOperator:
    """The diagonal of the Fisher metric, a `DiagonalOperator`.

    Mathematically, (1/n) Σ_n Σ_c (J_nᵀ c)² entry by entry: of a dense layer (1/n) (Ā²)ᵀ Σ_c G_c², with the homogeneous inputs ā
    of the samples as the rows of Ā and the covectors at the pre-activations as those of G_c; where a sample passes through the
    weights at several positions, from the gradients of the samples.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    outputs : Outputs
        Where the covectors c come from: the exact diagonal by default, an estimate by ``Sampled(rng)``.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> F = ig.curvature.diagonal_fisher(model, np.zeros(2),
    ...                                  ([[1.0], [3.0]], None))
    >>> F.diagonal()     # (1 + 9) / 2 and 1, times p (1 − p)
    array([1.25, 0.25])
    """
    return DiagonalOperator(diagonal_of_pass(recorded(model, w, batch), batch, outputs))


def diagonal_of_pass(done: ModelPass, batch: Batch, outputs: Outputs) -> Array:
    """The diagonal, shape (size,), from a forward pass that is there already."""
    xp, n, sums = sums_of_pass(done, batch, outputs, squares)
    diagonal: Array = xp.concat([xp.reshape(summed_squares(xp, q, total), (-1,)) for q, total in sums]) / n
    return diagonal


def squares(xp: Namespace, q: LayerQuantities) -> Array:
    """Σ_c G_c², shape (n, outputs), or where a sample has several positions the whole sum, (inputs + 1, outputs)."""
    if has_one_position(q):
        return xp.sum(q.covectors[..., 0, :] ** 2, axis=0)
    return xp.sum(example_gradients(xp, q) ** 2, axis=(0, 1))


def summed_squares(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
    """Σ_n Σ_c (J_nᵀ c)² of a layer, shape (inputs + 1, outputs), from the sum of `squares`."""
    if has_one_position(q):
        rows = q.layer.homogeneous(xp, q.inputs[:, 0, :])
        return xp.matmul(xp.matrix_transpose(rows**2), total)
    return total
