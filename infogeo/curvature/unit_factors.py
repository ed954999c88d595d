"""Curvature unit by unit as moments that a running average is taken of."""
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

from ..backend import Array, Namespace, backend_of
from ..networks.affine import Affine
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ModelPass
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal, DenseBlocks
from ..operators.dense import DiagonalOperator
from ..operators.quasi_diagonal import QuasiDiagonal
from ..operators.rounded import Rounded
from .layer_factors import LayerFactors, require_finite
from .outputs import ExactColumns, Outputs
from .per_layer import sums_of_pass
from .sharing import Expand, Sharing
from .unitwise import quasi_moment, quasi_moments, unit_blocks, unit_moment

__all__ = ["QuasiDiagonalFactors", "UnitFactors"]


@dataclass(frozen=True)
class _OfUnits(LayerFactors):
    """Moments of the units of each layer, means over samples.

    Attributes
    ----------
    moments : tuple of arrays, one for each layer with weights
    layers : tuple of Affine
    dtype : dtype
        That of the network.
    """

    moments: tuple[Array, ...]
    layers: tuple[Affine, ...]
    dtype: Any

    @classmethod
    def of_pass(cls, done: ModelPass, batch: Batch, *, outputs: Outputs = ExactColumns(), sharing: Sharing = Expand()) -> Self:
        """See `LayerFactors`; the gradients of a convolution are summed over its positions, and `sharing` says nothing."""
        xp, n, sums = sums_of_pass(done, batch, outputs, cls._moment)
        moments = tuple(cls._whole(xp, q, total) / n for q, total in sums)
        require_finite("the second moments", moments)
        return cls(moments, tuple(q.layer for q, _ in sums), done.theta.dtype)

    @staticmethod
    @abstractmethod
    def _moment(xp: Namespace, q: LayerQuantities) -> Array:
        """That of a group of covectors, as `layer_sums` takes it."""

    @staticmethod
    @abstractmethod
    def _whole(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
        """The sum over the samples of the layer."""

    @abstractmethod
    def _block(self, layer: Affine, moment: Array) -> LinearOperator:
        """The curvature of one layer."""

    def operator(self) -> LinearOperator:
        return Rounded(BlockDiagonal(*map(self._block, self.layers, self.moments)), self.dtype)

    def in_double(self) -> Self:
        return replace(self, moments=tuple(backend_of(a).astype(a, backend_of(a).float64) for a in self.moments))

    def blend(self, other: Self, share: float) -> Self:
        pairs = zip(self.moments, other.moments)
        return replace(self, moments=tuple(a + share * (backend_of(a).astype(b, a.dtype, copy=False) - a) for a, b in pairs))


class UnitFactors(_OfUnits):
    """The Fisher blocks of the weights into each unit, shapes (outputs, inputs + 1, inputs + 1): see `unitwise_fisher`.

    A step of ``KFAC(factors=UnitFactors)`` costs O(outputs (inputs + 1)³) a layer.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> x = [[1.0], [3.0]]
    >>> done = model.record(np.zeros(2), x)
    >>> ig.curvature.UnitFactors.of_pass(done, (x, None)).moments[0]
    array([[[1.25, 0.5 ],
            [0.5 , 0.25]]])
    """

    _moment = staticmethod(unit_moment)
    _whole = staticmethod(unit_blocks)

    def _block(self, layer: Affine, moment: Array) -> LinearOperator:
        return DenseBlocks(moment, interleaved=True)


class QuasiDiagonalFactors(_OfUnits):
    """The diagonal of the Fisher metric and its entries beside the bias, shapes (2, inputs + 1, outputs): see `quasi_diagonal`.

    They are summed in float64, as d = F_ii − F_i0² / F_00 is a difference. A step of ``KFAC(factors=QuasiDiagonalFactors)`` costs
    what the diagonal does.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> x = [[1.0], [3.0]]
    >>> done = model.record(np.zeros(2), x)
    >>> factors = ig.curvature.QuasiDiagonalFactors.of_pass(done, (x, None))
    >>> factors.moments[0][..., 0]                  # F_ii, and F_i0
    array([[1.25, 0.25],
           [0.5 , 0.25]])
    """

    @staticmethod
    def _moment(xp: Namespace, q: LayerQuantities) -> Array:
        return quasi_moment(xp, _in_double(xp, q))

    @staticmethod
    def _whole(xp: Namespace, q: LayerQuantities, total: Array) -> Array:
        return quasi_moments(xp, _in_double(xp, q), total)

    def _block(self, layer: Affine, moment: Array) -> LinearOperator:
        xp, diagonal = backend_of(moment), moment[0, ...]
        if not layer.bias:
            return DiagonalOperator(xp.reshape(diagonal, (-1,)))
        s = diagonal[-1, :]
        r = moment[1, :-1, :] / xp.where(s > 0, s, xp.ones_like(s))
        d = diagonal[:-1, :] - r * moment[1, :-1, :]
        return QuasiDiagonal(xp.maximum(d, xp.zeros_like(d)), r, s)         # what rounding makes negative is 0


def _in_double(xp: Namespace, q: LayerQuantities) -> LayerQuantities:
    return q._replace(inputs=xp.astype(q.inputs, xp.float64), covectors=xp.astype(q.covectors, xp.float64))
