"""The multivariate normal family from observations of which some entries are missing."""
from math import log, pi
from typing import Any

from ..arrays.joined import gathered
from ..backend import Array, arrays, backend_of
from ..errors import DomainError, ShapeError, require
from ..families.multivariate_normal import MultivariateNormal
from ..numerics.linalg import cholesky, inverse, matvec, outer
from ..statistics.latent import LatentModel, require_parts

__all__ = ["MissingNormal"]


class MissingNormal(LatentModel):
    """The normal distribution on R^p from observations with entries that are missing at random, NaN in x.

    Mathematically, given what is seen the rest is normal, so that the expected statistics are E[x] and E[xxᵀ] of every
    observation; the complete model is `MultivariateNormal`. The parameters are ``(mean, covariance)``.

    Shapes: x (n, p), NaN where an entry is missing.
    Source: Dempster, Laird & Rubin (1977), section 4.1.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [2.0, 4.1], [3.0, 5.9], [4.0, np.nan]])
    >>> found = ig.statistics.em(ig.inference.MissingNormal(), x,
    ...                          (np.zeros(2), np.eye(2)), tol=1e-6,
    ...                          max_steps=500)
    >>> mean, covariance = found.theta
    >>> mean.round(1)                               # as if the last were 7.9
    array([2.5, 5. ])
    """

    def __repr__(self) -> str:
        return "MissingNormal()"

    def prepared(self, x: Array, start: Any) -> tuple[Array, Any]:
        xp, x, mean, covariance = gathered(x, *require_parts(start, "mean", "covariance"))
        if x.ndim != 2 or tuple(mean.shape) != (x.shape[1],) or tuple(covariance.shape) != (x.shape[1],) * 2:
            raise ShapeError(f"x, mean and covariance must have shapes (n, p), (p,) and (p, p); got {tuple(x.shape)}, "
                             f"{tuple(mean.shape)} and {tuple(covariance.shape)}")
        MultivariateNormal(x.shape[1]).theta_from(mean=mean, covariance=covariance)
        require("x", "x finite, or NaN where an entry is missing", ~xp.isinf(x), x)
        require("x", "every coordinate seen", ~xp.all(xp.isnan(x), axis=0), xp.sum(xp.astype(xp.isnan(x), x.dtype), axis=0))
        return x, (mean, covariance)

    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """(E[x_i], Σ_i E[(x_i − E x_i)(x_i − E x_i)ᵀ] / n), shapes (n, p) and (p, p)."""
        xp, mean, covariance = arrays(*theta)
        seen = xp.astype(~xp.isnan(x), x.dtype)
        away = xp.where(seen > 0, x - mean, xp.zeros_like(x))
        both = outer(seen, seen)
        # of what is seen, with 1 on the diagonal where nothing is
        block = both * covariance + (1.0 - seen)[..., None] * xp.eye(x.shape[1], dtype=x.dtype)
        lower, precision = cholesky(xp, block), inverse(xp, block) * both
        gain = xp.matmul(covariance, precision)
        left = covariance - xp.matmul(gain, covariance)
        # of seen entries the conditional variance is 0
        hidden = 1.0 - seen
        left = xp.mean(outer(hidden, hidden) * left, axis=0)
        filled = xp.where(seen > 0, x, mean + matvec(xp, gain, away))
        log_det = 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)
        square = xp.sum(away * matvec(xp, precision, away), axis=-1)
        return -0.5 * xp.mean(square + log_det + log(2 * pi) * xp.sum(seen, axis=-1)), (filled, left)

    def maximise(self, x: Array, statistics: Any) -> Any:
        filled, left = statistics
        xp = backend_of(filled)
        mean = xp.mean(filled, axis=0)
        away = filled - mean
        covariance = xp.matmul(away.T, away) / x.shape[0] + left
        if not bool(xp.all(xp.isfinite(cholesky(xp, covariance)))):
            raise DomainError("the covariance has closed in on the boundary: more observations, or fewer coordinates, are needed")
        return mean, covariance

    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        family = MultivariateNormal(x.shape[1])
        return family.kl(*(family.theta_from(mean=mean, covariance=covariance) for mean, covariance in (new, old)))

    def vector(self, theta: Any) -> Array:
        """The natural parameters."""
        return MultivariateNormal(theta[0].shape[0]).theta_from(mean=theta[0], covariance=theta[1])

    def from_vector(self, vector: Array, like: Any) -> Any:
        family = MultivariateNormal(like[0].shape[0])
        found = family.parameters(family.theta_domain.require("theta", vector))
        return found["mean"], found["covariance"]

    def moments(self, vector: Array, like: Any) -> Array:
        return MultivariateNormal(like[0].shape[0]).to_eta(vector)

    def from_moments(self, moments: Array, like: Any) -> Array:
        return MultivariateNormal(like[0].shape[0]).to_theta(moments)
