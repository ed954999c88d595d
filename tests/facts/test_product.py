"""Products: observations side by side, quantities that add, parameters of each factor, rows of one family."""
import numpy as np
import pytest
import scipy.stats

import infogeo as ig
from infogeo.families.product import Independent, Product

FAMILY = Product(ig.Normal(), ig.Categorical(3), ig.Dirichlet(3), ig.Poisson())
PARAMETERS = {"mean_0": 1.0, "variance_0": 4.0, "probabilities_1": [0.5, 0.3, 0.2], "concentration_2": [1.5, 2.0, 0.7],
              "rate_3": 3.0}
THETA = FAMILY.theta_from(**PARAMETERS)
OTHER = FAMILY.theta_from(mean_0=0.0, variance_0=1.0, probabilities_1=[0.1, 0.2, 0.7], concentration_2=[1.0, 1.0, 1.0],
                          rate_3=0.5)
X = np.array([0.3, 2.0, 0.2, 0.7, 0.1, 4.0])


def test_coordinates_are_those_of_the_factors():
    assert FAMILY.dim == 8 and FAMILY.support.shape == (6,)
    parts = [f.theta_from(**{name.rsplit("_", 1)[0]: value for name, value in PARAMETERS.items() if name.endswith(str(i))})
             for i, f in enumerate(FAMILY.factors)]
    np.testing.assert_array_equal(THETA, np.concatenate(parts))
    np.testing.assert_allclose(FAMILY.to_theta(FAMILY.to_eta(THETA)), THETA, rtol=1e-12)
    for name, value in FAMILY.parameters(THETA).items():
        np.testing.assert_allclose(value, PARAMETERS[name], rtol=1e-14)


def test_quantities_add():
    log_p = (scipy.stats.norm(1, 2).logpdf(0.3) + np.log(0.2) + scipy.stats.dirichlet([1.5, 2.0, 0.7]).logpdf([0.2, 0.7, 0.1])
             + scipy.stats.poisson(3).logpmf(4))
    np.testing.assert_allclose(FAMILY.log_density(THETA, X), log_p, rtol=1e-13)
    entropy = (scipy.stats.norm(1,
                                2).entropy() + scipy.stats.entropy([0.5, 0.3, 0.2]) + scipy.stats.dirichlet([1.5, 2.0,
                                                                                                             0.7]).entropy()
               + scipy.stats.poisson(3).entropy())
    np.testing.assert_allclose(FAMILY.entropy(THETA), entropy, rtol=1e-10)
    parts = [f.kl(p, q) for f, p, q in zip(FAMILY.factors, FAMILY.base.split(THETA), FAMILY.base.split(OTHER))]
    np.testing.assert_allclose(FAMILY.kl(THETA, OTHER), np.sum(parts), rtol=1e-14)
    near = THETA * (1 + 1e-10)
    step = near - THETA
    np.testing.assert_allclose(FAMILY.kl(THETA, near), 0.5 * step @ FAMILY.flat(THETA, step), rtol=1e-6)


def test_fit_is_that_of_the_factors():
    """Also for a mean so large that the second moment would cost the variance its digits."""
    theta = FAMILY.theta_from(**(PARAMETERS | {"mean_0": 1e7}))
    x = FAMILY.sample(np.random.default_rng(0), theta, (500, 2))
    weights = np.random.default_rng(1).random(500)
    fitted = FAMILY.parameters(FAMILY.fit(x, weights))
    mean = np.average(x[..., 0], axis=0, weights=weights)
    np.testing.assert_allclose(fitted["mean_0"], mean, rtol=1e-13)
    np.testing.assert_allclose(fitted["variance_0"], np.average((x[..., 0] - mean) ** 2, axis=0, weights=weights), rtol=1e-10)
    np.testing.assert_allclose(fitted["rate_3"], np.average(x[..., 5], axis=0, weights=weights), rtol=1e-13)


def test_samples():
    x = FAMILY.sample(np.random.default_rng(2), THETA, 20000)
    assert x.shape == (20000, 6) and np.all(FAMILY.support.contains(x))
    gap = FAMILY.sufficient_statistic(x).mean(axis=0) - FAMILY.to_eta(THETA)
    assert np.all(np.abs(gap) <= 5 * np.sqrt(np.diagonal(FAMILY.metric(THETA)) / 20000))


def test_supports_name_the_place():
    with pytest.raises(ig.DomainError, match=r"x\[0\] finite and x\[1\] an integer, 0 <= x\[1\] <= 2 and x\[2:5\] >= 0"):
        FAMILY.fit(X[None] * 1.1)
    assert np.isneginf(FAMILY.log_density(THETA, X * [1, 1.1, 1, 1, 1, 1]))
    with pytest.raises(ig.DomainError, match="rate_3 must satisfy rate_3 > 0"):
        FAMILY.theta_from(**(PARAMETERS | {"rate_3": -1.0}))


def test_equal_products_are_equal():
    assert Product(ig.Normal(), ig.Poisson()) == Product(ig.Normal(), ig.Poisson()) != Product(ig.Poisson(), ig.Normal())
    assert Independent(ig.Normal(), 2) == Independent(ig.Normal(), 2) != Product(ig.Normal(), ig.Normal())
    assert hash(Independent(ig.Normal(), 2)) == hash(Independent(ig.Normal(), 2))


def test_rows_of_one_family():
    family, one = Independent(ig.MultivariateNormal(2), 3), ig.MultivariateNormal(2)
    rng = np.random.default_rng(3)
    mean, root = rng.normal(size=(4, 3, 2)), rng.normal(size=(3, 2, 2))
    covariance = root @ np.swapaxes(root, -1, -2) + np.eye(2)
    theta, row = family.theta_from(mean=mean, covariance=covariance), one.theta_from(mean=mean, covariance=covariance)
    np.testing.assert_array_equal(theta, row.reshape(4, 15))
    np.testing.assert_allclose(family.parameters(theta)["covariance"], np.broadcast_to(covariance, (4, 3, 2, 2)), rtol=1e-12)
    x = family.sample(rng, theta, 5)
    assert x.shape == (5, 4, 3, 2)
    np.testing.assert_allclose(family.log_density(theta, x), one.log_density(row, x).sum(axis=-1), rtol=1e-13)
    np.testing.assert_allclose(family.kl(theta[0], theta[1]), one.kl(row[0], row[1]).sum(), rtol=1e-13)
    np.testing.assert_allclose(family.entropy(theta), one.entropy(row).sum(axis=-1), rtol=1e-13)
    assert np.isneginf(family.log_density(theta[0], np.where(np.arange(3)[:, None] == 1, np.nan, x[0, 0])))


def test_rows_of_matrices():
    """The observation that stands in for one outside the support is one of the family, row by row."""
    family = Independent(ig.Wishart(2), 3)
    theta = family.theta_from(degrees_of_freedom=[4.0, 5.0, 6.0], scale_matrix=np.stack([np.eye(2)] * 3))
    x = family.sample(np.random.default_rng(5), theta)
    outside = np.where(np.arange(3)[:, None, None] == 1, np.nan, x)
    found = family.log_density(theta, np.stack([x, outside]))
    np.testing.assert_array_equal(found, [family.log_density(theta, x), -np.inf])
    assert family.support.contains(family._somewhere) and np.isfinite(family.log_density(theta, family._somewhere))


def test_scalar_rows():
    """n Bernoullis with logits of their own."""
    family = Independent(ig.Bernoulli(), 4)
    p = np.array([0.1, 0.5, 0.9, 0.3])
    theta = family.theta_from(probability=p)
    x = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(family.log_density(theta, x), np.sum(np.log(np.where(x == 1, p, 1 - p)), axis=-1), rtol=1e-14)
    np.testing.assert_allclose(family.metric(theta), np.diag(p * (1 - p)), rtol=1e-13)
    draws = family.sample(np.random.default_rng(4), theta, 20000)
    assert np.all(np.abs(draws.mean(axis=0) - p) <= 5 * np.sqrt(p * (1 - p) / 20000))


@pytest.mark.parametrize("n", [0, 2.0])
def test_constructors_refuse(n):
    with pytest.raises(ValueError, match="n must satisfy n an integer >= 1"):
        Independent(ig.Normal(), n)
    with pytest.raises(TypeError, match="Product takes an ExponentialFamily as its argument factors"):
        Product(ig.Normal(), ig.Euclidean(2))
