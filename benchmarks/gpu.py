"""NumPy, and CuPy and PyTorch on a GPU, in one run: formulas of five families, the loop, Fisher–Rao, a step of K-FAC.

    python benchmarks/gpu.py [--out FILE.rst] [--sizes 1e3 1e5 1e7] [--skip-tests] [--device cpu]

It needs no network and ends within 8 minutes on one GPU: the `gpu` tests come first. A cell is milliseconds, the best of repeats
that last a fifth of a second at least, with the device waited for; "–" is what the memory does not hold. ``--device cpu`` runs
PyTorch on the processor, to try the script where there is no GPU.
"""
import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import infogeo as ig

ROOT = Path(__file__).parents[1]
FAMILIES = [ig.Normal(), ig.Gamma(), ig.Categorical(10), ig.Dirichlet(5), ig.MultivariateNormal(3)]
ORDINARY = {"Normal": lambda rng, n: dict(mean=rng.normal(size=n), variance=rng.uniform(0.5, 2.0, n)),
            "Gamma": lambda rng, n: dict(shape=rng.uniform(0.5, 5.0, n), rate=rng.uniform(0.5, 2.0, n)),
            "Categorical": lambda rng, n: dict(probabilities=rng.dirichlet(np.ones(10), n)),
            "Dirichlet": lambda rng, n: dict(concentration=rng.uniform(0.5, 5.0, (n, 5))),
            "MultivariateNormal": lambda rng, n: dict(mean=rng.normal(size=(n, 3)),
                                                      covariance=np.eye(3) + 0.1 * np.ones((n, 3, 3)))}
LONGEST = 60.0          # seconds, after which a library's row is not tried at a larger size
SECONDS = 0.2


class Library:
    """How arrays go to a library and its device, and how one waits for it."""

    def __init__(self, name: str, put: Callable, wait: Callable) -> None:
        self.name, self.put, self.wait = name, put, wait


def libraries(device):
    """(those that are there, the name of the device)."""
    found, described = [Library("numpy", lambda x: x, lambda: None)], "no GPU"
    if ig.backend.is_cupy_available():
        import cupy
        described = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        found.append(Library("cupy", cupy.asarray, cupy.cuda.Device().synchronize))
    try:
        import torch
    except ImportError:
        return found, described
    if device == "cpu":
        found.append(Library("torch (cpu)", torch.asarray, lambda: None))
    elif torch.cuda.is_available():
        described = torch.cuda.get_device_name()
        found.append(Library("torch (cuda)", lambda x: torch.asarray(x, device="cuda"), torch.cuda.synchronize))
    return found, described


def milliseconds(library, f):
    """The best of repeats; None where the memory does not hold it."""
    try:
        f(), library.wait()
        best, spent = np.inf, 0.0
        while spent < SECONDS:
            start = time.perf_counter()
            f(), library.wait()
            best, spent = min(best, time.perf_counter() - start), spent + time.perf_counter() - start
        return 1e3 * best
    except Exception as error:                      # each library has its own error for want of memory
        if "memory" in str(error).lower() or isinstance(error, MemoryError):
            return None
        raise


def formulas(family, library, theta, other):
    """The operations of a row, by name."""
    eta, vector = family.to_eta(theta), 0.1 * theta
    return {"ψ": lambda: family.potential(theta), "η": lambda: family.to_eta(theta), "θ of η": lambda: family.to_theta(eta),
            "metric": lambda: family.metric(theta), "sharp": lambda: family.sharp(theta, vector),
            "KL": lambda: family.kl(theta, other)}


def of_families(found, sizes):
    for family in FAMILIES:
        name, over = type(family).__name__, set()
        for size in sizes:
            rng = np.random.default_rng(0)
            points = [family.theta_from(**ORDINARY[name](rng, size)) for _ in range(2)]
            for library in found:
                if library.name in over:
                    continue
                start = time.perf_counter()
                theta, other = map(library.put, points)
                for operation, f in formulas(family, library, theta, other).items():
                    yield f"{family!r} {operation}", size, library.name, milliseconds(library, f)
                if time.perf_counter() - start > LONGEST:
                    over.add(library.name)


def of_the_loop(found, rows=(1, 4096, 10**6)):
    """A hundred natural steps on Categorical(10)."""
    family = ig.Categorical(10)
    for n in rows:
        rng = np.random.default_rng(0)
        theta, target = family.theta_from(probabilities=rng.dirichlet(np.ones(10), n)), rng.dirichlet(np.ones(10), n)[:, :-1]
        for library in found:
            x, objective = library.put(theta), ig.CrossEntropy(family, library.put(target))
            steps = lambda: ig.descend(objective, x, geometry=family, update=ig.NaturalUpdate(), step=ig.Constant(0.05),
                                       max_steps=100, record=None)
            yield "100 natural steps, Categorical(10)", n, library.name, milliseconds(library, steps)


def of_distances(found, sizes):
    family = ig.Normal()
    for size in sizes:
        rng = np.random.default_rng(0)
        points = [family.theta_from(**ORDINARY["Normal"](rng, size)) for _ in range(2)]
        for library in found:
            p, q = map(library.put, points)
            yield "Fisher–Rao distance, Normal()", size, library.name, milliseconds(library, lambda: family.distance(p, q))


def of_kfac(found, images=10_000, steps=5):
    """The published autoencoder 784-1000-500-250-30-250-500-1000-784, on noise of black and white: the cost is that of any."""
    sizes = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
    model = ig.networks.ConditionalModel(ig.networks.MLP(sizes), ig.Independent(ig.Bernoulli(), 784))
    rng = np.random.default_rng(0)
    x, w = 1.0 * (rng.random((images, 784)) < 0.2), model.network.init(rng, ig.networks.Glorot())
    for library in found:
        batch, start = library.put(x.astype(np.float32)), library.put(w.astype(np.float32))
        objective = model.objective((batch, batch))
        run = lambda: ig.descend(objective, start, update=ig.training.KFAC(), step=ig.Constant(1.0), max_steps=steps,
                                 record=None, rng=np.random.default_rng(0))
        before = time.perf_counter()
        run(), library.wait()
        yield "step of K-FAC, published autoencoder, float32", images, library.name, 1e3 * (time.perf_counter() - before) / steps


def table(cells, found, described):
    """A list-table of reStructuredText: a row for each operation and size, a column for each library."""
    rows = {}
    for operation, size, library, value in cells:
        rows.setdefault((operation, size), {})[library] = value
        print(f"{operation:48s} {size:>10,d}  {library:14s} {'–' if value is None else f'{value:.4g}'}", flush=True)
    names = [library.name for library in found]
    lines = [f"Milliseconds, float64, on {described} (``python benchmarks/gpu.py``).", "",
             ".. list-table::", "   :header-rows: 1", ""]
    for row in [["operation", "batch", *names]] + [
            [operation, f"{size:,d}", *("–" if by.get(name) is None else f"{by[name]:.4g}" for name in names)]
            for (operation, size), by in rows.items()]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e3, 1e5, 1e7])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--skip-tests", action="store_true")
    options = parser.parse_args()
    found, described = libraries(options.device)
    if len(found) == 1:
        sys.exit("neither CuPy nor PyTorch finds a GPU; --device cpu tries the script with PyTorch on the processor")
    if not options.skip_tests:
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-k", "not strict", "tests/laws", "tests/test_gpu.py"],
                       cwd=ROOT, check=False, timeout=240)
    sizes = [int(size) for size in options.sizes]
    cells = (cell for part in (of_families(found, sizes), of_distances(found, sizes), of_the_loop(found),
                               of_kfac(found, options.images)) for cell in part)
    text = table(cells, found, described)
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
