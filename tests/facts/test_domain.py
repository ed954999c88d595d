"""Domains: membership at and near the boundary, messages, descriptions, points for tests."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.domains.bijections import ExponentialChart
from infogeo.domains.chart import IdentityChart, ScaledChart
from infogeo.domains.convex import MappedDomain
from infogeo.domains.supports import PositiveDefiniteMatrix, SimplexPoints

TINY = np.nextafter(0.0, 1.0)


@pytest.mark.parametrize("domain, inside, outside", [
    (ig.domains.RealSpace(2), [[0, 0], [1e300, -1e300]], [[np.nan, 0], [np.inf, 0]]),
    (ig.domains.Orthant(1, -1), [[1, -1], [TINY, -TINY]], [[0, -1], [1, 0], [-1, -1], [np.inf, -1], [np.nan, -1]]),
    (ig.domains.OpenSimplex(2), [[0.3, 0.3], [TINY, 0.5]], [[0.5, 0.5], [0, 0.5], [0.7, 0.7], [np.nan, 0.2], [-0.1, 0.5]]),
    (ig.domains.PositiveDefinite(2), [[1, 0, 1], [2, 1, 1]], [[1, np.sqrt(2), 1], [0, 0, 1], [-1, 0, -1], [np.nan, 0, 1]]),
    (ig.domains.PositiveDefinite(2, -1), [[-1, 0, -1]], [[1, 0, 1], [-1, 2, -1], [0, 0, 0]]),
    (ig.domains.ProductDomain(ig.domains.RealSpace(1), ig.domains.Orthant(-1)), [[5, -1]], [[5, 1], [np.inf, -1], [5, 0]]),
    (ig.Normal().eta_domain, [[1, 1.001], [-2, 5]], [[1, 1], [2, 3], [np.nan, 1]]),
    (ig.Gamma().eta_domain, [[-0.1, 1.0], [0.0, 2.0]], [[0.0, 1.0], [1.0, 2.0], [0.0, -1.0]]),
    (ig.Dirichlet(2).eta_domain, [[-1, -1]], [[-0.5, -0.5], [0, -3], [np.nan, -1]]),
    (SimplexPoints(2), [[0.5, 0.5], [0.1, 0.9]], [[0, 1], [0.5, 0.4], [0.6, 0.6], [1.5, -0.5]]),
], ids=str)
def test_membership_of_vectors(domain, inside, outside):
    assert np.all(domain.contains(inside)) and not np.any(domain.contains(outside))
    mixed = np.concatenate([np.array(inside, dtype=float), np.array(outside, dtype=float)])
    np.testing.assert_array_equal(domain.contains(mixed), [True] * len(inside) + [False] * len(outside))


@pytest.mark.parametrize("domain, inside, outside", [
    (ig.domains.Interval(0, 1), [0.5, TINY], [0, 1, -1, np.nan]),
    (ig.domains.Interval(0), [1e-300, 1e300], [0, -1, np.inf, np.nan]),
    (ig.domains.Interval(), [-1e300, 0], [np.inf, -np.inf, np.nan]),
    (ig.domains.Integers(0, 2), [0, 1, 2], [-1, 3, 0.5, np.nan, np.inf]),
    (ig.domains.Integers(0), [0, 1e15], [-1, np.inf, 0.5]),
])
def test_membership_of_numbers(domain, inside, outside):
    assert np.all(domain.contains(np.array(inside, dtype=float))) and not np.any(domain.contains(np.array(outside, dtype=float)))


def test_positive_definite_matrices():
    domain = PositiveDefiniteMatrix(2)
    matrices = np.array([[[2, 1], [1, 1]], [[2, 1], [0.9, 1]], [[1, 2], [2, 1]], [[1, 0], [0, np.nan]]], dtype=float)
    np.testing.assert_array_equal(domain.contains(matrices), [True, False, False, False])


@pytest.mark.parametrize("domain, description", [
    (ig.domains.RealSpace(3), "{x in R^3 : x finite}"),
    (ig.domains.Orthant(1, 1), "{x in R^2 : x > 0}"),
    (ig.domains.Orthant(1, -1), "{x in R^2 : x[0] > 0 and x[1] < 0}"),
    (ig.domains.OpenSimplex(2), "{x in R^2 : x > 0 and sum(x) < 1}"),
    (ig.domains.OpenSimplex(1), "{x in R^1 : 0 < x < 1}"),
    (ig.domains.PositiveDefinite(2, -1), "{x in R^3 : x negative definite}"),
    (ig.Normal().eta_domain, "{x in R^2 : x[1] > x[0]**2}"),
    (ig.Normal().theta_domain, "{x in R^2 : x[1] < 0}"),
    (ig.MultivariateNormal(2).theta_domain, "{x in R^5 : x[2:5] negative definite}"),
    (ig.domains.Integers(0, 2), "{x in R : x an integer, 0 <= x <= 2}"),
    (ig.domains.Interval(0, 1), "{x in R : 0 < x < 1}"),
    (PositiveDefiniteMatrix(2), "{x in R^2 x 2 : x symmetric and positive definite}"),
])
def test_description(domain, description):
    assert str(domain) == description


def test_message_names_rule_count_first_index_and_value():
    with pytest.raises(ig.DomainError) as error:
        ig.domains.OpenSimplex(3).require("eta", [[0.2, 0.2, 0.2], [0.5, 0.5, 0.5]])
    assert str(error.value) == ("eta must satisfy eta > 0 and sum(eta) < 1; 1 of 2 points does not, first at index (1,): "
                                "[0.5 0.5 0.5]")
    with pytest.raises(ig.DomainError) as error:
        ig.domains.Orthant(1).require("rate", [[[1.0], [-1.0]], [[0.0], [2.0]]])
    assert str(error.value) == "rate must satisfy rate > 0; 2 of 4 points do not, first at index (0, 1): [-1.]"
    with pytest.raises(ig.DomainError) as error:
        ig.domains.Interval(0).require("rate", -3)
    assert str(error.value) == "rate must satisfy rate > 0; got -3.0"
    assert isinstance(error.value, ValueError) and isinstance(error.value, ig.InfogeoError)


def test_shape_message():
    with pytest.raises(ig.ShapeError) as error:
        ig.domains.RealSpace(2).require("theta", np.zeros((4, 3)))
    assert str(error.value) == "theta must have shape (..., 2); got (4, 3)"
    with pytest.raises(ig.ShapeError, match=r"theta must have shape \(\.\.\., 2\); got \(\)"):
        ig.domains.RealSpace(2).require("theta", 1.0)


ALL = [ig.domains.RealSpace(3), ig.domains.Orthant(1, -1, 1), ig.domains.OpenSimplex(4), ig.domains.PositiveDefinite(3),
       ig.domains.PositiveDefinite(2, -1),
       ig.domains.ProductDomain(ig.domains.RealSpace(2), ig.domains.Orthant(-1)), ig.Normal().eta_domain, ig.Gamma().eta_domain,
       ig.Dirichlet(3).eta_domain,
       ig.MultivariateNormal(2).eta_domain, ig.MultivariateNormal(2).theta_domain]


@pytest.mark.parametrize("domain", ALL, ids=str)
def test_points_for_tests_lie_inside(domain):
    rng = np.random.default_rng(0)
    for points in (domain.sample(rng, (50, 2)), domain.sample(rng, 50, scale=3.0), domain.sample_near_boundary(rng, 50)):
        assert points.shape[-1] == domain.dim and np.all(domain.contains(points))
    assert domain.sample(rng, (50, 2)).shape == (50, 2, domain.dim)
    assert domain.contains(domain.interior_point) and domain.interior_point.shape == (domain.dim,)
    np.testing.assert_array_equal(domain.sample(np.random.default_rng(1), 3), domain.sample(np.random.default_rng(1), 3))


def test_points_near_the_boundary_are_near_it():
    rng = np.random.default_rng(0)
    eta = ig.domains.OpenSimplex(4).sample_near_boundary(rng, 200)
    rest = 1 - eta.sum(axis=-1)
    assert np.median(np.minimum(eta.min(axis=-1), rest)) < 5e-3
    assert np.all(np.abs(np.log(ig.domains.Orthant(1, 1).sample_near_boundary(rng, 50))).max(axis=-1) > 5.9)


def test_equality():
    assert ig.domains.RealSpace(2) == ig.domains.RealSpace(2) != ig.domains.RealSpace(3)
    assert ig.domains.Orthant(1, -1) == ig.domains.Orthant(1, -1)
    assert hash(ig.domains.Orthant(1, -1)) == hash(ig.domains.Orthant(1, -1))
    assert ig.domains.Orthant(1, 1) != ig.domains.OpenSimplex(2)
    assert repr(ig.domains.OpenSimplex(2)) == "OpenSimplex(dim=2)"


def test_mapped_domain():
    disc = MappedDomain(ig.domains.RealSpace(2), lambda xp, z: z / xp.sqrt(1 + xp.sum(z * z, axis=-1, keepdims=True)),
                        lambda xp, x: xp.sum(x * x, axis=-1) < 1, lambda name: f"|{name}| < 1")
    points = disc.sample(np.random.default_rng(0), 20)
    assert np.all(disc.contains(points)) and not disc.contains([0.8, 0.8])
    assert str(disc) == "{x in R^2 : |x| < 1}"


def test_mapped_domain_with_a_chart():
    double = MappedDomain(ig.domains.OpenSimplex(2), ScaledChart(IdentityChart(), 2.0), lambda xp, x: xp.sum(x, axis=-1) < 2,
                          lambda name: f"sum({name}) < 2")
    u, v, c = np.random.default_rng(0).standard_normal((3, 2))
    np.testing.assert_allclose(double.chart.inverse(double.chart(u)), u, rtol=1e-13)
    np.testing.assert_allclose(double.chart.push_forward(u, v) @ c, double.chart.pull_back(u, c) @ v, rtol=1e-13)


def test_a_chart_of_the_user():
    class Halved(ig.domains.Orthant):
        chart = ScaledChart(ExponentialChart(1, -1), 0.5)

    np.testing.assert_allclose(Halved(1, -1).interior_point, [0.5, -0.5])
    assert Halved(1, -1) == Halved(1, -1)


def test_a_set_of_observations_is_no_domain_of_coordinates():
    """Whose points are numbers, not vectors: a manifold of one's own is told where it is first used."""
    M = type("Own", (type(ig.Bernoulli()),), {"eta_domain": ig.domains.Interval(0.0, 1.0)})()
    for use in (lambda: M.to_theta([0.3]), lambda: ig.CrossEntropy(M, [0.3])):
        with pytest.raises(TypeError, match="must be sets of coordinate vectors.*got a set of observations, Interval"):
            use()
