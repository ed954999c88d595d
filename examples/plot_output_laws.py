"""
One recursion, four output laws
===============================

Two hidden units that start nearly equal have to part before they can learn a teacher of two units: plain gradient descent waits
on a plateau until they do. Adaptive natural gradient divides by a running average of the Fisher metric of the output law,
whichever that is: normal, Bernoulli, Poisson, softmax. With the best step of a grid for every method, **gradient descent needs
three to four times as many steps**, and Adam two to six times as many.
"""

# %%
# The teacher is :math:`\theta = \tanh(u_1 \cdot x) + \tanh(u_2 \cdot x)` with five inputs and :math:`u = (1, \pm .3, 0, 0, 0)`;
# with two natural parameters there are two such pairs. The sum is a layer of our own, without weights: four methods.
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.networks import ConditionalModel, CrossEntropyLoss, Dense, Layer, Sequential, Tanh
from infogeo.training import Adam, AdaptiveNatural, ConstantRate, MiniBatches


@dataclass(frozen=True)
class PairSums(Layer):
    """y_i = x_2i + x_(2i+1)."""

    pairs: int

    def output_shape(self, input_shape):
        return (self.pairs,)

    def forward(self, xp, W, x):
        return xp.sum(xp.reshape(x, (*x.shape[:-1], self.pairs, 2)), axis=-1), None

    def jvp(self, xp, W, memory, dW, dx):
        return (None if dx is None else self.forward(xp, W, dx)[0]), None

    def pull_back(self, xp, W, memory, g):
        return xp.reshape(xp.stack([g, g], axis=-1), (*g.shape[:-1], 2 * self.pairs))


def problem(family, seed):
    """(loss, weights at the start, least loss): the targets are the teacher's mean statistics at 1000 inputs."""
    rng, d = np.random.default_rng(seed), family.dim
    model = ConditionalModel(Sequential([Dense(5, 2 * d, bias=False), Tanh(), PairSums(d)], (5,)), family)
    x, teacher = rng.standard_normal((1000, 5)), np.zeros((5, 2 * d))
    for i in range(d):
        teacher[i:i + 2, 2 * i:2 * i + 2] = [[1.0, 1.0], [0.3, -0.3]]
    loss = CrossEntropyLoss(model, (x, family.to_eta(model.theta(teacher.ravel(), x))))
    nearly_equal = np.repeat(0.1 * rng.standard_normal((5, d)), 2, axis=1) + 0.001 * rng.standard_normal((5, 2 * d))
    return loss, nearly_equal.ravel(), loss.value(teacher.ravel())


# %%
# Twenty examples a step. The loss above the least one is the mean Kullback–Leibler divergence from the teacher; a run ends when
# it is below 1e-5 nats. Five starts; the step of each method and law is the one with the lowest median of steps.
def follow(family, update, h, seed, most=1500):
    loss, w, least = problem(family, seed)
    found = [float(loss.value(w) - least)]

    def look(moment):
        if moment.k % 10 == 0:
            found.append(float(loss.value(moment.x) - least))
        return not 1e-5 < found[-1] < 1e3

    ig.descend(MiniBatches(loss, 20), w, update=update, step=h, max_steps=most, rng=np.random.default_rng(seed),
               record=None, callbacks=[look])
    return np.array(found)


def steps(curve):
    return 10 * (len(curve) - 1) if curve[-1] <= 1e-5 else np.inf


laws = {"normal": ig.NormalKnownVariance(1.0), "Bernoulli": ig.Bernoulli(), "Poisson": ig.Poisson(), "softmax": ig.Categorical(3)}
methods = {"gradient descent": (ig.GradientUpdate(), (1.0, 2.0, 4.0)), "Adam": (Adam(), (0.1, 0.2, 0.4)),
           "adaptive natural gradient": (AdaptiveNatural(0.1, ConstantRate(0.02)), (0.1, 0.2, 0.4))}
curves = {}
for law, family in laws.items():
    for method, (update, grid) in methods.items():
        runs = {h: [follow(family, update, h, seed) for seed in range(5)] for h in grid}
        best = min(grid, key=lambda h: np.median([steps(run) for run in runs[h]]))
        curves[law, method] = runs[best]
        print(f"{law:10s} {method:26s} {np.median([steps(run) for run in runs[best]]):5.0f} steps, h = {best}")
    taken = [np.median([steps(run) for run in curves[law, method]]) for method in methods]
    assert taken[2] < 0.5 * taken[0] and taken[2] < 0.8 * taken[1]

# %%
colours = {"gradient descent": "0.5", "Adam": "#E69F00", "adaptive natural gradient": "#009E73"}
fig, axes = plt.subplots(2, 2, figsize=(9.0, 6.0), layout="constrained", sharey=True)
for ax, law in zip(axes.flat, laws):
    for method, colour in colours.items():
        for i, curve in enumerate(curves[law, method]):
            ax.semilogy(10 * np.arange(len(curve)), curve, color=colour, lw=1.2, label=method if i == 0 else None)
    ax.set(title=law, ylim=(1e-5, 1.0))
axes[0, 0].legend(frameon=False, fontsize="small")
for ax in axes[1]:
    ax.set_xlabel("steps of 20 examples")
for ax in axes[:, 0]:
    ax.set_ylabel("divergence from the teacher, nats")
plt.show()
