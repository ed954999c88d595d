"""Random draws for the arrays at hand, from whichever generator is handed over."""
from math import prod
from typing import Any

import numpy as np

from ..backend import Array, Generator, Namespace, generator_of, namespace_of, to_numpy

__all__ = ["Draws", "draw_states"]


class Draws:
    """Draws from any generator that `generator_of` takes, delivered as arrays of one namespace and dtype.

    A NumPy generator serves every backend: its draws are moved to the device, and those of another library likewise. Only the
    draws that all generators have are used: uniform, normal, gamma, Poisson.
    """

    def __init__(self, rng: Any, xp: Namespace, dtype: Any) -> None:
        self.rng, self.xp, self.dtype = generator_of(rng), xp, dtype
        self.on_host = isinstance(rng, np.random.Generator)

    def delivered(self, draw: Array) -> Array:
        """What the generator drew, as an array of the namespace and dtype."""
        return self.xp.asarray(draw if self.on_host or namespace_of(draw) is self.xp else to_numpy(draw), dtype=self.dtype)

    def _in(self, parameter: Array) -> Array:
        return to_numpy(parameter) if self.on_host else parameter

    def uniform(self, shape: tuple[int, ...]) -> Array:
        """On [0, 1)."""
        return self.delivered(self.rng.random(shape))

    def normal(self, shape: tuple[int, ...]) -> Array:
        return self.delivered(self.rng.standard_normal(shape))

    def signs(self, shape: tuple[int, ...]) -> Array:
        """±1 with equal probability."""
        return 1.0 - 2.0 * self.xp.astype(self.uniform(shape) < 0.5, self.dtype)

    def gamma(self, alpha: Array, shape: tuple[int, ...]) -> Array:
        """Shape parameter alpha, rate 1."""
        return self.delivered(self.rng.standard_gamma(self._in(alpha), shape))

    def poisson(self, rate: Array, shape: tuple[int, ...]) -> Array:
        """NumPy's end at a rate of 9.2e18. From 10¹⁸ on they are normal: what is left of the law's skewness is 1e-9."""
        if isinstance(self.rng, Generator):         # which looks after that itself
            return self.delivered(self.rng.poisson(rate, shape))
        rate = self._in(rate)
        if not (rate > 1e18).any():
            return self.delivered(self.rng.poisson(rate, shape))
        large, top = rate > 1e18, rate + 0.0 * self.rng.standard_normal(shape)
        return self.delivered((top + top**0.5 * self.rng.standard_normal(shape)).round() * large
                              + self.rng.poisson(rate * ~large, shape) * ~large)


def draw_states(draws: Draws, probabilities: Array, shape: tuple[int, ...]) -> Array:
    """Indices with these probabilities (..., m), a sample of batch shape `shape`, which ends in theirs.

    By inverse CDF: a binary search for u · Σp in the cumulative sums, all draws at once.
    """
    xp, states, batch = draws.xp, probabilities.shape[-1], probabilities.shape[:-1]
    cumulative = xp.reshape(xp.cumulative_sum(probabilities, axis=-1), (-1, states))
    points, count = cumulative.shape[0], prod(shape[:len(shape) - len(batch)])
    target = xp.matrix_transpose(draws.uniform((count, points)) * cumulative[:, -1])    # the last sum is 1 up to rounding
    low = xp.zeros((points, count), dtype=xp.int64)
    high = low + (states - 1)
    for _ in range(int(states - 1).bit_length()):
        middle = (low + high) // 2
        above = xp.take_along_axis(cumulative, middle, axis=-1) > target
        low, high = xp.where(above, low, middle + 1), xp.where(above, middle, high)
        low = xp.minimum(low, high)
    return xp.reshape(xp.matrix_transpose(low), shape)
