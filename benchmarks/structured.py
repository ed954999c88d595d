"""SNGD on digits: an MLP, a CNN and a ResNet beside gradient descent, momentum and natural gradient with the same blocks.

    OPENBLAS_NUM_THREADS=1 python benchmarks/structured.py [--passes 6] [--starts 3]

1200 of scikit-learn's 8 × 8 digits in mini-batches of 100, the others held out. The step size of each method is the best of a
grid by the median of the last training losses of all starts. Loss on the 1200 in nats, accuracy on the 597 others in per cent,
passes and CPU seconds after which the training loss is below .2 ("-" where it never is), all medians. Looks at the loss do not
count as time. SNGD renews its metric every tenth step, with a running average; natural gradient at every step.
"""
import argparse
from time import process_time

import numpy as np
from sklearn.datasets import load_digits

import infogeo as ig
from infogeo.curvature import FactoredTikhonov, RunningAverage, Tikhonov, WeightSpace, block_diagonal, kfac
from infogeo.networks import MLP, AveragePool, ConvNet, Convolution2D, Dense, Flatten, He, Relu, Residual, Sequential
from infogeo.training import Block, MiniBatches, Momentum, StructuredNatural, TwoSided

SIZE, TARGET, RENEWAL = 100, 0.2, 10
STEPS = 0.05, 0.15, 0.4, 1.0             # of methods with a metric


def resnet():
    """Two residual parts, the second with half the positions and twice the channels."""
    return Sequential([
        Convolution2D(1, 8, padding=1), Relu(),
        Residual([Convolution2D(8, 8, padding=1), Relu(), Convolution2D(8, 8, padding=1)]), Relu(),
        Residual([Convolution2D(8, 12, 3, 2, 1), Relu(), Convolution2D(12, 12, padding=1)], [Convolution2D(8, 12, 1, 2)]), Relu(),
        AveragePool(2), Flatten(), Dense(48, 9)], (8, 8, 1))


NETWORKS = {"MLP 64-16-9": lambda: MLP((64, 16, 9), Relu()), "CNN, 8 and 12 filters": lambda: ConvNet((8, 8, 1), (8, 12), 9),
            "ResNet, 5 convolutions": resnet}


def methods(model):
    """(update, geometry, grid of steps) by name; only two-sided metrics need a damping of both factors."""
    one, two, average = Tikhonov(0.1), FactoredTikhonov(0.1), RunningAverage(0.9)
    return {
        "gradient descent": (ig.GradientUpdate(), None, (0.1, 0.3, 1.0, 2.0)),
        "momentum .9": (Momentum(0.9), None, (0.03, 0.1, 0.3, 0.6)),
        "natural gradient, exact blocks": (ig.NaturalUpdate(), WeightSpace(model, None, block_diagonal, one), STEPS),
        "natural gradient, K-FAC": (ig.NaturalUpdate(), WeightSpace(model, None, kfac, two), STEPS),
        "SNGD, exact blocks": (StructuredNatural(Block(), one, refresh=RENEWAL, average=average), None, STEPS),
        "SNGD, two sides": (StructuredNatural(TwoSided(), two, refresh=RENEWAL, average=average), None, STEPS),
        "SNGD, two sides, momentum .9": (
            StructuredNatural(TwoSided(), two, refresh=RENEWAL, average=average, momentum=0.9), None, (0.01, 0.03, 0.1, 0.2)),
    }


def followed(model, train, update, geometry, h, passes, seed):
    """(training loss, weights, passes to the target, seconds to it, seconds of all) of one start."""
    rng = np.random.default_rng(seed)
    w0 = model.network.init(rng, He())
    reached, spent, clock, per = (np.inf, np.inf), [0.0], [process_time()], len(train[1]) // SIZE

    def look(moment):
        nonlocal reached
        spent[0] += process_time() - clock[0]
        if moment.k % max(1, per // 4) == 0 and reached[0] == np.inf and model.loss(moment.x, train) < TARGET:
            reached = moment.k / per, spent[0]
        clock[0] = process_time()

    try:
        run = ig.descend(MiniBatches(model.objective(train), SIZE), w0, update=update, geometry=geometry, step=h, rng=rng,
                         record=None, max_steps=passes * per, callbacks=[look])
    except ig.DomainError:              # too long a step: the metric is not finite any more
        return np.inf, w0, *reached, spent[0]
    loss = float(model.loss(run.x, train))
    return loss if np.isfinite(loss) else np.inf, run.x, *reached, spent[0]


def accuracy(model, w, batch):
    """Per cent; the last class is the reference, with log-odds 0."""
    logits = np.pad(model.theta(w, batch[0]), ((0, 0), (0, 1)))
    return 100.0 * float(np.mean(np.argmax(logits, axis=1) == batch[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--starts", type=int, default=3)
    options = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    for title, make in NETWORKS.items():
        network = make()
        model = ig.networks.ConditionalModel(network, ig.Categorical(10))
        shaped = np.reshape(x / 16.0, (len(x), *network.input_shape))
        train, held_out = ((shaped[part], y[part]) for part in (order[:1200], order[1200:]))
        print(f"\n{title}, {network.size} weights\n{'':33}step    loss   accuracy  passes to {TARGET}  seconds to {TARGET}  "
              f"ms a step")
        for name, (update, geometry, grid) in methods(model).items():
            tried = {h: [followed(model, train, update, geometry, h, options.passes, seed) for seed in range(options.starts)]
                     for h in grid}
            best = min(grid, key=lambda h: np.median([row[0] for row in tried[h]]))
            rows = tried[best]
            loss, found, seconds, spent = (np.median([row[i] for row in rows]) for i in (0, 2, 3, 4))
            right = np.median([accuracy(model, row[1], held_out) for row in rows])
            there = f"{found:10.2f}  {seconds:14.2f}" if np.isfinite(found) else f"{'-':>10}  {'-':>14}"
            each = 1000.0 * spent / (options.passes * 1200 / SIZE)
            print(f"{name:31} {best:5}  {loss:6.4f}  {right:9.1f} {there}  {each:15.1f}", flush=True)


if __name__ == "__main__":
    main()
