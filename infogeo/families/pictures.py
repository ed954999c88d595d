"""The law of x as a picture: probabilities of counts and outcomes, a density on the line, contours in the plane."""
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..domains.supports import Integers
from ..errors import require
from ..pictures.axes import axes_or_new
from ..pictures.ternary import CORNERS, draw_triangle

__all__ = ["plot_law"]

TAIL = 1e-3             # of each tail, which is left out
MOST_BARS = 60          # beyond, probabilities of counts are a line
MOST_LAWS = 20          # a picture of more says nothing


def plot_law(family: Any, theta: Array, ax: Any = None) -> list[Any]:
    """The picture of the laws at θ, shape (..., d); see `ExponentialFamily.plot`."""
    theta = np.asarray(to_numpy(theta), dtype=float)
    if theta.ndim == 0 or theta.shape[-1] != family.dim:
        family.mean(theta)                                          # says what is wrong with the shape
    laws = theta.reshape(-1, family.dim)
    require("theta", f"at most {MOST_LAWS} laws in one picture", len(laws) <= MOST_LAWS, len(laws))
    family.mean(laws)                                               # and with the points
    draw = _drawer(family, len(laws))
    ax = axes_or_new(ax)
    artists = [artist for law in laws for artist in draw(family, law, ax)]
    if family.support.shape == ():
        _show_bodies(ax)
    return artists


def _show_bodies(ax: Any) -> None:
    """From 0 to above all lines; where a density goes to infinity at an end, to above what is not near it."""
    tops = []
    for line in ax.lines:
        y = np.sort(np.asarray(line.get_ydata(), dtype=float))
        body = y[int(0.75 * (len(y) - 1))]
        tops.append(y[-1] if y[-1] < 20.0 * body else 2.0 * body)
    ax.set_ylim(0.0, 1.08 * max(tops))


def _drawer(family: Any, laws: int) -> Any:
    shape = family.support.shape
    if shape == ():
        return _counts if isinstance(family.support, Integers) else _line
    if laws == 1 and shape == (2,):
        return _contours
    if laws == 1 and shape == (3,) and family.dim == 3 and "concentration" in family.ordinary:
        return _triangle
    raise TypeError(f"there is no picture of {laws} law{'s' * (laws > 1)} of {family!r}, whose x has shape {shape}: laws of one "
                    "number can be drawn, one law in the plane, and one Dirichlet law of three probabilities")


def _counts(family: Any, theta: Array, ax: Any) -> list[Any]:
    low, high = family.quantile(theta, np.array([TAIL, 1.0 - TAIL]))
    x = np.arange(low, high + 1.0) if high - low < MOST_BARS else np.unique(np.round(np.linspace(low, high, 400)))
    style = {"marker": "o", "ms": 4, "lw": 0.8} if len(x) <= MOST_BARS else {"lw": 1.5}
    lines: list[Any] = ax.plot(x, np.exp(family.log_density(theta, x)), **style)
    ax.set(xlabel="x", ylabel="probability")
    return lines


def _line(family: Any, theta: Array, ax: Any) -> list[Any]:
    """Half of the places evenly spread, half by their share of the law: a peak at an end is seen, too."""
    low, high = family.quantile(theta, np.array([TAIL, 1.0 - TAIL]))
    x = np.unique(np.concatenate([np.linspace(low, high, 201), family.quantile(theta, np.linspace(TAIL, 1.0 - TAIL, 201))]))
    lines: list[Any] = ax.plot(x, np.exp(family.log_density(theta, x)), lw=1.5)
    ax.set(xlabel="x", ylabel="density")
    return lines


def _contours(family: Any, theta: Array, ax: Any) -> list[Any]:
    mean, deviation = family.mean(theta), np.sqrt(family.variance(theta))
    x, y = (np.linspace(mean[i] - 3.5 * deviation[i], mean[i] + 3.5 * deviation[i], 121) for i in range(2))
    at = np.stack(np.meshgrid(x, y), axis=-1)
    drawn = ax.contour(x, y, np.exp(family.log_density(theta, at)), levels=8)
    ax.set(xlabel="x₁", ylabel="x₂")
    return [drawn]


def _triangle(family: Any, theta: Array, ax: Any) -> list[Any]:
    n = 80
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
    inside = i + j <= n
    p = np.stack([i[inside], j[inside], n - i[inside] - j[inside]], axis=-1)
    p = (p + 1e-3) / (n + 3e-3)                                     # a density may be infinite on the edge
    draw_triangle(ax, ("0", "1", "2"))
    return [ax.tricontour(*(p @ CORNERS).T, np.exp(family.log_density(theta, p)), levels=8)]
