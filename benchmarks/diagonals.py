"""Diagonals of curvature as preconditioners on digits: curvature propagation, Hutchinson, Gauss-Newton, squared gradients, Adam.

    OPENBLAS_NUM_THREADS=1 python benchmarks/diagonals.py [--passes 10] [--starts 5]

A network 64-30-9 with tanh units, 1200 of scikit-learn's 8 × 8 digits in mini-batches of 100, weight decay .001, the others held
out. `DiagonalNewton` as it comes, Adam with the best of three step sizes. Losses on the 1200 after 1, 3 and all passes, accuracy
on the 597 others in per cent: medians over the starts. The error is that of one draw of the diagonal for one mini-batch at the
weights after one pass, |d − diag H| / |diag H| with the Hessian H of that mini-batch, the root mean square over 50 draws.
"""
import argparse
from time import process_time

import numpy as np
from sklearn.datasets import load_digits

import infogeo as ig
from infogeo.training import (KFAC, Adam, CurvaturePropagationDiagonal, DiagonalNewton, GaussNewtonDiagonal,
                              GradientSquares, HutchinsonDiagonal, MiniBatches, PositivePart, Regularised, RootMeanSquare)

SIZE = 100
DIAGONALS = {"curvature propagation": CurvaturePropagationDiagonal(), "Hutchinson": HutchinsonDiagonal(),
             "Hutchinson, 10 draws": HutchinsonDiagonal(10), "Gauss-Newton, exact": GaussNewtonDiagonal(),
             "squares of gradients": GradientSquares()}
METHODS = {**{name: (DiagonalNewton(diagonal), (1.0,)) for name, diagonal in DIAGONALS.items()},
           "propagation, positive part": (DiagonalNewton(rule=PositivePart()), (1.0,)),
           "propagation, root mean square": (DiagonalNewton(rule=RootMeanSquare()), (1.0,)),
           "Hutchinson, root mean square": (DiagonalNewton(HutchinsonDiagonal(), RootMeanSquare()), (1.0,)),
           "Adam": (Adam(), (0.003, 0.01, 0.03)), "K-FAC": (KFAC(), (1.0,))}


def followed(model, train, update, h, passes, seed):
    """(losses after every pass, weights after the first, last weights, seconds without the looks)."""
    rng = np.random.default_rng(seed)
    w0 = model.network.init(rng, ig.networks.Glorot())
    losses, first, spent, clock, per = [], [], [0.0], [process_time()], len(train[1]) // SIZE

    def look(moment):
        spent[0] += process_time() - clock[0]
        if moment.k % per == 0:
            losses.append(float(model.loss(moment.x, train)))
        if moment.k == per:
            first.append(moment.x)
        clock[0] = process_time()

    objective = Regularised(MiniBatches(model.objective(train), SIZE), 1e-3)
    run = ig.descend(objective, w0, update=update, step=h, rng=rng, record=None, max_steps=passes * per, callbacks=[look])
    return losses, first[0], run.x, spent[0]


def error(model, part, w, diagonal):
    """That of one draw, relative."""
    loss, rng = model.objective(part), np.random.default_rng(0)
    exact = np.concatenate([np.diagonal(loss.hessian_vector(w, np.eye(w.size)[i:i + 200])[:, i:i + 200])
                            for i in range(0, w.size, 200)])
    source = diagonal.seeded(rng)
    return np.sqrt(np.mean([np.sum((source(loss, w) - exact) ** 2) for _ in range(50)]) / np.sum(exact**2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    train, held_out = ((x[part] / 16.0, y[part]) for part in (order[:1200], order[1200:]))
    model = ig.networks.ConditionalModel(ig.networks.MLP((64, 30, 9)), ig.Categorical(10))
    print(f"{'':32}step   error   loss after 1       3  {options.passes:6} passes  accuracy  ms a step")
    for name, (update, grid) in METHODS.items():
        tried = {h: [followed(model, train, update, h, options.passes, seed) for seed in range(options.starts)] for h in grid}
        h = min(grid, key=lambda h: np.median([run[0][-1] for run in tried[h]]))
        losses = np.median([run[0] for run in tried[h]], axis=0)
        right = [np.mean(np.argmax(np.pad(model.theta(run[2], held_out[0]), ((0, 0), (0, 1))), axis=1) == held_out[1])
                 for run in tried[h]]
        of_one = f"{error(model, (train[0][:SIZE], train[1][:SIZE]), tried[h][0][1], DIAGONALS[name]):6.2f}" \
            if name in DIAGONALS else f"{'':6}"
        each = 1000.0 * np.median([run[3] for run in tried[h]]) / (options.passes * 1200 / SIZE)
        print(f"{name:31} {h:5} {of_one}        {losses[0]:7.4f} {losses[2]:7.4f} {losses[-1]:7.4f}        "
              f"{100 * np.median(right):7.1f}  {each:9.1f}", flush=True)


if __name__ == "__main__":
    main()
