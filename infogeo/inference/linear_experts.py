"""Mixtures of linear regressions."""
from math import log, pi
from typing import Any

from ..arrays.joined import gathered
from ..backend import Array, arrays, backend_of
from ..domains.supports import Interval
from ..errors import DomainError, ShapeError, require
from ..numerics.exponentials import logsumexp
from ..numerics.linalg import solve
from ..statistics.latent import LatentModel, require_parts

__all__ = ["LinearExperts"]


class LinearExperts(LatentModel):
    """Observations y of one of k linear models, y ∼ N(x·w_j, v_j) with probability π_j.

    The parameters are ``(weights, coefficients, variances)``, shapes (k,), (k, p) and (k,).

    Shapes: the argument x of `em` is the pair (X, y), shapes (n, p) and (n,).
    Source: Jordan & Jacobs, Hierarchical mixtures of experts and the EM algorithm (1994), with gates that do not look at x.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, sign = rng.uniform(-1, 1, 200), rng.choice([-1.0, 1.0], 200)
    >>> y = 2 * sign * x + 0.1 * rng.standard_normal(200)     # a cross
    >>> start = np.full(2, 0.5), np.array([[1.0], [-1.0]]), np.ones(2)
    >>> found = ig.statistics.em(ig.inference.LinearExperts(), (x[:, None], y),
    ...                          start, tol=1e-6, max_steps=200)
    >>> weights, coefficients, variances = found.theta
    >>> coefficients[:, 0].round(1), weights.round(1)
    (array([ 2., -2.]), array([0.5, 0.5]))
    """

    def __repr__(self) -> str:
        return "LinearExperts()"

    def prepared(self, x: Any, start: Any) -> tuple[Array, Any]:
        if not isinstance(x, (tuple, list)) or len(x) != 2:
            raise TypeError(f"x must be the pair (X, y); got {x!r}")
        start = require_parts(start, "weights", "coefficients", "variances")
        xp, X, y, weights, coefficients, variances = gathered(*x, *start)
        if X.ndim != 2 or y.ndim != 1 or X.shape[0] != y.shape[0] or tuple(coefficients.shape) != (
                weights.shape[0], X.shape[1]) or variances.shape != weights.shape:
            raise ShapeError("X, y, weights, coefficients, variances must have shapes (n, p), (n,), (k,), (k, p), (k,); got "
                             f"{', '.join(str(tuple(part.shape)) for part in (X, y, weights, coefficients, variances))}")
        Interval(0).require("weights", weights)
        Interval(0).require("variances", variances)
        data = xp.concat([X, y[:, None]], axis=-1)
        require("X and y", "X and y finite", xp.all(xp.isfinite(data), axis=-1), data)
        return data, (weights / xp.sum(weights), coefficients, variances)

    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """The responsibilities, shape (k, n)."""
        xp, weights, coefficients, variances = arrays(*theta)
        away = x[:, -1] - xp.matmul(coefficients, x[:, :-1].T)
        v = variances[:, None]
        joint = xp.log(weights)[:, None] - 0.5 * (away * away / v + xp.log(v) + log(2 * pi))
        total = logsumexp(joint, axis=0)
        return xp.mean(total), xp.exp(joint - total)

    def maximise(self, x: Array, statistics: Any) -> Any:
        xp, X, y = backend_of(x), x[:, :-1], x[:, -1]
        share = xp.sum(statistics, axis=-1)
        coefficients = solve(xp, self._moments(X, statistics), xp.matmul(statistics * y, X))
        away = y - xp.matmul(coefficients, X.T)
        variances = xp.sum(statistics * away * away, axis=-1) / share
        if not bool(xp.all((variances > 0) & xp.isfinite(variances))):
            raise DomainError("an expert has closed in on observations that it fits exactly: take fewer experts or another start")
        return share / x.shape[0], coefficients, variances

    @staticmethod
    def _moments(X: Array, statistics: Array) -> Array:
        """Σ r x xᵀ, shape (k, p, p)."""
        return backend_of(X).matmul(X.T, statistics[:, :, None] * X)

    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        xp, weights, coefficients, variances = arrays(*new)
        step, ratio = coefficients - old[1], variances / old[2]
        moved = xp.matmul(self._moments(x[:, :-1], statistics), step[..., None])[..., 0] / x.shape[0]
        shift = xp.sum(step * moved, axis=-1) / old[2]
        return xp.sum(weights * (xp.log(weights / old[0]) + 0.5 * (ratio - 1.0 - xp.log(ratio))) + 0.5 * shift)

    def vector(self, theta: Any) -> Array:
        xp, weights, coefficients, variances = arrays(*theta)
        return xp.concat([xp.log(weights), xp.reshape(coefficients, (-1,)), xp.log(variances)])

    def from_vector(self, vector: Array, like: Any) -> Any:
        xp, (k, p) = backend_of(vector), like[1].shape
        log_w = vector[:k]
        return xp.exp(log_w - logsumexp(log_w)), xp.reshape(vector[k:k + k * p], (k, p)), xp.exp(vector[k + k * p:])
