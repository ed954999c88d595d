"""Sinkhorn's algorithm down to low temperatures: rounds, the Gibbs form, optimal transport, tables that have no plan."""
import numpy as np
import pytest
from scipy.optimize import linprog

import infogeo as ig

TABLE = np.array([[0.1, 0.5, 0.9], [0.7, 0.2, 0.4], [0.3, 0.8, 0.6]])
ROWS, COLUMNS = np.array([0.3, 0.3, 0.4]), np.array([0.2, 0.5, 0.3])


def least(cost, rows, columns):
    """The cost of optimal transport, by a linear programme."""
    m, n = cost.shape
    sums = np.concatenate([np.kron(np.eye(m), np.ones(n)), np.kron(np.ones(m), np.eye(n))])
    return linprog(cost.ravel(), A_eq=sums, b_eq=np.concatenate([rows, columns])).fun


@pytest.mark.parametrize("temperature, rounds", [(1.0, 20), (1e-2, 30), (1e-4, 45), (1e-6, 60)])
def test_rounds_against_temperature(temperature, rounds):
    """Random 3 × 3 tables, also with ties and with margins that make the plan a permutation; plain rounds need 1e5 and more."""
    rng = np.random.default_rng(0)
    for trial in range(9):
        cost, rows, columns = rng.uniform(0, 1, (3, 3)), rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3))
        cost = np.round(4 * cost) if trial % 3 == 1 else cost
        rows, columns = (np.full(3, 1 / 3),) * 2 if trial % 3 == 2 else (rows, columns)
        log_p = ig.sinkhorn(cost, rows, columns, temperature=temperature, tol=1e-12, max_steps=rounds)
        p, f = np.exp(log_p), temperature * log_p + cost
        np.testing.assert_allclose(np.concatenate([p.sum(axis=1), p.sum(axis=0)]), np.concatenate([rows, columns]), atol=1e-12)
        np.testing.assert_allclose(f - f[:1] - f[:, :1] + f[:1, :1], 0.0, atol=1e-13)       # f_i + g_j
        above = np.sum(p * cost) - least(cost, rows, columns)
        assert -1e-11 <= above <= temperature * np.log(9)


def test_tables_of_any_shape_and_rows_of_a_batch():
    """A row's plan does not depend on its batch, bit by bit; of the transposed table it is the transpose."""
    rng = np.random.default_rng(1)
    cost, rows, columns = rng.uniform(0, 5, (3, 4, 7)), rng.dirichlet(np.ones(4), 3), rng.dirichlet(np.ones(7), 3)
    cost, temperature = cost * np.array([1.0, 1e-3, 30.0])[:, None, None], np.array([1e-3, 1.0, 0.5])
    run = dict(tol=1e-13, max_steps=100)
    whole = ig.sinkhorn(cost, rows, columns, temperature=temperature, **run)
    for k in range(3):
        one = dict(temperature=temperature[k], **run)
        np.testing.assert_array_equal(ig.sinkhorn(cost[k], rows[k], columns[k], **one), whole[k])
        np.testing.assert_allclose(np.exp(ig.sinkhorn(cost[k].T, columns[k], rows[k], **one)), np.exp(whole[k]).T, atol=1e-11)


def test_it_is_proportional_fitting_of_the_kernel():
    fitted = ig.proportional_fitting(-TABLE / 0.1, {(0,): ROWS, (1,): COLUMNS}, tol=1e-14, max_steps=2000)
    plan = ig.sinkhorn(TABLE, ROWS, COLUMNS, temperature=0.1, tol=1e-14, max_steps=100)
    np.testing.assert_allclose(plan, fitted, atol=1e-11)


def test_margins_of_zero_and_cells_that_stay_empty():
    cost = np.where(np.eye(3) > 0, np.inf, TABLE)
    p = np.exp(ig.sinkhorn(cost, [0.5, 0.5, 0.0], COLUMNS, temperature=1e-5, tol=1e-13, max_steps=100))
    assert np.all(p[2] == 0) and np.all(np.diag(p) == 0)
    np.testing.assert_allclose(p, [[0.0, 0.5, 0.0], [0.2, 0.0, 0.3], [0.0, 0.0, 0.0]], atol=1e-13)
    flat = ig.sinkhorn(np.zeros((3, 3)), ROWS, COLUMNS, temperature=1e-9, tol=1e-13, max_steps=5)
    np.testing.assert_allclose(np.exp(flat), ROWS[:, None] * COLUMNS, atol=1e-16)


def test_where_there_is_no_plan():
    """The empty cells leave less room than a margin needs; arguments that are none."""
    cost = np.where(np.eye(3) > 0, np.inf, TABLE)
    run = dict(temperature=1e-2, tol=1e-9, max_steps=50)
    wide = np.stack([[0.8, 0.1, 0.1], ROWS])
    for solve in (lambda margin: ig.sinkhorn(cost, margin, margin, **run),
                  lambda margin: ig.proportional_fitting(np.broadcast_to(-cost, (*margin.shape[:-1], 3, 3)),
                                                         {(0,): margin, (1,): margin}, tol=1e-9, max_steps=9)):
        with pytest.raises(ig.DomainError, match=r"in 1 of 1 tables, first at index \(\), no such table has them"):
            solve(wide[0])
        with pytest.raises(ig.DomainError, match=r"in 1 of 2 tables, first at index \(0,\), no such table has them"):
            solve(wide)
    with pytest.raises(ig.ConvergenceError, match=r"sinkhorn: a margin is still off by .* after 2 rounds"):
        ig.sinkhorn(TABLE, ROWS, COLUMNS, temperature=1e-4, tol=1e-12, max_steps=2)
    half = np.full((2, 2), 0.25)
    pairs = {(0, 1): half, (0, 2): half, (1, 2): np.array([[0.5, 0.0], [0.0, 0.5]])}
    ig.proportional_fitting(np.zeros((2, 2, 2)), pairs, tol=1e-9, max_steps=50)
    pairs[0, 1] = pairs[0, 2].T @ np.array([[2.0, 0.0], [0.0, 0.0]]) + np.array([[0.0, 0.0], [0.0, 0.5]])
    with pytest.raises(ig.DomainError):
        ig.proportional_fitting(np.zeros((2, 2, 2)), pairs, tol=1e-9, max_steps=50)
    with pytest.raises(ig.DomainError, match=r"cost must satisfy cost > -inf; 1 of 9 points does not"):
        ig.sinkhorn(np.where(TABLE == 0.9, np.nan, TABLE), ROWS, COLUMNS, **run)
    with pytest.raises(ig.DomainError, match="temperature must satisfy temperature > 0"):
        ig.sinkhorn(TABLE, ROWS, COLUMNS, temperature=-1.0, tol=1e-9, max_steps=5)
    with pytest.raises(ig.ShapeError, match=r"the margin \(0,\) must have shape"):
        ig.sinkhorn(TABLE, ROWS[:2], COLUMNS, **run)


def test_edges():
    """No tables, one cell, costs that no quotient by the temperature can hold, integers."""
    none = ig.sinkhorn(np.zeros((0, 2, 2)), np.ones((0, 2)), np.ones((0, 2)), temperature=1, tol=1e-9, max_steps=5)
    assert none.shape == (0, 2, 2)
    assert ig.sinkhorn([[3]], [2], [2], temperature=1, tol=1e-15, max_steps=5) == np.log(2)
    far = ig.sinkhorn([[0.0, 1e300], [1e300, 0.0]], [0.5, 0.5], [0.5, 0.5], temperature=1e-300, tol=1e-15, max_steps=2000)
    np.testing.assert_array_equal(np.exp(far), [[0.5, 0.0], [0.0, 0.5]])
    for bad in (np.zeros(2), np.zeros((0, 2))):
        with pytest.raises(ig.ShapeError, match=r"cost must have shape \(\.\.\., m, n\), m >= 1, n >= 1"):
            ig.sinkhorn(bad, [1], [1, 1], temperature=1, tol=1e-9, max_steps=5)
