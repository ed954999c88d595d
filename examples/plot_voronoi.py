"""
Which distribution is nearest: Bregman Voronoi diagrams
=======================================================

A diagram of nearest sites in the Kullback–Leibler divergence comes in two kinds, as the divergence is not symmetric. Where the
nearest site is the one with the least :math:`D(s\\|x)`, the cells are convex polygons in the natural parameters; where it is
the one with the least :math:`D(x\\|s)`, they are convex polygons in the expectation parameters. On the simplex the two differ
most near the corners.
"""

# %%
# Five distributions on three outcomes.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.studies import plot_bisectors

family = ig.Categorical(3)
sites = family.theta_from(probabilities=np.array([
    [0.50, 0.30, 0.20], [0.10, 0.20, 0.70], [0.20, 0.60, 0.20], [0.33, 0.33, 0.34], [0.05, 0.50, 0.45]]))

fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 5.4), layout="constrained")
edges = plot_bisectors(family, sites, ax=left)
plot_bisectors(family, sites, ax=right, chart=family.dual)
left.set_title("cells of D(s‖x) are polygons here …")
right.set_title("… and those of D(x‖s) here")
right.plot([0, 1, 0, 0], [0, 0, 1, 0], color="0.6", linewidth=0.8)             # the simplex, all of it
right.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05))
plt.show()

# %%
# On an edge of the first diagram the two nearest sites are equally near.
line = np.stack(edges[0].get_data(), axis=-1)
line = line[np.linalg.norm(line, axis=-1) < 20.0]
D = np.sort(ig.canonical_divergence(family, sites, line[:, None, :]), axis=-1)
print("largest gap", np.max(np.abs(D[:, 1] - D[:, 0])))
assert np.allclose(D[:, 0], D[:, 1], rtol=1e-12)

# %%
# The two diagrams give different answers: of a million distributions drawn evenly from the simplex, these many per cent.
x = family.theta_from(probabilities=np.random.default_rng(0).dirichlet(np.ones(3), 1_000_000))
differ = np.mean(np.argmin([family.kl(s, x) for s in sites], axis=0) != np.argmin([family.kl(x, s) for s in sites], axis=0))
print(f"{100 * differ:.1f} %")
assert 0.05 < differ < 0.2
