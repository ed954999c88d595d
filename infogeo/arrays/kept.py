"""Arrays that nobody changes any more: what objects keep of their arguments."""
import numpy as np
from array_api_compat import is_array_api_obj

from ..backend import Array, backend_of

__all__ = ["closed", "copied", "kept"]


def kept(x: Array) -> Array:
    """A copy of an array in the same memory order, which on NumPy cannot be written."""
    if isinstance(x, np.ndarray):
        x = np.array(x, order="K")
        x.setflags(write=False)
        return x
    return backend_of(x).asarray(x, copy=True)


def closed(x: Array) -> Array:
    """A view of an array which on NumPy cannot be written; elsewhere a copy."""
    if isinstance(x, np.ndarray):
        x = x.view()
        x.setflags(write=False)
        return x
    return copied(x)


def copied(value: Array) -> Array:
    """A value with its arrays copied, a tuple or one of them."""
    if type(value) is tuple:
        return tuple([copied(part) for part in value])
    return backend_of(value).asarray(value, copy=True) if is_array_api_obj(value) else value
