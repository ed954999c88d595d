"""Whether a posterior goes with the data: pictures of intervals, of what is predicted, and of where the observations fall."""
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, arrays, to_numpy
from ..errors import ShapeError, require, require_count, takes
from ..families.base import ExponentialFamily
from ..pictures.axes import axes_or_new
from .predictive import Predictive, normal_quantile
from .reference import Reference

__all__ = ["Check", "plot_check", "plot_intervals", "plot_ranks", "predictive_check", "predictive_ranks"]

BLUE, ORANGE = "#0072B2", "#E69F00"         # Okabe & Ito (2008)


class Check(NamedTuple):
    """A statistic of the data beside those of data that the posterior predicts.

    Attributes
    ----------
    observed : float
    predicted : array, shape (K,)
    share : float
        Of the predicted ones that are larger, half of the equal ones with them: near 0 or 1 where the model does not go with the
        data in this respect.

    Examples
    --------
    >>> draws = np.random.default_rng(0).poisson(2.0, (1000, 50))
    >>> same, y = np.full(50, 2.0), np.repeat([0, 4], 25)
    >>> predicted = ig.inference.Predictive(same, same, same, same, draws)
    >>> for statistic in (np.var, np.median):       # too wide; as it should be
    ...     print(round(ig.inference.predictive_check(predicted, y,
    ...                                               statistic).share, 1))
    0.0
    0.4
    """

    observed: float
    predicted: Any
    share: float


@takes(predicted=Predictive)
def predictive_check(predicted: Predictive, y: Array, statistic: Callable[[np.ndarray], Any]) -> Check:
    """The statistic of y beside that of every draw.

    Parameters
    ----------
    predicted : Predictive
        Of the inputs of y, with draws, (K, n, …): as `predictive(q, theta, model, X, draws=1000, rng=rng)` finds it.
    y : array, shape (n, …)
    statistic : function (n, …) -> number
        Such as ``numpy.var`` or ``lambda y: (y == 0).mean()``; one that the model has fitted shows nothing.

    Raises
    ------
    ShapeError, TypeError
        Without draws, for y of another shape, or a statistic that is no function to a number.
    DomainError
        For y or a statistic that is not finite.

    Source: Gelman, Meng & Stern, Posterior predictive assessment of model fitness via realized discrepancies (1996).

    Examples
    --------
    >>> draws = np.random.default_rng(0).poisson(2.0, (1000, 50))
    >>> same, y = np.full(50, 2.0), np.repeat([0, 4], 25)
    >>> predicted = ig.inference.Predictive(same, same, same, same, draws)
    >>> found = ig.inference.predictive_check(predicted, y, np.var)
    >>> float(found.observed), float(found.predicted.mean().round())
    (4.0, 2.0)
    """
    draws, y = _beside(predicted, y)
    values = np.array([_number(statistic, draw) for draw in draws])
    observed = _number(statistic, y)
    return Check(observed, values, float(np.mean(values > observed) + 0.5 * np.mean(values == observed)))


@takes(predicted=Predictive)
def predictive_ranks(predicted: Predictive, y: Array) -> tuple[np.ndarray, np.ndarray]:
    """The shares of draws below and up to each observation, shape (n,): between them its probability integral transform lies.

    Where the laws are right, transforms are uniform; of counts each is spread evenly between its two ends.

    Source: Czado, Gneiting & Held, Predictive model assessment for count data (2009).

    Examples
    --------
    >>> draws = np.array([[0.0], [1.0], [1.0], [2.0]])        # four of one y
    >>> one = np.zeros(1)
    >>> predicted = ig.inference.Predictive(one, one, one, one, draws)
    >>> ig.inference.predictive_ranks(predicted, np.array([1.0]))
    (array([0.25]), array([0.75]))
    """
    draws, y = _beside(predicted, y)
    if y.ndim != 1:
        raise ShapeError(f"y must have shape (n,), of one number each; got {y.shape}")
    return np.mean(draws < y, axis=0), np.mean(draws <= y, axis=0)


def plot_check(predicted: Predictive, y: Array, statistic: Callable[[np.ndarray], Any], *, ax: Any = None) -> list[Any]:
    """The histogram of `predictive_check`, with a line where the data are; the artists, bars first.

    Examples
    --------
    >>> q, X, y = ig.MultivariateNormal(1), np.ones((4, 1)), np.array([0.0, 1.0, 1.0, 1.0])
    >>> model, theta = ig.inference.LogisticRegression(X, y, 1.0), q.theta_from(mean=[1.0], covariance=[[0.5]])
    >>> found = ig.inference.predictive(q, theta, model, X, draws=1000, rng=np.random.default_rng(0))
    >>> artists = ig.inference.plot_check(found, y, np.mean)
    """
    found, ax = predictive_check(predicted, y, statistic), axes_or_new(ax)
    _, _, bars = ax.hist(found.predicted, bins=30, color=BLUE, alpha=0.6, label="predicted")
    line = ax.axvline(found.observed, color=ORANGE, lw=2, label=f"observed, {found.share:.0%} larger")
    ax.set(xlabel=getattr(statistic, "__name__", "statistic").replace("<lambda>", "statistic"), ylabel="draws")
    ax.legend(frameon=False)
    return [*bars, line]


def plot_ranks(predicted: Predictive, y: Array, *, bins: int = 10, ax: Any = None) -> list[Any]:
    """The histogram of probability integral transforms, with the band of 95 % of bins of right laws; the artists, bars first.

    A cup says that the laws are too narrow, a hill that they are too wide, a slope that they are off to one side.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> rng, same = np.random.default_rng(0), np.zeros(60)
    >>> draws, y = rng.standard_normal((500, 60)), rng.standard_normal(60)
    >>> predicted = ig.inference.Predictive(same, same, same, same, draws)
    >>> artists = ig.inference.plot_ranks(predicted, y, bins=6,
    ...                                   ax=Figure().subplots())
    >>> len(artists)                                # six bars, and the band
    7
    """
    below, upto = predictive_ranks(predicted, y)
    ends = np.linspace(0.0, 1.0, require_count("bins", bins) + 1)
    wide = upto > below
    shares = np.where(wide, (ends[:, None] - below) / np.where(wide, upto - below, 1.0), ends[:, None] >= upto)
    density = np.diff(np.concatenate([[0.0], np.mean(np.clip(shares, 0.0, 1.0), axis=-1)[1:-1], [1.0]])) * bins
    ax = axes_or_new(ax)
    bars = ax.bar((np.arange(bins) + 0.5) / bins, density, width=0.9 / bins, color=BLUE)
    half = 1.96 * np.sqrt((bins - 1.0) / len(below))
    band = ax.axhspan(1.0 - half, 1.0 + half, color="0.85", lw=0, zorder=0)
    ax.axhline(1.0, color="0.3", lw=1)
    ax.set(xlabel="probability integral transform", ylabel="density", xlim=(0, 1))
    return [*bars, band]


@takes(q=ExponentialFamily, exact=Reference)
def plot_intervals(q: ExponentialFamily, theta: Array, *, names: Sequence[str] | None = None, level: float = 0.9,
                   exact: Reference | None = None, ax: Any = None) -> list[Any]:
    """Means and central intervals of every number of which q is a law, as if each were normal; the artists.

    Parameters
    ----------
    q : ExponentialFamily
    theta : array, shape (q.dim,)
    names : sequence of str, optional
    level : float
    exact : Reference, optional
        As `reference` finds it: its means and deviations are drawn beside.
    ax : Axes, optional
        Of Matplotlib; a new figure is made where there are none.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> q = ig.MultivariateNormal(2)
    >>> theta = q.theta_from(mean=[1.0, -1.0], covariance=np.eye(2))
    >>> ax = Figure().subplots()
    >>> artists = ig.inference.plot_intervals(q, theta,
    ...                                       names=("slope", "level"), ax=ax)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['slope', 'level']
    """
    require("level", "0 < level < 1", isinstance(level, Real) and 0 < level < 1, level)
    theta = q.theta_domain.require("theta", theta)
    if theta.ndim != 1:
        raise ShapeError(f"theta must have shape ({q.dim},); got {tuple(theta.shape)}")
    mean, deviation = (np.atleast_1d(to_numpy(part)).ravel() for part in (q.mean(theta), q.variance(theta) ** 0.5))
    names = [str(i) for i in range(len(mean))] if names is None else list(names)
    if len(names) != len(mean):
        raise ShapeError(f"names must be {len(mean)}, of every number of {q!r}; got {len(names)}")
    rows = [("posterior", BLUE, mean, deviation)]
    if exact is not None:
        center, width = (np.atleast_1d(to_numpy(part)).ravel() for part in (exact.mean, exact.deviation))
        rows.append(("exact", ORANGE, center, width))
    ax, places, artists = axes_or_new(ax), np.arange(len(mean)), []
    for i, (label, colour, center, width) in enumerate(rows):
        shift = 0.3 * (i - 0.5 * (len(rows) - 1))
        artists.append(ax.errorbar(center, places + shift, xerr=normal_quantile(level) * width, fmt="o", ms=3, color=colour,
                                   label=label))
    ax.axvline(0.0, color="0.8", zorder=0)
    ax.set_yticks(places, names)
    ax.set(xlabel=f"{level:.0%} of the posterior")
    ax.invert_yaxis()
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    return artists


def _number(statistic: Callable[[np.ndarray], Any], y: np.ndarray) -> float:
    """The statistic of one set of observations, a finite number."""
    if not callable(statistic):
        raise TypeError(f"statistic must be a function of observations, such as numpy.var; got {statistic!r}")
    found = np.asarray(to_numpy(statistic(y)))
    if found.shape != () or found.dtype.kind not in "biuf":
        raise TypeError(f"statistic must give one number; got {found.dtype} of shape {found.shape}")
    require("statistic", "statistic finite", np.isfinite(found), found)
    return float(found)


def _beside(predicted: Predictive, y: Array) -> tuple[np.ndarray, np.ndarray]:
    """Draws (K, n, …) and y (n, …)."""
    if predicted.draws is None:
        raise TypeError("a check needs draws: predictive(…, draws=1000, rng=rng)")
    draws, y = np.asarray(to_numpy(predicted.draws)), to_numpy(arrays(y)[1])
    if y.shape != draws.shape[1:]:
        raise ShapeError(f"y must have shape {draws.shape[1:]}, that of a draw; got {y.shape}")
    require("y", "y finite", np.isfinite(y), y)
    return draws, y
