"""
The natural gradient neither vanishes nor explodes
==================================================

Seen from the first layer of a deep network, the gradient of the loss shrinks or grows by a factor for every layer above. The
natural gradient :math:`\\tilde\\nabla\\ell = F^{-1} \\nabla\\ell`, measured in the metric F that it is made with, does not: for
observations from the model :math:`E[\\nabla\\ell\\,\\nabla\\ell^\\top] = F`, so that

.. math:: E\\,|\\tilde\\nabla\\ell|_F^2 = E\\,\\nabla\\ell^\\top F^{-1} \\nabla\\ell = \\operatorname{tr}(F^{-1} F) = \\dim,

**the number of weights, at any depth**, while the plain :math:`E\\,|\\nabla\\ell|^2 = \\operatorname{tr} F` goes over fourteen
orders of magnitude.
"""

# %%
# Networks 8-8-…-8 of tanh units with nine classes and orthogonal weight matrices times a gain, and the 72 weights of the first
# layer. F is its exact block, of 400 inputs; the observations y are drawn from the network, twenty for every input.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.networks import MLP, ConditionalModel, Orthogonal

rng = np.random.default_rng(0)
x = rng.standard_normal((400, 8))
depths, gains = [1, 2, 4, 8, 12, 16, 20, 24, 28, 32], [0.7, 1.0, 2.0]
plain, natural = np.empty((2, len(gains), len(depths)))
for i, gain in enumerate(gains):
    for j, depth in enumerate(depths):
        model = ConditionalModel(MLP((8,) * (depth + 2)), ig.Categorical(9))
        w = model.network.init(rng, Orthogonal(gain))
        F = ig.curvature.block_diagonal(model, w, (x, None)).blocks[0]
        gradients = [model.per_example_gradients(w, (x, y))[:, :F.dim] for y in model.sample(rng, w, x, (20,))]
        plain[i, j] = np.mean([np.sum(g * g, axis=-1) for g in gradients])
        natural[i, j] = np.mean([np.sum(g * F.solve(g), axis=-1) for g in gradients])

for gain, of_plain, of_natural in zip(gains, plain, natural):
    print(f"gain {gain}: mean of |gradient|^2 from {of_plain[0]:.2g} to {of_plain[-1]:.2g}, of the natural one "
          f"{of_natural.min():.1f} to {of_natural.max():.1f}")
assert np.allclose(natural, F.dim, rtol=0.1) and plain.max() > 1e14 * plain.min()

# %%
# The dots of all three gains lie on one line. What is left is the noise of the draws.
figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
axes.hlines(F.dim, 0, depths[-1], color="0.75", lw=1, zorder=0)
colours, sizes = ("#0072B2", "#009E73", "#D55E00"), (10, 7, 4)
for gain, of_plain, of_natural, colour, size in zip(gains, plain, natural, colours, sizes):
    axes.semilogy(depths, of_plain, color=colour, lw=2)
    axes.semilogy(depths, of_natural, "o", color=colour, ms=size)
    axes.annotate(f"plain, gain {gain:g}", (33, of_plain[-1]), color=colour, va="center")
axes.annotate("natural, all gains: 72", (33, F.dim), va="center")
axes.set(xlabel="hidden layers", ylabel="mean squared norm in the first layer", xlim=(0, 46), xticks=range(0, 33, 8),
         title="The first layer's natural gradient does not know how deep it lies")
plt.show()
