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


def test_stochastic_mirror_descent_is_the_running_mean():
    """Step 1/t: the first step forgets the start, and η_t is the mean of T(x_1), …, T(x_t), the maximum-likelihood estimate."""
    family = ig.Exponential()
    x = family.sample(np.random.default_rng(1), [-0.5], 100)
    result = ig.descend(Stream(family, x[:, None]), [-40.0], geometry=family, update=ig.MirrorUpdate(), step=ig.Diminishing(1.0),
                        max_steps=100, rng=np.random.default_rng(0))
    np.testing.assert_allclose(family.to_eta(result.path[1:, 0, None])[:, 0], np.cumsum(x) / np.arange(1, 101), rtol=1e-12)
    np.testing.assert_allclose(result.x, family.fit(x), rtol=1e-12)


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
