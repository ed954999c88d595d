"""Projections onto sets given by equations and inequalities, and the hierarchy of orders of interaction."""
import numpy as np
import pytest
from scipy.optimize import minimize

import infogeo as ig
from infogeo.geometry.projections.flat_sets import AffineConstraints, AffineSubmanifold, Halfspaces, Intersection
from infogeo.geometry.projections.projection import e_project, m_project
from infogeo.statistics.interaction import interaction_orders

from ..backends import every_dtype

CUBE = np.array([3, 1, 2, 4, 1, 5, 2, 6]) / 24       # bit i of an outcome is variable i
DIE = ig.Categorical(6)
FAIR = np.zeros(5)
FACES = np.arange(1.0, 6.0)[None] - 6.0               # E[x] = 6 + FACES η
TABLE = ig.Categorical(9)
COUNTS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10]) / 46


def margin(axis, values):
    """The tables of nine cells with these sums along an axis, as equations of η: three rows, whose sum says that Σ p = 1."""
    sums = np.kron(np.eye(3), np.ones(3)) if axis == 0 else np.kron(np.ones(3), np.eye(3))
    return AffineConstraints(sums[:, :8] - sums[:, 8:], np.asarray(values) - sums[:, 8])


ROWS, COLUMNS = margin(0, [0.3, 0.3, 0.4]), margin(1, [0.2, 0.5, 0.3])


def test_equations_give_what_a_basis_gives():
    """A die of mean 4.5: the submanifold with its directions and with its one equation."""
    directions = np.linalg.svd(FACES)[2][1:]
    start = np.array([0.1, 0.1, 0.1, 0.1, 0.1])
    start[4] = (4.5 - 6.0 - FACES[0, :4] @ start[:4]) / FACES[0, 4]
    by_basis = e_project(DIE, FAIR, AffineSubmanifold(start, directions))
    by_equation = e_project(DIE, FAIR, AffineConstraints(FACES, [-1.5]))
    np.testing.assert_allclose(by_equation, by_basis, rtol=1e-9, atol=1e-11)
    normals, offsets = AffineSubmanifold(start, directions).equations()
    np.testing.assert_allclose(np.abs(normals @ FACES[0]), np.linalg.norm(FACES), rtol=1e-13)
    np.testing.assert_allclose(offsets, normals @ start, rtol=1e-13)


def test_intersection_of_margins():
    """KL(P*‖P₀) = .166933997650 and the first row of the 3 × 3 table, from a start that is in neither set and from any basis."""
    prior = TABLE.theta_from(probabilities=COUNTS)
    fitted = e_project(TABLE, prior, Intersection(ROWS, COLUMNS))
    p = TABLE.parameters(fitted)["probabilities"]
    np.testing.assert_allclose(p[:3], [0.0415694367, 0.153258757, 0.1051718063], rtol=2e-9)
    np.testing.assert_allclose(TABLE.kl(fitted, prior), 0.166933997650, rtol=1e-11)
    np.testing.assert_allclose(p.reshape(3, 3).sum(axis=1), [0.3, 0.3, 0.4], rtol=1e-13)
    np.testing.assert_allclose(p.reshape(3, 3).sum(axis=0), [0.2, 0.5, 0.3], rtol=1e-13)


def test_a_batch_of_margins():
    """Offsets with a batch: as many tables in one call."""
    rng = np.random.default_rng(3)
    targets = rng.dirichlet(np.full(3, 3.0), (20, 2))
    sums = np.concatenate([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
    onto = AffineConstraints(sums[:, :8] - sums[:, 8:], targets.reshape(20, 6) - sums[:, 8])
    fitted = TABLE.parameters(e_project(TABLE, TABLE.theta_from(probabilities=COUNTS), onto))["probabilities"]
    np.testing.assert_allclose(fitted @ sums.T, targets.reshape(20, 6), rtol=1e-12)
    ratio = np.log(fitted / COUNTS).reshape(20, 3, 3)
    np.testing.assert_allclose(ratio - ratio[:, :1] - ratio[:, :, :1] + ratio[:, :1, :1], np.zeros((20, 3, 3)), atol=1e-10)


def test_pythagoras_along_iterated_projections():
    """D(r‖q_k) = D(r‖q_{k+1}) + D(q_{k+1}‖q_k) for r in the intersection: the steps of proportional fitting sum to D(r‖q_0)."""
    q = TABLE.theta_from(probabilities=COUNTS)
    limit = e_project(TABLE, q, Intersection(ROWS, COLUMNS))
    start, total = TABLE.kl(limit, q), 0.0
    for k in range(6):
        before, q = q, e_project(TABLE, q, COLUMNS if k % 2 else ROWS)
        np.testing.assert_allclose(TABLE.kl(limit, q) + TABLE.kl(q, before), TABLE.kl(limit, before), rtol=1e-10, atol=1e-15)
        total += TABLE.kl(q, before)
    np.testing.assert_allclose(total, start, rtol=1e-9)


@pytest.mark.parametrize("mean, expected", [(4.5, 4.5), (3.0, 3.5)])
def test_a_die_of_mean_at_least(mean, expected):
    """E[x] ≥ 4.5 moves the fair die to mean 4.5, and E[x] ≥ 3 not at all: it is its own projection."""
    q = e_project(DIE, FAIR, Halfspaces(-FACES, [6.0 - mean]))
    np.testing.assert_allclose(DIE.parameters(q)["probabilities"] @ np.arange(1, 7), expected, rtol=1e-13)
    if mean < 3.5:
        np.testing.assert_allclose(q, FAIR, atol=1e-15)
        assert np.array_equal(m_project(DIE.dual, DIE.to_eta(FAIR), Halfspaces(-FACES, [6.0 - mean])), DIE.to_eta(FAIR))
    else:
        np.testing.assert_allclose(q, e_project(DIE, FAIR, AffineConstraints(FACES, [mean - 6.0])), rtol=1e-9, atol=1e-12)


def test_a_normal_of_mean_at_least():
    """Nearest to N(0, 1) in KL(q‖p) with E[x] ≥ 1 is N(1, 1); with E[x²] ≤ ¼ in addition to E[x] ≥ ¼, N(¼, ³⁄₁₆)."""
    M = ig.Normal()
    p = M.theta_from(mean=0.0, variance=1.0)
    q = M.parameters(e_project(M, p, Halfspaces([[-1.0, 0.0]], [-1.0])))
    np.testing.assert_allclose([q["mean"], q["variance"]], [1.0, 1.0], rtol=1e-12)
    corner = M.parameters(e_project(M, p, Intersection(Halfspaces([[-1.0, 0.0]], [-0.25]), Halfspaces([[0.0, 1.0]], [0.25]))))
    np.testing.assert_allclose([corner["mean"], corner["variance"]], [0.25, 3 / 16], rtol=1e-11)


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds:RuntimeWarning")       # of SciPy 1.15, half-way
def test_against_a_general_solver():
    """The m-projection onto a polyhedron with an equation, against SLSQP, a method of another kind, to its accuracy."""
    M, rng = ig.Gamma(), np.random.default_rng(5)
    p = M.theta_from(shape=4.0, rate=2.0)
    for _ in range(5):
        A, inner = rng.standard_normal((3, 2)), M.theta_from(shape=np.exp(rng.standard_normal()), rate=1.0)
        b = A @ inner + 0.05
        q = m_project(M, p, Halfspaces(A, b))
        other = minimize(lambda x: M.kl(p, x), inner, jac=lambda x: M.to_eta(x) - M.to_eta(p), method="SLSQP",
                         bounds=[(-1 + 1e-9, None), (None, -1e-9)], options={"ftol": 1e-14, "maxiter": 500},
                         constraints={"type": "ineq", "fun": lambda x: b - A @ x, "jac": lambda x: -A})
        assert np.all(A @ q <= b + 1e-11)
        np.testing.assert_allclose(M.kl(p, q), other.fun, rtol=1e-6, atol=1e-12)


def test_orders_of_interaction():
    """KL(p‖p₂) = .029954440961, KL(p₂‖p₁) = .054031987730, KL(p‖p₁) = .083986428691; p₁ is the product of the margins."""
    p = CUBE.reshape(2, 2, 2)
    found = interaction_orders((2, 2, 2), p)
    np.testing.assert_allclose(found.divergences[1:], [0.054031987730, 0.029954440961], rtol=2e-11)
    np.testing.assert_allclose(found.divergences[1:].sum(), 0.083986428691, rtol=2e-11)
    np.testing.assert_allclose(found.divergences.sum(), np.sum(p * np.log(8 * p)), rtol=1e-13)
    uniform, product, pairs, whole = found.tables
    margins = [p.sum(axis=tuple(b for b in range(3) if b != a), keepdims=True) for a in range(3)]
    np.testing.assert_allclose(product, margins[0] * margins[1] * margins[2], rtol=1e-11)
    for a in range(3):
        np.testing.assert_allclose(pairs.sum(axis=a), p.sum(axis=a), rtol=1e-11)
    assert np.array_equal(whole, p) and np.all(uniform == 0.125)


def test_orders_of_interaction_of_a_batch():
    p = np.random.default_rng(0).dirichlet(np.ones(12), 5).reshape(5, 2, 3, 2)
    found = interaction_orders((2, 3, 2), p)
    assert found.divergences.shape == (3, 5)
    np.testing.assert_allclose(found.divergences[:, 3], interaction_orders((2, 3, 2), p[3]).divergences, rtol=1e-9)
    np.testing.assert_allclose(found.divergences.sum(axis=0), np.sum(p * np.log(12 * p), axis=(1, 2, 3)), rtol=1e-12)


@every_dtype
def test_every_backend(backend, dtype):
    """Equations, dependent ones too, together with inequalities, and the orders of interaction."""
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    make = lambda x: backend.make(x, dtype)
    own = AffineConstraints(make(ROWS.normals), make(ROWS.offsets)), Halfspaces(make(COLUMNS.normals), make(COLUMNS.offsets))
    expected = e_project(TABLE, np.zeros(8), Intersection(ROWS, Halfspaces(COLUMNS.normals, COLUMNS.offsets)))
    assert np.allclose(backend.check(e_project(TABLE, make(np.zeros(8)), Intersection(*own)), dtype), expected, atol=tolerance)
    both = e_project(TABLE, make(np.zeros(8)), Intersection(own[0], AffineConstraints(own[1].normals, own[1].offsets)))
    assert np.allclose(backend.check(both, dtype), e_project(TABLE, np.zeros(8), Intersection(ROWS, COLUMNS)), atol=tolerance)
    found = interaction_orders((2, 2, 2), make(CUBE.reshape(2, 2, 2)))
    assert np.allclose(backend.check(found.divergences, dtype), interaction_orders((2, 2, 2), CUBE.reshape(2, 2, 2)).divergences,
                       rtol=tolerance)


BOUNDARY, NOTHING = "only points of its boundary do: the projection is a limit", "no point of its closure does"


@pytest.mark.parametrize("mean, words", [(6.0, BOUNDARY), (1.0, BOUNDARY), (7.0, NOTHING), (0.5, NOTHING), (6 + 1e-3, NOTHING)])
def test_a_die_of_an_impossible_mean(mean, words):
    """E[x] = 6 is reached by one face alone, beyond no distribution at all."""
    sentence = r"^onto must satisfy x > 0 and sum\(x\) < 1 somewhere; in 1 of 1 rows, first at index \(\), " + words
    with pytest.raises(ig.DomainError, match=sentence):
        e_project(DIE, FAIR, AffineConstraints(FACES, [mean - 6]))
    with pytest.raises(ig.DomainError, match=sentence):
        e_project(DIE, FAIR, Halfspaces(np.sign(mean - 3.5) * -FACES, [np.sign(mean - 3.5) * (6.0 - mean)]))


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
def test_a_die_of_a_mean_near_6_exists(gap):
    """p_k ∝ z^(6−k) with 6 − E[x] = z + O(z²)."""
    theta = e_project(DIE, FAIR, AffineConstraints(FACES, [-gap]))
    np.testing.assert_allclose(theta, np.arange(5, 0, -1) * theta[4], rtol=1e-9)
    np.testing.assert_allclose(np.exp(theta[4]), gap, rtol=3e-3 + 1e-3)


@pytest.mark.parametrize("value, words", [(1.0, BOUNDARY), (0.0, BOUNDARY), (1.5, NOTHING), (-0.1, NOTHING)])
def test_impossible_moments(value, words):
    """A probability of 1, a count whose mean is negative, and so on, in families of finitely many states and on quadrants."""
    first = lambda d: AffineConstraints(np.eye(d)[:1], [value])
    cases = [(DIE, FAIR, 5), (ig.Bernoulli(), [0.3], 1)]
    cases += [(ig.BoltzmannMachine(2), np.zeros(3), 3)] * (value >= 1)          # of spins: expectations from −1 to 1
    cases += [(ig.Poisson(), [0.0], 1), (ig.Product(ig.Poisson(), ig.Bernoulli()), [0.0, 0.0], 2)] * (value <= 0)
    for family, theta, d in cases:
        if family.has_limits and value == 0:
            np.testing.assert_array_equal(e_project(family, theta, first(d)), [-np.inf, *theta[1:]])       # a face
            continue
        with pytest.raises(ig.DomainError, match=words):
            e_project(family, theta, first(d))
    for family, theta, d in cases:
        there = e_project(family, theta, AffineConstraints(np.eye(d)[:1], [0.7]))
        np.testing.assert_allclose(family.to_eta(there)[0], 0.7, rtol=1e-12)


def test_rows_that_are_impossible_are_counted():
    with pytest.raises(ig.DomainError, match=r"in 2 of 3 rows, first at index \(1,\), " + NOTHING):
        e_project(DIE, FAIR, AffineConstraints(FACES, [[-2.0], [0.5], [1.0]]))
    with pytest.raises(ig.DomainError, match=NOTHING):          # half-spaces of R^2 that contradict each other
        m_project(ig.Categorical(3), [0.0, 0.0], Halfspaces([[1.0, 0.0], [-1.0, 0.0]], [-1.0, -1.0]))


def test_errors():
    with pytest.raises(ig.DomainError, match=r"dependent rows agree, to rounding; got 0\.0"):
        e_project(TABLE, np.zeros(8), Intersection(ROWS, margin(1, [0.2, 0.5, 0.4])))
    with pytest.raises(ig.DomainError, match=r"^normals must satisfy rows finite and not zero; 1 of 2 points does not, first"):
        Halfspaces([[1.0, 0.0], [0.0, 0.0]], [0.0, 1.0])
    with pytest.raises(ig.ShapeError, match=r"offsets \(\.\.\., k\), k >= 1; got \(1, 2\) and \(2,\)"):
        AffineConstraints([[1.0, 0.0]], [0.0, 1.0])
    with pytest.raises(ig.ShapeError, match=r"sets of one dimension; got \[5, 8\]"):
        Intersection(ROWS, AffineConstraints(FACES, [-1.5]))
    with pytest.raises(ig.ShapeError, match=r"takes sets of dimension 5; got one of dimension 8"):
        e_project(DIE, FAIR, ROWS)
    with pytest.raises(ig.ConvergenceError, match="^projection: the interior-point method ended short .* in 1 of 1 rows"):
        e_project(ig.MultivariateNormal(2), [0.0, 0.0, -0.5, 0.0, -0.5], Halfspaces([[0.0, 0.0, 1.0, 0.0, 0.0]], [-1.0]))
    with pytest.raises(ig.DomainError, match=r"probabilities > 0 and sum\(probabilities\) = 1"):
        interaction_orders((2, 2), [[0.5, 0.5], [0.0, 0.0]])
