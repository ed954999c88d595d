"""The weights of a generalised linear model, which are a dually flat manifold of their own."""
from __future__ import annotations

from typing import Any

import numpy as np
import scipy        # optimize is loaded where it is first asked for
from scipy.sparse import csr_array, hstack, kron, vstack

from ..arrays.kept import kept
from ..backend import Array, Namespace, arrays, to_numpy
from ..domains.convex import RealSpace
from ..domains.image import GradientImage
from ..errors import ShapeError, require, takes
from ..geometry.manifolds.manifold import DuallyFlat
from ..geometry.projections.feasibility import polyhedron
from .base import ExponentialFamily

__all__ = ["GeneralizedLinear"]


class GeneralizedLinear(DuallyFlat):
    """Weights w of a generalised linear model with the canonical link: y_i has the natural parameter θ_i = W x_i in a family.

    Mathematically, with fixed inputs x_1, …, x_n the responses are an exponential family whose natural parameter is w:

    - potential ψ(w) = (1/n) Σ ψ(W x_i) + ½ Σ λ_j w_j², strictly convex where the columns of x are independent or λ > 0
    - η(w) = (1/n) Σ η(W x_i) ⊗ x_i + λ w; `statistic(y)` = (1/n) Σ T(y_i) ⊗ x_i
    - metric (1/n) Σ G(W x_i) ⊗ x_i x_iᵀ + diag λ, the Fisher metric for one observation, with the curvature of the penalty
    - D(w‖v) = (1/n) Σ KL(W x_i‖V x_i) + ½ Σ λ_j (w_j − v_j)²

    ``CrossEntropy(M, M.statistic(y))`` is the penalised negative log-likelihood (without the base measure), whose Hessian is the
    metric: natural gradient with step size 1 is Newton's method. Without a penalty there is a minimum if and only if the
    statistic lies inside the means η of the model, not on their edge, where that of separable data is: the objective is refused
    then, by a linear programme.

    Parameters
    ----------
    family : ExponentialFamily
        One in which any vector θ in R^d is allowed: `Bernoulli` is logistic regression, `Categorical` the multinomial one,
        `Poisson` the log-linear one, `NormalKnownVariance` least squares.
    x : array, shape (n, p)
        With a column of ones where there is an intercept; a copy is kept.
    ridge : number or array, shape (p,)
        λ, not negative, of every column; the same in every row of W.

    Shapes: w (..., d p), the rows of W one after the other.
    Units: nats.

    Raises
    ------
    ShapeError, DomainError
        For x of another shape, not finite, or with dependent columns where λ is 0.

    Source: McCullagh & Nelder, Generalized Linear Models (1989); Albert & Anderson, Biometrika 71 (1984), for the existence.

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> M = ig.GeneralizedLinear(ig.Bernoulli(), [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    >>> f = ig.CrossEntropy(M, M.statistic([0, 1, 0, 1]))
    >>> ig.descend(f, np.zeros(2), geometry=M, update=ig.NaturalUpdate(), step=1.0, max_steps=8).x.round(6)
    array([-1.047034,  0.698023])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, x: Array, ridge: Array = 0.0) -> None:
        if not family.theta_domain.whole:
            raise TypeError(f"family must be one in which any theta in R^d is allowed, such as Bernoulli(); got {family!r}")
        xp, x, ridge = arrays(x, ridge)
        if x.ndim != 2 or 0 in x.shape:
            raise ShapeError(f"x must have shape (n, p), n >= 1, p >= 1; got {tuple(x.shape)}")
        require("x", "x finite", xp.isfinite(x), x)
        require("ridge", "ridge >= 0", ridge >= 0, ridge)
        if ridge.ndim > 1 or ridge.ndim == 1 and ridge.shape != x.shape[1:]:
            raise ShapeError(f"ridge must be a number or have shape ({x.shape[1]},); got {tuple(ridge.shape)}")
        self.family, self.x = family, kept(x)
        self.ridge = kept(xp.concat([xp.broadcast_to(ridge, x.shape[1:])] * family.dim))
        free = to_numpy(xp.broadcast_to(ridge, x.shape[1:])) == 0
        rank = np.linalg.matrix_rank(to_numpy(x)[:, free]) if free.any() else 0
        require("x", f"rank = {free.sum()}, the number of its columns without a ridge", rank == free.sum(), rank)
        self.dim = family.dim * x.shape[1]
        self.theta_domain = RealSpace(self.dim)
        self.eta_domain = _Means(self, free) if free.any() else RealSpace(self.dim)

    def __repr__(self) -> str:
        ridge = f", ridge={to_numpy(self.ridge)[:self.x.shape[1]].tolist()}" if to_numpy(self.ridge).any() else ""
        return f"GeneralizedLinear({self.family!r}, x of shape {tuple(self.x.shape)}{ridge})"

    def predictors(self, w: Array) -> Array:
        """The natural parameters θ_i = W x_i, shape (..., n, d)."""
        xp, w = arrays(w)
        x, _ = self._as(xp, w)
        return xp.matmul(x, xp.matrix_transpose(xp.reshape(w, (*w.shape[:-1], self.family.dim, x.shape[1]))))

    def _as(self, xp: Namespace, like: Array) -> tuple[Array, Array]:
        """``(x, ridge)`` of the dtype of another array."""
        return xp.astype(self.x, like.dtype, copy=False), xp.astype(self.ridge, like.dtype, copy=False)

    def statistic(self, y: Array) -> Array:
        """(1/n) Σ T(y_i) ⊗ x_i, shape (..., d p), of observations y (..., n, *support.shape).

        Raises
        ------
        DomainError, ShapeError
            For y outside the support of the family, or of another number than x.
        """
        y = self.family.support.require("y", y)
        n, axis = self.x.shape[0], y.ndim - len(self.family.support.shape) - 1
        if axis < 0 or y.shape[axis] != n:
            raise ShapeError(f"y must have the {n} samples of x; got shape {tuple(y.shape)}")
        xp, statistic = arrays(self.family.sufficient_statistic(y))
        return self._back(xp, xp.astype(statistic, self.x.dtype, copy=False))

    def _back(self, xp: Namespace, covector: Array) -> Array:
        """(1/n) Σ c_i ⊗ x_i, shapes (..., n, d) to (..., d p)."""
        found = xp.matmul(xp.matrix_transpose(covector), self._as(xp, covector)[0]) / self.x.shape[0]
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


class _Means(GradientImage):
    """The means η of a model some of whose columns have no penalty: a convex set, what means of the family at every x_i give."""

    def __init__(self, manifold: GeneralizedLinear, free: np.ndarray) -> None:
        super().__init__(manifold, _words)
        self.free = free

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        found = to_numpy(self.possible(x)).copy()
        host = to_numpy(x).astype(float)
        for row in zip(*np.nonzero(found)) if found.ndim else [()] * bool(found):
            found[row] = self._attained(host[row])
        return xp.asarray(found)

    def _attained(self, eta: np.ndarray) -> bool:
        """Whether some means of the family at every x_i, none on the edge, give η; true where one cannot tell.

        The greatest t for which all weights of the vertices are at least t/v is 0 on the edge and outside: that is certain where
        a direction w has Σ max over the means of η·W x_i ≤ η·w, along which the loss falls for ever.
        """
        model: Any = self.manifold
        closed = polyhedron(model.family.eta_domain)
        if closed is None or not len(closed.vertices) + len(closed.rays):
            return True
        V, R, blocks = closed
        n, free = len(model.x), self.free
        x, d = to_numpy(model.x)[:, free].astype(float), V.shape[1]
        eta = eta.reshape(d, -1)[:, free].reshape(-1)
        columns = np.concatenate([V, R]).T
        means = csr_array(np.einsum("nj,dv->djnv", x / n, columns).reshape(d * x.shape[1], -1))
        sums = kron(csr_array(np.eye(n)), csr_array(np.concatenate([blocks, np.zeros((len(blocks), len(R)))], axis=1)))
        share = np.tile(np.concatenate([1.0 / blocks.sum(axis=1) @ blocks, np.ones(len(R))]), n)
        equal = vstack([means, sums])
        equal = hstack([equal, csr_array((equal @ share)[:, None])])
        cost = np.zeros(equal.shape[1])
        cost[-1] = -1.0
        found = scipy.optimize.linprog(cost, A_eq=equal, b_eq=np.concatenate([eta, np.ones(n * len(blocks))]),
                                       bounds=[(0, None)] * (len(cost) - 1) + [(0, 1)])
        if found.status == 2:
            return False
        if found.status != 0 or found.x[-1] > 1e-7:
            return True
        w = found.eqlin.marginals[:len(eta)]
        return not any(_falls(s * w.reshape(d, -1), x, closed, eta) for s in (1.0, -1.0))


def _falls(W: np.ndarray, x: np.ndarray, closed: Any, eta: np.ndarray) -> bool:
    """Whether ψ(tW) − t W·η does not rise for t → ∞: mean max over the vertices of V·W x_i ≤ W·η, and rays R·W x_i ≤ 0."""
    V, R, blocks = closed
    along = x @ W.T
    room = 1e-9 * np.max(np.abs(along), initial=0.0)
    highest = sum(np.max((along @ V.T)[:, block > 0], axis=1) for block in blocks)
    down = np.all(along @ R.T <= room) if len(R) else True
    return bool(room > 0 and down and np.mean(highest) - W.reshape(-1) @ eta <= room)


def _words(name: str) -> str:
    return (f"{name} among the means of the model: where data are separable it is on their edge, and no weights are the minimum, "
            "the loss falls for ever along a direction")
