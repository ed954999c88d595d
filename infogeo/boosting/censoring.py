"""Observations that are known to lie in an interval, and ones that are seen from an entry on."""
from typing import Any

import numpy as np

from ..backend import NUMPY, Array
from ..errors import ShapeError, require
from ..families.base import ExponentialFamily
from ..numerics.differences import along
from ..numerics.exponentials import log1m_exp
from .charts import ParameterChart, inverse, times
from .scoring import ScoringRule

__all__ = ["CensoredLogScore", "censored", "log_probability"]


def censored(y: Any) -> Array:
    """(lower, upper, entry) of every row, shape (n, 3): an event where lower = upper, an interval (lower, upper] otherwise.

    Parameters
    ----------
    y : array
        Of numbers (n,), all of them events; (n, 2) or (n, 3) of lower, upper and entry, with ±∞ for what is open; or structured
        with the fields `event` (bool) and `time`, or `lower` and `upper`, and perhaps `entry`: an event that is none is a time
        beyond which nothing is known.

    Raises
    ------
    ShapeError, DomainError
    """
    y = y.to_records(index=False) if hasattr(y, "to_records") else np.asarray(y)
    columns = _fields(y) if y.dtype.names else _columns(y)
    rows = np.stack([np.asarray(column, dtype=float) for column in columns], axis=-1)
    lower, upper, entry = rows.T
    require("y", "numbers, of which none is missing", ~np.any(np.isnan(rows), axis=-1), rows)
    require("y", "lower <= upper, of which one is finite", (lower <= upper) & (np.isfinite(lower) | np.isfinite(upper)), rows)
    require("y", "entry < upper, and entry <= lower", (entry < upper) & ((entry <= lower) | (lower == -np.inf)), rows)
    return rows


def _fields(y: Array) -> tuple[Array, Array, Array]:
    names = {name.lower(): name for name in y.dtype.names}
    entry = y[names["entry"]] if "entry" in names else np.full(y.shape, -np.inf)
    if {"lower", "upper"} <= set(names):
        return y[names["lower"]], y[names["upper"]], entry
    if {"event", "time"} <= set(names):
        time = np.asarray(y[names["time"]], dtype=float)
        return time, np.where(np.asarray(y[names["event"]], dtype=bool), time, np.inf), entry
    raise ShapeError("a structured y has the fields event and time, or lower and upper, and perhaps entry; got "
                     f"{', '.join(y.dtype.names)}")


def _columns(y: Array) -> tuple[Array, Array, Array]:
    if y.ndim == 1:
        return y, y, np.full(y.shape, -np.inf)
    if y.ndim == 2 and y.shape[1] in (2, 3):
        return y[:, 0], y[:, 1], y[:, 2] if y.shape[1] == 3 else np.full(len(y), -np.inf)
    raise ShapeError(f"y must be times (n,), or lower, upper and perhaps entry, (n, 2) or (n, 3); got shape {y.shape}")


def log_probability(family: ExponentialFamily, theta: Array, lower: Array, upper: Array) -> Array:
    """log P(lower < x ≤ upper), nats; −∞ and ∞ are bounds.

    Between two bounds from the difference of log P(X ≤ x), which has all its digits near 0, too: 12 of them are left of the
    interval from 10 to 10.001 deviations above or below the mean of a normal law.
    """
    right, left = upper == np.inf, lower == -np.inf
    low, high = np.where(left, upper, lower), np.where(right, lower, upper)         # numbers where there are none
    above, under = family.log_survival(theta, low), family.log_cdf(theta, high)
    if np.all(right | left):
        return np.where(right, above, under)
    with np.errstate(divide="ignore"):
        between = under + log1m_exp(NUMPY, family.log_cdf(theta, low) - under)
    return np.where(right, above, np.where(left, under, between))


class CensoredLogScore(ScoringRule):
    """−log of what was seen, in nats: p(y) of an event, P(lower < y ≤ upper) of an interval, over P(y > entry).

    Mathematically, the covector of an interval is η − E[T | lower < x ≤ upper]: that of an event, its statistic replaced by its
    mean. It is formed in the chart, where T does not cancel, by extrapolated differences of log P. The metric is that of the law
    itself, an upper bound of the information that is always positive definite.

    Rows y are (lower, upper, entry), as `censored` makes them.
    """

    name = "log score"

    def value(self, family: ExponentialFamily, theta: Array, y: Array) -> Array:
        lower, upper, entry = y[:, 0], y[:, 1], y[:, 2]
        out, event, late = np.empty(len(y)), lower == upper, entry > -np.inf
        out[event] = -family.log_density(theta[event], lower[event])
        out[~event] = -log_probability(family, theta[~event], lower[~event], upper[~event])
        out[late] += family.log_survival(theta[late], entry[late])
        return out

    def metric(self, chart: ParameterChart, u: Array, theta: Array) -> Array:
        return chart.metric(u, theta)

    def covector(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        return self._both(chart, u, theta, y)[0]

    def natural_gradient(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        return self._both(chart, u, theta, y)[1]

    def lowered(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        return self.covector(chart, u, theta, y), np.diagonal(chart.metric(u, theta), axis1=-2, axis2=-1)

    def _both(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        """(∂S/∂u, its natural gradient)."""
        lower, upper, entry = y[:, 0], y[:, 1], y[:, 2]
        event, late = lower == upper, entry > -np.inf
        metric, natural = chart.metric(u, theta), np.zeros_like(u)
        covector = np.zeros_like(u)
        natural[event] = chart.residual(u[event], theta[event], lower[event])
        covector[event] = times(metric[event], natural[event])
        for rows, sign, a, b in ((~event, -1.0, lower, upper), (late, 1.0, entry, np.full_like(entry, np.inf))):
            if np.any(rows):
                slope = sign * _slope(chart, u[rows], metric[rows], a[rows], b[rows])
                covector[rows] += slope
                natural[rows] += times(inverse(metric[rows]), slope)
        return covector, natural


def _slope(chart: ParameterChart, u: Array, metric: Array, lower: Array, upper: Array) -> Array:
    """∂ log P(lower < x ≤ upper) / ∂u, shape (n, d), by steps that the metric sets."""
    out = np.empty_like(u)
    for j in range(u.shape[-1]):
        length = np.sqrt(metric[:, j, j])
        unit = np.zeros_like(u)
        unit[:, j] = 1.0
        out[:, j] = along(NUMPY, lambda at: log_probability(chart.family, chart.to_theta(at), lower, upper), u, unit, length)
    return out
