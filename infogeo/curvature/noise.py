"""White noise: random vectors v_1, …, v_m with Σ_i v_i v_iᵀ = I, in expectation or exactly."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..errors import require_count

__all__ = ["Noise", "NormalNoise", "SignNoise", "UnitVectors"]


class Noise(ABC):
    """A source of white noise, for one node of a network after the other.

    Examples
    --------
    >>> signs = ig.curvature.SignNoise(np.random.default_rng(0))
    >>> for noise in (ig.curvature.UnitVectors(), signs):
    ...     v = noise.white(np, (3,), 0, float)     # Σ v vᵀ = I, or on average
    ...     print(v.shape, np.diag(v.T @ v))
    (3, 3) [1. 1. 1.]
    (1, 3) [1. 1. 1.]
    """

    @abstractmethod
    def white(self, xp: Namespace, shape: tuple[int, ...], start: int, dtype: Any) -> Array:
        """Vectors v_1, …, v_m over the axes from `start` on, with Σ_i v_i v_iᵀ = I.

        The axes before `start` are copies of the problem; whether their noise is common is the source's own choice.

        Shapes: (m, *shape), or what broadcasts to it.
        """

    @abstractmethod
    def join(self, xp: Namespace, v: Array, new: Array) -> Array:
        """What is propagated, below a node where v arrives and the noise `new` of the node enters."""


@dataclass(frozen=True)
class _Random(Noise):
    """m draws of independent entries of mean 0 and variance 1, over √m. A node adds its noise to what is propagated.

    Parameters
    ----------
    rng : numpy.random.Generator
    draws : int
        m.
    """

    rng: np.random.Generator
    draws: int = 1

    def __post_init__(self) -> None:
        require_count("draws", self.draws)

    def white(self, xp: Namespace, shape: tuple[int, ...], start: int, dtype: Any) -> Array:
        return self._draw(Draws(self.rng, xp, dtype), (self.draws, *shape)) / self.draws**0.5

    def join(self, xp: Namespace, v: Array, new: Array) -> Array:
        return v + new

    @abstractmethod
    def _draw(self, draws: Draws, shape: tuple[int, ...]) -> Array:
        """The entries."""


class NormalNoise(_Random):
    """Normal entries.

    Examples
    --------
    >>> noise = ig.curvature.NormalNoise(np.random.default_rng(0), 10_000)
    >>> v = noise.white(np, (2,), 0, float)         # Σ v vᵀ is near I
    >>> abs((v.T @ v).round(1))
    array([[1., 0.],
           [0., 1.]])
    """

    def _draw(self, draws: Draws, shape: tuple[int, ...]) -> Array:
        return draws.normal(shape)


class SignNoise(_Random):
    """Entries ±1: of all independent entries those that give the smallest variance, their squares having none.

    Examples
    --------
    >>> noise = ig.curvature.SignNoise(np.random.default_rng(0), 4)
    >>> v = noise.white(np, (2,), 0, float)
    >>> np.diag(v.T @ v)                            # 1, without variance
    array([1., 1.])
    """

    def _draw(self, draws: Draws, shape: tuple[int, ...]) -> Array:
        return draws.signs(shape)


@dataclass(frozen=True)
class UnitVectors(Noise):
    """Every unit vector, once: estimates become exact, at as many vectors as there are entries in all nodes.

    A node adds its vectors beside those that are propagated.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 1)),
    ...                                      ig.Bernoulli())
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> batch = [[1.0, -1.0], [0.5, 2.0]], [0, 1]
    >>> H, every = ig.curvature.hessian(model, w,
    ...                                 batch), ig.curvature.UnitVectors()
    >>> found = ig.curvature.hessian_diagonal(model, w, batch, every)
    >>> bool(np.allclose(found, np.diag(H.dense())))
    True
    """

    def white(self, xp: Namespace, shape: tuple[int, ...], start: int, dtype: Any) -> Array:
        entries = prod(shape[start:])
        return xp.reshape(xp.eye(entries, dtype=dtype), (entries, *(1,) * start, *shape[start:]))

    def join(self, xp: Namespace, v: Array, new: Array) -> Array:
        return xp.concat([v, new], axis=0)
