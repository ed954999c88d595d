"""The arrays that the laws run on: how to make them, how to know them, how to bring them back."""
import os
import sys
from importlib.metadata import version
from typing import Any, NamedTuple

import array_api_strict
import numpy as np
import pytest
from array_api_strict import _array_object as strict_arrays

from infogeo.backend import is_cupy_available, to_numpy

# Each strict array makes a dtype and looks for it in tuples, by a comparison in Python for every entry, and that is more than
# half of the time of the tests on this library: one object for one dtype, and sets, give the same answers.
_dtypes = {dtype._np_dtype: dtype for dtype in strict_arrays._all_dtypes}
strict_arrays.DType = lambda np_dtype, make=strict_arrays.DType: _dtypes.get(np_dtype) or make(np_dtype)
strict_arrays._all_dtypes = frozenset(strict_arrays._all_dtypes)
strict_arrays._dtype_categories.update({name: frozenset(dtypes) for name, dtypes in strict_arrays._dtype_categories.items()})

DEVICE = array_api_strict.Device("device1")     # on its CPU device NumPy's functions would work silently; on this one they raise


class Backend(NamedTuple):
    """An array library on a device, and whether its arrays may be written to."""

    name: str
    namespace: Any
    device: Any = None
    writeable: bool = True

    def make(self, x, dtype="float64"):
        """The NumPy array on this backend; integers and booleans keep their dtype."""
        x = np.asarray(x)
        if x.dtype.kind == "c":
            dtype = np.result_type(dtype, np.complex64)
        x = x.astype(dtype) if x.dtype.kind in "fc" else x.copy()
        if self.namespace is np:
            x.flags.writeable = self.writeable
            return x
        return self.namespace.asarray(x) if self.device is None else self.namespace.asarray(x, device=self.device)

    def to_numpy(self, x):
        return to_numpy(x)

    def check(self, x, dtype="float64"):
        """The result as NumPy, once it is known to be of this library, device and dtype."""
        if self.namespace is np:
            assert isinstance(x, np.ndarray | np.generic), f"{type(x).__name__} instead of a NumPy array"
        else:
            assert type(x) is type(self.namespace.asarray(0.0)), f"{type(x).__name__} instead of an array of {self.name}"
        assert self.device is None or x.device == self.device, f"on {x.device} instead of {self.device}"
        widths = dtype, {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)      # observations may be complex
        assert x.dtype in [getattr(self.namespace, name) for name in widths], f"{x.dtype} instead of {dtype}"
        return to_numpy(x)


def _cupy():
    """On a list of its own, empty where there is no device: test_gpu says so once, in place of a skip for every case."""
    if not is_cupy_available():
        return []
    import cupy
    return [pytest.param(Backend("cupy", cupy), id="cupy", marks=pytest.mark.gpu)]


def _torch():
    import torch
    return Backend("torch", torch, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _jax():
    # The small profile runs on what users have. Of the thorough run nearly all of the time is compiling: XLA's older emitters on
    # the host, in one piece, take half as long for an operation and a third for a formula. A release that no longer knows a flag
    # would end the process.
    if "arrays" in sys.argv and tuple(map(int, version("jaxlib").split(".")[:2])) <= (0, 10):
        flags = "--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"
        os.environ["XLA_FLAGS"] = " ".join((*flags, os.environ.get("XLA_FLAGS", "")))
    import jax
    jax.config.update("jax_enable_x64", True)
    return Backend("jax", jax.numpy)


NUMPY = Backend("numpy", np, writeable=False)       # what changes an argument in place raises
# The library that the environment names, alone: its tests are a run of their own, as the README's does without them.
ALONE = {"torch": _torch, "jax": _jax}
CHOSEN = os.environ.get("INFOGEO_TEST_ARRAYS", "")
BACKENDS = [pytest.param(ALONE[CHOSEN](), id=CHOSEN)] if CHOSEN else [
    pytest.param(NUMPY, id="numpy"),
    pytest.param(Backend("array_api_strict", array_api_strict, DEVICE), id="strict"),
    *_cupy(),
]
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])

# The small profile: what has formulas, loops, projections and divergences of its own, and of JAX, which compiles every operation
# for every shape (30 ms each), one family of a class, no dual, and one of each kind where the code is one for all manifolds.
SMALL = {"test_array_libraries", "test_arrays", "test_derivatives", "test_divergence_objectives", "test_divergences_arrays",
         "test_implicit_derivatives", "test_kept_arrays", "test_mirror_is_natural", "test_projection", "test_pythagoras",
         "test_runs_on_libraries", "test_sampling", "test_traced", "test_traced_runs"}
DEAR = {"test_sampling", "test_sums_and_integrals_on_every_backend"}            # for JAX, which draws by a law of its own anyway
FEW = {"AffineMap", "Box", "CrossEntropy", "LeastSquares", "LogisticRegression", "a run"}        # of what keeps arrays, on JAX
_seen = set()


def is_small(item):
    """Whether a test belongs to the small profile."""
    stem, given = item.path.stem, item.callspec.params
    if stem not in SMALL or item.originalname == "test_devices_do_not_mix" and type(given["M"]).__name__ != "Gamma":
        return False
    if CHOSEN == "jax" and {stem, item.originalname} & DEAR:
        return False
    if CHOSEN == "jax" and stem == "test_kept_arrays" and given.get("name", "CrossEntropy") not in FEW:
        return False
    if CHOSEN == "jax" and "M" in given:
        key = item.nodeid.partition("[")[0], type(given["M"]).__name__
        if key[1] == "Dual" or key in _seen:
            return False
        _seen.add(key)
    return True
