"""Metrics on the weights of each layer, of which local Fisher layers are the square roots."""
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..curvature.block_diagonal import block_diagonal_of_pass
from ..curvature.damping import Damping
from ..curvature.kronecker_factors import KroneckerFactors
from ..curvature.outputs import Outputs
from ..curvature.sharing import Expand, Sharing
from ..networks.affine import Affine
from ..networks.model import Batch, ModelPass
from ..operators.base import IdentityOperator, LinearOperator
from ..operators.kronecker import Kronecker
from .layer_matrices import LayerMatrices

__all__ = ["Block", "InputSide", "LayerMetric", "OutputSide", "TwoSided"]


class LayerMetric(ABC):
    """A metric on the weights of each layer, of matrices that are means over examples.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> for metric in (ig.training.TwoSided(), ig.training.InputSide()):
    ...     S, = ig.training.local_roots(model, w, batch, metric,
    ...                                  ig.curvature.Undamped())
    ...     print((S.dense() @ S.dense()).round(6).tolist())
    [[1.25, 0.5], [0.5, 0.25]]
    [[5.0, 2.0], [2.0, 1.0]]
    """

    @abstractmethod
    def matrices(self, done: ModelPass, batch: Batch, outputs: Outputs) -> LayerMatrices:
        """The `LayerMatrices` of a batch (x, y), from a forward pass that is there already."""

    @abstractmethod
    def damped(self, layer: Affine, operators: list[LinearOperator], damping: Damping) -> LinearOperator:
        """The damped metric of a layer as an operator on its weights, from its matrices as operators."""


@dataclass(frozen=True)
class Block(LayerMetric):
    """The exact block of the Fisher metric, (1/n) Σ J_nᵀ G(θ_n) J_n over the weights of the layer.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> S, = ig.training.local_roots(model, w, batch, ig.training.Block(),
    ...                              ig.curvature.Undamped())
    >>> (S.dense() @ S.dense()).round(6)            # F = ¼ E[ā āᵀ]
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    """

    def matrices(self, done: ModelPass, batch: Batch, outputs: Outputs) -> LayerMatrices:
        blocks = block_diagonal_of_pass(done, batch, outputs).blocks
        return LayerMatrices.of([block.matrix] for block in blocks)         # type: ignore[attr-defined]

    def damped(self, layer: Affine, operators: list[LinearOperator], damping: Damping) -> LinearOperator:
        return damping(*operators)


@dataclass(frozen=True)
class TwoSided(LayerMetric):
    """A ⊗ G with the second moments of the inputs and of the covectors: a local layer on either side of W, which is K-FAC.

    The damping must leave a Kronecker product one, as `FactoredTikhonov` does.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> S, = ig.training.local_roots(model, w, batch, ig.training.TwoSided(),
    ...                              ig.curvature.Undamped())
    >>> (S.dense() @ S.dense()).round(6)            # E[ā āᵀ] ⊗ ¼
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    """

    sharing: Sharing = Expand()

    def matrices(self, done: ModelPass, batch: Batch, outputs: Outputs) -> LayerMatrices:
        factors = KroneckerFactors.of_pass(done, batch, outputs=outputs, sharing=self.sharing)
        return LayerMatrices.of(zip(factors.A, factors.G))

    def damped(self, layer: Affine, operators: list[LinearOperator], damping: Damping) -> LinearOperator:
        operator = damping(Kronecker(*operators))
        if not isinstance(operator, Kronecker):
            raise TypeError(f"TwoSided needs a damping of both factors, such as FactoredTikhonov; got {damping!r}")
        return operator


@dataclass(frozen=True)
class InputSide(LayerMetric):
    """A ⊗ I with the second moment of the inputs alone: no covector is looked at.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> S, = ig.training.local_roots(model, w, batch, ig.training.InputSide(),
    ...                              ig.curvature.Undamped())
    >>> (S.dense() @ S.dense()).round(6)            # E[ā āᵀ]
    array([[5., 2.],
           [2., 1.]])
    """

    sharing: Sharing = Expand()

    def matrices(self, done: ModelPass, batch: Batch, outputs: Outputs) -> LayerMatrices:
        xp = done.network_pass.xp
        found = [(layer, self.sharing.inputs(xp, rows)) for layer, rows in done.network_pass.layer_inputs()]
        return LayerMatrices.of([layer.second_moment(xp, rows, done.weights) / (rows.shape[-3] * rows.shape[-2])]
                                for layer, rows in found)

    def damped(self, layer: Affine, operators: list[LinearOperator], damping: Damping) -> LinearOperator:
        A, = map(damping, operators)
        return Kronecker(A, IdentityOperator(layer.weight_shape[1], like=A.xp.zeros(1, dtype=A.dtype)))


@dataclass(frozen=True)
class OutputSide(LayerMetric):
    """I ⊗ G with the second moment of the covectors at the pre-activations alone.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> S, = ig.training.local_roots(model, w, batch, ig.training.OutputSide(),
    ...                              ig.curvature.Undamped())
    >>> (S.dense() @ S.dense()).round(6)            # I ⊗ ¼
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """

    sharing: Sharing = Expand()

    def matrices(self, done: ModelPass, batch: Batch, outputs: Outputs) -> LayerMatrices:
        return LayerMatrices.of([G] for _, G in TwoSided(self.sharing).matrices(done, batch, outputs).layers)

    def damped(self, layer: Affine, operators: list[LinearOperator], damping: Damping) -> LinearOperator:
        G, = map(damping, operators)
        return Kronecker(IdentityOperator(layer.weight_shape[0], like=G.xp.zeros(1, dtype=G.dtype)), G)
