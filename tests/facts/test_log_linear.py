"""Log-linear families: exact sums, near and extreme points, the hull of the statistics, samples, errors."""
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.families.log_linear import LogLinear
from infogeo.families.state_inversion import Inversion

from .state_helpers import ExactStates

ROWS = np.array([[0.0, 1.0], [1.0, 0.5], [0.3, -1.0], [-0.8, 0.2], [0.5, 0.9]])
BASE = np.array([0.1, -0.4, 0.0, 0.6, -1.0])
FAMILY, EXACT = LogLinear(ROWS, BASE), ExactStates(ROWS, BASE)


@pytest.mark.parametrize("theta", [[0.0, 0.0], [0.3, -1.2], [4.0, 3.0], [-20.0, 11.0], [300.0, -500.0]], ids=str)
def test_against_extended_precision(theta):
    expected, log_p = EXACT.all(theta)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(FAMILY, name)(theta), value, rtol=2e-12, atol=1e-300, err_msg=name)
    np.testing.assert_allclose(FAMILY.log_density(theta, np.arange(5.0)), log_p, rtol=1e-12)
    np.testing.assert_allclose(FAMILY.parameters(theta)["probabilities"], np.exp(log_p), rtol=1e-12, atol=1e-320)
    vector = np.array([0.3, -2.0])
    np.testing.assert_allclose(FAMILY.flat(theta, vector), expected["metric"] @ vector, rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(FAMILY.expected_log_base_measure(theta), np.exp(log_p) @ BASE, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("distance", [1e-12, 1e-10, 1e-6, 1e-2, 1.0, 30.0, 1e3])
@pytest.mark.parametrize("theta", [[0.2, -0.4], [6.0, 9.0], [-40.0, 35.0]], ids=str)
def test_kl_near_far_and_extreme(theta, distance):
    p, q = np.array(theta), np.array(theta) + distance * np.array([1.0, -0.7])
    np.testing.assert_allclose(FAMILY.kl(p, q), EXACT.kl(p, q), rtol=1e-11)
    np.testing.assert_allclose(FAMILY.kl(q, p), EXACT.kl(q, p), rtol=1e-11)


def test_kl_that_leaves_the_range_of_floats():
    """All of p on a state that q has at e^{−3000}."""
    family = LogLinear([[0.0], [1.0]])
    np.testing.assert_allclose(family.kl([1000.0], [-2000.0]), 2000.0, rtol=1e-14)
    assert family.kl([1000.0], [1000.0]) == 0


CORNERS = LogLinear([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [3.0, 4.0]], [0.0, 0.5, -1.0, 0.25])
EXACT_CORNERS = ExactStates(CORNERS.statistics, CORNERS.log_base)


@pytest.mark.parametrize("theta, other", [
    ([52.65873009645726, 20.449826135534934], [-51.343196609579145, 58.850682876435975]),
    ([28.139793762124206, 53.48077064192496], [28.139793762124206, 50.0])], ids=str)
def test_a_nearly_certain_state(theta, other):
    """Its log-probability, and the moments of the others, down to 1e-82 beside the 1 of its own probability."""
    expected, log_p = EXACT_CORNERS.all(theta)
    assert -1e-20 < log_p[3] < 0
    np.testing.assert_allclose(CORNERS.log_density(theta, np.arange(4.0)), log_p, rtol=1e-12)
    np.testing.assert_allclose(CORNERS.metric(theta), expected["metric"], rtol=1e-12)
    np.testing.assert_allclose(CORNERS.cubic_tensor(theta), expected["cubic_tensor"], rtol=1e-12)
    np.testing.assert_allclose(CORNERS.kl(theta, other), EXACT_CORNERS.kl(theta, other), rtol=1e-11)


@pytest.mark.parametrize("theta", [[-10.925026776911302, -3.410969721476757], [7.907765475414543, -9.65877196501083],
                                   [-20.0, -15.0], [2.5, 3.0]], ids=str)
def test_inversion_next_to_a_corner(theta):
    """η down to 1e-21: θ within ten times what its rounding costs."""
    eta = CORNERS.to_eta(theta)
    expected, cost = EXACT_CORNERS.inverse(eta, theta)
    assert np.all(np.abs(CORNERS.to_theta(eta) - expected) <= 10 * cost)


def test_the_search_takes_newton_steps():
    """G⁻¹ g where the metric is regular: what is added to it is rounding."""
    theta = np.array([0.3, -1.2])
    eta = FAMILY.to_eta(theta)
    z = (theta + 1e-7) * FAMILY._scale[1]
    search = Inversion(FAMILY, NUMPY, eta)
    expected = np.linalg.solve(search._metric(z), search._gradient(z))
    np.testing.assert_allclose(search._direction(z, search._gradient(z)), expected, rtol=1e-6)


def test_indicators_are_categorical():
    rng = np.random.default_rng(0)
    own, categorical = LogLinear(np.eye(5)[:, :4]), ig.Categorical(5)
    theta, other = 3.0 * rng.normal(size=(2, 20, 4))
    eta = categorical.to_eta(theta)
    for name in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        np.testing.assert_allclose(getattr(own, name)(theta), getattr(categorical, name)(theta), rtol=1e-11, atol=1e-14,
                                   err_msg=name)
    np.testing.assert_allclose(own.to_theta(eta), categorical.to_theta(eta), rtol=1e-9)
    np.testing.assert_allclose(own.kl(theta, other), categorical.kl(theta, other), rtol=1e-12)
    np.testing.assert_array_equal(own.sample(np.random.default_rng(1), theta, 50),
                                  categorical.sample(np.random.default_rng(1), theta, 50))


@pytest.mark.parametrize("scale, shift", [(1.0, 0.0), (1e-8, 0.0), (1e6, 0.0), (1.0, 100.0)])
def test_inversion_to_the_conditioning(scale, shift):
    """Also for statistics of another size, and of another origin."""
    family = LogLinear(scale * ROWS + shift)
    theta = np.random.default_rng(2).normal(size=(50, 2)) / scale
    eta = family.to_eta(theta)
    back = family.to_theta(eta)
    kappa = np.linalg.cond(family.metric(theta))
    lost = 10 * np.finfo(float).eps * kappa * (1 + shift / scale) * (1 + np.abs(theta * scale).max(axis=-1)) / scale
    assert np.all(np.abs(back - theta).max(axis=-1) <= 10 * lost)


def test_the_hull_of_the_statistics():
    """A triangle: inside, on a side, at a corner, just outside, far out."""
    family = LogLinear([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.25, 0.25]])
    eta = np.array([[0.3, 0.3], [0.5, 0.5], [0.0, 0.4], [1.0, 0.0], [0.5, 0.5 + 1e-9], [-3.0, 7.0], [np.nan, 0.1],
                    [0.5, 0.5 - 1e-9]])
    inside = [True, False, False, False, False, False, False, True]
    np.testing.assert_array_equal(family.eta_domain.contains(eta), inside)
    theta = family.to_theta(eta)
    np.testing.assert_array_equal(np.isfinite(theta).all(axis=-1), inside)
    np.testing.assert_allclose(family.to_eta(theta[[0, 7]]), eta[[0, 7]], rtol=1e-14, atol=1e-14)
    with pytest.raises(ig.DomainError, match="inside the convex hull of the statistics"):
        family.fit([0, 1, 1, 1])                # never a state that balances the first statistic against the second


@pytest.mark.parametrize("distance", [1e-12, 1e-10, 1e-8, 1e-6, 1e-3])
def test_next_to_a_side_of_the_hull(distance):
    """Just inside there is θ, just outside there is none: no search is lost in between."""
    side = 0.7 * ROWS[1] + 0.3 * ROWS[4]
    normal = np.array([ROWS[4, 1] - ROWS[1, 1], ROWS[1, 0] - ROWS[4, 0]])
    eta = side + distance * np.array([[-1.0], [1.0]]) * normal
    theta = FAMILY.to_theta(eta)
    np.testing.assert_array_equal(np.isfinite(theta).all(axis=-1), [True, False])
    np.testing.assert_allclose(FAMILY.to_eta(theta[0]), eta[0], rtol=1e-13)


def test_fit_matches_moments():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, (400, 3)).astype(float)
    weights = rng.random((400, 3))
    theta = FAMILY.fit(x, weights)
    mean = np.sum(weights[..., None] * ROWS[x.astype(int)], axis=0) / weights.sum(axis=0)[:, None]
    np.testing.assert_allclose(FAMILY.to_eta(theta), mean, rtol=1e-12, atol=1e-13)


def test_theta_from_any_probabilities_is_the_m_projection():
    p = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    theta = FAMILY.theta_from(probabilities=p)
    np.testing.assert_allclose(FAMILY.to_eta(theta), p @ ROWS, rtol=1e-13)
    own = FAMILY.parameters([0.4, -1.0])["probabilities"]
    np.testing.assert_allclose(FAMILY.theta_from(probabilities=own), [0.4, -1.0], rtol=1e-13)


def test_samples_have_the_probabilities():
    theta = np.array([[0.4, -1.0], [2.0, 1.0]])
    x = FAMILY.sample(np.random.default_rng(4), theta, 20000)
    assert x.shape == (20000, 2)
    for i in range(2):
        expected = 20000 * FAMILY.parameters(theta[i])["probabilities"]
        assert scipy.stats.chisquare(np.bincount(x[:, i].astype(int), minlength=5), expected).pvalue > 1e-4


@pytest.mark.parametrize("arguments, message", [
    ((np.zeros(3),), "statistics must have shape"),
    (([[1.0, 2.0], [2.0, 1.0]],), "rank = 2, the number of columns, less their means; got 1"),
    (([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]],), "rank = 2"),
    (([[1.0], [np.nan]],), "statistics finite; 1 of 2 points does not"),
    (([[1.0], [0.0]], [0.0]), "log_base must have shape"),
    (([[1.0], [0.0]], [0.0, -np.inf]), "log_base finite"),
])
def test_constructor_refuses(arguments, message):
    with pytest.raises((ig.DomainError, ig.ShapeError), match=message):
        LogLinear(*arguments)
