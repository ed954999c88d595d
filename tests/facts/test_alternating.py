"""The em algorithm against EM written out, cyclic projections, proportional fitting and Sinkhorn's algorithm."""
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import infogeo as ig
from infogeo.geometry.projections.alternating import alternating_projections, cyclic_projections
from infogeo.geometry.projections.flat_sets import AffineConstraints, AffineSubmanifold, Intersection
from infogeo.geometry.projections.projection import e_project
from infogeo.geometry.projections.proportional_fitting import proportional_fitting
from infogeo.geometry.projections.sinkhorn import sinkhorn

from ..backends import every_dtype

TABLE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 10]]) / 46
ROWS, COLUMNS = np.array([0.3, 0.3, 0.4]), np.array([0.2, 0.5, 0.3])
MARGINS = {(0,): ROWS, (1,): COLUMNS}

# Two observed bits x, y and a hidden one z, state 4x + 2y + z: x and y are independent given z
STATES = np.array([[s >> 2 & 1, s >> 1 & 1, s & 1] for s in range(8)], dtype=float)
OBSERVED = np.array([[0.35, 0.1], [0.15, 0.4]])
LATENT = ig.Categorical(8)


def latent_model():
    """log p = a x + b y + c z + d xz + e yz + constant, in the coordinates of `LATENT`."""
    x, y, z = STATES.T
    statistic = np.stack([x, y, z, x * z, y * z], axis=-1)
    return AffineSubmanifold(np.zeros(7), (statistic[:7] - statistic[7]).T)


def observed_data():
    """The joint distributions whose margin of (x, y) is `OBSERVED`."""
    sums = np.kron(np.eye(4), np.ones(2))
    return AffineConstraints(sums[:, :7] - sums[:, 7:], OBSERVED.ravel() - sums[:, 7])


def test_em_is_EM():
    """Twenty steps from one start: e-step q = observed × p(z|x, y), m-step q(z) q(x|z) q(y|z), with the same KL(q‖p)."""
    p = np.array([0.4, 0.6]) * np.array([[0.3, 0.6], [0.7, 0.4]])[:, None] * np.array([[0.2, 0.55], [0.8, 0.45]])[None]
    found = alternating_projections(LATENT, LATENT.theta_from(probabilities=p.ravel()), observed_data(), latent_model(),
                                    tol=0.0, max_steps=20)
    for k in range(20):
        q = OBSERVED[:, :, None] * p / p.sum(axis=2, keepdims=True)
        z = q.sum(axis=(0, 1))
        p = q.sum(axis=1)[:, None] * q.sum(axis=0)[None] / z
        np.testing.assert_allclose(found.values[k], np.sum(q * np.log(q / p)), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(LATENT.parameters(found.model)["probabilities"], p.ravel(), rtol=1e-8)
    np.testing.assert_allclose(LATENT.parameters(found.data)["probabilities"], q.ravel(), rtol=1e-8)
    assert np.all(np.diff(found.values) <= 1e-15) and not found.converged


def test_em_ends_at_the_likelihood():
    """D(q‖p) falls to the divergence of the observed margins, KL(observed‖model), here 0: two latent classes suffice."""
    start = LATENT.theta_from(probabilities=np.random.default_rng(4).dirichlet(np.full(8, 5.0), 3))
    found = alternating_projections(LATENT, start, observed_data(), latent_model(), tol=1e-9, max_steps=400)
    assert found.values.shape[1:] == (3,) and np.all(found.converged)
    assert np.all(np.diff(found.values, axis=0) <= 1e-15) and np.all(found.values[-1] < 1e-6)
    model = LATENT.parameters(found.model)["probabilities"].reshape(3, 2, 2, 2).sum(axis=3)
    observed = np.sum(OBSERVED * np.log(OBSERVED / model), axis=(1, 2))
    assert np.all(observed <= found.values[-1] + 1e-15)


def test_proportional_fitting():
    """The limit's first row, its divergence .166933997650; column errors .344, 2.376e-4, 2.999e-6, of ratio .011939."""
    fitted = proportional_fitting(np.log(TABLE), MARGINS, tol=1e-15, max_steps=50)
    p = np.exp(fitted)
    np.testing.assert_allclose(p[0], [0.0415694367, 0.153258757, 0.1051718063], rtol=2e-9)
    np.testing.assert_allclose(np.sum(p * (fitted - np.log(TABLE))), 0.166933997650, rtol=1e-11)
    errors, log_p = [], np.log(TABLE)
    for _ in range(4):                   # after the rows, before the columns
        log_p = proportional_fitting(log_p, {(0,): ROWS}, tol=1e-15, max_steps=1)
        errors.append(np.abs(np.exp(log_p).sum(axis=0) - COLUMNS).sum())
        log_p = proportional_fitting(log_p, {(1,): COLUMNS}, tol=1e-15, max_steps=1)
    np.testing.assert_allclose(errors[:3], [0.344, 2.376e-4, 2.999e-6], rtol=2e-4)
    np.testing.assert_allclose(errors[3] / errors[2], 0.011939, rtol=1e-3)
    cross = np.log(TABLE)
    spread = max(abs(cross[i, j] + cross[k, m] - cross[i, m] - cross[k, j])
                 for i in range(3) for j in range(3) for k in range(3) for m in range(3))
    birkhoff = np.tanh(spread / 4) ** 2
    np.testing.assert_allclose(birkhoff, 0.033630, rtol=2e-5)
    assert errors[3] / errors[2] < birkhoff


def test_cyclic_projections_are_proportional_fitting():
    """Cyclic e-projections on a manifold of nine cells have the limit of both: the projection on the intersection."""
    M = ig.Categorical(9)
    sums = [np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))]
    sets = [AffineConstraints(s[:, :8] - s[:, 8:], m - s[:, 8]) for s, m in zip(sums, (ROWS, COLUMNS))]
    start = M.theta_from(probabilities=TABLE.ravel())
    limit = cyclic_projections(M, start, sets, tol=1e-14, max_cycles=20)
    np.testing.assert_allclose(limit, e_project(M, start, Intersection(*sets)), rtol=1e-7, atol=1e-9)
    fitted = proportional_fitting(np.log(TABLE), MARGINS, tol=1e-15, max_steps=50)
    np.testing.assert_allclose(M.parameters(limit)["probabilities"], np.exp(fitted).ravel(), rtol=1e-7)
    with pytest.raises(ig.ConvergenceError, match="the last of 1 cycles moved by more than 1e-14 nats in 1 of 1 rows"):
        cyclic_projections(M, start, sets, tol=1e-14, max_cycles=1)
    with pytest.raises(ValueError, match="the number of sets"):
        cyclic_projections(M, start, [], tol=1e-14, max_cycles=3)


def test_a_table_of_ones_gives_the_log_linear_model():
    """With the pair margins of a 2 × 2 × 2 table: its m-projection on the pair interactions."""
    p = (np.array([3, 1, 2, 4, 1, 5, 2, 6]) / 24).reshape(2, 2, 2)
    pairs = {group: p.sum(axis=3 - sum(group)) for group in ((0, 1), (0, 2), (1, 2))}
    fitted = np.exp(proportional_fitting(np.zeros((2, 2, 2)), pairs, tol=1e-15, max_steps=2000))
    family = ig.Hierarchical((2, 2, 2), ((0, 1), (0, 2), (1, 2)))
    np.testing.assert_allclose(fitted, family.parameters(family.theta_from(probabilities=p))["probabilities"], rtol=1e-9)
    np.testing.assert_allclose(np.sum(p * np.log(p / fitted)), 0.029954440961, rtol=1e-10)


def test_empty_cells_and_batches():
    log_table = np.log(TABLE, where=np.eye(3) == 0, out=np.full((3, 3), -np.inf))
    margins = {(0,): ROWS[None], (1,): COLUMNS[None]}
    fitted = np.exp(proportional_fitting(np.stack([log_table, np.log(TABLE)]), margins, tol=1e-12, max_steps=1000))
    assert np.all(np.diag(fitted[0]) == 0) and np.all(fitted[0][np.eye(3) == 0] > 0)
    np.testing.assert_allclose(fitted.sum(axis=2), np.stack([ROWS, ROWS]), atol=1e-12)
    alone = np.exp(proportional_fitting(np.log(TABLE), MARGINS, tol=1e-12, max_steps=50))
    np.testing.assert_allclose(fitted[1], alone, rtol=1e-9)
    none = np.exp(proportional_fitting(np.log(TABLE), {(0,): np.array([0.5, 0.5, 0.0])}, tol=1e-15, max_steps=2))
    assert np.all(none[2] == 0) and np.all(none[:2] > 0)


def test_a_margin_of_zero_over_empty_cells():
    """Nothing is wanted where nothing is; something is refused."""
    log_table = np.log(TABLE)
    log_table[2] = -np.inf
    fitted = np.exp(proportional_fitting(log_table, {(0,): [0.4, 0.6, 0.0], (1,): COLUMNS}, tol=1e-12, max_steps=100))
    assert np.all(fitted[2] == 0)
    np.testing.assert_allclose(fitted.sum(axis=1), [0.4, 0.6, 0.0], atol=1e-12)
    with pytest.raises(ig.DomainError, match="0 where the table is empty"):
        proportional_fitting(log_table, MARGINS, tol=1e-12, max_steps=100)


def test_margins_have_one_sum():
    """To rounding: 1e-15 apart they are fitted, 1e-9 apart they are refused."""
    near = {(0,): ROWS, (1,): COLUMNS * (1 + 1e-15)}
    fitted = np.exp(proportional_fitting(np.log(TABLE), near, tol=1e-13, max_steps=50))
    np.testing.assert_allclose(fitted.sum(axis=1), ROWS, rtol=1e-12)
    with pytest.raises(ig.DomainError, match="sum"):
        proportional_fitting(np.log(TABLE), {(0,): ROWS, (1,): COLUMNS * (1 + 1e-9)}, tol=1e-13, max_steps=50)


def test_sinkhorn_is_stable_and_near_optimal():
    """At a temperature where e^{−cost/T} underflows on most cells, the plan is within T log n of the optimal one."""
    cost = np.random.default_rng(7).uniform(1.0, 9.0, (6, 6))
    uniform = np.full(6, 1 / 6)
    assert np.mean(np.exp(-cost / 0.002) == 0.0) > 0.8
    plan = np.exp(sinkhorn(cost, uniform, uniform, temperature=0.002, tol=1e-4, max_steps=10_000))
    np.testing.assert_allclose(plan.sum(axis=0), uniform, atol=1e-4)
    np.testing.assert_allclose(plan.sum(axis=1), uniform, atol=1e-4)
    best = cost[linear_sum_assignment(cost)].mean()
    assert abs(np.sum(plan * cost) - best) <= 0.002 * np.log(6) + 6 * 1e-4 * 8.0         # the last for the margins that are off
    warm = sinkhorn(cost, uniform, uniform, temperature=1.0, tol=1e-14, max_steps=1000)
    residual = warm + cost
    np.testing.assert_allclose(residual - residual[:1] - residual[:, :1] + residual[:1, :1], np.zeros((6, 6)), atol=1e-11)


@every_dtype
def test_every_backend(backend, dtype):
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    make = lambda x: backend.make(x, dtype)
    fitted = proportional_fitting(make(np.log(TABLE)), {(0,): make(ROWS), (1,): make(COLUMNS)}, tol=1e-6, max_steps=50)
    expected = proportional_fitting(np.log(TABLE), MARGINS, tol=1e-6, max_steps=50)
    assert np.allclose(backend.check(fitted, dtype), expected, rtol=tolerance)
    plan = sinkhorn(make(TABLE), make(ROWS), make(COLUMNS), temperature=0.5, tol=1e-6, max_steps=50)
    assert np.allclose(backend.check(plan, dtype), sinkhorn(TABLE, ROWS, COLUMNS, temperature=0.5, tol=1e-6, max_steps=50),
                       rtol=tolerance)
    model, data = latent_model(), observed_data()
    start = np.linspace(-0.5, 0.5, 7)
    reference = alternating_projections(LATENT, start, data, model, tol=1e-4, max_steps=5)
    found = alternating_projections(LATENT, make(start), AffineConstraints(make(data.normals), make(data.offsets)),
                                    AffineSubmanifold(make(model.origin), make(model.basis)), tol=1e-4, max_steps=5)
    for own, other in zip(found[:3], reference[:3]):
        assert np.allclose(backend.check(own, dtype), other, rtol=100 * tolerance, atol=100 * tolerance)


def test_errors():
    run = dict(tol=1e-10, max_steps=10)
    with pytest.raises(ig.DomainError, match=r"the margin \(1,\) must satisfy sum 1.0, as that of \(0,\); got 2.0"):
        proportional_fitting(np.log(TABLE), {(0,): ROWS, (1,): 2 * COLUMNS}, **run)
    with pytest.raises(ig.DomainError, match=r"the margin \(0,\) must satisfy the margin \(0,\) >= 0"):
        proportional_fitting(np.log(TABLE), {(0,): [0.5, 0.6, -0.1]}, **run)
    with pytest.raises(ig.DomainError, match="0 where the table is empty"):
        proportional_fitting(np.full((2, 2), -np.inf), {(0,): [0.5, 0.5]}, **run)
    with pytest.raises(ig.ShapeError, match=r"rising axes of the table, 0 <= axis < 2; got \(2,\): \(3,\) for a table \(3, 3\)"):
        proportional_fitting(np.log(TABLE), {(2,): ROWS}, **run)
    with pytest.raises(ig.ShapeError, match=r"the margin \(0,\) must have shape \(\.\.\., 3\); got \(2,\)"):
        proportional_fitting(np.log(TABLE), {(0,): [0.5, 0.5]}, **run)
    with pytest.raises(ValueError, match="at least one group"):
        proportional_fitting(np.log(TABLE), {}, **run)
    with pytest.raises(ig.ConvergenceError, match="a margin is still off by .* after 1 rounds"):
        proportional_fitting(np.log(TABLE), MARGINS, tol=1e-15, max_steps=1)
    with pytest.raises(ig.DomainError, match="temperature must satisfy temperature > 0; got 0"):
        sinkhorn(TABLE, ROWS, COLUMNS, temperature=0.0, **run)
    with pytest.raises(ValueError, match="max_steps an integer >= 1; got 0"):
        alternating_projections(LATENT, np.zeros(7), observed_data(), latent_model(), tol=1e-9, max_steps=0)
