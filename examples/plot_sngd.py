"""
Natural gradient as plain gradient descent
==========================================

Structured natural gradient descent puts a frozen layer :math:`G^{-1/2}` in front of the weights :math:`w'` of each layer,
:math:`w = G^{-1/2} w'` with the layer's own Fisher metric :math:`G`, and trains :math:`w'` by plain gradient descent. As
:math:`\\nabla_{w'} = G^{-1/2} \\nabla_w`, every step is :math:`w \\leftarrow w - h\\,G^{-1} \\nabla_w`: a natural gradient
step with a block-diagonal metric, which is renewed every so many steps only. Here is a classifier 64-30-10 of handwritten digits.
"""

# %%
# Real data, scikit-learn's 8 × 8 digits, one third of them to learn from. The loss is minus the mean log-likelihood of a
# categorical distribution with ten outcomes, nine natural parameters.
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import infogeo as ig
from infogeo.curvature import block_diagonal
from infogeo.curvature import kfac
from infogeo.curvature import RunningAverage
from infogeo.networks import Glorot, Tanh
from infogeo.training import Block, Momentum, Nystrom, StructuredNatural, TwoSided, local_roots, rebuild

x, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
order = rng.permutation(len(x))
batch, held_out = ((x[part] / 16.0, y[part]) for part in (order[:600], order[600:]))
model = ig.networks.ConditionalModel(ig.networks.MLP((64, 30, 9), Tanh()), ig.Categorical(10))
w0 = model.network.init(rng, Glorot())
flat = ig.Euclidean(model.network.size)

# %%
# The local Fisher layers by hand: the square roots of the damped metrics of the layers, a network that has them, and one step
# of gradient descent in :math:`w'`. The network is the same function, and the step is that of the natural gradient with the
# blocks of K-FAC, here a local layer on either side of the weight matrix.
damping = ig.curvature.FactoredTikhonov(1e-2)
roots = local_roots(model, w0, batch, TwoSided(), damping)
network, w_local = rebuild(model.network, w0, roots)
local = ig.networks.ConditionalModel(network, model.family)
assert np.allclose(local.theta(w_local, batch[0]), model.theta(w0, batch[0]))

step = w_local - 0.3 * local.value_and_gradient(w_local, batch)[1]
natural = w0 - 0.3 * damping(kfac(model, w0, batch)).solve(model.value_and_gradient(w0, batch)[1])
assert np.allclose(local.loss(step, batch), model.loss(natural, batch), rtol=1e-12)

# %%
# The optimiser does this for every renewal of the metric, and carries the momentum :math:`v'` along. Its metrics are the exact
# blocks of the Fisher metric, with square roots by Nyström's approximation from 200 columns (the first block has 1950 rows), and
# the two-sided ones of K-FAC. Natural gradient has a new metric at every step.
fresh = RunningAverage(0.0)                                                # no memory of the metrics before
runs = {
    "gradient descent": (ig.GradientUpdate(), 1.0, 60, flat),
    "heavy ball, 0.9": (Momentum(0.9), 0.3, 60, flat),
    "natural gradient, exact blocks": (
        ig.NaturalUpdate(), 0.5, 10, ig.curvature.WeightSpace(model, batch, block_diagonal, ig.curvature.Tikhonov(0.1))),
    "SNGD, blocks by Nyström, every 2nd step": (
        StructuredNatural(Block(), ig.curvature.Tikhonov(0.1), Nystrom(200), refresh=2, average=fresh), 0.5, 16, flat),
    "natural gradient, K-FAC": (ig.NaturalUpdate(), 0.3, 60, ig.curvature.WeightSpace(model, batch, kfac, damping)),
    "SNGD, two sides, every step": (StructuredNatural(TwoSided(), damping, refresh=1, average=fresh), 0.3, 60, flat),
    "SNGD, two sides, every 5th step": (StructuredNatural(TwoSided(), damping, refresh=5, average=fresh), 0.3, 60, flat),
    "the same with momentum 0.8": (StructuredNatural(TwoSided(), damping, refresh=5, average=fresh, momentum=0.8), 0.3, 60, flat),
}
losses, seconds = {}, {}
for name, (update, h, steps, geometry) in runs.items():
    clock, start = [0.0], time.perf_counter()
    run = ig.descend(model.objective(batch), w0, geometry=geometry, update=update, step=ig.Constant(h), max_steps=steps,
                     record="values", callbacks=[lambda moment: clock.append(time.perf_counter() - start)])
    losses[name], seconds[name] = run.values, np.array(clock)
    logits = np.pad(model.theta(run.x, held_out[0]), ((0, 0), (0, 1)))      # the last outcome is the reference, with log-odds 0
    wrong = np.mean(np.argmax(logits, axis=1) != held_out[1])
    print(f"{name:40s} {steps:3d} steps   loss {run.values[-1]:.4f} nats   held out: {100 * wrong:.1f} % wrong")
assert np.allclose(losses["SNGD, two sides, every step"], losses["natural gradient, K-FAC"], rtol=1e-6)

# %%
# Against steps, SNGD with a new metric at every step lies on the natural gradient (the dots on the line, equal to six digits);
# metrics up to five steps old do no harm here, and with the momentum that is carried along it is the fastest. Against seconds, a
# metric costs what its renewals cost: 0.6 s for the exact blocks with Nyström's roots, 3 ms for the two-sided one (best of five).
colours = dict(zip(runs, ["0.6", "0.25", "#D55E00", "#E69F00", "#0072B2", "#0072B2", "#56B4E9", "#009E73"]))
fig, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.8), sharey=True)
for name, values in losses.items():
    style = dict(linestyle="none", marker="o", markersize=3.5) if name.endswith("every step") else dict(lw=1.8)
    left.semilogy(values, color=colours[name], label=name, **style)
    right.loglog(seconds[name][1:], values[1:], color=colours[name], **style)
left.set_xlabel("step")
left.set_ylabel("loss on 600 digits, nats")
left.set_ylim(1e-3, 3.0)
left.set_title("SNGD is natural gradient")
right.set_xlabel("seconds")
right.set_title("The same runs by the clock")
fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small", frameon=False)
fig.set_layout_engine("constrained")
plt.show()
