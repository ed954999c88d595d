"""
Square roots of probabilities
=============================

Gradient descent depends on the coordinates, and between the probabilities :math:`\\eta_i = p_i` and their logarithms lie the
α-charts :math:`u_i = p_i^{(1-\\alpha)/2}`. One of them stands out: in the square roots (α = 0) the Fisher metric at the target is
:math:`4I + (4/p_K)\\,uu^\\top`, so that the condition number is :math:`1/p_K`, with :math:`p_K` the probability of the reference
outcome, **whatever the other probabilities are**. For Zipf's law on ten outcomes gradient descent takes 360 steps in the
probabilities with the rarest outcome as the reference, and 14 in the square roots with the most probable one.
"""

# %%
# The target is Zipf's law on ten outcomes. An `AlphaChart` takes any function of :math:`\eta` to one of :math:`u`; the manifold
# in these coordinates is `infogeo.geometry.PulledBack`.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig

k = 10
target = 1 / np.arange(1, k + 1)
target = target / target.sum()
REFERENCES = {9: "tab:red", 4: "tab:orange", 0: "tab:green"}
alphas = np.linspace(-1.0, 0.75, 141)


def spectrum(alpha, r):
    """The eigenvalues of the metric at the target in an α-chart, outcome r being the reference."""
    chart = ig.AlphaChart(alpha)
    space = ig.geometry.PulledBack(ig.Categorical(k, reference=r).dual, chart)
    return np.linalg.eigvalsh(space.metric(chart.inverse(np.delete(target, r))))


kappa = {r: np.array([spectrum(alpha, r)[-1] / spectrum(alpha, r)[0] for alpha in alphas]) for r in REFERENCES}
at_root = {r: spectrum(0.0, r)[-1] / spectrum(0.0, r)[0] for r in REFERENCES}
for r in REFERENCES:
    assert np.isclose(at_root[r], 1 / target[r], rtol=1e-10)                  # 1 / p_K
    assert np.isclose(2 * spectrum(0.0, r)[0], 8.0, rtol=1e-10)               # the rate of the gradient flow

# %%
# Gradient descent from the uniform distribution, in the probabilities and in their square roots, with the best constant step size
# of the chart, :math:`2/(\lambda_\min + \lambda_\max)`, halved while a run would leave the simplex.
runs = {}
for r in (9, 0):
    family = ig.Categorical(k, reference=r)
    optimum = family.theta_from(probabilities=target)
    f = ig.CrossEntropy(family, family.to_eta(optimum)).in_dual_coordinates()
    for alpha in (-1.0, 0.0):
        chart, values = ig.AlphaChart(alpha), spectrum(alpha, r)
        space = ig.geometry.PulledBack(family.dual, chart)
        h, status = 2 / (values[0] + values[-1]), ig.Status.LEFT_DOMAIN
        while status == ig.Status.LEFT_DOMAIN:
            run = ig.descend(f.pulled_back(chart), chart.inverse(np.full(k - 1, 1 / k)), geometry=space,
                             update=ig.GradientUpdate(), step=h, max_steps=700)
            h, status = 0.5 * h, run.status
        runs[r, alpha] = family.kl(optimum, family.to_theta(chart(run.path)))

steps = {key: int(np.argmax(kl < 1e-10)) for key, kl in runs.items()}
print("condition numbers at the square roots:", {r: round(float(value), 3) for r, value in at_root.items()})
print("steps to KL < 1e-10:", steps)
assert all(steps[r, 0.0] < 0.5 * steps[r, -1.0] for r in (9, 0))

fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.2))
for r, colour in REFERENCES.items():
    left.semilogy(alphas, kappa[r], color=colour, label=f"reference {r}, $p_K$ = {target[r]:.3f}")
    left.plot(0.0, at_root[r], "o", color=colour)
    left.annotate(f"$1/p_K$ = {at_root[r]:.1f}", (0.0, at_root[r]), xytext=(-6, -11), textcoords="offset points",
                  ha="right", color=colour)
left.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
left.set_xticks([-1, -0.5, 0, 0.5], ["−1: $p$", "−½", "0: $\\sqrt{p}$", "½"])
left.set_yticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100", "200"])
left.minorticks_off()
left.set_xlabel("α of the chart")
left.set_ylabel("condition number at the optimum")
left.set_title("Zipf's law on ten outcomes")
left.legend(fontsize="small", loc="upper left")

for (r, alpha), kl in runs.items():
    name = "$p$" if alpha == -1 else "$\\sqrt{p}$"
    right.semilogy(kl, color=REFERENCES[r], linestyle="--" if alpha == -1 else "-",
                   label=f"{name}, reference {r}: {steps[r, alpha]} steps")
right.axhline(1e-10, color="0.6", linewidth=0.8)
right.set_xlim(0, 1.05 * max(steps.values()))
right.set_ylim(1e-12, 2.0)
right.set_xlabel("step of gradient descent")
right.set_ylabel("KL(target‖model), nats")
right.set_title("Steps to KL < 1e-10")
right.legend(fontsize="small")
fig.tight_layout()
plt.show()
