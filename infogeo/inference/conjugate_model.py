"""Conditionally conjugate models: a prior, and a likelihood whose expectation is known with its differential in η."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..backend import Array, backend_of, dot, generator_of
from ..errors import ShapeError, require, require_count, takes
from ..families.base import ExponentialFamily
from ..statistics.conjugate import conjugacy
from .expectations import Expectation

__all__ = ["ConjugateModel", "ExactExpectation"]


@dataclass(frozen=True)
class ExactExpectation(Expectation):
    """Expectations that the model knows in closed form, as functions of η: those of a `ConjugateModel`.

    Examples
    --------
    >>> M = ig.Beta()
    >>> prior = M.theta_from(alpha=1.0, beta=1.0)
    >>> model = ig.inference.ConjugateModel.of(ig.Bernoulli(), prior, [1, 1, 0])
    >>> value, covector = model.expectation(M, prior, model)
    >>> covector.round(6)     # T: the parameter of the posterior
    array([3., 2.])
    """

    def require(self, q: ExponentialFamily, log_joint: Any) -> None:
        if not hasattr(log_joint, "expected"):
            raise TypeError(f"{self!r} needs a model that knows its expectations, such as ConjugateModel; got {log_joint!r}")
        log_joint.require_family(q)

    def __call__(self, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        found: tuple[Array, Array] = log_joint.expected(q.to_eta(theta))
        return found


class ConjugateModel:
    """A prior in the family of q, and ℓ(η; x) = E_q[log p(x | z)], or its maximum over what is local to the observations.

    Mathematically, the natural step is λ⁺ = (1 − ρ) λ + ρ (λ₀ + (n / |B|) ∂ℓ/∂η (η; x_B)): of a conjugate likelihood ∂ℓ/∂η is the
    sum of statistics, of one that is conjugate given local variables their expectation at the local optimum (by the envelope
    theorem), and of one that is linear in each of several factors the message to each. With ρ = 1 and all data it is the
    coordinate update, with ρ_t = (t + 1)^−κ, ½ < κ ≤ 1, and mini-batches stochastic variational inference.

    Parameters
    ----------
    q : ExponentialFamily
        Of the global variables.
    prior_theta : array, shape (q.dim,)
        λ₀.
    likelihood : function (eta, x) -> (value, covector)
        ℓ and its differential, of shapes (...) and (..., q.dim) for η (..., q.dim).
    x : array, shape (n, ...)
    batch_size : int, optional
        A step of `descend` sees so many observations, every one once a pass, in a new order each.

    Attributes
    ----------
    state : tuple (order, taken)
        The order of this pass and how many of it were seen: a snapshot of a run keeps it.

    Raises
    ------
    DomainError, ShapeError, TypeError

    Source: Hoffman, Blei, Wang & Paisley, Stochastic variational inference (2013); Khan & Lin (2017).

    Examples
    --------
    >>> M = ig.Beta()
    >>> prior = M.theta_from(alpha=1.0, beta=1.0)   # uniform
    >>> model = ig.inference.ConjugateModel.of(ig.Bernoulli(), prior, [1, 1, 0])
    >>> f = ig.inference.NegativeELBO(M, model)
    >>> run = ig.descend(f, M.to_eta(prior), geometry=M.dual,
    ...                  update=ig.MirrorUpdate(), step=1.0, max_steps=1)
    >>> found = M.parameters(M.to_theta(run.x))     # in one step
    >>> float(found["alpha"].round(6)), float(found["beta"].round(6))
    (3.0, 2.0)
    >>> float(np.exp(-run.values[-1]).round(6))     # the evidence, B(3, 2)
    0.083333
    """

    expectation: Expectation = ExactExpectation()

    @takes(q=ExponentialFamily)
    def __init__(self, q: ExponentialFamily, prior_theta: Array, likelihood: Callable[[Array, Array], tuple[Array, Array]],
                 x: Array, batch_size: int | None = None) -> None:
        if not callable(likelihood):
            raise TypeError(f"likelihood must be a function (eta, x) -> (value, covector); got {likelihood!r}")
        self.q, self.likelihood = q, likelihood
        _, prior_theta, x = gathered(prior_theta, x)
        self.prior_theta = kept(q.theta_domain.require("prior_theta", prior_theta))
        if self.prior_theta.ndim != 1:
            raise ShapeError(f"prior_theta must have shape ({q.dim},); got {tuple(self.prior_theta.shape)}")
        if x.ndim == 0 or x.shape[0] == 0:
            raise ShapeError(f"x must have shape (n, ...), n >= 1; got {tuple(x.shape)}")
        self.x, self.n = kept(x), int(x.shape[0])
        if batch_size is not None:
            require("batch_size", f"batch_size <= n = {self.n}", require_count("batch_size", batch_size) <= self.n, batch_size)
        self.batch_size, self.copies = batch_size, 1.0
        self.state: tuple[Array, int] = np.empty(0, dtype=np.int64), self.n

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.q!r}, {self.n} observations)"

    @classmethod
    @takes(family=ExponentialFamily)
    def of(cls, family: ExponentialFamily, prior_theta: Array, x: Array, batch_size: int | None = None) -> "ConjugateModel":
        """Observations of a family under its conjugate prior, `statistics.conjugate_prior`: q becomes the exact posterior."""
        found = conjugacy(family)

        def likelihood(eta: Array, x: Array) -> tuple[Array, Array]:
            xp = backend_of(x)
            total = found.step(xp.sum(family.sufficient_statistic(x), axis=0), xp.asarray(float(x.shape[0]), dtype=eta.dtype))
            constant = xp.sum(family.log_base_measure(x), axis=0) + x.shape[0] * found.constant
            return dot(eta, total + xp.zeros_like(eta)) + constant, total + xp.zeros_like(eta)

        return ConjugateModel(found.prior, prior_theta, likelihood, family.require_observations("x", x), batch_size)

    def require_family(self, q: ExponentialFamily) -> None:
        """Raises TypeError where q is not of the family of the prior."""
        if q != self.q:
            raise TypeError(f"q must be {self.q!r}, in which the prior is; got {q!r}")

    def expected(self, eta: Array) -> tuple[Array, Array]:
        """``(E_q[log p(x, z) − log h(z)], its differential)`` at η, shapes (...) and (..., q.dim)."""
        _, eta, prior, x = joined(eta, self.prior_theta, self.x)
        value, covector = self.likelihood(eta, x)
        level = dot(eta, prior + 0.0 * eta) - self.q.potential(prior)
        return level + self.copies * value, prior + self.copies * covector

    def draw(self, rng: Any) -> "ConjugateModel":
        """The model of the next mini-batch, which counts as the whole; itself where no batch_size was given."""
        if self.batch_size is None:
            return self
        rng = generator_of(rng)
        index, (order, taken) = np.empty(0, dtype=np.int64), self.state
        while len(index) < self.batch_size:
            if taken == self.n:
                order, taken = rng.permutation(self.n), 0
            more = order[taken:taken + self.batch_size - len(index)]
            index, taken = np.concatenate([index, more]), taken + len(more)
        self.state = order, taken
        xp, part = backend_of(self.x), object.__new__(type(self))
        part.__dict__.update(self.__dict__, x=xp.take(self.x, xp.asarray(index), axis=0), batch_size=None,
                             copies=self.n / self.batch_size)
        return part
