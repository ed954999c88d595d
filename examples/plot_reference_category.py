"""
The reference outcome decides the condition number
==================================================

The natural parameters of a categorical distribution are log-odds against a reference outcome. Which one is a choice of
coordinates and leaves every distribution as it is, but gradient descent feels it: its Hessian at the optimum is
:math:`G = \\mathrm{diag}(\\eta) - \\eta\\eta^\\top` over the other outcomes. Its determinant is the product of all the
probabilities, whatever the reference; its condition number :math:`\\kappa` is not. With the most probable outcome as
reference, gradient descent has least to suffer. Natural gradient does not care.
"""

# %%
# The target is Zipf's law on ten outcomes. One family for each choice of the reference.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

k = 10
target = 1.0 / np.arange(1, k + 1)
target /= target.sum()
families = [ig.Categorical(k, reference=r) for r in range(k)]
optima = [family.theta_from(probabilities=target) for family in families]
spectra = np.array([np.linalg.eigvalsh(family.metric(theta)) for family, theta in zip(families, optima)])
kappa = spectra[:, -1] / spectra[:, 0]

for r in range(k):
    print(f"reference {r}: p = {target[r]:.4f}   kappa = {kappa[r]:7.3f}   det G = {np.prod(spectra[r]):.6e}")
assert np.all(np.diff(kappa) > 0)                                         # the rarer the reference, the worse
assert np.allclose(np.prod(spectra, axis=1), np.prod(target), rtol=1e-10)

# %%
# Gradient descent in θ from the uniform distribution, each with its own best constant step size 2 / (λ_min + λ_max), whose
# contraction factor at the optimum is (κ − 1) / (κ + 1); natural gradient with step size 1/2 for every reference.
runs = {}
for update in (ig.GradientUpdate(), ig.NaturalUpdate()):
    for r, (family, optimum) in enumerate(zip(families, optima)):
        f = ig.CrossEntropy(family, eta_hat=family.to_eta(optimum))
        h = 2.0 / (spectra[r, 0] + spectra[r, -1]) if isinstance(update, ig.GradientUpdate) else 0.5
        run = ig.descend(f, np.zeros(k - 1), geometry=family, update=update, step=ig.Constant(h), max_steps=800)
        runs[type(update), r] = family.kl(optimum, run.path)              # KL(target || model)

steps = {key: int(np.argmax(kl < 1e-10)) for key, kl in runs.items()}
gradient = np.array([steps[ig.GradientUpdate, r] for r in range(k)])
natural = np.array([steps[ig.NaturalUpdate, r] for r in range(k)])
print("steps to KL < 1e-10, gradient:", gradient, " natural gradient:", natural)
assert gradient.argmin() == target.argmax() and natural.min() == natural.max()

fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.2))
left.plot(target, kappa, "o-", color="tab:blue")
left.set_xscale("log")
left.set_yscale("log")
left.set_xticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
left.set_yticks([10, 20, 50], ["10", "20", "50"])
left.minorticks_off()
left.annotate(f"rarest: $\\kappa$ = {kappa[-1]:.1f}", (target[-1], kappa[-1]), xytext=(8, 0), textcoords="offset points",
              va="center")
left.annotate(f"most probable: $\\kappa$ = {kappa[0]:.2f}", (target[0], kappa[0]), xytext=(-8, 0), textcoords="offset points",
              ha="right", va="center")
left.set_xlabel("probability of the reference outcome")
left.set_ylabel("condition number $\\kappa(G)$ at the optimum")
left.set_title("Zipf's law on ten outcomes")

for r, colour in ((k - 1, "tab:red"), (4, "tab:orange"), (0, "tab:green")):
    right.semilogy(runs[ig.GradientUpdate, r], color=colour, label=f"gradient in $\\theta$, reference {r}: {gradient[r]} steps")
right.semilogy(runs[ig.NaturalUpdate, 0], "k--", label=f"natural gradient, any reference: {natural[0]} steps")
right.axhline(1e-10, color="0.6", linewidth=0.8)
right.set_xlim(0, 1.05 * gradient.max())
right.set_ylim(1e-12, 2.0)
right.set_xlabel("step")
right.set_ylabel("KL(target‖model), nats")
right.set_title("Steps to KL < 1e-10")
right.legend(fontsize="small")
fig.tight_layout()
plt.show()
