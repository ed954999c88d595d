"""Noise floors: constant steps on mini-batch targets, and gradients with a relative error.

Near the optimum a run on targets of variance G/B is a linear recursion; its stationary excess is
E KL = (α / 2B) Σ μ_i / (2 − α μ_i), with μ the eigenvalues of G (gradient in θ), of G⁻¹ (gradient in η), or all 1
(natural gradient).
"""
import numpy as np
import pytest

import infogeo as ig

K3 = np.array([0.5, 0.3, 0.2])
K5 = np.array([0.35, 0.25, 0.2, 0.15, 0.05])
K10 = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))


def eigenvalues(target):
    family = ig.Categorical(target.size)
    return np.linalg.eigvalsh(family.metric(family.theta_from(probabilities=target)))


def optimal_step(mu):
    return 2 / (mu.min() + mu.max())


def floor(mu, alpha, size):
    return alpha / (2 * size) * np.sum(mu / (2 - alpha * mu))


TABLE = [
    ("K3", K3, 100, "GD_theta", 1.0, 2.52667e-2),
    ("K3", K3, 100, "GD_theta", 0.5, 4.00706e-3),
    ("K5", K5, 1000, "GD_theta", 0.5, 9.19632e-4),
    ("K5", K5, 1000, "GD_eta", 0.5, 5.04535e-4),
    ("K10", K10, 10000, "GD_theta", 0.5, 1.07773e-4),
    ("K10", K10, 10000, "GD_eta", 0.5, 5.93766e-5),
]
NATURAL = [("K3", K3, 100, 1.0, 1.0e-2), ("K3", K3, 100, 0.5, 3.3333e-3), ("K3", K3, 100, 0.1, 5.26316e-4),
           ("K5", K5, 1000, 1.0, 2.0e-3),
           ("K10", K10, 10000, 0.1, 2.36842e-5)]


@pytest.mark.parametrize("name, target, size, method, part, expected", TABLE)
def test_predicted_floor_of_gradient_descent(name, target, size, method, part, expected):
    mu = eigenvalues(target)
    mu = mu if method == "GD_theta" else 1 / mu
    assert floor(mu, part * optimal_step(mu), size) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("name, target, size, alpha, expected", NATURAL)
def test_predicted_floor_of_natural_gradient(name, target, size, alpha, expected):
    """α n / (2B (2 − α)); exactly n / 2B at α = 1."""
    n = target.size - 1
    assert floor(np.ones(n), alpha, size) == pytest.approx(expected, rel=2e-5)
    assert floor(np.ones(n), alpha, size) == pytest.approx(alpha * n / (2 * size * (2 - alpha)), rel=1e-14)


@pytest.mark.parametrize("target", [K3, K5, K10])
def test_floor_at_the_optimal_step_exceeds_the_condition_number(target):
    """The extreme modes contribute κ and 1/κ: at α* the floor is at least κ / 2B in both charts."""
    mu = eigenvalues(target)
    kappa = mu.max() / mu.min()
    for m in (mu, 1 / mu):
        alpha = optimal_step(m)
        parts = alpha * m / (2 - alpha * m)
        np.testing.assert_allclose([parts.max(), parts.min()], [kappa, 1 / kappa], rtol=1e-11)
        assert floor(m, alpha, 1) >= kappa / 2


class Sampled(ig.Objective):
    """The cross-entropy whose target, at every step and in every row, is the mean of `size` fresh observations."""

    def __init__(self, family, target, size, rows):
        self.manifold, self.target, self.size, self.rows = family, target, size, rows

    def value_and_gradient(self, theta):
        return ig.CrossEntropy(self.manifold, self.target[:-1]).value_and_gradient(theta)

    def draw(self, rng):
        mean = rng.multinomial(self.size, self.target, size=self.rows)[:, :-1] / self.size
        return Frozen(self.manifold, mean)


class Frozen(ig.Objective):
    """A cross-entropy whose target may lie on the boundary."""

    def __init__(self, family, mean):
        self.manifold, self.mean = family, mean

    def value_and_gradient(self, theta):
        psi, eta = self.manifold.potential_and_eta(theta)
        return psi - np.sum(theta * self.mean, axis=-1), eta - self.mean


def simulate(target, size, method, alpha, rows=400, steps=220, burn=120):
    """(mean excess, its standard error) over independent rows after the burn-in."""
    family = ig.Categorical(target.size)
    q = family.theta_from(probabilities=target)
    f = Sampled(family, target, size, rows)
    geometry, start, update = family, q, ig.GradientUpdate() if method.startswith("GD") else ig.NaturalUpdate()
    if method.endswith("_eta"):
        f, geometry, start = f.in_dual_coordinates(), family.dual, family.to_eta(q)
    result = ig.descend(f, np.broadcast_to(start, (rows, start.size)), geometry=geometry, update=update, step=ig.Constant(alpha),
                        max_steps=steps, rng=np.random.default_rng(0))
    assert np.all(result.status == ig.Status.MAX_STEPS)
    path = result.path[burn:]
    path = family.to_theta(path) if method.endswith("_eta") else path
    means = family.kl(q, path).mean(axis=0)
    return means.mean(), means.std(ddof=1) / np.sqrt(rows)


@pytest.mark.parametrize("name, target, size, method, part, expected", [row for row in TABLE if row[4] == 0.5])
def test_simulated_floor_of_gradient_descent(name, target, size, method, part, expected):
    """At half the optimal step: within 5 standard errors and 8 % of the linear theory."""
    mu = eigenvalues(target)
    mu = mu if method == "GD_theta" else 1 / mu
    mean, error = simulate(target, size, method, part * optimal_step(mu))
    assert abs(mean - expected) <= 5 * error + 0.08 * expected


@pytest.mark.parametrize("name, target, size, alpha, expected", NATURAL)
def test_simulated_floor_of_natural_gradient(name, target, size, alpha, expected):
    mean, error = simulate(target, size, "NGD_eta", alpha)
    assert abs(mean - expected) <= 5 * error + 0.05 * expected


def test_at_the_optimal_step_gradient_descent_stays_below_the_linear_theory():
    """Nonlinearity lowers the floor of GD in θ at α* by 10 to 30 %."""
    mean, error = simulate(K3, 100, "GD_theta", optimal_step(eigenvalues(K3)))
    assert 0.7 * 2.52667e-2 < mean < 0.95 * 2.52667e-2
    assert error < 0.02 * mean


def test_at_the_optimal_step_gradient_descent_in_eta_leaves_the_simplex():
    family = ig.Categorical(3)
    alpha = optimal_step(1 / eigenvalues(K3))
    f = Sampled(family, K3, 100, 200).in_dual_coordinates()
    result = ig.descend(f, np.broadcast_to(K3[:2], (200, 2)), geometry=family.dual, update=ig.GradientUpdate(),
                        step=ig.Constant(alpha),
                        max_steps=2000, rng=np.random.default_rng(1), record=None)
    assert np.any(result.status == ig.Status.LEFT_DOMAIN)


def test_relative_error_of_the_gradient():
    """An adversary that adds δ times the gradient's norm in the top mode: factor ρ + (1 + ρ) δ at α*, so only δ < 1/κ is safe.

    Natural gradient with step 1 contracts by δ itself.
    """
    mu = eigenvalues(K3)
    kappa, alpha = mu.max() / mu.min(), optimal_step(mu)
    rho = (kappa - 1) / (kappa + 1)
    for delta in (0.05, 1 / kappa, 0.5):
        # on ½ xᵀ diag(μ) x, from the top mode, the error pointing along the gradient
        step = 1.0 - alpha * mu.max() * (1.0 + delta)
        assert abs(step) == pytest.approx(rho + (1 + rho) * delta, rel=1e-12)
        assert (abs(step) < 1 - 1e-12) == (delta < 1 / kappa - 1e-12)
        assert abs(1.0 - (1.0 + delta)) == pytest.approx(delta, rel=1e-12)
