"""Matrices of every layer, to be averaged over steps."""
from dataclasses import dataclass

from ..backend import arrays

__all__ = ["LayerMatrices"]


@dataclass(frozen=True)
class LayerMatrices:
    """A tuple of arrays for each layer with weights, float64 whatever the dtype of the network, as for inversion.

    A running average of these is a `RunningAverage`, which asks for `in_double` and `blend`.
    """

    layers: tuple

    @classmethod
    def of(cls, layers):
        """From an iterable of iterables of arrays."""
        return cls(tuple(map(tuple, layers))).in_double()

    def in_double(self):
        """The same in float64."""
        return LayerMatrices(tuple(tuple(map(_double, matrices)) for matrices in self.layers))

    def blend(self, other, share):
        """(1 − share) self + share other, matrix by matrix."""
        pairs = zip(self.layers, other.layers)
        return LayerMatrices(tuple(tuple(a + share * (b - a) for a, b in zip(*pair)) for pair in pairs))


def _double(matrix):
    xp, matrix = arrays(matrix)
    return xp.astype(matrix, xp.float64, copy=False)
