"""
Natural gradient is mirror descent
==================================

Mirror descent on a manifold and natural gradient descent on its dual take the same steps: not to first order in the step
size, but exactly, at every finite step size, for any differentiable objective whose steps stay in the domain (Raskutti &
Mukherjee, *The information geometry of mirror descent*, 2015).

With :math:`\\eta = \\nabla\\psi(\\theta)` the step of mirror descent is
:math:`\\eta^+ = \\eta - h \\nabla_\\theta f`; because
:math:`\\nabla_\\theta f = (\\nabla^2\\varphi)^{-1} \\nabla_\\eta f`, that is a natural gradient step in the chart
:math:`\\eta`. Natural gradient descent in the chart :math:`\\theta` follows the same flow but another polygon: it agrees to
first order only.
"""

# %%
# The objective is a cross-entropy with a ripple that belongs to no family, so nothing here rests on a closed form. Any object
# with ``value_and_gradient`` would do; `infogeo.Objective` adds ``in_dual_coordinates``.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig


class Ripple(ig.Objective):
    """A cross-entropy plus 0.05 Σ sin θ_i."""

    def __init__(self, manifold, eta_hat):
        self.manifold, self.smooth = manifold, ig.CrossEntropy(manifold, eta_hat)

    def value_and_gradient(self, theta):
        value, covector = self.smooth.value_and_gradient(theta)
        return value + 0.05 * np.sin(theta).sum(axis=-1), covector + 0.05 * np.cos(theta)


# %%
# Every family starts at one of its points and has another one as target. The step sizes are h = 1/2, 1/4, … 1/1024, each run up
# to the time 1, that is, with 1/h steps.
problems = [
    (ig.Bernoulli(), dict(probability=0.7), dict(probability=0.4)),
    (ig.Categorical(4), dict(probabilities=[0.25, 0.25, 0.25, 0.25]), dict(probabilities=[0.4, 0.3, 0.2, 0.1])),
    (ig.Poisson(), dict(rate=3.0), dict(rate=2.0)),
    (ig.Exponential(), dict(rate=1.0), dict(rate=1.5)),
    (ig.Normal(), dict(mean=0.0, variance=1.0), dict(mean=0.5, variance=1.5)),
    (ig.Gamma(), dict(shape=2.0, rate=1.0), dict(shape=2.5, rate=1.5)),
    (ig.Dirichlet(3), dict(concentration=[1.0, 2.0, 3.0]), dict(concentration=[1.5, 2.0, 2.5])),
    (ig.MultivariateNormal(2), dict(mean=[0.0, 0.0], covariance=np.eye(2)),
     dict(mean=[0.5, 0.0], covariance=[[1.5, 0.3], [0.3, 1.0]])),
]
exponents = np.arange(1, 11)


def ends(family, theta0, f, exponent):
    """The end points at time 1, all in the chart η: mirror descent, natural gradient on the dual, natural gradient in θ."""
    run = dict(step=ig.Constant(0.5**exponent), max_steps=2**exponent, record=None)
    md = ig.descend(f, theta0, geometry=family, update=ig.MirrorUpdate(), **run)
    dual = ig.descend(f.in_dual_coordinates(), family.to_eta(theta0), geometry=family.dual, update=ig.NaturalUpdate(), **run)
    same = ig.descend(f, theta0, geometry=family, update=ig.NaturalUpdate(), **run)
    return family.to_eta(md.x), dual.x, family.to_eta(same.x)


fig, ax = plt.subplots(figsize=(9.0, 5.2))
colours = plt.get_cmap("tab10").colors
for colour, (family, start, target) in zip(colours, problems):
    theta0 = family.theta_from(**start)
    f = Ripple(family, family.to_eta(family.theta_from(**target)))
    md, dual, same = (np.array(points) for points in zip(*(ends(family, theta0, f, int(e)) for e in exponents)))
    size = np.linalg.norm(md, axis=-1)
    equal = np.linalg.norm(md - dual, axis=-1) / size
    first_order = np.linalg.norm(md - same, axis=-1) / size
    h = 0.5**exponents

    assert np.all(equal <= 16 * np.finfo(float).eps / h), (family, equal)                  # rounding of 1/h steps
    slope = np.log2(first_order[-3] / first_order[-1]) / 2
    assert abs(slope - 1) < 0.05, (family, slope)                                         # first order in h
    print(f"{family!r:40s} dual: {equal.max():.1e}   same chart: {first_order[-1]:.1e} at h = 1/1024, order {slope:.3f}")

    ax.loglog(h, first_order, "-o", color=colour, markersize=3.5, label=repr(family).replace(", reference=3", ""))
    shown = np.where(equal > 0, equal, np.nan)          # a gap of exactly 0 has no place on a logarithmic axis
    ax.loglog(h, shown, "--s", color=colour, markersize=3.5)

ax.axhline(np.finfo(float).eps, color="0.4", linewidth=0.8)
ax.text(1e-3, np.finfo(float).eps / 1.6, "machine epsilon", color="0.4", va="top")
ax.text(1e-3, 1e-7, "solid: natural gradient in the chart of the descent, first order in $h$")
ax.text(1e-3, 1e-12, "dashed: natural gradient on the dual manifold, rounding only")
ax.set_ylim(1e-18, 1.0)
ax.set_xlabel("step size $h$")
ax.set_ylabel("relative distance to mirror descent at time 1, in $\\eta$")
ax.set_title("Mirror descent = natural gradient on the dual, at every step size")
ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
fig.tight_layout()
plt.show()
