"""Array libraries: which one the arrays at hand belong to, and its functions under one set of names.

Kernels receive a `Namespace`, by convention called ``xp``: the functions of the array API standard, on the device of
the arrays, together with the special functions of SciPy (or the library's own). It is looked up once per public call, by the
type of the arrays. A choice (`use_backend`) exists only for arrays that do not exist yet: Python numbers, lists, samplers.
"""
from .adapter import Generator
from .coercion import arrays, asarray, coerced
from .generators import generator, generator_of
from .layout import batch_contiguous, column, dot, set_at
from .libraries import BACKENDS, backend_of, is_cupy_available, namespace_of, to_numpy, use_backend
from .namespace import NUMPY, SPECIAL, Array, Namespace

__all__ = ["BACKENDS", "NUMPY", "SPECIAL", "Array", "Generator", "Namespace", "arrays", "asarray", "backend_of",
           "batch_contiguous", "coerced", "column", "dot", "generator", "generator_of", "is_cupy_available", "namespace_of",
           "set_at", "to_numpy", "use_backend"]
