"""Curvature unit by unit: the weights into each unit on their own."""
import numpy as np

from ..arrays.blocks import slices
from ..backend import NUMPY, Array, Namespace, arrays
from ..errors import ShapeError, takes
from ..networks.activations import Activation
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ConditionalModel
from ..numerics.quadrature import composite
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal, DenseBlocks
from ..operators.dense import DiagonalOperator
from ..operators.low_rank import ScalarOffSubspace
from ..operators.quasi_diagonal import QuasiDiagonal
from .diagonal import squares, summed_squares
from .outputs import ExactColumns, Outputs
from .per_layer import example_gradients, has_one_position, layer_sums

__all__ = ["gaussian_unit_fisher", "quasi_diagonal", "quasi_moment", "quasi_moments", "unit_blocks", "unit_moment",
           "unitwise_fisher"]


@takes(ConditionalModel, outputs=Outputs)
def unitwise_fisher(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs = ExactColumns()) -> BlockDiagonal:
    """The Fisher metric of the weights into each unit, without what is between units: a `BlockDiagonal` of `DenseBlocks`.

    Mathematically, for unit j of a dense layer (1/n) Σ_n (Σ_c g_ncj²) ā_n ā_nᵀ.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    outputs : Outputs

    Source: Amari, Karakida & Oizumi, Fisher information and natural gradient learning in random deep networks (2019), where the
    rest is shown to be small in wide random networks.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2)),
    ...                                      ig.Categorical(3))
    >>> F = ig.curvature.unitwise_fisher(model, np.zeros(4),
    ...                                  ([[1.0], [3.0]], None))
    >>> (9 * F.dense()).round(6)                    # 2/9 E[ā āᵀ] of each unit
    array([[10.,  0.,  4.,  0.],
           [ 0., 10.,  0.,  4.],
           [ 4.,  0.,  2.,  0.],
           [ 0.,  4.,  0.,  2.]])
    """
    xp, n, sums = layer_sums(model, w, batch, outputs, unit_moment)
    return BlockDiagonal(*(DenseBlocks(unit_blocks(xp, q, total) / n, interleaved=True) for q, total in sums))


# Numbers in the outer products of the inputs of the samples that are held at once, 16 megabytes of float32
CHUNK = 2**22


def unit_moment(xp: Namespace, q: LayerQuantities) -> Array:
    """`squares`, or where a sample has several positions the blocks, shape (outputs, inputs + 1, inputs + 1)."""
    if has_one_position(q):
        return squares(xp, q)
    P = example_gradients(xp, q)
    P = xp.permute_dims(xp.reshape(P, (-1, *P.shape[2:])), (2, 0, 1))
    return xp.matmul(xp.matrix_transpose(P), P)


def unit_blocks(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
    """Σ_n Σ_c of the outer products of the gradients of each unit, shape (outputs, inputs + 1, inputs + 1)."""
    if not has_one_position(q):
        return total
    rows, weights = q.layer.homogeneous(xp, q.inputs[:, 0, :]), xp.matrix_transpose(total)
    k = rows.shape[-1]
    blocks = xp.zeros((weights.shape[0], k * k), dtype=rows.dtype)
    for s in slices(rows.shape[0], max(1, CHUNK // k**2)):
        of_inputs = xp.reshape(rows[s, :, None] * rows[s, None, :], (-1, k * k))
        blocks = blocks + xp.matmul(weights[:, s], of_inputs)
    return xp.reshape(blocks, (-1, k, k))


@takes(ConditionalModel, outputs=Outputs)
def quasi_diagonal(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs = ExactColumns()) -> BlockDiagonal:
    """The diagonal of the Fisher metric together with its entries between the bias of a unit and the weights into it.

    Mathematically, with F_ii, F_i0 and F_00 of a unit, the `QuasiDiagonal` of s = F_00, r_i = F_i0 / F_00 (any number where
    F_00 = 0, as the weights into such a unit have no Fisher information either) and d_i = F_ii − F_i0² / F_00; a
    `DiagonalOperator` for a layer without bias. It costs what the diagonal does, and is invariant under shifts of the inputs,
    which the diagonal is not.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    outputs : Outputs

    Source: Ollivier, Riemannian metrics for neural networks I: feedforward networks (2015).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                      ig.Bernoulli())
    >>> x = [[1.0, 2.0], [3.0, 2.0]]
    >>> ig.curvature.quasi_diagonal(model, np.zeros(3), (x, None)).dense()
    array([[1.25, 1.  , 0.5 ],
           [1.  , 1.  , 0.5 ],
           [0.5 , 0.5 , 0.25]])
    """
    xp, n, sums = layer_sums(model, w, batch, outputs, quasi_moment)
    return BlockDiagonal(*(_quasi_block(xp, q, total / n) for q, total in sums))


def quasi_moment(xp: Namespace, q: LayerQuantities) -> Array:
    """`squares`, or where a sample has several positions Σ P² beside Σ P P_0, shape (2, inputs + 1, outputs)."""
    if has_one_position(q):
        return squares(xp, q)
    P = example_gradients(xp, q)
    return xp.stack([xp.sum(P**2, axis=(0, 1)), xp.sum(P * P[..., -1:, :], axis=(0, 1))])


def quasi_moments(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
    """Σ P² beside Σ P P_0 of all samples, shape (2, inputs + 1, outputs), from the sum of `quasi_moment`."""
    if not has_one_position(q):
        return total
    rows = xp.matrix_transpose(q.layer.homogeneous(xp, q.inputs[:, 0, :]))
    return xp.stack([xp.matmul(rows**2, total), xp.matmul(rows, total)])


def _quasi_block(xp: Namespace, q: LayerQuantities, mean: Array) -> LinearOperator:
    if not q.layer.bias:
        return DiagonalOperator(xp.reshape(summed_squares(xp, q, mean) if has_one_position(q) else mean[0, ...], (-1,)))
    if has_one_position(q):
        a = q.inputs[:, 0, :]
        centre = xp.mean(a, axis=0)             # d does not depend on an offset of the inputs, and cancels the less without one
        rows = xp.matrix_transpose(q.layer.homogeneous(xp, a - centre))
        diagonal, with_bias = xp.matmul(rows**2, mean), xp.matmul(rows, mean)
    else:
        diagonal, with_bias = mean[0, ...], mean[1, ...]
        centre = xp.zeros_like(diagonal[:-1, 0])
    s = diagonal[-1, :]
    r = with_bias[:-1, :] / xp.where(s > 0, s, xp.ones_like(s))
    return QuasiDiagonal(diagonal[:-1, :] - r * with_bias[:-1, :], r + centre[:, None], s)


@takes(activation=Activation)
def gaussian_unit_fisher(w: Array, activation: Activation) -> ScalarOffSubspace:
    """The Fisher metric of one unit y = φ(v · x + v_0) + noise of variance 1 with inputs x ~ N(0, I), in closed form.

    Mathematically, with t ~ N(0, 1), A_k = E[t^k φ′(|v| t + v_0)²], e = v / |v| and e_0 the unit vector of the bias, it is
    A_0 I + (A_2 − A_0) e eᵀ + A_1 (e e_0ᵀ + e_0 eᵀ): A_0 I off the plane of e and e_0, and [[A_2, A_1], [A_1, A_0]] in it, a
    `ScalarOffSubspace` whose product and solve are O(n).

    Parameters
    ----------
    w : array, shape (inputs + 1,)
        The weights v, and the bias v_0 last.
    activation : Activation
        φ, smooth except perhaps at 0.

    Source: Amari, Karakida & Oizumi, Fisher information and natural gradient learning in random deep networks (2019).

    Examples
    --------
    >>> unit = ig.curvature.gaussian_unit_fisher(np.array([3.0, 4.0, 0.0]),
    ...                                          ig.networks.Relu())
    >>> unit.dense().round(4)                       # half of the inputs pass
    array([[0.5   , 0.    , 0.2394],
           [0.    , 0.5   , 0.3192],
           [0.2394, 0.3192, 0.5   ]])
    """
    xp, w = arrays(w)
    if w.ndim != 1 or w.shape[0] < 2:
        raise ShapeError(f"w must have shape (inputs + 1,) with at least one input; got {tuple(w.shape)}")
    v, bias = w[:-1], float(w[-1])
    size = float(xp.sqrt(xp.sum(v**2)))
    A = [float(a) for a in _moments(activation, size, bias)]
    # without weights every direction is as good: A_2 = A_0 and A_1 = 0
    e = v / size if size > 0 else xp.eye(1, v.shape[0], dtype=w.dtype)[0, :]
    zero = xp.zeros(1, dtype=w.dtype)
    Q = xp.stack([xp.concat([e, zero]), xp.concat([xp.zeros_like(v), zero + 1.0])], axis=-1)
    return ScalarOffSubspace(A[0], Q, xp.asarray([[A[2], A[1]], [A[1], A[0]]], dtype=w.dtype))


REACH = 38.0        # the normal density beyond it is below the smallest normal float64
HALVINGS = 50       # 2⁻⁵⁰ from the jump of φ′ an interval holds no more than rounding
NODES = 16          # Gauss–Legendre on an interval of length 1, where the density is smooth: exact to rounding


def _moments(activation: Activation, size: float, bias: float) -> list[Array]:
    """E[t^k φ′(size t + bias)²] for k = 0, 1, 2 and t ~ N(0, 1), in float64.

    Gauss–Legendre quadrature on intervals of length 1 that shrink by halves towards t = −bias / size, where the argument of φ′
    is 0: there it may jump, or change as fast as the size is large.
    """
    edges = np.arange(-REACH, REACH + 1.0)
    if size > 0 and abs(bias) < REACH * size:
        steps = 2.0 ** -np.arange(HALVINGS)
        edges = np.concatenate([edges, -bias / size - steps, -bias / size + steps])
        edges = np.unique(np.clip(edges, -REACH, REACH))
    t, weights = composite(edges, NODES)
    density = weights * np.exp(-0.5 * t**2) / (2.0 * np.pi) ** 0.5
    s = size * t + bias
    slope = activation.first(NUMPY, s, activation.value(NUMPY, s))
    return [np.sum(t**k * slope**2 * density) for k in range(3)]
