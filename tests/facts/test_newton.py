"""Batched damped Newton: rows of very different difficulty, failure that names its row."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.numerics.newton import minimize


def logarithmic(target, x0, **more):
    """min of x·target − Σ log x on the positive orthant: x = 1 / target."""
    return minimize(NUMPY, x0, value=lambda x: np.sum(x * target - np.log(x), axis=-1), gradient=lambda x: target - 1 / x,
                    solve=lambda x, g: x**2 * g, contains=lambda x: np.all(x > 0, axis=-1), scale=np.max(abs(target), axis=-1),
                    **more)


def test_far_starts_and_many_scales_in_one_batch():
    """From 1 to 1e-8 … 1e8: the damped phase grows x by a bounded factor, the last phase squares the error."""
    target = np.logspace(-8, 8, 17)[:, None]
    np.testing.assert_allclose(logarithmic(target, np.ones((17, 1))), 1 / target, rtol=1e-12)


def test_steps_that_leave_the_domain_are_halved():
    """Barrier at 0: an undamped step from 10 towards the minimum 1 would land at −80."""
    np.testing.assert_allclose(logarithmic(np.ones((1, 1)), np.full((1, 1), 10.0)), [[1.0]], rtol=1e-13)


def test_rows_of_nan_stay_nan():
    x = logarithmic(np.array([[2.0], [4.0]]), np.array([[np.nan], [1.0]]))
    assert np.isnan(x[0, 0])
    np.testing.assert_allclose(x[1, 0], 0.25, rtol=1e-13)


def test_no_minimum_is_an_error_that_names_the_row():
    """x·t − Σ log x with t < 0 falls without end."""
    with pytest.raises(ig.ConvergenceError) as error:
        logarithmic(np.array([[1.0], [-1.0], [2.0]]), np.ones((3, 1)), name="barrier", max_steps=30)
    assert str(error.value).startswith("barrier: Newton's method ended short of its accuracy after at most 30 steps in 1 of 3 "
                                       "rows, first at index (1,): residual ")
    assert error.value.iterate.shape == (3, 1)
    np.testing.assert_array_equal(error.value.residual > 1e-3, [False, True, False])
    np.testing.assert_allclose(error.value.iterate[[0, 2], 0], [1.0, 0.5], rtol=1e-12)
    assert isinstance(error.value, ArithmeticError)


def test_too_few_steps_is_an_error():
    with pytest.raises(ig.ConvergenceError, match="after at most 2 steps"):
        logarithmic(np.array([[1e-6]]), np.ones((1, 1)), max_steps=2)


def test_quadratic_in_one_batch():
    Q = np.array([[2.0, 0.3], [0.3, 1.0]])
    target = np.random.default_rng(0).standard_normal((6, 2))
    x = minimize(NUMPY, np.zeros((6, 2)), value=lambda x: np.sum(0.5 * x * (x @ Q) - x * target, axis=-1),
                 gradient=lambda x: x @ Q - target,
                 solve=lambda x, g: np.linalg.solve(Q, g[..., None])[..., 0], contains=lambda x: np.all(np.isfinite(x), axis=-1),
                 scale=np.ones(6))
    np.testing.assert_allclose(x, np.linalg.solve(Q, target.T).T, rtol=1e-12, atol=1e-14)
