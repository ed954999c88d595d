"""Fisher–Rao distances and geodesics in closed form: known values, near points, far points, ends of the simplex."""
import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.spatial import geometric_slerp

import infogeo as ig
from infogeo.errors import ConvergenceError
from infogeo.families.calvo_oller import calvo_oller_bound
from infogeo.families.normal_geodesic import Whitened
from infogeo.geometry.manifolds.half_plane import HalfSpace
from infogeo.geometry.manifolds.manifold import Riemannian
from infogeo.testing import derived

# Family, the ordinary parameters of two distributions, their distance.
KNOWN = {
    "Bernoulli": (ig.Bernoulli(), dict(probability=0.2), dict(probability=0.9), 1.5707963268),
    "Binomial": (ig.Binomial(9), dict(probability=0.2), dict(probability=0.9), 3 * 1.5707963268),
    "Categorical": (ig.Categorical(3), dict(probabilities=[0.5, 0.3, 0.2]), dict(probabilities=[0.2, 0.3, 0.5]), 0.7392907102),
    "Categorical, first": (ig.Categorical(3), dict(probabilities=[0.5, 0.3, 0.2]), dict(probabilities=[0.1, 0.2, 0.7]),
                           1.13695529039747),
    "Multinomial": (ig.Multinomial(3, 4), dict(probabilities=[0.5, 0.3, 0.2]), dict(probabilities=[0.2, 0.3, 0.5]),
                    2 * 0.7392907102),
    "Poisson": (ig.Poisson(), dict(rate=4.0), dict(rate=9.0), 2.0),
    "Geometric": (ig.Geometric(), dict(probability=0.2), dict(probability=0.7), 1.6570269410),
    "NegativeBinomial": (ig.NegativeBinomial(2.25), dict(probability=0.2), dict(probability=0.7), 1.5 * 1.6570269410),
    "Exponential": (ig.Exponential(), dict(rate=2.0), dict(rate=6.0), np.log(3)),
    "Rayleigh": (ig.Rayleigh(), dict(scale=2.0), dict(scale=6.0), 2 * np.log(3)),
    "Pareto": (ig.Pareto(1.5), dict(exponent=2.0), dict(exponent=6.0), np.log(3)),
    "Erlang": (ig.Erlang(4), dict(rate=2.0), dict(rate=6.0), 2 * np.log(3)),
    "Weibull": (ig.Weibull(1.7), dict(scale=2.0), dict(scale=6.0), 1.7 * np.log(3)),
    "HalfNormal": (ig.HalfNormal(), dict(scale=2.0), dict(scale=6.0), np.sqrt(2) * np.log(3)),
    "Laplace of known location": (ig.Laplace(0.5), dict(scale=2.0), dict(scale=6.0), np.log(3)),
    "Gumbel of known scale": (ig.Gumbel(2.0), dict(location=1.0), dict(location=4.0), 1.5),
    "Normal": (ig.Normal(), dict(mean=0.0, variance=1.0), dict(mean=1.0, variance=4.0), 1.1893809314),
    "Normal, farther": (ig.Normal(), dict(mean=0.0, variance=1.0), dict(mean=3.0, variance=4.0), 2.1362371153),
    "Normal of the same mean": (ig.Normal(), dict(mean=7.0, variance=4.0), dict(mean=7.0, variance=36.0), np.sqrt(2) * np.log(3)),
    "NormalKnownMean": (ig.NormalKnownMean(7.0), dict(variance=4.0), dict(variance=36.0), np.sqrt(2) * np.log(3)),
    "NormalKnownVariance": (ig.NormalKnownVariance(4.0), dict(mean=1.0), dict(mean=4.0), 1.5),
    "LogNormal": (ig.LogNormal(), dict(mean=0.0, variance=1.0), dict(mean=1.0, variance=4.0), 1.1893809314),
    "InverseGaussian": (ig.InverseGaussian(), dict(mean=1.0, shape=2.0), dict(mean=4.0, shape=3.0),
                        np.sqrt(2) * np.arccosh(1 + (0.5 + (2**-0.5 - 3**-0.5) ** 2) / (2 * 6**-0.5))),
    "MultivariateNormal": (ig.MultivariateNormal(2), dict(mean=[0.0, 0.0], covariance=[[1.0, 0.0], [0.0, 0.1]]),
                           dict(mean=[1.0, 1.0], covariance=[[0.1, 0.0], [0.0, 1.0]]), 3.1329316711),
    "MultivariateNormal of the same covariance":
        (ig.MultivariateNormal(2), dict(mean=[0.0, 0.0], covariance=[[1.0, 0.3], [0.3, 0.5]]),
         dict(mean=[1.0, 2.0], covariance=[[1.0, 0.3], [0.3, 0.5]]), 2.4989846236),
    "MultivariateNormalKnownCovariance": (ig.MultivariateNormalKnownCovariance([[1.0, 0.3], [0.3, 0.5]]),
                                          dict(mean=[0.0, 0.0]), dict(mean=[1.0, 2.0]), 2.8370372729),
}


def ends(case):
    M, p, q, d = KNOWN[case]
    return M, M.theta_from(**p), M.theta_from(**q), d


@pytest.mark.parametrize("case", KNOWN)
def test_known_distances(case):
    """To the digits that are written above, in both directions."""
    M, p, q, d = ends(case)
    assert np.isclose(M.distance(p, q), d, rtol=6e-11, atol=0)
    assert np.isclose(M.distance(q, p), M.distance(p, q), rtol=1e-13)


@pytest.mark.parametrize("case", KNOWN)
def test_against_the_numeric_geodesic(case):
    """The derived methods of `Riemannian`, which solve the geodesic equation, agree to 1e-8."""
    M, p, q, _ = ends(case)
    if M.dim == 1:
        t, weight = np.polynomial.legendre.leggauss(60)
        between = p + 0.5 * (t[:, None] + 1) * (q - p)
        assert np.isclose(np.sum(0.5 * weight * M.norm(between, q - p)), M.distance(p, q), rtol=1e-12)
        return
    assert np.isclose(derived(Riemannian, "distance")(M, p, q), M.distance(p, q), rtol=1e-8)
    assert np.allclose(derived(Riemannian, "geodesic")(M, p, q, 0.3), M.geodesic(p, q, 0.3), rtol=1e-7)
    assert np.allclose(derived(Riemannian, "log")(M, p, q), M.log(p, q), rtol=1e-7, atol=1e-8)


def test_midpoint_of_two_categoricals():
    """The great circle in √p."""
    M, p, q, d = ends("Categorical, first")
    middle = M.parameters(M.geodesic(p, q, 0.5))["probabilities"]
    np.testing.assert_allclose(middle, [0.284148632720, 0.268596731195, 0.447254636085], atol=5e-13)
    t = np.linspace(0, 1, 7)
    slerp = geometric_slerp(np.sqrt([0.5, 0.3, 0.2]), np.sqrt([0.1, 0.2, 0.7]), t)
    np.testing.assert_allclose(M.parameters(M.geodesic(p, q, t))["probabilities"], slerp**2, rtol=1e-13)
    bernoulli = ig.Bernoulli()
    two = bernoulli.geodesic(np.array([-1.0]), np.array([2.0]), t)
    np.testing.assert_allclose(two, ig.Categorical(2).geodesic(np.array([-1.0]), np.array([2.0]), t), rtol=1e-13)


def test_the_simplex_ends():
    """A great circle leaves the simplex: NaN beyond, on either side; towards a corner log-odds stay finite."""
    M = ig.Categorical(3)
    p, q = M.theta_from(probabilities=[0.5, 0.3, 0.2]), M.theta_from(probabilities=[0.1, 0.2, 0.7])
    assert np.isfinite(M.geodesic(p, q, np.array([-0.2, 0.0, 1.0, 1.2]))).all()
    assert np.isnan(M.geodesic(p, q, np.array([-2.0, 2.0, 5.0]))).all()
    assert np.isnan(M.exp(p, 4.0 * M.log(p, q))).all()
    once_around = 4 * np.pi / M.distance(p, q)
    assert np.isnan(M.exp(p, (1 + once_around) * M.log(p, q))).all() and np.isnan(M.geodesic(p, q, 1 + once_around)).all()
    corner = np.array([-80.0, -75.0])
    assert np.isclose(M.distance(p, corner), 2 * np.arccos(np.sqrt(0.2)), rtol=1e-12)
    # The corner is 1e-17 from the edge of the arc, nearer than velocities are rounded, so `exp` is asked on either side of it.
    velocity = M.log(p, corner)
    np.testing.assert_allclose(M.exp(p, 0.999 * velocity), M.geodesic(p, corner, 0.999), rtol=1e-11)
    assert np.isnan(M.exp(p, 1.001 * velocity)).all() and np.isnan(M.geodesic(p, corner, 1.001)).all()
    assert not np.isinf(M.exp(p, velocity * np.linspace(1 - 1e-14, 1 + 1e-14, 201)[:, None])).any()
    resolved = np.array([-20.0, -15.0])
    np.testing.assert_allclose(M.exp(p, M.log(p, resolved)), resolved, rtol=1e-9)
    np.testing.assert_allclose(M.geodesic(p, corner, 1.0), corner, rtol=1e-15)
    np.testing.assert_allclose(M.geodesic(corner, p, 1.0), p, rtol=1e-15)


def test_no_exit():
    """Flat manifolds of one coordinate that end: NaN beyond the end."""
    poisson = ig.Poisson()
    assert np.isnan(poisson.exp(np.zeros(1), np.array([-2.5]))).all()
    assert np.isclose(poisson.exp(np.zeros(1), np.array([-1.0]))[0], 2 * np.log(0.5), rtol=1e-15)
    assert np.isnan(ig.InverseGaussian().exp(np.array([-1.0, -1.0]), np.array([20.0, 10.0]))).all()
    geometric = ig.Geometric()
    assert np.isnan(geometric.exp(np.array([-3.0]), np.array([-20.0]))).all()


@pytest.mark.parametrize("gap", [1e-12, 1e-8, 1e-4, 1.0])
def test_near_points(gap):
    """Relative 1e-12 against 50 digits, for the coordinates as they are given."""
    def exactly(x):
        return [mpmath.mpf(float(v)) for v in x]

    inverse_gaussian_ends = np.array([-1.3, -0.7]), np.array([-1.3 * (1 + gap), -0.7 * (1 - 0.3 * gap)])
    with mpmath.workdps(50):
        theta_p, theta_q = np.array([0.4, -0.7]), np.array([0.4 + gap, -0.7 * (1 + 0.7 * gap)])
        (a, b), (c, d) = exactly(theta_p), exactly(theta_q)
        half = mpmath.mpf("0.5")
        sigma_p, sigma_q = mpmath.sqrt(-half / b), mpmath.sqrt(-half / d)
        square = (c / d - a / b) ** 2 / 8 + (sigma_p - sigma_q) ** 2
        normal = mpmath.sqrt(2) * mpmath.acosh(1 + square / (2 * sigma_p * sigma_q))
        roots_p, roots_q = ([mpmath.exp(x / 2) for x in (*xs, mpmath.mpf(0))] for xs in ((a, b), (c, d)))
        norm = mpmath.sqrt(sum(r * r for r in roots_p)) * mpmath.sqrt(sum(r * r for r in roots_q))
        categorical = 2 * mpmath.acos(sum(x * y for x, y in zip(roots_p, roots_q)) / norm)
        geometric = 2 * mpmath.atanh(mpmath.exp(d / 2)) - 2 * mpmath.atanh(mpmath.exp(b / 2))
        poisson = 2 * mpmath.exp(c / 2) - 2 * mpmath.exp(a / 2)
        bernoulli = 2 * mpmath.atan(mpmath.exp(c / 2)) - 2 * mpmath.atan(mpmath.exp(a / 2))
        exponential = mpmath.log(b / d)
        mu, lam = lambda x, y: mpmath.sqrt(y / x), lambda y: -2 * y
        x, y = map(exactly, inverse_gaussian_ends)
        du = mpmath.sqrt(2 / mu(*x)) - mpmath.sqrt(2 / mu(*y))
        v, w = 1 / mpmath.sqrt(lam(x[1])), 1 / mpmath.sqrt(lam(y[1]))
        inverse_gaussian = mpmath.sqrt(2) * mpmath.acosh(1 + (du**2 + (v - w) ** 2) / (2 * v * w))
    cases = [(ig.Normal(), theta_p, theta_q, normal), (ig.Categorical(3), theta_p, theta_q, categorical),
             (ig.MultivariateNormal(1), theta_p, theta_q, normal), (ig.LogNormal(), theta_p, theta_q, normal),
             (ig.Geometric(), theta_p[1:], theta_q[1:], geometric), (ig.Poisson(), theta_p[:1], theta_q[:1], poisson),
             (ig.Bernoulli(), theta_p[:1], theta_q[:1], bernoulli), (ig.Exponential(), theta_p[1:], theta_q[1:], exponential),
             (ig.InverseGaussian(), *inverse_gaussian_ends, inverse_gaussian)]
    for M, p, q, d in cases:
        assert np.isclose(M.distance(p, q), abs(float(d)), rtol=1e-12, atol=0), M


def test_far_points():
    """Means and variances that are decades apart: no saturation, and no 0 for means that differ by 1e-8."""
    M = ig.Normal()
    at = lambda mean, variance: M.theta_from(mean=mean, variance=variance)
    assert np.isclose(M.distance(at(0.0, 1.0), at(1e12, 1.0)), np.sqrt(2) * np.arccosh(1 + 1e24 / 4), rtol=1e-13)
    assert np.isclose(M.distance(at(0.0, 1e-120), at(0.0, 1e120)), np.sqrt(2) * 120 * np.log(10), rtol=1e-13)
    assert np.isclose(M.distance(at(0.0, 1.0), at(1e-8, 1.0)), 1e-8, rtol=1e-12)
    p, q = at(0.0, 1e-6), at(1e6, 1e3)
    t = np.linspace(0, 1, 9)
    curve = M.geodesic(p, q, t)
    np.testing.assert_allclose(M.distance(p, curve), t * M.distance(p, q), rtol=1e-12)
    np.testing.assert_allclose(M.distance(curve, q), (1 - t) * M.distance(p, q), rtol=1e-12, atol=1e-12)


def test_the_isotropic_normal_is_part_of_the_diagonal_and_the_diagonal_of_the_full():
    """Distances within submanifolds are never shorter; a sum of squares over the coordinates; equal for equal means."""
    rng = np.random.default_rng(0)
    means, v = rng.standard_normal((2, 50, 3)), np.exp(rng.standard_normal((2, 50)))
    isotropic, diagonal, full = ig.IsotropicNormal(3), ig.DiagonalNormal(3), ig.MultivariateNormal(3)

    def distances(means):
        in_isotropic = isotropic.distance(*(isotropic.theta_from(mean=m, variance=s) for m, s in zip(means, v)))
        variances = np.broadcast_to(v[..., None], (2, 50, 3))
        in_diagonal = diagonal.distance(*(diagonal.theta_from(mean=m, variance=s) for m, s in zip(means, variances)))
        in_full = full.distance(*(full.theta_from(mean=m, covariance=s[..., None] * np.eye(3)) for m, s in zip(means, variances)))
        return in_isotropic, in_diagonal, in_full

    in_isotropic, in_diagonal, in_full = distances(means)
    assert np.all(in_isotropic > in_diagonal) and np.all(in_diagonal > in_full)
    one = ig.Normal()
    each = one.distance(*(one.theta_from(mean=m, variance=np.broadcast_to(s[:, None], (50, 3))) for m, s in zip(means, v)))
    np.testing.assert_allclose(in_diagonal, np.sqrt(np.sum(each**2, axis=-1)), rtol=1e-13)
    for d in distances(np.zeros((2, 50, 3))):
        np.testing.assert_allclose(d, np.sqrt(1.5) * np.abs(np.log(v[0] / v[1])), rtol=1e-12)


# The multivariate normal distributions

def random_normals(p, n, seed, spread=1.0):
    M, rng = ig.MultivariateNormal(p), np.random.default_rng(seed)
    root = spread * rng.standard_normal((2, n, p, p))
    covariance = np.matmul(root, np.swapaxes(root, -1, -2)) + 0.3 * np.eye(p)
    return M, *(M.theta_from(mean=m, covariance=c) for m, c in zip(rng.standard_normal((2, n, p)), covariance))


def test_bounds_of_two_normals():
    """Calvo & Oller 3.0470193038 ≤ 3.1329316711 ≤ √J = 4.37035468."""
    M, p, q, d = ends("MultivariateNormal")
    assert np.isclose(calvo_oller_bound(M, p, q), 3.0470193038, rtol=2e-11)
    assert np.isclose(np.sqrt(ig.jeffreys(M, p, q)), 4.37035468, rtol=1e-9)
    for size in (2, 3, 5):
        M, p, q = random_normals(size, 40, size)
        below, between, above = calvo_oller_bound(M, p, q), M.distance(p, q), np.sqrt(ig.jeffreys(M, p, q))
        assert np.all(below < between) and np.all(between < above)
        near = M.exp(p, 1e-5 * M.log(p, q))
        np.testing.assert_allclose(calvo_oller_bound(M, p, near), M.distance(p, near), rtol=1e-9)


def test_one_dimension_is_the_half_plane():
    rng = np.random.default_rng(3)
    one, M = ig.Normal(), ig.MultivariateNormal(1)
    p, q = (M.theta_domain.sample(rng, (100,)) for _ in range(2))
    np.testing.assert_allclose(M.distance(p, q), one.distance(p, q), rtol=1e-12)
    np.testing.assert_allclose(M.geodesic(p, q, 0.4), one.geodesic(p, q, 0.4), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(M.log(p, q), one.log(p, q), rtol=1e-9, atol=1e-10)


def test_same_mean():
    """√(½ Σ log² λ) with the eigenvalues of Σ_p⁻¹Σ_q, and Σ_p (Σ_p⁻¹Σ_q)^t on the way."""
    rng = np.random.default_rng(4)
    a, b = (x @ x.T for x in rng.standard_normal((2, 4, 4)))
    M = ig.MultivariateNormal(4)
    p, q = (M.theta_from(mean=np.arange(4.0), covariance=c) for c in (a, b))
    values, vectors = np.linalg.eig(np.linalg.solve(a, b))
    assert np.isclose(M.distance(p, q), np.sqrt(0.5 * np.sum(np.log(values) ** 2)), rtol=1e-10)
    middle = M.parameters(M.geodesic(p, q, 0.5))
    np.testing.assert_allclose(middle["mean"], np.arange(4.0), atol=1e-11)
    root = (vectors * np.sqrt(values)) @ np.linalg.inv(vectors)
    np.testing.assert_allclose(middle["covariance"], a @ root, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_geodesic_equation(size):
    """Started at p with the velocity log(p, q), an integrator of μ̈ = Σ̇Σ⁻¹μ̇, Σ̈ = Σ̇Σ⁻¹Σ̇ − μ̇μ̇ᵀ arrives at q."""
    M, p, q = random_normals(size, 1, 10 + size)
    p, q = p[0], q[0]
    start, end = M.parameters(p), M.parameters(q)
    a, m = M._pair(np, M.log(p, q))
    d_mean, d_cov = M._push(np, start["mean"], start["covariance"], a, m)

    def rates(t, y):
        cov, d_mean, d_cov = (y[k:k + n].reshape(shape) for k, n, shape in (
            (size, size**2, (size, size)), (size + size**2, size, size), (2 * size + size**2, size**2, (size, size))))
        turned = d_cov @ np.linalg.inv(cov)
        return np.concatenate([d_mean, d_cov.ravel(), turned @ d_mean, (turned @ d_cov - np.outer(d_mean, d_mean)).ravel()])

    y0 = np.concatenate([start["mean"], start["covariance"].ravel(), d_mean, d_cov.ravel()])
    found = solve_ivp(rates, (0, 1), y0, method="DOP853", rtol=1e-11, atol=1e-12, t_eval=[0.3, 1.0]).y.T
    way = M.parameters(M.geodesic(p, q, 0.3))
    for y, mean, cov in ((found[0], way["mean"], way["covariance"]), (found[1], end["mean"], end["covariance"])):
        np.testing.assert_allclose(y[:size], mean, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(y[size:size + size**2].reshape(size, size), cov, rtol=1e-7, atol=1e-8)


def test_every_point_of_the_fibre_gives_an_upper_bound():
    """Any skew A gives a path to q of length ‖Λ(A)‖/√2; its slope and curvature in A are those of differences."""
    M, p, q = random_normals(3, 30, 21)
    xp, p, q = M.point(p, q)
    seen = M._whitened(xp, p, q)
    rng = np.random.default_rng(1)
    a, b = (x - np.swapaxes(x, -1, -2) for x in 0.5 * rng.standard_normal((2, 30, 3, 3)))
    lowest = seen.lowest().value
    assert np.all(seen._at(a).value > lowest) and np.all(seen._at(0 * a).value >= lowest)
    h, at = 1e-5, seen._at(a)
    up, down = seen._at(a + h * b), seen._at(a - h * b)
    np.testing.assert_allclose((up.value - down.value) / (2 * h), np.sum(at.gradient * b, axis=(-2, -1)), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose((up.gradient - down.gradient) / (2 * h), seen._curvature(at, b), rtol=1e-5, atol=1e-7)


def test_twenty_dimensions_and_rows():
    """210 + 20 coordinates; a batch is its rows."""
    M, p, q = random_normals(20, 2, 5)
    d = M.distance(p, q)
    assert np.all(calvo_oller_bound(M, p, q) < d) and np.all(d < np.sqrt(ig.jeffreys(M, p, q)))
    np.testing.assert_allclose(M.distance(q, p), d, rtol=1e-11)
    np.testing.assert_allclose([M.distance(p[i], q[i]) for i in range(2)], d, rtol=1e-12)
    np.testing.assert_allclose(M.norm(p, M.log(p, q)), d, rtol=1e-11)


def test_a_search_that_does_not_end_says_so(monkeypatch):
    M, p, q = random_normals(3, 2, 6)
    monkeypatch.setattr(Whitened, "_search", lambda self, at, found, step, running, lower: (at, found, running & False))
    with pytest.raises(ConvergenceError, match=r"2 of 2 rows, first at index \(0,\)"):
        M.distance(p, q)


def test_outside_the_domain_is_nan():
    M, p, q = random_normals(3, 3, 7)
    broken = q.copy()
    broken[1, 3:] *= -1
    for value in (M.distance(p, broken), M.geodesic(p, broken, 0.5)[:, 0], M.log(p, broken)[:, 0], M.exp(broken, p)[:, 0]):
        assert np.isnan(value).tolist() == [False, True, False]
    for M, x in ((ig.Normal(), np.array([0.0, 1.0])), (ig.Exponential(), np.array([1.0])), (ig.Geometric(), np.array([1.0])),
                 (ig.InverseGaussian(), np.array([1.0, 1.0])), (ig.LogDet(2), np.array([-1.0, 0.0, 1.0]))):
        inside = M.theta_domain.interior_point
        assert np.isnan(M.distance(inside, x)) and np.isnan(M.log(inside, x)).any() and np.isnan(M.geodesic(inside, x, 0.5)).any()


# The half-space

def test_half_space_arguments():
    for wrong, words in (((0,), "dim must satisfy dim an integer >= 1"), ((2, -1.0), "radius > 0")):
        with pytest.raises(ValueError, match=words):
            HalfSpace(*wrong)


def test_half_space():
    """In the plane: upright lines and half circles; the metric, and its length along the curve."""
    H = HalfSpace(2, 3.0)
    assert np.isclose(H.distance([0.0, 1.0], [0.0, np.e]), 3.0)
    circle = H.geodesic([-3.0, 4.0], [4.0, 3.0], np.linspace(0, 1, 5))
    np.testing.assert_allclose(np.sum(circle**2, axis=-1), 25.0, rtol=1e-13)
    np.testing.assert_allclose(H.geodesic([1.0, 1.0], [1.0, 16.0], 0.25), [1.0, 2.0], rtol=1e-14)
    np.testing.assert_allclose(H.exp([1.0, 1.0], [0.0, 30.0]), [1.0, np.exp(30.0)], rtol=1e-13)
    np.testing.assert_allclose(H.metric([0.0, 2.0]), 2.25 * np.eye(2))
    np.testing.assert_allclose(H.sharp([0.0, 2.0], H.flat([0.0, 2.0], [1.0, 5.0])), [1.0, 5.0])
    with mpmath.workdps(60):          # nearly straight up, where the half circle is wide and long
        a, b = mpmath.mpf(1e-6), mpmath.mpf(20.0)
        ell = mpmath.sqrt(a**2 + b**2)
        height = 1 / (mpmath.cosh(ell) - b * mpmath.sinh(ell) / ell)
        expected = float(height * a * mpmath.sinh(ell) / ell), float(height)
    np.testing.assert_allclose(H.exp([0.0, 1.0], [1e-6, 20.0]), expected, rtol=1e-12)
    line = HalfSpace(1, 2.0)
    assert np.isclose(line.distance([1.0], [np.e]), 2.0) and np.isclose(line.exp([1.0], [3.0])[0], np.exp(3.0))
    p, q = np.array([-3.0, 4.0]), np.array([4.0, 3.0])
    assert np.isclose(derived(Riemannian, "distance")(H, p, q), H.distance(p, q), rtol=1e-8)
