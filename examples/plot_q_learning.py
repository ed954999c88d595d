"""
Natural-gradient Q-learning
===========================

The values of actions are a regression: a normal law with known variance and the mean :math:`Q(s, a)`, whose targets
:math:`r + \\gamma \\max_{a'} Q(s', a')` move. So natural-gradient Q-learning (Knight & Lerner 2018) is `NaturalUpdate` on the
weights of that model and **needs no class of its own**. On the cart and pole it learns about as fast as Adam with the best of the
step sizes 0.001, 0.003 and 0.01: after ten thousand steps the pole stays up for 251 and 248 steps, means over three seeds, which
lie between 160 and 350.
"""

# %%
# Eight copies of the environment act by the greedy action, or with probability ε at random; transitions are kept. The model takes
# a state and an action, as a row of the identity, to one value.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.networks import MLP, ConditionalModel, Orthogonal

GAMMA, COPIES, ROUNDS, PER_ROUND, BATCH = 0.99, 8, 80, 16, 256
ACTIONS = np.eye(2)
model = ConditionalModel(MLP((6, 32, 32, 1)), ig.NormalKnownVariance(1.0))


def values(w, states):
    """Q of both actions, shape (n, 2)."""
    pairs = np.concatenate([np.repeat(states, 2, axis=0), np.tile(ACTIONS, (len(states), 1))], axis=1)
    return model.theta(w, pairs)[:, 0].reshape(-1, 2)


# %%
# A round acts, forms the targets with the weights of the last round, and takes a few steps on them.
def learn(update, h, seed):
    rng, environment = np.random.default_rng(seed), ig.policy.gym("CartPole-v1", COPIES)
    w, states = model.network.init(rng, Orthogonal()), environment.reset(rng)
    kept, lengths, ages, state = [], [], np.zeros(COPIES, int), None
    for k in range(ROUNDS):
        for _ in range(PER_ROUND):
            at_random = rng.random(COPIES) < max(0.05, 1.0 - k / 30)
            action = np.where(at_random, rng.integers(2, size=COPIES), values(w, states).argmax(axis=1))
            outcome = environment.step(action)
            kept.append((states, action, outcome.rewards, outcome.reached, outcome.terminated))
            states, ages = outcome.states, ages + 1
            ended = outcome.terminated | outcome.truncated
            lengths += [((k + 1) * PER_ROUND * COPIES, int(age)) for age in ages[ended]]
            ages = np.where(ended, 0, ages)
        s, a, r, after, over = (np.concatenate(column) for column in zip(*kept))
        old = w
        for _ in range(5):
            i = rng.integers(len(s), size=BATCH)
            target = r[i] + GAMMA * np.where(over[i], 0.0, values(old, after[i]).max(axis=1))
            batch = np.concatenate([s[i], ACTIONS[a[i]]], axis=1), target
            geometry = ig.curvature.WeightSpace(model, batch, ig.curvature.fisher, ig.curvature.KrylovTikhonov(1e-2))
            covector = model.value_and_gradient(w, batch)[1]
            state = update.init(w) if state is None else state
            w, state = update(geometry, w, covector, h, state)
    environment.close()
    return np.array(lengths)


# %%
figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
last = {}
for name, update, h, colour in (("natural gradient", ig.NaturalUpdate(), 0.5, "tab:green"),
                                ("Adam", ig.training.Adam(), 1e-2, "tab:red")):
    found = learn(update, h, seed=1)
    steps = np.unique(found[:, 0])
    means = np.array([found[(found[:, 0] > s - 1500) & (found[:, 0] <= s), 1].mean() for s in steps])
    axes.plot(steps, means, color=colour, lw=2, label=name)
    last[name] = means[-1]
axes.set(xlabel="steps in the environment", ylabel="steps that the pole stays up",
         title="Q-learning, mean of the last 1500 steps")
axes.legend(frameon=False)
plt.show()
print("steps that the pole stays up at last:", {name: round(float(value)) for name, value in last.items()})
