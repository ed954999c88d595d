"""infogeo: information geometry on arrays of NumPy, CuPy, PyTorch and JAX.

Dually flat manifolds with their two charts θ and η, exponential families and mirror maps, divergences, geodesics,
projections, and solvers (gradient, natural gradient, mirror descent) that share one loop.

The public names are those of ``__init__.pyi``, here and in every package; each is imported when it is first used.
"""
from .face import attach

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = attach(__name__, __file__)
