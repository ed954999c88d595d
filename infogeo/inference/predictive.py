"""What a posterior says of observations that are still to come."""
from typing import Any, NamedTuple

import numpy as np

from ..backend import NUMPY, Array, Namespace, arrays
from ..errors import ShapeError, require, takes
from ..families.base import ExponentialFamily
from .expectations import QuadratureExpectation
from .normal_charts import normal_chart
from .regression import Regression

__all__ = ["Predictive", "predictive"]


class Predictive(NamedTuple):
    """Predictions of a regression.

    Attributes
    ----------
    mean, deviation : arrays, shape (..., n)
        Of y, with the uncertainty of the weights.
    lower, upper : arrays, shape (..., n)
        Of the expected y given the weights: what the weights leave open, at the given level.
    draws : array, shape (K, ..., n), or None
        Of y.
    """

    mean: Any
    deviation: Any
    lower: Any
    upper: Any
    draws: Any


@takes(q=ExponentialFamily, model=Regression)
def predictive(q: ExponentialFamily, theta: Array, model: Regression, X: Array, *, level: float = 0.9, draws: int = 0,
               rng: np.random.Generator | None = None) -> Predictive:
    """Means, intervals and draws of the observations at new X, under a normal posterior of the weights.

    Mathematically, a = x·z is normal under q, and E[y] = E[η(a)], Var y = E[Var(y | a)] + Var η(a) by 50 nodes; η rises with a,
    so that the ends of the interval are those of a.

    Parameters
    ----------
    q : ExponentialFamily
        A normal family.
    theta : array, shape (..., q.dim)
    model : Regression
    X : array, shape (n, p)
    level : float
        Of the interval, between 0 and 1.
    draws : int
    rng : numpy.random.Generator
        For draws.
    """
    require("level", "0 < level < 1", 0 < level < 1, level)
    chart = normal_chart(q)
    model.require_dimension(chart.p)
    xp, theta, X = arrays(q.theta_domain.require("theta", theta), X)
    if X.ndim != 2 or X.shape[1] != model.p:
        raise ShapeError(f"X must have shape (n, {model.p}); got {tuple(X.shape)}")
    mean, root = chart.mean_and_root(xp, theta)
    center, deviation = xp.matmul(mean, X.T), chart.deviations(xp, root, X)
    u, weight = QuadratureExpectation(50).white(xp, 1, center.shape, theta.dtype)
    family = model.family
    a = (center + deviation * u[..., 0])[..., None]
    expected, own = family.mean(a), family.variance(a)
    average = xp.sum(weight * expected, axis=0)
    variance = xp.sum(weight * (own + (expected - average) ** 2), axis=0)
    half = float(NUMPY.ndtri(0.5 + 0.5 * level)) * deviation
    found = _drawn(xp, family, chart, root, mean, X, draws, rng) if draws else None
    return Predictive(average, xp.sqrt(variance), model.mean(center - half), model.mean(center + half), found)


def _drawn(xp: Namespace, family: ExponentialFamily, chart: Any, root: Array, mean: Array, X: Array, draws: int,
           rng: Any) -> Array:
    """Draws of y, those of one draw of the weights together."""
    if rng is None:
        raise TypeError("draws need rng, such as numpy.random.default_rng(0)")
    u = xp.asarray(rng.standard_normal((draws, *mean.shape)), dtype=mean.dtype)
    a = xp.matmul(mean + chart.scaled(xp, root, u), X.T)
    return family.sample(rng, a[..., None])
