"""Normal–gamma, normal–Wishart and its inverse: 50-digit arithmetic, SciPy's factors, KL near and far, fits, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.normal_gamma import NormalGamma
from infogeo.families.normal_inverse_wishart import NormalInverseWishart
from infogeo.families.normal_wishart import NormalWishart
from infogeo.families.wishart import Wishart

from .vector_helpers import check_family, check_near, standardised_mean, symmetric

V = np.array([[2.0, 0.5], [0.5, 1.0]])
POINT = dict(location=[1.0, -2.0], precision_scale=0.7, degrees_of_freedom=4.5, scale_matrix=V)


def psi(p):
    """The potential of the Wishart family at R = −Θ − b bᵀ / (2κ), and −(p/2) log κ, κ = −2c."""
    def value(s, *rest):
        kappa, b = -2 * rest[-1], mp.matrix(rest[-1 - p:-1])
        rate = -symmetric(rest[:-1 - p], p) - b * b.T / (2 * kappa)
        shapes = sum(mp.loggamma(s + mp.mpf(j) / 2) for j in range(p))
        size = s + mp.mpf(p - 1) / 2
        return mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + shapes - size * mp.log(mp.det(rate)) - mp.mpf(p) / 2 * mp.log(kappa)
    return value


def test_normal_gamma():
    family = NormalGamma()
    point = dict(location=1.5, precision_scale=0.7, shape=2.3, rate=0.4)
    theta = family.theta_from(**point)
    np.testing.assert_allclose(theta, [2.3, -0.4 - 0.5 * 0.7 * 1.5**2, 0.7 * 1.5, -0.35], rtol=1e-15)
    others = [family.theta_from(location=-3.0, precision_scale=30.0, shape=0.01, rate=5.0),
              family.theta_from(location=1.5, precision_scale=0.7, shape=2e4, rate=0.4e4)]
    check_family(family, psi(1), theta, others, rtol=3e-13)
    check_near(family, psi(1), theta)
    for name, value in family.parameters(theta).items():
        np.testing.assert_allclose(value, point[name], rtol=1e-14)


@pytest.mark.parametrize("nu", [1.0 + 1e-4, 4.5])
def test_normal_wishart(nu):
    family = NormalWishart(2)
    theta = family.theta_from(**POINT | dict(degrees_of_freedom=nu))
    other = family.theta_from(location=[0.0, 5.0], precision_scale=12.0, degrees_of_freedom=30.0, scale_matrix=0.1 * np.eye(2))
    np.testing.assert_allclose(family.metric(theta), family.metric(theta).T, rtol=1e-12, atol=1e-12)
    check_near(family, psi(2), theta)
    np.testing.assert_allclose(family.potential(theta), float(psi(2)(*map(mp.mpf, map(float, theta)))), rtol=1e-12)
    marginal, conditional = kl_by_the_chain_rule(family, theta, other)
    np.testing.assert_allclose(family.kl(theta, other), marginal + conditional, rtol=1e-12)


def kl_by_the_chain_rule(family, theta, other):
    """KL of Λ, and E_p of that of μ given Λ, from the ordinary parameters."""
    p, q = family.parameters(theta), family.parameters(other)
    wishart = Wishart(family.p)
    a, b = (wishart.theta_from(degrees_of_freedom=x["degrees_of_freedom"], scale_matrix=x["scale_matrix"]) for x in (p, q))
    gap, ratio = q["location"] - p["location"], q["precision_scale"] / p["precision_scale"]
    mean = p["degrees_of_freedom"] * p["scale_matrix"]
    return wishart.kl(a, b), 0.5 * (family.p * (ratio - 1 - np.log(ratio)) + q["precision_scale"] * gap @ mean @ gap)


def test_cubic_tensor_of_two_dimensions():
    """Along a few directions, by 50-digit differentiation of ψ."""
    family = NormalWishart(2)
    theta = family.theta_from(**POINT)
    t = [mp.mpf(float(v)) for v in theta]
    for seed in range(3):
        direction = np.random.default_rng(seed).standard_normal(family.dim)
        with mp.workdps(50):
            line = lambda h: psi(2)(*(a + h * mp.mpf(float(u)) for a, u in zip(t, direction)))
            first, second, third = (float(mp.diff(line, 0, order)) for order in (1, 2, 3))
        np.testing.assert_allclose(family.to_eta(theta) @ direction, first, rtol=1e-12)
        np.testing.assert_allclose(direction @ family.flat(theta, direction), second, rtol=1e-12)
        np.testing.assert_allclose(np.einsum("ijk,i,j,k", family.cubic_tensor(theta), *[direction] * 3), third, rtol=1e-11)


@pytest.mark.parametrize("cls", [NormalWishart, NormalInverseWishart])
def test_density_is_the_product_of_scipys_factors(cls):
    family = cls(2)
    theta = family.theta_from(**POINT)
    x = family.sample(np.random.default_rng(1), theta, 5)
    matrix = ig.unpack(x[:, 2:], 2)
    law = scipy.stats.wishart if cls is NormalWishart else scipy.stats.invwishart
    spread = np.linalg.inv(matrix) if cls is NormalWishart else matrix
    for row, m, s in zip(x, matrix, spread):
        expected = law(4.5, V).logpdf(m) + scipy.stats.multivariate_normal([1.0, -2.0], s / 0.7).logpdf(row[:2])
        np.testing.assert_allclose(family.log_density(theta, row), expected, rtol=1e-11)


def test_normal_gamma_density():
    theta = NormalGamma().theta_from(location=1.0, precision_scale=2.0, shape=1.5, rate=0.3)
    expected = scipy.stats.gamma(1.5, scale=1 / 0.3).logpdf(0.8) + scipy.stats.norm(1.0, 1.6**-0.5).logpdf(0.5)
    np.testing.assert_allclose(NormalGamma().log_density(theta, [0.5, 0.8]), expected, rtol=1e-14)
    assert NormalGamma().log_density(theta, [0.5, -0.8]) == -np.inf


@pytest.mark.parametrize("theta, x", [
    ([9593200.064560838, -0.004520930715648803, 24.310610320813232, -2878179.1535781906],
     [4.22575396564533e-06, 2146780561.9663115]),
    ([1512390.8324591212, -2.643243529382599, 0.00203412432495914, -0.26151817104498004],
     [0.004521293503596345, 572276.2817340387])], ids=["concentrated", "wide"])
def test_density_of_a_large_shape(theta, x):
    """Terms of order 1e8 whose sum is of order 1."""
    with mp.workdps(60):
        t, (m, rate) = [mp.mpf(v) for v in theta], map(mp.mpf, x)
        exact = t[0] * mp.log(rate) + rate * (t[1] + t[2] * m + t[3] * m**2) - psi(1)(*t) - mp.log(2 * mp.pi * rate) / 2
    np.testing.assert_allclose(NormalGamma().log_density(theta, x), float(exact), rtol=2e-12)


@pytest.mark.parametrize("cls", [NormalWishart, NormalInverseWishart])
def test_density_of_many_degrees_of_freedom(cls):
    """The exact density at drawn points, to the change of its terms by rounding."""
    family, theta = cls(2), cls(2).theta_from(location=[1.0, -2.0], precision_scale=0.7, degrees_of_freedom=1e8, scale_matrix=V)
    for x in family.sample(np.random.default_rng(1), theta, 4):
        with mp.workdps(60):
            t, mu, matrix = [mp.mpf(float(v)) for v in theta], mp.matrix(x[:2].tolist()), symmetric([mp.mpf(v) for v in x[2:]], 2)
            log_det = mp.log(mp.det(matrix))
            precision = matrix if cls is NormalWishart else matrix**-1
            image = precision * mu
            packed = [precision[0, 0], mp.sqrt(2) * precision[0, 1], precision[1, 1]]
            statistic = [log_det if cls is NormalWishart else -log_det, *packed, *image, (mu.T * image)[0]]
            base = -mp.log(2 * mp.pi) - (mp.mpf(1) / 2 if cls is NormalWishart else mp.mpf(5) / 2) * log_det
            exact = sum(a * b for a, b in zip(t, statistic)) - psi(2)(*t) + base
        assert abs(family.log_density(theta, x) - float(exact)) <= 1e-11


def test_inversion_where_the_mean_precision_is_nearly_singular():
    """κ = p / (E μᵀΛμ − |(E Λ)^{−1/2} E Λμ|²) keeps its digits where E Λ has the condition number 4e5."""
    eta = [-16.444624121372833, 0.9820029652205324, 0.7232913499472275, 0.2663726338680866, 2.47053402101408, 1.2867140019999124,
           15.556754865765104]
    with mp.workdps(60):
        e = [mp.mpf(v) for v in eta]
        v = mp.matrix(e[4:6])
        spread = e[6] - (v.T * symmetric(e[1:4], 2)**-1 * v)[0]
    np.testing.assert_allclose(NormalWishart(2).to_theta(eta)[-1], float(-1 / spread), rtol=2e-15)


FAMILIES = [pytest.param(NormalGamma(), dict(location=1.0, precision_scale=2.0, shape=3.5, rate=0.3), id="normal-gamma"),
            pytest.param(NormalWishart(2), POINT, id="normal-wishart"),
            pytest.param(NormalInverseWishart(2), POINT, id="normal-inverse-wishart")]


@pytest.mark.parametrize("family, point", FAMILIES)
def test_samples_and_fit(family, point):
    theta = family.theta_from(**point)
    for name, value in family.parameters(theta).items():
        np.testing.assert_allclose(value, point[name], rtol=1e-13)
    x = family.sample(np.random.default_rng(2), theta, 4000)
    assert np.all(np.abs(standardised_mean(family, x, theta)) < 5)
    surprise = -family.log_density(theta, x)
    assert abs(np.mean(surprise) - family.entropy(theta)) < 5 * np.std(surprise) / np.sqrt(4000)
    eta = np.mean(family.sufficient_statistic(x), axis=0)
    np.testing.assert_allclose(family.to_eta(family.fit(x)), eta, rtol=1e-10, atol=1e-10)


def test_kl_of_concentrated_priors():
    """κ and α large: the priors after 1e8 and 1e8 + 1 observations, against 90 digits."""
    family = NormalGamma()
    a = family.theta_from(location=0.1, precision_scale=1e8, shape=0.5e8, rate=0.5e8)
    b = family.theta_from(location=0.1 + 1e-9, precision_scale=1e8 + 1, shape=0.5e8 + 0.5, rate=0.5e8 + 0.3)
    with mp.workdps(90):
        (s, t, b1, c), (u, v, b2, e) = ([mp.mpf(float(w)) for w in x] for x in (a, b))
        rate = lambda t, b, c: -t + b**2 / (4 * c)
        r, k, m, q, l, n = rate(t, b1, c), -2 * c, -b1 / (2 * c), rate(v, b2, e), -2 * e, -b2 / (2 * e)
        gamma = u * mp.log(r / q) + mp.loggamma(u) - mp.loggamma(s) + (s - u) * mp.digamma(s) + s * (q - r) / r
        expected = gamma + (l / k - 1 - mp.log(l / k) + l * (m - n)**2 * s / r) / 2
    np.testing.assert_allclose(family.kl(a, b), float(expected), rtol=1e-6)


def test_errors():
    family = NormalWishart(2)
    with pytest.raises(ig.DomainError, match="^precision_scale must satisfy precision_scale > 0; got 0.0"):
        family.theta_from(**POINT | dict(precision_scale=0.0))
    with pytest.raises(ig.DomainError, match=r"theta must satisfy theta\[0\] > 0 and theta\[6\] < 0 and unpack\(theta\[1:4\]\)"):
        family.sample(np.random.default_rng(0), [1.0, -1.0, 0.0, -1.0, 9.0, 0.0, -1.0])
    x = np.concatenate([[1.0, 2.0], ig.pack(V)])
    y = np.concatenate([[1.0, 2.0], ig.pack(2.0 * V)])
    for sample in ([x], [0.1 * x] * 7, [0.1 * x, 0.1 * x, 0.1 * y * np.array([2 / 2, 1, 1, 1, 1])]):
        with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
            family.fit(np.array(sample))
    for cls in (NormalWishart, NormalInverseWishart):
        with pytest.raises(ValueError, match="p must satisfy p an integer >= 1"):
            cls(0)
    assert np.isnan(family.potential([1.0, -1.0, 0.0, -1.0, 0.0, 0.0, 1.0]))
    assert np.isnan(family.to_theta([-5.0, 1.0, 0.0, 1.0, 3.0, 0.0, 1.0])[-1])       # E μᵀΛμ below its least value
