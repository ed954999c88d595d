"""Natural-gradient runs from one trajectory to a million: nanoseconds a step and trajectory, and the memory that they take.

Every size is a process of its own. Peak memory is what the process takes beside what it took before the run: state is that of the
points alone, results that of all that the run gives back. A study with ``record="values"`` keeps one number a record.

    OMP_NUM_THREADS=1 python benchmarks/sweep.py
    python benchmarks/sweep.py --record values --steps 50
"""
import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np

import infogeo as ig


def memory():
    """Peak resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(rows, outcomes, steps, record):
    """Print (ns a step and trajectory, MiB of peak, state and results) of runs of that many rows."""
    family, rng = ig.Categorical(outcomes), np.random.default_rng(0)
    f = ig.CrossEntropy(family, family.eta_domain.sample(rng))
    x0 = rng.standard_normal((rows, family.dim))
    x0 *= 0.5

    def run(x, steps):
        return ig.descend(f, x, geometry=family, update=ig.NaturalUpdate(), step=0.05, max_steps=steps, record=record)

    run(x0[:30_000], 2)
    before, best = memory(), np.inf
    for _ in range(max(1, min(5, 2_000_000 // (rows * steps)))):
        start = time.perf_counter()
        found = run(x0, steps)
        best = min(best, time.perf_counter() - start)
    results = sum(part.nbytes for part in (found.x, found.path, found.values, found.status, found.steps) if part is not None)
    print(best / rows / steps * 1e9, memory() - before, x0.nbytes / 2**20, results / 2**20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 100, 10_000, 100_000, 1_000_000])
    parser.add_argument("--outcomes", type=int, default=11)
    parser.add_argument("--steps", type=int, help="those of every run; by default more of the short ones")
    parser.add_argument("--record", choices=("none", "values", "path"), default="none")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.rows[0], arguments.outcomes, arguments.steps, None if arguments.record == "none" else arguments.record)
        return
    print(f"Categorical({arguments.outcomes}), d = {arguments.outcomes - 1}, record = {arguments.record}, OMP_NUM_THREADS = "
          f"{os.environ.get('OMP_NUM_THREADS', 'all')}")
    print(f"{'rows':>10}{'steps':>8}{'ns a step':>12}{'peak MiB':>11}{'state':>9}{'results':>10}")
    for rows in arguments.rows:
        steps = arguments.steps or max(20, min(1000, 1_000_000 // rows))
        command = [sys.executable, __file__, "--one", "--rows", str(rows), "--outcomes", str(arguments.outcomes), "--steps",
                   str(steps), "--record", arguments.record]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        ns, peak, state, results = map(float, found)
        print(f"{rows:10d}{steps:8d}{ns:12.1f}{peak:11.1f}{state:9.1f}{results:10.1f}", flush=True)


if __name__ == "__main__":
    main()
