"""The natural gradient of −log p in the ordinary parameters, and what a change of η is there."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.base import ExponentialFamily
from infogeo.testing.formulas import derived

from ..backends import every_dtype
from ..registry import every_family, region

POLAR = {"mean_direction": 1e-6}        # an angle of a point near the pole turns by much within the step of a difference


def of(M, seed, shape=(4,)):
    rng = np.random.default_rng(seed)
    theta = region(M).sample(rng, shape, 0.3)
    return theta, M.sample(rng, theta)


@every_family
def test_closed_forms_are_the_derived_ones(M):
    theta, x = of(M, 180)
    covector = M.to_eta(theta) - M.sufficient_statistic(x)
    found, differences = M.from_eta_tangent(theta, covector), derived(ExponentialFamily, "from_eta_tangent")(M, theta, covector)
    assert list(found) == list(differences) == list(M.ordinary)
    residual = M.residual(theta, x)
    for name, value in found.items():
        assert value.shape == (4, *M.ordinary[name].shape)
        np.testing.assert_allclose(differences[name], value, rtol=1e-9, atol=1e-9 + POLAR.get(name, 0.0))
        np.testing.assert_allclose(residual[name], value, rtol=1e-12, atol=1e-12)


@every_family
def test_observations_broadcast(M):
    theta, x = of(M, 181, (3,))
    each, all_ = M.residual(theta[:, None, :], x), [M.residual(theta[i], x) for i in range(3)]
    for name in M.ordinary:
        np.testing.assert_allclose(each[name], np.stack([row[name] for row in all_]), rtol=1e-12, atol=1e-12)


@every_dtype
@pytest.mark.parametrize("M", [ig.Normal(), ig.Gamma(), ig.Categorical(3), ig.MultivariateNormal(2), ig.Zeta(), ig.Wishart(2),
                               ig.InverseGaussian(), ig.Independent(ig.LogNormal(), 2)], ids=repr)
def test_every_backend(M, backend, dtype):
    theta, x = of(M, 182)
    own, expected = M.residual(backend.make(theta, dtype), backend.make(x, dtype)), M.residual(theta, x)
    for name, value in expected.items():
        close = dict(rtol=2e-3, atol=1e-3) if dtype == "float32" else dict(rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(backend.check(own[name], dtype), value, **close)


@pytest.mark.parametrize("mean", [0.0, 1e3, 1e6, 1e8])
@pytest.mark.parametrize("make", [lambda m, v: (ig.Normal(), dict(mean=m, variance=v)),
                                  lambda m, v: (ig.DiagonalNormal(1), dict(mean=[m], variance=[v])),
                                  lambda m, v: (ig.IsotropicNormal(1), dict(mean=[m], variance=v)),
                                  lambda m, v: (ig.MultivariateNormal(1), dict(mean=[m], covariance=[[v]]))])
def test_a_large_mean_costs_no_digit(make, mean):
    """From η − T(x) the error of the change of the variance is 1e-9, 1e-3 and 10 at the means 1e3, 1e6 and 1e8."""
    M, ordinary = make(mean, 1.0)
    theta = M.theta_from(**ordinary)
    found = M.residual(theta, np.reshape(mean + 0.5, M.support.shape))
    np.testing.assert_allclose([np.ravel(value)[0] for value in found.values()], [-0.5, 0.75], rtol=3e-8 if mean > 1e7 else 1e-9)


def test_a_large_shape_costs_no_digit():
    """x = μ (1 + t/√α), whose log-density has the slope (t − t³/6 …)/√α … in log α: here (t² − 1) to 1/√α."""
    M, alpha, t = ig.Gamma(), 1e12, 0.5
    found = M.residual(M.theta_from(shape=alpha, rate=alpha), 1.0 + t / np.sqrt(alpha))
    assert np.isclose(found["shape"] / alpha, t**2 - 1.0, rtol=1e-4, atol=0)
