"""Which library the arrays at hand belong to, which one new arrays are made in, and the way back to the host."""
import copyreg
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

import array_api_compat
import numpy as np

from .namespace import CREATION, NUMPY, SPECIAL, Array, Namespace, through_host

__all__ = ["BACKENDS", "CUPY_HOST", "SCALARS", "backend_of", "default_namespace", "is_array", "is_cupy_available", "namespace_of",
           "to_numpy", "use_backend"]

SCALARS = (bool, int, float, complex, np.generic)
_BY_TYPE: dict[type, Namespace] = {np.ndarray: NUMPY}       # of the libraries where a type says the device, too
CUPY_HOST = ("betaincc",)           # the special functions that CuPy does not have
_MISSING = {"cupy": "pip install 'infogeo[cuda12]' or 'infogeo[cuda13]'", "torch": "pip install 'infogeo[torch]'",
            "jax": "pip install 'infogeo[jax]'"}


def _needs(name: str, library: str) -> ImportError:
    return ImportError(f"the {name} backend needs {library}: {_MISSING[name]}")


@lru_cache
def cupy_namespace() -> Namespace:
    """The CuPy namespace; an ImportError or RuntimeError in plain words where there is none."""
    try:
        import array_api_compat.cupy as compat_cupy
        import cupy
        import cupyx.scipy.special
    except ImportError as error:
        raise _needs("cupy", "CuPy") from error
    if not cupy.cuda.is_available():
        raise RuntimeError("the cupy backend needs a CUDA device and its driver; CuPy is installed but finds none")
    special = {key: getattr(cupyx.scipy.special, key) for key in SPECIAL if key not in CUPY_HOST}
    special |= through_host(CUPY_HOST, to_numpy, cupy.asarray) | {"generator": cupy.random.default_rng, "to_host": cupy.asnumpy}
    namespace = Namespace(compat_cupy, "cupy", "cuda", special, CUPY_HOST)
    _BY_TYPE[cupy.ndarray] = namespace
    return namespace


def is_cupy_available() -> bool:
    """Whether CuPy is installed and sees a device."""
    try:
        cupy_namespace()
    except (ImportError, RuntimeError):
        return False
    return True


def torch_namespace(device: Any = None) -> Namespace:
    """PyTorch on a device, its default one where none is given; an ImportError in plain words where there is none."""
    try:
        from .torch_library import namespace_on
    except ImportError as error:
        raise _needs("torch", "PyTorch") from error
    return namespace_on(device)


def jax_namespace() -> Namespace:
    """JAX; an ImportError in plain words where there is none."""
    try:
        from .jax_library import JAX
    except ImportError as error:
        raise _needs("jax", "JAX") from error
    return JAX


@lru_cache
def _standard_namespace(library: Any, device: Any) -> Namespace:
    """Any other array-API library: special functions go through NumPy, new arrays are made on the arrays' device."""
    special = through_host(SPECIAL, to_numpy, partial(library.asarray, device=device))
    creation = {key: partial(getattr(library, key), device=device) for key in CREATION}
    return Namespace(library, library.__name__, device, special | creation | {"to_host": partial(_to_host, library)}, SPECIAL)


def _to_host(library: Any, x: Array) -> np.ndarray:
    if hasattr(library, "Device"):
        x = array_api_compat.to_device(x, library.Device("CPU_DEVICE"))
    return np.asarray(x)


BACKENDS: dict[str, Callable[[], Namespace]] = {"numpy": lambda: NUMPY, "cupy": cupy_namespace, "torch": torch_namespace,
                                                "jax": jax_namespace}
_chosen: ContextVar[str] = ContextVar("infogeo_backend", default="numpy")


def default_namespace() -> Namespace:
    """That of new arrays, as `use_backend` chose it."""
    return BACKENDS[_chosen.get()]()


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """New arrays, from Python numbers, lists and samplers, are made on this backend: "numpy", "cupy", "torch" or "jax".

    CuPy's are made on the GPU, those of torch and JAX on the default device of the library.

    Raises
    ------
    ImportError, RuntimeError
        Where the library is not installed, or has no device.

    Examples
    --------
    >>> with ig.use_backend("numpy"):  # or "cupy", "torch", "jax"
    ...     theta = ig.Poisson().theta_from(rate=1.0)
    >>> type(theta).__module__
    'numpy'
    """
    if name not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(map(repr, BACKENDS))}; got {name!r}")
    BACKENDS[name]()
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def namespace_of(x: Array) -> Namespace:
    """The namespace of one array."""
    found = _BY_TYPE.get(type(x))
    if found is not None:
        return found
    if isinstance(x, np.ndarray):
        return NUMPY
    if array_api_compat.is_torch_array(x):
        return torch_namespace(x.device)
    if array_api_compat.is_jax_array(x):
        return _BY_TYPE.setdefault(type(x), jax_namespace())        # arrays of JAX, and what stands for one while it traces
    if array_api_compat.is_cupy_array(x):
        return cupy_namespace()
    return _standard_namespace(array_api_compat.array_namespace(x), array_api_compat.device(x))


def is_array(x: Any) -> bool:
    """Whether it is an array of a library, and no number or list."""
    return type(x) in _BY_TYPE or (not isinstance(x, SCALARS) and array_api_compat.is_array_api_obj(x))


def backend_of(*xs: Any) -> Namespace:
    """The namespace of these arrays; Python numbers and lists follow the arrays, or `use_backend` where there are none.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries or devices.
    """
    found = None
    for x in xs:
        if is_array(x):
            namespace = namespace_of(x)
            if found is not None and namespace is not found:
                raise TypeError(f"arrays on different devices: {found.name} on {found.device} and {namespace.name} on "
                                f"{namespace.device}; move one with infogeo.backend.to_numpy or infogeo.backend.asarray")
            found = namespace
    return default_namespace() if found is None else found


def to_numpy(x: Any) -> np.ndarray:
    """The array on the host, as NumPy; of a torch tensor without its derivatives.

    Raises
    ------
    TypeError
        For what stands for an array while JAX traces.
    """
    if isinstance(x, np.ndarray):
        return x
    if not is_array(x):
        return np.asarray(x)
    host: np.ndarray = namespace_of(x).to_host(x)
    return host


# Of a namespace an empty array is kept, which says of which library and device it is.
copyreg.pickle(Namespace, lambda xp: (namespace_of, (xp.zeros(0),)))
