"""Pictures of laws and runs, the triangle, and what a notebook shows."""
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

import infogeo as ig
from infogeo.errors import DomainError, ShapeError
from infogeo.pictures.axes import axes_or_new

from ..registry import FAMILIES


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.mark.parametrize("family", [ig.Normal(), ig.Gamma(), ig.Beta(), ig.VonMises(), ig.Truncated(ig.Exponential(), 0.0, 2.0)])
def test_a_density_has_the_area_one(family, ax):
    theta = family.theta_domain.interior_point
    line, = family.plot(theta, ax=ax)
    x, density = line.get_data()
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=0.02)
    assert ax.get_ylabel() == "density"


def test_a_peak_at_the_end_of_a_support_is_seen(ax):
    family = ig.Gamma()
    line, = family.plot(family.theta_from(shape=0.1, rate=1.0), ax=ax)
    assert (np.diff(line.get_xdata()) > 0).all() and line.get_ydata()[0] > 1e6


def test_probabilities_of_counts(ax):
    family = ig.Poisson()
    lines = family.plot(family.theta_from(rate=[2.0, 9.0]), ax=ax)
    assert [float(line.get_ydata().sum().round(2)) for line in lines] == [1.0, 1.0]
    assert lines[0].get_marker() == "o" and ax.get_ylabel() == "probability"
    assert family.plot(family.theta_from(rate=1e12), ax=ax)[0].get_marker() == "None"


def test_two_numbers_have_contours_and_three_outcomes_a_triangle(ax):
    plane, dirichlet = ig.MultivariateNormal(2), ig.Dirichlet(3)
    found, = plane.plot(plane.theta_from(mean=[1.0, 2.0], covariance=[[2.0, 0.8], [0.8, 1.0]]), ax=ax)
    peak = max(found.levels)
    assert peak == pytest.approx(1 / (2 * np.pi * np.sqrt(2.0 - 0.64)), rel=0.2)
    triangle = Figure().subplots()
    found, = dirichlet.plot(dirichlet.theta_from(concentration=[2.0, 3.0, 4.0]), ax=triangle)
    assert len(found.levels) > 4 and len(triangle.texts) == 3


@pytest.mark.parametrize("family, theta, error, words", [
    (ig.Wishart(2), ig.Wishart(2).theta_domain.interior_point, TypeError, "there is no picture of 1 law of"),
    (ig.MultivariateNormal(2), np.stack([ig.MultivariateNormal(2).theta_domain.interior_point] * 2), TypeError, "2 laws"),
    (ig.Normal(), [1.0, 2.0], DomainError, "theta"),
    (ig.Normal(), [1.0, 2.0, 3.0], ShapeError, "theta"),
    (ig.Poisson(), np.zeros((21, 1)), DomainError, "at most 20 laws in one picture"),
])
def test_what_cannot_be_drawn(family, theta, error, words, ax):
    with pytest.raises(error, match=words):
        family.plot(theta, ax=ax)
    assert not ax.lines


def test_the_triangle(ax):
    """Corners are outcomes, straight lines mixtures, and the grid is drawn once."""
    p, q = np.array([0.8, 0.1, 0.1]), np.array([0.2, 0.5, 0.3])
    mixture = np.linspace(0, 1, 5)[:, None] * (q - p) + p
    lines = ig.pictures.plot_ternary(np.stack([np.eye(3), np.eye(3)[::-1]], axis=1), ax=ax, labels=("a", "b", "c"))
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"] and len(lines) == 2
    before = len(ax.lines)
    xy = ig.pictures.plot_ternary(mixture, ax=ax)[0].get_xydata()
    assert len(ax.lines) == before + 1
    assert np.allclose(np.diff(xy, axis=0), np.diff(xy, axis=0)[0])
    with pytest.raises(ShapeError, match=r"\(n, 3\)"):
        ig.pictures.plot_ternary([[0.5, 0.5]], ax=ax)
    with pytest.raises(DomainError, match=r"first at index \(1,\)"):
        ig.pictures.plot_ternary([[0.5, 0.5, 0.0], [0.5, 0.6, 0.5]], ax=ax)
    with pytest.raises(DomainError, match="three outcomes"):
        ig.pictures.plot_ternary([[0.5, 0.5, 0.0]], ax=ax, labels="ab")


def run(rows, **options):
    family = ig.Normal()
    objective = ig.CrossEntropy(family, eta_hat=np.array([1.0, 2.0]))
    theta = family.theta_from(mean=np.linspace(0.0, 2.0, rows), variance=3.0)
    return ig.descend(objective, theta, geometry=family, update=ig.NaturalUpdate(), step=ig.Constant(0.1), max_steps=30,
                      **options)


def test_a_run(ax):
    result = run(3, record=ig.Every(5))
    lines = result.plot(ax=ax)
    assert [line.get_xdata().tolist() for line in lines] == [[0, 5, 10, 15, 20, 25, 30]] * 3
    assert np.array_equal([line.get_ydata() for line in lines], result.values.T)
    assert len(run(1000).plot(ax=Figure().subplots())) == 200
    with pytest.raises(ValueError, match="record="):
        run(3, record=None).plot(ax=ax)


class Balanced(HTMLParser):
    """Reads HTML and keeps what is open."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], 0

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.cells += tag == "td"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_notebook_shows_the_data_sheet(family):
    read, sheet = Balanced(), family.data_sheet()
    read.feed(family._repr_html_())
    assert read.open == [] and read.cells == len(sheet) >= 6
    assert all(isinstance(text, str) and text and not re.search("``", text) for text in sheet.values())
    assert list(sheet)[:2] == ["ordinary parameters", "support"]


def test_a_notebook_shows_a_run():
    shown = run(3)._repr_html_()
    assert "30 MAX_STEPS" not in shown and "3 MAX_STEPS" in shown and "<svg" in shown
    assert "<svg" not in run(3, record=None)._repr_html_()


def test_axes_are_made_where_none_are_given():
    import matplotlib.pyplot as plt

    made = axes_or_new(None)
    assert made is plt.gca() and axes_or_new(made) is made
    plt.close(made.figure)
