"""Continuous Bernoulli: no digit is lost about θ = 0, far out, or between the two."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.continuous_bernoulli import ContinuousBernoulli

from .positive_helpers import derivatives, dual_potential

FAMILY = ContinuousBernoulli()
THETAS = [0.0, 1e-300, -1e-9, 1e-4, -0.03, 0.7, -1.9, 3.999, 4.001, -4.5, 12.0, -30.0, 200.0, -699.0]


def psi(t):
    return mp.log(mp.expm1(t[0]) / t[0])


def exact(theta, order):
    """ψ and its derivatives in closed form, with the digits that cancel near 0 carried along."""
    if theta == 0:
        return (0.0, 0.5, 1 / 12, 0.0)[order]
    with mp.workdps(1300 if abs(theta) < 1e-100 else 400):
        t = mp.mpf(theta)
        u = t / 2
        formulas = [lambda: mp.log(mp.expm1(t) / t), lambda: 1 / (1 - mp.exp(-t)) - 1 / t,
                    lambda: 1 / t**2 - 1 / (4 * mp.sinh(u)**2), lambda: mp.cosh(u) / (4 * mp.sinh(u)**3) - 2 / t**3]
        return float(formulas[order]())


@pytest.mark.parametrize("theta", THETAS)
def test_derivatives_of_the_potential(theta):
    point = [theta]
    found = FAMILY.potential(point), FAMILY.to_eta(point)[0], FAMILY.metric(point)[0, 0], FAMILY.cubic_tensor(point)[0, 0, 0]
    np.testing.assert_allclose(found, [exact(theta, order) for order in range(4)], rtol=4e-15, atol=1e-320)


def test_far_out_nothing_is_nan():
    theta = np.array([[1e4], [-1e4], [1e200], [-1e200]])
    np.testing.assert_allclose(FAMILY.potential(theta), [1e4 - np.log(1e4), -np.log(1e4), 1e200, -200 * np.log(10)], rtol=1e-15)
    np.testing.assert_allclose(FAMILY.to_eta(theta)[:, 0], [1 - 1e-4, 1e-4, 1.0, 1e-200], rtol=1e-15)
    np.testing.assert_allclose(FAMILY.metric(theta)[:2, 0, 0], [1e-8, 1e-8], rtol=1e-15)
    np.testing.assert_allclose(FAMILY.cubic_tensor(theta)[:2, 0, 0, 0], [-2e-12, 2e-12], rtol=1e-15)
    np.testing.assert_array_equal(FAMILY.metric(theta)[2:, 0, 0], [0.0, 0.0])
    np.testing.assert_allclose(FAMILY.entropy(theta), [1 - np.log(1e4)] * 2 + [1 - 200 * np.log(10)] * 2, rtol=1e-15)


@pytest.mark.parametrize("theta", THETAS)
def test_entropy(theta):
    with mp.workdps(60):
        expected = -dual_potential(psi, [theta], 60) if abs(theta) > 1e-8 else -theta**2 / 24
    np.testing.assert_allclose(FAMILY.entropy([theta]), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("eta", [
    1e-12, 0.01, 0.2499, 0.2501, 0.4, 0.5 - 1e-9, 0.5, 0.5 + 2.0**-40, 0.7, 0.7501, 0.99, 1 - 2.0**-40])
def test_inverse_chart(eta):
    with mp.workdps(60):
        target, mean = mp.mpf(eta), lambda t: 1 / (1 - mp.exp(-t)) - 1 / t
        far = abs(eta - 0.5) > 0.3
        start = 12 * (target - 0.5) if not far else -1 / target if eta < 0.5 else 1 / (1 - target)
        expected = 0.0 if eta == 0.5 else float(mp.findroot(lambda t: (mean(t) - target) * (t if far else 1), start))
    np.testing.assert_allclose(FAMILY.to_theta([eta]), [expected], rtol=1e-14, atol=1e-320)


@pytest.mark.parametrize("p, q", [
    (-3.0, 3.0), (100.0, 104.5), (-100.0, -104.5), (1e6, 3.0), (3.0, 1e6), (-1e6, 1e6), (5.0, 30.0), (4.5, 9.0), (0.0, 4.5),
    (1e6, 1e6 + 1.0), (1e6, 1e6 + 10.0), (0.0, 1e-10), (-4.0, 1e-3), (3.9, 4.1), (50.0, 50.0 + 1e-8)])
def test_kl(p, q):
    for a, b in ((p, q), (q, p), (-p, -q)):
        with mp.workdps(400):
            s, t = (mp.mpf(v) if v else mp.mpf(10)**-150 for v in (a, b))
            value = lambda v: v + mp.log((1 - mp.exp(-v)) / v) if v > 0 else mp.log(mp.expm1(v) / v)
            expected = float(value(t) - value(s) - (t - s) * (1 / (1 - mp.exp(-s)) - 1 / s))
        np.testing.assert_allclose(FAMILY.kl([a], [b]), expected, rtol=2e-13)


def test_reflection():
    """x ↦ 1 − x is θ ↦ −θ: the same entropy, metric and divergences."""
    p, q = np.random.default_rng(0).normal(0, 5, (2, 50, 1))
    np.testing.assert_allclose(FAMILY.entropy(p), FAMILY.entropy(-p), rtol=1e-15)
    np.testing.assert_allclose(FAMILY.kl(p, q), FAMILY.kl(-p, -q), rtol=1e-13)
    np.testing.assert_allclose(FAMILY.to_eta(p) + FAMILY.to_eta(-p), np.ones((50, 1)), rtol=1e-15)


def test_edges():
    np.testing.assert_array_equal(np.isnan(FAMILY.to_theta([[0.0], [1.0], [-0.1], [np.nan], [0.5]]))[:, 0], [True] * 4 + [False])
    x = [0.0, 0.3, 1.0, 1.0 + 1e-15, -1e-300]
    np.testing.assert_array_equal(FAMILY.log_density([0.0], x), [0.0, 0.0, 0.0, -np.inf, -np.inf])
    np.testing.assert_allclose(FAMILY.to_theta([1e-300]), [-1e300], rtol=1e-15)
    with pytest.raises(ig.DomainError, match=r"does not exist.* 0 < eta < 1; got"):
        FAMILY.fit([1.0, 1.0])
    np.testing.assert_allclose(derivatives(psi, [2.0], 1), FAMILY.to_eta([2.0]), rtol=1e-15)
