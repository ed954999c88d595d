"""
A plateau that natural gradient does not see
============================================

In Kakade's two states one may stay or move; staying is worth 1 in the first state and 2 in the second. A policy that starts in
the first state nearly always learns to stay there, and the plain policy gradient, whose entries are weighted by how often a state
is seen, then stands still at an average reward of 1 for **a hundred times as long as natural gradient takes altogether**: in
:math:`F^{-1} \\nabla J` the occupancy of the states drops out.
"""

# %%
# The process is known, so that everything is exact: average reward, occupancy, gradient, Fisher metric. The policy is a point of
# two logits, that of staying in each state.
import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import infogeo as ig

P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])        # P[s, a, s']: action 0 stays, action 1 moves
R = np.array([[1.0, 0.0], [2.0, 0.0]])
mdp = ig.policy.FiniteMDP(P, R, average=True)
start = np.log([0.8 / 0.2, 0.2 / 0.8])
assert np.allclose(mdp.policies().sharp(start, mdp.gradient(start)), mdp.natural_gradient(start))

# %%
# The flows :math:`\dot\theta = F^{-1} \nabla J` and :math:`\dot\theta = \nabla J`.
flows = {}
for name, field, until in (("natural gradient", mdp.natural_gradient, 4.0), ("plain gradient", mdp.gradient, 500.0)):
    times = np.geomspace(1e-2, until, 4000)
    flow = solve_ivp(lambda t, x: field(x), (0, until), start, t_eval=times, rtol=1e-9, atol=1e-10, method="DOP853")
    flows[name] = times, mdp.value(flow.y.T), mdp.occupancy(flow.y.T)[:, 1]

# %%
figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 5.4), sharex=True, layout="constrained")
for (name, (t, value, seen)), colour in zip(flows.items(), ("tab:green", "tab:red")):
    top.plot(t, value, color=colour, lw=2, label=name)
    bottom.loglog(t, seen, color=colour, lw=2)
top.axhline(1.0, color="0.7", lw=1, zorder=0)
top.annotate("stays in the first state", (0.012, 1.03), color="0.4", fontsize=9)
top.set(ylabel="average reward", title="Average reward along the two flows")
top.legend(frameon=False)
bottom.set(xlabel="time", ylabel="share of time in the second state")
plt.show()

reached = {name: float(np.interp(1.9, value, t)) for name, (t, value, _) in flows.items()}
print("time to an average reward of 1.9:", {name: round(t, 1) for name, t in reached.items()})
