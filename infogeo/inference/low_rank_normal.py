"""Normal laws whose covariance is a diagonal matrix plus one of low rank, as a manifold of their own."""
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, Namespace, arrays
from ..errors import DomainError, ShapeError, require, require_count, require_positive
from ..families.multivariate_normal import MultivariateNormal
from ..geometry.manifolds.manifold import Riemannian
from ..numerics.linalg import cholesky, inverse_lower

__all__ = ["LowRankNormal", "LowRankParts"]


class LowRankParts(NamedTuple):
    """What Σ = diag(d) + U Uᵀ is worked with, at O(p r²): Σ⁻¹ = diag(1/d) − W Wᵀ.

    Attributes
    ----------
    mean, d : arrays, shape (..., p)
    U, W : arrays, shape (..., p, r)
    lower : array, shape (..., r, r)
        L with L Lᵀ = I + UᵀD⁻¹U.
    """

    mean: Any
    d: Any
    U: Any
    W: Any
    lower: Any

    def solve(self, xp: Namespace, B: Array) -> Array:
        """Σ⁻¹ B, shape (..., p, k)."""
        return B / self.d[..., None] - xp.matmul(self.W, xp.matmul(xp.matrix_transpose(self.W), B))

    def log_det(self, xp: Namespace) -> Array:
        """log det Σ, shape (...)."""
        return xp.sum(xp.log(self.d), axis=-1) + 2.0 * xp.sum(xp.log(xp.linalg.diagonal(self.lower)), axis=-1)


class LowRankNormal(Riemannian):
    """q = N(m, diag(d) + U Uᵀ) on R^p with U of r columns, in the coordinates (m, log d, U): a q for `NegativeELBO`.

    Mathematically, z = m + √d ∘ e + U f with white e and f. The metric is Fisher's dmᵀ Σ⁻¹ dm for the mean, and for (log d, U)
    that of the law of (z, f), ½ |d log d|² + Σ dU_ij² / d_i. Fisher's own is nowhere more; it is 0 along the rotations of U and
    where a column is not needed, and runs by its inverse got no further in as many steps, or failed there. This is no exponential
    family: `NaturalUpdate` goes here with a line search, as steps of 1 overshoot, and `lbfgs` to many digits. U = 0 is a saddle,
    from which no run starts.

    Parameters
    ----------
    p, rank : int
        r ≥ 1, at most p.

    Shapes: coordinates (..., 2p + p r), U row by row.
    Source: Ong, Nott & Smith, Gaussian variational approximation with a factor covariance structure (2018).

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> q = ig.inference.LowRankNormal(3, 1)
    >>> start = q.coordinates(mean=np.zeros(3), diagonal=np.ones(3), factors=0.1 * np.ones((3, 1)))
    >>> f = ig.inference.NegativeELBO(q, ig.inference.LogisticRegression(X, X[:, 0] > 0, 1.0))
    >>> run = ig.descend(f, start, geometry=q, update=ig.NaturalUpdate(), step=ig.Backtracking(), max_steps=50,
    ...                  tol=1e-6)
    >>> run.x[:3].round(2)             # the means of the weights
    array([ 2.94,  0.26, -0.33])
    """

    def __init__(self, p: int, rank: int) -> None:
        self.p, self.rank = require_count("p", p), require_count("rank", rank)
        require("rank", f"rank <= p = {self.p}", self.rank <= self.p, rank)
        self.dim = 2 * self.p + self.p * self.rank
        self.family = MultivariateNormal(self.p)

    def __repr__(self) -> str:
        return f"LowRankNormal({self.p}, {self.rank})"

    def coordinates(self, mean: Array, diagonal: Array, factors: Array) -> Array:
        """(m, log d, U), shape (..., dim), from m and d (..., p) and U (..., p, r).

        Raises
        ------
        DomainError, ShapeError
            For d that is not positive, U = 0, or another shape.
        """
        xp, mean, diagonal, factors = arrays(mean, require_positive("diagonal", diagonal), factors)
        p, r = self.p, self.rank
        if tuple(mean.shape[-1:]) != (p,) or tuple(diagonal.shape[-1:]) != (p,) or tuple(factors.shape[-2:]) != (p, r):
            raise ShapeError(f"mean, diagonal and factors must have shapes (..., {p}), (..., {p}) and (..., {p}, {r}); got "
                             f"{tuple(mean.shape)}, {tuple(diagonal.shape)} and {tuple(factors.shape)}")
        for name, part in (("mean", mean), ("factors", factors)):
            require(name, f"{name} finite", xp.isfinite(part), part)
        if not bool(xp.all(xp.any(factors != 0, axis=(-2, -1)))):
            raise DomainError("factors must not all be 0: the differential in them would stay 0")
        batch = np.broadcast_shapes(mean.shape[:-1], diagonal.shape[:-1], factors.shape[:-2])
        flat = xp.reshape(factors, (*factors.shape[:-2], p * r))
        return xp.concat([xp.broadcast_to(part, (*batch, part.shape[-1])) for part in (mean, xp.log(diagonal), flat)], axis=-1)

    def parameters(self, x: Array) -> dict[str, Array]:
        """mean, diagonal d, factors U and the covariance, shapes (..., p), (..., p), (..., p, r), (..., p, p)."""
        xp, x = self.point(x)
        parts = self.parts(xp, x)
        covariance = xp.matmul(parts.U, xp.matrix_transpose(parts.U)) + parts.d[..., None] * xp.eye(self.p, dtype=x.dtype)
        return {"mean": parts.mean, "diagonal": parts.d, "factors": parts.U, "covariance": covariance}

    def to_theta(self, x: Array) -> Array:
        """The natural parameters of this law in the full ``family``, with which `reference` and `predictive` go on."""
        found = self.parameters(x)
        return self.family.theta_from(mean=found["mean"], covariance=found["covariance"])

    def parts(self, xp: Namespace, x: Array) -> LowRankParts:
        """The parts of a covariance and what its inverse is made of."""
        mean, d = x[..., :self.p], xp.exp(x[..., self.p:2 * self.p])
        U = xp.reshape(x[..., 2 * self.p:], (*x.shape[:-1], self.p, self.rank))
        scaled = U / d[..., None]
        C = xp.eye(self.rank, dtype=x.dtype) + xp.matmul(xp.matrix_transpose(U), scaled)
        lower = cholesky(xp, C)
        W = xp.matmul(scaled, xp.matrix_transpose(inverse_lower(xp, lower)))
        return LowRankParts(mean, d, U, W, lower)

    def dual_potential(self, x: Array) -> Array:
        """E_q[log q(z) − log h(z)] = −½ log det Σ − ½ p, shape (...), nats."""
        xp, x = self.point(x)
        return -0.5 * (self.parts(xp, x).log_det(xp) + self.p)

    def dual_potential_covector(self, x: Array) -> Array:
        """The differential of `dual_potential`, shape (..., dim)."""
        xp, x = self.point(x)
        parts = self.parts(xp, x)
        shares = 1.0 - parts.d * xp.sum(parts.W * parts.W, axis=-1)          # d_i (Σ⁻¹)_ii
        of_U = xp.reshape(-parts.solve(xp, parts.U), (*x.shape[:-1], self.p * self.rank))
        return xp.concat([xp.zeros_like(parts.mean), -0.5 * shares, of_U], axis=-1)

    def log_base_measure(self, z: Array) -> Array:
        """−½ p log 2π, shape (...)."""
        return self.family.log_base_measure(z)

    def _metric(self, xp: Namespace, x: Array) -> Array:
        rows = self._flat(xp, x[..., None, :], xp.eye(self.dim, dtype=x.dtype) + xp.zeros_like(x)[..., None])
        return 0.5 * (rows + xp.matrix_transpose(rows))

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        parts, p = self.parts(xp, x), self.p
        of_mean = parts.solve(xp, vector[..., :p, None])[..., 0]
        return xp.concat([of_mean, 0.5 * vector[..., p:2 * p], vector[..., 2 * p:] / self._repeated(xp, parts.d)], axis=-1)

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        parts, p = self.parts(xp, x), self.p
        along = xp.matmul(parts.U, xp.matmul(xp.matrix_transpose(parts.U), covector[..., :p, None]))[..., 0]
        return xp.concat([parts.d * covector[..., :p] + along, 2.0 * covector[..., p:2 * p],
                          self._repeated(xp, parts.d) * covector[..., 2 * p:]], axis=-1)

    def _repeated(self, xp: Namespace, d: Array) -> Array:
        """d_i at the places of U_i·, shape (..., p r)."""
        return xp.reshape(xp.broadcast_to(d[..., None], (*d.shape, self.rank)), (*d.shape[:-1], self.p * self.rank))
