"""Wishart and its inverse: SciPy, 50-digit arithmetic, KL near, far and at many degrees of freedom, fits, samples, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.wishart import InverseWishart, Wishart

from .vector_helpers import bregman, check_family, check_near, exact, standardised_mean, symmetric

V = np.array([[2.0, 0.5], [0.5, 1.0]])


def psi(p):
    """(p (p − 1)/4) log π + Σ log Γ(s + j/2) − a log det R."""
    def value(s, *packed):
        rate = -symmetric(packed, p)
        shapes = sum(mp.loggamma(s + mp.mpf(j) / 2) for j in range(p))
        return mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + shapes - (s + mp.mpf(p - 1) / 2) * mp.log(mp.det(rate))
    return value


@pytest.mark.parametrize("nu", [1.0 + 1e-6, 1.5, 7.0, 300.0])
def test_closed_forms(nu):
    family = Wishart(2)
    theta = family.theta_from(degrees_of_freedom=nu, scale_matrix=V)
    others = [family.theta_from(degrees_of_freedom=n, scale_matrix=s * np.array([[1.0, -0.2], [-0.2, 3.0]]))
              for n, s in ((1.01, 1.0), (20.0, 1e-3), (5e3, 10.0))]
    check_family(family, psi(2), theta, others, rtol=3e-13)
    check_near(family, psi(2), theta)


def test_three_dimensions():
    family = Wishart(3)
    theta = family.theta_from(degrees_of_freedom=4.3, scale_matrix=[[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]])
    check_near(family, psi(3), theta)
    np.testing.assert_allclose(family.potential(theta), float(psi(3)(*exact(theta))), rtol=1e-13)


def test_one_dimension_is_the_gamma_family():
    theta = np.array([[0.3, -2.0], [1e4, -0.5], [1e-6, -1.0]])
    one, gamma = Wishart(1), ig.Gamma()
    for method in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        np.testing.assert_allclose(getattr(one, method)(theta), getattr(gamma, method)(theta), rtol=1e-13)
    np.testing.assert_allclose(one.kl(theta, theta[::-1]), gamma.kl(theta, theta[::-1]), rtol=1e-12)
    np.testing.assert_allclose(one.to_theta(one.to_eta(theta[:1])), theta[:1], rtol=1e-13)


@pytest.mark.parametrize("family, law", [(Wishart(2), scipy.stats.wishart), (InverseWishart(2), scipy.stats.invwishart)],
                         ids=["wishart", "inverse"])
def test_density_against_scipy(family, law):
    law = law(4.5, V)
    theta = family.theta_from(degrees_of_freedom=4.5, scale_matrix=V)
    x = law.rvs(5, random_state=1)
    np.testing.assert_allclose(family.log_density(theta, x), law.logpdf(np.moveaxis(x, 0, -1)), rtol=1e-12)
    for name, value in family.parameters(theta).items():
        np.testing.assert_allclose(value, {"degrees_of_freedom": 4.5, "scale_matrix": V}[name], rtol=1e-14)


@pytest.mark.parametrize("family", [Wishart(2), InverseWishart(2), Wishart(3)], ids=repr)
@pytest.mark.parametrize("nu", [3.0, 40.0, 1e6, 1e12])
def test_density_of_many_degrees_of_freedom(family, nu):
    """Draws, whose log-density is a number of order log ν beside terms of order ν log ν."""
    p, inverse = family.p, isinstance(family, InverseWishart)
    scale = np.eye(p) * 0.25 + 0.5
    theta = family.theta_from(degrees_of_freedom=nu, scale_matrix=scale)
    x = family.sample(np.random.default_rng(1), theta, 4)
    with mp.workdps(60):
        t = exact(theta)
        eta = [mp.diff(lambda h: psi(p)(*(v + (h if i == j else 0) for j, v in enumerate(t))), 0) for i in range(len(t))]
        for row in x:
            matrix = mp.matrix(row.tolist())
            matrix = (matrix + matrix.T) / 2
            log_det = mp.log(mp.det(matrix))
            observed = matrix**-1 if inverse else matrix
            packed = [observed[i, j] * (1 if i == j else mp.sqrt(2)) for i in range(p) for j in range(i, p)]
            statistic = [-log_det if inverse else log_det, *packed]
            expected = sum(a * b for a, b in zip(t, statistic)) - psi(p)(*t) - (p if inverse else 1) * log_det
            cost = max(abs(expected), sum(abs(a * (b - c)) for a, b, c in zip(t, statistic, eta)))
            assert abs(family.log_density(theta, row) - expected) <= 4e-15 * cost


def test_entropy():
    """SciPy's for the Wishart. An inverse Y = X⁻¹ has that of X less (p + 1) E log det X, by the Jacobian (det X)^{−p−1};
    SciPy's figure for it (1.8375) is not the mean of −log p of its own samples (0.798)."""
    wishart, inverse = Wishart(2), InverseWishart(2)
    np.testing.assert_allclose(wishart.entropy(wishart.theta_from(degrees_of_freedom=4.5, scale_matrix=V)),
                               scipy.stats.wishart(4.5, V).entropy(), rtol=1e-12)
    theta = inverse.theta_from(degrees_of_freedom=4.5, scale_matrix=V)
    np.testing.assert_allclose(inverse.entropy(theta), wishart.entropy(theta) - 3 * wishart.to_eta(theta)[0], rtol=1e-13)
    law = scipy.stats.invwishart(4.5, V)
    surprise = -law.logpdf(np.moveaxis(law.rvs(4000, random_state=0), 0, -1))
    assert abs(np.mean(surprise) - inverse.entropy(theta)) < 5 * np.std(surprise) / np.sqrt(4000)


@pytest.mark.parametrize("p, q", [
    ((1e8, 1.0), (1e8 + 1, 1.0)), ((1e8, 1.0), (1e8 * (1 + 1e-9), 1 / (1 + 1e-9))), ((1e12, 1.0), (1e12 + 1e4, 1.0)),
    ((1.0 + 1e-9, 1.0), (1.0 + 2e-9, 1.0)), ((1.0 + 1e-9, 1.0), (1e6, 1e-6)), ((1e6, 1e-6), (1.0 + 1e-9, 1.0)),
    ((2.0, 1e-20), (2.0, 1e20)), ((2.0, 1.0), (2.0 + 2**-40, 1.0)), ((1.2, 1.0), (1.2 + 2**-40, 1.0))])
def test_kl_of_many_and_few_degrees_of_freedom(p, q):
    family = Wishart(2)
    a, b = (family.theta_from(degrees_of_freedom=n, scale_matrix=s * V) for n, s in (p, q))
    with mp.workdps(90):
        t, u = exact(a), exact(b)
        eta = sum(mp.digamma(t[0] + mp.mpf(j) / 2) for j in range(2))
        rate_p, rate_q = -symmetric(t[1:], 2), -symmetric(u[1:], 2)
        step, product = u[0] - t[0], rate_q * rate_p**-1
        size = t[0] + mp.mpf(1) / 2
        expected = psi(2)(*u) - psi(2)(*t) - step * (eta - mp.log(mp.det(rate_p))) + size * (product[0, 0] + product[1, 1] - 2)
    np.testing.assert_allclose(family.kl(a, b), float(expected), rtol=1e-11)


def test_kl_to_few_degrees_of_freedom_and_a_small_rate():
    """a_p R_q / (a_q R_p) of order 1e-7 from factors of order 1e6 and 1e-12."""
    a = [16220602.343854815, -274114.87053920556, -20298.97336075865, -18807.57505664381]
    b = [22.311870557056267, -2.196878342843962e-07, 5.573135595657296e-08, -4.2757222762359867e-07]
    np.testing.assert_allclose(Wishart(2).kl(a, b), float(bregman(psi(2), exact(b), exact(a))), rtol=2e-15)


@pytest.mark.parametrize("p", [1, 2, 3, 10, 50])
def test_degrees_of_freedom_of_the_gap(p):
    """The inversion that `fit` solves, from the edge to 1e12: 1e-14 where η itself would have lost all digits."""
    from infogeo.backend import NUMPY
    from infogeo.families.matrix_gamma import shape_from_gap
    s = np.logspace(-8, 12, 41)
    with mp.workdps(50):
        digammas = lambda v: sum(mp.digamma(v + mp.mpf(j) / 2) for j in range(p))
        gap = [float(p * mp.log(v + mp.mpf(p - 1) / 2) - digammas(v)) for v in map(mp.mpf, s)]
    np.testing.assert_allclose(shape_from_gap(NUMPY, np.array(gap), p), s, rtol=2e-14)
    assert np.all(np.isnan(shape_from_gap(NUMPY, np.array([0.0, -1.0, np.nan]), p)))


def test_fit_of_a_narrow_sample_keeps_its_digits():
    """X = (1 ± δ) V: log det E X − E log det X = −log(1 − δ²), so that s is about p (p + 1) / (4 p δ² / 2)."""
    delta = 2.0**-20
    fitted = Wishart(2).parameters(Wishart(2).fit(np.array([(1 - delta) * V, (1 + delta) * V])))
    with mp.workdps(50):
        gap = -mp.log1p(-mp.mpf(delta)**2)
        f = lambda s: 2 * mp.log(s + mp.mpf(1) / 2) - mp.digamma(s) - mp.digamma(s + mp.mpf(1) / 2) - gap
        expected = 2 * mp.findroot(f, 3 / (2 * gap)) + 1
    np.testing.assert_allclose(fitted["degrees_of_freedom"], float(expected), rtol=1e-9)
    np.testing.assert_allclose(fitted["degrees_of_freedom"] * fitted["scale_matrix"], V, rtol=1e-14)


@pytest.mark.parametrize("family", [Wishart(3), InverseWishart(3)], ids=repr)
def test_samples(family):
    scale = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]])
    theta = family.theta_from(degrees_of_freedom=5.0, scale_matrix=scale)
    x = family.sample(np.random.default_rng(3), theta, 4000)
    assert np.all(np.abs(standardised_mean(family, x, theta)) < 5)
    direct = x if isinstance(family, Wishart) else np.linalg.inv(x)
    v = scale if isinstance(family, Wishart) else np.linalg.inv(scale)
    for u in np.eye(3):                                       # uᵀXu / uᵀVu is χ² with ν degrees of freedom
        assert scipy.stats.kstest(np.einsum("i,nij,j->n", u, direct, u) / (u @ v @ u), scipy.stats.chi2(5).cdf).pvalue > 1e-4
    back = family.parameters(family.fit(x))
    np.testing.assert_allclose(back["degrees_of_freedom"], 5.0, rtol=0.1)


def test_inverse_wishart_is_the_wishart_of_the_inverse():
    wishart, inverse = Wishart(2), InverseWishart(2)
    theta = inverse.theta_from(degrees_of_freedom=4.5, scale_matrix=V)
    np.testing.assert_allclose(theta, wishart.theta_from(degrees_of_freedom=4.5, scale_matrix=np.linalg.inv(V)), rtol=1e-14)
    x = inverse.sample(np.random.default_rng(1), theta, 6)
    np.testing.assert_allclose(inverse.sufficient_statistic(x), wishart.sufficient_statistic(np.linalg.inv(x)), rtol=1e-10)
    np.testing.assert_allclose(inverse.fit(x), wishart.fit(np.linalg.inv(x)), rtol=1e-9)


def test_errors():
    family = Wishart(2)
    with pytest.raises(ig.DomainError, match="^degrees_of_freedom must satisfy degrees_of_freedom > 1; got 1.0"):
        family.theta_from(degrees_of_freedom=1.0, scale_matrix=V)
    with pytest.raises(ig.DomainError, match="^scale_matrix must satisfy scale_matrix symmetric and positive definite"):
        family.theta_from(degrees_of_freedom=3.0, scale_matrix=-V)
    for x in ([V], [V, V, V], [0.1 * V] * 7):
        for cls in (Wishart, InverseWishart):
            with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
                cls(2).fit(np.array(x))
    with pytest.raises(ValueError, match="p must satisfy p an integer >= 1"):
        InverseWishart(0)
    assert np.all(np.isnan(family.to_theta([1.0, 1.0, 0.0, 1.0])[0]))
    assert np.isnan(family.potential([-0.25, -1.0, 0.0, -1.0]))
    assert bregman(psi(2), exact(family.theta_from(degrees_of_freedom=3.0, scale_matrix=V)),
                   exact(family.theta_from(degrees_of_freedom=3.0, scale_matrix=V))) == 0
