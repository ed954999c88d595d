"""
A wrong sign, caught
====================

``infogeo.testing.check_exponential_family`` holds a family of your own against every law that the families of the library are
held against, and names the law that is broken, the smallest point where it is, and the two numbers that disagree. Here is a
family that the library does not have, the generalised hyperbolic secant distributions,

.. math:: p(x; \\theta) = \\exp(\\theta x - \\psi(\\theta))\\,\\tfrac12 \\operatorname{sech}(\\pi x / 2), \\qquad
          \\psi(\\theta) = -\\log\\cos\\theta, \\quad |\\theta| < \\pi/2,

with :math:`\\eta = \\tan\\theta` and the variance :math:`1 + \\eta^2`: the sixth and last family whose variance is a quadratic
function of its mean (Morris, Ann. Statist. 10 (1982)).
"""

# %%
# The family, with a slip: the variance that we wrote is :math:`1 - \eta^2`. Its formulas are kernels, ``_metric(xp, theta)`` for
# ``metric(theta)``: the base class looks at the domain and says NaN outside it.
import matplotlib.pyplot as plt
import numpy as np

import infogeo as ig
from infogeo.domains import MappedDomain
from infogeo.testing import BrokenLaw, check_exponential_family

SUPPORT = np.linspace(-60.0, 60.0, 1201)        # nodes for E[log h], which has no closed form


class WrongSecant(ig.ExponentialFamily):
    """The hyperbolic secant distributions; `mean` is tan θ."""

    dim = 1
    theta_domain = MappedDomain(ig.domains.OpenSimplex(1), lambda xp, z: np.pi * (z - 0.5),
                                lambda xp, theta: abs(theta[..., 0]) < 0.5 * np.pi, lambda name: f"|{name}| < pi / 2")
    eta_domain = ig.domains.RealSpace(1)
    support = ig.domains.Interval()
    ordinary = {"mean": ig.domains.Interval()}
    sign = -1.0

    def __repr__(self):
        return type(self).__name__ + "()"

    def _potential(self, xp, theta):
        return -np.log(np.cos(theta[..., 0]))

    def _to_eta(self, xp, theta):
        return np.tan(theta)

    def _to_theta(self, xp, eta):
        return np.arctan(eta)

    def _metric(self, xp, theta):
        return (1.0 + self.sign * np.tan(theta) ** 2)[..., None]

    def _cubic_tensor(self, xp, theta):
        return (2.0 * np.tan(theta) * (1.0 + np.tan(theta) ** 2))[..., None, None]

    def _sufficient_statistic(self, xp, x):
        return x[..., None]

    def log_base_measure(self, x):
        size = np.pi * np.abs(x) / 2                                    # log(sech(y) / 2) = −y − log(1 + e^{−2y})
        return -size - np.log1p(np.exp(-2.0 * size))

    def expected_log_base_measure(self, theta):
        log_h = self.log_base_measure(SUPPORT).astype(theta.dtype)
        density = np.exp(theta * SUPPORT.astype(theta.dtype) - self.potential(theta)[..., None] + log_h)
        return density @ log_h * float(SUPPORT[1] - SUPPORT[0])

    def _draw(self, draws, theta, shape):
        share = theta[..., 0] / np.pi                                   # πx is the logit of a beta variable
        return np.log(draws.gamma(0.5 + share, shape) / draws.gamma(0.5 - share, shape)) / np.pi

    def _theta_from(self, xp, mean):
        return np.arctan(mean)[..., None]

    def _parameters(self, xp, theta):
        return {"mean": np.tan(theta[..., 0])}


# %%
# The check stops at the first law that is broken. At :math:`\theta = 0` the sign does not show; the point that it reports is
# the simplest one near by where it does.
try:
    check_exponential_family(WrongSecant())
except BrokenLaw as caught:
    print(caught)
    first = caught
else:
    raise SystemExit("the slip was not caught")
assert first.law == "derivative of eta is the metric"


# %%
# Mended, it passes. The laws that it was held to:
class Secant(WrongSecant):
    """The same with the right sign."""

    sign = 1.0


held = check_exponential_family(Secant())
print(f"{len(held)} laws hold, among them: {', '.join(held[3:6])}.")

# %%
# A slip need not be in the geometry. If the base measure loses its ½, densities no longer sum to one, and nothing in
# :math:`\psi`, :math:`\eta` or the metric can tell.


class WrongBase(Secant):
    """Without the ½ of the base measure."""

    def log_base_measure(self, x):
        return super().log_base_measure(x) + np.log(2.0)


try:
    check_exponential_family(WrongBase())
except BrokenLaw as caught:
    print(caught)
    second = caught
else:
    raise SystemExit("the slip was not caught")
assert second.law == "density is normalised"

# %%
# What the first message says, drawn: the derivative of :math:`\eta` by differences, and the two candidates for it.
theta = np.linspace(-1.0, 1.0, 201)[:, None]
h = 1e-5
slope = (np.tan(theta + h) - np.tan(theta - h))[:, 0] / (2 * h)
fig, ax = plt.subplots(figsize=(7.0, 4.2))
ax.plot(theta[:, 0], slope, color="0.75", lw=6, label="d$\\eta$/d$\\theta$, by differences")
ax.plot(theta[:, 0], Secant().metric(theta)[:, 0, 0], label="$1 + \\eta^2$")
ax.plot(theta[:, 0], WrongSecant().metric(theta)[:, 0, 0], "--", label="$1 - \\eta^2$")
point = float(first.points[0][0])
ax.axvline(point, color="0.3", ls=":", label=f"reported: $\\theta$ = {point:g}")
ax.set_xlabel("$\\theta$")
ax.set_ylabel("variance")
ax.set_title("Hyperbolic secant: the variance that we wrote, and the one that it is")
ax.legend()
fig.tight_layout()
plt.show()
