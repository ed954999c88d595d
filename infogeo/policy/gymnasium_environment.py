"""Environments of Gymnasium."""
from typing import Any

import numpy as np

from ..backend import Array, asarray, generator_of, to_numpy
from ..errors import DomainError, from_extra, require, require_count
from ..families.categorical import Categorical
from ..families.diagonal_normal import DiagonalNormal
from ..families.normal import Normal
from .environments import Environment, Outcome

__all__ = ["GymEnvironment", "gym"]


def gym(name: str, count: int = 8, **settings: Any) -> "GymEnvironment":
    """Copies of an environment by its name, such as ``gym("CartPole-v1")``; needs the extra ``infogeo[policy]``.

    Parameters
    ----------
    name : str
    count : int
        How many copies are stepped at once: a policy's pass for eight states costs little more than for one.
    settings
        As of ``gymnasium.make``.

    Examples
    --------
    >>> environment = ig.policy.gym("CartPole-v1", count=3)
    >>> states = environment.reset(np.random.default_rng(0))
    >>> outcome = environment.step(np.array([0, 1, 1]))
    >>> states.shape, outcome.rewards
    ((3, 4), array([1., 1., 1.]))
    >>> environment.close()
    """
    with from_extra("environments by name need Gymnasium", "policy"):
        import gymnasium
    count = require_count("count", count)
    require("name", "name a string, such as \"CartPole-v1\"", isinstance(name, str), name)
    try:
        return GymEnvironment([gymnasium.make(name, **settings) for _ in range(count)])
    except gymnasium.error.Error as error:
        raise DomainError(f"name must be that of an environment which gymnasium makes; got {name!r}: {error}") from None


class GymEnvironment(Environment):
    """Environments of Gymnasium, each reset by itself when its episode ends.

    Of a discrete action space the actions are categorical; of a box they are normal, each entry by itself, and an action beyond
    the box acts as the nearest one in it (its density is that of the draw).

    Parameters
    ----------
    copies : list of gymnasium.Env

    Raises
    ------
    DomainError
        If actions fit no family, or states are no box.

    Examples
    --------
    >>> import gymnasium
    >>> copies = [gymnasium.make("CartPole-v1") for _ in range(2)]
    >>> environment = ig.policy.GymEnvironment(copies)
    >>> environment.reset(np.random.default_rng(0)).shape, environment.family
    ((2, 4), Categorical(k=2, reference=1))
    >>> environment.close()
    """

    def __init__(self, copies: list[Any]) -> None:
        import gymnasium
        if not isinstance(copies, (list, tuple)) or not copies or not all(isinstance(copy, gymnasium.Env) for copy in copies):
            raise TypeError(f"copies must be a list of gymnasium.Env, one or more; got {copies!r}")
        first = copies[0]
        self.copies, self.count = copies, len(copies)
        if not isinstance(first.observation_space, gymnasium.spaces.Box):
            raise DomainError(f"states must be vectors or images, a Box; {first!r} has {first.observation_space}")
        self.state_shape = tuple(first.observation_space.shape)
        space = first.action_space
        self._low = self._high = None
        if isinstance(space, gymnasium.spaces.Discrete):
            self.family, self._offset = Categorical(int(space.n)), int(space.start)
        elif isinstance(space, gymnasium.spaces.Box) and len(space.shape) == 1:
            self._low, self._high = space.low, space.high
            self.family = Normal() if space.shape == (1,) else DiagonalNormal(space.shape[0])
        else:
            raise DomainError("actions must be a Discrete space or a Box of one axis, as others fit no family; "
                              f"{first!r} has {space}")

    def __repr__(self) -> str:
        return f"GymEnvironment({self.copies[0]}, count={self.count})"

    def reset(self, rng: np.random.Generator) -> Array:
        rng = generator_of(rng)
        seeds = rng.integers(2**31, size=self.count)
        return asarray(np.stack([copy.reset(seed=int(seed))[0] for copy, seed in zip(self.copies, seeds)]).astype(float))

    def _as_the_copy_takes_it(self, action: Any) -> Any:
        if self._low is None:
            return int(action) + self._offset
        return np.clip(np.reshape(action, self._low.shape), self._low, self._high).astype(self._low.dtype)

    def step(self, actions: Array) -> Outcome:
        states, rewards, reached, terminated, truncated = [], [], [], [], []
        for copy, action in zip(self.copies, to_numpy(actions)):
            seen, reward, over, cut, _ = copy.step(self._as_the_copy_takes_it(action))
            reached.append(seen)
            rewards.append(float(reward))
            terminated.append(bool(over))
            truncated.append(bool(cut) and not over)
            states.append(copy.reset()[0] if over or cut else seen)
        as_floats = [asarray(np.stack(x).astype(float)) for x in (states, reached)]
        return Outcome(as_floats[0], asarray(np.array(rewards)), as_floats[1], np.array(terminated), np.array(truncated))

    def close(self) -> None:
        for copy in self.copies:
            copy.close()
