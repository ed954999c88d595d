"""Pictures: what the drawn lines say, read back from the artists; the axes; errors."""
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import infogeo as ig
from infogeo.backend import to_numpy
from infogeo.studies.pictures import plot_bisectors, plot_divergence_balls, plot_geodesics

from ..backends import BACKENDS

CATEGORICAL, NORMAL = ig.Categorical(3), ig.Normal()
PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2], [0.33, 0.33, 0.34], [0.05, 0.5, 0.45]])
POINTS = {
    "categorical": (CATEGORICAL, CATEGORICAL.theta_from(probabilities=PROBABILITIES)),
    "normal": (NORMAL, NORMAL.theta_from(mean=np.array([0.0, 2.0, -1.0, 0.5]), variance=np.array([1.0, 1.5, 2.0, 0.6]))),
}
every_manifold = pytest.mark.parametrize("name", POINTS)
arrays = pytest.mark.parametrize("backend", [p for p in BACKENDS if p.id != "numpy"])


@pytest.fixture
def ax():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def line(artist):
    return np.stack(artist.get_data(), axis=-1)


def by_label(artists):
    """The lines under each label; those without one belong to the label before, apart from the markers."""
    found, current = {}, None
    for artist in artists:
        if artist.get_linestyle() == "None":
            continue
        if not artist.get_label().startswith("_"):
            current = found.setdefault(artist.get_label(), [])
        current.append(line(artist))
    return found


def bend(curve):
    """The largest distance from the chord, relative to its length."""
    chord = curve[-1] - curve[0]
    across = np.array([-chord[1], chord[0]]) / np.linalg.norm(chord)
    return np.abs((curve - curve[0]) @ across).max() / np.linalg.norm(chord)


@every_manifold
def test_geodesics(name, ax):
    """In θ the e-geodesic is straight and the m-geodesic is not, in η the other way round; the ends, the axes."""
    M, x = POINTS[name]
    for chart, straight, bent, letter in (M, "e", "m", "θ"), (M.dual, "m", "e", "η"):
        ax.clear()
        artists = plot_geodesics(M, x[0], x[1], ax=ax, chart=chart)
        curves = {label: line for label, (line,) in by_label(artists).items()}
        assert set(curves) == {"e-geodesic", "m-geodesic", "Fisher–Rao geodesic"} and len(artists) == 4
        assert bend(curves[f"{straight}-geodesic"]) < 1e-12 and bend(curves[f"{bent}-geodesic"]) > 0.01
        assert 0.01 < bend(curves["Fisher–Rao geodesic"]) < bend(curves[f"{bent}-geodesic"])
        ends = x[:2] if chart is M else M.to_eta(x[:2])
        for curve in curves.values():
            np.testing.assert_allclose(curve[[0, -1]], ends, atol=1e-12)
        assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == (f"{letter}₁", f"{letter}₂", 1.0)
        assert ax.get_legend() is not None
        ax.figure.canvas.draw()


def test_the_shortest_geodesic_is_the_great_circle(ax):
    M, x = POINTS["categorical"]
    drawn = by_label(plot_geodesics(M, x[0], x[1], ax=ax, chart=M.dual, points=3))["Fisher–Rao geodesic"][0][1]
    middle = np.sqrt(PROBABILITIES[0]) + np.sqrt(PROBABILITIES[1])
    np.testing.assert_allclose(drawn, (middle**2 / np.sum(middle**2))[:2], rtol=1e-12)


def test_a_dual_manifold_swaps_the_curves(ax):
    """The e-geodesic of the dual is the m-geodesic, and its axes are η."""
    M, x = POINTS["normal"]
    eta = M.to_eta(x)
    found = by_label(plot_geodesics(M.dual, eta[0], eta[1], ax=ax))["e-geodesic"][0]
    assert ax.get_xlabel() == "η₁" and bend(found) < 1e-12
    primal = by_label(plot_geodesics(M, x[0], x[1], ax=ax, chart=M.dual))["m-geodesic"][0]
    np.testing.assert_allclose(found, primal, rtol=1e-12, atol=1e-12)


@every_manifold
@pytest.mark.parametrize("radius", [0.001, 0.04])
def test_balls(name, radius, ax):
    """Every point of a sphere is at its divergence from the center, the ball surrounds the center, and is convex in its chart."""
    M, x = POINTS[name]
    radii = radius * np.array([1.0, 2.0])
    artists = plot_divergence_balls(M, x[:2], radii, ax=ax)
    spheres = by_label(artists)
    assert set(spheres) == {"D(c‖x) = r", "D(x‖c) = r"} and len(artists) == 5
    for center, r, right, left in zip(x, radii, *spheres.values()):
        np.testing.assert_allclose(M.kl(center, right), r, rtol=1e-9)
        np.testing.assert_allclose(M.kl(left, center), r, rtol=1e-9)
        for curve in (right, M.to_eta(left)):
            np.testing.assert_allclose(curve[0], curve[-1], rtol=1e-9, atol=1e-12)
            side = np.diff(curve, axis=0)
            turn = side[:-1, 0] * side[1:, 1] - side[:-1, 1] * side[1:, 0]
            assert np.all(turn > 0) or np.all(turn < 0)
    dual = by_label(plot_divergence_balls(M, x[:2], radii, ax=ax, chart=M.dual))
    np.testing.assert_allclose(dual["D(x‖c) = r"][0], M.to_eta(spheres["D(x‖c) = r"][0]), rtol=1e-10, atol=1e-12)
    ax.figure.canvas.draw()


def test_a_ball_that_reaches_the_boundary(ax):
    """D(x‖c) is at most log 3 about the center of the simplex; a ball beyond that is all of it, and its line the boundary."""
    drawn = by_label(plot_divergence_balls(CATEGORICAL, np.zeros(2), 1.2, ax=ax, chart=CATEGORICAL.dual))["D(x‖c) = r"][0]
    assert np.all(np.minimum(drawn.min(axis=-1), 1.0 - drawn.sum(axis=-1)) < 1e-12)


@every_manifold
def test_bisectors(name, ax):
    """On an edge the two nearest sites are equally near; edges are straight in the chart of their divergence."""
    M, sites = POINTS[name]
    edges = by_label(plot_bisectors(M, sites, ax=ax))
    assert set(edges) == {"D(s‖x)", "D(x‖s)"}
    kinds = {"D(s‖x)": (lambda x: M.kl(sites, x[:, None, :]), lambda x: x),
             "D(x‖s)": (lambda x: M.kl(x[:, None, :], sites), M.to_eta)}
    for label, (divergence, straight) in kinds.items():
        assert len(edges[label]) >= len(sites) - 1
        for edge in edges[label]:
            near = edge[np.isfinite(edge).all(axis=-1)]
            near = near[(np.abs(near).max(axis=-1) < 8.0) & M.theta_domain.contains(near)]
            near = near[M.eta_domain.contains(M.to_eta(near))]
            D = np.sort(divergence(near), axis=-1)
            np.testing.assert_allclose(D[:, 0], D[:, 1], rtol=1e-8, atol=1e-12)
            if len(near) > 2 and np.ptp(straight(near), axis=0).max() > 0:
                assert bend(straight(near)) < 1e-8
    ax.figure.canvas.draw()
    assert ax.get_aspect() == 1.0 and np.isclose(np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim()))
    assert all(low < value < high for site in sites for value, (low, high) in zip(site, (ax.get_xlim(), ax.get_ylim())))


def test_bisector_of_near_sites(ax):
    """Sites 1e-9 apart: the bisector passes half way between them, at right angles to the step in the metric."""
    site, step = np.array([0.3, -0.4]), np.array([1e-9, 2e-9])
    edge = by_label(plot_bisectors(CATEGORICAL, np.stack([site, site + step]), ax=ax))["D(s‖x)"][0]
    along = edge[-1] - edge[0]
    metric = CATEGORICAL.metric(site)
    assert abs(along @ metric @ step) < 1e-6 * np.sqrt((along @ metric @ along) * (step @ metric @ step))
    middle = edge[len(edge) // 2]
    assert abs((middle - site - step / 2) @ metric @ step) < 1e-6 * (step @ metric @ step)


def test_bisectors_are_complete(ax):
    """Between the nearest sites of neighbouring points of a grid lies an edge: as many edges as pairs of cells that touch."""
    M, sites = POINTS["categorical"]
    side = np.linspace(-12.0, 12.0, 401)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    for chart, order in ((M, lambda s, x: M.kl(s, x)), (M.dual, lambda s, x: M.kl(x, s))):
        label = "D(s‖x)" if chart is M else "D(x‖s)"
        x = grid if chart is M else M.theta_from(probabilities=_simplex(200))
        nearest = np.argmin([order(s, x) for s in sites], axis=0)
        touching = {tuple(sorted(pair)) for a, b in ((nearest[1:], nearest[:-1]), (nearest[:, 1:], nearest[:, :-1]))
                    for pair in np.unique(np.stack([a, b], axis=-1).reshape(-1, 2), axis=0).tolist() if pair[0] != pair[1]}
        ax.clear()
        assert len(by_label(plot_bisectors(M, sites, ax=ax))[label]) == len(touching)


def _simplex(n):
    """A grid (n, n) of the open simplex: shares of a stick that is broken twice."""
    first, rest = np.meshgrid((np.arange(n) + 0.5) / n, (np.arange(n) + 0.5) / n, indexing="ij")
    return np.stack([first, (1 - first) * rest, (1 - first) * (1 - rest)], axis=-1)


@arrays
def test_other_array_libraries(backend, ax):
    """The same pictures from arrays of another library."""
    M, sites = POINTS["normal"]
    there = backend.make(sites)
    for draw in (lambda x: plot_geodesics(M, x[0, :], x[1, :], ax=ax, chart=M.dual, points=11),
                 lambda x: plot_divergence_balls(M, x, 0.1, ax=ax, points=11),
                 lambda x: plot_bisectors(M, x, ax=ax, points=11)):
        for ours, theirs in zip(draw(sites), draw(there), strict=True):
            np.testing.assert_allclose(line(theirs), line(ours), rtol=1e-9, atol=1e-12)


def test_one_center_and_inputs_are_kept(ax):
    center = np.array([0.3, -0.4])
    artists = plot_divergence_balls(CATEGORICAL, center, 0.1, ax=ax)
    assert len(artists) == 3 and to_numpy(center).tolist() == [0.3, -0.4]


def test_errors(ax):
    x = np.zeros(2)
    with pytest.raises(ig.ShapeError, match=r"two dimensions; Poisson\(\) has 1"):
        plot_geodesics(ig.Poisson(), np.zeros(1), np.ones(1), ax=ax)
    with pytest.raises(ValueError, match=r"chart must be M or M.dual; got Normal\(\)"):
        plot_geodesics(CATEGORICAL, x, x + 1, ax=ax, chart=NORMAL)
    with pytest.raises(ig.DomainError, match="q must satisfy"):
        plot_geodesics(NORMAL, np.array([0.0, -1.0]), np.array([0.0, 1.0]), ax=ax)
    with pytest.raises(ig.ShapeError, match=r"p must have shape \(2,\); got \(3, 2\)"):
        plot_geodesics(CATEGORICAL, np.zeros((3, 2)), x, ax=ax)
    with pytest.raises(ig.ShapeError, match=r"centers must have shape \(2,\) or \(n, 2\); got \(1, 3, 2\)"):
        plot_divergence_balls(CATEGORICAL, np.zeros((1, 3, 2)), 0.1, ax=ax)
    for radius in 0.0, -1.0, np.inf, np.nan:
        with pytest.raises(ig.DomainError, match="0 < radius < inf"):
            plot_divergence_balls(CATEGORICAL, x, radius, ax=ax)
    with pytest.raises(ValueError, match="at least two different points; got 3, 2 of them different"):
        plot_bisectors(CATEGORICAL, np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), ax=ax)
    with pytest.raises(ValueError, match="got 1, 1 of them different"):
        plot_bisectors(CATEGORICAL, x, ax=ax)
