"""
A sweep on two workers
======================

Which step sizes reach a target in 50 steps? On :math:`\\mathrm{KL}(q\\|p_\\theta)` mirror descent goes straight to the target
for every :math:`h \\le 1`; beyond, it is drawn out of the simplex by the first rare outcome. Natural gradient descent in
:math:`\\theta` bears steps up to 2. Gradient descent in :math:`\\theta` needs longer ones, and a rare outcome takes it more
than 50 steps of any size. Here are 4000 targets, thirteen step sizes and three methods, 156 000 runs.

`infogeo.studies.in_blocks` cuts them into blocks. A block is done by whichever worker is free and leaves a file: with a folder
that stays, a second start does what is missing.
"""
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

SEED, TARGETS, STEPS = 5, 500, 50
sizes = 0.25 * 2.0 ** (0.5 * np.arange(13))
family = ig.Categorical(5)
methods = {"mirror descent in θ": ig.MirrorUpdate(), "natural gradient in θ": ig.NaturalUpdate(),
           "gradient descent in θ": ig.GradientUpdate()}


# %%
# The task of one block: 500 targets from a generator of (seed, block), so that no block depends on another. All step sizes and
# targets of a method are the rows of one run, from the uniform distribution; a row that leaves the domain ends, and counts as not
# there.
def block(i):
    rng = np.random.default_rng([SEED, i])
    target = family.theta_from(probabilities=rng.dirichlet(np.full(5, 1.5), TARGETS)[:, None, :])
    f, found = ig.CrossEntropy(family, family.to_eta(target)), {"least": family.parameters(target)["probabilities"].min(axis=-1)}
    for name, update in methods.items():
        run = ig.descend(f, np.zeros(4), geometry=family, update=update, step=ig.Constant(sizes), max_steps=STEPS, record=None)
        found[name] = family.kl(target, run.x)
    return found


# %%
# Two processes by joblib; ``pool.map`` of an executor, or a cluster's client, would stand in the same place
# (:doc:`/guide/sweeps`).
def two_workers(f, blocks):
    return joblib.Parallel(n_jobs=2)(joblib.delayed(f)(i) for i in blocks)


with tempfile.TemporaryDirectory() as folder:
    found = ig.studies.in_blocks(block, 8, folder, map=two_workers, setting={"seed": SEED, "targets": TARGETS})
    print(len(list(Path(folder).glob("block-*.npz"))), "files;", {name: x.shape for name, x in found.items()})

    # a second start finds everything done, and one process alone does the same to the last bit
    again = ig.studies.in_blocks(block, 8, folder, setting={"seed": SEED, "targets": TARGETS})
with tempfile.TemporaryDirectory() as folder:
    alone = ig.studies.in_blocks(block, 8, folder)
assert all(np.array_equal(found[name], alone[name]) and np.array_equal(found[name], again[name]) for name in found)

assert (found["mirror descent in θ"][:, (sizes > 0.3) & (sizes <= 1)] < 1e-10).all()

# %%
# The share of targets that are reached, KL < 1e-10 nats after 50 steps, and those of a rare outcome apart.
fig, ax = plt.subplots(figsize=(8.0, 4.6), layout="constrained")
rare = found["least"][:, 0] < 0.01
for name, colour in zip(methods, ("#009E73", "#D55E00", "#0072B2")):
    there = found[name] < 1e-10
    ax.plot(sizes, there[~rare].mean(axis=0), "-o", color=colour, ms=4, label=name)
    ax.plot(sizes, there[rare].mean(axis=0), "--s", color=colour, ms=4)
ax.plot([], [], "--s", color="black", ms=4, label="dashed: an outcome below 1 %")
ax.set(xscale="log", xlabel="step size h", ylabel="share of targets reached in 50 steps",
       title=f"{len(rare)} targets of five outcomes, {rare.sum()} of them with one below 1 %")
ax.set_xticks(sizes[::2], [f"{h:g}" for h in sizes[::2]], minor=False)
ax.set_xticks([], minor=True)
ax.grid(alpha=0.25)
fig.legend(fontsize="small", loc="outside lower center", ncols=4, frameon=False)
plt.show()
