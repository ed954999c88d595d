"""K-FAC, EK-FAC and SNGD beside Adam and Nesterov's method with tuned step sizes: steps and CPU seconds to the same loss.

    OPENBLAS_NUM_THREADS=1 python benchmarks/training.py [--task NAME …] [--steps 1000] [--times 3]

Seven tasks, all rows at every step, float64, the same random weights for all, the loss with the prior precision 1, so that it has
a minimum: |w|² / 2n is part of it. Adam and Nesterov's method (β = .9) take --steps steps with the best step size of the grids
below, by the last loss; their seconds are those of that run alone. The others have no setting touched and run until they pass
the better of these losses by 1e-4 of its way down, or for --steps steps. Of --times runs the fastest.
"""
import argparse
from time import process_time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

import infogeo as ig
from infogeo.curvature import ExactColumns, RandomSigns
from infogeo.domains import SymmetricSoftmax
from infogeo.networks import MLP, ConditionalModel
from infogeo.studies import OPTIMISERS, dataset, task
from infogeo.studies.training import Circumstances
from infogeo.training import Adam, Nesterov, Regularised
from infogeo.training.fitting import COLUMNS, default_step, initial_weights

GRIDS = {"Adam": (Adam, (0.001, 0.003, 0.01, 0.03, 0.1)), "Nesterov": (lambda: Nesterov(0.9), (0.003, 0.01, 0.03, 0.1, 0.3))}


def classifier(load, standardised=True):
    x, y = load(return_X_y=True)
    k = len(np.unique(y))
    model = ConditionalModel(MLP((x.shape[1], 50, k)), ig.Categorical(k), SymmetricSoftmax(k))
    return model.objective((scaled(x) if standardised else x, y))


def scaled(x):
    """Of mean 0 and variance 1, where it varies."""
    spread = np.std(x, axis=0)
    return (x - np.mean(x, axis=0)) / np.where(spread > 0, spread, 1.0)


def autoencoder():
    return task("autoencoder", dataset("digits")).loss


def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return ConditionalModel(MLP((10, 50, 2)), ig.Normal()).objective((scaled(x), scaled(y)))


def counts():
    """Of means to 1000, as they are."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 5))
    return ConditionalModel(MLP((5, 50, 1)), ig.Poisson()).objective((x, rng.poisson(np.exp(3.0 + x[:, 0] * np.cos(x[:, 1])))))


TASKS = {"digits": lambda: classifier(load_digits), "autoencoder": autoencoder,
         "breast cancer": lambda: classifier(load_breast_cancer), "wine": lambda: classifier(load_wine),
         "wine, raw": lambda: classifier(load_wine, standardised=False), "diabetes": diabetes, "counts": counts}


def ours(name, loss, rng):
    """The update of `infogeo train`."""
    outputs = ExactColumns() if loss.model.family.dim <= COLUMNS else RandomSigns(rng)
    return OPTIMISERS[name].update(Circumstances(rng, outputs, len(loss.y), True))


def run(loss, w0, update, step, steps, goal=-np.inf):
    """(losses, CPU seconds) of a run after each step, which ends where a loss is at the goal."""
    values, seconds, start = [], [], process_time()

    def look(moment):
        values.append(float(moment.value))
        seconds.append(process_time() - start)
        return bool(values[-1] <= goal)

    ig.descend(loss, w0, update=update, step=step, max_steps=steps, rng=np.random.default_rng(1), record=None, callbacks=[look])
    return np.array(values), np.array(seconds)


def tuned(loss, w0, make, grid, steps, times):
    """(last loss, step size, steps, seconds) of the best step size of a grid."""
    last = {h: run(loss, w0, make(), h, steps)[0] for h in grid}
    best = {h: values[-1] if len(values) == steps and np.isfinite(values[-1]) else np.inf for h, values in last.items()}
    h = min(best, key=best.get)
    return best[h], h, steps, min(run(loss, w0, make(), h, steps)[1][-1] for _ in range(times))


def report(name, steps, times):
    loss = TASKS[name]()
    n, rng = len(loss.y), np.random.default_rng(0)
    w0, penalised = initial_weights(loss, rng), Regularised(loss, 1.0 / n)
    first = float(penalised.value(w0))
    print(f"{name}: {n} rows, {w0.size} weights, loss {first:.4g} at first")
    theirs = {label: tuned(penalised, w0, make, grid, steps, times) for label, (make, grid) in GRIDS.items()}
    for label, (value, h, k, seconds) in theirs.items():
        print(f"  {label:10} h {h:<6g} loss {value:<9.5g} {k:5} steps {seconds:8.3f} s")
    value, _, _, seconds = min(theirs.values())
    goal = value + 1e-4 * abs(first - value)
    for method in ("kfac", "ekfac", "sngd"):
        found = [run(penalised, w0, update := ours(method, loss, np.random.default_rng(1)), default_step(update), steps, goal)
                 for _ in range(times)]
        values, spent = min(found, key=lambda pair: pair[1][-1])
        label, per_step = OPTIMISERS[method].label, 1e3 * spent[-1] / len(spent)
        passed = (f"passes {goal:.5g} at step {len(values)}, {spent[-1]:.3f} s: {spent[-1] / seconds:.3f} of the time"
                  if values[-1] <= goal else f"has {values[-1]:.5g} after {len(values)} steps, {spent[-1]:.3f} s")
        print(f"  {label:10} {passed}; {per_step:.2f} ms a step", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    for name in options.task:
        report(name, options.steps, options.times)


if __name__ == "__main__":
    main()
