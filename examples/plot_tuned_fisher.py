"""
Tuned, the empirical Fisher is still not the Fisher metric
==========================================================

Three generalised linear models on real data, each trained by gradient descent, by natural gradient and by its imitation with the
empirical Fisher, with step size and damping of each the best of a grid. Natural gradient is Newton's method here and comes to the
minimum within rounding. The empirical Fisher shrinks with the residuals, so that **one step size does not serve it both at the
beginning and at the end**, and its direction turns away from that of natural gradient.
"""

# %%
# Scikit-learn's breast cancer, wine and diabetes, features standardised: logistic, multinomial and linear regression. Networks
# without a hidden layer, with the law of y as the output, and a weight decay of .001: classes that can be told apart have no best
# weights without it.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import infogeo as ig
from infogeo.curvature import Tikhonov, WeightSpace, empirical_fisher, fisher
from infogeo.training import Regularised


def standardised(a):
    return (a - a.mean(axis=0)) / a.std(axis=0)


problems = {}
for name, load, family in (("breast cancer", load_breast_cancer, ig.Bernoulli()), ("wine", load_wine, ig.Categorical(3)),
                           ("diabetes", load_diabetes, ig.NormalKnownVariance(1.0))):
    x, y = load(return_X_y=True)
    model = ig.networks.ConditionalModel(ig.networks.MLP((x.shape[1], family.dim)), family)
    problems[name] = model, (standardised(x), standardised(y) if name == "diabetes" else y)

# %%
# Fifty steps from zero weights, for every step size and damping. The best is the one that comes closest to the least loss, by the
# mean of the logarithm of the distance over the run.
STEPS, DECAY = 50, 1e-3
sizes, dampings = np.geomspace(1e-3, 10.0, 13), (1e-5, 1e-4, DECAY, 1e-2, 1e-1)


def trained(model, batch, curvature, damping, h):
    space = None if curvature is None else WeightSpace(model, batch, curvature, Tikhonov(damping))
    update = ig.GradientUpdate() if curvature is None else ig.NaturalUpdate()
    objective, w0 = Regularised(model.objective(batch), DECAY), np.zeros(model.network.size)
    return ig.descend(objective, w0, geometry=space, update=update, step=h, max_steps=STEPS, record="path")


def angle(model, batch, curvature, damping, w):
    """Degrees between the direction of a method and that of natural gradient."""
    c = model.value_and_gradient(w, batch)[1] + DECAY * w
    natural = Tikhonov(DECAY)(fisher(model, w, batch)).solve(c)
    d = c if curvature is None else Tikhonov(damping)(curvature(model, w, batch)).solve(c)
    return np.degrees(np.arccos(min(1.0, d @ natural / np.linalg.norm(d) / np.linalg.norm(natural))))


methods = {"gradient descent": None, "natural gradient": fisher, "empirical Fisher": empirical_fisher}
best, turned = {}, {}
for problem, (model, batch) in problems.items():
    least = trained(model, batch, fisher, DECAY, 1.0).values[-1]
    for method, curvature in methods.items():
        runs = {(h, c): trained(model, batch, curvature, c, h) for h in sizes for c in (dampings if curvature else dampings[:1])}
        gaps = {setting: np.nan_to_num(run.values - least, nan=np.inf, posinf=np.inf) for setting, run in runs.items()}
        h, c = setting = min(gaps, key=lambda each: np.mean(np.log(np.clip(gaps[each], 1e-14, 1e9))))
        gap = gaps[setting]
        best[problem, method] = np.where(gap > 1e-14, gap, np.nan)          # within rounding
        turned[problem, method] = [angle(model, batch, curvature, c, w) for w in runs[setting].path[gap > 1e-14]]
        print(f"{problem:14s} {method:17s} {max(gap[-1], 0.0):8.1e} above the least loss, h = {h:.2g}"
              + (f", damping {c:.0e}" if curvature else ""))
    assert np.isnan(best[problem, "natural gradient"][10]) and not np.isnan(best[problem, "empirical Fisher"][30])

# %%
# Above the distance of the tuned runs' losses from the least one, below the angle between each method's direction and the natural
# gradient, at the points of its own run.
colours = {"gradient descent": "0.5", "natural gradient": "#0072B2", "empirical Fisher": "#D55E00"}
fig, axes = plt.subplots(2, 3, figsize=(10.5, 5.6), layout="constrained", sharex=True, sharey="row")
for (top, bottom), problem in zip(axes.T, problems):
    for method, colour in colours.items():
        top.semilogy(best[problem, method], ".-", color=colour, label=method)
        bottom.plot(turned[problem, method], ".-", color=colour)
    top.set_title(problem)
    bottom.set(xlabel="step", ylim=(-4, 94), yticks=(0, 30, 60, 90))
axes[0, 0].set_ylabel("loss above the least, nats")
axes[1, 0].set_ylabel("angle to the natural one, °")
axes[0, 0].legend(frameon=False, fontsize="small", loc="lower right")
plt.show()
