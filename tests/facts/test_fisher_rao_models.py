"""Location–scale models and their logarithmic relatives: information by quadrature, distances, curvatures."""
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, gammaln

import infogeo as ig
from infogeo.errors import DomainError, ShapeError
from infogeo.geometry.manifolds.manifold import Riemannian
from infogeo.statistics.location_scale import LocationScale, LogLocationScale
from infogeo.testing import derived


def student(nu):
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return LocationScale.student_t(nu), lambda z: np.exp(constant - (nu + 1) / 2 * np.log1p(z * z / nu)), \
        lambda z: (nu + 1) * z / (nu + z * z)


# Model, density f of the standard variable, −f′/f, the interval of quadrature.
DENSITIES = {
    "normal": (LocationScale.normal(), lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi), lambda z: z, (-np.inf, np.inf)),
    "cauchy": (LocationScale.cauchy(), lambda z: 1 / np.pi / (1 + z * z), lambda z: 2 * z / (1 + z * z), (-np.inf, np.inf)),
    "student 3": (*student(3), (-np.inf, np.inf)),
    "student 7.5": (*student(7.5), (-np.inf, np.inf)),
    "logistic": (LocationScale.logistic(), lambda z: expit(z) * expit(-z), lambda z: np.tanh(z / 2), (-np.inf, np.inf)),
    "gumbel": (LocationScale.gumbel(), lambda z: np.exp(-z - np.exp(-z)), lambda z: -np.expm1(-z), (-6, 60)),
    "gumbel of minima": (LocationScale.gumbel_of_minima(), lambda z: np.exp(z - np.exp(z)), np.expm1, (-60, 6)),
    "laplace": (LocationScale.laplace(), lambda z: np.exp(-np.abs(z)) / 2, np.sign, (-60, 60)),
    "exponential": (LocationScale.exponential(), lambda z: np.exp(-z), lambda z: 1.0 + 0 * z, (0, np.inf)),
}
LOGARITHMIC = {"weibull": LogLocationScale.weibull(), "frechet": LogLocationScale.frechet(),
               "log-logistic": LogLocationScale.log_logistic(), "pareto": LogLocationScale.pareto()}
MODELS = {name: case[0] for name, case in DENSITIES.items()} | LOGARITHMIC
CURVATURES = {"normal": -1 / 2, "cauchy": -2, "student 3": -1, "student 7.5": -0.7, "logistic": -9 / (3 + np.pi**2),
              "gumbel": -6 / np.pi**2, "gumbel of minima": -6 / np.pi**2, "laplace": -1, "exponential": -1,
              "weibull": -6 / np.pi**2, "frechet": -6 / np.pi**2, "log-logistic": -9 / (3 + np.pi**2), "pareto": -1}
each = pytest.mark.parametrize("name", MODELS)


@pytest.mark.parametrize("name", DENSITIES)
def test_information_by_quadrature(name):
    """E[score scoreᵀ] of μ + σZ, with the scores s(z) / σ and (z s(z) − 1) / σ."""
    M, f, s, limits = DENSITIES[name]
    scores = (s, lambda z: z * s(z) - 1)
    pieces = [limits] if name != "laplace" else [(limits[0], 0), (0, limits[1])]
    found = [[sum(quad(lambda z: f(z) * u(z) * v(z), *piece, epsabs=1e-13, limit=200)[0] for piece in pieces) for u in scores]
             for v in scores]
    np.testing.assert_allclose(found, M.information, atol=1e-10)
    np.testing.assert_allclose(M.metric([3.0, 2.0]), M.information / 4, rtol=1e-15)


def test_weibull_metric_by_quadrature():
    """In the ordinary parameters, from derivatives of log f(x; λ, k) by differences."""
    M, at, h = LogLocationScale.weibull(), np.array([1.7, 2.3]), 1e-5

    def log_f(x, scale, shape):
        return np.log(shape / scale) + (shape - 1) * np.log(x / scale) - (x / scale) ** shape

    def score(i, x):
        step = h * np.eye(2)[i]
        return (log_f(x, *(at + step)) - log_f(x, *(at - step))) / (2 * h)

    found = [[quad(lambda x: np.exp(log_f(x, *at)) * score(i, x) * score(j, x), 1e-9, 12, limit=200)[0] for i in range(2)]
             for j in range(2)]
    np.testing.assert_allclose(found, M.metric(at), rtol=1e-6)


@each
def test_curvature(name):
    """From the hypotenuse c of a right triangle with two legs r: cosh(c/R) = cosh²(r/R), R = |K|^{−1/2}."""
    M, K = MODELS[name], CURVATURES[name]
    x = np.array([0.7, 1.3])
    L = np.linalg.cholesky(M.metric(x))
    legs = np.linalg.inv(L)                                       # rows: an orthonormal basis
    a, b = M.exp(x, 0.5 * legs[0]), M.exp(x, 0.5 * legs[1])
    R = (-K) ** -0.5
    assert np.isclose(legs[0] @ M.metric(x) @ legs[1], 0, atol=1e-14)
    assert np.isclose(M.distance(a, b), R * np.arccosh(np.cosh(0.5 / R) ** 2), rtol=1e-12)


@each
def test_against_the_numeric_geodesic(name):
    """Known only by its metric, each is solved to 1e-8 by the derived methods."""
    M = MODELS[name]
    x, y = np.array([0.7, 1.3]), np.array([1.9, 2.4])
    assert np.isclose(derived(Riemannian, "distance")(M, x, y), M.distance(x, y), rtol=1e-8)
    np.testing.assert_allclose(derived(Riemannian, "log")(M, x, y), M.log(x, y), rtol=1e-7)


def test_known_distances():
    """From (0, 1) to (1, 2): Laplace 0.9624236501, Cauchy 0.6805362894; normal as the family."""
    p, q = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    assert np.isclose(LocationScale.laplace().distance(p, q), 0.9624236501, rtol=6e-11)
    assert np.isclose(LocationScale.cauchy().distance(p, q), 0.6805362894, rtol=6e-11)
    assert np.isclose(LocationScale.student_t(1).distance(p, q), 0.6805362894, rtol=6e-11)
    assert np.isclose(LocationScale.normal().distance(p, q), 1.1893809314, rtol=6e-11)
    nearly_normal = LocationScale.student_t(1e9)
    assert np.isclose(nearly_normal.distance(p, q), 1.1893809314, rtol=1e-8)


def test_formulas_of_the_distances():
    """R arccosh(1 + (Δu² + Δv²) / (2 v v′)): logistic, Gumbel, Weibull, Pareto, Student."""
    def H(R, u, v):
        return R * np.arccosh(1 + ((u[1] - u[0]) ** 2 + (v[1] - v[0]) ** 2) / (2 * v[0] * v[1]))

    gamma, x, y = np.euler_gamma, np.array([0.4, 1.5]), np.array([2.5, 0.8])
    (m, n), (s, t) = zip(x, y)
    pairs = {
        "logistic": H(np.sqrt((np.pi**2 + 3) / 9), np.array([m, n]) * np.sqrt(3 / (np.pi**2 + 3)), (s, t)),
        "student 3": H(1.0, np.array([m, n]) * np.sqrt(2 / 3), (s, t)),
        "gumbel": H(np.pi / 6**0.5, np.array([m - (1 - gamma) * s, n - (1 - gamma) * t]) * 6**0.5 / np.pi, (s, t)),
        "weibull": H(np.pi / 6**0.5, np.array([np.log(m) + (1 - gamma) / s, np.log(n) + (1 - gamma) / t]) * 6**0.5 / np.pi,
                     (1 / s, 1 / t)),
        "pareto": H(1.0, np.log([m, n]), (1 / s, 1 / t)),
    }
    for name, d in pairs.items():
        assert np.isclose(MODELS[name].distance(x, y), d, rtol=1e-13), name


def test_a_known_shape_makes_the_way_longer():
    """Weibull laws of one shape are no geodesic among those of all shapes; near points see no difference."""
    weibull, M = ig.Weibull(1.7), LogLocationScale.weibull()
    within = weibull.distance(weibull.theta_from(scale=2.0), weibull.theta_from(scale=6.0))
    across = M.distance(*(M.point_from(scale=s, shape=1.7) for s in (2.0, 6.0)))
    assert across < within
    nearly = M.distance(*(M.point_from(scale=s, shape=1.7) for s in (2.0, 2.0001)))
    assert np.isclose(nearly, weibull.distance(*(weibull.theta_from(scale=s) for s in (2.0, 2.0001))), rtol=1e-8)


@each
def test_near_points(name):
    """To 1e-12 of the norm of the step at its middle, where the step is 1e-8."""
    M, rng = MODELS[name], np.random.default_rng(5)
    x = M.domain.sample(rng, (40,))
    y = x + 1e-8 * np.abs(x) * rng.standard_normal(x.shape)
    np.testing.assert_allclose(M.distance(x, y), M.norm(0.5 * (x + y), y - x), rtol=1e-12)


def test_parameters():
    M = LogLocationScale.pareto()
    x = M.point_from(minimum=2.0, exponent=[1.0, 3.0])
    assert x.shape == (2, 2) and M.parameters(x)["minimum"].tolist() == [2.0, 2.0]
    assert LocationScale.gumbel().parameters(np.array([1.0, 2.0])) == {"location": 1.0, "scale": 2.0}
    with pytest.raises(TypeError, match="takes the parameters minimum, exponent; got scale"):
        M.point_from(scale=1.0)
    with pytest.raises(DomainError, match="exponent must satisfy"):
        M.point_from(minimum=1.0, exponent=-1.0)
    with pytest.raises(DomainError, match="degrees_of_freedom must satisfy"):
        LocationScale.student_t(0.0)


def test_information_must_be_a_metric():
    with pytest.raises(ShapeError, match=r"information must have shape \(2, 2\); got \(3,\)"):
        LocationScale([1.0, 2.0, 3.0])
    for wrong in ([[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.4, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]):
        with pytest.raises(DomainError, match="information symmetric and positive definite"):
            LocationScale(wrong)


@pytest.mark.parametrize(("model", "expected"), [
    (LocationScale.laplace(), -1.0), (LocationScale.cauchy(), -2.0), (LocationScale.student_t(5.0), -8.0 / 10.0),
    (LocationScale.logistic(), -9.0 / (3.0 + np.pi**2)), (LocationScale.gumbel(), -6.0 / np.pi**2),
    (LogLocationScale.weibull(), -6.0 / np.pi**2), (LogLocationScale.frechet(), -6.0 / np.pi**2),
    (LogLocationScale.pareto(), -1.0),
], ids=["laplace", "cauchy", "student", "logistic", "gumbel", "weibull", "frechet", "pareto"])
def test_sectional_curvature_from_the_metric_alone(model, expected):
    """By differences of the metric, to their stated accuracy, at several points."""
    points = model.domain.sample(np.random.default_rng(0), (5,))
    u, v = np.broadcast_to(np.eye(2)[:, None, :], (2, 5, 2))
    np.testing.assert_allclose(ig.sectional_curvature(model, points, u, v), expected, rtol=1e-6)
