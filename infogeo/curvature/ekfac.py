"""Kronecker-factored eigenbases with eigenvalues of their own."""
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

from ..arrays.blocks import slices
from ..backend import Array, Namespace, backend_of
from ..errors import ShapeError, takes
from ..networks.affine import Affine
from ..networks.interface import NetworkPass
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..operators.block import BlockDiagonal
from ..operators.kronecker import EigenKronecker
from .kronecker_factors import KroneckerFactors, Moments, sum_over_covectors
from .layer_factors import require_finite
from .outputs import ExactColumns, Given, Outputs
from .per_layer import recorded
from .sharing import Expand, Sharing

__all__ = ["EigenFactors", "ekfac"]

# Numbers in the gradients of the samples of a convolution that are held at once, 16 megabytes of float32
CHUNK = 2**22

Bases: TypeAlias = tuple[tuple[Array, Array], ...]      # (Q_a, Q_b) of each layer with weights


@dataclass(frozen=True)
class EigenFactors:
    """Second moments of the covectors at each layer's weights, in the eigenbases of its Kronecker factors.

    Mathematically, with orthogonal Q_a and Q_b of a layer and the covectors V = Σ_s ā_s g_sᵀ at its weights, one for each sample
    and output covector, S = (1/n) Σ (Q_aᵀ V Q_b)², squares entry by entry. Of all operators that are diagonal in this basis it is
    the nearest to the exact block, in the Frobenius norm, and it has the exact trace.

    Attributes
    ----------
    bases : tuple of pairs (Q_a, Q_b)
        A pair for each layer, as `KroneckerFactors.bases` gives.
    S : tuple of arrays, shapes (inputs + 1, outputs)
    dtype : dtype
        That of the network.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018), section 3.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 1)),
    ...                                      ig.Bernoulli())
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> batch = [[1.0, 2.0], [0.0, 1.0]], None
    >>> bases = ig.curvature.KroneckerFactors.of(model, w, batch).bases()
    >>> found = ig.curvature.EigenFactors.of(model, w, batch, bases).operator()
    >>> exact = ig.curvature.fisher(model, w, batch)          # the same trace
    >>> bool(np.isclose(found.trace(), exact.trace()))
    True
    """

    bases: Bases
    S: tuple[Array, ...]
    dtype: Any

    @classmethod
    def of(cls, model: ConditionalModel, w: Array, batch: Batch, bases: Bases, *, outputs: Outputs = ExactColumns()) -> Self:
        """The second moments of one batch at one weight vector in given bases; see `ekfac`."""
        return cls.of_pass(recorded(model, w, batch), batch, bases, outputs=outputs)

    @classmethod
    def of_pass(cls, done: ModelPass, batch: Batch, bases: Bases, *, outputs: Outputs = ExactColumns()) -> Self:
        """The same from a forward pass that is there already."""
        layers = sum(s is not None for s in done.model.network.slices)
        if len(bases) != layers:
            raise ShapeError(f"bases must have a pair for each of the {layers} layers with weights; got {len(bases)}")

        def of_covectors(part: NetworkPass, c: Array) -> Moments:
            return {"S": tuple(_squares(q.layer, q.inputs, q.covectors, basis) / done.n
                               for q, basis in zip(part.layer_quantities(c), bases))}

        moments = sum_over_covectors(done, outputs.groups(done.model.family, done.theta, batch), of_covectors)
        require_finite("the second moments in the eigenbases", moments["S"])
        return cls(bases, dtype=done.theta.dtype, **moments)

    def operator(self) -> BlockDiagonal:
        """The curvature, block-diagonal with an `EigenKronecker` for each layer; squares of rounding alone are 0."""
        return BlockDiagonal(*(EigenKronecker(*pair, self._above_rounding(S), self.dtype) for pair, S in zip(self.bases, self.S)))

    def _above_rounding(self, S: Array) -> Array:
        xp = backend_of(S)
        least = (max(S.shape) * float(xp.finfo(self.dtype).eps))**2 * xp.max(S)
        return xp.where(S > least, S, xp.zeros_like(S))

    def in_double(self) -> Self:
        """The same, with S in float64, as it is from the start."""
        return self

    def blend(self, other: Self, share: float) -> Self:
        """(1 − share) self + share other, for moments in the same bases: for a `RunningAverage`."""
        if other.bases is not self.bases:
            raise ValueError("moments in different bases cannot be averaged; give both the same bases")
        return replace(self, S=tuple(a + share * (b - a) for a, b in zip(self.S, other.S)))


@takes(ConditionalModel, outputs=Outputs, sharing=Sharing)
def ekfac(model: ConditionalModel, w: Array, batch: Batch, *, outputs: Outputs = ExactColumns(), sharing: Sharing = Expand(),
          bases: Bases | None = None) -> BlockDiagonal:
    """The Fisher metric in the eigenbases of its Kronecker factors, a `BlockDiagonal` of `EigenKronecker`; see `kfac`.

    Mathematically, A ⊗ G = (Q_a ⊗ Q_b) diag(s_a s_bᵀ) (Q_a ⊗ Q_b)ᵀ with the products of eigenvalues replaced by the second
    moments of the covectors at the weights in this basis. In the Frobenius norm it is never further from the exact blocks than
    K-FAC is.

    Parameters
    ----------
    bases : tuple of pairs of arrays, optional
        Eigenbases of an earlier batch, from `KroneckerFactors.bases`, so that none are computed; by default those of this one.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018).

    Examples
    --------
    >>> from infogeo.curvature import block_diagonal, ekfac, kfac
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 1)),
    ...                                      ig.Bernoulli())
    >>> rng = np.random.default_rng(0)
    >>> w = model.network.init(rng, ig.networks.Glorot())
    >>> batch = rng.standard_normal((30, 2)), None
    >>> exact = block_diagonal(model, w, batch).dense()
    >>> for found in (kfac(model, w, batch), ekfac(model, w, batch)):
    ...     print(float(np.linalg.norm(found.dense() - exact).round(3)))
    0.041
    0.032
    """
    done = recorded(model, w, batch)
    if bases is None:
        outputs = Given(tuple(outputs.groups(model.family, done.theta, batch)))         # the same for the bases and in them
        bases = KroneckerFactors.of_pass(done, batch, outputs=outputs, sharing=sharing).bases()
    return EigenFactors.of_pass(done, batch, bases, outputs=outputs).operator()


def _squares(layer: Affine, rows: Array, g: Array, basis: tuple[Array, Array]) -> Array:
    """Σ (Q_aᵀ V Q_b)² over samples and directions, float64.

    Shapes: rows (n, L, inputs), g (m, n, L, outputs). With one position V is an outer product, and so is its square.
    """
    xp = backend_of(g)
    Q_a, Q_b = (xp.astype(Q, g.dtype, copy=False) for Q in basis)
    a, g = _turned(xp, layer.homogeneous(xp, rows), Q_a), _turned(xp, g, Q_b)
    if a.shape[-2] == 1:
        g = g[:, :, 0, :]
        S = xp.matmul(xp.matrix_transpose(a[:, 0, :] ** 2), xp.sum(g * g, axis=0))
    else:
        step = max(1, CHUNK // (g.shape[0] * a.shape[-1] * g.shape[-1]))
        S = sum(xp.sum(xp.matmul(xp.matrix_transpose(a[s, ...]), g[:, s, ...]) ** 2, axis=(0, 1))
                for s in slices(a.shape[0], step))
    return xp.astype(S, xp.float64, copy=False)


def _turned(xp: Namespace, rows: Array, Q: Array) -> Array:
    """Rows (..., k) in a basis, as one product: of (10, 1797, 1, 50) there would be 17 970 others."""
    return xp.reshape(xp.matmul(xp.reshape(rows, (-1, rows.shape[-1])), Q), rows.shape)
