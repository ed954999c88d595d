"""The root finder: square roots by Newton's method."""
import numpy as np
import pytest

from infogeo.backend import NUMPY
from infogeo.errors import ConvergenceError
from infogeo.numerics.root import MANY, approach, root


def square_roots(a):
    return lambda x: (0.5 * (x + a / x), 0.5 - 0.5 * a / x**2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_to_rounding_from_near_and_far(dtype):
    a = np.array([1.0, 2.0, 1e8, 1e-12], dtype=dtype)
    found = root(NUMPY, np.ones_like(a), square_roots(a), "square root")
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.sqrt(a), rtol=4 * np.finfo(dtype).eps)


def test_a_start_of_nan_stays():
    a = np.array([4.0, 9.0])
    np.testing.assert_array_equal(root(NUMPY, np.array([np.nan, 3.0]), square_roots(a), "square root"), [np.nan, 3.0])


def test_rows_that_do_not_get_there_are_named():
    a = np.array([[4.0, -1.0], [9.0, -2.0]])
    sentence = r"square root: Newton's method ended short of its accuracy in 2 of 4 rows, first at index \(0, 1\): residual "
    with np.errstate(divide="ignore", invalid="ignore"), pytest.raises(ConvergenceError, match=sentence) as caught:
        root(NUMPY, np.ones_like(a), square_roots(a), "square root")
    np.testing.assert_allclose(caught.value.iterate[:, 0], [2.0, 3.0], rtol=1e-15)
    assert np.all(np.abs(caught.value.residual[:, 1]) > 1e-9)


def test_what_is_not_finite_at_the_start_is_nan_and_no_failure():
    a = np.array([np.inf, 4.0, np.nan])
    with np.errstate(invalid="ignore"):
        found = root(NUMPY, np.ones(3), lambda x, a: square_roots(a)(x), "square root", a)
    np.testing.assert_allclose(found, [np.nan, 2.0, np.nan], rtol=1e-15)


def test_an_error_of_nan_is_no_end():
    with pytest.raises(ConvergenceError, match="in 1 of 1 rows"):
        root(NUMPY, np.array([1.0]), lambda x: (x, x * np.nan), "nothing")


def test_elements_that_are_done_leave_the_others():
    """Steps of fewer and fewer elements, with the bits of a step of all."""
    a = np.exp(np.linspace(-40.0, 1.0, 4 * MANY))
    sizes = []

    def newton(x, a):
        sizes.append(x.size)
        return square_roots(a)(x)

    found = root(NUMPY, np.ones_like(a), newton, "square root", a)
    np.testing.assert_array_equal(found, root(NUMPY, np.ones_like(a), square_roots(a), "square root"))
    assert sizes[0] == 4 * MANY and sizes[-1] < MANY
    with pytest.raises(ConvergenceError, match="in 3999 of 4000 rows, first at index"):
        root(NUMPY, np.ones_like(a), lambda x, a: (x, np.where(a > 2.718, 0.0, 1.0)), "nothing", a)


def test_elements_with_one_error_stop_together():
    x, error, running = approach(NUMPY, np.array([[1.0, 8.0], [64.0, 64.0]]), lambda x: (0.5 * x, x[:, :1]), 5.0, 10)
    np.testing.assert_array_equal(x, [[0.5, 4.0], [2.0, 2.0]])
    np.testing.assert_array_equal(error, [[0.5], [4.0]])
    assert not running.any()
