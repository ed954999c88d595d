"""Location–scale models and their logarithmic relatives as statistical models: densities, draws, KL by mpmath's quadrature."""
import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import infogeo as ig
from infogeo.statistics import LocationScale, LogLocationScale

P, Q = np.array([0.3, 1.2]), np.array([-0.5, 0.8])
LINE = [mp.mpf(x) for x in (-400, -40, -10, -3, -0.5, 0.3, 3, 10, 40, 400)]
MODELS = {
    "normal": (LocationScale.normal(), stats.norm(0.3, 1.2)),
    "laplace": (LocationScale.laplace(), stats.laplace(0.3, 1.2)),
    "cauchy": (LocationScale.cauchy(), stats.cauchy(0.3, 1.2)),
    "student": (LocationScale.student_t(4.0), stats.t(4.0, 0.3, 1.2)),
    "logistic": (LocationScale.logistic(), stats.logistic(0.3, 1.2)),
    "gumbel": (LocationScale.gumbel(), stats.gumbel_r(0.3, 1.2)),
    "gumbel of minima": (LocationScale.gumbel_of_minima(), stats.gumbel_l(0.3, 1.2)),
    "exponential": (LocationScale.exponential(), stats.expon(0.3, 1.2)),
    "weibull": (LogLocationScale.weibull(), stats.weibull_min(1.2, scale=0.3)),
    "frechet": (LogLocationScale.frechet(), stats.invweibull(1.2, scale=0.3)),
    "log-logistic": (LogLocationScale.log_logistic(), stats.fisk(1.2, scale=0.3)),
    "pareto": (LogLocationScale.pareto(), stats.pareto(1.2, scale=0.3)),
}
every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_densities_and_draws(name):
    M, law = MODELS[name]
    x = np.array([-2.0, -0.1, 0.31, 1.0, 7.0])
    np.testing.assert_allclose(M.log_density(P, x), law.logpdf(x), rtol=1e-13)
    draws = M.sample(np.random.default_rng(0), np.stack([P, P]), 4000)
    assert draws.shape == (4000, 2) and stats.kstest(draws.ravel(), law.cdf).pvalue > 1e-3


# log f, with the constants that cancel between p and q left out
LOGS = {"normal": lambda z: -z * z / 2, "laplace": lambda z: -abs(z), "cauchy": lambda z: -mp.log1p(z * z),
        "gumbel": lambda z: -z - mp.exp(-z), "gumbel of minima": lambda z: z - mp.exp(z)}


@pytest.mark.parametrize("name", LOGS)
def test_kl(name):
    """E_p log(p/q) by quadrature; of near laws half the squared distance in the metric."""
    M = MODELS[name][0]
    with mp.workdps(30):
        log_p, log_q = (lambda x, m=mp.mpf(float(m)), s=mp.mpf(float(s)): LOGS[name]((x - m) / s) - mp.log(s) for m, s in (P, Q))
        far = LINE if name != "cauchy" else [-mp.inf, *LINE, mp.inf]
        density = lambda x: mp.exp(log_p(x))
        expected = mp.quad(lambda x: density(x) * (log_p(x) - log_q(x)), far) / mp.quad(density, far)
    np.testing.assert_allclose(M.kl(P, Q), float(expected), rtol=1e-10)
    step = 1e-7 * np.array([1.0, -0.6])
    np.testing.assert_allclose(M.kl(P, P + step), 0.5 * step @ M.metric(P) @ step, rtol=1e-6)
    assert M.kl(P, P) == 0.0


def test_kl_of_logarithmic_relatives():
    """Between Weibull laws of one shape that of the family; of different shapes, Bauckhage's formula (arXiv:1310.3713)."""
    M, family = LogLocationScale.weibull(), ig.Weibull(1.7)
    expected = family.kl(family.theta_from(scale=2.0), family.theta_from(scale=0.5))
    np.testing.assert_allclose(M.kl([2.0, 1.7], [0.5, 1.7]), expected, rtol=1e-13)
    (a, k), (b, m) = (2.0, 1.7), (0.5, 0.6)
    euler = float(np.euler_gamma)
    expected = np.log(k / a**k) - np.log(m / b**m) + (k - m) * (np.log(a) - euler / k)
    expected += (a / b)**m * float(mp.gamma(m / k + 1)) - 1
    np.testing.assert_allclose(M.kl([a, k], [b, m]), expected, rtol=1e-13)
    pareto = LogLocationScale.pareto()
    np.testing.assert_allclose(pareto.kl([2.0, 3.0], [1.0, 2.0]), 2 * np.log(2.0) + np.log(1.5) + 2 / 3 - 1, rtol=1e-13)
    assert pareto.kl([1.0, 3.0], [2.0, 2.0]) == np.inf


def test_a_theta_does_not_know_what_the_instance_knows():
    """The same number is θ of two exponential shapes: `kl` reads both points as its own; the larger model knows both."""
    assert ig.Weibull(1.0).kl([-1.0], ig.Weibull(2.0).theta_from(scale=1.0)) == 0.0
    own = LogLocationScale.weibull().kl([1.0, 1.0], [1.0, 2.0])
    np.testing.assert_allclose(own, 1.0 - np.log(2.0) + np.euler_gamma, rtol=1e-14)
    assert "A θ knows neither its family" in ig.Weibull.kl.__doc__


def test_inverse_gamma_laws_by_every_parametrisation():
    """Shape α and scale β; degrees of freedom 2α and scale matrix 2β; the shape and rate of 1/x."""
    shape, scale = np.array([2.5, 0.75]), np.array([3.0, 10.0])
    inverse, matrix, gamma = ig.InverseGamma(), ig.InverseWishart(1), ig.Gamma()
    expected = inverse.kl(*inverse.theta_from(shape=shape, scale=scale))
    wishart = matrix.theta_from(degrees_of_freedom=2.0 * shape, scale_matrix=2.0 * scale[:, None, None])
    np.testing.assert_allclose(matrix.kl(*wishart), expected, rtol=1e-13)
    np.testing.assert_allclose(gamma.kl(*gamma.theta_from(shape=shape, rate=scale)), expected, rtol=1e-15)
    (a, b), (s, t) = shape, scale
    np.testing.assert_allclose(expected, float((a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b)
                                               + b * mp.log(s / t) + a * (t - s) / s), rtol=1e-14)


def test_what_is_not_known_is_refused():
    for M in (LocationScale.student_t(4.0), LocationScale.logistic(), LogLocationScale.log_logistic()):
        with pytest.raises(TypeError, match="KL between laws of .* has no closed form here; it is E"):
            M.kl([1.0, 1.0], [2.0, 1.0])
    with pytest.raises(TypeError, match="has no law of Z: pass law="):
        LocationScale([[1.0, 0.0], [0.0, 1.0]]).log_density([0.0, 1.0], 0.0)
    with pytest.raises(ig.DomainError, match="point must satisfy"):
        LocationScale.normal().sample(np.random.default_rng(0), [0.0, -1.0])
