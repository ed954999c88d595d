"""Boltzmann machines: a worked fit, exact moments, twenty spins, independent spins, samples, errors."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.boltzmann import BoltzmannMachine

from .state_helpers import ExactStates

TARGET = np.array([3.0, 1.0, 2.0, 4.0, 1.0, 5.0, 2.0, 6.0]) / 24     # of state k, whose spin i is bit i


def test_three_spins_by_natural_gradient():
    """Full steps from 0 towards a target that is not in the family."""
    family = BoltzmannMachine(3)
    eta = TARGET @ family.sufficient_statistic(family.all_states())
    kl = lambda theta: np.sum(TARGET * np.log(TARGET / family.probabilities(theta)))
    theta, values = np.zeros(6), []
    for _ in range(4):
        values.append(kl(theta))
        theta = theta - family.sharp(theta, family.to_eta(theta) - eta)
    np.testing.assert_allclose(values, [0.1685272701, 0.0404804223, 0.0299827441, 0.0299544410], atol=6e-11)
    limit = family.to_theta(eta)
    np.testing.assert_allclose(limit,
                               [0.305034962893, 0.132954869757, 0.079007631760, 0.151620879106, 0.335806597660, -0.074406452028],
                               atol=6e-13)
    np.testing.assert_allclose(kl(limit), 0.029954440961070, atol=6e-16)
    eigenvalues = np.linalg.eigvalsh(family.metric(limit))
    np.testing.assert_allclose(eigenvalues[[0, -1]], [0.546402, 1.639311], atol=6e-7)
    np.testing.assert_allclose(eigenvalues[-1] / eigenvalues[0], 3.00019, atol=6e-6)


@pytest.mark.parametrize("scale", [0.3, 3.0, 12.0])
def test_against_extended_precision(scale):
    family = BoltzmannMachine(4, edges=((0, 1), (2, 1), (0, 3)))
    exact = ExactStates(family.sufficient_statistic(family.all_states()))
    theta, other = scale * np.random.default_rng(0).normal(size=(2, 7))
    expected, log_p = exact.all(theta)
    for name, value in expected.items():
        size = np.max(np.abs(value))
        np.testing.assert_allclose(getattr(family, name)(theta), value, rtol=1e-11, atol=1e-14 * size, err_msg=name)
    np.testing.assert_allclose(family.log_density(theta, family.all_states()), log_p, rtol=1e-12)
    np.testing.assert_allclose(family.kl(theta, other), exact.kl(theta, other), rtol=1e-12)
    near = theta + 1e-10 * other
    np.testing.assert_allclose(family.kl(theta, near), exact.kl(theta, near), rtol=1e-9)


def test_a_nearly_certain_state():
    """log p = −1.6e-23 of three spins in strong fields, and a metric whose entries differ by four orders."""
    family = BoltzmannMachine(3)
    exact = ExactStates(family.sufficient_statistic(family.all_states()))
    theta = [38.60178392966053, -35.62872842654891, 37.49505854248013, 34.26651092238523, 19.761430829047107, 27.59390611538349]
    np.testing.assert_allclose(family.log_density(theta, family.all_states()), exact.all(theta)[1], rtol=1e-12)
    theta = [13.378971559391504, -35.13953487917497, -53.364189800457766, 55.46891047968797, -50.117132009136895,
             30.260362502131393]
    np.testing.assert_allclose(family.metric(theta), exact.all(theta)[0]["metric"], rtol=1e-12)


@pytest.mark.parametrize("eta", [
    [0.9999999959566853, 1.0, 0.9999999957250085, 0.9999999959566853, 0.9999999997683232, 0.9999999957250085],
    [-0.9999942972014271, 0.9999999999995375, -0.9999942972014271, -0.9999942972009646, 1.0, -0.9999942972009646],
    [1.0, -0.999822764116852, -0.9998224486248506, -0.999822764116852, -0.9998224486248506, 0.9999996845075931]], ids=str)
def test_moments_rounded_onto_the_boundary(eta):
    """Two spins of strong fields agree to rounding: no θ is known, and the search says so instead of running to infinity."""
    family = BoltzmannMachine(3)
    assert np.all(np.isnan(family.to_theta(eta))) and not family.eta_domain.contains(np.array(eta))


def test_saturated_spins_keep_their_variance():
    """Var s = 1 − tanh² b, far below the rounding of the mean 1."""
    family = BoltzmannMachine(2, edges=())
    b = np.array([18.0, -30.0])
    np.testing.assert_allclose(family.metric(b), np.diag(1 / np.cosh(b) ** 2), rtol=1e-13, atol=1e-40)
    np.testing.assert_allclose(family.flat(b, [1.0, 1.0]), 1 / np.cosh(b) ** 2, rtol=1e-13)


def test_without_edges_the_spins_are_independent():
    """s = 2x − 1 with x Bernoulli of logit 2b."""
    family, spin = BoltzmannMachine(3, edges=()), ig.Bernoulli()
    b = np.array([[0.3, -1.0, 2.0], [4.0, 0.0, -5.0]])
    logit = 2.0 * b[..., None]
    np.testing.assert_allclose(family.to_eta(b), np.tanh(b), rtol=1e-13)
    np.testing.assert_allclose(family.potential(b), np.sum(np.log(2 * np.cosh(b)), axis=-1), rtol=1e-14)
    np.testing.assert_allclose(family.kl(b[0], b[1]), np.sum(spin.kl(logit[0], logit[1])), rtol=1e-13)
    np.testing.assert_allclose(family.entropy(b), np.sum(spin.entropy(logit), axis=-1), rtol=1e-13)


def test_twenty_spins_in_blocks():
    """A ring, whose partition function is (2 cosh w)^n + (2 sinh w)^n and whose neighbours correlate as its derivative says."""
    n, w = 20, 0.4
    family = BoltzmannMachine(n, edges=[(i, (i + 1) % n) for i in range(n)])
    theta = np.concatenate([np.zeros(n), np.full(n, w)])
    c, s = np.cosh(w), np.sinh(w)
    np.testing.assert_allclose(family.potential(theta), n * np.log(2 * c) + np.log1p((s / c) ** n), rtol=1e-14)
    correlation = (s * c ** (n - 1) + c * s ** (n - 1)) / (c**n + s**n)
    np.testing.assert_allclose(family.to_eta(theta), np.repeat([0.0, correlation], n), rtol=1e-12, atol=1e-13)


def test_many_spins_are_enumerated_in_blocks_as_few_are():
    """14 spins with 13 of them free: the 3 coupled ones are as in a machine of their own."""
    few, many = BoltzmannMachine(3), BoltzmannMachine(14, edges=((0, 1), (0, 2), (1, 2)))
    theta = np.array([0.2, -0.5, 1.0, 0.7, -0.3, 0.4])
    wide = np.concatenate([theta[:3], np.zeros(11), theta[3:]])
    kept = [0, 1, 2, 14, 15, 16]
    np.testing.assert_allclose(many.to_eta(wide)[kept], few.to_eta(theta), rtol=1e-12)
    np.testing.assert_allclose(many.metric(wide)[np.ix_(kept, kept)], few.metric(theta), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(many.metric(wide)[3:14, 3:14], np.eye(11), atol=1e-13)


def test_samples():
    """Means and correlations within five standard errors."""
    family = BoltzmannMachine(5)
    theta = 0.5 * np.random.default_rng(1).normal(size=(2, 15))
    x = family.sample(np.random.default_rng(2), theta, 20000)
    assert x.shape == (20000, 2, 5) and np.array_equal(np.unique(x), [-1.0, 1.0])
    statistic = family.sufficient_statistic(x)
    error = np.sqrt(np.diagonal(family.metric(theta), axis1=-2, axis2=-1) / 20000)
    assert np.all(np.abs(statistic.mean(axis=0) - family.to_eta(theta)) <= 5 * error)
    fitted = family.fit(x)
    np.testing.assert_allclose(family.to_eta(fitted), statistic.mean(axis=0), atol=1e-13)


def test_ordinary_parameters():
    family = BoltzmannMachine(3, edges=((2, 0),))
    assert family.edges == ((0, 2),) and family == BoltzmannMachine(3, edges=[(0, 2)])
    theta = family.theta_from(fields=[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], couplings=[0.5])
    np.testing.assert_array_equal(theta, [[1.0, 2.0, 3.0, 0.5], [0.0, 0.0, 0.0, 0.5]])
    np.testing.assert_array_equal(family.parameters(theta)["couplings"], [[0.5], [0.5]])


@pytest.mark.parametrize("arguments",
                         [(0,), (21,), (2.5,), (3, [(0, 0)]), (3, [(0, 3)]), (3, [(0, 1), (1, 0)]), (3, [(0, 1, 2)])])
def test_constructor_refuses(arguments):
    with pytest.raises(ValueError, match="n an integer, 1 <= n <= 20|edges different pairs"):
        BoltzmannMachine(*arguments)


def test_spins_are_plus_or_minus_one():
    family = BoltzmannMachine(2)
    np.testing.assert_array_equal(np.isneginf(family.log_density(np.zeros(3), [[1.0, -1.0], [0.0, 1.0], [np.nan, 1.0]])),
                                  [False, True, True])
    with pytest.raises(ig.DomainError, match="x must satisfy x = -1 or 1"):
        family.fit([[1.0, 0.5]])
