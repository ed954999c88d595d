"""Numbers and identities of mirror descent and natural gradient, on chosen problems."""
import numpy as np
import pytest

import infogeo as ig

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])


def points(p=P, q=Q):
    family = ig.Categorical(p.size)
    return family, family.theta_from(probabilities=p), family.theta_from(probabilities=q)


class Stream(ig.Objective):
    """−log p(x_t | θ): every draw is the next observation."""

    def __init__(self, family, statistic):
        self.manifold, self.statistic, self.t = family, statistic, 0

    def value_and_gradient(self, theta):
        psi, eta = self.manifold.potential_and_eta(theta)
        return psi - np.sum(theta * self.statistic[0], axis=-1), eta - self.statistic[0]

    def draw(self, rng):
        self.t += 1
        return Stream(self.manifold, self.statistic[self.t - 1:])


SAMPLED = [
    (ig.Normal(), dict(mean=1.0, variance=4.0)), (ig.Gamma(), dict(shape=2.0, rate=0.5)), (ig.Poisson(), dict(rate=4.0)),
    (ig.Categorical(4), dict(probabilities=[0.4, 0.3, 0.2, 0.1])), (ig.Dirichlet(3), dict(concentration=[2.0, 1.0, 4.0])),
    (ig.MultivariateNormal(2), dict(mean=[1.0, 2.0], covariance=[[2.0, 0.5], [0.5, 1.0]])),
]


@pytest.mark.parametrize("family, ordinary", SAMPLED, ids=lambda x: repr(x) if isinstance(x, ig.ExponentialFamily) else "")
def test_stochastic_mirror_descent_is_the_posterior_mean(family, ordinary):
    """Step 1/(t + t₀) on −log p(x_t | θ) from η₀: η_t = (t₀ η₀ + Σ T(x)) / (t₀ + t), the conjugate posterior mean, at every t."""
    x = family.sample(np.random.default_rng(0), family.theta_from(**ordinary), 60)
    statistic = family.sufficient_statistic(x)
    start, t0 = family.theta_from(**ordinary), 3.0
    result = ig.descend(Stream(family, statistic), start, geometry=family, update=ig.MirrorUpdate(),
                        step=ig.Diminishing(1.0, offset=t0 + 1),
                        max_steps=60, rng=np.random.default_rng(0))
    t = np.arange(61)[:, None]
    sums = np.concatenate([np.zeros((1, family.dim)), np.cumsum(statistic, axis=0)])
    expected = (t0 * family.to_eta(start) + sums) / (t0 + t)
    np.testing.assert_allclose(family.to_eta(result.path), expected, rtol=1e-9, atol=1e-10)


def test_stochastic_mirror_descent_is_the_running_mean():
    """Step 1/t: the first step forgets the start, and η_t is the mean of T(x_1), …, T(x_t), the maximum-likelihood estimate."""
    family = ig.Exponential()
    x = family.sample(np.random.default_rng(1), [-0.5], 100)
    result = ig.descend(Stream(family, x[:, None]), [-40.0], geometry=family, update=ig.MirrorUpdate(), step=ig.Diminishing(1.0),
                        max_steps=100, rng=np.random.default_rng(0))
    np.testing.assert_allclose(family.to_eta(result.path[1:, 0, None])[:, 0], np.cumsum(x) / np.arange(1, 101), rtol=1e-12)
    np.testing.assert_allclose(result.x, family.fit(x), rtol=1e-12)


@pytest.mark.parametrize("c", [1.0, 2.0])
def test_online_natural_gradient_is_fisher_efficient(c):
    """t Cov(η_t) → c²/(2c − 1) G for steps c/t in η: 1 and 4/3 of the Cramér–Rao bound, over 4000 chains of 400 steps."""
    family = ig.Poisson()
    rng = np.random.default_rng(5)
    chains, steps, rate = 4000, 400, 3.0
    x = rng.poisson(rate, (steps, chains)).astype(float)
    result = ig.descend(Stream(family, x[..., None]), np.full((chains, 1), np.log(rate)), geometry=family,
                        update=ig.MirrorUpdate(),
                        step=ig.Diminishing(c, offset=4.0), max_steps=steps, rng=rng, record=None)
    scaled = steps * np.var(family.to_eta(result.x)[:, 0]) / rate
    # five standard errors of a variance, √(2/n) each, and the bias of a finite t
    assert scaled == pytest.approx(c**2 / (2 * c - 1), rel=5 * np.sqrt(2 / chains) + 0.02)


def test_recursive_least_squares_is_online_natural_gradient():
    """J_t = J_{t−1} + x xᵀ, θ_t = θ_{t−1} + J_t⁻¹ x (y − xᵀθ_{t−1}) is the ridge solution at every t."""
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    J, theta = 0.7 * np.eye(3), np.zeros(3)

    class Row:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def value_and_gradient(self, theta):
            residual = theta @ self.x - self.y
            return 0.5 * residual**2, residual[..., None] * self.x

    for t in range(30):
        J = J + np.outer(X[t], X[t])
        theta = ig.descend(Row(X[t], y[t]), theta, geometry=ig.Quadratic(J), update=ig.NaturalUpdate(), step=ig.Constant(1.0),
                           max_steps=1).x
        ridge = np.linalg.solve(0.7 * np.eye(3) + X[:t + 1].T @ X[:t + 1], X[:t + 1].T @ y[:t + 1])
        np.testing.assert_allclose(theta, ridge, rtol=1e-11, atol=1e-13)


def test_natural_norm_of_the_score_is_the_dimension():
    """E_p[∇ℓᵀ G⁻¹ ∇ℓ] = dim: over the outcomes of (.5, .3, .2) it is 2."""
    family, theta, _ = points()
    score = family.sufficient_statistic(np.arange(3.0)) - family.to_eta(theta)
    np.testing.assert_allclose(P @ np.sum(score * family.sharp(theta, score), axis=-1), 2.0, rtol=1e-13)


def test_energy_of_both_geodesics_is_the_jeffreys_divergence():
    """∫ ṗᵀ G ṗ dt over the e-geodesic and over the m-geodesic: 1.31070316003214 for both, by Gauss–Legendre."""
    family, theta_p, theta_q = points()
    node, weight = np.polynomial.legendre.leggauss(40)
    t, weight = 0.5 * (node + 1), 0.5 * weight
    step = theta_q - theta_p
    e_energy = weight @ family.inner(ig.e_geodesic(family, theta_p, theta_q, t), step, step)
    eta_p, eta_q = family.to_eta(theta_p), family.to_eta(theta_q)
    d_eta = eta_q - eta_p
    m_energy = weight @ family.dual.inner(ig.e_geodesic(family.dual, eta_p, eta_q, t), d_eta, d_eta)
    np.testing.assert_allclose([e_energy, m_energy, ig.jeffreys(family, theta_p, theta_q)], 1.31070316003214, rtol=1e-13)


def test_third_order_expansion():
    """KL(p‖p + δ) − ½ Gδ² = T δ³ / 6 and KL(p + δ‖p) − ½ Gδ² = T δ³ / 3, at h = 1e-3 to O(h)."""
    family, theta, _ = points()
    direction, h = np.array([1.0, -0.5]), 1e-3
    delta = h * direction
    quadratic = 0.5 * family.inner(theta, delta, delta)
    cubic = np.einsum("ijk,i,j,k", family.cubic_tensor(theta), delta, delta, delta)
    there = (family.kl(theta, theta + delta) - quadratic) / cubic
    back = (family.kl(theta + delta, theta) - quadratic) / cubic
    np.testing.assert_allclose([there, back], [1 / 6, 1 / 3], atol=2e-3)
    # and the difference is exactly the next order: halving h halves it
    half = (family.kl(theta, theta + delta / 2) - quadratic / 4) / (cubic / 8)
    assert (there - 1 / 6) / (half - 1 / 6) == pytest.approx(2.0, rel=1e-2)


def test_three_point_identity():
    """KL(p‖q) + KL(q‖r) − KL(p‖r) = (η_p − η_q)·(θ_r − θ_q)."""
    rng = np.random.default_rng(4)
    family = ig.Categorical(6)
    p, q, r = (family.theta_from(probabilities=rng.dirichlet(np.ones(6), size=50)) for _ in range(3))
    left = family.kl(p, q) + family.kl(q, r) - family.kl(p, r)
    right = np.sum((family.to_eta(p) - family.to_eta(q)) * (r - q), axis=-1)
    np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-13)


def test_entropic_descent_of_a_linear_function_lies_on_its_flow():
    """p_k ∝ p₀ e^{−kαc}, and the replicator flow is at time kα where mirror descent is after k steps."""
    family = ig.Categorical(4)
    cost = np.array([0.3, -1.0, 2.0, 0.5])
    p0 = np.array([0.4, 0.3, 0.2, 0.1])

    class Linear:
        """c·p as a function of η: its differential is c_i − c_r."""

        def value_and_gradient(self, eta):
            return np.sum(eta * cost[:3], axis=-1) + (1 - eta.sum(axis=-1)) * cost[3], cost[:3] - cost[3] + 0.0 * eta

    eta0, alpha = p0[:3], 0.25
    run = ig.descend(Linear(), eta0, geometry=family.dual, update=ig.MirrorUpdate(), step=ig.Constant(alpha), max_steps=12)
    t = alpha * np.arange(13)
    closed = p0 * np.exp(-t[:, None] * cost)
    closed = closed / closed.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(run.path, closed[:, :3], rtol=1e-12)
    flow = ig.flow(Linear(), eta0, geometry=family.dual, update=ig.NaturalUpdate(), times=t)
    np.testing.assert_allclose(flow.path, closed[:, :3], rtol=1e-8)


def test_relative_smoothness_rate():
    """KL(q‖p_θ) has μ = L = 1 relative to ψ: a step α ≤ 1 contracts η − η_q by 1 − α, and f falls by at least B_ψ(θ:θ⁺)/α."""
    family, theta_q, theta = points()
    f = ig.CrossEntropy(family, family.to_eta(theta_q))
    for alpha in (0.1, 0.5, 1.0):
        result = ig.descend(f, theta, geometry=family, update=ig.MirrorUpdate(), step=ig.Constant(alpha), max_steps=5)
        gap = family.to_eta(result.path) - family.to_eta(theta_q)
        np.testing.assert_allclose(gap, (1 - alpha)**np.arange(6)[:, None] * gap[0], rtol=1e-9, atol=1e-14)
        drop = result.values[:-1] - result.values[1:]
        needed = ig.bregman(family, result.path[:-1], result.path[1:]) / alpha
        assert np.all(drop >= needed - 1e-15)


def test_multiplicative_weights_regret():
    """Losses in [0, 1]: the regret of exponentiated gradient is at most log K / α + α T / 8, in 20 random games."""
    rng = np.random.default_rng(6)
    K, T, alpha = 5, 200, 0.2
    family = ig.Categorical(K)
    for _ in range(20):
        losses = rng.random((T, K)) ** rng.uniform(0.2, 5.0, K)
        theta, paid = np.zeros(K - 1), 0.0
        for loss in losses:
            paid += family.parameters(theta)["probabilities"] @ loss
            eta = family.to_eta(theta)
            eta = ig.MirrorUpdate()(family.dual, eta, loss[:-1] - loss[-1], alpha)[0]
            theta = family.to_theta(eta)
        assert paid - losses.sum(axis=0).min() <= np.log(K) / alpha + alpha * T / 8


@pytest.mark.parametrize("channel, capacity, best", [
    ([[0.9, 0.1], [0.1, 0.9]], 0.368064207168, [0.5, 0.5]),
    ([[1.0, 0.0], [0.5, 0.5]], np.log(5 / 4), [0.6, 0.4]),
], ids=["symmetric", "Z"])
def test_channel_capacity_is_mirror_descent(channel, capacity, best):
    """Blahut and Arimoto's p⁺ ∝ p e^{D(W_x‖pW)} is entropic mirror descent of step 1 on −I(p); C − I_k ≤ KL(p*‖p₀) / k."""
    W = np.array(channel)

    def divergences(p):
        output = p @ W
        return np.sum(np.where(W > 0, W * np.log(np.where(W > 0, W, 1.0) / output[..., None, :]), 0.0), axis=-1)

    class Information:
        """−I as a function of η, by the probabilities (η, 1 − Σ η)."""

        def value_and_gradient(self, eta):
            p = np.concatenate([eta, 1 - eta.sum(axis=-1, keepdims=True)], axis=-1)
            d = divergences(p)
            return -np.sum(p * d, axis=-1), -(d[..., :-1] - d[..., -1:])

    result = ig.descend(Information(), [0.8], geometry=ig.Categorical(2).dual, update=ig.MirrorUpdate(), step=ig.Constant(1.0),
                        max_steps=300)
    start, best = np.array([0.8, 0.2]), np.array(best)
    weight = start * np.exp(divergences(start))
    np.testing.assert_allclose(result.path[1], (weight / weight.sum())[:1], rtol=1e-13)
    np.testing.assert_allclose(-result.values[-1], capacity, rtol=1e-11)
    np.testing.assert_allclose(result.x, best[:1], rtol=1e-5)
    assert np.all(np.diff(result.values) <= 1e-15)
    bound = np.sum(best * np.log(best / start)) / np.arange(1, 301)
    assert np.all(capacity + result.values[1:] <= bound + 1e-12)
