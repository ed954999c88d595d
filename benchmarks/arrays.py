"""What families and mirror maps can do on PyTorch and JAX, and what of it goes through the host: the table of the documentation.

    JAX_PLATFORMS=cpu python benchmarks/arrays.py                   # all, to docs/_static/arrays.csv
    JAX_PLATFORMS=cpu python benchmarks/arrays.py --family Gamma    # one, printed
    JAX_PLATFORMS=cpu python benchmarks/arrays.py --host            # the functions that go through the host, to arrays_host.csv

A formula is there where it gives NumPy's numbers, to the rounding of float64 times the condition of the metric, as the law in
tests/laws/test_arrays.py says; under jax.jit where it is traced, and of torch.compile where the graph gives eager's numbers.
"""
import argparse
import csv
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
jax.config.update("jax_enable_x64", True)

from infogeo import ExponentialFamily  # noqa: E402
from infogeo.backend import SPECIAL, backend_of, to_numpy  # noqa: E402
from infogeo.backend.libraries import CUPY_HOST  # noqa: E402
from tests.laws.test_arrays import each, in_double_precision  # noqa: E402
from tests.registry import PRIMAL, kernels  # noqa: E402

LIBRARIES = {"torch": torch.as_tensor, "jax": jax.numpy.asarray}
OF_ONE_NUMBER = ("cdf", "survival", "quantile")
BESIDE = (*OF_ONE_NUMBER, "mean", "variance", "fit", "distance", "geodesic")


def given(pool, kinds):
    """The arguments of a formula: the arrays of the pool in turn."""
    left = {kind: iter(arrays) for kind, arrays in pool.items()}
    return [next(left[kind]) for kind in kinds]


def missing(M, check):
    """The formulas of a manifold for which ``check(name, kinds)`` is false or fails."""
    found = []
    for name, kinds in kernels(M).items():
        try:
            good = check(name, kinds)
        except Exception:
            good = False
        if not good:
            found.append(name)
    return found


def on_library(M, make, pool, expected):
    made = each(pool, lambda x: make(np.array(x)))

    def same(name, kinds):
        found = to_numpy(getattr(M, name)(*given(made, kinds)))
        return np.all(np.abs(found - expected[name][0]) <= 4.0 * expected[name][1])
    return missing(M, same)


def traced(M, pool):
    made = each(pool, lambda x: jax.numpy.asarray(np.array(x)))
    return missing(M, lambda name, kinds: jax.jit(getattr(M, name)).trace(*given(made, kinds)) is not None)


def compiled(M, pool):
    """By ``torch.compile(..., fullgraph=True)``: read, traced and evaluated, to eager's numbers."""
    made = each(pool, lambda x: torch.as_tensor(np.array(x)))

    def same(name, kinds):
        torch._dynamo.reset()
        f, xs = getattr(M, name), given(made, kinds)
        found = torch.compile(f, fullgraph=True, backend="eager")(*xs)
        return torch.allclose(found, f(*xs), rtol=1e-12, equal_nan=True)
    return missing(M, same)


def untraced_beside(M):
    """What a family does beside its formulas and `jax.jit` does not trace: see BESIDE."""
    rng, theta = np.random.default_rng(0), np.asarray(M.theta_domain.interior_point, dtype=float)
    here, there = jax.numpy.asarray(theta), jax.numpy.asarray(1.001 * theta)
    if not isinstance(M, ExponentialFamily):
        asked = {}
    else:
        x = jax.numpy.asarray(M.sample(rng, theta, (5,)))
        asked = {"mean": (here,), "variance": (here,), "fit": (x,)}
        if not M.support.shape:
            asked |= {"cdf": (here, x), "survival": (here, x), "quantile": (here, jax.numpy.asarray([0.2, 0.7]))}
    asked |= {"distance": (here, there), "geodesic": (here, there, 0.5)}
    found = []
    for name in (name for name in BESIDE if name in asked):
        try:
            jax.eval_shape(getattr(M, name), *asked[name])
        except TypeError:
            found.append(name)
    return found


def through_the_host(M, pool):
    """{method: special functions} of the methods that go through the host on torch, whose list holds that of JAX."""
    theta, used, seen = torch.as_tensor(np.array(pool["theta"][0])), set(), {}
    xp = backend_of(theta)
    kept = {key: vars(xp)[key] for key in xp.host}
    for key, f in kept.items():
        vars(xp)[key] = lambda *xs, key=key, f=f: used.add(key) or f(*xs)
    try:
        observed = M.sample(np.random.default_rng(0), theta) if isinstance(M, ExponentialFamily) else None
        for name in [*kernels(M), *OF_ONE_NUMBER]:
            used.clear()
            try:
                if name not in OF_ONE_NUMBER:
                    made = each(pool, lambda x: torch.as_tensor(np.array(x)))
                    getattr(M, name)(*given(made, kernels(M)[name]))
                elif observed is not None:
                    getattr(M, name)(theta, 0.0 * observed + 0.3 if name == "quantile" else observed)
            except Exception:
                continue
            if used:
                seen[name] = sorted(used)
    finally:
        vars(xp).update(kept)
    return seen


def row(name, M):
    pool, expected = in_double_precision(M, "float64", (3,))
    said = lambda names: "all" if not names else "none" if len(names) == len(expected) else "but " + " ".join(names)
    host = through_the_host(M, pool)
    libraries = {library: said(on_library(M, make, pool, expected)) for library, make in LIBRARIES.items()}
    return {"family": type(M).__name__, "formulas": len(expected), **libraries,
            "jit": said(traced(M, pool)), "compile": said(compiled(M, pool)), "beside": " ".join(untraced_beside(M)),
            "host": "; ".join(f"{method} {' '.join(names)}" for method, names in host.items())}


def hosts():
    """The functions that each library lacks; CuPy, which need not be there, lacks one."""
    made = {"PyTorch": torch.zeros(1), "JAX": jax.numpy.zeros(1)}
    found = {"CuPy": CUPY_HOST} | {library: backend_of(x).host for library, x in made.items()} | {"any other": SPECIAL}
    return [{"library": library, "functions": " ".join(names)} for library, names in found.items()]


def write(name, rows):
    with open(ROOT / "docs" / "_static" / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--family")
    parser.add_argument("--host", action="store_true", help="write the special functions that go through the host, and stop")
    given_by = parser.parse_args()
    wanted = given_by.family
    if given_by.host:
        return write("arrays_host", hosts())
    warnings.simplefilter("ignore")
    first = {}
    for name, M in PRIMAL.items():
        if wanted in (None, name, type(M).__name__):
            first.setdefault(type(M), (name, M))
    rows = []
    for name, M in first.values():
        rows.append(row(name, M))
        print(*rows[-1].values(), sep=" | ", flush=True)
    if wanted is None:
        write("arrays", rows)
        write("arrays_host", hosts())


if __name__ == "__main__":
    main()
