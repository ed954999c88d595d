"""Special functions and their differences against mpmath, over the whole range where the families use them."""
import array_api_strict
import mpmath as mp
import numpy as np
import pytest

from infogeo.backend import NUMPY
from infogeo.numerics import exponentials, gamma_functions, piecewise

WIDE = np.logspace(-8, 8, 161)


def exact(f, *xs, dps=60):
    """f at every element in `dps` digits, rounded to float64."""
    with mp.workdps(dps):
        return np.array([float(f(*(mp.mpf(float(v)) for v in row))) for row in zip(*xs)])


def stirling(a):
    return mp.loggamma(a) - a * mp.log(a) + a


def assert_relative(computed, expected, tolerance):
    worst = np.max(abs(computed - expected) / abs(expected))
    assert worst <= tolerance, f"relative error {worst:.3g}"


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polygamma(order):
    expected = exact(lambda x: mp.polygamma(order, x), WIDE)
    assert_relative(gamma_functions.polygamma(order, WIDE), expected, 2e-15)


def test_polygamma_is_the_same_in_chunks_and_in_shape():
    x = np.logspace(-3, 3, 9000).reshape(3, 3000)
    whole = gamma_functions.polygamma(2, x)
    assert whole.shape == x.shape
    np.testing.assert_array_equal(whole[1, 7:9], gamma_functions.polygamma(2, x[1, 7:9]))


def test_polygamma_keeps_float32():
    x = np.logspace(-3, 3, 50, dtype=np.float32)
    result = gamma_functions.polygamma(1, x)
    assert result.dtype == np.float32
    assert_relative(result.astype(float), exact(lambda x: mp.polygamma(1, x), x), 1e-6)


@pytest.mark.parametrize("order", [0, -1, 1.5])
def test_polygamma_refuses_other_orders(order):
    with pytest.raises(ValueError, match="order must be a positive integer"):
        gamma_functions.polygamma(order, 1.0)


@pytest.mark.parametrize("name, reference, tolerance", [
    ("stirling_gap", stirling, 1e-14),
    ("digamma_gap", lambda a: mp.digamma(a) - mp.log(a), 2e-14),
    ("trigamma_gap", lambda a: mp.polygamma(1, a) - 1 / a, 2e-14),
])
def test_stirling_remainders(name, reference, tolerance):
    near_switch = np.concatenate([np.linspace(9.0, 11.0, 41), [np.nextafter(10.0, 0.0)]])
    a = np.concatenate([WIDE, near_switch])
    expected = exact(reference, a)
    computed = getattr(gamma_functions, name)(NUMPY, a)
    # s(a) itself has a zero (near 6.5): there only an absolute error is possible
    error = abs(computed - expected) / np.maximum(abs(expected), 1.0 if name == "stirling_gap" else 0.0)
    small = a < 1e3
    assert np.max(error[small]) <= tolerance
    assert_relative(computed[~small], expected[~small], 1e-15)


SIGNED = np.concatenate([-np.logspace(-14, 2, 60), np.logspace(-14, 2, 60), [-0.5, 0.5, np.nextafter(0.5, 0), -0.49999]])


def test_expm1_gap():
    assert_relative(exponentials.expm1_gap(NUMPY, SIGNED), exact(lambda u: mp.expm1(u) - u, SIGNED), 2e-15)
    assert exponentials.expm1_gap(NUMPY, np.zeros(1))[0] == 0.0


def test_log1p_gap():
    x = np.concatenate([-np.logspace(-14, -1e-3, 60), np.logspace(-14, 12, 90), [0.4, -0.4, 0.39999999, -0.39999999]])
    assert_relative(exponentials.log1p_gap(NUMPY, x), exact(lambda x: x - mp.log1p(x), x), 3e-15)
    assert exponentials.log1p_gap(NUMPY, np.zeros(1))[0] == 0.0


@pytest.mark.parametrize("ratio", [1e-12, 1e-6, 1e-2, 0.9, 1.1, 30.0, 600.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_kl_terms(ratio, sign):
    """q − p − p log(q / p) for log-ratios from far below rounding to near overflow."""
    u = np.full(1, sign * ratio)
    p = np.array([0.3])
    q = p * np.exp(u)
    expected = exact(lambda p, u: p * (mp.expm1(u) - u), p, u)
    assert_relative(exponentials.kl_terms(NUMPY, p, q, u), expected, 1e-14)


def test_kl_terms_with_a_vanishing_probability():
    """0 log 0 = 0: the term is q."""
    term = exponentials.kl_terms(NUMPY, np.array([0.0]), np.array([0.25]), np.array([np.inf]))
    np.testing.assert_array_equal(term, [0.25])


def bregman_of_stirling(a, b):
    return stirling(a) - stirling(b) - (a - b) * (mp.digamma(b) - mp.log(b))


@pytest.mark.parametrize("b", [1e-6, 1e-2, 0.3, 1.0, 5.0, 9.99, 10.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("step", [1e-12, 1e-6, 1e-2, 0.2, 0.3, 3.0, 1e3])
@pytest.mark.parametrize("sign", [-1, 1])
def test_stirling_bregman(b, step, sign):
    """B_s(a : b) for near and far pairs on both sides of every switch, small and large."""
    a = b * (1.0 + step) if sign > 0 else b / (1.0 + step)
    a, b = np.array([a]), np.array([b])
    assert_relative(gamma_functions.stirling_bregman(NUMPY, a, b), exact(bregman_of_stirling, a, b, dps=90), 1e-12)


def test_stirling_bregman_of_a_point_with_itself_is_zero():
    a = np.logspace(-6, 8, 40)
    np.testing.assert_array_equal(gamma_functions.stirling_bregman(NUMPY, a, a), np.zeros(40))


@pytest.mark.parametrize("ratio", [1e-30, 1e-14, 1e-6, 0.1, 1.0, 1e3, 1e10])
def test_log_gamma_difference(ratio):
    """log Γ(a + h) − log Γ(a) on both sides of the switch; below it against the size of its terms."""
    for a, floor in ((np.logspace(1, 15, 57), 0.0), (np.logspace(-6, 0.999, 20), 1.0)):
        h = ratio * a
        expected = exact(lambda a, h: mp.loggamma(a + h) - mp.loggamma(a), a, h, dps=90)
        size = np.maximum(abs(expected), floor * (abs(exact(mp.loggamma, a)) + 1.0))
        assert np.max(abs(gamma_functions.log_gamma_difference(NUMPY, a, h) - expected) / size) <= 2e-14


def test_inverse_digamma():
    """x → digamma(x) → x; the condition number of the inverse is |y| / (x trigamma(x))."""
    y = np.concatenate([-np.logspace(-2, 6, 50), np.linspace(0.0, 20.0, 30)])
    x = gamma_functions.inverse_digamma(NUMPY, y)
    residual = exact(lambda x, y: mp.digamma(x) - y, x, y)
    condition = exact(lambda x: x * mp.polygamma(1, x), x)
    assert np.max(abs(residual) / (condition + abs(y))) <= 1e-15


def test_piecewise_evaluates_each_branch_on_its_own_elements():
    seen = []

    def record(name):
        def branch(x):
            seen.append((name, x.tolist()))
            return -x
        return branch

    x = np.array([1.0, 2.0, 3.0])
    out = piecewise.piecewise(NUMPY, x > 1.5, record("inner"), record("outer"), x)
    np.testing.assert_array_equal(out, -x)
    assert seen == [("inner", [2.0, 3.0]), ("outer", [1.0])]


@pytest.mark.parametrize("x, expected", [
    ([0.0, 0.0], np.log(2.0)),
    ([1000.0, 1000.0], 1000.0 + np.log(2.0)),
    ([-1000.0, -1000.0], -1000.0 + np.log(2.0)),
    ([-np.inf, 0.0], 0.0),
    ([-np.inf, -np.inf], -np.inf),
    ([np.inf, 0.0], np.inf),
    ([np.inf, -np.inf], np.inf),
    ([np.inf, np.inf], np.inf),
])
def test_logsumexp(x, expected):
    assert exponentials.logsumexp(np.array(x)) == pytest.approx(expected, rel=1e-15)


def test_logsumexp_of_a_nan_is_nan():
    assert np.isnan(exponentials.logsumexp(np.array([np.nan, 0.0])))


def test_logsumexp_over_an_axis_keeps_dtype_and_library():
    x = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], dtype=np.float32)
    result = exponentials.logsumexp(x, axis=0)
    assert result.dtype == np.float32 and result.shape == (3,)
    np.testing.assert_allclose(result, np.logaddexp(x[0], x[1]), rtol=1e-6)
    strict = array_api_strict.asarray(x, device=array_api_strict.Device("device1"))
    assert exponentials.logsumexp(strict).device == strict.device
