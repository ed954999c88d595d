"""Bayesian regressions: the weights of a generalised linear model with a normal prior."""
from copy import copy
from typing import Any, TypeVar

import numpy as np

from ..arrays.draws import Draws
from ..arrays.joined import beside, gathered, joined
from ..arrays.kept import kept
from ..backend import Array, Namespace, backend_of
from ..domains.convex import RealSpace
from ..errors import ShapeError, require, require_count, require_positive, takes
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.poisson import Poisson
from .expectations import GaussianExpectation, QuadratureExpectation
from .normal_charts import normal_chart
from .predictive import Ask, Predictive, new_inputs, normal_quantile, weights_drawn

__all__ = ["LogisticRegression", "PoissonRegression", "Regression", "mini_batch", "require_batch_size", "require_one",
           "require_parameters"]

Model = TypeVar("Model", bound=Any)


class Regression:
    """Weights z ∼ N(0, I/τ) and observations y_i with the natural parameter x_i·z in a family: a model for `NegativeELBO`.

    Mathematically, log p(y, z) = Σ log p(y_i; x_i·z) − ½ τ |z|² + (p/2) log(τ/2π): a sum of functions of numbers that are normal
    under a normal q, so that expectations are one-dimensional (`GaussianExpectation`, which is the model's own).

    Parameters
    ----------
    family : ExponentialFamily
        Of one natural parameter that is any number, such as `Bernoulli`, `Poisson`, ``NormalKnownVariance(1.0)``; x·z is that
        parameter, the mean over the variance of the last.
    X : array, shape (n, p)
    y : array, shape (n,)
        In the support of the family.
    prior_precision : float
        τ, positive.
    batch_size : int, optional
        A step of `descend` sees so many observations, drawn without replacement, each counted n / size times.

    Raises
    ------
    DomainError, ShapeError, TypeError

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> model = ig.inference.LogisticRegression(X, X[:, 0] > 0, prior_precision=1.0)
    >>> f = ig.inference.NegativeELBO(ig.MultivariateNormal(3), model)
    >>> f.manifold
    MultivariateNormal(p=3).dual
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, X: Array, y: Array, prior_precision: float,
                 batch_size: int | None = None) -> None:
        if family.dim != 1 or not isinstance(family.theta_domain, RealSpace):
            raise TypeError(f"family must have one natural parameter that is any number, such as Bernoulli(); got {family!r}"
                            + (": see VectorRegression" if family.dim > 1 else ""))
        xp, X, y = gathered(X, y)
        if X.ndim != 2 or y.ndim != 1 or X.shape[0] != y.shape[0] or 0 in X.shape:
            raise ShapeError(f"X must have shape (n, p) and y shape (n,); got {tuple(X.shape)} and {tuple(y.shape)}")
        require("X", "X finite", xp.isfinite(X), X)
        self.family, self.X = family, kept(X)
        self.y = kept(family.require_observations("y", y))
        self.tau, = require_one(prior_precision=prior_precision)
        self.batch_size, self.copies = require_batch_size(batch_size, X.shape[0]), 1.0
        self.expectation = GaussianExpectation()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.X.shape[0]} observations, {self.X.shape[1]} weights)"

    @property
    def p(self) -> int:
        return int(self.X.shape[1])

    def require_dimension(self, p: int) -> None:
        """Raises ShapeError where q is not of as many numbers as there are weights."""
        if p != self.p:
            raise ShapeError(f"q must be on R^{self.p}, the weights of {self!r}; got one on R^{p}")

    def rows_like(self, xp: Namespace, like: Array) -> Array:
        """The x_i, and the unit vectors, along which the prior is a sum, too: shape (n + p, p)."""
        X = beside(xp, like.dtype, self.X)
        return xp.concat([X, xp.eye(self.p, dtype=like.dtype)], axis=0)

    def along(self, xp: Namespace, a: Array) -> tuple[Array, Array, Array]:
        """ℓ_i(a_i) with the first and the second derivatives, each (..., n + p): the terms of log p(y, z) at a_i = x_i·z."""
        n, family = self.X.shape[0], self.family
        theta, w = a[..., :n, None], a[..., n:]
        y = beside(xp, a.dtype, self.y)
        data = (family._log_density(xp, theta, y), (family.sufficient_statistic(y) - family.to_eta(theta))[..., 0],
                -family.metric(theta)[..., 0, 0])
        prior = (0.5 * (float(np.log(self.tau / (2 * np.pi))) - self.tau * w * w), -self.tau * w, -self.tau + 0.0 * w)
        return tuple(xp.concat([self.copies * d, own], axis=-1) for d, own in zip(data, prior))

    def __call__(self, z: Array) -> Array:
        """log p(y, z), shape (...)."""
        xp, z = require_parameters(z, self.p, self.X)
        return xp.sum(self._at(xp, z)[0], axis=-1)

    def gradient(self, z: Array) -> Array:
        """Its differential, shape (..., p)."""
        xp, z = require_parameters(z, self.p, self.X)
        return xp.matmul(self._at(xp, z)[1], self.rows_like(xp, z))

    def hessian(self, z: Array) -> Array:
        """Its second derivatives, shape (..., p, p)."""
        xp, z = require_parameters(z, self.p, self.X)
        rows = self.rows_like(xp, z)
        return xp.matmul(rows.T, self._at(xp, z)[2][..., None] * rows)

    def _at(self, xp: Namespace, z: Array) -> tuple[Array, Array, Array]:
        return self.along(xp, xp.matmul(z, self.rows_like(xp, z).T))

    def mean(self, a: Array) -> Array:
        """E[y] at the natural parameter a, shape (...)."""
        return self.family.mean(a[..., None])

    def predicted(self, q: Any, theta: Array, X: Any, ask: Ask) -> Predictive:
        """What `predictive` says at X (n, p): by nodes of a = x·z."""
        xp, X = new_inputs(X, self.p, theta)
        chart, family = normal_chart(q), self.family
        self.require_dimension(chart.p)
        mean, root = chart.mean_and_root(xp, theta)
        center, deviation = xp.matmul(mean, X.T), chart.deviations(xp, root, X)
        u, weight = QuadratureExpectation(50).white(xp, 1, center.shape, theta.dtype)
        a = (center + deviation * u[..., 0])[..., None]
        expected, own = family.mean(a), family.variance(a)
        average = xp.sum(weight * expected, axis=0)
        variance = xp.sum(weight * (own + (expected - average) ** 2), axis=0)
        half, observed = normal_quantile(ask.level) * deviation, None
        if ask.draws:               # those of one draw of the weights together
            z = weights_drawn(q, theta, ask)[1][:ask.draws, ...]
            observed = family.sample(ask.rng, xp.matmul(z, X.T)[..., None])
        return Predictive(average, xp.sqrt(variance), self.mean(center - half), self.mean(center + half), observed)

    def draw(self, rng: Any) -> "Regression":
        """The model of a mini-batch; itself where no batch_size was given."""
        return mini_batch(self, rng)


def require_batch_size(batch_size: int | None, n: int) -> int | None:
    """The number of observations that a step sees, at most all n; None where it sees all. Raises DomainError."""
    if batch_size is not None:
        require("batch_size", f"batch_size <= n = {n}", require_count("batch_size", batch_size) <= n, batch_size)
    return batch_size


def require_one(**values: Any) -> list[Any]:
    """Positive numbers, such as the precision of all weights. Raises DomainError, ShapeError for an array of several."""
    found = [require_positive(name, value) for name, value in values.items()]
    for name, value in zip(values, found):
        if getattr(value, "shape", ()) != ():
            raise ShapeError(f"{name} must be one number; got an array of shape {tuple(value.shape)}")
    return found


def require_parameters(z: Any, size: int, *data: Array) -> tuple[Namespace, Array]:
    """``(xp, z)``, of shape (..., size); a list becomes an array of the library of the data. Raises ShapeError."""
    xp, z = joined(z, *data)[:2]
    if z.ndim == 0 or z.shape[-1] != size:
        raise ShapeError(f"z must have shape (..., {size}), a number for each weight; got {tuple(z.shape)}")
    return xp, z


def mini_batch(model: Model, rng: Any) -> Model:
    """The model of `batch_size` rows of X and y, drawn without replacement, each for n / batch_size; itself without a size."""
    if model.batch_size is None:
        return model
    xp, n, part = backend_of(model.X), model.X.shape[0], copy(model)
    index = xp.argsort(Draws(rng, xp, model.X.dtype).uniform((n,)))[:model.batch_size]
    part.__dict__.update(X=xp.take(model.X, index, axis=0), y=xp.take(model.y, index, axis=0), batch_size=None,
                         copies=n / model.batch_size)
    return part


class LogisticRegression(Regression):
    """`Regression` of outcomes 0 and 1: P(y = 1) = 1 / (1 + e^{−x·z}).

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> model = ig.inference.LogisticRegression(X, [0, 1, 0, 1],
    ...                                         prior_precision=1.0)
    >>> q = ig.MultivariateNormal(1)
    >>> f = ig.inference.NegativeELBO(q, model)
    >>> start = q.to_eta(q.theta_from(mean=np.zeros(1), covariance=np.eye(1)))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.MirrorUpdate(),
    ...                  step=1.0, max_steps=20)
    >>> q.parameters(q.to_theta(run.x))["mean"].round(3)
    array([0.333])
    """

    def __init__(self, X: Array, y: Array, prior_precision: float, batch_size: int | None = None) -> None:
        super().__init__(Bernoulli(), X, y, prior_precision, batch_size)


class PoissonRegression(Regression):
    """`Regression` of counts: y ∼ Poisson(e^{x·z}).

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> model = ig.inference.PoissonRegression(X, [1, 3, 7],
    ...                                        prior_precision=0.01)
    >>> q = ig.MultivariateNormal(1)
    >>> f = ig.inference.NegativeELBO(q, model)
    >>> start = q.to_eta(q.theta_from(mean=np.zeros(1), covariance=np.eye(1)))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.NaturalUpdate(),
    ...                  step=ig.Backtracking(), max_steps=15)
    >>> q.parameters(q.to_theta(run.x))["mean"].round(1)      # near ½ log 7
    array([1.])
    """

    def __init__(self, X: Array, y: Array, prior_precision: float, batch_size: int | None = None) -> None:
        super().__init__(Poisson(), X, y, prior_precision, batch_size)
