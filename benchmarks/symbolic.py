"""Manifolds compiled from symbols beside the families written by hand, on 100 000 points.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/symbolic.py
    python benchmarks/symbolic.py --out docs/_static    # the table of the documentation, too

A figure is processor time of the compiled manifold over that of the family, each the best of the rounds, in which the two take
turns; beside it the milliseconds of the family. θ(η) has no formula for the gamma and the Dirichlet: there the general Newton's
method stands beside one made for the family.
"""
import argparse
import time
from pathlib import Path

import numpy as np

import infogeo as ig
from infogeo.symbolic import symbolic_manifold

FAMILIES = {"Normal": ig.Normal(), "Gamma": ig.Gamma(), "Categorical(10)": ig.Categorical(10), "Dirichlet(5)": ig.Dirichlet(5)}
QUANTITIES = {
    "potential": lambda M, p, q, eta, v: M.potential(p),
    "to_eta": lambda M, p, q, eta, v: M.to_eta(p),
    "to_theta": lambda M, p, q, eta, v: M.to_theta(eta),
    "metric": lambda M, p, q, eta, v: M.metric(p),
    "flat": lambda M, p, q, eta, v: M.flat(p, v),
    "sharp": lambda M, p, q, eta, v: M.sharp(p, v),
    "divergence": lambda M, p, q, eta, v: M.divergence(p, q),
}


def best(runs, rounds, limit=5.0):
    """Seconds of processor time of each run, the best of the rounds, which end early where they take long."""
    seconds, spent = [np.inf] * len(runs), 0.0
    for k in range(rounds):
        for i, run in enumerate(runs):
            start = time.process_time()
            run()
            seconds[i], spent = min(seconds[i], time.process_time() - start), spent + time.process_time() - start
        if k and spent > limit:
            break
    return seconds


def measure(family, count, rounds):
    """(ratio, seconds by hand) of each quantity."""
    rng = np.random.default_rng(0)
    compiled = symbolic_manifold(family).compile(family.theta_domain)
    p, q = (family.theta_domain.sample(rng, (count,), 0.5) for _ in range(2))
    v, eta, out = rng.standard_normal(p.shape), family.to_eta(p), {}
    for name, quantity in QUANTITIES.items():
        found, by_hand = best([lambda M=M: quantity(M, p, q, eta, v) for M in (compiled, family)], rounds)
        out[name] = found / by_hand, by_hand
    return out


def write(results, path):
    """The table of the documentation."""
    lines = [".. list-table:: Processor time of the compiled manifold over that of the family",
             "   :header-rows: 1", "", "   * - Quantity"]
    lines += [f"     - {name}" for name in results]
    for quantity in QUANTITIES:
        lines += [f"   * - ``{quantity}``"] + [f"     - {row[quantity][0]:.2f}" for row in results.values()]
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, help="the folder for symbolic_speed.rst")
    arguments = parser.parse_args()
    results = {name: measure(family, arguments.points, arguments.rounds) for name, family in FAMILIES.items()}
    print(f"{arguments.points} points, compiled / by hand (milliseconds by hand)")
    print(f"{'':12}" + "".join(f"{name:>22}" for name in results))
    for quantity in QUANTITIES:
        cells = (f"{ratio:11.2f} ({1e3 * seconds:8.2f})" for ratio, seconds in (row[quantity] for row in results.values()))
        print(f"{quantity:12}" + "".join(f"{cell:>22}" for cell in cells))
    if arguments.out:
        write(results, arguments.out / "symbolic_speed.rst")


if __name__ == "__main__":
    main()
