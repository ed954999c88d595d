"""Bayesian regressions of families with several natural parameters, such as softmax regression."""
from typing import Any

import numpy as np

from ..arrays.joined import beside, gathered
from ..arrays.kept import kept
from ..backend import Array, Namespace
from ..errors import ShapeError, require, takes
from ..families.base import ExponentialFamily
from ..families.categorical import Categorical
from ..numerics.linalg import eigh, matvec
from .expectations import GaussianExpectation, MonteCarloExpectation, QuadratureExpectation, WeightedPoints
from .normal_charts import NormalChart
from .predictive import Ask, Predictive, new_inputs, of_members, weights_drawn
from .regression import mini_batch, require_batch_size, require_one, require_parameters

__all__ = ["SoftmaxRegression", "VectorRegression"]


class VectorRegression:
    """Weights Z ∼ N(0, I/τ), a matrix (p, d), and observations y_i with the natural parameter Zᵀx_i ∈ R^d in a family.

    Mathematically, log p(y, Z) = Σ log p(y_i; Zᵀx_i) − ½ τ |Z|² + (pd/2) log(τ/2π): a sum of functions of d numbers each, which
    are normal under a normal q, so that expectations are d-dimensional however many weights there are.

    Parameters
    ----------
    family : ExponentialFamily
        Whose natural parameter is any vector of R^d: `Categorical`, `Multinomial`, independent counts.
    X : array, shape (n, p)
    y : array, shape (n, *support.shape)
    prior_precision : float
        τ, positive.
    batch_size : int, optional
        A step of `descend` sees so many observations, drawn without replacement, each counted n / size times.

    Its expectation is `GaussianExpectation` by Gauss–Hermite nodes, 20² for d = 2, 10³ for d = 3, and by 200 draws beyond.

    Shapes: z (..., p d), Z row by row.
    Raises: DomainError, ShapeError, TypeError.

    Examples
    --------
    >>> X, y = np.ones((4, 1)), [[1, 8], [3, 6], [2, 7], [2, 7]]
    >>> counts = ig.Independent(ig.Poisson(), 2)
    >>> model = ig.inference.VectorRegression(counts, X, y,
    ...                                       prior_precision=0.01)
    >>> q = ig.MultivariateNormal(2)
    >>> f = ig.inference.NegativeELBO(q, model)
    >>> start = q.to_eta(q.theta_from(mean=np.zeros(2), covariance=np.eye(2)))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.NaturalUpdate(),
    ...                  step=ig.Backtracking(), max_steps=15)
    >>> np.exp(q.parameters(q.to_theta(run.x))["mean"]).round()       # 2 and 7
    array([2., 7.])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, X: Array, y: Array, prior_precision: float,
                 batch_size: int | None = None) -> None:
        if not family.theta_domain.whole:
            raise TypeError(f"family must have a natural parameter that is any vector, such as Categorical(3); got {family!r}")
        xp, X, y = gathered(X, y)
        shape = family.support.shape
        if X.ndim != 2 or y.ndim != 1 + len(shape) or X.shape[0] != y.shape[0] or 0 in X.shape:
            raise ShapeError(f"X must have shape (n, p) and y shape ({', '.join(['n', *map(str, shape)])}); got {tuple(X.shape)} "
                             f"and {tuple(y.shape)}")
        require("X", "X finite", xp.isfinite(X), X)
        self.family, self.X = family, kept(X)
        self.y = kept(family.require_observations("y", y))
        self.tau, = require_one(prior_precision=prior_precision)
        self.batch_size, self.copies = require_batch_size(batch_size, X.shape[0]), 1.0
        by: WeightedPoints = QuadratureExpectation(20 if family.dim <= 2 else 10)
        self.expectation = GaussianExpectation(by if family.dim <= 3 else MonteCarloExpectation(200))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.family!r}, {self.X.shape[0]} observations, {self.size} weights)"

    @property
    def size(self) -> int:
        """p d, the number of weights."""
        return int(self.X.shape[1] * self.family.dim)

    def require_dimension(self, p: int) -> None:
        """Raises ShapeError where q is not of as many numbers as there are weights."""
        if p != self.size:
            raise ShapeError(f"q must be on R^{self.size}, the weights of {self!r}; got one on R^{p}")

    def _at(self, xp: Namespace, z: Array, X: Array) -> Array:
        """Zᵀx_i, shape (..., n, d)."""
        return xp.matmul(beside(xp, z.dtype, X), xp.reshape(z, (*z.shape[:-1], X.shape[1], self.family.dim)))

    def _terms(self, xp: Namespace, a: Array) -> tuple[Array, Array, Array]:
        """ℓ_i(a_i) with its first and second derivatives, shapes (..., n), (..., n, d), (..., n, d, d)."""
        y = beside(xp, a.dtype, self.y)
        return (self.family._log_density(xp, a, y), self.family.sufficient_statistic(y) - self.family.to_eta(a),
                -self.family.metric(a))

    def _prior(self, square: Array) -> Array:
        return 0.5 * (self.size * float(np.log(self.tau / (2 * np.pi))) - self.tau * square)

    def __call__(self, z: Array) -> Array:
        """log p(y, z), shape (...)."""
        xp, z = require_parameters(z, self.size, self.X)
        terms = self.family._log_density(xp, self._at(xp, z, self.X), beside(xp, z.dtype, self.y))
        return self.copies * xp.sum(terms, axis=-1) + self._prior(xp.sum(z * z, axis=-1))

    def gradient(self, z: Array) -> Array:
        """Its differential, shape (..., p d)."""
        xp, z = require_parameters(z, self.size, self.X)
        return self._gradient(xp, z, self._terms(xp, self._at(xp, z, self.X))[1])

    def hessian(self, z: Array) -> Array:
        """Its second derivatives, shape (..., p d, p d)."""
        xp, z = require_parameters(z, self.size, self.X)
        return self._hessian(xp, self._terms(xp, self._at(xp, z, self.X))[2])

    def _gradient(self, xp: Namespace, z: Array, first: Array) -> Array:
        X = beside(xp, z.dtype, self.X)
        return self.copies * xp.reshape(xp.matmul(X.T, first), z.shape) - self.tau * z

    def _hessian(self, xp: Namespace, second: Array) -> Array:
        """Σ x_i x_iᵀ ⊗ W_i − τ I."""
        X, (p, d), batch = beside(xp, second.dtype, self.X), (self.X.shape[1], self.family.dim), second.shape[:-3]
        wide = xp.reshape(X[:, :, None, None] * second[..., :, None, :, :], (*batch, X.shape[0], p * d * d))
        blocks = xp.reshape(xp.matmul(X.T, wide), (*batch, p, p, d, d))                    # j, k, c, e
        whole = xp.reshape(xp.moveaxis(blocks, -2, -3), (*batch, p * d, p * d))
        return self.copies * whole - self.tau * xp.eye(p * d, dtype=second.dtype)

    def expected_locally(self, by: WeightedPoints, xp: Namespace, chart: NormalChart, mean: Array,
                         root: Any) -> tuple[Array, Array, Array]:
        """E[log p] and the means of its first and second derivatives under q, by points of every Zᵀx_i."""
        a, weight = self._local(by, xp, chart, mean, root)
        value, first, second = self._terms(xp, a)
        wide = weight[..., None]
        first, second = xp.sum(wide * first, axis=0), xp.sum(wide[..., None] * second, axis=0)
        spread = chart.deviations(xp, root, xp.eye(self.size, dtype=mean.dtype))
        prior = self._prior(xp.sum(mean * mean, axis=-1) + xp.sum(spread * spread, axis=-1))
        value = self.copies * xp.sum(weight * value, axis=(0, -1)) + prior
        return value, self._gradient(xp, mean, first), self._hessian(xp, second)

    def _local(self, by: WeightedPoints, xp: Namespace, chart: NormalChart, mean: Array, root: Any) -> tuple[Array, Array]:
        """Points of Zᵀx_i, shapes (K, ..., n, d) and (K, ..., n)."""
        n, d = self.X.shape[0], self.family.dim
        center = self._at(xp, mean, self.X)
        rows = beside(xp, mean.dtype, self.X)[:, None, :, None] * xp.eye(d, dtype=mean.dtype)[:, None, :]
        image = chart.images(xp, root, xp.reshape(rows, (n * d, self.size)))
        image = xp.reshape(image, (*mean.shape[:-1], n, d, image.shape[-1]))
        size, vectors = eigh(xp, xp.matmul(image, xp.matrix_transpose(image)))
        half = vectors * xp.sqrt(xp.where(size > 0, size, xp.zeros_like(size)))[..., None, :]
        u, weight = by.white(xp, d, center.shape[:-1], mean.dtype)
        return center + matvec(xp, half, u), weight

    def draw(self, rng: Any) -> "VectorRegression":
        """The model of a mini-batch; itself where no batch_size was given."""
        return mini_batch(self, rng)

    def predicted(self, q: Any, theta: Array, X: Any, ask: Ask) -> Predictive:
        """What `predictive` says at X (n, p), by draws of the weights."""
        xp, X = new_inputs(X, int(self.X.shape[1]), theta)
        chart, z = weights_drawn(q, theta, ask)
        self.require_dimension(chart.p)
        return of_members(self.family, self._at(xp, z, X), ask)


class SoftmaxRegression(VectorRegression):
    """`VectorRegression` of k categories: P(y = c) ∝ e^{(Zᵀx)_c}, with 0 for the last.

    Parameters
    ----------
    X : array, shape (n, p)
    y : array, shape (n,)
        0, …, k − 1.
    prior_precision : float
    k : int
        Of categories, at least 2.
    batch_size : int, optional

    Examples
    --------
    >>> X, y = np.ones((9, 1)), [0, 0, 0, 0, 0, 0, 1, 1, 2]
    >>> model = ig.inference.SoftmaxRegression(X, y, prior_precision=0.01, k=3)
    >>> q = ig.MultivariateNormal(2)
    >>> f = ig.inference.NegativeELBO(q, model)
    >>> start = q.to_eta(q.theta_from(mean=np.zeros(2), covariance=np.eye(2)))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.NaturalUpdate(),
    ...                  step=ig.Backtracking(), max_steps=15)
    >>> q.parameters(q.to_theta(run.x))["mean"].round(1)      # above the last
    array([2.2, 0.9])
    """

    def __init__(self, X: Array, y: Array, prior_precision: float, k: int, batch_size: int | None = None) -> None:
        super().__init__(Categorical(k), X, y, prior_precision, batch_size)
