"""The exact natural gradient of deep linear networks."""
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
from .outputs import ExactColumns
from .per_layer import recorded

__all__ = ["deep_linear"]


@takes(ConditionalModel)
def deep_linear(model: ConditionalModel, w: Array, batch: Batch) -> LinearOperator:
    """L times the Fisher blocks of a linear network of L square layers, whose solve is the natural gradient.

    Mathematically, f(x) = W_L … W_1 x with outputs of constant covariance. The Fisher metric F is singular, as many weights give
    one map; X = (1/L) diag(F_11⁻¹, …, F_LL⁻¹) satisfies F X F = F, so that X of a gradient is a natural gradient, exact in
    function space. The blocks are Kronecker products of the second moment of a layer's inputs and of the metric pulled back to
    its outputs, so that X is 1/L times the inverse of the Kronecker-factored curvature. Along the flow of X the loss minus its
    least value decays as e^{−2t}.

    Parameters
    ----------
    model : ConditionalModel
        Of square dense layers without bias and no activation but the identity, and a family whose metric does not depend on θ.
    w : array, shape (size,)
    batch : pair (x, y)
        y is not used.

    Raises
    ------
    ValueError
        If the network or the family is of another kind.

    Source: Bernacchia, Lengyel & Hennequin, Exact natural gradient in deep linear networks and application to the nonlinear case
    (2018).
    """
    _require_linear(model.network)
    done = recorded(model, w, batch)
    (xp, theta), n = arrays(done.theta), done.n
    covectors = ExactColumns().covectors(model.family, theta, batch)
    _require_constant(model, covectors)
    root = 1.0 if done.weights is None else xp.sqrt(done.weights)[:, None, None]
    blocks = [Kronecker(*(SymmetricDense(_second_moment(xp, rows) / n, theta.dtype) for rows in (root * q.inputs, q.covectors)))
              for q in done.layer_quantities(covectors)]
    return float(len(blocks)) * BlockDiagonal(*blocks)


def _second_moment(xp: Namespace, rows: Array) -> Array:
    """Σ r rᵀ over all rows, in float64."""
    return second_moment(xp, xp.reshape(xp.astype(rows, xp.float64), (-1, 1, rows.shape[-1])))


def _require_linear(network: Network) -> None:
    if not isinstance(network, Sequential):
        raise ValueError(f"the network must be a Sequential of linear layers; got {network!r}")
    for i, layer in enumerate(network.layers):
        square = isinstance(layer, Dense) and not layer.bias and layer.n_inputs == layer.n_outputs
        if not square and not isinstance(layer, Identity):
            raise ValueError(f"the network must have square dense layers without bias and no activation but the identity; "
                             f"layer {i} is {layer!r}")


def _require_constant(model: ConditionalModel, covectors: Array) -> None:
    first = covectors[:, :1, :]
    xp, first = arrays(first)
    # a root of one matrix, computed at different points: equal up to the rounding of its factorisation
    spread, size = float(xp.max(xp.abs(covectors - first))), float(xp.max(xp.abs(first)))
    if not model.chart.affine or not spread <= 100 * float(xp.finfo(first.dtype).eps) * size:
        raise ValueError(f"the family must have a metric that does not depend on theta; got {model.family!r}")
