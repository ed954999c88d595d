"""The second moments that Kronecker-factored curvature is made of, and their running average."""
from dataclasses import dataclass, fields, replace
from functools import partial
from math import prod
from typing import Any, NamedTuple

from ..arrays.blocks import gather, slices
from ..backend import backend_of
from ..errors import DomainError
from ..networks.products import second_moment
from ..operators.block import BlockDiagonal
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker
from .outputs import ExactColumns
from .per_layer import recorded
from .sharing import Expand

__all__ = ["Averaged", "CappedAverage", "KroneckerFactors", "RunningAverage", "layer_moments"]

CHUNK = 2**24       # numbers in the widest layer that go backwards at once: covectors beyond it go in several passes


@dataclass(frozen=True)
class KroneckerFactors:
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

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 3.
    """

    A: tuple
    G: tuple
    dtype: Any

    @classmethod
    def of(cls, model, w, batch, *, outputs=ExactColumns(), sharing=Expand()):
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
    def of_pass(cls, done, batch, *, outputs=ExactColumns(), sharing=Expand()):
        """The same from a forward pass that is there already, such as the gradient's."""
        return cls.of_covectors(done, outputs.groups(done.model.family, done.theta, batch), sharing)

    @classmethod
    def of_covectors(cls, done, groups, sharing):
        """The same from given groups of covectors c at the output, shapes (m_k, n, d)."""
        def moments(layers, inputs, g, first):
            of_inputs = cls._of_inputs(layers, inputs, done.n) if first else {}
            return of_inputs | cls._of_covectors([_merged(x) for x in g], done.n)

        return cls(dtype=done.theta.dtype, **layer_moments(done, groups, sharing, moments))

    @classmethod
    def _of_inputs(cls, layers, inputs, n):
        """The fields that inputs make, by name: their shares in the means over n samples."""
        mean = lambda layer, rows: layer.second_moment(backend_of(rows), rows) / (n * rows.shape[-2])
        return {"A": tuple(map(mean, layers, inputs))}

    @classmethod
    def _of_covectors(cls, covectors, n):
        """The fields that covectors make, by name."""
        return {"G": tuple(second_moment(backend_of(g), g) / n for g in covectors)}

    def operator(self):
        """The curvature, block-diagonal with A ⊗ G for each layer."""
        return BlockDiagonal(*self._blocks())

    def _blocks(self):
        return [Kronecker(SymmetricDense(A, self.dtype), SymmetricDense(G, self.dtype)) for A, G in zip(self.A, self.G)]

    def bases(self):
        """The eigenvectors of A and of G, a pair of arrays for each layer: what `ekfac` takes as its `bases`."""
        return tuple((block.A.eigensystem[1], block.B.eigensystem[1]) for block in self._blocks())

    def in_double(self):
        """The same moments in float64."""
        return self._each(lambda a: backend_of(a).astype(a, backend_of(a).float64), self)

    def blend(self, other, share):
        """(1 − share) self + share other, moment by moment, in the precision of self."""
        return self._each(lambda a, b: a + share * (backend_of(a).astype(b, a.dtype, copy=False) - a), self, other)

    def _each(self, f, *factors):
        """f of every moment of one or several."""
        return replace(self, **{field.name: tuple(map(f, *(getattr(each, field.name) for each in factors)))
                                for field in fields(self) if field.name != "dtype"})


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
    """

    decay: float = 0.95

    def __post_init__(self):
        if not 0 <= self.decay < 1:
            raise DomainError(f"decay must satisfy 0 <= decay < 1; got {self.decay!r}")

    def share(self, k):
        """The share that the k-th has in the average of the first k, k ≥ 1."""
        return (1.0 - self.decay) / (1.0 - self.decay**k)

    def init(self):
        """The state before the first."""
        return Averaged(0, None)

    def update(self, state, new):
        """The state with one more."""
        k = state.k + 1
        return Averaged(k, new.in_double() if k == 1 else state.value.blend(new, self.share(k)))


@dataclass(frozen=True)
class CappedAverage(RunningAverage):
    """The plain mean of the first 1 / (1 − decay), exponential decay from there on: ε old + (1 − ε) new, ε = min(1 − 1/k, decay).

    Source: Martens & Grosse (2015), section 5.
    """

    def share(self, k):
        return max(1.0 / k, 1.0 - self.decay)


def _width(network):
    """The numbers of one sample between the widest two layers."""
    shape, widest = network.input_shape, 1
    for layer in network.layers:
        shape = layer.output_shape(shape)
        widest = max(widest, prod(shape))
    return widest


def layer_moments(done, groups, sharing, moments):
    """Sums over samples and output covectors of moments of the layers with weights, a dictionary of tuples of arrays.

    ``moments(layers, inputs, g, first)`` gives those of a block of samples and as many covectors as fit in `CHUNK`; `first` is
    whether they are the first covectors of these samples.

    Shapes: covectors at the output (m_k, n, d), at the layers (m, n, L′, outputs); inputs (n, L′, inputs); both as `sharing` has
    them.
    """
    blocks, total = done.network_pass.blocks, None
    step = max(1, CHUNK * len(blocks) // (done.n * _width(done.model.network)))
    for group in groups:
        for part in slices(group.shape[0], step):
            of_block = partial(_of_block, done.output_covector(group[part, ...]), sharing, moments, total is None)
            for found in gather(of_block, blocks):
                total = found if total is None else total | {name: _added(total[name], found[name]) for name in found}
    return total


def _of_block(covectors, sharing, moments, first, block):
    rows, network_pass = block
    found = network_pass.layer_quantities(covectors[..., rows, :])
    inputs, g = zip(*(sharing(network_pass.xp, q.inputs, q.covectors) for q in found))
    return moments([q.layer for q in found], inputs, g, first)


def _merged(covectors):
    """Directions as samples, shapes (m, n, L, outputs) to (m n, L, outputs)."""
    return backend_of(covectors).reshape(covectors, (-1, *covectors.shape[-2:]))


def _added(some, more):
    return tuple(a + b for a, b in zip(some, more))
