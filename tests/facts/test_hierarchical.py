"""Hierarchical models of tables: the additive decomposition of interactions, proportional fitting, existence, samples, errors."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.families.hierarchical import Hierarchical

from .state_helpers import ExactStates

# p(k) ∝ (3, 1, 2, 4, 1, 5, 2, 6), variable i of cell k is bit i: axis 0 first
TABLE = (np.array([3.0, 1.0, 2.0, 4.0, 1.0, 5.0, 2.0, 6.0]) / 24).reshape(2, 2, 2).transpose(2, 1, 0)
ORDERS = {1: Hierarchical((2, 2, 2), ((0,), (1,), (2,))), 2: Hierarchical((2, 2, 2), ((0, 1), (0, 2), (1, 2))),
          3: Hierarchical((2, 2, 2), ((0, 1, 2),))}


@pytest.mark.parametrize("theta", [
    [-7.291330136087513, -7.050889775380009, 10.140711521028063, -7.564728155015265, -11.992671699442297],
    [8.0, -9.0, 7.0, -11.894, 3.0]], ids=str)
def test_a_rare_cell(theta):
    """A cell of probability 1e-15 to 1e-14: its log-probability, and its logarithmic odds from the margins."""
    family = Hierarchical((2, 2, 2), ((0, 1), (1, 2)))
    cells = np.indices((2, 2, 2)).reshape(3, -1).T
    exact = ExactStates(family.sufficient_statistic(cells))
    np.testing.assert_allclose(family.log_density(theta, cells), exact.all(theta)[1], rtol=1e-12)
    eta = family.to_eta(theta)
    expected, cost = exact.inverse(eta, theta)
    assert np.all(np.abs(family.to_theta(eta) - expected) <= 10 * cost)


def kl(p, q):
    return np.sum(p * np.log(p / q))


def projection(family, table):
    return family.parameters(family.theta_from(probabilities=table))["probabilities"]


def test_the_hierarchy_of_interactions():
    """KL(p‖p₁) = KL(p‖p₂) + KL(p₂‖p₁), with p_k the projection onto interactions of order k."""
    p3, p2, p1 = (projection(ORDERS[k], TABLE) for k in (3, 2, 1))
    np.testing.assert_allclose(p3, TABLE, rtol=1e-13)
    np.testing.assert_allclose([kl(TABLE, p2), kl(p2, p1), kl(TABLE, p1)], [0.029954440961, 0.054031987730, 0.083986428691],
                               atol=6e-13)
    product = np.einsum("i,j,k->ijk", TABLE.sum((1, 2)), TABLE.sum((0, 2)), TABLE.sum((0, 1)))
    np.testing.assert_allclose(p1, product, rtol=1e-13)


def test_projection_is_what_proportional_fitting_finds():
    fitted = np.full((2, 2, 2), 0.125)
    for _ in range(200):
        for axis in range(3):
            fitted = fitted * TABLE.sum(axis, keepdims=True) / fitted.sum(axis, keepdims=True)
    np.testing.assert_allclose(projection(ORDERS[2], TABLE), fitted, rtol=1e-12)


def test_corner_point_coding():
    """θ of the saturated model: log p(cell) against cells at the last level; η: the margins."""
    family = Hierarchical((2, 3), ((0, 1),))
    assert family.groups == ((0,), (1,), (0, 1)) and family.dim == 5
    p = np.array([[0.1, 0.2, 0.05], [0.3, 0.15, 0.2]])
    theta = family.theta_from(probabilities=p)
    last = np.log(p[1, 2])
    main = [np.log(p[0, 2]) - last, np.log(p[1, 0]) - last, np.log(p[1, 1]) - last]
    pairs = [np.log(p[0, l]) - np.log(p[0, 2]) - np.log(p[1, l]) + last for l in (0, 1)]
    np.testing.assert_allclose(theta, [*main, *pairs], rtol=1e-12)
    np.testing.assert_allclose(family.to_eta(theta), [0.35, 0.4, 0.35, 0.1, 0.2], rtol=1e-13)
    np.testing.assert_allclose(family.potential(theta), -last, rtol=1e-13)
    np.testing.assert_array_equal(family.sufficient_statistic([[0.0, 0.0], [1.0, 1.0], [1.0, 2.0]]),
                                  [[1, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])


def test_one_variable_is_categorical():
    family, categorical = Hierarchical((4,), ((0,),)), ig.Categorical(4)
    theta, other = np.random.default_rng(0).normal(size=(2, 6, 3))
    for name in ("potential", "to_eta", "metric", "cubic_tensor", "entropy"):
        np.testing.assert_allclose(getattr(family, name)(theta), getattr(categorical, name)(theta), rtol=1e-12, atol=1e-15,
                                   err_msg=name)
    np.testing.assert_allclose(family.kl(theta, other), categorical.kl(theta, other), rtol=1e-13)


@pytest.mark.parametrize("scale", [0.5, 5.0])
def test_against_extended_precision(scale):
    family = Hierarchical((2, 3, 2), ((0, 1), (2,)))
    cells = np.stack(np.unravel_index(np.arange(12), (2, 3, 2)), axis=-1).astype(float)
    exact = ExactStates(family.sufficient_statistic(cells))
    theta, other = scale * np.random.default_rng(1).normal(size=(2, family.dim))
    expected, log_p = exact.all(theta)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(family, name)(theta), value, rtol=1e-11, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(family.log_density(theta, cells), log_p, rtol=1e-12, atol=1e-13)
    for q in (other, theta + 1e-10 * other):
        np.testing.assert_allclose(family.kl(theta, q), exact.kl(theta, q), rtol=1e-9)


def test_where_empty_cells_have_no_estimate():
    """Without the triple interaction, two empty cells leave an estimate exactly where they differ in an even number of variables.

    (Along the only direction that keeps all pair margins, p changes by the parity of the cell.)
    """
    family, cells = ORDERS[2], np.stack(np.unravel_index(np.arange(8), (2, 2, 2)), axis=-1).astype(float)
    for a in range(8):
        for b in range(a):
            weights = np.where((np.arange(8) == a) | (np.arange(8) == b), 0.0, 1.0 + np.arange(8))
            exists = bin(a ^ b).count("1") % 2 == 0
            if exists:
                np.testing.assert_allclose(family.to_eta(family.fit(cells, weights)),
                                           weights @ family.sufficient_statistic(cells) / weights.sum(), rtol=1e-12)
            else:
                with pytest.raises(ig.DomainError, match="the maximum-likelihood estimate does not exist"):
                    family.fit(cells, weights)


def test_samples():
    family = Hierarchical((2, 3), ((0, 1),))
    p = np.array([[0.1, 0.2, 0.05], [0.3, 0.15, 0.2]])
    x = family.sample(np.random.default_rng(2), family.theta_from(probabilities=p), (40, 500))
    assert x.shape == (40, 500, 2)
    counts = np.zeros((2, 3))
    np.add.at(counts, tuple(x.reshape(-1, 2).astype(int).T), 1)
    assert np.all(np.abs(counts - 20000 * p) <= 5 * np.sqrt(20000 * p * (1 - p)))


@pytest.mark.parametrize("arguments, message", [
    (((2, 1), ((0,),)), "shape must satisfy shape integers >= 2"),
    (((), ((0,),)), "shape must satisfy shape integers >= 2"),
    (((2, 2), ()), "at least one group of axes"),
    (((2, 2), ((0, 2),)), r"tuples of different axes, 0 <= axis < 2; got \(0, 2\)"),
    (((2, 2), ((0, 0),)), "tuples of different axes"),
    (((2, 2), ((),)), "tuples of different axes"),
])
def test_constructor_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Hierarchical(*arguments)


def test_observations_are_cells():
    family = ORDERS[1]
    with pytest.raises(ig.DomainError, match=r"x must satisfy x integers, 0 <= x < \[2, 2, 2\]"):
        family.fit([[0, 1, 2]])
    with pytest.raises(ig.DomainError, match=r"probabilities > 0 and sum\(probabilities\) = 1"):
        family.theta_from(probabilities=TABLE * 0.9)
    assert np.isneginf(family.log_density(np.zeros(3), [0.0, 0.5, 0.0]))
