"""Finite Markov decision processes: values, occupancy, policy gradient and natural gradient in closed form."""
from collections.abc import Iterator
from functools import cached_property
from numbers import Real

import numpy as np

from ..arrays.memo import once
from ..backend import Array, Namespace, arrays, to_numpy
from ..errors import DomainError, ShapeError, require, require_count, require_positive
from ..families.categorical import Categorical
from ..families.product import Independent
from ..objectives.base import Objective
from .criteria import AverageReward, Criterion, DiscountedReturn
from .policies import Policies

__all__ = ["FiniteMDP"]


class FiniteMDP:
    """A Markov decision process of S states and A actions that is known.

    Mathematically, a policy π(a | s) is a point θ of S categorical laws, one a state, whose last action is the reference. With
    the values V of the states and the occupancy d, a distribution over them,

    - Q(s, a) = R(s, a) + γ Σ P(s' | s, a) V(s'); advantage A = Q − V
    - J = ρ·V, or the average reward; ∇J = h E_{s ∼ d}[A ∇log π], h = 1 / (1 − γ), or 1 for average rewards
    - F = E_{s ∼ d}[∇log π ∇log πᵀ]; natural gradient F⁻¹∇J = h (Q(s, a) − Q(s, A)): the occupancy drops out

    Parameters
    ----------
    P : array, shape (..., S, A, S)
        P[s, a, s'], the probability of going to s' after action a in s. Leading axes are a batch of processes.
    R : array, shape (..., S, A)
        The expected reward of action a in s.
    discount : float
        γ in [0, 1), for the discounted return.
    start : array, shape (..., S)
        The distribution of the first state; by default all states alike.
    average : bool
        The reward of an average step in place of the discounted return; neither `discount` nor `start` is given then.

    Shapes: policies θ have shape (..., S (A − 1)), the batch of processes and that of policies broadcast.
    Raises: ShapeError, DomainError where rows of P are no probabilities, γ is not below 1, or under average rewards some state
    is not reached from another.
    Source: Kakade, A natural policy gradient (2002); Agarwal et al., On the theory of policy gradient methods (2021).

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> run = ig.descend(mdp.objective(), np.zeros(2), geometry=mdp.policies(), update=ig.NaturalUpdate(), step=1.0,
    ...                  max_steps=20)
    >>> run.values[[0, -1]].round(2)
    array([-2.5, -9.5])
    """

    def __init__(self, P: Array, R: Array, *, discount: float | None = None, start: Array | None = None,
                 average: bool = False) -> None:
        xp, self.P, self.R = arrays(P, R)
        if self.P.ndim < 3 or self.P.shape[-1] != self.P.shape[-3] or self.R.shape[-2:] != self.P.shape[-3:-1]:
            raise ShapeError(f"P must have shape (..., S, A, S) and R shape (..., S, A); got {tuple(self.P.shape)} and "
                             f"{tuple(self.R.shape)}")
        self.states, self.actions = self.P.shape[-3], self.P.shape[-2]
        require_count("the number of actions", self.actions, 2)
        require("P", "P >= 0 with rows P[..., s, a, :] that sum to 1", _is_law(xp, self.P), xp.sum(self.P, axis=-1))
        require("R", "R finite", xp.isfinite(self.R), self.R)
        self.family = Independent(Categorical(self.actions), self.states)
        self.criterion = self._average(discount, start) if average else self._discounted(xp, discount, start)

    def __repr__(self) -> str:
        return f"FiniteMDP({self.states} states, {self.actions} actions, {type(self.criterion).__name__})"

    def _average(self, discount: float | None, start: Array | None) -> Criterion:
        if discount is not None or start is not None:
            raise TypeError("the average reward knows neither discount nor start; give either them or average=True")
        lost = ~_reached(self._leads(), np.eye(self.states, dtype=bool)).reshape(-1, self.states, self.states)
        if lost.any():
            _, source, target = np.argwhere(lost)[0]
            raise DomainError("the average reward needs a chain in which every state is reached from every other; state "
                              f"{target} is never reached from state {source}, whatever is done")
        return AverageReward()

    def _discounted(self, xp: Namespace, discount: float | None, start: Array | None) -> Criterion:
        if discount is None:
            raise TypeError("FiniteMDP takes discount=γ below 1, or average=True")
        good = isinstance(discount, Real) and 0 <= float(discount) < 1
        require("discount", "0 <= discount < 1 (average=True for the reward of an average step)", good, discount)
        if start is None:
            start = xp.full((self.states,), 1.0 / self.states, dtype=self.P.dtype)
        start = arrays(self.P, start)[2]
        if start.ndim == 0 or start.shape[-1] != self.states:
            raise ShapeError(f"start must have shape (..., {self.states}); got {tuple(start.shape)}")
        require("start", "start >= 0 with sum 1", _is_law(xp, start), start)
        return DiscountedReturn(float(discount), start)

    def _leads(self) -> np.ndarray:
        """Whether some action leads from s to s', shape (..., S, S)."""
        return np.asarray((to_numpy(self.P) > 0).any(axis=-2))

    @property
    def dim(self) -> int:
        """S (A − 1)."""
        return int(self.states * (self.actions - 1))

    def probabilities(self, theta: Array) -> Array:
        """π(a | s), shape (..., S, A)."""
        return self._probabilities(self.family.point(theta)[1])

    def _probabilities(self, theta: Array) -> Array:
        return self.family.parameters(theta)["probabilities"]

    @once
    def _evaluated(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        """(π, V, gain, Q): what value and gradient have in common."""
        xp, theta, P, R = arrays(theta, self.P, self.R)
        pi = self._probabilities(theta)
        return pi, *self._of_policy(xp, pi, P, R)

    def _of_policy(self, xp: Namespace, pi: Array, P: Array, R: Array) -> tuple[Array, Array, Array]:
        chain, reward = _under(xp, pi, P), xp.sum(pi * R, axis=-1)
        V, gain = self.criterion.values(xp, chain, reward)
        return V, gain, R - gain[..., None] + self.criterion.discount * xp.sum(P * V[..., None, None, :], axis=-1)

    def value(self, theta: Array) -> Array:
        """J, shape (...): to be made large."""
        xp, theta = self.family.point(theta)
        _, V, gain, _ = self._evaluated(theta)
        return self.criterion.total(xp, V, gain)

    def values(self, theta: Array) -> Array:
        """V of every state, shape (..., S); under average rewards relative ones, whose mean under the occupancy is 0."""
        return self._evaluated(self.family.point(theta)[1])[1]

    def action_values(self, theta: Array) -> Array:
        """Q(s, a), shape (..., S, A)."""
        return self._evaluated(self.family.point(theta)[1])[3]

    def advantages(self, theta: Array) -> Array:
        """Q(s, a) − V(s), shape (..., S, A)."""
        _, V, _, Q = self._evaluated(self.family.point(theta)[1])
        return Q - V[..., None]

    @once
    def occupancy(self, theta: Array) -> Array:
        """The distribution d of states over time, discounted from the start or stationary, shape (..., S)."""
        xp, theta, P = arrays(theta, self.P)
        return self.criterion.occupancy(xp, _under(xp, self._probabilities(theta), P))

    def gradient(self, theta: Array) -> Array:
        """∇J = h d(s) π(a | s) A(s, a) for all but the last action, a covector of shape (..., S (A − 1))."""
        xp, theta = self.family.point(theta)
        pi, V, _, Q = self._evaluated(theta)
        whole = self.criterion.horizon * self.occupancy(theta)[..., None] * pi * (Q - V[..., None])
        return xp.reshape(whole[..., :-1], (*whole.shape[:-2], self.dim))

    def natural_gradient(self, theta: Array) -> Array:
        """F⁻¹∇J = h (Q(s, a) − Q(s, A)), shape (..., S (A − 1)): the occupancy is not in it."""
        xp, theta = self.family.point(theta)
        Q = self._evaluated(theta)[3]
        raised = self.criterion.horizon * (Q[..., :-1] - Q[..., -1:])
        return xp.reshape(raised, (*raised.shape[:-2], self.dim))

    def objective(self) -> Objective:
        """−J as an objective of `descend`, which makes small: its values are minus the returns."""
        return _Loss(self)

    def policies(self) -> Policies:
        """The policies with the Fisher metric of a state that the process is in: a `Riemannian` manifold.

        Raises
        ------
        DomainError
            Where a state is never reached from the start, so that the metric is singular.
        """
        if isinstance(self.criterion, DiscountedReturn) and self.criterion.discount > 0:
            first = np.broadcast_to(to_numpy(self.criterion.start) > 0, (*self.P.shape[:-3], self.states))
            lost = ~_reached(self._leads(), first[..., None, :])[..., 0, :]
            if lost.any():
                raise DomainError(f"state {np.argwhere(lost)[0][-1]} is never reached from the start, so that the Fisher metric "
                                  f"of policies is singular ({int(lost.sum())} such states); start elsewhere, or leave them out")
        return Policies(self)

    def policy_iteration(self) -> Iterator[tuple[Array, Array]]:
        """The rounds of policy iteration from the best action at once: ``(J, actions)``, shapes (...) and (..., S).

        It ends with a policy that no change of one action makes better, which is the best one.
        """
        xp = arrays(self.P)[0]
        actions = xp.argmax(self.R + xp.zeros_like(self.P[..., 0]), axis=-1)
        everyone = xp.arange(self.actions)
        for _ in range(1000):                   # each round is better than the last: no more than there are policies
            pi = xp.astype(actions[..., None] == everyone, self.P.dtype)
            V, gain, Q = self._of_policy(xp, pi, self.P, self.R)
            yield self.criterion.total(xp, V, gain), actions
            kept = xp.sum(pi * Q, axis=-1)
            rounding = 64 * float(xp.finfo(Q.dtype).eps) * (1.0 + xp.max(xp.abs(Q), axis=-1))
            better = xp.max(Q, axis=-1) > kept + rounding
            if not xp.any(better):
                return
            actions = xp.where(better, xp.argmax(Q, axis=-1), actions)

    def value_iteration(self, tol: float = 1e-10) -> Iterator[Array]:
        """The rounds V ← max_a (R + γ P V) from V = 0, shape (..., S), until V is known to `tol`.

        Under average rewards V is relative to its first entry, and half of every round stays where it is, lest it go round.
        """
        require_positive("tol", tol)
        xp, gamma = arrays(self.P)[0], self.criterion.discount
        V = xp.max(0.0 * self.R, axis=-1) + xp.zeros_like(self.P[..., 0, 0])
        scale = gamma / (1.0 - gamma) if gamma < 1.0 else 1.0          # |V − V*| is at most this times the last change
        while True:
            fresh = xp.max(self.R + gamma * xp.sum(self.P * V[..., None, None, :], axis=-1), axis=-1)
            if gamma == 1.0:
                fresh = 0.5 * (V + fresh)
                change = fresh - V
                change, fresh = xp.max(change, axis=-1) - xp.min(change, axis=-1), fresh - fresh[..., :1]
            else:
                change = xp.max(xp.abs(fresh - V), axis=-1)
            V = fresh
            yield V
            if xp.all(scale * change <= tol):
                return

    @cached_property
    def _best(self) -> tuple[Array, Array]:
        *_, last = self.policy_iteration()
        return last

    @property
    def optimal_value(self) -> Array:
        """max J, shape (...), by policy iteration."""
        return self._best[0]

    @property
    def optimal_actions(self) -> Array:
        """The best action in every state, shape (..., S)."""
        return self._best[1]

    @property
    def optimal_values(self) -> Array:
        """V of the best policy, shape (..., S)."""
        xp = arrays(self.P)[0]
        pi = xp.astype(self.optimal_actions[..., None] == xp.arange(self.actions), self.P.dtype)
        return self._of_policy(xp, pi, self.P, self.R)[0]


class _Loss(Objective):
    """−J of the policies of a process."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self.mdp = mdp
        self.rows = tuple(np.broadcast_shapes(mdp.P.shape[:-3], mdp.R.shape[:-2]))

    def __repr__(self) -> str:
        return f"{self.mdp!r}.objective()"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return -self.mdp.value(x), -self.mdp.gradient(x)


def _is_law(xp: Namespace, p: Array) -> Array:
    """Whether probabilities, shape (..., S), are none negative and sum to 1, to rounding."""
    rounding = 32 * p.shape[-1] * float(xp.finfo(p.dtype).eps)
    return xp.all(p >= 0, axis=-1) & (xp.abs(xp.sum(p, axis=-1) - 1.0) <= rounding)


def _under(xp: Namespace, pi: Array, P: Array) -> Array:
    """Σ_a π(a | s) P(s' | s, a), shape (..., S, S)."""
    return xp.sum(pi[..., None] * P, axis=-2)


def _reached(leads: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Where one gets from each row of `first`, shape (..., k, S), along (..., S, S)."""
    found = first
    for _ in range(leads.shape[-1]):
        found = found | (found.astype(float) @ leads > 0)
    return found
