"""
Boosting a distribution
=======================

Natural-gradient boosting grows a tree for each parameter of a law: here for the mean and the variance of how far diabetes had
progressed after a year, from ten measurements at its start. What is predicted of a patient is a whole distribution, and held-out
patients say whether it is right.
"""

# %%
# The marginal law of all patients is where boosting starts; 150 stages later each patient has a law of their own. Two fifths of
# the patients are held out, one half of them to calibrate the intervals.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import infogeo as ig

X, y = load_diabetes(return_X_y=True, as_frame=True)
X, X_rest, y, y_rest = train_test_split(X, y, test_size=0.4, random_state=0)
X_set, X_test, y_set, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
model = ig.boosting.NaturalGradientBoostingRegressor(ig.Normal, max_iter=150, learning_rate=0.02, max_depth=3).fit(X, y)

# %%
# The score is minus the mean log-density of what was observed, in nats: predicted laws tell more than the marginal one.
marginal = -np.mean(ig.Normal().log_density(model.base_theta_, y_test.to_numpy()))
score = model.log_score(X_test, y_test)
print(f"log score: {marginal:.3f} of the marginal law, {score:.3f} of the predicted ones; CRPS {model.crps(X_test, y_test):.1f}")
assert score < marginal - 0.1

# %%
# Are the laws right? Conformal calibration by other patients promises at least 80 % whatever the true law is.
inside = lambda low, high: np.mean((low <= y_test) & (y_test <= high))
before = inside(*model.predict_interval(X_test, 0.8).T)
after = inside(*model.calibrate(X_set, y_set).predict_interval(X_test, 0.8).T)
print(f"80 % intervals hold {before:.0%} of new patients, after calibration {after:.0%}")

# %%
# Below the predicted 30 % quantile should lie 30 % of the observations, and so on; the band holds 95 % of the shares that right
# laws would have with as few patients, at each quantile. Then the intervals of the held-out patients in the order of their means,
# and what the trees look at: exact Shapley values, which sum to the mean and to the log variance, say which measurement moves
# which parameter.
fig, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
model.plot_reliability(X_test, y_test, ax=axes[0])
axes[0].set_title("calibration")

order = np.argsort(model.predict(X_test))
low, high = model.predict_interval(X_test, 0.8)[order].T
axes[1].fill_between(np.arange(len(order)), low, high, color="#4477aa", alpha=0.25, lw=0, label="80 % interval")
axes[1].plot(np.arange(len(order)), model.predict(X_test)[order], color="#4477aa", label="mean")
axes[1].plot(np.arange(len(order)), y_test.to_numpy()[order], ".", color="#cc6677", ms=5, label="observed")
axes[1].set(xlabel="held-out patient, by predicted mean", ylabel="progression after a year", title="predicted laws")
axes[1].legend(loc="upper left", frameon=False)

parts = model.explain(X_test)
np.testing.assert_allclose(parts.sum(axis=-1), model.chart_.from_theta(model.predict_dist(X_test).theta), rtol=1e-9)
size = np.abs(parts[:, :, :-1]).mean(axis=0)
size = size / size.sum(axis=1, keepdims=True)
names, top = np.asarray(model.feature_names_in_), np.argsort(size.sum(axis=0))
for row, (name, color) in enumerate(zip(model.feature_importances_names_, ("#4477aa", "#ddaa33"))):
    axes[2].barh(np.arange(len(top)) + 0.2 - 0.4 * row, size[row, top], height=0.38, color=color, label=name)
axes[2].set_yticks(np.arange(len(top)), names[top])
axes[2].set(xlabel="share of the mean |Shapley value|", title="what moves which parameter")
axes[2].legend(loc="lower right", frameon=False)
plt.show()
