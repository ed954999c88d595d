"""The Fisher metric as a matrix of low rank, with and without a diagonal: of one batch, or followed from batch to batch."""
from dataclasses import dataclass
from typing import NamedTuple

from ..backend import Array, Namespace, arrays
from ..errors import DomainError, ShapeError, require_count, takes
from ..networks.model import Batch, ConditionalModel
from ..operators.low_rank import DiagonalPlusLowRank, LowRank
from .fisher import outer_products
from .outputs import ExactColumns, Outputs

__all__ = ["DiagonalPlusLowRankState", "LowRankState", "OnlineDiagonalPlusLowRank", "OnlineLowRank", "blend_low_rank",
           "low_rank_fisher"]


@takes(ConditionalModel, outputs=Outputs)
def low_rank_fisher(model: ConditionalModel, w: Array, batch: Batch, rank: int,
                    outputs: Outputs = ExactColumns()) -> DiagonalPlusLowRank:
    """The best approximation of the Fisher metric of a given rank, and a diagonal that makes up for the rest of its diagonal.

    Mathematically, U Uᵀ + diag(d) with the leading eigenpairs of F in U Uᵀ, and d = diag F − diag U Uᵀ, so that the diagonal is
    exact. d is not negative; what rounding makes negative is 0.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    rank : int
        The number of columns of U; fewer where F has fewer.
    outputs : Outputs

    Source: Mishkin, Kunstner, Nielsen, Schmidt & Khan, SLANG: fast structured covariance approximations for Bayesian deep
    learning with natural gradient (2018).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0], [-2.0]], None)
    >>> low = ig.curvature.low_rank_fisher(model, w, batch, rank=2)
    >>> exact = ig.curvature.fisher(model, w, batch)
    >>> low.U.shape, bool(np.allclose(low.diagonal(), exact.diagonal()))
    ((7, 2), True)
    """
    require_count("rank", rank)
    F = outer_products(model, w, batch, outputs)
    U = F.leading(rank)
    return DiagonalPlusLowRank(_rest(F.xp, F.diagonal(), U), U)


def _rest(xp: Namespace, diagonal: Array, U: Array) -> Array:
    """diag − diag U Uᵀ, which is not negative but for rounding."""
    rest = diagonal - xp.sum(U**2, axis=-1)
    return xp.maximum(rest, xp.zeros_like(rest))


def _leading(xp: Namespace, X: Array, rank: int) -> Array:
    """U with U Uᵀ the best approximation of X Xᵀ of a rank, shapes (size, k) to (size, rank or k), by the smaller product."""
    size, k = X.shape
    if k <= size:
        _, V = xp.linalg.eigh(xp.matmul(xp.matrix_transpose(X), X))
        return xp.matmul(X, V[:, max(0, k - rank):])
    s, Q = xp.linalg.eigh(xp.matmul(X, xp.matrix_transpose(X)))
    start = max(0, size - rank)
    return Q[:, start:] * xp.sqrt(xp.maximum(s, xp.zeros_like(s)))[start:]


class LowRankState(NamedTuple):
    """X with C = X Xᵀ / weight, how many columns of X have come since it was last reduced, and the sum of the weights."""

    X: Array
    pending: int
    weight: float


@dataclass(frozen=True)
class OnlineLowRank:
    """A running average of outer products of gradients, kept as a matrix of low rank.

    Mathematically, C_t = (Σ_s γ^{t−s} g_s g_sᵀ) / Σ_s γ^{t−s} = X Xᵀ / weight. After every `refresh` updates X is reduced to its
    leading `rank` eigendirections, by the eigendecomposition of the small matrix XᵀX. Exact as long as the gradients span no more
    dimensions than that.

    Parameters
    ----------
    rank : int
    decay : float
        γ, in (0, 1].
    refresh : int
        Updates between two reductions; their gradients are held besides.

    Source: Le Roux, Manzagol & Bengio, Topmoumoute online natural gradient algorithm (2008); the sum there is a mean
    here, so that damping means what it does for other curvatures.

    Examples
    --------
    >>> online = ig.curvature.OnlineLowRank(rank=2, decay=1.0)
    >>> state = online.init(np.zeros(3))
    >>> for g in np.diag([3.0, 2.0, 1.0]):
    ...     state = online.update(state, g)
    >>> online.operator(state).diagonal().round(4)  # (9, 4, 1) / 3, cut at 2
    array([3.    , 1.3333, 0.    ])
    """

    rank: int
    decay: float
    refresh: int = 1

    def __post_init__(self) -> None:
        require_count("rank", self.rank)
        require_count("refresh", self.refresh)
        _require_decay(self.decay)

    def init(self, w: Array) -> LowRankState:
        """The state before the first gradient at weights of shape (size,)."""
        xp, w = arrays(w)
        return LowRankState(xp.zeros((w.shape[-1], 0), dtype=w.dtype), 0, 0.0)

    def update(self, state: LowRankState, gradients: Array) -> LowRankState:
        """The state after a gradient, shape (size,), or a batch of them, shape (m, size), whose mean outer product counts."""
        xp, columns = _columns(state.X, gradients)
        X, pending = xp.concat([self.decay**0.5 * state.X, columns], axis=-1), state.pending + 1
        if pending == self.refresh:
            X, pending = _leading(xp, X, self.rank), 0
        return LowRankState(X, pending, self.decay * state.weight + 1.0)

    def operator(self, state: LowRankState) -> LowRank:
        """C, a `LowRank`; damped, its solve costs O(size k²)."""
        _require_seen(state)
        return LowRank(state.X / state.weight**0.5)


class DiagonalPlusLowRankState(NamedTuple):
    """d and U of diag(d) + U Uᵀ, and the sum of the weights."""

    d: Array
    U: Array
    weight: float


@dataclass(frozen=True)
class OnlineDiagonalPlusLowRank:
    """A running average of outer products of gradients, kept as a diagonal plus a matrix of low rank.

    Mathematically, with Ĝ = (1/m) Σ g gᵀ and β = 1 / Σ γ^s over the updates so far, U Uᵀ ← the leading eigenpairs of
    (1 − β) U Uᵀ + β Ĝ and d ← (1 − β) d + diag((1 − β) U Uᵀ + β Ĝ) − diag(new U Uᵀ): the diagonal stays that of the average.

    Parameters
    ----------
    rank : int
    decay : float
        γ, in (0, 1].

    Source: Mishkin, Kunstner, Nielsen, Schmidt & Khan (2018), with the prior's precision left to the damping.

    Examples
    --------
    >>> online = ig.curvature.OnlineDiagonalPlusLowRank(rank=1, decay=1.0)
    >>> state = online.init(np.zeros(3))
    >>> for g in np.diag([3.0, 2.0, 1.0]):
    ...     state = online.update(state, g)
    >>> online.operator(state).diagonal().round(4)  # (9, 4, 1) / 3
    array([3.    , 1.3333, 0.3333])
    """

    rank: int
    decay: float

    def __post_init__(self) -> None:
        require_count("rank", self.rank)
        _require_decay(self.decay)

    def init(self, w: Array) -> DiagonalPlusLowRankState:
        """The state before the first gradient at weights of shape (size,)."""
        xp, w = arrays(w)
        return DiagonalPlusLowRankState(xp.zeros_like(w), xp.zeros((w.shape[-1], 0), dtype=w.dtype), 0.0)

    def update(self, state: DiagonalPlusLowRankState, gradients: Array) -> DiagonalPlusLowRankState:
        """The state after a batch of gradients, shape (m, size) or (size,)."""
        weight = self.decay * state.weight + 1.0
        return DiagonalPlusLowRankState(*blend_low_rank(state.d, state.U, gradients, 1.0 / weight, self.rank), weight)

    def operator(self, state: DiagonalPlusLowRankState) -> DiagonalPlusLowRank:
        """diag(d) + U Uᵀ, a `DiagonalPlusLowRank`."""
        _require_seen(state)
        return DiagonalPlusLowRank(state.d, state.U)


def blend_low_rank(d: Array, U: Array, gradients: Array, share: float, rank: int) -> tuple[Array, Array]:
    """The next (d, U) of a diagonal plus low rank: (1 − β)(diag(d) + U Uᵀ) + β Ĝ, of lower rank but with its diagonal.

    Mathematically, with Ĝ = (1/m) Σ g gᵀ, U Uᵀ has the leading eigenpairs of (1 − β) U Uᵀ + β Ĝ, and d makes up for the rest.

    Parameters
    ----------
    d, U : arrays, shapes (size,) and (size, k)
    gradients : array, shape (m, size) or (size,)
    share : float
        β, from 0 to 1.
    rank : int
        0 keeps the diagonal only.
    """
    xp, columns = _columns(U, gradients)
    X = xp.concat([(1.0 - share) ** 0.5 * U, share**0.5 * columns], axis=-1)
    leading = _leading(xp, X, rank) if rank else X[:, :0]
    return (1.0 - share) * d + _rest(xp, xp.sum(X**2, axis=-1), leading), leading


def _columns(X: Array, gradients: Array) -> tuple[Namespace, Array]:
    """(xp, the gradients over √m as columns), shape (size, m)."""
    xp, X, rows = arrays(X, gradients)
    rows = rows[None, :] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != X.shape[0]:
        raise ShapeError(f"gradients must have shape (m, {X.shape[0]}); got {tuple(rows.shape)}")
    return xp, xp.matrix_transpose(rows) / rows.shape[0]**0.5


def _require_decay(decay: float) -> None:
    if not 0 < decay <= 1:
        raise DomainError(f"decay must satisfy 0 < decay <= 1; got {decay!r}")


def _require_seen(state: LowRankState | DiagonalPlusLowRankState) -> None:
    if state.weight == 0:
        raise ValueError("the state must have seen a gradient; it is that of init")
