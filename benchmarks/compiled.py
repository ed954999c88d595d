"""Eager PyTorch and `torch.compile`, of 100 000 points on one thread: the table of docs/guide/backend.rst.

    python benchmarks/compiled.py

Milliseconds, the least of nine, the four in turn: a value and a value with its gradient.
"""
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

import infogeo as ig  # noqa: E402

N = 100_000


def points(rng):
    """{family: two arrays of points}."""
    C, M, G = ig.Categorical(5), ig.Normal(), ig.Gamma()
    positive = lambda: np.exp(rng.standard_normal(N))
    return {C: [rng.standard_normal((N, 4)) for _ in range(2)],
            M: [M.theta_from(mean=rng.standard_normal(N), variance=positive()) for _ in range(2)],
            G: [G.theta_from(shape=positive(), rate=positive()) for _ in range(2)]}


def with_gradient(f, xs):
    xs = [x.detach().requires_grad_() for x in xs]
    torch.autograd.grad(f(*xs).sum(), xs)


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    torch.set_num_threads(1)
    for M, given in points(np.random.default_rng(0)).items():
        for name, xs in (("kl", list(map(torch.asarray, given))), ("to_eta", [torch.asarray(given[0])])):
            torch._dynamo.reset()
            eager, compiled = getattr(M, name), torch.compile(getattr(M, name), fullgraph=True)
            runs = {f"{way}{what}": run for way, f in (("eager", eager), ("compiled", compiled))
                    for what, run in (("", lambda f=f: f(*xs)), (", gradient", lambda f=f: with_gradient(f, xs)))}
            first = [seconds(runs[key]) for key in ("compiled", "compiled, gradient")]
            rounds = [[seconds(run) for run in runs.values()] for _ in range(9)]
            taken = dict(zip(runs, map(min, zip(*rounds))))
            print(f"{M!r}.{name}: first calls {first[0]:.1f} and {first[1]:.1f} s;",
                  *(f"{key} {1e3 * t:.2f}" for key, t in taken.items()), flush=True)


if __name__ == "__main__":
    main()
