"""Matrices of every layer, to be averaged over steps."""
from collections.abc import Iterable
from dataclasses import dataclass

from ..backend import Array, arrays

__all__ = ["LayerMatrices"]


@dataclass(frozen=True)
class LayerMatrices:
    """A tuple of arrays for each layer with weights, float64 whatever the dtype of the network, as for inversion.

    A running average of these is a `RunningAverage`, which asks for `in_double` and `blend`.

    Examples
    --------
    >>> matrices = ig.training.LayerMatrices
    >>> some, more = matrices.of([[[[4.0]]]]), matrices.of([[[[8.0]]]])
    >>> some.blend(more, 0.25).layers           # of one layer one matrix
    ((array([[5.]]),),)
    """

    layers: tuple[tuple[Array, ...], ...]

    @classmethod
    def of(cls, layers: Iterable[Iterable[Array]]) -> "LayerMatrices":
        """From an iterable of iterables of arrays."""
        return cls(tuple(map(tuple, layers))).in_double()

    def in_double(self) -> "LayerMatrices":
        """The same in float64."""
        return LayerMatrices(tuple(tuple(map(_double, matrices)) for matrices in self.layers))

    def blend(self, other: "LayerMatrices", share: float) -> "LayerMatrices":
        """(1 − share) self + share other, matrix by matrix."""
        pairs = zip(self.layers, other.layers)
        return LayerMatrices(tuple(tuple(a + share * (b - a) for a, b in zip(*pair)) for pair in pairs))


def _double(matrix: Array) -> Array:
    xp, matrix = arrays(matrix)
    return xp.astype(matrix, xp.float64, copy=False)
