"""Geodesics by collocation against closed forms, near and far; the α-geodesics; bounds; what cannot be reached."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.connections.geodesic import (alpha_exp_map, alpha_geodesic, e_geodesic, exp_map, log_map, m_geodesic,
                                                   riemannian_distance, riemannian_geodesic)
from infogeo.geometry.divergences.divergence import jeffreys_bound
from infogeo.numerics.collocation.equations import HessianEquation
from infogeo.numerics.collocation.paths import arrive, join
from infogeo.numerics.collocation.rule import rule
from infogeo.testing import derived

NORMAL = ig.Normal()


class HalfPlane(ig.Riemannian):
    """The normal laws in (μ, σ), of which only the metric is given."""

    dim = 2
    domain = ig.domains.ProductDomain(ig.domains.RealSpace(1), ig.domains.Orthant(1))

    def metric(self, x):
        return np.array([[1.0, 0.0], [0.0, 2.0]]) / x[..., 1, None, None]**2


def normal_distance(p, q):
    """√2 arccosh(1 + ((μ_p − μ_q)²/2 + (σ_p − σ_q)²) / (2 σ_p σ_q)), by its half angle."""
    square = 0.5 * (p[..., 0] - q[..., 0])**2 + (p[..., 1] - q[..., 1])**2
    return 2.0**1.5 * np.arcsinh(np.sqrt(square / (4 * p[..., 1] * q[..., 1])))


def natural(x):
    return NORMAL.theta_from(mean=x[..., 0], variance=x[..., 1]**2)


def numeric(M, p, q):
    """The distance by collocation, of a manifold that may have a closed form."""
    return derived(ig.Riemannian, "distance")(M, p, q)


def spread_normals(spread, n, seed=0):
    rng = np.random.default_rng(seed)
    z = spread * rng.standard_normal((2, n, 2))
    return np.stack([z[..., 0], np.exp(z[..., 1])], axis=-1)


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_normal_distances(spread):
    """Up to 14: to 1e-10 in the chart θ, whose coordinates then span ten orders of magnitude."""
    p, q = spread_normals(spread, 40)
    distance = normal_distance(p, q)
    np.testing.assert_allclose(numeric(NORMAL, natural(p), natural(q)), distance, rtol=1e-10)
    assert spread < 2 or distance.max() > 8


def test_normal_distances_from_the_metric_alone():
    p, q = spread_normals(1.5, 5, seed=1)
    M, distance = HalfPlane(), normal_distance(p, q)
    np.testing.assert_allclose(riemannian_distance(M, p, q), distance, rtol=1e-10)
    velocity = log_map(M, p, q)
    np.testing.assert_allclose(M.norm(p, velocity), distance, rtol=1e-9)
    assert np.all(M.norm(q, exp_map(M, p, velocity) - q) <= 1e-8 * distance)


def test_values_of_normals():
    """N(0, 1) to N(1, 4): 1.1893809314; to N(3, 4): 2.1362371153."""
    p = natural(np.array([0.0, 1.0]))
    np.testing.assert_allclose(numeric(NORMAL, p, natural(np.array([[1.0, 2.0], [3.0, 2.0]]))), [1.1893809314, 2.1362371153],
                               rtol=1e-10)


def test_near_points():
    """Points 1e-8 apart in θ: √(δ·Gδ), to 1e-8."""
    M = ig.Gamma()
    p = M.theta_from(shape=[2.0, 0.1, 40.0], rate=[1.0, 5.0, 0.2])
    q = p * (1 + 1e-8 * np.array([1.0, -0.5]))
    distance = numeric(M, p, q)
    np.testing.assert_allclose(distance, M.norm(p, q - p), rtol=3e-8)
    velocity = derived(ig.Riemannian, "log")(M, p, q)
    assert np.all(M.norm(p, velocity - (q - p)) <= 1e-7 * distance)
    np.testing.assert_allclose(derived(ig.Riemannian, "exp")(M, p, velocity), q, rtol=1e-15)


def test_equal_points():
    p = NORMAL.theta_from(mean=[0.0, 3.0], variance=1.0)
    assert not np.any(numeric(NORMAL, p, p))
    assert not np.any(derived(ig.Riemannian, "log")(NORMAL, p, p))
    np.testing.assert_array_equal(derived(ig.Riemannian, "geodesic")(NORMAL, p, p, 0.4), p)
    np.testing.assert_array_equal(derived(ig.Riemannian, "exp")(NORMAL, p, np.zeros(2)), p)


def test_categorical():
    """4 arcsin(½ |√p − √q|); the midpoint of (.5, .3, .2) and (.1, .2, .7)."""
    M, rng = ig.Categorical(4), np.random.default_rng(2)
    p, q = rng.dirichlet(np.full(4, 1.0), (2, 30))
    near = M.theta_from(probabilities=p), M.theta_from(probabilities=q)
    distance = 4 * np.arcsin(0.5 * np.linalg.norm(np.sqrt(p) - np.sqrt(q), axis=-1))
    np.testing.assert_allclose(numeric(M, *near), distance, rtol=1e-9)
    M = ig.Categorical(3)
    ends = M.theta_from(probabilities=[[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    middle = M.parameters(derived(ig.Riemannian, "geodesic")(M, *ends, 0.5))["probabilities"]
    np.testing.assert_allclose(middle, [0.284148632720, 0.268596731195, 0.447254636085], rtol=1e-10)
    np.testing.assert_allclose(numeric(M, *ends), 1.13695529039747, rtol=1e-12)


@pytest.mark.parametrize("M, one, two, distance", [
    (ig.Poisson(), {"rate": 4.0}, {"rate": 9.0}, 2.0),
    (ig.Poisson(), {"rate": 0.01}, {"rate": 400.0}, 2 * (20 - 0.1)),
    (ig.Bernoulli(), {"probability": 0.2}, {"probability": 0.9}, 1.5707963268),
    (ig.Geometric(), {"probability": 0.2}, {"probability": 0.7}, 1.6570269410),
    (ig.Exponential(), {"rate": 1.0}, {"rate": 1e6}, np.log(1e6)),
    (ig.Erlang(4), {"rate": 1.0}, {"rate": 0.001}, 2 * np.log(1e3)),
    (ig.Categorical(3), {"probabilities": [0.5, 0.3, 0.2]}, {"probabilities": [0.2, 0.3, 0.5]}, 0.7392907102),
    (ig.Gamma(), {"shape": 50.0, "rate": 1.0}, {"shape": 2.0, "rate": 5.0}, 7.0773640836),
    (ig.MultivariateNormal(2), {"mean": [0.0, 0.0], "covariance": np.diag([1.0, 0.1])},
     {"mean": [1.0, 1.0], "covariance": np.diag([0.1, 1.0])}, 3.1329316711),
], ids=["Poisson", "Poisson, far", "Bernoulli", "geometric", "exponential", "Erlang", "categorical", "gamma",
        "multivariate normal"])
def test_values(M, one, two, distance):
    np.testing.assert_allclose(numeric(M, M.theta_from(**one), M.theta_from(**two)), distance, rtol=2e-10)


def test_multivariate_normals_of_one_covariance():
    """√2 arccosh(1 + Δ²/4), shorter than the Mahalanobis distance Δ: 2.4989846236, not 2.8370372729."""
    M, covariance = ig.MultivariateNormal(2), np.array([[1.0, 0.3], [0.3, 0.5]])
    p, q = (M.theta_from(mean=mean, covariance=covariance) for mean in ([0.0, 0.0], [1.0, 2.0]))
    np.testing.assert_allclose(numeric(M, p, q), 2.4989846236, rtol=1e-10)


def test_alpha_geodesics_between_the_flat_ones():
    """α = 1 is the e-geodesic, α = −1 the m-geodesic; the α-geodesic is the −α-geodesic of the dual manifold."""
    M, t = ig.Gamma(), np.array([0.0, 0.3, 1.0])[:, None]
    p, q = M.theta_from(shape=[1.0, 5.0], rate=[1.0, 0.5]), M.theta_from(shape=[0.2, 4.0], rate=[2.0, 8.0])
    for alpha, flat in (1, e_geodesic), (-1, m_geodesic):
        np.testing.assert_allclose(alpha_geodesic(M, p, q, t, alpha), flat(M, p, q, t), rtol=1e-8, atol=1e-10)
    on_dual = alpha_geodesic(M.dual, M.to_eta(p), M.to_eta(q), t, -0.3)
    np.testing.assert_allclose(alpha_geodesic(M, p, q, t, 0.3), M.to_theta(on_dual), rtol=1e-8, atol=1e-9)
    path = join(HessianEquation(M, 0.3), p, q)
    np.testing.assert_allclose(alpha_exp_map(M, p, path.velocity, 0.3), q, rtol=1e-9)
    np.testing.assert_allclose(alpha_exp_map(M, p, 0.3 * path.velocity, 0.3), alpha_geodesic(M, p, q, 0.3, 0.3), rtol=1e-9)


def test_alpha_geodesic_of_positive_measures():
    """On the positive orthant m^((1−α)/2) is linear in the time: the Poisson rates, for α = 0 and 1/2."""
    M = ig.Independent(ig.Poisson(), 3)
    rates = np.array([[1.0, 0.2, 7.0], [4.0, 3.0, 1.0]])
    t = np.linspace(0.0, 1.0, 5)
    for alpha in 0.0, 0.5:
        power = (1 - alpha) / 2
        expected = ((1 - t)[:, None] * rates[0]**power + t[:, None] * rates[1]**power)**(1 / power)
        np.testing.assert_allclose(np.exp(alpha_geodesic(M, *np.log(rates), t, alpha)), expected, rtol=1e-9)


def test_jeffreys_is_an_upper_bound():
    p, q = (natural(x) for x in spread_normals(1.0, 50))
    bound, distance = jeffreys_bound(NORMAL, p, q), riemannian_distance(NORMAL, p, q)
    assert np.all(bound >= distance * (1 - 1e-12))
    np.testing.assert_allclose(bound, np.sqrt(ig.jeffreys(NORMAL, p, q)), rtol=1e-15)
    near = p + 1e-4 / distance[:, None] * log_map(NORMAL, p, q)
    np.testing.assert_allclose(jeffreys_bound(NORMAL, p, near), riemannian_distance(NORMAL, p, near), rtol=1e-8)


def test_long_batches_have_rows_of_their_own_pieces():
    """A path of one piece beside one of many: points at all times, and NaN outside [0, 1] and outside the domain."""
    x, y = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, -1.0]]), np.array([[0.1, 1.0], [50.0, 1.0], [0.0, 1.0]])
    M = HalfPlane()
    path = join(M._geodesics, x, y)
    assert path.pieces[0] == 1 and path.pieces[1] > 1
    np.testing.assert_allclose(path.length[:2], normal_distance(x[:2], y[:2]), rtol=1e-10)
    np.testing.assert_allclose(path(np.array([0.0, 1.0])[:, None])[:, :2], np.stack([x, y])[:, :2], atol=1e-12)
    middle = riemannian_geodesic(M, x[1], y[1], 0.5)
    np.testing.assert_allclose(middle, [25.0, np.sqrt(1 + 0.5 * 25.0**2)], rtol=1e-9)         # the top of the half circle
    assert np.all(np.isnan(path.length[2])) and np.all(np.isnan(path(np.array(0.5))[2]))
    assert np.all(np.isnan(path(np.array([-0.1, 1.1])[:, None])))


def test_a_geodesic_that_leaves_the_domain():
    """Poisson: √rate is linear in the time, so that a velocity of −2 from θ = 0 reaches rate 0 at time 1."""
    M = ig.Poisson()
    np.testing.assert_allclose(derived(ig.Riemannian, "exp")(M, np.array([0.0]), np.array([-1.0])), [2 * np.log(0.5)], rtol=1e-9)
    with pytest.raises(ig.ConvergenceError, match=r"1 of 2 geodesics were not .* first at index \(1,\).*leave the domain"):
        derived(ig.Riemannian, "exp")(M, np.zeros((2, 1)), np.array([[-1.0], [-3.0]]))


def test_two_points_that_no_geodesic_was_found_between():
    """On (−1, 1)², a metric that oscillates faster than 64 pieces can follow."""
    class Rough(ig.Riemannian):
        dim = 1

        def metric(self, x):
            return 1.0 + np.exp(30 * np.sin(3e3 * x))[..., None]

    with pytest.raises(ig.ConvergenceError, match=r"no geodesic was found to 1e-08 of its length for 1 of 1 pairs"):
        Rough().distance(np.array([-1.0]), np.array([1.0]))


def test_points_are_checked():
    with pytest.raises(ig.DomainError, match="theta_q must satisfy"):
        riemannian_distance(NORMAL, [0.0, -1.0], [0.0, 1.0])
    with pytest.raises(ig.ShapeError, match="theta_p must have shape"):
        riemannian_geodesic(NORMAL, [0.0, -1.0, 2.0], [0.0, -1.0], 0.5)


def test_single_precision():
    M = ig.Gamma()
    p, q = M.theta_from(shape=[2.0, 30.0], rate=[1.0, 9.0]), M.theta_from(shape=[1.0, 4.0], rate=[2.0, 0.3])
    single = numeric(M, p.astype(np.float32), q.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, numeric(M, p, q), rtol=1e-4)
    end, velocity = arrive(HessianEquation(M), p[:1].astype(np.float32), (0.1 * p[:1]).astype(np.float32))
    assert end.dtype == velocity.dtype == np.float32


def test_the_rule_is_exact_for_polynomials():
    """For ẍ = 6t the boundary correction is t³ − t, the initial one t³, and the velocities at the ends −1 and 2."""
    gauss = rule(6)
    for series, correction in (gauss.boundary, gauss.t**3 - gauss.t), (gauss.initial, gauss.t**3):
        position, velocity = gauss.corrections(series)
        np.testing.assert_allclose(position @ (6 * gauss.t), correction, atol=1e-14)
        np.testing.assert_allclose(gauss.derivative @ correction, velocity @ (6 * gauss.t), atol=1e-13)
    np.testing.assert_allclose(np.stack(gauss.end_slopes(gauss.boundary)) @ (6 * gauss.t), [-1.0, 2.0], rtol=1e-13)
