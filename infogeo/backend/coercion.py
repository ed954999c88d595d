"""Arguments as floating arrays of one library: numbers, lists, integers, data frames, arrays of a narrower dtype."""
import warnings
from typing import Any

import numpy as np

from .libraries import SCALARS, backend_of, is_array, namespace_of, to_numpy
from .namespace import NUMPY, Array, Namespace

__all__ = ["arrays", "asarray", "coerced"]


def arrays(*xs: Any) -> tuple[Any, ...]:
    """``(xp, *xs)``: the namespace and the arguments as floating arrays of it.

    Floats keep their dtype; integers, numbers, lists and whatever has `__array__` take that of the floats beside them, or
    float64 (without ``jax_enable_x64``, JAX has none, and they are float32).

    Raises
    ------
    TypeError
        For masked arrays, strings, dates and complex numbers, which are no real numbers: it says what to pass. For None and
        other objects that are no numbers, alone or in an array.
    """
    for x in xs:
        if type(x) is not np.ndarray or x.dtype.kind != "f":
            break
    else:
        return NUMPY, *xs
    found = coerced(*xs)
    for x in found[1:]:
        if found[0].isdtype(x.dtype, "complex floating"):
            raise TypeError(f"real numbers are needed; got {x.dtype}: pass x.real and x.imag, or a family of complex vectors")
    return found


def coerced(*xs: Any) -> tuple[Any, ...]:
    """As `arrays`, where complex arrays have a meaning."""
    for x in xs:
        if type(x) is not np.ndarray or x.dtype.kind != "f":
            break
    else:                                       # the common case, at a tenth of the price
        return NUMPY, *xs
    xp = backend_of(*xs)
    kept = [x.dtype for x in xs if (is_array(x) and xp.is_float(x)) or (xp is NUMPY and _is_narrow_scalar(x))]
    weak = xp.result_type(*kept) if kept else xp.float64
    if kept and xp.isdtype(weak, "complex floating"):           # numbers beside complex arrays stay real
        weak = xp.float32 if weak == xp.complex64 else xp.float64
    return xp, *(_floating(xp, x, weak) for x in xs)


def asarray(x: Any, like: Array = None) -> Array:
    """A floating array of the library and device of `like`, or of the chosen backend; arrays are moved where needed.

    Without ``jax_enable_x64``, JAX has no float64: an array of them becomes one of float32 there, with a UserWarning.
    """
    if like is None:
        return arrays(x)[1]
    xp = backend_of(like)
    if not is_array(x) or namespace_of(x) is xp:
        return _floating(xp, x, xp.float64)
    x = to_numpy(x)
    moved = xp.asarray(x if x.dtype.kind == "f" else x.astype(np.float64))
    if x.dtype == np.float64 and moved.dtype != xp.float64 or xp.float64 == xp.float32:
        warnings.warn("float64 becomes float32: JAX has it after jax.config.update('jax_enable_x64', True)", stacklevel=2)
    return moved


def _is_narrow_scalar(x: Any) -> bool:
    """A float32 or float16 number of NumPy's, as arithmetic on 0-d arrays gives; a float64 one is as weak as a Python float."""
    return isinstance(x, np.floating) and not isinstance(x, float)


def _floating(xp: Namespace, x: Any, weak: Any) -> Array:
    if is_array(x):
        if isinstance(x, np.ndarray):
            _require_numbers(x)
        elif xp.name == "torch":
            xp.require_dense(x)
        return x if xp.is_float(x) else xp.astype(x, weak)
    if not isinstance(x, SCALARS):              # a list, a data frame, whatever has __array__
        try:
            x = np.asarray(x)
        except ValueError as error:
            if "inhomogeneous" in str(error):
                raise ValueError(f"rows of one length are needed; got {x!r}") from None
            raise
        except RuntimeError as error:           # PyTorch's, of tensors that ask for derivatives
            raise TypeError("an array is needed; got a list of tensors that ask for derivatives: torch.stack(x) makes one of "
                            "them") from error
        _require_numbers(x)
        weak = xp.complex128 if x.dtype.kind == "c" else weak
        x = x if xp is NUMPY else x.tolist()
    return xp.asarray(x, dtype=weak)


def _require_numbers(x: np.ndarray) -> None:
    """Nothing, for an array that NumPy does not take for numbers by a reading of its own."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError("masked arrays are not read: pass x.compressed(), or x.filled(…) with weights of 0 where it is masked")
    if x.dtype.kind in "SUMmV" or x.dtype.kind == "O" and any(isinstance(v, (str, bytes)) for v in x.flat):
        what = {"M": "dates", "m": "time differences", "V": "records"}.get(x.dtype.kind, "strings")
        remedy = "x.astype('datetime64[s]').astype(float)" if x.dtype.kind in "Mm" else "x.astype(float)"
        raise TypeError(f"numbers are needed; got {what} ({x.dtype}): {remedy} would make numbers of them")
    if x.dtype.kind == "O" and (others := [v for v in x.flat if not hasattr(v, "__float__")]):      # of None, NumPy makes NaN
        raise TypeError(f"numbers are needed; got {others[0]!r}")
