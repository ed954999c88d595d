"""The second moments that Kronecker-factored curvature is made of, and their running average."""
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from math import prod
from typing import Any, NamedTuple, Self, TypeAlias

from ..arrays.blocks import gather, slices
from ..backend import Array, backend_of
from ..errors import DomainError
from ..networks.affine import Affine
from ..networks.interface import Network, NetworkPass
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..networks.products import second_moment
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker
from .layer_factors import LayerFactors, require_finite
from .outputs import ExactColumns, Outputs
from .per_layer import recorded
from .sharing import Expand, Sharing

__all__ = ["Averaged", "CappedAverage", "KroneckerFactors", "Moments", "RunningAverage", "sum_over_covectors", "sum_over_samples"]

# Numbers in the widest layer that go backwards at once, 64 megabytes of float32: covectors beyond it go in several passes
CHUNK = 2**24

Moments: TypeAlias = dict[str, tuple[Array, ...]]       # by the name of a field, an array for each layer


@dataclass(frozen=True)
class KroneckerFactors(LayerFactors):
    """Moments of the inputs of every layer with weights, and of the covectors at its pre-activations.

    Mathematically, with the homogeneous input ā = (a, 1) of a layer and the covectors g at its pre-activations that come from
    output covectors c with Σ_c c cᵀ = G(θ),

        A = (1/n) Σ_n ā āᵀ ,   G = (1/n) Σ_n Σ_c g gᵀ ,

    and A ⊗ G stands for the layer's block (1/n) Σ_n Σ_c (ā ⊗ g)(ā ⊗ g)ᵀ of the Fisher metric.

    The moments of a batch are in the dtype of the network, their running average in float64. Their operator takes and gives
    vectors of the network's dtype and factors in float64: what is left of float32 is the rounding of the moments themselves.

    Attributes
    ----------
    A, G : tuples of arrays, shapes (inputs + 1, inputs + 1) and (outputs, outputs), a pair for each layer in its order
    dtype : dtype
        That of the network.
    n : int
        The samples that the moments are means over; of a running average those that went in.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 3.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> factors = ig.curvature.KroneckerFactors.of(model, np.zeros(2),
    ...                                            ([[1.0], [3.0]], [0, 1]))
    >>> factors.A[0], factors.G[0]     # E[ā āᵀ] with ā = (x, 1), p (1 − p)
    (array([[5., 2.],
           [2., 1.]]), array([[0.25]]))
    """

    A: tuple[Array, ...]
    G: tuple[Array, ...]
    dtype: Any
    n: int

    @classmethod
    def of(cls, model: ConditionalModel, w: Array, batch: Batch, *, outputs: Outputs = ExactColumns(),
           sharing: Sharing = Expand()) -> Self:
        """The moments of one batch at one weight vector.

        Parameters
        ----------
        model : ConditionalModel
        w : array, shape (size,)
        batch : pair (x, y)
            y is looked at by `Observed` outputs only.
        outputs : Outputs
            Where the covectors at the output come from.
        sharing : Sharing
            What is done with the positions of a convolution.
        """
        return cls.of_pass(recorded(model, w, batch), batch, outputs=outputs, sharing=sharing)

    @classmethod
    def of_pass(cls, done: ModelPass, batch: Batch, *, outputs: Outputs = ExactColumns(), sharing: Sharing = Expand()) -> Self:
        """The same from a forward pass that is there already, such as the gradient's."""
        def of_inputs(rows: slice, part: NetworkPass) -> Moments:
            layers, inputs = zip(*part.layer_inputs())
            weights = None if done.weights is None else done.weights[rows]
            return cls._of_inputs(layers, [sharing.inputs(part.xp, a) for a in inputs], done.n, weights)

        def of_covectors(part: NetworkPass, c: Array) -> Moments:
            found = (sharing.covectors(part.xp, q.covectors) for q in part.layer_quantities(c))
            return cls._of_covectors([_merged(g) for g in found], done.n)

        groups = outputs.groups(done.model.family, done.theta, batch)
        moments = sum_over_samples(done, of_inputs) | sum_over_covectors(done, groups, of_covectors)
        for name, of_layers in moments.items():
            require_finite(name, of_layers)
        return cls(dtype=done.theta.dtype, n=done.n, **moments)

    # What a subclass adds to: the fields that inputs and covectors make, by name, as shares in the means over n samples

    @classmethod
    def _of_inputs(cls, layers: Sequence[Affine], inputs: Sequence[Array], n: int, weights: Array | None) -> Moments:
        def mean(layer: Affine, rows: Array) -> Array:
            return _over(layer.second_moment(backend_of(rows), rows, weights), n * rows.shape[-2])

        return {"A": tuple(map(mean, layers, inputs))}

    @classmethod
    def _of_covectors(cls, covectors: Sequence[Array], n: int) -> Moments:
        return {"G": tuple(_over(second_moment(backend_of(g), g), n) for g in covectors)}

    def operator(self) -> LinearOperator:
        """The curvature, block-diagonal with A ⊗ G for each layer."""
        return BlockDiagonal(*self._blocks())

    def _blocks(self) -> list[Kronecker]:
        return [Kronecker(*self._pair(A, G)) for A, G in zip(self.A, self.G)]

    def _pair(self, A: Array, G: Array) -> tuple[SymmetricDense, SymmetricDense]:
        return SymmetricDense(A, self.dtype), SymmetricDense(G, self.dtype)

    def bases(self) -> tuple[tuple[Array, Array], ...]:
        """The eigenvectors of A and of G, a pair of arrays for each layer: what `ekfac` takes as its `bases`."""
        pairs = (self._pair(A, G) for A, G in zip(self.A, self.G))
        return tuple((A.eigensystem[1], G.eigensystem[1]) for A, G in pairs)

    def in_double(self) -> Self:
        """The same moments in float64."""
        return self._each(lambda a: backend_of(a).astype(a, backend_of(a).float64), self)

    def blend(self, other: Self, share: float) -> Self:
        """(1 − share) self + share other, moment by moment, in the precision of self."""
        blended = self._each(lambda a, b: a + share * (backend_of(a).astype(b, a.dtype, copy=False) - a), self, other)
        return replace(blended, n=self.n + other.n)

    def merge(self, other: Self) -> Self:
        """The moments over the samples of both: those of the whole from those of chunks, at one weight vector."""
        return self.blend(other, other.n / (self.n + other.n))

    def _each(self, f: Callable[..., Array], *factors: Self) -> Self:
        """f of every moment of one or several."""
        moments: dict[str, Any] = {field.name: tuple(map(f, *(getattr(each, field.name) for each in factors)))
                                   for field in fields(self) if field.name not in ("dtype", "n")}
        return replace(self, **moments)


class Averaged(NamedTuple):
    """The state of a running average: how many went in, and their average (None before the first)."""

    k: int
    value: Any


@dataclass(frozen=True)
class RunningAverage:
    """An average with weights 1, decay, decay², … into the past, divided by their sum: there is no start value to forget.

    It averages, in float64, whatever has `in_double` and `blend`, such as `KroneckerFactors`. States are values: `update` gives a
    new one.

        state = average.init()
        state = average.update(state, KroneckerFactors.of(model, w, batch))
        state.value.operator()

    Parameters
    ----------
    decay : float
        In [0, 1).

    Examples
    --------
    >>> average = ig.curvature.RunningAverage(decay=0.5)
    >>> [round(average.share(k), 3) for k in (1, 2, 3, 10)]  # 1 / (1 + ½ + …)
    [1.0, 0.667, 0.571, 0.5]
    """

    decay: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise DomainError(f"decay must satisfy 0 <= decay < 1; got {self.decay!r}")

    def share(self, k: int) -> float:
        """The share that the k-th has in the average of the first k, k ≥ 1."""
        return (1.0 - self.decay) / (1.0 - self.decay**k)

    def init(self) -> Averaged:
        """The state before the first."""
        return Averaged(0, None)

    def update(self, state: Averaged, new: Any) -> Averaged:
        """The state with one more."""
        k = state.k + 1
        return Averaged(k, new.in_double() if k == 1 else state.value.blend(new, self.share(k)))


@dataclass(frozen=True)
class CappedAverage(RunningAverage):
    """The plain mean of the first 1 / (1 − decay), exponential decay from there on: ε old + (1 − ε) new, ε = min(1 − 1/k, decay).

    Source: Martens & Grosse (2015), section 5.

    Examples
    --------
    >>> average = ig.curvature.CappedAverage(decay=0.9)
    >>> [round(average.share(k), 3) for k in (1, 2, 3, 10, 50)]
    [1.0, 0.5, 0.333, 0.1, 0.1]
    """

    def share(self, k: int) -> float:
        return max(1.0 / k, 1.0 - self.decay)


def _width(network: Network) -> int:
    """The numbers of one sample between the widest two layers."""
    return max([1, *map(prod, network.shapes)])


def sum_over_samples(done: ModelPass, moments: Callable[[slice, NetworkPass], Moments]) -> Moments:
    """Σ moments(samples, pass) over the blocks of samples of a pass, which the cores share."""
    return reduce(_added, gather(lambda block: moments(*block), done.network_pass.blocks))


def sum_over_covectors(done: ModelPass, groups: Iterable[Array], moments: Callable[[NetworkPass, Array], Moments]) -> Moments:
    """Σ moments(pass, c) over the blocks of samples and over the covectors c at the output, as many at once as fit in `CHUNK`.

    Shapes: groups of covectors (m_k, n, d) at θ; c (m, n of the block, d) at the output of the network.
    """
    blocks = done.network_pass.blocks
    step = max(1, CHUNK * len(blocks) // (done.n * _width(done.model.network)))

    def of_part(c: Array) -> Moments:
        return reduce(_added, gather(lambda block: moments(block[1], c[..., block[0], :]), blocks))

    return reduce(_added, (of_part(done.output_covector(group[part, ...]))
                           for group in groups for part in slices(group.shape[0], step)))


def _merged(covectors: Array) -> Array:
    """Directions as samples, shapes (m, n, L, outputs) to (m n, L, outputs)."""
    return backend_of(covectors).reshape(covectors, (-1, *covectors.shape[-2:]))


def _over(total: Array, n: int) -> Array:
    """A sum over n as a mean, in the memory of the sum where the library writes to arrays: it is new, and large."""
    total /= n
    return total


def _added(some: Moments, more: Moments) -> Moments:
    return {name: tuple(a + b for a, b in zip(some[name], more[name])) for name in some}
