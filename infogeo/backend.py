"""Array libraries: which one the arrays at hand belong to, and its functions under one set of names.

Kernels receive a `Namespace`, by convention called ``xp``: the functions of the array API standard, on the device of
the arrays, together with the special functions of SciPy (or cupyx). It is looked up once per public call, by the type of
the arrays. A choice (`use_backend`) exists only for arrays that do not exist yet: Python numbers, lists, samplers.
"""
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from math import factorial

import array_api_compat
import numpy as np
import scipy.special

__all__ = ["Namespace", "arrays", "asarray", "backend_of", "batch_contiguous", "column", "dot", "generator", "is_cupy_available",
           "logsumexp", "polygamma", "to_numpy", "use_backend"]

SPECIAL = ("digamma", "erf", "erfinv", "expit", "gammaln", "i0e", "i1e", "log_ndtr", "logit", "ndtr", "ndtri", "xlog1py",
           "xlogy", "zeta")
CREATION = ("arange", "asarray", "empty", "eye", "full", "linspace", "ones", "zeros")
SCALARS = (bool, int, float, complex, np.generic)


class Namespace:
    """One array library on one device: its array-API functions, `SPECIAL` functions, `name`, `device`."""

    def __init__(self, library, name, device, functions):
        self.__dict__.update({key: value for key, value in vars(library).items() if not key.startswith("_")})
        self.__dict__.update(functions)
        self.linalg = library.linalg         # some libraries load it late
        self.library, self.name, self.device = library, name, device

    def __repr__(self):
        return f"<infogeo namespace {self.name} on {self.device}>"

    def __reduce__(self):
        return _namespace, (self.zeros(0),)      # an array says of which library and device it is

    def is_float(self, x):
        return self.isdtype(x.dtype, ("real floating", "complex floating"))


def _reduction(ufunc):
    """The array-API reduction of a ufunc, without the NumPy wrapper that costs more than a short sum."""
    reduce = ufunc.reduce
    return lambda x, axis=None, keepdims=False: reduce(x, axis, None, None, keepdims)


def _numpy_namespace():
    """NumPy itself, which follows the standard from 2.1 on; array_api_compat's copy of it would double the time of the import."""
    reductions = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
                  "all": np.logical_and, "any": np.logical_or}
    special = {key: getattr(scipy.special, key) for key in SPECIAL}
    reductions = {key: _reduction(f) for key, f in reductions.items()}
    return Namespace(np, "numpy", "cpu", reductions | special)


NUMPY = _numpy_namespace()
_BY_TYPE = {np.ndarray: NUMPY}
_chosen: ContextVar[str] = ContextVar("infogeo_backend", default="numpy")


@lru_cache
def _cupy_namespace():
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
    namespace = Namespace(compat_cupy, "cupy", "cuda", special)
    _BY_TYPE[cupy.ndarray] = namespace
    return namespace


def is_cupy_available():
    """Whether CuPy is installed and sees a device."""
    try:
        _cupy_namespace()
    except (ImportError, RuntimeError):
        return False
    return True


@lru_cache
def _standard_namespace(library, device):
    """Any other array-API library: special functions go through NumPy, new arrays are made on the arrays' device."""
    def through_numpy(f):
        return lambda *xs: library.asarray(f(*map(to_numpy, xs)), device=device)

    special = {key: through_numpy(getattr(scipy.special, key)) for key in SPECIAL}
    creation = {key: partial(getattr(library, key), device=device) for key in CREATION}
    return Namespace(library, library.__name__, device, special | creation)


def _namespace(x):
    """The namespace of one array."""
    found = _BY_TYPE.get(type(x))
    if found is not None:
        return found
    if isinstance(x, np.ndarray):
        return NUMPY
    if array_api_compat.is_cupy_array(x):
        return _cupy_namespace()
    return _standard_namespace(array_api_compat.array_namespace(x), array_api_compat.device(x))


def _is_array(x):
    return type(x) in _BY_TYPE or (not isinstance(x, SCALARS) and array_api_compat.is_array_api_obj(x))


def _default_namespace():
    return NUMPY if _chosen.get() == "numpy" else _cupy_namespace()


def backend_of(*xs):
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


def arrays(*xs):
    """``(xp, *xs)``: the namespace and the arguments as floating arrays of it.

    Floats keep their dtype; integers, numbers and lists take that of the floats beside them, or float64.
    """
    for x in xs:
        if type(x) is not np.ndarray or x.dtype.kind != "f":
            break
    else:
        return NUMPY, *xs
    xp = backend_of(*xs)
    kept = [x.dtype for x in xs if (_is_array(x) and xp.is_float(x)) or (xp is NUMPY and _is_narrow_scalar(x))]
    weak = xp.result_type(*kept) if kept else xp.float64
    return xp, *(_floating(xp, x, weak) for x in xs)


def _is_narrow_scalar(x):
    """A float32 or float16 number of NumPy's, as arithmetic on 0-d arrays gives; a float64 one is as weak as a Python float."""
    return isinstance(x, np.floating) and not isinstance(x, float)


def _floating(xp, x, weak):
    if _is_array(x):
        return x if xp.is_float(x) else xp.astype(x, weak)
    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        x = x.tolist()
    return xp.asarray(x, dtype=weak)


def asarray(x, like=None):
    """A floating array of the library and device of `like`, or of the chosen backend; arrays are moved where needed."""
    if like is None:
        return arrays(x)[1]
    xp = backend_of(like)
    if _is_array(x) and _namespace(x) is not xp:
        x = to_numpy(x)
        return xp.asarray(x if x.dtype.kind == "f" else x.astype(np.float64))
    return _floating(xp, x, xp.float64)


def to_numpy(x):
    """The array on the host, as NumPy."""
    if isinstance(x, np.ndarray):
        return x
    if not _is_array(x):
        return np.asarray(x)
    xp = _namespace(x)
    if xp.name == "cupy":
        return x.get()
    if xp.device != "cpu" and hasattr(xp.library, "Device"):
        x = array_api_compat.to_device(x, xp.library.Device("CPU_DEVICE"))
    return np.asarray(x)


@contextmanager
def use_backend(name):
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


def generator(seed=None):
    """A random generator of the chosen backend: `numpy.random.Generator`, or CuPy's inside ``use_backend("cupy")``."""
    if _chosen.get() == "numpy":
        return np.random.default_rng(seed)
    return _cupy_namespace().random.default_rng(seed)


def column(x):
    """A quantity per row, shape (...), as a factor of (..., d) arrays; a number stays one, which is the cheaper factor."""
    return x if type(x) is float or not getattr(x, "ndim", 0) else x[..., None]


def dot(a, b):
    """Σ a_i b_i over the last axis, shapes (..., d) to (...)."""
    if type(a) is type(b) is np.ndarray:
        return a.dot(b) if a.ndim == 1 == b.ndim else np.add.reduce(a * b, axis=-1)
    xp, a, b = arrays(a, b)
    return xp.sum(a * b, axis=-1)


def batch_contiguous(x):
    """The same array with the batch contiguous in memory and the coordinates slowest (3 to 4 times faster reductions)."""
    if type(x) is not np.ndarray or x.ndim < 2:
        return x
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1)


def logsumexp(x, axis=-1):
    """log Σ exp(x) along an axis, on any backend, with the dtype kept.

    Shapes: (..., n) to (...). An axis of −∞ gives −∞.
    """
    xp, x = arrays(x)
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    with np.errstate(divide="ignore"):
        total = xp.log(xp.sum(xp.exp(x - top), axis=axis))
    return total + xp.squeeze(top, axis=axis)


# Euler–Maclaurin coefficients B_{2j} / (2j)! of the Hurwitz zeta function.
_BERNOULLI = tuple(b / factorial(2 * j + 2) for j, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)))


def polygamma(order, x):
    """The derivative of order `order` ≥ 1 of the digamma function, for x > 0, on any backend, with the dtype kept.

    Mathematically, ψ⁽ᵐ⁾(x) = (−1)^{m+1} m! ζ(m+1, x): eight terms of the Hurwitz zeta series and seven of its
    Euler–Maclaurin tail. Source: DLMF 5.15.1 and 25.11.5.
    """
    if order < 1 or order != int(order):
        raise ValueError(f"order must be a positive integer; got {order!r}")
    xp, x = arrays(x)
    if xp is NUMPY and x.size > 8192:
        flat, out = x.reshape(-1), np.empty(x.size, x.dtype)
        for start in range(0, x.size, 4096):
            out[start:start + 4096] = _polygamma(xp, int(order), flat[start:start + 4096])
        return out.reshape(x.shape)
    return _polygamma(xp, int(order), x)


def _polygamma(xp, order, x):
    s, y = order + 1, x + 8.0
    inverse = 1.0 / y
    square = inverse * inverse
    rising = [s]
    for j in range(len(_BERNOULLI) - 1):
        rising.append(rising[-1] * (s + 2 * j + 1) * (s + 2 * j + 2))
    tail = _BERNOULLI[-1] * rising[-1]
    for coefficient, product in zip(_BERNOULLI[-2::-1], rising[-2::-1]):
        tail = tail * square + coefficient * product
    total = inverse**order * (1.0 / order + 0.5 * inverse + square * tail)
    for k in range(7, -1, -1):
        inverse = 1.0 / (x + float(k))
        power = inverse * inverse                    # a general power costs as much as all the rest
        for _ in range(order - 1):
            power = power * inverse
        total = total + power
    return (-1) ** (order + 1) * factorial(order) * total
