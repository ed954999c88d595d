"""The series of Mackey and Glass: known values, the order of the method, what is refused."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.errors import DomainError
from infogeo.studies import mackey_glass


def test_a_value_and_the_order():
    """x(50), and an error that falls sixteenfold as h halves: from h = 1/2, of which no point is a kink of the series."""
    np.testing.assert_allclose(mackey_glass(50.0)[-1], 1.060954363, rtol=0, atol=5e-10)
    exact = mackey_glass(50.0, 1 / 256)[-1]
    error = [abs(mackey_glass(50.0, h=h)[-1] - exact) for h in (0.5, 0.25, 0.125, 0.0625)]
    ratios = np.divide(error[:-1], error[1:])
    assert np.all((15.4 < ratios) & (ratios < 16.2)), ratios


def test_before_the_delay_it_is_a_linear_equation():
    """ẋ = c − .1 x with c = .2 · 1.2 / (1 + 1.2¹⁰) up to the time τ."""
    t = np.linspace(0.0, 17.0, 171)
    rest = 2.0 * 1.2 / (1.0 + 1.2**10)
    np.testing.assert_allclose(mackey_glass(17.0), rest + (1.2 - rest) * np.exp(-0.1 * t), rtol=1e-9)


def test_its_range_and_its_sensitivity():
    """Bounded, never repeating: starts 1e-3 apart are apart by a tenth at last."""
    x, other = mackey_glass(1500.0), mackey_glass(1500.0, start=1.2 + 1e-3)
    assert x.shape == (15001,) and 0.417 < x.min() and x.max() < 1.320
    assert np.abs(x - other)[:100].max() < 2e-3 and np.abs(x - other)[-5000:].max() > 0.1


@pytest.mark.parametrize("arguments, words", [({"h": 0.3}, "h must satisfy delay / h a whole number; delay = 17.0; got 0.3"),
                                              ({"h": 0.0}, "h must satisfy h > 0"), ({"delay": -17.0}, "delay > 0"),
                                              ({"duration": np.inf}, "duration > 0"), ({"h": 40.0}, "a whole number")])
def test_what_is_refused(arguments, words):
    with pytest.raises(DomainError, match=words):
        ig.studies.mackey_glass(**arguments)
