"""The posterior of the weights of a conditional model, such as a network, under a normal prior."""
from copy import copy
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..errors import ShapeError, require, require_count, takes
from ..networks.batches import total_weight
from ..networks.model import Batch, ConditionalModel
from .expectations import GaussianExpectation, MonteCarloExpectation
from .predictive import Ask, Predictive, of_members, weights_drawn
from .regression import require_batch_size, require_one, require_parameters

__all__ = ["WeightPosterior"]


class WeightPosterior:
    """Weights w ∼ N(0, I/τ) of a `ConditionalModel` and its observations: a model for `NegativeELBO`.

    Mathematically, log p(y, w) = −n L(w) − ½ τ |w|² + (p/2) log(τ/2π); its Hessian is taken as −(n F(w) + τ I) with the Fisher
    metric F, the Gauss–Newton form, so that the precision of a normal q stays positive definite for every step up to 1.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, y), or (x, y, weights)
        With weights n is their sum, so that a sample of weight 2 counts as two.
    prior_precision : float
        τ, positive.
    probes : int
        For a diagonal, isotropic or low-rank q, which need the diagonal: random signs v at every point of which v ∘ F v is the
        mean (Hutchinson), for weights too many for a matrix. A step of `descend` with a generator has its own.

    batch_size : int, optional
        A step of `descend` sees so many examples, drawn without replacement, each counted n / size times.

    Its expectation is `GaussianExpectation` by 10 draws a step.
    Source: Khan et al., Fast and scalable Bayesian deep learning by weight-perturbation in Adam (2018).

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1), bias=False)
    >>> model = ig.networks.ConditionalModel(network,
    ...                                      ig.NormalKnownVariance(1.0))
    >>> batch = np.ones((9, 1)), np.full(9, 2.0)    # 9 + 1, (9 · 2 + 0) / 10
    >>> posterior = ig.inference.WeightPosterior(model, batch,
    ...                                          prior_precision=1.0)
    >>> q, exact = ig.MultivariateNormal(1), ig.inference.GaussianExpectation()
    >>> f = ig.inference.NegativeELBO(q, posterior, exact)
    >>> start = q.to_eta(q.theta_from(mean=[0.0], covariance=[[1.0]]))
    >>> run = ig.descend(f, start, geometry=q.dual, update=ig.MirrorUpdate(),
    ...                  step=1.0, max_steps=1)
    >>> found = q.parameters(q.to_theta(run.x))
    >>> found["mean"].round(6), found["covariance"].round(6)
    (array([1.8]), array([[0.1]]))
    """

    @takes(model=ConditionalModel)
    def __init__(self, model: ConditionalModel, batch: Batch, prior_precision: float, probes: int = 1,
                 batch_size: int | None = None) -> None:
        self.model, self.loss = model, model.objective(batch)
        rows = int(self.loss.statistic.shape[-2])
        self.n, (self.tau,) = total_weight(batch, rows), require_one(prior_precision=prior_precision)
        self.probes, self.seed = require_count("probes", probes), 0
        self.batch_size = require_batch_size(batch_size, rows)
        self.expectation = GaussianExpectation(MonteCarloExpectation(10))

    def __repr__(self) -> str:
        return f"WeightPosterior({self.model!r}, {self.loss.statistic.shape[-2]} examples)"

    def require_dimension(self, p: int) -> None:
        """Raises ShapeError where q is not of as many numbers as there are weights."""
        if p != self.model.network.size:
            raise ShapeError(f"q must be on R^{self.model.network.size}, the weights of {self!r}; got one on R^{p}")

    def __call__(self, z: Array) -> Array:
        """log p(y, w), shape (...)."""
        xp, z = require_parameters(z, self.model.network.size)
        prior = 0.5 * (z.shape[-1] * float(np.log(self.tau / (2 * np.pi))) - self.tau * xp.sum(z * z, axis=-1))
        return prior - self.n * self.loss.value(z)

    def gradient(self, z: Array) -> Array:
        """Its differential, shape (..., p)."""
        return -self.tau * z - self.n * self.loss.value_and_gradient(z)[1]

    def hessian(self, z: Array) -> Array:
        """−(n F + τ I), shape (..., p, p)."""
        xp, z = arrays(z)
        p = z.shape[-1]
        columns = self.hessian_vector(z, xp.reshape(xp.eye(p, dtype=z.dtype), (p, *(1,) * (z.ndim - 1), p)))
        return xp.moveaxis(columns, 0, -2)

    def hessian_vector(self, z: Array, v: Array) -> Array:
        """−(n F + τ I) v, shape (r, ..., p) for directions v (r, ..., p) that broadcast with z (..., p)."""
        xp, z, v = arrays(z, v)
        v = xp.broadcast_to(v, (v.shape[0], *z.shape))
        return -self.tau * v - self.n * self.loss.record(z).fisher_vector(v)

    def hessian_diagonal(self, z: Array) -> Array:
        """An estimate of −(n diag F + τ), shape (..., p), by random signs."""
        xp, z = arrays(z)
        signs = Draws(np.random.default_rng(self.seed), xp, z.dtype).signs((self.probes, *z.shape))
        along = self.loss.record(z).fisher_vector(signs)
        return -self.tau - self.n * xp.mean(signs * along, axis=0)

    def predicted(self, q: Any, theta: Array, X: Any, ask: Ask) -> Predictive:
        """What `predictive` says at inputs X (n, *input_shape), by draws of the weights."""
        chart, w = weights_drawn(q, theta, ask)
        self.require_dimension(chart.p)
        xp, w, X = arrays(w, X)
        require("X", "X finite", xp.isfinite(X), X)
        return of_members(self.model.family, self.model.theta(w, X), ask)

    def draw(self, rng: Any) -> "WeightPosterior":
        """The model with fresh signs, of a mini-batch where batch_size was given."""
        if rng is None and self.batch_size is None:
            return self
        drawn = copy(self)
        if self.batch_size is not None:
            order = Draws(rng, self.loss.xp, self.loss.x.dtype).uniform(self.loss.statistic.shape[-2:-1])
            drawn.loss, drawn.batch_size = self.loss.take(self.loss.xp.argsort(order)[:self.batch_size]), None
        if rng is not None:
            drawn.seed = int(rng.integers(2**62))
        return drawn
