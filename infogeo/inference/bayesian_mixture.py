"""Mixtures of members of a family, with conjugate priors of all that is unknown."""
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays, backend_of
from ..errors import require_count, takes
from ..families.base import ExponentialFamily
from ..families.dirichlet import Dirichlet
from ..families.product import Independent, Product
from ..numerics.exponentials import logsumexp
from ..statistics.conjugate import conjugacy
from .conjugate_model import ConjugateModel
from .predictive import DRAWS, Ask, Predictive, moments, summary
from .regression import require_one

__all__ = ["BayesianMixture"]


class BayesianMixture(ConjugateModel):
    """A mixture of k members of a family, with a Dirichlet law of the weights and conjugate priors of the members.

    Mathematically, with responsibilities r_ij ∝ exp(E log w_j + E log p(x_i; θ_j)), ℓ = Σ_i log Σ_j exp(…), and the message to
    each member is Σ_i r_ij A (T(x_i), 1), A of the `Conjugacy`.

    Parameters
    ----------
    family : ExponentialFamily
        With a conjugate prior.
    k : int
    prior_theta : array, shape (conjugate_prior(family).dim,)
        Of each member.
    concentration : float
        Of the Dirichlet law, positive.
    x : array, shape (n, *support.shape)
    batch_size : int, optional

    Its q is ``Product(Dirichlet(k), Independent(conjugate_prior(family), k))``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.poisson(np.repeat([2.0, 20.0], 100))
    >>> prior = ig.Gamma().theta_from(shape=1.0, rate=0.1)
    >>> model = ig.inference.BayesianMixture(ig.Poisson(), 2, prior, 1.0, x)
    >>> q, f = model.q, ig.inference.NegativeELBO(model.q, model)
    >>> start = q.to_eta(q.theta_from(concentration_0=[1.0, 1.0],
    ...                               shape_1=[1.0, 5.0], rate_1=[1.0, 1.0]))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.MirrorUpdate(),
    ...                  step=1.0, max_steps=5)
    >>> found = q.parameters(q.to_theta(run.x))
    >>> (found["shape_1"] / found["rate_1"]).round()  # means of the rates
    array([ 2., 20.])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, k: int, prior_theta: Array, concentration: float, x: Array,
                 batch_size: int | None = None) -> None:
        found = conjugacy(family)
        self.family, self.k, self.conjugacy = family, require_count("k", k, 2), found
        members = Independent(found.prior, k)
        xp, prior = arrays(found.prior.theta_domain.require("prior_theta", prior_theta))
        concentration, = require_one(concentration=concentration)
        weights = Dirichlet(k).theta_from(concentration=xp.full((k,), concentration, dtype=prior.dtype))
        super().__init__(Product(Dirichlet(k), members), xp.concat([weights, xp.reshape(xp.stack([prior] * k), (-1,))]),
                         self._of_components, family.require_observations("x", x), batch_size)

    def _messages(self, x: Array, like: Array) -> Array:
        """A (T(x_i), 1), shape (n, prior.dim)."""
        xp = backend_of(x)
        statistic = self.family.sufficient_statistic(x)
        return self.conjugacy.step(statistic, xp.ones(statistic.shape[:1], dtype=like.dtype))

    def log_shares(self, eta: Array, x: Array) -> Array:
        """E log w_j + E log p(x_i; θ_j), shape (..., n, k)."""
        xp = backend_of(eta)
        members = xp.reshape(eta[..., self.k:], (*eta.shape[:-1], self.k, -1))
        level = self.family.log_base_measure(x) + self.conjugacy.constant
        each = xp.matmul(self._messages(x, eta), xp.matrix_transpose(members))
        return each + level[:, None] + eta[..., None, :self.k]

    def members(self, z: Array) -> tuple[Array, Array]:
        """Weights (..., k) and natural parameters (..., k, d) of the members, of points z (..., *q.support.shape)."""
        xp, z = arrays(z)
        q: Any = self.q
        rest = q.factors[1].sufficient_statistic(q.observations(z)[1])
        A = xp.asarray(self.conjugacy.matrix, dtype=z.dtype)[:, :self.family.dim]
        each = xp.reshape(rest, (*rest.shape[:-1], self.k, A.shape[0]))
        return z[..., :self.k], xp.matmul(each, A)

    def predicted(self, q: Any, theta: Array, X: Any, ask: Ask) -> Predictive:
        """What `predictive` says of one more observation, by draws of the weights and members."""
        self.require_family(q)
        if X is not None:
            raise TypeError("the observations of a mixture have no inputs: X must be None")
        xp, theta = arrays(theta)
        weights, members = self.members(q.sample(ask.parameters, theta, (max(ask.draws, DRAWS),)))
        mean, own = moments(self.family, members)
        wide = xp.reshape(weights, (*weights.shape, *(1,) * (mean.ndim - weights.ndim)))
        axis, observed = weights.ndim - 1, None
        expected = xp.sum(wide * mean, axis=axis)
        within = xp.sum(wide * (own + (mean - xp.expand_dims(expected, axis=axis)) ** 2), axis=axis)
        if ask.draws:
            observed = self._observed(xp, weights[:ask.draws, ...], members[:ask.draws, ...], ask.rng)
        return summary(expected, within, observed, ask.level)

    def _observed(self, xp: Namespace, weights: Array, members: Array, rng: np.random.Generator) -> Array:
        """One observation of each draw."""
        u = xp.asarray(rng.random(weights.shape[:-1]), dtype=weights.dtype)[..., None]
        taken = xp.sum(xp.astype(u >= xp.cumulative_sum(weights, axis=-1)[..., :-1], xp.int64), axis=-1)
        which = taken[..., None] == xp.arange(self.k)
        own = xp.where(which[..., None], members, xp.zeros_like(members))
        return self.family.sample(rng, xp.sum(own, axis=-2))

    def _of_components(self, eta: Array, x: Array) -> tuple[Array, Array]:
        xp, log_share = backend_of(eta), self.log_shares(eta, x)
        total = logsumexp(log_share)
        share = xp.exp(log_share - total[..., None])
        to_members = xp.matmul(xp.matrix_transpose(share), self._messages(x, eta))
        flat = xp.reshape(to_members, (*eta.shape[:-1], -1))
        return xp.sum(total, axis=-1), xp.concat([xp.sum(share, axis=-2), flat], axis=-1)
