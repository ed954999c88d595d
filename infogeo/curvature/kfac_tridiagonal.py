"""Kronecker-factored curvature with a block-tridiagonal inverse: neighbouring layers are not independent."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from ..backend import Array, backend_of
from ..errors import takes
from ..networks.affine import Affine
from ..networks.model import Batch, ConditionalModel
from ..operators.base import LinearOperator, common_dtype
from ..operators.block import BlockDiagonal, BlockTridiagonalInverse
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker, KroneckerPair
from .kronecker_factors import KroneckerFactors, Moments
from .outputs import ExactColumns, Outputs
from .sharing import Expand, Sharing

__all__ = ["ChainFactors", "KroneckerChain", "kfac_tridiagonal"]


@dataclass(frozen=True)
class ChainFactors(KroneckerFactors):
    """The moments of `KroneckerFactors` and those between each layer and the next.

    Attributes
    ----------
    A_next, G_next : tuples of arrays
        E[ā_i ā_{i+1}ᵀ] and E[g_i g_{i+1}ᵀ], one fewer than layers.

    Raises
    ------
    ValueError
        If neighbouring layers have different numbers of positions, as convolutions and dense layers have: `Reduce` gives each
        layer one.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 4, 1)),
    ...                                      ig.Bernoulli())
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> factors = ig.curvature.ChainFactors.of(model, w, (np.eye(2), None))
    >>> [A.shape for A in factors.A], [A.shape for A in factors.A_next]
    ([(3, 3), (4, 4), (5, 5)], [(3, 4), (4, 5)])
    """

    A_next: tuple[Array, ...] = ()
    G_next: tuple[Array, ...] = ()

    @classmethod
    def _of_inputs(cls, layers: Sequence[Affine], inputs: Sequence[Array], n: int, weights: Array | None) -> Moments:
        for i, (a, b) in enumerate(pairwise(inputs)):
            if a.shape[-2] != b.shape[-2]:
                raise ValueError("neighbouring layers must have equally many positions, or sharing=Reduce(); of those with "
                                 f"weights, {i} and {i + 1} have {a.shape[-2]} and {b.shape[-2]}")
        xp = backend_of(*inputs)
        homogeneous = [layer.homogeneous(xp, rows) for layer, rows in zip(layers, inputs)]
        weighted = homogeneous if weights is None else [weights[:, None, None] * rows for rows in homogeneous]
        between = tuple(_cross_moment(a, b) / (n * a.shape[-2]) for a, b in zip(weighted, homogeneous[1:]))
        return super()._of_inputs(layers, inputs, n, weights) | {"A_next": between}

    @classmethod
    def _of_covectors(cls, covectors: Sequence[Array], n: int) -> Moments:
        return super()._of_covectors(covectors, n) | {"G_next": tuple(_cross_moment(a, b) / n for a, b in pairwise(covectors))}

    def operator(self) -> LinearOperator:
        """The curvature, a `KroneckerChain`."""
        return KroneckerChain(self._blocks(), self.A_next, self.G_next)


class KroneckerChain(LinearOperator):
    """F̂, which has the blocks A_i ⊗ G_i and A_{i,i+1} ⊗ G_{i,i+1} beside them, and a block-tridiagonal inverse.

    Mathematically, F̂⁻¹ = Ξᵀ diag(Σ_i)⁻¹ Ξ with Ξ unit upper bidiagonal, −Ψ_i beside its diagonal, and

        Ψ_i = A_{i,i+1} A_{i+1}⁻¹ ⊗ G_{i,i+1} G_{i+1}⁻¹ ,   Σ_i = A_i ⊗ G_i − Ψ_i (A_{i+1} ⊗ G_{i+1}) Ψ_iᵀ ,

    Σ of the last block being the block itself: covectors at a layer's weights are a Gaussian chain, each given the next. Products
    with F̂ use Σ and Ψ, solves the inverse of Σ, a difference of Kronecker products.

    Where a factor is singular, F̂ exists only damped: its products and solves are NaN. `factored_shift` damps A_i and G_i, in Ψ
    and Σ alike.

    Parameters
    ----------
    blocks : sequence of Kronecker
        A_i ⊗ G_i with factors that are `SymmetricDense`.
    A_next, G_next : sequences of arrays
        A_{i,i+1} and G_{i,i+1}.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 4.3.
    """

    symmetric: bool = True

    def __init__(self, blocks: Iterable[Any], A_next: Sequence[Array], G_next: Sequence[Array]) -> None:
        self.blocks, self.A_next, self.G_next = list(blocks), A_next, G_next
        n = sum(block.dim for block in self.blocks)
        super().__init__((n, n), self.blocks[0].xp, common_dtype(self.blocks))

    @cached_property
    def _precision(self) -> BlockTridiagonalInverse:
        """F̂⁻¹."""
        xp, covariances, regressions = self.xp, [], []

        def double(x: Array) -> Array:
            return xp.astype(x, xp.float64, copy=False)

        for block, later, A, G in zip(self.blocks, self.blocks[1:], self.A_next, self.G_next):
            cross = double(A), double(G)
            psi = [SymmetricDense(double(f.matrix)).solve(rows) for f, rows in zip((later.A, later.B), cross)]
            C, D = (xp.matmul(p, xp.matrix_transpose(rows)) for p, rows in zip(psi, cross))
            covariances.append(KroneckerPair(double(block.A.matrix), double(block.B.matrix), C, D, sign=-1, dtype=self.dtype))
            regressions.append(Kronecker(*(xp.astype(p, self.dtype) for p in psi)))
        return BlockTridiagonalInverse([*covariances, self.blocks[-1]], regressions)

    def _matvec(self, v: Array) -> Array:
        return self._precision._solve(v)

    def _solve(self, b: Array) -> Array:
        return self._precision._matvec(b)

    def _root(self, z: Array) -> Array:
        return self._precision._inverse_root(z)

    def _inverse_root(self, z: Array) -> Array:
        return self._precision._root(z)

    def diagonal(self) -> Array:
        return BlockDiagonal(*self.blocks).diagonal()

    def trace(self) -> Array:
        return BlockDiagonal(*self.blocks).trace()

    def slogdet(self) -> tuple[Array, Array]:
        sign, size = self._precision.slogdet()
        return sign, -size

    def factored_shift(self, c: float) -> LinearOperator:
        return KroneckerChain([block.factored_shift(c) for block in self.blocks], self.A_next, self.G_next)


@takes(ConditionalModel, outputs=Outputs, sharing=Sharing)
def kfac_tridiagonal(model: ConditionalModel, w: Array, batch: Batch, *, outputs: Outputs = ExactColumns(),
                     sharing: Sharing = Expand()) -> LinearOperator:
    """Kronecker-factored curvature whose inverse is block-tridiagonal, a `KroneckerChain`; arguments as for `kfac`.

    Its blocks on the diagonal and beside it are Kronecker products of moments, E[ā_i ā_jᵀ] ⊗ E[g_i g_jᵀ]; between layers
    further apart it has what follows from these. Damped by `FactoredTikhonov`.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 4.3.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 2)),
    ...                                      ig.Categorical(3))
    >>> rng = np.random.default_rng(0)
    >>> w = model.network.init(rng, ig.networks.Glorot())
    >>> x = rng.standard_normal((30, 2))
    >>> chain = ig.curvature.kfac_tridiagonal(model, w, (x, None))
    >>> damped = ig.curvature.FactoredTikhonov(0.1)(chain)
    >>> bool(np.allclose(damped.matvec(damped.solve(w)), w))
    True
    """
    return ChainFactors.of(model, w, batch, outputs=outputs, sharing=sharing).operator()


def _cross_moment(rows: Array, others: Array) -> Array:
    """Σ r sᵀ over samples and positions."""
    xp = backend_of(rows)
    rows, others = (xp.reshape(x, (-1, x.shape[-1])) for x in (rows, others))
    return xp.matmul(xp.matrix_transpose(rows), others)
