"""
Does a posterior go with the data?
==================================

A normal regression with unknown variance of scikit-learn's diabetes data, 442 patients by ten measurements. Coordinate steps of
the mean field end after five; its means and deviations stand beside those of the exact posterior, which here is a quadrature of
one number, the precision.

A posterior can be near the exact one of a model that is wrong. The other panels hold the data against what the model predicts:
the probability integral transforms of the observations are as even as those of right laws, but the largest of the predicted
observations is larger than that of the data in 94 % of the draws: the measure of progression has a ceiling, normal errors have
none.
"""
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import infogeo as ig

data = load_diabetes()
X = np.concatenate([np.ones((442, 1)), data.data / data.data.std(axis=0)], axis=1)
y = (data.target - data.target.mean()) / data.target.std()
names = ["1", *data.feature_names, "precision"]

model = ig.inference.LinearRegression(X, y, prior_precision=1.0)
q, f = model.q, ig.inference.NegativeELBO(model.q, model)
run = ig.descend(f, q.to_eta(model.prior_theta), geometry=q.dual, update=ig.inference.CoordinateUpdate(), step=1.0,
                 max_steps=100, tol=1e-6)
theta, exact = q.to_theta(run.x), model.exact()
print(f"bound {-run.values[-1]:.4f} after {run.steps} steps, log evidence {exact.log_evidence:.4f}")

# %%
found = ig.inference.predictive(q, theta, model, X, draws=2000, rng=np.random.default_rng(0))
check = ig.inference.predictive_check(found, y, np.max)
print(f"the largest of as many observations is larger than that of the data in {check.share:.0%} of the draws")

figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
ig.inference.plot_intervals(q, theta, names=names, exact=exact, ax=axes[0])
ig.inference.plot_ranks(found, y, bins=20, ax=axes[1])
ig.inference.plot_check(found, y, np.max, ax=axes[2])
plt.show()
