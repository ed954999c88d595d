"""Pictures of two-dimensional dually flat manifolds, in either chart, on axes that the caller made.

Points are primal coordinates of the manifold that comes first; `chart` is the manifold whose primal coordinates the axes show:
``M`` itself, or ``M.dual``.
"""
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..backend import Array, asarray, to_numpy
from ..errors import DomainError, ShapeError
from ..geometry.connections.geodesic import e_geodesic, m_geodesic, riemannian_geodesic
from ..geometry.manifolds.manifold import Dual, DuallyFlat
from .canvas import BLUE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["plot_bisectors", "plot_divergence_balls", "plot_geodesics"]

E_COLOUR, M_COLOUR, RIEMANN_COLOUR = BLUE, VERMILION, "0.25"


def plot_geodesics(M: DuallyFlat, p: Array, q: Array, *, ax: "Axes", chart: DuallyFlat | None = None,
                   points: int = 201) -> "list[Line2D]":
    """Draw the e-geodesic, the m-geodesic and the Fisher–Rao geodesic between p and q.

    Mathematically, straight in θ, straight in η, and the shortest.

    Parameters
    ----------
    M : DuallyFlat
        Of two dimensions.
    p, q : array, shape (2,)
    ax : matplotlib.axes.Axes
    chart : DuallyFlat, optional
        M, unless given, or ``M.dual``.
    points : int
        Points of a curve.

    Returns
    -------
    list of matplotlib.lines.Line2D
        The three curves, and the two ends.

    Raises
    ------
    DomainError, ShapeError, ValueError
        For a point outside the domain, another dimension, another chart.
    ConvergenceError
        If the numeric Fisher–Rao geodesic does.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> M = ig.Categorical(3)
    >>> lines = ig.studies.plot_geodesics(M, [0.0, 0.0], [1.0, 2.0],
    ...                                   ax=Figure().subplots(), points=3)
    >>> lines[0].get_xydata().round(6)     # the e-geodesic, straight in θ
    array([[0. , 0. ],
           [0.5, 1. ],
           [1. , 2. ]])
    """
    to_chart = _chart(M, chart)
    p, q = _points(M, "p", p, 1), _points(M, "q", q, 1)
    t = asarray(np.linspace(0.0, 1.0, points), like=p)
    curves = {"e-geodesic": (e_geodesic, E_COLOUR, "-"), "m-geodesic": (m_geodesic, M_COLOUR, "-"),
              "Fisher–Rao geodesic": (riemannian_geodesic, RIEMANN_COLOUR, "--")}
    artists = []
    for label, (curve, colour, style) in curves.items():
        artists += ax.plot(*to_chart(curve(M, p, q, t)).T, color=colour, ls=style, lw=2.0, label=label)
    ends = np.stack([to_chart(p), to_chart(q)])
    artists += ax.plot(*ends.T, "o", color="black", ms=5, ls="none")
    _finish(ax, M, chart)
    return artists


def plot_divergence_balls(M: DuallyFlat, centers: Array, radius: Array, *, ax: "Axes", chart: DuallyFlat | None = None,
                          points: int = 361) -> "list[Line2D]":
    """Draw the spheres D(c‖x) = r and D(x‖c) = r about each center.

    Mathematically, the ball of D(c‖x) is convex in θ and that of D(x‖c) convex in η, so a ray from c in that chart meets its
    sphere once. Where a ball reaches the boundary of the domain, the line follows the boundary.

    Parameters
    ----------
    M : DuallyFlat
        Of two dimensions.
    centers : array, shape (2,) or (n, 2)
    radius : float or array, shape (n,)
        The divergence r > 0, nats.
    ax : matplotlib.axes.Axes
    chart : DuallyFlat, optional
        M, unless given, or ``M.dual``.
    points : int
        Points of a sphere.

    Returns
    -------
    list of matplotlib.lines.Line2D
        The spheres of D(c‖x), those of D(x‖c), the centers.

    Raises
    ------
    DomainError, ShapeError, ValueError
        For a center outside the domain, a radius that is not positive, another dimension, another chart.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> lines = ig.studies.plot_divergence_balls(ig.Euclidean(2), [0.0, 0.0],
    ...                                          2.0, ax=Figure().subplots())
    >>> float(np.hypot(*lines[0].get_data()).max().round(6))          # ½ r² = 2
    2.0
    """
    to_chart = _chart(M, chart)
    centers = _points(M, "centers", centers, 2)
    radius = np.broadcast_to(np.asarray(radius, dtype=float), (centers.shape[0],))
    if not (np.isfinite(radius) & (radius > 0)).all():
        raise DomainError(f"radius must satisfy 0 < radius < inf; got {radius}")
    spheres = _sphere(M, centers, radius, points), M.to_theta(_sphere(M.dual, M.to_eta(centers), radius, points))
    artists = []
    for curves, label, colour, style in zip(spheres, ("D(c‖x) = r", "D(x‖c) = r"), (E_COLOUR, M_COLOUR), ("-", "--")):
        for i, curve in enumerate(to_chart(curves)):
            artists += ax.plot(*curve.T, color=colour, ls=style, lw=1.8, label=label if i == 0 else None)
    artists += ax.plot(*to_chart(centers).T, "o", color="black", ms=4, ls="none")
    _finish(ax, M, chart)
    return artists


def plot_bisectors(M: DuallyFlat, sites: Array, *, ax: "Axes", chart: DuallyFlat | None = None,
                   points: int = 2001) -> "list[Line2D]":
    """Draw the Voronoi diagrams of the sites s in D(s‖x) and in D(x‖s): where the two nearest sites are equally near.

    Mathematically, D(s‖x) < D(s'‖x) is η_s·θ_x − φ(η_s) > η_s'·θ_x − φ(η_s'), so that diagram has straight edges in θ, and the
    one of D(x‖s) has them in η.

    Parameters
    ----------
    M : DuallyFlat
        Of two dimensions.
    sites : array, shape (n, 2)
        At least two, all different.
    ax : matplotlib.axes.Axes
        Its limits are set to a square around the sites.
    chart : DuallyFlat, optional
        M, unless given, or ``M.dual``.
    points : int
        Points of an edge.

    Returns
    -------
    list of matplotlib.lines.Line2D
        The edges of D(s‖x), those of D(x‖s), the sites.

    Raises
    ------
    DomainError, ShapeError, ValueError
        For a site outside the domain, sites that are equal or only one, another dimension, another chart.

    Source: Boissonnat, Nielsen & Nock, Bregman Voronoi diagrams, Discrete Comput. Geom. 44 (2010).

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> lines = ig.studies.plot_bisectors(ig.Euclidean(2),
    ...                                   [[0.0, 0.0], [2.0, 0.0]],
    ...                                   ax=Figure().subplots())
    >>> np.unique(lines[0].get_xdata().round(6))    # the line x = 1
    array([1.])
    """
    to_chart = _chart(M, chart)
    sites = _points(M, "sites", sites, 2)
    n = len(np.unique(to_numpy(sites), axis=0))
    if n < max(2, sites.shape[0]):
        raise ValueError(f"sites must be at least two different points; got {sites.shape[0]}, {n} of them different")
    right = _edges(M, sites, points)
    left = [M.to_theta(edge) for edge in _edges(M.dual, M.to_eta(sites), points)]
    artists = []
    for edges, label, colour, style in ((right, "D(s‖x)", E_COLOUR, "-"), (left, "D(x‖s)", M_COLOUR, "--")):
        for i, edge in enumerate(edges):
            artists += ax.plot(*to_chart(edge).T, color=colour, ls=style, lw=1.8, label=label if i == 0 else None)
    shown = to_chart(sites)
    artists += ax.plot(*shown.T, "o", color="black", ms=5, ls="none")
    middle, half = (shown.min(axis=0) + shown.max(axis=0)) / 2, 0.85 * np.ptp(shown, axis=0).max()
    ax.set(xlim=middle[0] + [-half, half], ylim=middle[1] + [-half, half])     # edges go on to infinity or the boundary
    _finish(ax, M, chart, adjustable="box")
    return artists


def _chart(M: DuallyFlat, chart: DuallyFlat | None) -> Callable[[Array], np.ndarray]:
    """The map from primal coordinates of M to those of the chart, as NumPy."""
    if M.dim != 2:
        raise ShapeError(f"a picture needs a manifold of two dimensions; {M!r} has {M.dim}")
    if chart is None or chart is M:
        return to_numpy
    if chart is not M.dual:
        raise ValueError(f"chart must be M or M.dual; got {chart!r} for {M!r}")
    return lambda theta: to_numpy(M.to_eta(theta))


def _points(M: DuallyFlat, name: str, x: Array, ndim: int) -> Array:
    """Points of the domain, (2,) or (n, 2); one point is a list of one."""
    x = M.theta_domain.require(name, x)
    x = x[None, :] if x.ndim < ndim else x
    if x.ndim != ndim:
        raise ShapeError(f"{name} must have shape {'(2,)' if ndim == 1 else '(2,) or (n, 2)'}; got {tuple(x.shape)}")
    return x


def _finish(ax: "Axes", M: DuallyFlat, chart: DuallyFlat | None, adjustable: Literal["datalim", "box"] = "datalim") -> None:
    letter = "η" if isinstance(M if chart is None else chart, Dual) else "θ"
    ax.set(xlabel=f"{letter}₁", ylabel=f"{letter}₂")
    ax.set_aspect("equal", adjustable=adjustable)
    ax.legend(frameon=False, fontsize=9)


def _divergence(M: DuallyFlat, p: Array, q: Array) -> np.ndarray:
    """D(p‖q), NaN outside the domain."""
    inside = to_numpy(M.theta_domain.contains(q))
    safe = np.where(inside[..., None], to_numpy(q), to_numpy(p))
    with np.errstate(all="ignore"):
        return np.where(inside, to_numpy(M.divergence(p, asarray(safe, like=p))), np.nan)


def _sphere(M: DuallyFlat, centers: Array, radius: np.ndarray, points: int) -> Array:
    """The points D(c‖x) = r, shape (n, points, 2), by bisection along the rays from c in the primal chart."""
    angle = np.linspace(0.0, 2.0 * np.pi, points)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    root = np.linalg.cholesky(to_numpy(M.metric(centers)))
    rays = np.linalg.solve(np.swapaxes(root, -1, -2)[:, None], around[..., None])[..., 0]      # vᵀ G v = 1
    start = to_numpy(centers)[:, None, :]

    def at(length: np.ndarray) -> Array:
        return asarray(start + length[..., None] * rays, like=centers)

    def within(length: np.ndarray) -> np.ndarray:
        return _divergence(M, centers[:, None, :], at(length)) <= radius[:, None]

    low, high = np.zeros(rays.shape[:-1]), np.broadcast_to(np.sqrt(2.0 * radius)[:, None], rays.shape[:-1])
    while (inside := within(high)).any():                       # a ball is bounded
        low, high = np.where(inside, high, low), np.where(inside, 2.0 * high, high)
    for _ in range(50):                                         # to the last digits of a float64
        middle = 0.5 * (low + high)
        inside = within(middle)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return at(low)


def _edges(M: DuallyFlat, sites: Array, points: int) -> list[Array]:
    """The edges of the Voronoi diagram of D(s‖x): polylines in the primal chart, cut off at the boundary of the domain.

    Mathematically, D(s_k‖x) − D(s_i‖x) = D(s_k‖s_i) − (η_k − η_i)·(θ_x − θ_i): affine in θ_x, and without differences of
    potentials, which cancel for near sites.
    """
    theta, eta = to_numpy(sites), to_numpy(M.to_eta(sites))
    D = to_numpy(M.divergence(sites[:, None, :], sites[None, :, :]))
    spread = np.ptp(theta, axis=0).max()
    edges = []
    for i in range(len(eta)):
        for j in range(i):
            normal = eta[i] - eta[j]
            foot = theta[j] + D[i, j] / (normal @ normal) * normal
            along = np.array([-normal[1], normal[0]]) / np.hypot(*normal)
            others = np.delete(np.arange(len(eta)), [i, j])
            # site k is farther than i where slope · t <= room
            step = eta[others] - eta[i]
            slope, room = step @ along, D[others, i] - step @ (foot - theta[i])
            if (room[slope == 0] < 0).any():
                continue
            low = np.max(room[slope < 0] / slope[slope < 0], initial=-np.inf)
            high = np.min(room[slope > 0] / slope[slope > 0], initial=np.inf)
            if low >= high:
                continue
            center = np.clip((theta[i] + theta[j]) @ along / 2 - foot @ along, low, high)
            t = np.clip(center + spread * np.sinh(np.linspace(-6.0, 6.0, points)), low, high)     # dense near the sites
            line = asarray(foot + t[:, None] * along, like=sites)
            inside = to_numpy(M.theta_domain.contains(line))
            edge = np.where(inside[:, None], to_numpy(line), np.nan)
            if inside.any():
                edges.append(asarray(edge, like=sites))
    return edges
