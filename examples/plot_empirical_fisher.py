"""
The empirical Fisher is not the Fisher metric
=============================================

Linear regression, y = a x + b with noise, seen by three preconditioners. The Fisher metric of the model does not look at y;
the empirical Fisher sums the outer products of the data's own gradients, and so grows with the residuals. Where the model is
right and w is at the truth both agree. Elsewhere the empirical one turns the gradient: its field does not point where
Newton's does, and far from the optimum its steps are too short.

In a misspecified model, here a noise of variance 4 that the model takes for 1, both differ even at the optimum, by that factor
(Kunstner, Hennig & Balles, *Limitations of the empirical Fisher approximation*, 2019).
"""
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.curvature import empirical_fisher, fisher

rng = np.random.default_rng(0)
model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.NormalKnownVariance(1.0))
x = rng.uniform(0.0, 3.0, (1000, 1))
truth = np.array([2.0, -1.0])                       # slope, then bias: the last row of the weight matrix
batch = x, model.sample(rng, truth, x)

# %%
# Three fields
# ------------
# −g, −F⁻¹ g and −F_emp⁻¹ g, all by `WeightSpace.sharp`: weights with leading axes are models of their own.

side = np.linspace(-3.0, 3.0, 13)
grid = np.stack(np.meshgrid(truth[0] + side, truth[1] + side), axis=-1)
gradient = model.value_and_gradient(grid, batch)[1]
fields = {"gradient": -gradient}
for name, curvature in (("natural gradient", fisher), ("empirical Fisher", empirical_fisher)):
    space = ig.curvature.WeightSpace(model, batch, curvature, ig.curvature.Undamped())
    fields[name] = -space.sharp(grid, gradient)

sides = np.linspace(-3.3, 3.3, 120)
fine = np.stack(np.meshgrid(truth[0] + sides, truth[1] + sides), axis=-1)
loss = model.loss(fine, batch)
figure, panels = plt.subplots(1, 3, figsize=(11, 3.9), sharey=True, layout="constrained")
for axes, (name, field) in zip(panels, fields.items()):
    levels = loss.min() + np.array([0.05, 0.5, 2, 5, 10, 20, 40])
    axes.contour(fine[..., 0], fine[..., 1], loss, levels=levels, colors="0.75", linewidths=0.8)
    length = np.linalg.norm(field, axis=-1, keepdims=True)
    arrows = field / np.sqrt(length * length.max())
    axes.quiver(grid[..., 0], grid[..., 1], arrows[..., 0], arrows[..., 1], color="#0072B2")
    axes.plot(*truth, "o", color="#D55E00", ms=5)
    axes.set(title=name, xlabel="slope a", aspect="equal")
panels[0].set_ylabel("bias b")
figure.suptitle("Arrows as long as the square root of the step")

# %%
# Where they agree, and by how much they do not
# ---------------------------------------------
# The eigenvalues of F⁻¹ F_emp are near 1 at the optimum of data from the model. With noise of variance 4 they are near 4 there,
# so that a step by the empirical Fisher is four times too short; two units from the optimum they are larger and not equal.


def ratios(w, batch):
    F, F_emp = fisher(model, w, batch).dense(), empirical_fisher(model, w, batch).dense()
    return np.linalg.eigvals(np.linalg.solve(F, F_emp)).real


wide = x, x @ truth[:1] + truth[1] + 2.0 * rng.standard_normal(1000)
for label, w, data in (("at the truth, noise as in the model", truth, batch),
                       ("at the truth, noise of variance 4", truth, wide),
                       ("two units off, noise as in the model", truth + [2.0, 0.0], batch)):
    print(f"{label:38s} eigenvalues of F^-1 F_emp: {np.sort(ratios(w, data)).round(2)}")

plt.show()
