"""How much better an action was than its state is worth, from trajectories and a critic."""
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..backend import Array, arrays
from ..errors import ShapeError, require

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

    Examples
    --------
    >>> reward, V = np.array([[1.0], [1.0]]), np.array([[0.5], [0.25]])
    >>> after, over = np.array([[0.25], [9.0]]), np.array([[False], [True]])
    >>> cut = np.zeros((2, 1), dtype=bool)
    >>> for lam in (0.0, 1.0):                      # λ = 1: return less value
    ...     print(ig.policy.GAE(gamma=1.0, lam=lam)(reward, V, after, over,
    ...                                             cut)[:, 0])
    [0.75 0.75]
    [1.5  0.75]
    """

    gamma: float = 0.99
    lam: float = 0.95

    def __post_init__(self) -> None:
        for name in ("gamma", "lam"):
            value = getattr(self, name)
            require(name, f"0 <= {name} <= 1", isinstance(value, Real) and 0 <= float(value) <= 1, value)

    def __call__(self, rewards: Array, values: Array, after: Array, terminated: Array, truncated: Array) -> Array:
        """Advantages, shape (T, k).

        Parameters
        ----------
        rewards : array, shape (T, k)
        values, after : arrays, shape (T, k)
            V of the states before and after each step.
        terminated, truncated : bool arrays, shape (T, k)

        Raises
        ------
        ShapeError
            Where they are not of one shape (T, k), T >= 1.
        """
        xp, rewards, values, after = arrays(rewards, values, after)
        over, cut = np.asarray(terminated, dtype=bool), np.asarray(truncated, dtype=bool)
        shapes = [tuple(part.shape) for part in (rewards, values, after, over, cut)]
        if len(set(shapes)) > 1 or 0 in (shapes[0] or (0,))[:1]:
            raise ShapeError("rewards, values, after, terminated and truncated must have one shape (T, k), T >= 1; got "
                             f"{', '.join(map(str, shapes))}")
        goes_on, same_episode = (xp.asarray(~ended, dtype=rewards.dtype) for ended in (over, over | cut))
        errors = rewards + self.gamma * goes_on * after - values
        found, later = [], xp.zeros_like(errors[0, ...])
        for t in range(errors.shape[0] - 1, -1, -1):
            later = errors[t, ...] + self.gamma * self.lam * same_episode[t, ...] * later
            found.append(later)
        return xp.stack(found[::-1])
