"""What a policy acts in: several copies of an environment, all stepped at once."""
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, asarray, generator_of, to_numpy
from ..errors import require_count
from ..families.categorical import Categorical
from .criteria import DiscountedReturn
from .finite import FiniteMDP

__all__ = ["Environment", "MDPEnvironment", "Outcome"]


class Outcome(NamedTuple):
    """What a step of k environments leads to.

    Attributes
    ----------
    states : array, shape (k, *state_shape)
        In which to act next: where an episode ended, the first of the next.
    rewards : array, shape (k,)
    reached : array, shape (k, *state_shape)
        Where the step led, also where the episode ended there.
    terminated : bool array, shape (k,)
        Whether the episode is over, so that nothing can be earned any more.
    truncated : bool array, shape (k,)
        Whether it was cut off, though there was more to earn.

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> environment = ig.policy.MDPEnvironment(mdp, count=3, length=10)
    >>> first = environment.reset(np.random.default_rng(0))
    >>> outcome = [environment.step(np.array([0, 1, 1])) for _ in range(10)][-1]
    >>> outcome.rewards, outcome.truncated          # cut off after ten steps
    (array([0., 1., 1.]), array([ True,  True,  True]))
    """

    states: Array
    rewards: Array
    reached: Array
    terminated: Array
    truncated: Array


class Environment(ABC):
    """k copies of an environment, whose episodes begin again by themselves.

    Attributes
    ----------
    count : int
        k.
    state_shape : tuple of int
    family : ExponentialFamily
        Of the actions; another family of the same support serves as well.

    Examples
    --------
    >>> class Walk(ig.policy.Environment):          # up or down; it never ends
    ...     count, state_shape, family = 2, (1,), ig.Bernoulli()
    ...     def reset(self, rng):
    ...         self.at = np.zeros((2, 1))
    ...         return self.at
    ...     def step(self, actions):
    ...         self.at = self.at + 2 * actions[:, None] - 1
    ...         never = np.zeros(2, dtype=bool)
    ...         return ig.policy.Outcome(self.at, self.at[:, 0], self.at, never,
    ...                                  never)
    >>> policy = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                       ig.Bernoulli())
    >>> rollouts = ig.policy.Rollouts(Walk(), policy, steps=6)
    >>> always_up = np.array([0.0, 50.0])
    >>> rollouts.collect(always_up, np.random.default_rng(0)).rewards
    array([[1., 1.],
           [2., 2.],
           [3., 3.]])
    """

    count: int
    state_shape: tuple[int, ...]
    family: Any

    @abstractmethod
    def reset(self, rng: np.random.Generator) -> Array:
        """First states, shape (k, *state_shape)."""

    @abstractmethod
    def step(self, actions: Array) -> Outcome:
        """Every copy does its action, shape (k, *family.support.shape)."""

    def close(self) -> None:
        """Nothing, unless there is something to give back."""


class MDPEnvironment(Environment):
    """k copies of a finite process that is known; its states are seen as rows of the identity.

    Parameters
    ----------
    mdp : FiniteMDP
        One process with a discounted return: its `start` is where episodes begin.
    count : int
    length : int
        Episodes are cut off after so many steps; they never terminate.

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> environment = ig.policy.MDPEnvironment(mdp, count=3, length=10)
    >>> first = environment.reset(np.random.default_rng(0))
    >>> environment.step(np.array([0, 1, 1])).states  # those of the actions
    array([[1., 0.],
           [0., 1.],
           [0., 1.]])
    """

    def __init__(self, mdp: FiniteMDP, count: int, length: int) -> None:
        if not isinstance(mdp, FiniteMDP) or not isinstance(mdp.criterion, DiscountedReturn) or mdp.P.ndim != 3:
            raise TypeError(f"MDPEnvironment takes one FiniteMDP with a discount and a start; got {mdp!r}")
        self.mdp, self.count, self.length = mdp, require_count("count", count), require_count("length", length)
        self.state_shape, self.family = (mdp.states,), Categorical(mdp.actions)
        self._laws, self._rewards = to_numpy(mdp.P).cumsum(axis=-1), to_numpy(mdp.R)
        self._start = to_numpy(mdp.criterion.start).cumsum()

    def reset(self, rng: np.random.Generator) -> Array:
        rng = generator_of(rng)
        self.rng, self._age = rng, np.zeros(self.count, dtype=int)
        self._at = self._first(self.count)
        return self._seen(self._at)

    def _first(self, n: int) -> np.ndarray:
        found = np.searchsorted(self._start, to_numpy(self.rng.random(n)), side="right")
        return np.asarray(np.minimum(found, self.mdp.states - 1))

    def _seen(self, at: np.ndarray) -> Array:
        return asarray(np.eye(self.mdp.states)[at])

    def step(self, actions: Array) -> Outcome:
        a = to_numpy(actions).astype(int)
        rewards = self._rewards[self._at, a]
        law = self._laws[self._at, a]
        reached = np.minimum((to_numpy(self.rng.random((self.count, 1))) >= law).sum(axis=-1), self.mdp.states - 1)
        self._age += 1
        cut = self._age >= self.length
        self._age[cut] = 0
        self._at = np.where(cut, self._first(self.count), reached)
        return Outcome(self._seen(self._at), asarray(rewards), self._seen(reached), np.zeros(self.count, dtype=bool), cut)
