"""
A family of your own
====================

A dually flat manifold is a convex function: give its two domains, the potential :math:`\\psi` and its first three
derivatives, and everything else follows. For an exponential family add the sufficient statistic and the base measure. Here is
a family that the library does not have: counts of at least one event, the Poisson distribution truncated at zero,

.. math:: p(x; \\theta) = \\exp(\\theta x - \\psi(\\theta)) / x!, \\quad x = 1, 2, \\ldots, \\qquad
          \\psi(\\theta) = \\log(e^{\\lambda} - 1), \\quad \\lambda = e^\\theta .

Its mean parameter :math:`\\eta = \\lambda / (1 - e^{-\\lambda})` has no inverse in elementary functions: the inherited
``to_theta`` finds it by Newton's method.
"""

# %%
# The family, in thirty lines.
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import gammaln

import infogeo as ig
from infogeo.domains import MappedDomain


class ZeroTruncatedPoisson(ig.ExponentialFamily):
    """A Poisson count that is known not to be 0; `rate` is that of the whole Poisson distribution."""

    dim = 1
    theta_domain = ig.domains.RealSpace(1)
    eta_domain = MappedDomain(ig.domains.Orthant(1), lambda xp, z: 1.0 + z, lambda xp, eta: eta[..., 0] > 1,
                              lambda name: f"{name} > 1")
    support = ig.domains.Integers(1)
    ordinary = {"rate": ig.domains.Interval(0)}

    def potential(self, theta):
        return np.log(np.expm1(np.exp(theta[..., 0])))

    def to_eta(self, theta):
        return np.exp(theta) / -np.expm1(-np.exp(theta))

    def metric(self, theta):
        eta = self.to_eta(theta)
        return (eta * (1.0 + np.exp(theta) - eta))[..., None]

    def cubic_tensor(self, theta):
        eta, rate, variance = self.to_eta(theta), np.exp(theta), self.metric(theta)[..., 0]
        return (variance * (1.0 + rate - eta) + eta * (rate - variance))[..., None, None]

    def sufficient_statistic(self, x):
        return x[..., None]

    def log_base_measure(self, x):
        return -gammaln(x + 1.0)

    def expected_log_base_measure(self, theta):
        x = np.arange(1.0, 201.0)                                   # enough for rates up to 100
        return -np.exp(theta * x - self.potential(theta)[..., None] - gammaln(x + 1.0)) @ gammaln(x + 1.0)

    def _draw(self, draws, theta, shape):
        rate = np.exp(theta[..., 0])                                # the first event, then the others after it
        first = -np.log1p(draws.uniform(shape) * np.expm1(-rate))
        return 1.0 + draws.poisson(rate - first, shape)

    def _theta_from(self, xp, rate):
        return np.log(rate)[..., None]

    def parameters(self, theta):
        return {"rate": np.exp(theta[..., 0])}


# %%
# Its checks: the derivatives against central differences (step 1e-5, so nine digits are as many as they give), the round trip
# through the inherited inverse, the probabilities against their sum and the entropy.
family = ZeroTruncatedPoisson()
theta = family.theta_from(rate=np.array([0.1, 0.5, 1.0, 3.0, 10.0]))
e = 1e-5


def slope(f):
    return (f(theta + e) - f(theta - e)) / (2 * e)


x = np.arange(1.0, 101.0)
log_p = family.log_density(theta[:, None, :], x)
worst = {
    "eta = grad psi": np.abs(slope(family.potential) / family.to_eta(theta)[:, 0] - 1).max(),
    "metric = hess psi": np.abs(slope(family.to_eta) / family.metric(theta)[..., 0] - 1).max(),
    "third derivatives": np.abs(slope(family.metric)[..., 0] / family.cubic_tensor(theta)[..., 0, 0] - 1).max(),
    "round trip": np.abs(family.to_theta(family.to_eta(theta)) - theta).max(),
    "sum p = 1": np.abs(np.exp(log_p).sum(axis=-1) - 1).max(),
    "entropy": np.abs(-(np.exp(log_p) * log_p).sum(axis=-1) - family.entropy(theta)).max(),
}
for name, error in worst.items():
    print(f"{name:18s} {error:.1e}")
assert max(list(worst.values())[:3]) < 1e-8 and max(list(worst.values())[3:]) < 1e-12

# %%
# The sampler and the fit, the same way: the estimate is the rate, to the standard error of 100 000 observations.
sample = family.sample(np.random.default_rng(1), family.theta_from(rate=3.0), (100_000,))
theta_hat = family.fit(sample)
error = 1.0 / np.sqrt(family.metric(theta_hat)[0, 0] * sample.size)
print(f"rate {family.parameters(theta_hat)['rate']:.4f}, theta {theta_hat[0]:.4f} +- {error:.4f} (log 3 = {np.log(3):.4f})")
assert abs(theta_hat[0] - np.log(3)) < 4 * error

# %%
# The solvers take it as they take any manifold. Near the optimum the divergence falls as :math:`e^{-rt}` along each flow, with
# :math:`r = 2G` for the gradient in :math:`\theta`, 2 for the natural gradient and :math:`2/G` for the gradient in :math:`\eta`,
# where G is the metric that we wrote. Here G > 1, so the gradient in :math:`\theta` is the fastest; on the simplex, where the
# eigenvalues of G are below 1, it is the slowest.
f = ig.CrossEntropy(family, eta_hat=family.to_eta(theta_hat))
theta0 = family.theta_from(rate=1.0)
G = family.metric(theta_hat)[0, 0]
flows = {
    "gradient in $\\theta$": (f, theta0, family, ig.GradientUpdate(), 2 * G, 5.5),
    "natural gradient": (f, theta0, family, ig.NaturalUpdate(), 2.0, 14.0),
    "gradient in $\\eta$": (f.in_dual_coordinates(), family.to_eta(theta0), family.dual, ig.GradientUpdate(), 2 / G, 36.0),
}
fig, ax = plt.subplots(figsize=(7.5, 4.6))
for name, (objective, start, geometry, update, rate, end) in flows.items():
    times = np.linspace(0.0, end, 201)
    path = ig.flow(objective, start, geometry=geometry, update=update, times=times).path
    kl = family.kl(theta_hat, path if geometry is family else family.to_theta(path))
    late = (kl < 1e-6) & (kl > 1e-12)
    measured = -np.polyfit(times[late], np.log(kl[late]), 1)[0]
    print(f"{name:22s} rate {measured:.4f}, predicted {rate:.4f}")
    assert abs(measured / rate - 1) < 0.01
    line, = ax.semilogy(times, kl, label=f"{name}: rate {measured:.3f}")
    ax.semilogy(times, kl[late][0] * np.exp(-rate * (times - times[late][0])), ":", color=line.get_color())
ax.plot([], [], ":", color="0.3", label=f"predicted: $2G$ = {2 * G:.3f}, 2, $2/G$ = {2 / G:.3f}")
ax.set_ylim(1e-12, 3.0)
ax.set_xlim(0.0, 36.0)
ax.set_xlabel("time $t$ of the flow")
ax.set_ylabel("KL($\\hat p$‖$p_\\theta$), nats")
ax.set_title("Zero-truncated Poisson: three flows, and the rates that its metric predicts")
ax.legend()
fig.tight_layout()
plt.show()
