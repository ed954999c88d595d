"""
The variance of Hessian estimates
=================================

Curvature propagation (Martens, Sutskever & Swersky 2012) estimates the Hessian of a loss from noise that enters at every curved
node of the network and is propagated back to the weights, at the cost of two gradients. A product :math:`Hv` of the Hessian with
noise :math:`v` over the weights costs the same and gives the estimate of Hutchinson, :math:`v \\circ Hv` for the diagonal. Both
are unbiased; their variances differ.
"""

# %%
# A small classifier with weights as they are drawn, whose Hessian can be formed. The table has the mean squared error of one
# draw, in the squared Frobenius norm. "Samples apart" means that the products of the samples' own vectors are summed, instead
# of the product of the summed vectors: then the noise of different samples never meets. For the diagonal it costs nothing in
# curvature propagation; for Hutchinson's estimate it takes a direction in the space of weights for every sample.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.curvature import curvature_propagation, hessian_diagonal
from infogeo.curvature import SignNoise, UnitVectors
from infogeo.networks import Tanh
from infogeo.networks import Glorot
from infogeo.networks import ConditionalModel
from infogeo.networks import MLP
from infogeo.studies import variance_table

rng = np.random.default_rng(0)
model = ConditionalModel(MLP((8, 10, 10, 3), Tanh()), ig.Categorical(4))
w = model.network.init(rng, Glorot())


def batch(n):
    return rng.standard_normal((n, 8)), rng.integers(0, 4, n)


table = variance_table(model, w, batch(64), rng, draws=200)
print(table)
error = dict(zip(table.names, table.squared_error[:, 0]))
assert error["propagation, samples apart, ±1"] < 0.1 * error["Hutchinson, ±1"]

# %%
# The relative error of the diagonal against the size of the batch: the noise of samples that are kept apart averages out.
# Of rank one it does not, and positive and negative curvatures of different samples, which cancel in the Hessian, do not cancel
# in the noise.
sizes, draws = 4 ** np.arange(1, 5), 400
rows = np.broadcast_to(w, (draws, w.size))
curves = {"Hutchinson": [], "curvature propagation, rank one": [], "curvature propagation, samples apart": []}
for n in sizes:
    data = batch(int(n))
    exact = hessian_diagonal(model, w, data, UnitVectors())
    v = rng.choice([-1.0, 1.0], rows.shape)
    T, U = curvature_propagation(model, w, data, SignNoise(rng, draws))
    found = v * model.hessian_vector(w, data, v), draws * T * U, hessian_diagonal(model, rows, data, SignNoise(rng))
    for curve, diagonals in zip(curves.values(), found):
        curve.append(np.mean(np.sum((diagonals - exact) ** 2, axis=-1)) / np.sum(exact**2))
assert curves["curvature propagation, samples apart"][-1] < 0.25 * curves["curvature propagation, samples apart"][0]

fig, (left, right) = plt.subplots(1, 2, figsize=(12.0, 4.4))
names = [name for name in table.names if name.endswith("±1") and not name.startswith("across")]
left.barh(names[::-1], [error[name] for name in names[::-1]], color="tab:blue")
left.set_xlabel("mean squared error of the diagonal, one draw")
left.axvline(table.squares[0], color="0.4", ls="--", label="the diagonal's own square")
left.legend(fontsize="small")
for name, curve in curves.items():
    right.loglog(sizes, curve, "-o", label=name)
right.set_xlabel("samples in the batch")
right.set_ylabel("relative squared error of the diagonal")
right.legend(fontsize="small")
fig.tight_layout()
plt.show()
