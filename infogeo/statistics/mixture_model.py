"""Mixtures of members of a family as a model with latent variables, the components."""
from typing import Any

import numpy as np

from ..arrays.joined import moved
from ..backend import Array, arrays, backend_of, coerced
from ..domains.supports import Interval
from ..errors import DomainError, ShapeError, takes
from ..families.base import ExponentialFamily
from ..numerics.exponentials import logsumexp
from .latent import LatentModel, require_parts

__all__ = ["MixtureModel", "log_joint", "members_fitted", "observations"]


class MixtureModel(LatentModel):
    """A mixture Σ_j w_j p(x; θ_j) of members of a family, for `em`: its parameters are ``(theta, weights)``, (k, d) and (k,).

    Mathematically, the complete model, of x with its component, is an exponential family, and KL(θ⁺‖θ) of it is
    KL(w⁺‖w) + Σ w⁺_j KL(θ⁺_j‖θ_j). A `prior_count` m adds m Σ_j (η̄·θ_j − ψ(θ_j)) / n to what is raised, η̄ the mean of T(x_i).

    Parameters
    ----------
    family : ExponentialFamily
    prior_count : float
        m, not negative: so many observations that look like the whole sample are seen by each component beside its own.

    Shapes: x (n, *support.shape).

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0])
    >>> start = ig.statistics.mixture_start(ig.Poisson(), x, 2, np.random.default_rng(0))
    >>> found = ig.statistics.em(ig.statistics.MixtureModel(ig.Poisson()), x, start, tol=1e-9, max_steps=500)
    >>> np.sort(np.exp(found.theta[0][:, 0])).round(2)         # the rates
    array([1.  , 9.28])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, prior_count: float = 0.0) -> None:
        self.family, self.prior_count = family, prior_count

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.family!r})"

    def prepared(self, x: Array, start: Any) -> tuple[Array, Any]:
        theta, weights = require_parts(start, "theta", "weights")
        xp, x, theta, weights = coerced(*moved(x, theta, weights))
        theta = self.family.theta_domain.require("theta", theta)
        Interval(0).require("weights", weights)
        if theta.ndim != 2 or weights.shape != theta.shape[:1]:
            got = f"{tuple(theta.shape)} and {tuple(weights.shape)}"
            raise ShapeError(f"theta and weights must have shapes (k, {self.family.dim}) and (k,); got {got}")
        return observations(self.family, x), (theta, weights / xp.sum(weights))

    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """The responsibilities, shape (k, n)."""
        members, weights = theta
        xp = backend_of(weights)
        with np.errstate(divide="ignore"):
            log_w = xp.log(weights)
            joint = log_joint(self.family, x, members, log_w)
        total, penalty = logsumexp(joint, axis=0), 0.0
        if self.prior_count:        # η̄·θ − ψ(θ) as the mean of log p(x; θ) − log h(x), in which they do not cancel
            log_h = xp.mean(self.family.log_base_measure(x))
            penalty = self.prior_count * xp.sum(xp.mean(joint, axis=-1) - log_w - log_h)
        return (xp.sum(total) + penalty) / x.shape[0], xp.exp(joint - total)

    def maximise(self, x: Array, statistics: Any) -> Any:
        xp = backend_of(statistics)
        each = xp.broadcast_to(x[:, None, ...], (x.shape[0], statistics.shape[0], *x.shape[1:]))
        share = xp.matrix_transpose(statistics) + self.prior_count / x.shape[0]
        return members_fitted(self.family, each, share), xp.mean(statistics, axis=-1)

    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        xp, w, v = arrays(new[1], old[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = xp.where(w > 0, w * xp.log(w / v), xp.zeros_like(w))
        return xp.sum(terms + (w + self.prior_count / x.shape[0]) * self.family.kl(new[0], old[0]))

    def vector(self, theta: Any) -> Array:
        """The natural parameters (θ_j, log w_j − ψ(θ_j)) of the complete model, up to a number that is added to the last k."""
        members, weights = theta
        xp = backend_of(members)
        return xp.concat([xp.reshape(members, (-1,)), xp.log(weights) - self.family.potential(members)])

    def from_vector(self, vector: Array, like: Any) -> Any:
        xp, (k, d) = backend_of(vector), like[0].shape
        members = xp.reshape(vector[:k * d], (k, d))
        log_w = vector[k * d:] + self.family.potential(members)
        return members, xp.exp(log_w - logsumexp(log_w))

    def moments(self, vector: Array, like: Any) -> Array:
        """(w_j η_j, w_j)."""
        members, weights = self.from_vector(vector, like)
        xp = backend_of(vector)
        return xp.concat([xp.reshape(weights[:, None] * self.family.to_eta(members), (-1,)), weights])

    def from_moments(self, moments: Array, like: Any) -> Array:
        xp, (k, d) = backend_of(moments), like[0].shape
        weights = moments[k * d:]
        eta = xp.reshape(moments[:k * d], (k, d)) / weights[:, None]
        return self.vector((self.family.to_theta(eta), weights))


@takes(ExponentialFamily)
def log_joint(family: ExponentialFamily, x: Array, theta: Array, log_w: Array) -> Array:
    """log w_j + log p(x_i; θ_j), shape (k, n), nats."""
    return log_w[:, None] + family.log_density(theta[:, None, :], x)


def observations(family: ExponentialFamily, x: Array) -> Array:
    """A sample of at least one observation, inside the support."""
    n = len(family.support.shape)
    if x.ndim != n + 1 or tuple(x.shape[1:]) != family.support.shape or x.shape[0] == 0:
        raise ShapeError(f"x must have shape ({', '.join(['n', *map(str, family.support.shape)])}), n >= 1; got {tuple(x.shape)}")
    return family.require_observations("x", x)


def members_fitted(family: ExponentialFamily, each: Array, weights: Array) -> Array:
    """The member of each component, shape (k, d), from observations (n, k, …) and weights (n, k)."""
    try:
        return family.fit(each, weights)
    except DomainError:
        raise DomainError(f"the mean statistic of each component must satisfy {family.eta_domain.rule('eta')}; one has closed in "
                          "on the boundary, from which a prior_count above 0 keeps it") from None
