"""Normal: KL near, far and extreme, fits far from the origin, errors, samples."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Normal()


def theta_of(mean, variance):
    return FAMILY.theta_from(mean=mean, variance=variance)


def test_chart_by_hand():
    """θ = (μ/v, −1/2v), η = (μ, μ² + v), G = [[v, 2μv], [2μv, 2v² + 4μ²v]] at N(1, 4)."""
    theta = theta_of(1.0, 4.0)
    np.testing.assert_array_equal(theta, [0.25, -0.125])
    np.testing.assert_array_equal(FAMILY.to_eta(theta), [1.0, 5.0])
    np.testing.assert_array_equal(FAMILY.metric(theta), [[4.0, 8.0], [8.0, 48.0]])


@pytest.mark.parametrize("p, q, expected", [
    ((0.0, 1.0), (1e-9, 1.0), 5e-19),
    ((1e8, 1.0), (1e8 + 1.0, 1.0), 0.5),
    ((0.0, 1.0), (1.0, 4.0), 0.443147180559945),
    ((1.0, 4.0), (0.0, 1.0), 1.30685281944005),
])
def test_kl_of_known_pairs(p, q, expected):
    np.testing.assert_allclose(FAMILY.kl(theta_of(*p), theta_of(*q)), expected, rtol=1e-14)


def exact_kl(theta_p, theta_q):
    """½ (r − 1 − log r) + ½ Δμ² / v_q with r = v_p / v_q, of the θ as they are rounded."""
    with mp.workdps(60):
        (a, b), (c, d) = ([mp.mpf(float(x)) for x in theta] for theta in (theta_p, theta_q))
        m, v, n, w = -a / (2 * b), -1 / (2 * b), -c / (2 * d), -1 / (2 * d)
        r = v / w
        return float((r - 1 - mp.log(r)) / 2 + (m - n)**2 / (2 * w))


@pytest.mark.parametrize("p, q", [((0.0, 1.0), (0.0, 1.0 + 1e-9)), ((3.0, 2.0), (3.0 + 1e-7, 2.0 - 1e-8)),
                                  ((0.0, 1e-12), (0.0, 1e12)),
                                  ((0.0, 1e12), (0.0, 1e-12)), ((-5.0, 1e-6), (5.0, 1e-6)), ((1e4, 1.0), (1e4, 1.0 + 1e-6))])
def test_kl_against_extended_precision(p, q):
    theta_p, theta_q = theta_of(*p), theta_of(*q)
    np.testing.assert_allclose(FAMILY.kl(theta_p, theta_q), exact_kl(theta_p, theta_q), rtol=1e-11)


def test_entropy():
    """½ log(2πev)."""
    v = np.array([1e-12, 1.0, 4.0, 1e12])
    np.testing.assert_allclose(FAMILY.entropy(theta_of(7.0, v)), 0.5 * np.log(2 * np.pi * np.e * v), rtol=1e-14)


def test_log_density_far_from_the_origin():
    """θ·T(x) − ψ would cancel: at μ = 1e8 its terms are of size 1e16."""
    theta = theta_of(1e8, 1.0)
    np.testing.assert_allclose(FAMILY.log_density(theta, 1e8 + 2.0), -2.0 - 0.5 * np.log(2 * np.pi), rtol=1e-14)


def test_fit_far_from_the_origin():
    """The centred second moment: variance 2/3 of three points around 1e6, where E[x²] − E[x]² would keep 4 digits."""
    fitted = FAMILY.parameters(FAMILY.fit([1e6 - 1, 1e6, 1e6 + 1]))
    np.testing.assert_allclose(fitted["mean"], 1e6, rtol=1e-15)
    np.testing.assert_allclose(fitted["variance"], 2 / 3, rtol=1e-14)


def test_fit_with_weights_and_batches():
    x = np.random.default_rng(2).standard_normal((50, 3, 2))
    weights = np.random.default_rng(3).random((50, 3, 2))
    fitted = FAMILY.parameters(FAMILY.fit(x, weights))
    mean = np.average(x, axis=0, weights=weights)
    np.testing.assert_allclose(fitted["mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(fitted["variance"], np.average((x - mean)**2, axis=0, weights=weights), rtol=1e-12)
    plain = FAMILY.parameters(FAMILY.fit(x, np.full(50, 7.0)))
    np.testing.assert_allclose(plain["variance"], x.var(axis=0), rtol=1e-12)


@pytest.mark.parametrize("x", [[1.5], [2.0, 2.0, 2.0]])
def test_no_estimate_without_spread(x):
    with pytest.raises(ig.DomainError, match=r"does not exist: the mean statistic"):
        FAMILY.fit(x)


def test_one_bad_sample_of_a_batch_is_named():
    with pytest.raises(ig.DomainError) as error:
        FAMILY.fit([[1.0, 5.0], [2.0, 5.0]])
    assert str(error.value) == ("the maximum-likelihood estimate does not exist: the mean statistic must satisfy eta[1] > "
                                "eta[0]**2; 1 of 2 points does not, first at index (1,): [ 5. 25.]")


def test_domain_errors():
    with pytest.raises(ig.DomainError) as error:
        theta_of(0.0, [1.0, 0.0, -1.0])
    assert str(error.value) == "variance must satisfy variance > 0; 2 of 3 points do not, first at index (1,): 0.0"
    with pytest.raises(ig.DomainError) as error:
        FAMILY.sample(np.random.default_rng(0), [0.0, 0.5])
    assert str(error.value) == "theta must satisfy theta[1] < 0; got [0.  0.5]"
    with pytest.raises(ig.DomainError, match="x must satisfy x finite; 1 of 2 points does not, first at index \\(1,\\): nan"):
        FAMILY.fit([0.0, np.nan])
    assert np.all(np.isnan(FAMILY.to_theta([1.0, 0.5])))


def test_samples_have_the_distribution():
    theta = theta_of(np.array([3.0, -1.0]), np.array([4.0, 0.01]))
    x = FAMILY.sample(np.random.default_rng(5), theta, 4000)
    assert x.shape == (4000, 2)
    for column, reference in zip(x.T, [scipy.stats.norm(3, 2), scipy.stats.norm(-1, 0.1)]):
        assert scipy.stats.kstest(column, reference.cdf).pvalue > 1e-4
