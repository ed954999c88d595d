"""Structured natural gradient descent on modules of PyTorch beside gradient descent, momentum, Adam and K-FAC.

    python benchmarks/torch_training.py [--steps 100]

Two tasks of the papers in small, on scikit-learn's digits, 1200 for training and 597 for testing: an LSTM of 32 units that reads
an image as a sequence of eight rows, and a residual network of two blocks of two convolutions with eight channels. Mini-batches
of 200, the same for all; of the step sizes of a grid that with the least loss on the training images after the last step, but for
K-FAC, which finds its own. Every method starts from the weights that PyTorch gives the module. Float32.
"""
import argparse
import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import infogeo as ig
from infogeo.networks import ConditionalModel, TorchNetwork
from infogeo.training import KFAC, Adam, MiniBatches, Momentum, StructuredNatural, TwoSided

DAMPING = ig.curvature.FactoredTikhonov(0.1)
GRID = {"gradient descent": (ig.GradientUpdate, (0.1, 0.3, 1.0, 3.0)),
        "momentum 0.9": (lambda: Momentum(0.9), (0.03, 0.1, 0.3, 1.0)),
        "Adam": (Adam, (0.003, 0.01, 0.03, 0.1)), "K-FAC": (KFAC, (1.0,)),
        "SNGD": (lambda: StructuredNatural(TwoSided(), DAMPING, refresh=10), (0.01, 0.03, 0.1, 0.3, 1.0)),
        "SNGD, momentum 0.9": (lambda: StructuredNatural(TwoSided(), DAMPING, refresh=10, momentum=0.9), (0.01, 0.03, 0.1, 0.3))}


class ReadRows(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside, self.head = nn.LSTM(8, 32, batch_first=True), nn.Linear(32, 9)

    def forward(self, x):
        return self.head(self.inside(x)[0][:, -1])


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x):
        return torch.relu(x + self.second(torch.relu(self.first(x))))


def residual():
    return nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 8, 3, padding=1), Block(8), nn.MaxPool2d(2), Block(8),
                         nn.Flatten(), nn.Linear(8 * 16, 9))


TASKS = {"LSTM": ReadRows, "residual network": residual}


def data():
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.as_tensor(images[order].reshape(-1, 8, 8) / 8.0 - 1.0, dtype=torch.float32)
    y = torch.as_tensor(labels[order])
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


def run(task, update, h, steps):
    train, test = data()
    torch.manual_seed(0)
    model = ConditionalModel(TorchNetwork(TASKS[task](), (8, 8)), ig.Categorical(10))
    loss, rng, start = model.objective(train), np.random.default_rng(1), time.process_time()
    try:
        found = ig.descend(MiniBatches(loss, 200), model.network.weights(), update=update(), step=ig.Constant(h),
                           max_steps=steps, rng=rng, record=None)
    except ig.DomainError:                              # weights so far off that a metric of theirs has no root
        return np.inf, 0.0, np.inf
    seconds = time.process_time() - start
    guess = model.theta(found.x, test[0])
    classes = torch.argmax(torch.cat([guess, torch.zeros_like(guess[:, :1])], dim=1), dim=1)
    return float(loss.value(found.x)), float((classes == test[1]).float().mean()), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for task in TASKS:
        print(f"\n{task}, {arguments.steps} steps\n{'':20}{'step size':>12}{'loss':>10}{'test':>8}{'CPU s':>8}", flush=True)
        for name, (update, sizes) in GRID.items():
            tried = [(*run(task, update, h, arguments.steps), h) for h in sizes]
            loss, accuracy, seconds, h = min(tried, key=lambda found: found[0] if found[0] == found[0] else np.inf)
            print(f"{name:20}{h:>12g}{loss:>10.4f}{accuracy:>8.3f}{seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
