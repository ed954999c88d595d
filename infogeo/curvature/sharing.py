"""Weight sharing: what Kronecker factors are made of where a sample passes through a layer's weights at several positions.

With rows a_s and covectors g_s at the positions s of a sample, the covector at the weights is Σ_s ā_s g_sᵀ. A Kronecker product
cannot hold all the pairs of positions, so an approximation says which it keeps. In both below inputs are averaged over positions
and covectors summed; the literature has a power of the number of positions in the other factor, which is the same product.
A dense layer has one position, and there both are the same.
"""
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..backend import Array, Namespace

__all__ = ["Expand", "Reduce", "Sharing"]


class Sharing(ABC):
    """An approximation of the pairs of positions.

    Examples
    --------
    >>> class First(ig.curvature.Sharing):  # of the positions of a sample
    ...     def inputs(self, xp, inputs):
    ...         return inputs[..., :1, :]
    ...     def covectors(self, xp, covectors):
    ...         return covectors[..., :1, :]
    >>> network = ig.networks.ConvNet((4, 4, 1), (2,), 1)
    >>> model = ig.networks.ConditionalModel(network, ig.Bernoulli())
    >>> w = network.init(np.random.default_rng(0), ig.networks.He())
    >>> ig.curvature.kfac(model, w, (np.ones((3, 4, 4, 1)), None),
    ...                   sharing=First())
    <BlockDiagonal 29 x 29>
    """

    @abstractmethod
    def inputs(self, xp: Namespace, inputs: Array) -> Array:
        """The inputs that a factor is the second moment of, shapes (..., n, L, inputs) to (..., n, L′, inputs)."""

    @abstractmethod
    def covectors(self, xp: Namespace, covectors: Array) -> Array:
        """The covectors that a factor is the second moment of, shapes (..., n, L, outputs) to (..., n, L′, outputs)."""


@dataclass(frozen=True)
class Expand(Sharing):
    """Positions as samples of their own: (1/nS) Σ_ns ā āᵀ ⊗ (1/n) Σ_ns g gᵀ.

    It is exact where the positions lead to independent outputs and their covectors' moments do not depend on the inputs.

    Source: Grosse & Martens, A Kronecker-factored approximate Fisher matrix for convolution layers (2016); the name is of
    Eschenhagen, Immer, Turner, Schneider & Hennig, Kronecker-factored approximate curvature for modern neural network
    architectures (2023).

    Examples
    --------
    >>> rows = np.ones((5, 4, 3))     # 5 samples, 4 positions, 3 inputs
    >>> ig.curvature.Expand().inputs(np, rows).shape
    (5, 4, 3)
    """

    def inputs(self, xp: Namespace, inputs: Array) -> Array:
        return inputs

    def covectors(self, xp: Namespace, covectors: Array) -> Array:
        return covectors


@dataclass(frozen=True)
class Reduce(Sharing):
    """One mean position: (1/n) Σ_n (mean_s ā)(mean_s ā)ᵀ ⊗ (1/n) Σ_n (Σ_s g)(Σ_s g)ᵀ.

    It is exact where the network sums or averages over the positions, so that all of them have the same covector.

    Source: Eschenhagen, Immer, Turner, Schneider & Hennig (2023).

    Examples
    --------
    >>> rows = np.ones((5, 4, 3))     # 5 samples, 4 positions, 3 inputs
    >>> ig.curvature.Reduce().inputs(np, rows).shape
    (5, 1, 3)
    >>> float(ig.curvature.Reduce().covectors(np, rows).max())
    4.0
    """

    def inputs(self, xp: Namespace, inputs: Array) -> Array:
        return xp.mean(inputs, axis=-2, keepdims=True)

    def covectors(self, xp: Namespace, covectors: Array) -> Array:
        return xp.sum(covectors, axis=-2, keepdims=True)
