"""K-FAC beside tuned first-order methods: the 8 × 8 autoencoder 64-60-30-10-30-60-64 on scikit-learn's digits.

    OPENBLAS_NUM_THREADS=1 python benchmarks/digits_autoencoder.py [--tune] [--out FOLDER] [--steps 2000]

All 1797 images in every step, Bernoulli outputs, float64, the same Glorot weights for all. Nesterov's method and Adam are tuned
by their loss after 2000 steps over the grids below, with --tune, or have the best of those; each runs alone, for the clock, and
K-FAC beside them. What is printed: at which step, after how many seconds, K-FAC passes what each of the others has at the end.
"""
import argparse
from pathlib import Path

import numpy as np

import infogeo as ig
from infogeo.networks import Glorot
from infogeo.studies import TrainingStudy, dataset, figure_training, task, train
from infogeo.studies import OPTIMISERS, Optimiser
from infogeo.training import KFAC, Adam, Nesterov, Share
from infogeo.training.fitting import RENEWED

GRIDS = {
    "nesterov": [(Nesterov(decay), h) for decay, steps in
                 ((0.9, (0.003, 0.01, 0.02, 0.03)), (0.95, (0.003, 0.006, 0.01, 0.02)), (0.99, (0.0003, 0.001, 0.003)))
                 for h in steps],
    "adam": [(Adam(), h) for h in (0.0003, 0.001, 0.003, 0.01, 0.02)],
}
BEST = {"nesterov": (Nesterov(0.9), 0.02), "adam": (Adam(), 0.01)}          # what --tune found
SHARES = {"kfac": (1.0, 1.0), "kfac_half": (0.5, 0.25), "kfac_quarter": (0.25, 0.125)}


def kfac(statistics, products):
    return lambda given: KFAC(given.outputs, statistics=Share(statistics), products=Share(products), **RENEWED)


def tuned(loss, w0, grid, steps):
    """The (update, h) of the lowest last loss, and the table of all."""
    rows = []
    for update, h in grid:
        run = ig.descend(loss, w0, geometry=ig.Euclidean(w0.size), update=update, step=ig.Constant(h), max_steps=steps,
                         record=None)
        value = float(loss.value(run.x))
        rows.append((value if np.isfinite(value) else np.inf, update, h))
        print(f"  {update}, h = {h:g}: {value:.4f}", flush=True)
    return min(rows, key=lambda row: row[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work = task("autoencoder", dataset("digits"))
    w0 = work.model.network.init(np.random.default_rng(0), Glorot())
    chosen, step_sizes = {}, {}
    for name, grid in GRIDS.items():
        print(f"{name}, {options.steps} steps")
        update, h = tuned(work.loss, w0, grid, options.steps)[1:] if options.tune else BEST[name]
        chosen[name] = Optimiser(f"{type(update).__name__} {update.decay:g}", lambda given, update=update: update)
        step_sizes[name] = h
    for name, shares in SHARES.items():
        chosen[name] = Optimiser(f"K-FAC, factors of {shares[0]:g}, model of {shares[1]:g}", kfac(*shares))
    OPTIMISERS.update(chosen)
    first = train(work, "digits", list(GRIDS), steps=options.steps, step_sizes=step_sizes, every=10)
    second = train(work, "digits", list(SHARES), steps=300, every=1)
    print()
    for run in first.runs + second.runs:
        print(f"{run.label:40s} h {run.h:<7g} loss {run.loss[-1]:.4f} after {run.steps[-1]} steps, {run.seconds[-1]:.1f} s, "
              f"{1e3 * run.seconds[-1] / run.steps[-1]:.1f} ms a step")
    for ours in second.runs:
        for theirs in first.runs:
            at = np.flatnonzero(ours.loss <= theirs.loss[-1])
            when = (f"passes it at step {ours.steps[at[0]]}, {ours.seconds[at[0]]:.2f} s: "
                    f"{ours.seconds[at[0]] / theirs.seconds[-1]:.3f} of its time") if at.size else "does not reach it"
            print(f"{ours.label}: {theirs.label} has {theirs.loss[-1]:.4f} after {theirs.steps[-1]} steps; {when}")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        study = TrainingStudy(work, "digits", first.runs + second.runs[1:2], first.batch_size, first.seed)
        figure_training(study).savefig(options.out / "digits_autoencoder.png", dpi=120)


if __name__ == "__main__":
    main()
