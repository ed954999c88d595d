"""
Which approximations follow the natural gradient in wide networks
==================================================================

Natural gradient moves the outputs of a network straight at their targets: of the residual, a step of size h leaves 1 − h. So do
metrics that know nothing of what is between layers, even Kronecker factors, **once the network is wide and the step is divided by
the right number**; the diagonal does not at any width. Karakida and Osawa showed it in the limit; here are networks of 16 to 256
units a layer.
"""

# %%
# Eight samples, three layers, tanh. Every approximation takes steps of h / a, with a how far its own first step would move the
# outputs along the residual. Shown is how far the outputs are, after four such steps, from where the exact natural gradient of an
# infinitely wide network has them.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

study = ig.studies.wide_networks((16, 32, 64, 128, 256), draws=5, rng=np.random.default_rng(0))
print(study)

fig, ax = plt.subplots(figsize=(7.4, 4.6), layout="constrained")
study.plot(ax=ax)
ax.set_title("After four steps of natural gradient")
plt.show()

# %%
# The rates a are whole numbers for four of them: 1, the number of layers L, with tridiagonal Kronecker factors the number n of
# samples, and n (L − 1) + 1 with Kronecker factors: each layer alone moves all outputs, and a layer whose factors are taken for
# independent does it n times over.
#
# **The closed form of Amari, Karakida and Oizumi.** Their metric of a unit is O(n) to solve with, as it sees of the inputs only
# what a normal law would: here means and variances. Below, the angle of each natural gradient with the exact one, in the metric,
# with a thousandth of the mean eigenvalue as damping. The blocks of units of eight samples turn to the exact direction as the
# network becomes wide; the closed form, which cannot tell eight samples apart, does not. With 2000 samples it is near the blocks
# that it stands for and ahead of the diagonal, and all of them lose as the weights become many.
widths = (4, 8, 16, 32)
curvatures = {"blocks of units": ig.curvature.unitwise_fisher, "closed form": ig.curvature.normal_units,
              "diagonal": ig.curvature.diagonal_fisher}


def angles(width, n, seed):
    """In degrees, of each curvature."""
    rng = np.random.default_rng(seed)
    model = ig.networks.ConditionalModel(ig.networks.MLP((10, width, width, 1)), ig.NormalKnownVariance(1.0))
    w, x = model.network.init(rng, ig.networks.Glorot()), rng.standard_normal((n, 10))
    for layer in model.network.blocks(w)[::2]:          # views of w: biases, which make the outputs of units go with each other
        layer[-1] = 0.5 * rng.standard_normal(layer.shape[1])
    batch = x, np.sin(x @ rng.standard_normal(10))
    damping = 1e-3 * float(ig.curvature.diagonal_fisher(model, w, batch).trace()) / w.size
    found = ig.studies.fisher_approximations(model, w, batch, damping=damping, rng=rng, curvatures=curvatures)
    return [one.angle for one in found.approximations]


fig, panels = plt.subplots(1, 2, figsize=(9.0, 4.0), sharey=True, layout="constrained")
for panel, n, shown in zip(panels, (8, 2000), (widths, widths[:3])):
    found = np.array([[angles(width, n, seed) for seed in range(4)] for width in shown])
    for k, (name, colour) in enumerate(zip(curvatures, ("#E69F00", "#0072B2", "0.2"))):
        panel.plot(shown, np.mean(found[..., k], axis=1), "o-", color=colour, label=name)
        panel.fill_between(shown, found[..., k].min(axis=1), found[..., k].max(axis=1), color=colour, alpha=0.12, lw=0)
    panel.set_xscale("log")
    panel.set(xlabel="width", title=f"{n} samples", xticks=shown, xticklabels=[str(width) for width in shown], ylim=(0, 60))
    panel.minorticks_off()
panels[0].set(ylabel="angle with the exact natural gradient, degrees")
panels[0].legend(frameon=False)
plt.show()
