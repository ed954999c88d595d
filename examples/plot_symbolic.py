"""
A family from its formula
=========================

The gamma family written down as its log-partition function: closed forms by SymPy, its curvature as a function of the shape, and
natural gradient on the manifold that is compiled from the same formula.
"""
import matplotlib.pyplot as plt
import numpy as np
import sympy as sp

import infogeo as ig
from infogeo.symbolic import SymbolicManifold, compare

t1, t2 = sp.symbols("theta_1 theta_2", real=True)
gamma = SymbolicManifold((t1, t2), sp.loggamma(t1) - t1 * sp.log(-t2), ig.domains.Orthant(1, -1))
print("η =", tuple(gamma.eta))
print("G =", gamma.metric)              # gamma.latex() has them in LaTeX, which a notebook shows set

# %%
# The Gaussian curvature depends on the shape only, and lies between −1/2 and −1/4.
curvature = gamma.scalar_curvature() / 2
print(curvature)
shapes = np.logspace(-2, 2, 60)
K = np.array([float(curvature.subs(t1, sp.Float(a, 30)).evalf()) for a in shapes])
assert np.all((-0.5 < K) & (K < -0.25))
fig, ax = plt.subplots()
ax.semilogx(shapes, K)
ax.axhline(-0.25, color="0.7")
ax.axhline(-0.5, color="0.7")
ax.set(xlabel="shape", ylabel="Gaussian curvature", title="Curvature of the gamma family")
plt.show()

# %%
# On arrays: the hand-written family has the same numbers, and a solver takes the compiled manifold.
M = gamma.compile(ig.domains.Orthant(1, -1))
print(compare(ig.Gamma(), gamma))
target = ig.Gamma().to_eta(np.array([2.0, -3.0]))
run = ig.descend(ig.CrossEntropy(M, target), np.array([1.0, -1.0]), geometry=M, update=ig.NaturalUpdate(), step=ig.Constant(0.5),
                 max_steps=60)
print(run.x)
assert np.allclose(run.x, [2.0, -3.0])
