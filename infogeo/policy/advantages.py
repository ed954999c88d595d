"""How much better an action was than its state is worth, from trajectories and a critic."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, backend_of
from ..errors import require

__all__ = ["GAE"]


@dataclass(frozen=True)
class GAE:
    """Generalised advantage estimation: A_t = δ_t + γλ A_{t+1} within an episode, δ_t = r_t + γ V(s_{t+1}) − V(s_t).

    Mathematically, V after a terminated episode is 0, after one that was cut off that of its last state. λ = 1 gives the return
    less the value, λ = 0 the error of one step.

    Parameters
    ----------
    gamma, lam : float
        γ and λ, in [0, 1].

    Source: Schulman, Moritz, Levine, Jordan & Abbeel, High-dimensional continuous control using generalized advantage
    estimation (2016).
    """

    gamma: float = 0.99
    lam: float = 0.95

    def __post_init__(self) -> None:
        for name in ("gamma", "lam"):
            value = getattr(self, name)
            require(name, f"0 <= {name} <= 1", 0 <= value <= 1, value)

    def __call__(self, rewards: Array, values: Array, after: Array, terminated: Array, truncated: Array) -> Array:
        """Advantages, shape (T, k).

        Parameters
        ----------
        rewards : array, shape (T, k)
        values, after : arrays, shape (T, k)
            V of the states before and after each step.
        terminated, truncated : bool arrays, shape (T, k)
        """
        xp = backend_of(rewards)
        goes_on = xp.asarray(~np.asarray(terminated), dtype=rewards.dtype)
        same_episode = xp.asarray(~(np.asarray(terminated) | np.asarray(truncated)), dtype=rewards.dtype)
        errors = rewards + self.gamma * goes_on * after - values
        found, later = [], xp.zeros_like(errors[0, ...])
        for t in range(errors.shape[0] - 1, -1, -1):
            later = errors[t, ...] + self.gamma * self.lam * same_episode[t, ...] * later
            found.append(later)
        return xp.stack(found[::-1])
