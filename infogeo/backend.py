"""Array libraries: which one the arrays at hand belong to, and its functions under one set of names.

Kernels receive a `Namespace`, by convention called ``xp``: the functions of the array API standard, on the device of
the arrays, together with the special functions of SciPy (or cupyx). It is looked up once per public call, by the type of
the arrays. A choice (`use_backend`) exists only for arrays that do not exist yet: Python numbers, lists, samplers.
"""
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import array_api_compat
import numpy as np
import scipy.special

__all__ = ["Array", "Namespace", "arrays", "asarray", "backend_of", "batch_contiguous", "coerced", "column", "dot", "generator",
           "is_cupy_available", "to_numpy", "use_backend"]

# An array of whichever library is at hand. The libraries share no base class, and a protocol of the array API's operators would
# be satisfied by none of their own type stubs.
Array: TypeAlias = Any

SPECIAL = ("betainc", "betaincinv", "digamma", "erf", "erfcx", "erfinv", "expit", "gammainc", "gammaincc", "gammainccinv",
           "gammaincinv", "gammaln", "log_ndtr", "ndtr", "ndtri", "xlog1py", "xlogy")
HOST = ("betaincc",)                    # which CuPy does not have: arrays go to the host and come back
CREATION = ("arange", "asarray", "empty", "eye", "full", "linspace", "ones", "zeros")
COLUMNS = (np.ndarray, np.float64, np.float32)
SCALARS = (bool, int, float, complex, np.generic)


class Namespace:
    """One array library on one device: its array-API functions, `SPECIAL` functions, `name`, `device`."""

    if TYPE_CHECKING:                        # the functions are those that the library has
        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, library: Any, name: str, device: Any, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.__dict__.update({key: value for key, value in vars(library).items() if not key.startswith("_")})
        self.__dict__.update(functions)
        self.linalg = library.linalg         # some libraries load it late
        self.library, self.name, self.device = library, name, device

    def __repr__(self) -> str:
        return f"<infogeo namespace {self.name} on {self.device}>"

    def __reduce__(self) -> tuple[Callable[[Array], "Namespace"], tuple[Array]]:
        return _namespace, (self.zeros(0),)      # an array says of which library and device it is

    def is_float(self, x: Array) -> bool:
        return bool(self.isdtype(x.dtype, ("real floating", "complex floating")))


def _reduction(ufunc: np.ufunc) -> Callable[..., Array]:
    """The array-API reduction of a ufunc, without the NumPy wrapper that costs more than a short sum."""
    reduce: Callable[..., Array] = ufunc.reduce
    return lambda x, axis=None, keepdims=False: reduce(x, axis, None, None, keepdims)


def _stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """`numpy.stack`; columns of one shape are written in place, for one point at a third of the price (1.9 µs, 0.6 µs)."""
    if axis != -1 or not all(type(x) in COLUMNS and x.shape == arrays[0].shape and x.dtype == arrays[0].dtype for x in arrays):
        return np.stack(arrays, axis=axis)
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if shape == ():
        return np.array(arrays)
    out = np.empty((*shape, len(arrays)), dtype)
    for i, x in enumerate(arrays):
        out[..., i] = x
    return out


def _numpy_namespace() -> Namespace:
    """NumPy itself, which follows the standard from 2.1 on; array_api_compat's copy of it would double the time of the import."""
    reductions = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
                  "all": np.logical_and, "any": np.logical_or}
    special = {key: getattr(scipy.special, key) for key in SPECIAL + HOST}
    functions = {key: _reduction(f) for key, f in reductions.items()}
    return Namespace(np, "numpy", "cpu", functions | special | {"stack": _stack})


NUMPY = _numpy_namespace()
_BY_TYPE: dict[type, Namespace] = {np.ndarray: NUMPY}
_chosen: ContextVar[str] = ContextVar("infogeo_backend", default="numpy")


def _through_host(names: tuple[str, ...], back: Callable[[np.ndarray], Array]) -> dict[str, Callable[..., Array]]:
    """Functions of SciPy on the arrays of another library, which the function `back` makes of those of NumPy."""
    def through(f: Callable[..., Array]) -> Callable[..., Array]:
        return lambda *xs: back(f(*map(to_numpy, xs)))

    return {name: through(getattr(scipy.special, name)) for name in names}


@lru_cache
def _cupy_namespace() -> Namespace:
    """The CuPy namespace; an ImportError or RuntimeError in plain words where there is none."""
    try:
        import array_api_compat.cupy as compat_cupy
        import cupy
        import cupyx.scipy.special
    except ImportError as error:
        raise ImportError("the cupy backend needs CuPy: pip install 'infogeo[cuda12]' or 'infogeo[cuda13]'") from error
    if not cupy.cuda.is_available():
        raise RuntimeError("the cupy backend needs a CUDA device and its driver; CuPy is installed but finds none")
    special = {key: getattr(cupyx.scipy.special, key) for key in SPECIAL}
    namespace = Namespace(compat_cupy, "cupy", "cuda", special | _through_host(HOST, cupy.asarray))
    _BY_TYPE[cupy.ndarray] = namespace
    return namespace


def is_cupy_available() -> bool:
    """Whether CuPy is installed and sees a device."""
    try:
        _cupy_namespace()
    except (ImportError, RuntimeError):
        return False
    return True


@lru_cache
def _standard_namespace(library: Any, device: Any) -> Namespace:
    """Any other array-API library: special functions go through NumPy, new arrays are made on the arrays' device."""
    special = _through_host(SPECIAL + HOST, partial(library.asarray, device=device))
    creation = {key: partial(getattr(library, key), device=device) for key in CREATION}
    return Namespace(library, library.__name__, device, special | creation)


def _namespace(x: Array) -> Namespace:
    """The namespace of one array."""
    found = _BY_TYPE.get(type(x))
    if found is not None:
        return found
    if isinstance(x, np.ndarray):
        return NUMPY
    if array_api_compat.is_cupy_array(x):
        return _cupy_namespace()
    return _standard_namespace(array_api_compat.array_namespace(x), array_api_compat.device(x))


def _is_array(x: Any) -> bool:
    return type(x) in _BY_TYPE or (not isinstance(x, SCALARS) and array_api_compat.is_array_api_obj(x))


def _default_namespace() -> Namespace:
    return NUMPY if _chosen.get() == "numpy" else _cupy_namespace()


def backend_of(*xs: Any) -> Namespace:
    """The namespace of these arrays; Python numbers and lists follow the arrays, or `use_backend` where there are none.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries or devices.
    """
    found = None
    for x in xs:
        if _is_array(x):
            namespace = _namespace(x)
            if found is not None and namespace is not found:
                raise TypeError(f"arrays on different devices: {found.name} on {found.device} and {namespace.name} on "
                                f"{namespace.device}; move one with infogeo.backend.to_numpy or infogeo.backend.asarray")
            found = namespace
    return _default_namespace() if found is None else found


def arrays(*xs: Any) -> tuple[Any, ...]:
    """``(xp, *xs)``: the namespace and the arguments as floating arrays of it.

    Floats keep their dtype; integers, numbers, lists and whatever has `__array__` take that of the floats beside them, or
    float64.

    Raises
    ------
    TypeError
        For masked arrays, strings, dates and complex numbers, which are no real numbers: it says what to pass.
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
    kept = [x.dtype for x in xs if (_is_array(x) and xp.is_float(x)) or (xp is NUMPY and _is_narrow_scalar(x))]
    weak = xp.result_type(*kept) if kept else xp.float64
    if kept and xp.isdtype(weak, "complex floating"):           # numbers beside complex arrays stay real
        weak = xp.float32 if weak == xp.complex64 else xp.float64
    return xp, *(_floating(xp, x, weak) for x in xs)


def _is_narrow_scalar(x: Any) -> bool:
    """A float32 or float16 number of NumPy's, as arithmetic on 0-d arrays gives; a float64 one is as weak as a Python float."""
    return isinstance(x, np.floating) and not isinstance(x, float)


def _floating(xp: Namespace, x: Any, weak: Any) -> Array:
    if _is_array(x):
        if isinstance(x, np.ndarray):
            _require_numbers(x)
        return x if xp.is_float(x) else xp.astype(x, weak)
    if not isinstance(x, SCALARS):              # a list, a data frame, whatever has __array__
        x = np.asarray(x)
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


def asarray(x: Any, like: Array = None) -> Array:
    """A floating array of the library and device of `like`, or of the chosen backend; arrays are moved where needed."""
    if like is None:
        return arrays(x)[1]
    xp = backend_of(like)
    if _is_array(x) and _namespace(x) is not xp:
        x = to_numpy(x)
        return xp.asarray(x if x.dtype.kind == "f" else x.astype(np.float64))
    return _floating(xp, x, xp.float64)


def to_numpy(x: Any) -> np.ndarray:
    """The array on the host, as NumPy."""
    if isinstance(x, np.ndarray):
        return x
    if not _is_array(x):
        return np.asarray(x)
    xp = _namespace(x)
    if xp.name == "cupy":
        host: np.ndarray = x.get()
        return host
    if xp.device != "cpu" and hasattr(xp.library, "Device"):
        x = array_api_compat.to_device(x, xp.library.Device("CPU_DEVICE"))
    return np.asarray(x)


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """New arrays, from Python numbers, lists and samplers, are made on this backend: ``"numpy"`` or ``"cupy"``."""
    if name not in ("numpy", "cupy"):
        raise ValueError(f"backend must be 'numpy' or 'cupy'; got {name!r}")
    if name == "cupy":
        _cupy_namespace()
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def generator(seed: Any = None) -> np.random.Generator:
    """A random generator of the chosen backend: `numpy.random.Generator`, or CuPy's inside ``use_backend("cupy")``."""
    if _chosen.get() == "numpy":
        return np.random.default_rng(seed)
    rng: np.random.Generator = _cupy_namespace().random.default_rng(seed)       # or CuPy's, with the same methods
    return rng


def column(x: Array) -> Array:
    """A quantity per row, shape (...), as a factor of (..., d) arrays; a number stays one, which is the cheaper factor."""
    return x if type(x) is float or not getattr(x, "ndim", 0) else x[..., None]


def dot(a: Array, b: Array) -> Array:
    """Σ a_i b_i over the last axis, shapes (..., d) to (...)."""
    if type(a) is type(b) is np.ndarray:
        return a.dot(b) if a.ndim == 1 == b.ndim else np.add.reduce(a * b, axis=-1)
    xp, a, b = arrays(a, b)
    return xp.sum(a * b, axis=-1)


def batch_contiguous(x: Array) -> Array:
    """The same array with the batch contiguous in memory and the coordinates slowest (3 to 4 times faster reductions)."""
    if type(x) is not np.ndarray or x.ndim < 2:
        return x
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1)
