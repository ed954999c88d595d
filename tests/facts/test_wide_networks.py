"""Wide networks: which approximations follow the exact natural gradient in the space of the outputs."""
from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure

from infogeo.curvature.fisher import fisher
from infogeo.networks.activations import Softplus
from infogeo.studies.wide_networks import WideNetworks, wide_networks

FOLLOW = ("exact", "blocks of layers", "K-FAC", "K-FAC, tridiagonal")


@cache
def study(widths=(32, 256), **settings):
    return wide_networks(widths, rng=np.random.default_rng(0), draws=3, **settings)


def median(found, part, label):
    return np.median(getattr(found, part)[found.labels.index(label)], axis=-1)


@pytest.mark.parametrize("widths, depth, n", [((32, 256), 3, 8), ((16, 64), 4, 5)])
def test_the_rates(widths, depth, n):
    """1, L, n (L − 1) + 1, n, and the number of units; the change is then along the residual."""
    found = study(widths, depth=depth, n=n)
    for i, width in enumerate(widths):
        expected = dict(zip((*FOLLOW, "blocks of units"), (1, depth, n * (depth - 1) + 1, n, width * (depth - 1) + 1)))
        for label, rate in expected.items():
            np.testing.assert_allclose(median(found, "rate", label)[i], rate, rtol=5e-3)
            assert median(found, "rest", label)[i] < 5e-3
    assert median(found, "rest", "diagonal")[1] > 0.2 < median(found, "rest", "quasi-diagonal")[1]
    assert 0.01 < median(found, "rest", "EK-FAC")[1] < 0.3


def test_the_residual_falls_by_one_minus_h_a_step_in_wide_networks():
    """And of the diagonal and quasi-diagonal does not, at any width."""
    found = study((32, 256), depth=3, n=8)
    for label in FOLLOW:
        ratio = np.median(found.residual[found.labels.index(label), 1], axis=0) / 0.5 ** np.arange(5)
        np.testing.assert_allclose(ratio, 1.0, atol=0.2)
        narrow, wide = median(found, "deviation", label)
        assert wide < 0.01 and wide < 0.6 * narrow
    for label in ("diagonal", "quasi-diagonal"):
        assert min(median(found, "deviation", label)) > 0.1


def test_another_activation_and_metrics_of_ones_own():
    made = {"F": lambda *at: fisher(*at).shifted(1e-9), "none": lambda *at: fisher(*at).shifted(1e9)}
    settings = dict(n=4, activation=Softplus(), draws=2, h=1.0, steps=1, curvatures=made)
    found = wide_networks((64,), rng=np.random.default_rng(1), **settings)
    assert isinstance(found, WideNetworks) and found.labels == ("F", "none") and found.residual.shape == (2, 1, 2, 2)
    np.testing.assert_allclose(found.rate[0], 1.0, atol=1e-4)
    np.testing.assert_array_equal(found.deviation, found.residual[..., -1])     # with h = 1 all of the residual is to go


def test_the_table_and_the_figure():
    found = study((32, 256), depth=3, n=8)
    text = str(found)
    assert "K-FAC, tridiagonal" in text and "0.0625 of the residual" in text and "width 256" in text
    axes = found.plot()
    assert isinstance(axes.figure, Figure) and len(axes.lines) == len(found.labels)
    assert {label.get_text() for label in axes.texts} == set(found.labels)
    again = Figure().subplots()
    assert found.plot(ax=again) is again and again.get_xlabel() == "width"


def test_the_same_generator_gives_the_same():
    one, two = (wide_networks((16,), rng=np.random.default_rng(3), draws=1, steps=1) for _ in range(2))
    np.testing.assert_array_equal(one.deviation, two.deviation)


@pytest.mark.parametrize("settings, message", [
    ({"widths": ()}, "widths ascending, at least one"), ({"widths": (8, 8)}, "widths ascending"),
    ({"widths": (0,)}, "each width"),
    ({"h": 0.0}, "0 < h <= 1; got 0.0"), ({"depth": 1}, "depth an integer >= 2; got 1"), ({"n": 0}, "n an integer >= 1"),
])
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        wide_networks(**{"widths": (8,), "rng": np.random.default_rng(0), **settings})
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
        wide_networks((8,), rng=3)
    for settings in ({"widths": 8}, {"curvatures": {}}, {"curvatures": "kfac"}, {"curvatures": {"K-FAC": "kfac"}}):
        with pytest.raises(TypeError, match=f"{next(iter(settings))} must be a"):
            wide_networks(**{"widths": (8,), "rng": np.random.default_rng(0), **settings})
