"""Every function that the library looks up on a namespace exists in CuPy, which can be asked without a device."""
import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import infogeo
from infogeo import backend
from infogeo.backend.libraries import CUPY_HOST

SOURCES = sorted(Path(infogeo.__file__).parent.rglob("*.py"))
OF_TORCH = {"cholesky_solve", "require_dense"}          # what is asked of torch alone
# Of `Namespace` itself, or constants.
OWN = {"dot", "is_float", "name", "device", "library", "host", "to_host", "generator", "nan", "inf"} | OF_TORCH


@cache
def namespace_names():
    """{name: file} of every ``xp.name`` and ``xp.linalg.name``, read from the sources."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id == "xp":
                    found.setdefault(node.attr, path.name)
                elif isinstance(owner, ast.Attribute) and ast.unparse(owner) == "xp.linalg":
                    found.setdefault(f"linalg.{node.attr}", path.name)
    return found


def lookup(module, dotted):
    for part in dotted.split("."):
        module = getattr(module, part)
    return module


def test_the_sources_were_read():
    names = namespace_names()
    assert {"sum", "where", "expm1", "gammaln", "linalg.solve", "matmul"} <= set(names)


def test_they_exist_on_numpy():
    for name in set(namespace_names()) - OF_TORCH:
        assert lookup(backend.NUMPY, name) is not None


def test_they_exist_in_cupy():
    pytest.importorskip("cupy", reason="CuPy is not installed")
    import array_api_compat.cupy
    import cupyx.scipy.special
    for name in set(namespace_names()) - OWN - set(backend.SPECIAL):
        assert callable(lookup(array_api_compat.cupy, name)) or name in ("linalg", "float64", "float32", "int64", "bool")
    for name in set(backend.SPECIAL) - set(CUPY_HOST):
        assert callable(getattr(cupyx.scipy.special, name))


def test_random_draws_exist_in_cupy():
    """The draws that `Draws` uses are those that both generators have."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    tree = ast.parse((Path(infogeo.__file__).parent / "arrays" / "draws.py").read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
            and node.value.attr == "rng"}
    assert used >= {"random", "standard_normal", "standard_gamma", "poisson"}
    for name in used:
        assert hasattr(cupy.random.Generator, name) and hasattr(np.random.Generator, name)
