"""Normal families with independent coordinates: agreement with the univariate family, SciPy and 50-digit arithmetic."""
import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.diagonal_normal import DiagonalNormal
from infogeo.families.isotropic_normal import IsotropicNormal

from .vector_helpers import check_family, check_near, standardised_mean


def diagonal(p):
    return lambda *t: sum(-a**2 / (4 * b) - mp.log(-2 * b) / 2 for a, b in zip(t[:p], t[p:]))


def isotropic(p):
    return lambda *t: -sum(a**2 for a in t[:p]) / (4 * t[p]) - p * mp.log(-2 * t[p]) / 2


CASES = [
    pytest.param(DiagonalNormal(2), diagonal(2), dict(mean=[1.0, -3.0], variance=[2.0, 0.1]),
                 [dict(mean=[50.0, -3.5], variance=[1e-3, 40.0]), dict(mean=[1.0, -3.0], variance=[2e6, 0.1])], id="diagonal"),
    pytest.param(IsotropicNormal(3), isotropic(3), dict(mean=[1.0, -3.0, 0.2], variance=0.7),
                 [dict(mean=[50.0, -3.5, 4.0], variance=1e-3), dict(mean=[1.0, -3.0, 0.2], variance=7e6)], id="isotropic"),
]


@pytest.mark.parametrize("family, psi, point, others", CASES)
def test_closed_forms(family, psi, point, others):
    theta = family.theta_from(**point)
    check_family(family, psi, theta, [family.theta_from(**other) for other in others])
    check_near(family, psi, theta)


@pytest.mark.parametrize("family, psi, point, others", CASES)
def test_density_and_entropy_against_scipy(family, psi, point, others):
    theta = family.theta_from(**point)
    law = scipy.stats.norm(point["mean"], np.sqrt(point["variance"]))
    x = law.rvs((5, len(point["mean"])), random_state=3)
    np.testing.assert_allclose(family.log_density(theta, x), law.logpdf(x).sum(axis=-1), rtol=1e-13)
    np.testing.assert_allclose(family.entropy(theta), np.sum(law.entropy() + np.zeros(len(point["mean"]))), rtol=1e-13)


@pytest.mark.parametrize("family, psi, point, others", CASES)
def test_samples_and_fit(family, psi, point, others):
    theta = family.theta_from(**point)
    x = family.sample(np.random.default_rng(4), theta, 4000)
    assert np.all(np.abs(standardised_mean(family, x, theta)) < 5)
    scale = np.sqrt(np.broadcast_to(point["variance"], x.shape[1:]))
    for i, mean in enumerate(point["mean"]):
        assert scipy.stats.kstest(x[:, i], scipy.stats.norm(mean, scale[i]).cdf).pvalue > 1e-4
    fitted = family.parameters(family.fit(x + 1e6))
    variance = np.var(x, axis=0)
    np.testing.assert_allclose(fitted["mean"] - 1e6, x.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(fitted["variance"], variance if isinstance(family, DiagonalNormal) else variance.mean(), rtol=1e-8)


def test_one_coordinate_is_the_univariate_family():
    theta = ig.Normal().theta_from(mean=[0.0, 1.0, -50.0], variance=[1.0, 4.0, 1e-3])
    for family in (DiagonalNormal(1), IsotropicNormal(1)):
        for method in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
            np.testing.assert_allclose(getattr(family, method)(theta), getattr(ig.Normal(), method)(theta), rtol=1e-13)


def test_submanifolds_of_the_multivariate_family():
    """The KL of two isotropic normals is that of the full family."""
    full, family = ig.MultivariateNormal(3), IsotropicNormal(3)
    a, b = (dict(mean=[1.0, 2.0, 0.0], variance=2.0), dict(mean=[0.0, 2.5, 1.0], variance=0.5))
    wide = [full.theta_from(mean=x["mean"], covariance=x["variance"] * np.eye(3)) for x in (a, b)]
    np.testing.assert_allclose(family.kl(family.theta_from(**a), family.theta_from(**b)), full.kl(*wide), rtol=1e-13)


def test_far_from_the_origin():
    """N(1e8, 1) against N(1e8 + 1, 1) is 1/2 a coordinate."""
    for family, variance in ((DiagonalNormal(2), [1.0, 1.0]), (IsotropicNormal(2), 1.0)):
        a = family.theta_from(mean=[1e8, 0.0], variance=variance)
        b = family.theta_from(mean=[1e8 + 1.0, 1.0], variance=variance)
        np.testing.assert_allclose(family.kl(a, b), 1.0, rtol=1e-14)


def test_errors():
    for family in (DiagonalNormal, IsotropicNormal):
        with pytest.raises(ValueError, match="p must satisfy p an integer >= 1; got 0"):
            family(0)
        with pytest.raises(ig.DomainError, match="does not exist"):
            family(2).fit([[1.0, 2.0]])
        assert np.all(np.isnan(family(2).to_theta(np.where(np.arange(family(2).dim) < 2, 2.0, 1.0))[-1:]))
    with pytest.raises(ig.DomainError, match="^variance must satisfy variance > 0; got"):
        DiagonalNormal(2).theta_from(mean=[0.0, 0.0], variance=[1.0, -1.0])
    with pytest.raises(ig.DomainError) as error:
        IsotropicNormal(2).eta_domain.require("eta", [1.0, 2.0, 5.0])
    assert str(error.value) == "eta must satisfy eta[2] > |eta[:2]|**2; got [1. 2. 5.]"
