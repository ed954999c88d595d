"""
Projection onto independence, and Pythagoras
============================================

The distributions of a 2 × 2 table are the open tetrahedron. The tables with independent rows and columns form an e-flat
surface in it: in natural coordinates a plane. The m-projection of a table *p* onto that surface is the product *q* of its
margins, and for every independent *r*

.. math:: D(p\\|r) = D(p\\|q) + D(q\\|r) .

The geodesic from *p* to *q* is straight in the expectation parameters, that from *q* to *r* in the natural parameters; they
meet at a right angle of the Fisher metric.
"""

# %%
# The four cells, read row by row, are the outcomes of a categorical family; the last one is its reference. Independence means
# odds ratio 1, that is θ₀₀ − θ₀₁ − θ₁₀ = 0: a plane through the origin, spanned by the two rows of the basis.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

family = ig.Categorical(4)
independent = ig.AffineSubmanifold(origin=np.zeros(3), basis=np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]))

table = np.array([[0.52, 0.03],
                  [0.05, 0.40]])
p = family.theta_from(probabilities=table.ravel())
q = ig.m_project(family, p, onto=independent)              # argmin over independent q of D(p||q)
r = family.theta_from(probabilities=np.outer([0.04, 0.96], [0.45, 0.55]).ravel())


def D(a, b):
    return ig.canonical_divergence(family, a, b)


margins = np.outer(table.sum(axis=1), table.sum(axis=0)).ravel()
print("q         ", family.parameters(q)["probabilities"])
print("margins   ", margins)
print("D(p||q)   ", D(p, q), "= mutual information of the table, nats")
print("Pythagoras", D(p, q) + D(q, r) - D(p, r))
angle = family.inner(q, family.sharp(q, family.to_eta(p) - family.to_eta(q)), r - q)
print("<., .>_q  ", angle)

assert np.allclose(family.parameters(q)["probabilities"], margins, rtol=1e-12)
assert np.isclose(D(p, q) + D(q, r), D(p, r), rtol=1e-13)
assert abs(angle) < 1e-14

# %%
# The identity holds for every r of the surface: the gap over 1000 of them, relative to D(p‖r).
others = independent.embed(np.random.default_rng(0).normal(0.0, 2.0, (1000, 2)))
gaps = np.abs(D(p, q) + D(q, others) - D(p, others)) / D(p, others)
print("largest relative gap", gaps.max())
assert gaps.max() < 1e-13

# %%
# The tetrahedron with the surface of independence (ruled by the lines of constant margins) in the expectation parameters, seen
# along the normal of the triangle pqr. There the m-geodesic is straight and the e-geodesic stays on the surface.
t = np.linspace(0.0, 1.0, 101)
lines = {
    f"m-geodesic, $D(p\\|q)$ = {D(p, q):.4f}": (ig.m_geodesic(family, p, q, t), "tab:red", "-"),
    f"e-geodesic, $D(q\\|r)$ = {D(q, r):.4f}": (ig.e_geodesic(family, q, r, t), "tab:green", "-"),
    f"m-geodesic, $D(p\\|r)$ = {D(p, r):.4f}": (ig.m_geodesic(family, p, r, t), "0.2", ":"),
}
share = np.linspace(0.0, 1.0, 26)
row, column = np.meshgrid(share, share)
surface = row * column, row * (1 - column), (1 - row) * column          # cells 00, 01, 10 of the product of two margins

fig = plt.figure(figsize=(7.5, 6.4))
ax = fig.add_subplot(projection="3d", computed_zorder=False)
corners = {"00": (1, 0, 0), "01": (0, 1, 0), "10": (0, 0, 1), "11": (0, 0, 0)}
for name, corner in corners.items():
    for other in corners.values():
        ax.plot(*zip(corner, other), color="0.55", linewidth=0.8)
ax.plot_surface(*surface, color="tab:blue", alpha=0.15, linewidth=0.3, edgecolor="tab:blue", shade=False)
for label, (line, colour, style) in lines.items():
    ax.plot(*family.to_eta(line).T, color=colour, linestyle=style, linewidth=2.2, label=label)
for name, point in (("p", p), ("q", q), ("r", r)):
    ax.scatter(*family.to_eta(point), color="black", s=20)
    ax.text(*(family.to_eta(point) + 0.03), f"${name}$", fontsize=14)
normal = np.cross(family.to_eta(q) - family.to_eta(p), family.to_eta(r) - family.to_eta(q))
normal *= np.sign(normal[2]) / np.linalg.norm(normal)
ax.view_init(elev=np.degrees(np.arcsin(normal[2])), azim=np.degrees(np.arctan2(normal[1], normal[0])))
ax.set_xlabel("probability of cell 00")
ax.set_ylabel("probability of cell 01")
ax.set_zlabel("probability of cell 10")
ax.set_title("$D(p\\|r) = D(p\\|q) + D(q\\|r)$: $q$ is $p$ projected onto independence")
ax.legend(loc="upper left", fontsize="small")
fig.tight_layout()
plt.show()
