"""
One study on NumPy, PyTorch and JAX
===================================

A function works in the library of the arrays that it is handed. Here is one study, natural against plain gradient on a
cross entropy of gamma laws from sixteen starts, written once and run on the arrays of every library that is installed: the
same numbers come back, to rounding, each on its own arrays.
"""

# %%
# The study. Nothing in it names a library: ``make`` brings NumPy's arrays to one, and every result follows its argument.
import importlib.util

import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.backend import to_numpy

family = ig.Gamma()
target = family.to_eta(family.theta_from(shape=3.0, rate=1.5))
angles = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
starts = family.theta_from(shape=3.0 * np.exp(0.6 * np.cos(angles)), rate=1.5 * np.exp(0.6 * np.sin(angles)))


def study(make):
    """The values above the optimum, (update, record, start), of both updates."""
    f = ig.CrossEntropy(family, make(target))
    least = -family.dual_potential(make(target))
    runs = [ig.descend(f, make(starts), geometry=family, update=update, step=ig.Constant(h), max_steps=40, record="values")
            for update, h in ((ig.GradientUpdate(), 0.05), (ig.NaturalUpdate(), 0.3))]
    return [run.values - least for run in runs]


# %%
# The libraries that are there. JAX has float64 where it is told so, and float32 otherwise.
libraries = {"NumPy": np.asarray}
if importlib.util.find_spec("torch"):
    import torch
    libraries["PyTorch"] = torch.tensor
if importlib.util.find_spec("jax"):
    import jax
    jax.config.update("jax_enable_x64", True)
    libraries["JAX"] = jax.numpy.asarray
missing = sorted({"PyTorch", "JAX"} - set(libraries))
print("on", ", ".join(libraries), f"({' and '.join(missing)} not installed)" if missing else "")

found = {}
for name, make in libraries.items():
    values = study(make)
    found[name] = [to_numpy(x) for x in values]
    print(f"{name}: {type(values[0]).__module__}.{type(values[0]).__name__}, {values[0].dtype}")

for name, values in found.items():
    off = max(np.max(np.abs(x - y)) for x, y in zip(values, found["NumPy"]))
    print(f"{name}: off NumPy's values by {off:.1e}")
    assert off < 1e-12

# %%
# The same curves, one panel a library.
fig, axes = plt.subplots(1, len(found), figsize=(4.2 * len(found), 3.4), sharey=True, squeeze=False, layout="constrained")
for ax, (name, values) in zip(axes[0], found.items()):
    for x, color, label in zip(values, ("tab:orange", "tab:blue"), ("gradient, h = 0.05", "natural gradient, h = 0.3")):
        ax.semilogy(np.maximum(x, 1e-16), color=color, lw=0.8)
        ax.plot([], [], color=color, label=label)
    ax.set(title=name, xlabel="step", ylim=(1e-16, None))
axes[0, 0].set_ylabel("KL from the optimum (nats)")
axes[0, 0].legend(loc="lower left")
plt.show()
