"""
A game turns: one look ahead
============================

In rock, paper, scissors each player follows the other's mistakes. Mirror descent of both, the multiplicative weights, goes
round the equilibrium and ever further out: its divergence to the equilibrium rises at every step, whatever the step size.
Mirror-prox takes the step, looks at the gradients there, and takes them for the step from where it was; optimistic mirror
descent guesses the same from the last two gradients. Both turn inwards and come to the equilibrium, to rounding.
"""

# %%
# A game has no value that both players lower: it is a `VectorField`, the gradients of each in his own probabilities.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

A = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])       # what the row player loses
M = ig.geometry.ProductManifold(ig.Simplex(3), ig.Simplex(3))
field = ig.VectorField(lambda x: np.concatenate([x[3:] @ A.T, -x[:3] @ A]))


def gap(x):
    """What the players could still gain by their best answers, 0 at the equilibrium."""
    return np.max(x[..., :3] @ A, axis=-1) - np.min(x[..., 3:] @ A.T, axis=-1)


start, steps = np.array([0.45, 0.32, 0.23, 0.45, 0.32, 0.23]), 1500
methods = {"mirror descent": (ig.MirrorUpdate(), 0.1), "mirror-prox": (ig.MirrorProx(), 0.5),
           "optimistic": (ig.Optimistic(), 0.5)}
runs, averages = {}, {}
for name, (update, h) in methods.items():
    points = []
    ahead = lambda moment: moment.state.y if name == "mirror-prox" else moment.before
    keep = lambda moment: points.append(ahead(moment))
    runs[name] = ig.descend(field, start, geometry=M, update=update, step=h, max_steps=steps, callbacks=[keep]).path
    averages[name] = np.cumsum(points, axis=0) / np.arange(1, steps + 1)[:, None]

# %%
# Two things are known of the runs. The divergence of mirror descent to the equilibrium rises at every step; and the average of
# the points where mirror-prox looked has a gap of at most D/(hT), with the largest divergence D from the start to two vertices.
away = M.divergence(runs["mirror descent"], np.full(6, 1 / 3))
T = np.arange(1, steps + 1)
bound = 2 * np.log(1 / 0.23) / (0.5 * T)
assert np.all(np.diff(away) > 0)
assert np.all(gap(averages["mirror-prox"]) <= bound)
assert gap(runs["mirror-prox"][-1]) < 1e-12 and gap(runs["optimistic"][-1]) < 1e-12

corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])
colours = dict(zip(methods, ("tab:red", "tab:blue", "tab:orange")))
fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.6), layout="constrained")
left.fill(*corners.T, facecolor="none", edgecolor="0.6")
for name, ha, (x, y) in zip(("rock", "paper", "scissors"), ("right", "left", "center"), corners):
    left.text(x, y + (0.03 if ha == "center" else -0.03), name, ha=ha, va="bottom" if ha == "center" else "top", color="0.4")
for name in ("mirror descent", "mirror-prox"):
    left.plot(*(runs[name][:500, :3] @ corners).T, color=colours[name], linewidth=1.0, label=name)
left.plot(*(start[:3] @ corners), "o", color="0.2", markersize=5, label="start")
left.plot(*(np.full(3, 1 / 3) @ corners), "*", color="0.2", markersize=10, label="equilibrium")
left.set_aspect("equal")
left.axis("off")
left.legend(loc="upper left", fontsize="small")
left.set_title("the row player's probabilities", pad=16)

for name in methods:
    right.loglog(T, np.maximum(gap(runs[name][1:]), 1e-16), color=colours[name], label=name)
for name in ("mirror descent", "mirror-prox"):
    right.loglog(T, gap(averages[name]), color=colours[name], linestyle=":", label=f"{name}, average")
right.loglog(T, bound, color="0.6", linewidth=0.8, label="bound of the dotted blue line")
right.set_xlabel("steps")
right.set_ylabel("duality gap")
right.set_ylim(3e-17, 1e2)
right.legend(fontsize="small", loc="lower left")
right.set_title("what the players could still gain")
fig.suptitle("One look ahead turns the spiral inwards")
plt.show()
