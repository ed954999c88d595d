"""Flows with closed solutions, recorded at exactly the given times."""
import numpy as np
import pytest

import infogeo as ig

FAMILY = ig.Categorical(3)
TARGET = FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2])
TIMES = np.array([0.0, 0.3, 1.0, 2.5])
STARTS = np.array([[0.0, 0.0], [2.0, -1.0], [-4.0, 3.0]])


@pytest.mark.parametrize("update", [ig.NaturalUpdate(), ig.MirrorUpdate()], ids=repr)
def test_forward_natural_flow_is_the_m_geodesic(update):
    """η(t) = η_q + e^{−t} (η₀ − η_q)."""
    f = ig.CrossEntropy(FAMILY, FAMILY.to_eta(TARGET))
    result = ig.flow(f, STARTS, geometry=FAMILY, update=update, times=TIMES)
    assert result.path.shape == (4, 3, 2) and result.values.shape == (4, 3)
    expected = FAMILY.to_eta(TARGET) + np.exp(-TIMES)[:, None, None] * (FAMILY.to_eta(STARTS) - FAMILY.to_eta(TARGET))
    np.testing.assert_allclose(FAMILY.to_eta(result.path), expected, rtol=1e-8)
    np.testing.assert_array_equal(result.path[0], STARTS)
    np.testing.assert_array_equal(result.x, result.path[-1])
    geodesic = ig.m_geodesic(FAMILY, STARTS, TARGET, (1 - np.exp(-TIMES))[:, None])
    np.testing.assert_allclose(result.path, geodesic, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(result.values, f.value_and_gradient(result.path)[0], rtol=1e-14)
    np.testing.assert_array_equal(result.status, [ig.Status.FINISHED] * 3)


def test_reverse_natural_flow_is_the_e_geodesic():
    """θ(t) = θ_q + e^{−t} (θ₀ − θ_q), in whichever chart it is integrated."""
    f = ig.ReverseKL(FAMILY, TARGET)
    expected = ig.e_geodesic(FAMILY, STARTS, TARGET, (1 - np.exp(-TIMES))[:, None])
    result = ig.flow(f, STARTS, geometry=FAMILY, update=ig.NaturalUpdate(), times=TIMES)
    np.testing.assert_allclose(result.path, expected, rtol=1e-8, atol=1e-9)
    dual = ig.flow(f.in_dual_coordinates(), FAMILY.to_eta(STARTS), geometry=FAMILY.dual, update=ig.NaturalUpdate(), times=TIMES)
    np.testing.assert_allclose(FAMILY.to_theta(dual.path), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("family, q, p", [(ig.Normal(), [0.25, -0.125], [0.0, -2.0]), (ig.Gamma(), [2.0, -1.0], [5.0, -0.5]),
                                          (ig.Dirichlet(3), [1.0, 2.0, 3.0], [4.0, 1.0, 1.0])], ids=repr)
def test_both_natural_flows_of_other_families(family, q, p):
    q, p = np.array(q), np.array(p)
    decay = np.exp(-TIMES)[:, None]
    forward = ig.flow(ig.CrossEntropy(family, family.to_eta(q)), p, geometry=family, update=ig.NaturalUpdate(), times=TIMES)
    np.testing.assert_allclose(family.to_eta(forward.path), family.to_eta(q) + decay * (family.to_eta(p) - family.to_eta(q)),
                               rtol=1e-7)
    reverse = ig.flow(ig.ReverseKL(family, q), p, geometry=family, update=ig.NaturalUpdate(), times=TIMES)
    np.testing.assert_allclose(reverse.path, q + decay * (p - q), rtol=1e-7)


def test_gradient_flow_of_a_quadratic():
    """ẋ = −Qx: x(t) = e^{−tQ} x₀."""
    Q = np.array([[2.0, 0.5], [0.5, 1.0]])
    values, vectors = np.linalg.eigh(Q)

    class Form:
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x * (x @ Q), axis=-1), x @ Q

    x0 = np.array([1.0, -1.0])
    result = ig.flow(Form(), x0, geometry=ig.Euclidean(2), update=ig.GradientUpdate(), times=TIMES)
    expected = np.array([vectors @ (np.exp(-t * values) * (vectors.T @ x0)) for t in TIMES])
    np.testing.assert_allclose(result.path, expected, rtol=1e-8, atol=1e-10)


def test_replicator_equation():
    """Natural gradient of c·p on the simplex: ṗ_i = −p_i (c_i − Σ p_j c_j), solved by p ∝ p₀ e^{−tc}."""
    cost, p0 = np.array([1.0, 0.2, -0.5]), np.array([0.2, 0.5, 0.3])

    class Linear:
        def value_and_gradient(self, eta):
            return eta @ (cost[:2] - cost[2]) + cost[2], np.broadcast_to(cost[:2] - cost[2], eta.shape)

    velocity = ig.NaturalUpdate().velocity(FAMILY.dual, p0[:2], cost[:2] - cost[2])
    np.testing.assert_allclose(velocity, (-p0 * (cost - p0 @ cost))[:2], rtol=1e-14)
    path = ig.flow(Linear(), p0[:2], geometry=FAMILY.dual, update=ig.NaturalUpdate(), times=TIMES).path
    weight = p0 * np.exp(-TIMES[:, None] * cost)
    np.testing.assert_allclose(path, (weight / weight.sum(axis=-1, keepdims=True))[:, :2], rtol=1e-8)


def test_wasserstein_and_fisher_flow_of_normals():
    """KL(N(μ, v)‖N(1, 4)) from (0, ¼): at t = 2, (v, μ) = (1.32011927, .28536514) and (2.62045210, .39346934).

    θ is linear under Fisher's metric. The Wasserstein metric on (μ, σ) is Euclidean: v(t) = 4 + (¼ − 4) e^{−t/2} and
    μ(t) = 1 − e^{−t/4}.
    """
    family = ig.Normal()
    q, p = family.theta_from(mean=[1.0, 0.0], variance=[4.0, 0.25])
    fisher = family.parameters(ig.flow(ig.ReverseKL(family, q), p, geometry=family, update=ig.NaturalUpdate(), times=[2.0]).x)
    np.testing.assert_allclose([fisher["variance"], fisher["mean"]], [1.32011927, 0.28536514], rtol=2e-8)

    class InMeanAndDeviation:
        def value_and_gradient(self, x):
            mean, sigma = x[..., 0], x[..., 1]
            value = 0.5 * (sigma**2 / 4 + (mean - 1)**2 / 4 - 1) - np.log(sigma / 2)
            return value, np.stack([(mean - 1) / 4, sigma / 4 - 1 / sigma], axis=-1)

    wasserstein = ig.flow(InMeanAndDeviation(), [0.0, 0.5], geometry=ig.Euclidean(2), update=ig.GradientUpdate(), times=[2.0]).x
    np.testing.assert_allclose([wasserstein[1]**2, wasserstein[0]], [2.62045210, 0.39346934], rtol=2e-8)


def test_a_first_time_after_zero_and_a_single_time():
    f = ig.CrossEntropy(FAMILY, FAMILY.to_eta(TARGET))
    whole = ig.flow(f, STARTS, geometry=FAMILY, update=ig.NaturalUpdate(), times=[0.0, 0.5, 1.5])
    late = ig.flow(f, STARTS, geometry=FAMILY, update=ig.NaturalUpdate(), times=[0.5, 1.5])
    np.testing.assert_allclose(late.path, whole.path[1:], rtol=1e-8, atol=1e-9)
    none = ig.flow(f, STARTS, geometry=FAMILY, update=ig.NaturalUpdate(), times=[0.0])
    np.testing.assert_array_equal(none.path, STARTS[None])


def test_every_row_meets_the_tolerance_of_a_run_alone():
    f = ig.CrossEntropy(FAMILY, FAMILY.to_eta(TARGET))
    starts = np.random.default_rng(0).normal(size=(50, 2))
    together = ig.flow(f, starts, geometry=FAMILY, update=ig.GradientUpdate(), times=[4.0]).x
    for row in (0, 17, 49):
        alone = ig.flow(f, starts[row], geometry=FAMILY, update=ig.GradientUpdate(), times=[4.0]).x
        np.testing.assert_allclose(together[row], alone, rtol=1e-7, atol=1e-9)


def test_a_row_that_leaves_the_domain_is_reported():
    """ẋ = −1 on the positive half-line reaches 0 at t = x₀."""
    class Slope:
        def value_and_gradient(self, x):
            return x[..., 0], np.ones_like(x)

    result = ig.flow(Slope(), [[0.5], [3.0]], geometry=ig.NegativeEntropy(1), update=ig.GradientUpdate(), times=[0.0, 0.25, 1.0])
    np.testing.assert_array_equal(result.status, [ig.Status.LEFT_DOMAIN, ig.Status.FINISHED])
    np.testing.assert_allclose(result.path[:, 1, 0], [3.0, 2.75, 2.0], rtol=1e-9)
    np.testing.assert_allclose(result.path[1, 0, 0], 0.25, rtol=1e-9)


@pytest.mark.parametrize("times", [[1.0, 0.5], [-1.0, 1.0], [0.0, np.inf], [0.0, 0.0], [[0.0, 1.0]]])
def test_times_are_checked(times):
    with pytest.raises(ig.DomainError, match="times must satisfy 0 <= times"):
        ig.flow(ig.CrossEntropy(FAMILY, [0.5, 0.3]), [0.0, 0.0], geometry=FAMILY, update=ig.GradientUpdate(), times=times)
