"""The backward recursion of curvature propagation.

A loss is computed by nodes y = f(z), and its Hessian in the inputs of the computation is Σ Jᵀ M J over the nodes, with J the
Jacobian of z and M = Σ_q (∂L/∂y_q) ∂²f_q/∂z² the curvature of the node. With a factorisation M = Y Zᵀ at every node and white
noise v of its own at every node, the recursion

    T_z = (∂y/∂z)ᵀ T_y + Y v,   U_z = (∂y/∂z)ᵀ U_y + Z v

gives T and U at the inputs with E[T Uᵀ] the Hessian: a gradient's worth of work for each of the two.

Source: Martens, Sutskever & Swersky, Estimating the Hessian by back-propagating curvature (2012).
"""
from abc import ABC, abstractmethod
from typing import Any

from ..backend import Array, Namespace
from ..networks.layer import Layer
from ..networks.residual import Skips
from ..numerics.linalg import matvec
from .noise import Noise

__all__ = ["Balanced", "ComplexRoot", "Split", "Sweep", "extended"]


class Split(ABC):
    """A way to write a number m as a product.

    Attributes
    ----------
    count : int
        How many factors there are to keep apart: 2, or 1 where both are the same.
    """

    count: int

    @abstractmethod
    def factors(self, xp: Namespace, m: Array) -> list[Array]:
        """The factors of every entry of m, a list of `count` arrays."""


class Balanced(Split):
    """m = sign(m) √|m| · √|m|."""

    count = 2

    def factors(self, xp: Namespace, m: Array) -> list[Array]:
        size = xp.sqrt(xp.abs(m))
        return [xp.where(m < 0, -size, size), size]


class ComplexRoot(Split):
    """m = √m · √m, imaginary where m is negative."""

    count = 1

    def factors(self, xp: Namespace, m: Array) -> list[Array]:
        return [xp.sqrt(xp.astype(m, xp.result_type(m.dtype, xp.complex64)))]


class Sweep:
    """The state of the recursion between two layers: the gradient, and the vectors T and U that are propagated with it.

    Parameters
    ----------
    g : array, shape (..., n, *shape)
        The covector at the output where the sweep starts.
    start : int
        The noise is white over the axes of g from here on: those of one sample, or also the axis of the samples.
    split : Split
    noise : Noise

    Attributes
    ----------
    vectors : list of array, shape (m, ..., n, *shape)
        T and U; one array where both are the same; None where no node has been passed that is curved.
    """

    def __init__(self, xp: Namespace, g: Array, start: int, split: Split, noise: Noise) -> None:
        self.xp, self.g, self.start, self.split, self.noise = xp, g, start, split, noise
        self.vectors: Any = None
        self._gradients, self._propagated = Skips(), Skips(self._added, self._level)

    def white(self, shape: tuple[int, ...]) -> Array:
        """Noise at the entries of an array of this shape."""
        return self.noise.white(self.xp, shape, self.start, self.g.dtype)

    def add(self, new: list[Array]) -> None:
        """A node of the list `new` = [Y v, Z v] has been passed."""
        self.vectors = new if self.vectors is None else self.joined(self.vectors, new)

    def joined(self, vectors: list[Array], new: list[Array]) -> list[Array]:
        """Both lists together, vector by vector."""
        return [self.noise.join(self.xp, v, part) for v, part in zip(vectors, new, strict=True)]

    def add_diagonal(self, m: Array) -> None:
        """A node of curvature diag(m) has been passed."""
        v = self.white(m.shape)
        self.add([factor * v for factor in self.split.factors(self.xp, m)])

    def add_symmetric(self, M: Array) -> None:
        """A node of curvature M, shape (..., n, d, d), has been passed: M = Q diag(λ) Qᵀ, and λ is split."""
        spectrum, Q = self.xp.linalg.eigh(M)
        v = self.white(spectrum.shape)
        self.add([matvec(self.xp, Q, factor * v) for factor in self.split.factors(self.xp, spectrum)])

    def add_root(self, Fv: Array) -> None:
        """A node of curvature F Fᵀ has been passed, whose noise F v is given: T and U are the same there."""
        self.add([Fv] * self.split.count)

    def through(self, layer: Layer, W: Array, memory: Any) -> None:
        """From the output of a layer to its input."""
        xp, curvature = self.xp, layer.local_curvature(self.xp, memory, self.g)
        if self.vectors is not None:
            self.vectors = [layer.pull_back(xp, W, memory, v) for v in self.vectors]
        self.g = layer.pull_back(xp, W, memory, self.g)
        if curvature is not None:
            self.add_diagonal(curvature)
        self.g, self.vectors = self._gradients.backward(layer, self.g), self._propagated.backward(layer, self.vectors)

    def _added(self, vectors: Any, beside: Any) -> Any:
        """The vectors of both ways of a skip connection: the noise of their nodes is independent, that of above the same."""
        if vectors is None or beside is None:
            return vectors if beside is None else beside
        return [v + part for v, part in zip(self._level(vectors, beside), self._level(beside, vectors), strict=True)]

    def _level(self, vectors: Any, beside: Any) -> Any:
        """Vectors for as much noise as those on the other way: none of what entered there has come here."""
        if vectors is None or beside is None:
            return vectors
        return [extended(self.xp, v, part.shape[0]) for v, part in zip(vectors, beside, strict=True)]


def extended(xp: Namespace, v: Array, m: int) -> Array:
    """v with zeros up to m vectors, where noise that did not enter it is kept beside what did."""
    return v if v.shape[0] >= m else xp.concat([v, xp.zeros((m - v.shape[0], *v.shape[1:]), dtype=v.dtype)], axis=0)
