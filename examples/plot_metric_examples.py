"""
Whose metric is it?
===================

A step of natural gradient on a mini-batch has two uses of examples: the gradient, and the metric that it is divided by. Pascanu
and Bengio asked whether both should be the same ones; as the Fisher metric needs no labels, it may be that of any inputs. On
handwritten digits other examples are a little better where the damping is large, and **the metric of the step's own examples is
the one that needs no large damping to be safe**. Either way the order of the data matters nearly as little as to gradient descent
with a step so small that it needs five times as many passes.
"""

# %%
# 1000 of scikit-learn's digits, fifty a step, each of them once; nine natural parameters of ten classes.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import infogeo as ig
from infogeo.curvature import OwnExamples, StepExamples, Tikhonov, WeightSpace, fisher
from infogeo.training import MiniBatches

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
train, held_out = ((x[part] / 16.0, y[part]) for part in (order[:1000], order[1000:]))
model = ig.networks.ConditionalModel(ig.networks.MLP((64, 20, 9)), ig.Categorical(10))
w0 = model.network.init(np.random.default_rng(1), ig.networks.Glorot())
SIZE = 50


def follow(update, h, look, seed=0, geometry=None, steps=20):
    """The weights after one pass; `look` sees every moment."""
    return ig.descend(MiniBatches(model.objective(train), SIZE), w0, update=update, step=h, geometry=geometry, max_steps=steps,
                      rng=np.random.default_rng(seed), record=None, callbacks=[look]).x


def space(examples, damping):
    return WeightSpace(model, (train[0], None), fisher, Tikhonov(damping), examples)


# %%
# After one pass, against the damping. The metric of other examples is that of fifty inputs drawn anew from all 1000, without
# labels: ``OwnExamples(50, rng)``. A gradient has no part where its own examples' metric is zero, and a step with this metric is
# bounded whatever the damping is; it does have a part where other examples' is, and there the damping alone bounds the step.
dampings = np.geomspace(3e-3, 1.0, 8)
kinds = {"of the step's own": lambda seed: StepExamples(),
         "of 50 others": lambda seed: OwnExamples(50, np.random.default_rng(seed)),
         "of 100 others": lambda seed: OwnExamples(100, np.random.default_rng(seed))}
after = {name: np.array([[model.loss(follow(ig.NaturalUpdate(), 0.3, lambda moment: None, seed, space(make(seed), d)), held_out)
                          for seed in range(3)] for d in dampings]) for name, make in kinds.items()}

# %%
# **The order of the data.** Twelve orders of the same examples, and how far the predictions come apart: the standard deviation
# over the orders of the log-probability of the right class, its mean over the held-out digits, against their loss at that time.
# Gradient descent has a long step, with which it is as fast as it can be here, and a short one.
ORDERS = 12
gradient, natural = ig.GradientUpdate(), ig.NaturalUpdate()
methods = {
    "gradient descent, h = 1": (gradient, 1.0, 60, lambda seed: None),
    "gradient descent, h = 0.3": (gradient, 0.3, 120, lambda seed: None),
    "natural gradient, own metric": (natural, 0.3, 20, lambda seed: space(StepExamples(), 0.1)),
    "natural gradient, 50 others": (natural, 0.3, 20, lambda seed: space(OwnExamples(50, np.random.default_rng(seed)), 0.1)),
}
spread = {}
for name, (update, h, steps, make) in methods.items():
    log_p = np.zeros((ORDERS, steps, len(held_out[1])))
    for seed in range(ORDERS):
        def look(moment):
            log_p[seed, moment.k - 1] = model.log_density(moment.x, held_out)

        follow(update, h, look, seed, make(seed), steps)
    spread[name] = -log_p.mean(axis=(0, 2)), log_p.std(axis=0).mean(axis=1)
    near = np.argmin(np.abs(spread[name][0] - 0.7))
    loss, sd = spread[name][0][near], spread[name][1][near]
    print(f"{name:30s} spread {sd:.3f} where the loss is {loss:.3f}, after {(near + 1) / 20} passes")
    methods[name] = sd, near + 1
(long, fast), (short, slow), (own, one), (others, _) = methods.values()
assert own < others < long and slow > 4 * one and short < others
assert np.all(after["of the step's own"] < 2.0) and np.max(after["of 50 others"]) > 10.0        # whatever the damping, or not

# %%
colours = {"of the step's own": "#0072B2", "of 50 others": "#E69F00", "of 100 others": "#009E73"}
fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.2), layout="constrained")
for name, loss in after.items():
    left.loglog(dampings, np.median(loss, axis=1), "o-", ms=4, color=colours[name], label=f"metric {name}")
    left.fill_between(dampings, loss.min(axis=1), loss.max(axis=1), color=colours[name], alpha=0.2, lw=0)
left.set(xlabel="damping", ylabel="held-out loss after one pass, nats", ylim=(0.1, 5.0), title="Whose metric, and the damping")
left.set_yticks([0.1, 0.2, 0.5, 1.0, 2.0, 5.0], ["0.1", "0.2", "0.5", "1", "2", "5"])
left.minorticks_off()
left.legend(frameon=False)
for (name, (loss, sd)), colour in zip(spread.items(), ("0.75", "0.45", "#0072B2", "#E69F00")):
    right.plot(loss, sd, ".-", color=colour, label=name)
right.set(xlabel="held-out loss, nats", ylabel="standard deviation of log p over orders", title="What the order of the data does",
          xlim=(2.3, 0.2), ylim=(0.0, 0.85))
right.legend(frameon=False)
plt.show()
