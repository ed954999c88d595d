"""Kronecker-factored curvature, block-diagonal."""
from ..backend import Array
from ..errors import takes
from ..networks.model import Batch, ConditionalModel
from ..operators.block import BlockDiagonal
from .kronecker_factors import KroneckerFactors
from .outputs import ExactColumns, Outputs
from .sharing import Expand, Sharing

__all__ = ["kfac"]


@takes(ConditionalModel, outputs=Outputs, sharing=Sharing)
def kfac(model: ConditionalModel, w: Array, batch: Batch, *, outputs: Outputs = ExactColumns(),
         sharing: Sharing = Expand()) -> BlockDiagonal:
    """The Fisher metric with A ⊗ G for the block of each layer and nothing between layers, a `BlockDiagonal`.

    Mathematically, the mean of a product is replaced by the product of means: the block E[ā āᵀ ⊗ g gᵀ] of a layer with inputs ā
    and pre-activation covectors g by E[ā āᵀ] ⊗ E[g gᵀ]. It is exact for one sample, for a deep linear network with a Gaussian
    output, and wherever ā āᵀ and g gᵀ are uncorrelated. With undamped factors a natural-gradient step does not depend on
    invertible affine maps of the activations and inputs.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
        y is looked at by `Observed` outputs only.
    outputs : Outputs
        Where the covectors at the output come from: by default all columns of a root of the output's metric, no randomness;
        `RandomSigns(rng)` or `Sampled(rng)` need one backward pass.
    sharing : Sharing
        For convolutions, `Expand()` or `Reduce()`.

    Units: nats.
    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), sections 3 and 4.2.

    Examples
    --------
    >>> from infogeo.curvature import block_diagonal, kfac
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 2)),
    ...                                      ig.Categorical(3))
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> one = [[1.0, -2.0]], [0]                    # exact for one sample
    >>> gradient = model.value_and_gradient(w, one)[1]
    >>> step = ig.curvature.Tikhonov(0.1)(kfac(model, w, one)).solve(gradient)
    >>> back = block_diagonal(model, w, one).shifted(0.1).matvec(step)
    >>> bool(np.allclose(back, gradient))
    True
    """
    return KroneckerFactors.of(model, w, batch, outputs=outputs, sharing=sharing).operator()       # type: ignore[return-value]
