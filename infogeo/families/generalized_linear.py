"""The weights of a generalised linear model, which are a dually flat manifold of their own."""
from __future__ import annotations

import numpy as np

from ..arrays.joined import beside, gathered, joined
from ..arrays.kept import kept
from ..backend import Array, Namespace, arrays, to_numpy
from ..domains.convex import RealSpace
from ..errors import ShapeError, require, takes
from ..geometry.manifolds.manifold import DuallyFlat
from .base import ExponentialFamily
from .linear_means import LinearMeans

__all__ = ["GeneralizedLinear"]


class GeneralizedLinear(DuallyFlat):
    """Weights w of a generalised linear model with the canonical link: y_i has the natural parameter θ_i = W x_i in a family.

    Mathematically, with fixed inputs x_1, …, x_n the responses are an exponential family whose natural parameter is w:

    - potential ψ(w) = (1/n) Σ ψ(W x_i) + ½ Σ λ_j w_j², strictly convex where the columns of X are independent or λ > 0
    - η(w) = (1/n) Σ η(W x_i) ⊗ x_i + λ w; `statistic(y)` = (1/n) Σ T(y_i) ⊗ x_i
    - metric (1/n) Σ G(W x_i) ⊗ x_i x_iᵀ + diag λ, the Fisher metric for one observation, with the curvature of the penalty
    - D(w‖v) = (1/n) Σ KL(W x_i‖V x_i) + ½ Σ λ_j (w_j − v_j)²

    ``CrossEntropy(M, M.statistic(y))`` is the penalised negative log-likelihood (without the base measure), whose Hessian is the
    metric: natural gradient with step size 1 is Newton's method. Without a penalty there is a minimum if and only if the
    statistic lies inside the means η of the model, not on their edge, where that of separable data is: the objective is refused
    then.

    Parameters
    ----------
    family : ExponentialFamily
        One in which any vector θ in R^d is allowed: `Bernoulli` is logistic regression, `Categorical` the multinomial one,
        `Poisson` the log-linear one, `NormalKnownVariance` least squares.
    X : array, shape (n, p)
        With a column of ones where there is an intercept; a copy is kept.
    ridge : number or array, shape (p,)
        λ, not negative, of every column; the same in every row of W. Beside a mean over n observations it is τ / n of a
        normal prior with the ``prior_precision`` τ.

    Shapes: w (..., d p), the rows of W one after the other.
    Units: nats.

    Raises
    ------
    ShapeError, DomainError
        For X of another shape, not finite, or with dependent columns where λ is 0.

    Source: McCullagh & Nelder, Generalized Linear Models (1989); Albert & Anderson, Biometrika 71 (1984), for the existence.

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> M = ig.GeneralizedLinear(ig.Bernoulli(), [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    >>> f = ig.CrossEntropy(M, M.statistic([0, 1, 0, 1]))
    >>> ig.descend(f, np.zeros(2), geometry=M, update=ig.NaturalUpdate(), step=1.0, max_steps=8).x.round(6)
    array([-1.362276,  0.908184])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, X: Array, ridge: Array = 0.0) -> None:
        if not family.theta_domain.whole:
            raise TypeError(f"family must be one in which any theta in R^d is allowed, such as Bernoulli(); got {family!r}")
        xp, X, ridge = gathered(X, ridge)
        if X.ndim != 2 or 0 in X.shape:
            raise ShapeError(f"X must have shape (n, p), n >= 1, p >= 1; got {tuple(X.shape)}")
        require("X", "X finite", xp.isfinite(X), X)
        require("ridge", "ridge >= 0", ridge >= 0, ridge)
        if ridge.ndim > 1 or ridge.ndim == 1 and ridge.shape != X.shape[1:]:
            raise ShapeError(f"ridge must be a number or have shape ({X.shape[1]},); got {tuple(ridge.shape)}")
        self.family, self.X = family, kept(X)
        self.ridge = kept(xp.concat([xp.broadcast_to(ridge, X.shape[1:])] * family.dim))
        free = to_numpy(xp.broadcast_to(ridge, X.shape[1:])) == 0
        rank = np.linalg.matrix_rank(to_numpy(X)[:, free]) if free.any() else 0
        require("X", f"rank = {free.sum()}, the number of its columns without a ridge", rank == free.sum(), rank)
        self.dim = family.dim * X.shape[1]
        self.theta_domain = RealSpace(self.dim)
        bounded = free.any() and not family.eta_domain.whole
        self.eta_domain = LinearMeans(self, free) if bounded else RealSpace(self.dim)

    def __repr__(self) -> str:
        ridge = f", ridge={to_numpy(self.ridge)[:self.X.shape[1]].tolist()}" if to_numpy(self.ridge).any() else ""
        return f"GeneralizedLinear({self.family!r}, X of shape {tuple(self.X.shape)}{ridge})"

    def predictors(self, w: Array) -> Array:
        """The natural parameters θ_i = W x_i, shape (..., n, d)."""
        xp, w = arrays(w)
        x, _ = self._as(xp, w)
        return xp.matmul(x, xp.matrix_transpose(xp.reshape(w, (*w.shape[:-1], self.family.dim, x.shape[1]))))

    def _as(self, xp: Namespace, like: Array) -> tuple[Array, Array]:
        """``(x, ridge)`` of the library and dtype of another array."""
        return beside(xp, like.dtype, self.X), beside(xp, like.dtype, self.ridge)

    def statistic(self, y: Array) -> Array:
        """(1/n) Σ T(y_i) ⊗ x_i, shape (..., d p), of observations y (..., n, *support.shape).

        Raises
        ------
        DomainError, ShapeError
            For y outside the support of the family, or of another number than X.
        """
        y = self.family.support.require("y", joined(y, self.X)[1])
        n, axis = self.X.shape[0], y.ndim - len(self.family.support.shape) - 1
        if axis < 0 or y.shape[axis] != n:
            raise ShapeError(f"y must have the {n} samples of X; got shape {tuple(y.shape)}")
        xp, statistic = arrays(self.family.sufficient_statistic(y))
        return self._back(xp, statistic)

    def _back(self, xp: Namespace, covector: Array) -> Array:
        """(1/n) Σ c_i ⊗ x_i, shapes (..., n, d) to (..., d p)."""
        found = xp.matmul(xp.matrix_transpose(covector), self._as(xp, covector)[0]) / self.X.shape[0]
        return xp.reshape(found, (*found.shape[:-2], self.dim))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        mean = xp.mean(self.family._potential(xp, self.predictors(theta)), axis=-1)
        return mean + 0.5 * xp.sum(self._as(xp, theta)[1] * theta * theta, axis=-1)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._back(xp, self.family._to_eta(xp, self.predictors(theta))) + self._as(xp, theta)[1] * theta

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        inner = self.family._flat(xp, self.predictors(theta), self.predictors(vector))
        return self._back(xp, inner) + self._as(xp, theta)[1] * vector

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        G = self.family._metric(xp, self.predictors(theta))
        return self._blocks(xp, G) + xp.eye(self.dim, dtype=theta.dtype) * self._as(xp, theta)[1]

    def _blocks(self, xp: Namespace, G: Array) -> Array:
        """(1/n) Σ G_i ⊗ x_i x_iᵀ, shapes (..., n, d, d) to (..., d p, d p)."""
        x, d = self._as(xp, G)[0], self.family.dim
        rows = [xp.concat([xp.matmul(x.T, G[..., a, b, None] * x) for b in range(d)], axis=-1) for a in range(d)]
        return xp.concat(rows, axis=-2) / x.shape[0]

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        T = self.family._cubic_tensor(xp, self.predictors(theta))
        x = self._as(xp, theta)[0]
        along = [(c, r) for c in range(self.family.dim) for r in range(x.shape[1])]
        return xp.stack([self._blocks(xp, T[..., c] * x[:, r, None, None]) for c, r in along], axis=-1)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        inner = xp.mean(self.family._kl(xp, self.predictors(theta_p), self.predictors(theta_q)), axis=-1)
        return inner + 0.5 * xp.sum(self._as(xp, theta_p)[1] * (theta_p - theta_q) ** 2, axis=-1)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        inside = self.eta_domain.contains(eta)[..., None]
        return super()._to_theta(xp, xp.where(inside, eta, xp.full_like(eta, xp.nan)))
