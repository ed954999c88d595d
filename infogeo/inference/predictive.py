"""What a posterior says of observations that are still to come."""
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..arrays.joined import listed
from ..backend import NUMPY, Array, Namespace, arrays, generator_of
from ..errors import ShapeError, require, require_count, shown
from ..families.base import ExponentialFamily
from ..families.categorical import Categorical
from .low_rank_normal import LowRankNormal
from .normal_charts import NormalChart, normal_chart

__all__ = ["DRAWS", "Ask", "Predictive", "moments", "new_inputs", "normal_quantile", "of_members", "predictive", "summary",
           "weights_drawn"]

DRAWS = 1000            # of the parameters, where there is no closed form


class Predictive(NamedTuple):
    """Predictions of a model.

    Attributes
    ----------
    mean, deviation : arrays, shape (..., n, *support.shape)
        Of y, with the uncertainty of the parameters; of categories, their probabilities (..., n, k).
    lower, upper : arrays, of the same shape
        Of the expected y given the parameters: what the parameters leave open, at the given level.
    draws : array, shape (K, ..., n, *support.shape), or None
        Of y.

    Examples
    --------
    >>> q = ig.MultivariateNormal(1)
    >>> model = ig.inference.LogisticRegression([[1.0]], [1],
    ...                                         prior_precision=1.0)
    >>> theta = q.theta_from(mean=[0.0], covariance=[[4.0]])
    >>> found = ig.inference.predictive(q, theta, model, [[1.0], [0.0]])
    >>> found.mean.round(3), found.lower.round(3), found.upper.round(3)
    (array([0.5, 0.5]), array([0.036, 0.5  ]), array([0.964, 0.5  ]))
    """

    mean: Any
    deviation: Any
    lower: Any
    upper: Any
    draws: Any


class Ask(NamedTuple):
    """What is asked of a prediction: the level of intervals, how many draws, and by which generator."""

    level: float
    draws: int
    rng: Any

    @property
    def parameters(self) -> np.random.Generator:
        """The generator of parameters, where they are drawn."""
        found: np.random.Generator = np.random.default_rng(0) if self.rng is None else self.rng
        return found


def predictive(q: ExponentialFamily | LowRankNormal, theta: Array, model: Any, X: Array = None, *, level: float = 0.9,
               draws: int = 0, rng: np.random.Generator | None = None) -> Predictive:
    """Means, intervals and draws of new observations under a variational posterior.

    Mathematically, E[y] = E[E[y | z]] and Var y = E[Var(y | z)] + Var E[y | z] over z ∼ q. In a `Regression` a = x·z is normal,
    and both are by 50 nodes; η rises with a, so that the ends of the interval are those of a. In `LinearRegression` they are in
    closed form; of other models they are means over 1000 draws of the parameters.

    Parameters
    ----------
    q : ExponentialFamily or LowRankNormal
    theta : array, shape (..., q.dim)
        As found by a run: ``q.to_theta(run.x)``, for `LowRankNormal` ``run.x``.
    model : Regression, VectorRegression, LinearRegression, WeightPosterior or BayesianMixture
        The one that was fitted.
    X : array, shape (n, p)
        The inputs of the new observations; not for a mixture.
    level : float
        Of the interval, between 0 and 1.
    draws : int
        Of the observations, each with parameters of its own.
    rng : numpy.random.Generator
        For draws.

    Raises
    ------
    DomainError, ShapeError, TypeError

    Examples
    --------
    >>> q = ig.MultivariateNormal(1)
    >>> model = ig.inference.PoissonRegression([[1.0]], [1],
    ...                                        prior_precision=1.0)
    >>> theta = q.theta_from(mean=[0.0], covariance=[[1.0]])
    >>> found = ig.inference.predictive(q, theta, model, [[1.0]])
    >>> found.mean.round(4), float(np.exp(0.5).round(4))      # E e^z
    (array([1.6487]), 1.6487)
    """
    if not isinstance(q, (ExponentialFamily, LowRankNormal)):
        raise TypeError(f"predictive takes an ExponentialFamily or a LowRankNormal as its argument q; got {shown(q)}")
    if isinstance(model, type) or not hasattr(model, "predicted"):
        raise TypeError("predictive takes a Regression, VectorRegression, LinearRegression, WeightPosterior or BayesianMixture "
                        f"as its argument model; got {shown(model)}")
    require("level", "0 < level < 1", isinstance(level, Real) and 0 < level < 1, level)
    if require_count("draws", draws, 0) and rng is None:
        raise TypeError("draws need rng, such as numpy.random.default_rng(0)")
    theta = (q.domain if isinstance(q, LowRankNormal) else q.theta_domain).require("theta", listed(theta, model))
    with np.errstate(all="ignore"):         # inputs far out give means at the ends of their range
        found: Predictive = model.predicted(q, theta, X, Ask(level, draws, None if rng is None else generator_of(rng)))
    return found


def new_inputs(X: Any, p: int, like: Array) -> tuple[Namespace, Array]:
    """``(xp, X)``, of shape (n, p). Raises ShapeError."""
    if X is None:
        raise ShapeError(f"X must have shape (n, {p}); got None")
    xp, like, X = arrays(like, X)
    if X.ndim != 2 or X.shape[1] != p:
        raise ShapeError(f"X must have shape (n, {p}); got {tuple(X.shape)}")
    return xp, X


def normal_quantile(level: float) -> float:
    """That of the upper end of a central interval."""
    return float(NUMPY.ndtri(0.5 + 0.5 * level))


def weights_drawn(q: Any, theta: Array, ask: Ask) -> tuple[NormalChart, Array]:
    """Draws of the weights under a normal posterior, shape (K, ..., p), K at least as many as observations are asked for."""
    chart = normal_chart(q)
    xp, theta = arrays(theta)
    mean, root = chart.mean_and_root(xp, theta)
    u = ask.parameters.standard_normal((max(ask.draws, DRAWS), *mean.shape))
    return chart, mean + chart.scaled(xp, root, xp.asarray(u, dtype=mean.dtype))


def of_members(family: Any, members: Array, ask: Ask) -> Predictive:
    """From draws of the natural parameters, shape (K, ..., n, d)."""
    expected, own = moments(family, members)
    observed = family.sample(ask.rng, members[:ask.draws, ...]) if ask.draws else None
    return summary(expected, own, observed, ask.level)


def moments(family: ExponentialFamily, theta: Array) -> tuple[Array, Array]:
    """Mean and variance of y; of categories the probabilities p, and p (1 − p)."""
    if isinstance(family, Categorical):
        p = family.parameters(theta)["probabilities"]
        return p, p * (1.0 - p)
    return family.mean(theta), family.variance(theta)


def summary(expected: Array, own: Array, observed: Array | None, level: float) -> Predictive:
    """From E[y | z] and Var(y | z) at draws of z, along the first axis."""
    xp, expected, own = arrays(expected, own)
    mean = xp.mean(expected, axis=0)
    deviation = xp.sqrt(xp.mean(own + (expected - mean) ** 2, axis=0))
    lower, upper = (_quantile(xp, expected, end) for end in (0.5 - 0.5 * level, 0.5 + 0.5 * level))
    return Predictive(mean, deviation, lower, upper, observed)


def _quantile(xp: Namespace, x: Array, share: float) -> Array:
    """Along the first axis, between the two nearest values."""
    place = share * (x.shape[0] - 1)
    below, rising = int(place), xp.sort(x, axis=0)
    part = place - below
    return (1.0 - part) * rising[below, ...] + part * rising[min(below + 1, x.shape[0] - 1), ...]
