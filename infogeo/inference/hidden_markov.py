"""Hidden Markov models with emissions of any exponential family."""
from typing import Any

import numpy as np

from ..backend import Array, Namespace, backend_of
from ..errors import ShapeError, require, takes
from ..families.base import ExponentialFamily
from ..numerics.exponentials import logsumexp
from ..statistics.latent import LatentModel, require_parts
from ..statistics.mixture_model import members_fitted
from .sequences import Sequences, sequences

__all__ = ["HiddenMarkov"]


class HiddenMarkov(LatentModel):
    """Sequences of observations, each of the member of a family that a Markov chain of k states chooses.

    Mathematically, p(x, z) = π(z_1) Π A(z_t, z_{t+1}) Π p(x_t; θ_{z_t}); forward and backward passes are of log-probabilities,
    all sequences at once. The parameters are ``(initial, transition, theta)``, shapes (k,), (k, k) and (k, d).

    Parameters
    ----------
    family : ExponentialFamily
        Of the emissions.

    Shapes: x (sequences, T, *support.shape), or a list of arrays (T_i, *support.shape), of lengths that differ.
    Source: Baum, Petrie, Soules & Weiss (1970).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.poisson(np.repeat([1.0, 10.0, 1.0, 10.0], 25))[None]
    >>> start = np.full(2, 0.5), np.full((2, 2), 0.5), np.log([[2.0], [5.0]])
    >>> model = ig.inference.HiddenMarkov(ig.Poisson())
    >>> found = ig.statistics.em(model, x, start, tol=1e-3, max_steps=50)
    >>> initial, transition, theta = found.theta
    >>> np.exp(theta[:, 0]).round(), np.diag(transition).round(1)
    (array([ 1., 10.]), array([1., 1.]))
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily) -> None:
        self.family = family

    def __repr__(self) -> str:
        return f"HiddenMarkov({self.family!r})"

    def prepared(self, x: Any, start: Any) -> tuple[Sequences, Any]:
        initial, transition, theta = require_parts(start, "initial", "transition", "theta")
        xp, x, initial, transition, theta = sequences(self.family, x, initial, transition, theta)
        theta = self.family.theta_domain.require("theta", theta)
        k = theta.shape[0]
        if theta.ndim != 2 or tuple(initial.shape) != (k,) or tuple(transition.shape) != (k, k):
            raise ShapeError(f"initial, transition and theta must have shapes (k,), (k, k) and (k, {self.family.dim}); got "
                             f"{tuple(initial.shape)}, {tuple(transition.shape)} and {tuple(theta.shape)}")
        for name, law in (("initial", initial), ("transition", transition)):
            require(name, f"{name} > 0", law > 0, law)
        transition = transition / xp.sum(transition, axis=-1, keepdims=True)
        return x, (initial / xp.sum(initial), transition, theta)

    def _passes(self, x: Sequences, theta: Any) -> tuple[Namespace, Array, Array, Array, Array]:
        """(xp, log A, emissions, forward, backward), the last three of shape (T, sequences, k).

        Where a sequence has ended, forward stays what it was and backward is 0.
        """
        initial, transition, members = theta
        xp = backend_of(members)
        with np.errstate(divide="ignore"):
            log_initial, log_A = xp.log(initial), xp.log(transition)
        emitted = xp.moveaxis(self.family.log_density(members, x.values[:, :, None, ...]), 1, 0)
        forward, backward = [log_initial + emitted[0, ...]], [xp.zeros_like(emitted[0, ...])]
        for t in range(1, emitted.shape[0]):
            went = emitted[t, ...] + logsumexp(forward[-1][..., :, None] + log_A, axis=-2)
            forward.append(xp.where(x.seen[t, :, None], went, forward[-1]))
            after = emitted[-t, ...] + backward[-1]
            back = logsumexp(log_A + after[..., None, :], axis=-1)
            backward.append(xp.where(x.seen[-t, :, None], back, xp.zeros_like(back)))
        return xp, log_A, emitted, xp.stack(forward), xp.stack(backward[::-1])

    def expect(self, x: Sequences, theta: Any) -> tuple[Array, Any]:
        """The laws of the states, shape (T, sequences, k), and the expected numbers of transitions, shape (k, k)."""
        xp, log_A, emitted, forward, backward = self._passes(x, theta)
        total = logsumexp(forward[-1, ...])
        states = xp.exp(forward + backward - total[:, None])
        pairs = (forward[:-1, ..., :, None] + log_A + (emitted + backward)[1:, ..., None, :] - total[:, None, None])
        states = xp.where(x.seen[..., None], states, xp.zeros_like(states))
        pairs = xp.where(x.seen[1:, :, None, None], xp.exp(pairs), xp.zeros_like(pairs))
        return xp.sum(total) / x.n, (states, xp.sum(pairs, axis=(0, 1)))

    def log_likelihood(self, x: Any, theta: Any) -> Array:
        """log p(x) of every sequence, shape (sequences,), nats."""
        _, x, *theta = sequences(self.family, x, *theta)
        return logsumexp(self._passes(x, theta)[3][-1, ...])

    def maximise(self, x: Sequences, statistics: Any) -> Any:
        """A state that is never left before the end has all transitions alike."""
        states, pairs = statistics
        xp, k = backend_of(states), states.shape[-1]
        left = xp.sum(pairs, axis=-1, keepdims=True)
        transition = xp.where(left > 0, pairs / xp.where(left > 0, left, xp.ones_like(left)), xp.full_like(pairs, 1.0 / k))
        flat = x.flat[:, None, ...]
        each = xp.broadcast_to(flat, (flat.shape[0], k, *flat.shape[2:]))
        return xp.mean(states[0, ...], axis=0), transition, members_fitted(self.family, each, xp.reshape(states, (-1, k)))

    def divergence(self, x: Sequences, statistics: Any, new: Any, old: Any) -> Array:
        states, pairs = statistics
        xp = backend_of(states)
        chain = states.shape[1] * _kl(xp, new[0], old[0]) + xp.sum(xp.sum(pairs, axis=-1) * _kl(xp, new[1], old[1]))
        emissions = xp.sum(xp.sum(states, axis=(0, 1)) * self.family.kl(new[2], old[2]))
        return (chain + emissions) / x.n

    def vector(self, theta: Any) -> Array:
        xp = backend_of(theta[2])
        return xp.concat([xp.log(theta[0]), xp.reshape(xp.log(theta[1]), (-1,)), xp.reshape(theta[2], (-1,))])

    def from_vector(self, vector: Array, like: Any) -> Any:
        xp, k = backend_of(vector), like[0].shape[0]
        initial, transition = vector[:k], xp.reshape(vector[k:k + k * k], (k, k))
        return (xp.exp(initial - logsumexp(initial)), xp.exp(transition - logsumexp(transition)[:, None]),
                xp.reshape(vector[k + k * k:], like[2].shape))


def _kl(xp: Namespace, p: Array, q: Array) -> Array:
    """Σ p log(p / q) over the last axis, 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return xp.sum(xp.where(p > 0, p * xp.log(p / q), xp.zeros_like(p)), axis=-1)
