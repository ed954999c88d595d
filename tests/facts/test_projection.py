"""Projections with known answers: independence, moment constraints, the log-linear hierarchy of three binary variables."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig

CUBE = np.array([3, 1, 2, 4, 1, 5, 2, 6]) / 24       # bit i of an outcome is variable i
BITS = np.array([[state >> i & 1 for i in range(3)] for state in range(8)], dtype=float)


def log_linear(order):
    """The interactions up to `order` as an e-flat submanifold of eight outcomes, the last being the reference."""
    columns = [BITS[:, i] for i in range(3)]
    if order == 2:
        columns += [BITS[:, i] * BITS[:, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    statistic = np.stack(columns, axis=-1)
    return ig.AffineSubmanifold(np.zeros(7), (statistic[:7] - statistic[7]).T)


def test_log_linear_hierarchy():
    """KL(p‖p₂) = .029954440961, KL(p₂‖p₁) = .054031987730, KL(p‖p₁) = .083986428691, their sum; p₁ is a product."""
    family = ig.Categorical(8)
    p = family.theta_from(probabilities=CUBE)
    p2, p1 = ig.m_project(family, p, log_linear(2)), ig.m_project(family, p, log_linear(1))
    np.testing.assert_allclose([family.kl(p, p2), family.kl(p2, p1), family.kl(p, p1)],
                               [0.029954440961, 0.054031987730, 0.083986428691],
                               rtol=2e-11)
    np.testing.assert_allclose(family.kl(p, p2) + family.kl(p2, p1), family.kl(p, p1), rtol=1e-13)
    marginals = CUBE @ BITS
    product = np.prod(np.where(BITS == 1, marginals, 1 - marginals), axis=-1)
    np.testing.assert_allclose(family.parameters(p1)["probabilities"], product, rtol=1e-11)
    np.testing.assert_allclose(ig.m_project(family, p2, log_linear(1)), p1, rtol=1e-9, atol=1e-12)


def test_e_projection_onto_a_moment_constraint_is_a_tilting():
    """A die of mean 4.5 nearest to the fair one in KL(q‖fair): q_i ∝ e^{λi}, λ from a root search in 30 digits (Jaynes)."""
    family = ig.Categorical(6)
    value = np.arange(1.0, 7.0)
    with mp.workdps(30):
        mean = lambda s: sum(v * mp.exp(s * v) for v in range(1, 7)) / sum(mp.exp(s * v) for v in range(1, 7)) - mp.mpf("4.5")
        root = mp.findroot(mean, 0.37)
        weight = [mp.exp(root * v) for v in range(1, 7)]
        expected = np.array([float(w / sum(weight)) for w in weight])
    # the affine set of η with Σ value_i p_i = 4.5: one point of it and the directions that keep the mean
    normal = value[:5] - value[5]
    directions = np.linalg.svd(normal[None, :])[2][1:]
    start = np.full(5, 0.1)
    start[4] = (4.5 - value[5] - normal[:4] @ start[:4]) / normal[4]
    projected = ig.e_project(family, np.zeros(5), ig.AffineSubmanifold(start, directions))
    np.testing.assert_allclose(family.parameters(projected)["probabilities"], expected, rtol=1e-9)


def test_e_projection_onto_given_marginals():
    """A 3 × 3 table with rows (.3, .3, .4) and columns (.2, .5, .3) nearest to [[1, 2, 3], [4, 5, 6], [7, 8, 10]] / 46.

    What iterative proportional fitting converges to: KL .166933997650, first row (.0415694367, .153258757, .1051718063); and
    the result is the given table times a factor for each row and each column.
    """
    family = ig.Categorical(9)
    table = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10]) / 46
    rows, columns = np.array([0.3, 0.3, 0.4]), np.array([0.2, 0.5, 0.3])
    sums = np.concatenate([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
    directions = np.linalg.svd(sums)[2][5:]                 # the four directions that change no marginal
    onto = ig.AffineSubmanifold(np.outer(rows, columns).ravel()[:8], directions[:, :8])
    prior = family.theta_from(probabilities=table)
    fitted = ig.e_project(family, prior, onto)
    p = family.parameters(fitted)["probabilities"]
    np.testing.assert_allclose(sums @ p, np.concatenate([rows, columns]), rtol=1e-12)
    np.testing.assert_allclose(p[:3], [0.0415694367, 0.153258757, 0.1051718063], rtol=2e-9)
    np.testing.assert_allclose(family.kl(fitted, prior), 0.166933997650, rtol=1e-11)
    ratio = np.log(p / table).reshape(3, 3)
    np.testing.assert_allclose(ratio - ratio[:1] - ratio[:, :1] + ratio[0, 0], np.zeros((3, 3)), atol=1e-10)


def test_m_projection_of_a_normal_onto_a_line_of_means():
    """Onto N(μ, v₀) with v₀ fixed: the mean is kept, whatever the variance of p."""
    family = ig.Normal()
    p = family.theta_from(mean=1.7, variance=9.0)
    onto = ig.AffineSubmanifold(family.theta_from(mean=0.0, variance=2.0), [[1.0, 0.0]])
    q = family.parameters(ig.m_project(family, p, onto))
    np.testing.assert_allclose([q["mean"], q["variance"]], [1.7, 2.0], rtol=1e-13)


def test_m_projection_onto_independence():
    """A bivariate normal onto diagonal covariances: the marginals are kept."""
    family = ig.MultivariateNormal(2)
    p = family.theta_from(mean=[1.0, -1.0], covariance=[[2.0, 0.9], [0.9, 1.0]])
    basis = np.eye(5)[[0, 1, 2, 4]]
    onto = ig.AffineSubmanifold(family.theta_from(mean=[0.0, 0.0], covariance=np.eye(2)), basis)
    q = family.parameters(ig.m_project(family, p, onto))
    np.testing.assert_allclose(q["mean"], [1.0, -1.0], rtol=1e-10)
    np.testing.assert_allclose(q["covariance"], np.diag([2.0, 1.0]), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(family.kl(p, ig.m_project(family, p, onto)), -0.5 * np.log(1 - 0.81 / 2.0), rtol=1e-11)


def test_euclidean_projection_is_least_squares():
    rng = np.random.default_rng(0)
    basis, origin, p = rng.standard_normal((2, 5)), rng.standard_normal(5), rng.standard_normal((7, 5))
    onto = ig.AffineSubmanifold(origin, basis)
    coefficients = np.linalg.lstsq(basis.T, (p - origin).T, rcond=None)[0]
    expected = origin + coefficients.T @ basis
    np.testing.assert_allclose(ig.m_project(ig.Euclidean(5), p, onto), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ig.e_project(ig.Euclidean(5), p, onto), expected, rtol=1e-10, atol=1e-12)


def test_errors():
    family = ig.Normal()
    with pytest.raises(ig.ShapeError, match=r"basis must have shape \(m, d\) and origin \(\.\.\., d\); got \(1, 3\) and \(2,\)"):
        ig.AffineSubmanifold([0.0, -1.0], [[1.0, 0.0, 0.0]])
    with pytest.raises(ig.DomainError, match="basis must satisfy rank = 2, the number of its rows; got 1"):
        ig.AffineSubmanifold([0.0, -1.0], [[1.0, 0.0], [2.0, 0.0]])
    with pytest.raises(ig.DomainError, match=r"^onto\.origin must satisfy onto\.origin\[1\] < 0; got \[0\. 1\.\]$"):
        ig.m_project(family, [0.0, -1.0], ig.AffineSubmanifold([0.0, 1.0], [[1.0, 0.0]]))
    with pytest.raises(ig.DomainError, match=r"^theta_p must satisfy theta_p\[1\] < 0; got"):
        ig.m_project(family, [0.0, 1.0], ig.AffineSubmanifold([0.0, -1.0], [[1.0, 0.0]]))
