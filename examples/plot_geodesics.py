"""
Three geodesics and two kinds of balls
======================================

Between two normal distributions run three lines: the e-geodesic is straight in the natural parameters, the m-geodesic in the
expectation parameters, and the Fisher–Rao geodesic is the shortest. It runs between the other two, which are a few per cent
longer. About a point lie two kinds of balls: the one of :math:`D(c\\|x)` is convex in :math:`\\theta`, the one of
:math:`D(x\\|c)` in :math:`\\eta`.
"""

# %%
# The distributions are the corners of a wide triangle in mean and variance.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.studies import plot_divergence_balls, plot_geodesics

family = ig.Normal()
p, q, r = family.theta_from(mean=np.array([0.0, 2.0, -1.0]), variance=np.array([1.0, 1.5, 2.0]))

fig, axes = plt.subplots(2, 2, figsize=(9.0, 8.0), layout="constrained")
for column, (chart, name) in enumerate(((family, "natural parameters"), (family.dual, "expectation parameters"))):
    lines = plot_geodesics(family, p, q, ax=axes[0, column], chart=chart)
    balls = plot_divergence_balls(family, np.stack([p, q, r]), 0.08, ax=axes[1, column], chart=chart)
    axes[0, column].set_title(name)
axes[1, 0].set_title("D(c‖x) = 0.08 nats is convex here …")
axes[1, 1].set_title("… and D(x‖c) = 0.08 nats here")
plt.show()

# %%
# The lengths, as sums over many short pieces. None is longer than the root of the Jeffreys divergence, which is the energy of the
# two dual geodesics.
t = np.linspace(0.0, 1.0, 2001)


def length(curve):
    return np.sum(family.distance(curve[:-1], curve[1:]))


e, m, shortest = (length(curve) for curve in (ig.e_geodesic(family, p, q, t), ig.m_geodesic(family, p, q, t),
                                              family.geodesic(p, q, t)))
bound = np.sqrt(ig.jeffreys(family, p, q))
print(f"Fisher–Rao {shortest:.6f}   e {e:.6f}   m {m:.6f}   root of the Jeffreys divergence {bound:.6f}")
assert shortest < min(e, m) and max(e, m) < bound
assert np.isclose(shortest, family.distance(p, q), rtol=1e-10)
