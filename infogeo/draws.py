"""Random draws for the arrays at hand, from whichever generator is handed over."""
import numpy as np

from .backend import backend_of, to_numpy

__all__ = ["Draws"]


class Draws:
    """Draws from a NumPy or CuPy generator, delivered as arrays of one namespace and dtype.

    A NumPy generator serves every backend: its draws are moved to the device. Only the draws that both generators have are
    used: uniform, normal, gamma, Poisson.
    """

    def __init__(self, rng, xp, dtype):
        if not hasattr(rng, "standard_normal"):
            raise TypeError(f"rng must be a numpy.random.Generator (or CuPy's); got {type(rng).__name__}: "
                            "numpy.random.default_rng(seed) makes one")
        self.rng, self.xp, self.dtype = rng, xp, dtype
        self.on_host = isinstance(rng, np.random.Generator)

    def _out(self, draw):
        return self.xp.asarray(draw, dtype=self.dtype)

    def _in(self, parameter):
        return to_numpy(parameter) if self.on_host else backend_of(parameter).asarray(parameter)

    def uniform(self, shape):
        """On [0, 1)."""
        return self._out(self.rng.random(shape))

    def normal(self, shape):
        return self._out(self.rng.standard_normal(shape))

    def signs(self, shape):
        """±1 with equal probability."""
        return 1.0 - 2.0 * self.xp.astype(self.uniform(shape) < 0.5, self.dtype)

    def gamma(self, alpha, shape):
        """Shape parameter alpha, rate 1."""
        return self._out(self.rng.standard_gamma(self._in(alpha), shape))

    def poisson(self, rate, shape):
        return self._out(self.rng.poisson(self._in(rate), shape))
