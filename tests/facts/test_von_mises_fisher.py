"""Von Mises and von Mises–Fisher: SciPy, mpmath, concentrations from 1e-8 to 1e6 in up to 1000 dimensions, fits, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.von_mises import VonMises
from infogeo.families.von_mises_fisher import VonMisesFisher

from .vector_helpers import check_family, check_near, standardised_mean


def psi(p):
    """log Γ(p/2) (2/κ)^n I_n(κ), n = p/2 − 1."""
    def value(*theta):
        n, kappa = mp.mpf(p) / 2 - 1, mp.sqrt(sum(t**2 for t in theta))
        return mp.loggamma(n + 1) + n * mp.log(2 / kappa) + mp.log(mp.besseli(n, kappa, maxterms=10**6))
    return value


@pytest.mark.parametrize("theta", [[0.1, 0.2, -0.05], [1.0, -2.0, 0.5], [20.0, 10.0, 5.0], [30.0, -40.0, 60.0]], ids=str)
def test_closed_forms(theta):
    check_family(VonMisesFisher(3), psi(3), theta, [[0.01, 0.3, -0.2], [100.0, -1.0, 2.0], [5.0, 5.0, 5.0]], rtol=2e-13)


@pytest.mark.parametrize("p", [2, 3, 5])
@pytest.mark.parametrize("kappa", [1e-3, 1.0, 50.0, 1e4])
def test_near_points(p, kappa):
    theta = kappa * np.ones(p) / np.sqrt(p)
    check_near(VonMisesFisher(p), psi(p), theta)


def test_uniform_distribution():
    """θ = 0: η = 0, ψ = 0, metric I / p, no third cumulant; KL from it is ψ."""
    for p in (2, 3, 1000):
        family, zero, theta = VonMisesFisher(p), np.zeros(p), np.eye(p)[0]
        assert family.potential(zero) == 0 and not family.to_eta(zero).any() and not family.to_theta(zero).any()
        np.testing.assert_allclose(family.metric(zero), np.eye(p) / p, rtol=1e-15)
        assert family.kl(zero, zero) == 0
        np.testing.assert_allclose(family.kl(zero, theta), family.potential(theta), rtol=1e-13)
        np.testing.assert_allclose(family.kl(theta, zero), theta @ family.to_eta(theta) - family.potential(theta), rtol=1e-12)


@pytest.mark.parametrize("theta", [[2485.5327307405223, -197532.55766957928], [1e6, 1.0], [1.0, 2.0, 3e5]], ids=str)
def test_metric_of_a_concentrated_law_along_an_axis(theta):
    """The entry along μ is A′ = 1 / (2κ²) or so, and what 1 − μ_i² leaves of A / κ beside it."""
    p = len(theta)
    with mp.workdps(60):
        t = [mp.mpf(v) for v in theta]
        kappa = mp.sqrt(mp.fsum(v**2 for v in t))
        ratio = mp.besseli(mp.mpf(p) / 2, kappa) / mp.besseli(mp.mpf(p) / 2 - 1, kappa)
        slope = 1 - ratio**2 - (p - 1) * ratio / kappa
        entry = lambda i, j: ratio / kappa * (i == j) + (slope - ratio / kappa) * t[i] * t[j] / kappa**2
        expected = np.array([[float(entry(i, j)) for j in range(p)] for i in range(p)])
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.all(np.abs(VonMisesFisher(p).metric(theta) - expected) <= 2e-14 * size)


@pytest.mark.parametrize("p", [2, 3, 4, 10, 100, 1000])
def test_every_concentration(p):
    """1e-8 to 1e6: no NaN; the metric is that of A and A′; η → θ to the rounding of η; entropy and KL stay in order."""
    family = VonMisesFisher(p)
    kappa = np.logspace(-8, 6, 29)
    direction = np.random.default_rng(p).standard_normal(p)
    direction /= np.linalg.norm(direction)
    theta = kappa[:, None] * direction
    eta = family.to_eta(theta)
    length = np.linalg.norm(eta, axis=-1)
    assert np.all(np.diff(length) > 0) and np.all(length < 1)
    floor = 1e-14 * (1 + length / (kappa * np.sum(direction * family.flat(theta, direction), axis=-1)))
    np.testing.assert_array_less(np.abs(np.linalg.norm(family.to_theta(eta), axis=-1) / kappa - 1), floor)
    assert np.all(np.diff(family.entropy(theta)) <= 0) and np.all(np.isfinite(family.entropy(theta)))
    divergence = family.kl(theta[:, None], theta[None, :])
    assert np.all(np.isfinite(divergence)) and np.all((divergence > 0) == ~np.eye(29, dtype=bool))
    assert np.all(np.isfinite(family.kl(theta, -theta[::-1])))
    back = family.sharp(theta, family.flat(theta, direction))
    np.testing.assert_allclose(back, np.broadcast_to(direction, theta.shape), atol=1e-12)
    if p <= 10:
        assert np.all(np.isfinite(family.cubic_tensor(theta)))


@pytest.mark.parametrize("p, kappa", [(1000, 500.0), (3, 1e4), (2, 1e4), (1000, 1e-3), (100, 1e6)])
def test_landmarks_against_mpmath(p, kappa):
    family = VonMisesFisher(p)
    theta = np.zeros(p)
    theta[0] = kappa
    with mp.workdps(60):
        n, k = mp.mpf(p) / 2 - 1, mp.mpf(kappa)
        a = mp.besseli(n + 1, k, maxterms=10**6) / mp.besseli(n, k, maxterms=10**6)
        expected = psi(p)(k)
        area = mp.log(2) + (n + 1) * mp.log(mp.pi) - mp.loggamma(n + 1)
        entropy = area + expected - k * a
        slope = 1 - a**2 - (p - 1) * a / k
    np.testing.assert_allclose(family.potential(theta), float(expected), rtol=1e-13)
    np.testing.assert_allclose(family.to_eta(theta)[0], float(a), rtol=1e-15)
    np.testing.assert_allclose(family.entropy(theta), float(entropy), rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(family.metric(theta))[:2], [float(slope), float(a / k)], rtol=1e-13)


def test_mean_length_09999():
    """κ of mean length 0.9999 on the circle and on the sphere, where 1 − A = 1/κ: 1e4."""
    for p in (2, 3):
        kappa = np.linalg.norm(VonMisesFisher(p).to_theta(0.9999 * np.eye(p)[0]))
        with mp.workdps(50):
            n = mp.mpf(p) / 2 - 1
            f = lambda k: mp.besseli(n + 1, k) / mp.besseli(n, k) - mp.mpf(0.9999)
            expected = mp.findroot(f, (p - 1) * 5e3)
        np.testing.assert_allclose(kappa, float(expected), rtol=1e-11)


def test_kl_of_turned_and_scaled_directions():
    """Far points in 3 dimensions, where ψ = log(sinh κ / κ): aligned, opposite, orthogonal; large and small."""
    family = VonMisesFisher(3)
    for a in ([1e4, 0, 0], [0.1, 0, 0], [3.0, 4.0, 0], [1e6, 1e6, 0], [1e-8, 0, 0]):
        for b in ([-1e4, 0, 0], [0, 1e4, 0], [2e4, 0, 0], [0, 0, 1e-6], [1e6 + 1, 1e6, 0], [1e-3, 1e-9, 0]):
            with mp.workdps(80):
                k, l = (mp.sqrt(sum(mp.mpf(v)**2 for v in x)) for x in (a, b))
                cosine = sum(mp.mpf(v) * mp.mpf(w) for v, w in zip(a, b)) / (k * l)
                log_partition = lambda k: mp.log(mp.sinh(k) / k)
                expected = log_partition(l) - log_partition(k) - (mp.coth(k) - 1 / k) * (l * cosine - k)
            own = family.kl(np.array(a, float), np.array(b, float))
            np.testing.assert_allclose(own, float(expected), rtol=2e-12, err_msg=f"{a} {b}")


@pytest.mark.parametrize("kappa", [1e-3, 2.0, 700.0])
def test_density_and_entropy_against_scipy(kappa):
    direction = np.array([2.0, -1.0, 2.0]) / 3
    family, law = VonMisesFisher(3), scipy.stats.vonmises_fisher(direction, kappa)
    theta = family.theta_from(mean_direction=direction, concentration=kappa)
    x = law.rvs(6, random_state=1)
    np.testing.assert_allclose(family.log_density(theta, x), law.logpdf(x), rtol=1e-11)
    np.testing.assert_allclose(family.entropy(theta), law.entropy(), rtol=1e-10)
    angles, circle = np.linspace(-3, 3, 7), VonMises()
    theta = circle.theta_from(mean_direction=0.5, concentration=kappa)
    np.testing.assert_allclose(circle.log_density(theta, angles), scipy.stats.vonmises(kappa, loc=0.5).logpdf(angles), rtol=1e-11)
    np.testing.assert_allclose(circle.entropy(theta), scipy.stats.vonmises(kappa).entropy(), rtol=1e-10)


def test_von_mises_integrates_to_one_over_a_turn():
    """The trapezoidal rule on a periodic function, from any start; the mean of (cos, sin) is η."""
    family = VonMises()
    theta = family.theta_from(mean_direction=2.0, concentration=5.0)
    for start in (-np.pi, 0.0, 40.0):
        x = start + 2 * np.pi * np.arange(200) / 200
        mass = np.exp(family.log_density(theta, x)) * 2 * np.pi / 200
        np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-14)
        np.testing.assert_allclose(mass @ family.sufficient_statistic(x), family.to_eta(theta), rtol=1e-13)
        np.testing.assert_allclose(-mass @ family.log_density(theta, x), family.entropy(theta), rtol=1e-13)
    parameters = family.parameters(theta)
    np.testing.assert_allclose([parameters["mean_direction"], parameters["concentration"]], [2.0, 5.0], rtol=1e-15)


@pytest.mark.parametrize("kappa", [1e-8, 0.5, 10.0, 1e4, 1e6])
def test_samples_of_angles(kappa):
    theta = VonMises().theta_from(mean_direction=1.0, concentration=kappa)
    x = VonMises().sample(np.random.default_rng(2), theta, 4000)
    gap = np.mod(x - 1.0 + np.pi, 2 * np.pi) - np.pi
    assert np.all(np.abs(x) <= np.pi)
    law = scipy.stats.vonmises(kappa).cdf if kappa < 1e3 else scipy.stats.norm(0, kappa**-0.5).cdf     # normal to 1 / (8κ)
    assert scipy.stats.kstest(gap, law).pvalue > 1e-4
    assert np.all(np.abs(standardised_mean(VonMises(), x, theta)) < 5)


@pytest.mark.parametrize("p, kappa", [(2, 3.0), (3, 1e-8), (3, 5.0), (3, 1e6), (10, 20.0), (300, 150.0)])
def test_samples_of_directions(p, kappa):
    family = VonMisesFisher(p)
    direction = np.ones(p) / np.sqrt(p)
    theta = family.theta_from(mean_direction=direction, concentration=kappa)
    x = family.sample(np.random.default_rng(3), theta, (40, 100))
    assert x.shape == (40, 100, p) and np.all(family.support.contains(x))
    x = x.reshape(-1, p)
    assert np.max(np.abs(standardised_mean(family, x, theta))) < 5
    along = x @ direction
    if p == 3:                                          # exponential in x·μ: P(x·μ < w) = (e^{κw} − e^{−κ}) / (e^κ − e^{−κ})
        below = lambda w: np.expm1(-kappa * (1 - w)) / np.expm1(-2 * kappa)
        assert scipy.stats.kstest(below(along), scipy.stats.uniform.cdf).pvalue > 1e-4
    across = x - along[:, None] * direction             # its direction is uniform
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    normal = np.zeros(p)
    normal[:2] = [np.sqrt(0.5), -np.sqrt(0.5)]
    law = scipy.stats.beta(0.5, 0.5 * (p - 2)).cdf if p > 2 else None
    assert law is None or scipy.stats.kstest((across @ normal)**2, law).pvalue > 1e-4


@pytest.mark.parametrize("direction", [0.0, -1e-12, np.pi, -np.pi / 2, 1e-9])
def test_quantiles_of_angles_at_every_direction(direction):
    """Also where the angle of least density is an end of [−π, π], so that one side of it is a single point."""
    family, q = VonMises(), np.array([1e-3, 0.3, 0.5, 0.9, 0.999])
    for kappa in (0.0, 0.1, 2.0, 1e4):
        theta = family.theta_from(mean_direction=direction, concentration=kappa)
        x = family.quantile(theta, q)
        assert np.all(np.diff(x) > 0)
        np.testing.assert_allclose(family.cdf(theta, x), q, rtol=1e-9)


def test_uniform_samples():
    x = VonMisesFisher(3).sample(np.random.default_rng(4), np.zeros(3), 4000)
    for i in range(3):
        assert scipy.stats.kstest(x[:, i], scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-4


def test_fit():
    """The mean direction, and κ from the mean length; a concentrated sample keeps its digits."""
    family = VonMisesFisher(3)
    theta = family.theta_from(mean_direction=[0.0, 0.6, 0.8], concentration=30.0)
    x = family.sample(np.random.default_rng(5), theta, 500)
    fitted = family.parameters(family.fit(x))
    mean = x.mean(axis=0)
    np.testing.assert_allclose(fitted["mean_direction"], mean / np.linalg.norm(mean), rtol=1e-14)
    kappa = fitted["concentration"]
    np.testing.assert_allclose(1 / np.tanh(kappa) - 1 / kappa, np.linalg.norm(mean), rtol=1e-13)
    for delta in (1e-3, 1e-5, 1e-7):                    # angles ±δ: 1 − A = 1 − cos δ = 2 sin²(δ/2), and 1 − A = 1/2κ + 1/8κ² + …
        kappa = VonMises().parameters(VonMises().fit([-delta, delta]))["concentration"]
        gap = 2 * np.sin(delta / 2)**2
        np.testing.assert_allclose(1 / (2 * kappa) + 1 / (8 * kappa**2) + 1 / (8 * kappa**3), gap, rtol=1e-12)


def test_errors():
    for p in (0, 1, 2.5):
        with pytest.raises(ValueError, match="p must satisfy p an integer >= 2"):
            VonMisesFisher(p)
    family = VonMisesFisher(3)
    with pytest.raises(ig.DomainError, match=r"^mean_direction must satisfy \|mean_direction\| = 1; got \[1. 1. 0.\]$"):
        family.theta_from(mean_direction=[1.0, 1.0, 0.0], concentration=1.0)
    with pytest.raises(ig.DomainError, match="^concentration must satisfy concentration >= 0; got -1.0$"):
        family.theta_from(mean_direction=[1.0, 0.0, 0.0], concentration=-1.0)
    x = np.array([0.48, 0.6, 0.64])
    for sample in ([x], [x] * 3, [x] * 7):
        with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
            family.fit(np.array(sample))
    with pytest.raises(ig.DomainError, match=r"x must satisfy \|x\| = 1"):
        family.fit([[1.0, 1.0, 0.0]])
    assert family.log_density(np.ones(3), [1.0, 1.0, 0.0]) == -np.inf
    assert np.all(np.isnan(family.to_theta([[1.0, 0.0, 0.0], [0.9, 0.9, 0.0]])))
