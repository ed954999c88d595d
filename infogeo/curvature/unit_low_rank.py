"""Second moments of the gradients of each unit as matrices of low rank, which a running average is taken of."""
from dataclasses import dataclass, replace
from typing import Any, Self

from ..backend import Array, Namespace, backend_of
from ..errors import require_count
from ..networks.model import Batch, ModelPass
from ..numerics.linalg import eigh
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal, DenseBlocks
from ..operators.low_rank_blocks import LowRankBlocks
from ..operators.rounded import Rounded
from .layer_factors import LayerFactors, require_finite
from .outputs import ExactColumns, Outputs
from .per_layer import example_gradients
from .sharing import Expand, Sharing

__all__ = ["UnitLowRank"]


@dataclass(frozen=True)
class UnitLowRank(LayerFactors):
    """X_j with X_j X_jᵀ = (1/n) Σ g_nj g_njᵀ for every unit j, g_nj being the part of a gradient at the weights into it.

    An average is the columns of both, `reduced` to a rank when one likes: through the Gram matrix X_jᵀ X_j where there are fewer
    columns than weights into the unit.

    Attributes
    ----------
    columns : tuple of arrays, shapes (outputs, inputs + 1, r)
        X_j, one array for each layer with weights.
    dtype : dtype
        That of the network.

    Source: Le Roux, Manzagol & Bengio, Topmoumoute online natural gradient algorithm (2008).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> batch, outputs = ([[1.0], [3.0]], [0, 1]), ig.curvature.Observed()
    >>> done = model.record(np.zeros(2), batch[0])
    >>> X = ig.curvature.UnitLowRank.of_pass(done, batch, outputs=outputs)
    >>> X.operator().dense(), X.reduced(1).columns[0].shape
    (array([[1.25, 0.5 ],
           [0.5 , 0.25]]), (1, 2, 1))
    """

    columns: tuple[Array, ...]
    dtype: Any

    @classmethod
    def of_pass(cls, done: ModelPass, batch: Batch, *, outputs: Outputs = ExactColumns(), sharing: Sharing = Expand()) -> Self:
        """See `LayerFactors`; a column for each sample and covector: they take what the gradients of the samples do."""
        covectors = done.output_covector(outputs.covectors(done.model.family, done.theta, batch))
        parts = [part.layer_quantities(covectors[..., rows, :]) for rows, part in done.network_pass.blocks]
        xp = backend_of(done.theta)
        columns = tuple(xp.concat([_of_units(xp, example_gradients(xp, q)) for q in qs], axis=-1) / done.n**0.5
                        for qs in zip(*parts))
        require_finite("the gradients of the samples", columns)
        return cls(columns, done.theta.dtype)

    def operator(self) -> LinearOperator:
        return Rounded(BlockDiagonal(*map(_block, self.columns)), self.dtype)

    def in_double(self) -> Self:
        return replace(self, columns=tuple(backend_of(X).astype(X, backend_of(X).float64) for X in self.columns))

    def blend(self, other: Self, share: float) -> Self:
        def joined(X: Array, Y: Array) -> Array:
            xp = backend_of(X)
            return xp.concat([(1.0 - share)**0.5 * X, share**0.5 * xp.astype(Y, X.dtype, copy=False)], axis=-1)
        return replace(self, columns=tuple(map(joined, self.columns, other.columns)))

    def reduced(self, rank: int) -> Self:
        """The best approximation of every X_j X_jᵀ of a rank."""
        require_count("rank", rank)
        return replace(self, columns=tuple(_leading(backend_of(X), X, rank) for X in self.columns))


def _of_units(xp: Namespace, gradients: Array) -> Array:
    """Shapes (m, n, inputs + 1, outputs) to (outputs, inputs + 1, m n)."""
    return xp.permute_dims(xp.reshape(gradients, (-1, *gradients.shape[2:])), (2, 1, 0))


def _block(X: Array) -> LinearOperator:
    """As matrices, where there are no fewer columns than rows."""
    xp = backend_of(X)
    if X.shape[-1] < X.shape[-2]:
        return LowRankBlocks(X)
    return DenseBlocks(xp.matmul(X, xp.matrix_transpose(X)), interleaved=True)


def _leading(xp: Namespace, X: Array, rank: int) -> Array:
    """The leading columns: of X V with XᵀX = V diag(s) Vᵀ, or of Q diag(√s) with X Xᵀ = Q diag(s) Qᵀ, whichever is smaller."""
    p, r = X.shape[-2:]
    if r <= rank:
        return X
    if r <= p:
        _, V = eigh(xp, xp.matmul(xp.matrix_transpose(X), X))
        return xp.matmul(X, V[..., r - rank:])
    s, Q = eigh(xp, xp.matmul(X, xp.matrix_transpose(X)))
    start = max(0, p - rank)
    return Q[..., start:] * xp.sqrt(xp.maximum(s, xp.zeros_like(s)))[:, None, start:]
