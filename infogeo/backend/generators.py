"""Random generators of every library: NumPy's and CuPy's as they are, PyTorch's and JAX's keys adapted."""
from typing import Any

import array_api_compat

from .libraries import default_namespace

__all__ = ["generator", "generator_of"]


def generator_of(rng: Any) -> Any:
    """The generator with NumPy's methods: itself, or one that draws from a `torch.Generator` or by a `jax.random` key.

    Raises
    ------
    TypeError
        For anything else.
    """
    if hasattr(rng, "standard_normal"):
        return rng
    if type(rng).__module__.partition(".")[0] == "torch" and type(rng).__name__ == "Generator":
        from .torch_library import TorchGenerator
        return TorchGenerator(rng)
    if array_api_compat.is_jax_array(rng):
        from .jax_library import JaxGenerator, is_key
        if is_key(rng):
            return JaxGenerator(rng)
    raise TypeError(f"rng must be a numpy.random.Generator (or CuPy's, a torch.Generator, a jax.random key); got "
                    f"{type(rng).__name__}: numpy.random.default_rng(seed) makes one")


def generator(seed: Any = None) -> Any:
    """A random generator of the chosen backend: `numpy.random.Generator`, CuPy's, a `torch.Generator`, or a `jax.random` key."""
    return default_namespace().generator(seed)
