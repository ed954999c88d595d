"""What a policy did: states, actions, rewards and ends of several environments over a number of steps."""
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, asarray, backend_of
from ..domains.supports import Integers
from ..errors import require_count
from ..networks.model import ConditionalModel
from ..networks.output_family import OutputFamily
from .environments import Environment

__all__ = ["Rollouts", "Trajectories"]


class Trajectories(NamedTuple):
    """T steps of k environments.

    Attributes
    ----------
    states, reached : arrays, shape (T, k, *state_shape)
        Before each step and after it; `reached` is the last state of an episode where one ended.
    actions : array, shape (T, k, …)
    rewards : array, shape (T, k)
    terminated, truncated : bool arrays, shape (T, k)
        The episode was over; it was cut off. The last step is neither where the episode goes on in the next trajectories.
    returns : array
        The undiscounted returns of the episodes that ended here, in the order in which they did.
    lengths : array
        Their steps.

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> environment = ig.policy.MDPEnvironment(mdp, count=3, length=10)
    >>> policy = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                       ig.Bernoulli())
    >>> rollouts = ig.policy.Rollouts(environment, policy, steps=60)
    >>> done = rollouts.collect(np.zeros(3), np.random.default_rng(0))
    >>> bool(done.returns.sum() == done.rewards.sum())        # whole episodes
    True
    >>> states, actions = done.samples
    >>> states.shape, actions.shape
    ((60, 2), (60,))
    """

    states: Array
    actions: Array
    rewards: Array
    reached: Array
    terminated: Array
    truncated: Array
    returns: Array
    lengths: Array

    @property
    def samples(self) -> tuple[Array, Array]:
        """(states, actions) with time and environments in one axis, shapes (T k, …)."""
        return self.flat(self.states), self.flat(self.actions)

    @staticmethod
    def flat(x: Array) -> Array:
        """An array (T, k, …) as (T k, …)."""
        return backend_of(x).reshape(x, (-1, *x.shape[2:]))


class Rollouts:
    """Runs a policy in an environment; episodes go on where the last trajectories left them.

    Parameters
    ----------
    environment : Environment
    policy : ConditionalModel
        Of the environment's states, to its actions.
    steps : int
        In all, over the environments: a multiple of their number.

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> environment = ig.policy.MDPEnvironment(mdp, count=3, length=10)
    >>> policy = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                       ig.Bernoulli())
    >>> rollouts = ig.policy.Rollouts(environment, policy, steps=60)
    >>> done = rollouts.collect(np.zeros(3), np.random.default_rng(0))
    >>> done.states.shape, done.lengths             # 3 copies, 20 steps each
    ((20, 3, 2), array([10, 10, 10, 10, 10, 10]))
    """

    def __init__(self, environment: Environment, policy: ConditionalModel, steps: int) -> None:
        if not isinstance(environment, Environment):
            raise TypeError(f"environment must be an Environment, such as infogeo.policy.gym(name) gives; got {environment!r}")
        if not isinstance(policy, ConditionalModel):
            raise TypeError(f"policy must be a ConditionalModel of states to actions; got {policy!r}")
        if tuple(policy.network.input_shape) != tuple(environment.state_shape):
            raise ValueError(f"the policy takes states of shape {tuple(policy.network.input_shape)}, and the environment gives "
                             f"{tuple(environment.state_shape)}")
        if not _fits(policy.family, environment.family):
            raise ValueError(f"the policy's actions, of {policy.family!r}, do not fit the environment's, {environment.family!r}")
        self.environment, self.policy = environment, policy
        self.length = require_count("steps", steps) // environment.count
        if self.length * environment.count != steps:
            raise ValueError(f"steps must be a multiple of the number of environments, {environment.count}; got {steps}")
        self._states: Array = None
        self._return, self._age = np.zeros(environment.count), np.zeros(environment.count, dtype=int)

    def collect(self, w: Array, rng: np.random.Generator) -> Trajectories:
        """The next trajectories, of the policy at weights w."""
        if self._states is None:
            self._states = self.environment.reset(rng)
        found: list[Any] = []
        returns, lengths = [], []
        for _ in range(self.length):
            action = self.policy.sample(rng, w, self._states)
            outcome = self.environment.step(action)
            found.append((self._states, action, outcome.rewards, outcome.reached, outcome.terminated, outcome.truncated))
            self._states = outcome.states
            self._return += np.asarray(outcome.rewards)
            self._age += 1
            for i in np.flatnonzero(outcome.terminated | outcome.truncated):
                returns.append(self._return[i])
                lengths.append(self._age[i])
                self._return[i], self._age[i] = 0.0, 0
        s, a, r, reached, terminated, truncated = (backend_of(column[0]).stack(column) for column in zip(*found))
        return Trajectories(s, a, r, reached, terminated, truncated, asarray(np.array(returns, dtype=float)),
                            np.array(lengths, dtype=int))


def _fits(policy: OutputFamily, environment: OutputFamily) -> bool:
    """Whether the draws of a policy are actions of an environment."""
    drawn, taken = policy.support, environment.support
    if drawn.shape != taken.shape or policy.dim < environment.dim:
        return False
    if not isinstance(taken, Integers):
        return True
    return isinstance(drawn, Integers) and taken.lower <= drawn.lower and drawn.upper <= taken.upper
