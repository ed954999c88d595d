"""What is made large in a Markov decision process: the discounted return from a start, or the reward of an average step."""
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..backend import Array, Namespace, arrays
from ..numerics.linalg import matvec, solve

__all__ = ["AverageReward", "Criterion", "DiscountedReturn"]


class Criterion(ABC):
    """J of a Markov chain of rewards, whose transitions P have shape (..., S, S) and rewards r shape (..., S).

    Attributes
    ----------
    horizon : float
        By which the policy gradient E[A ∇log π] over the occupancy is multiplied.
    discount : float
        γ of Q = r + γ P V (1 for average rewards).

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.3, 0.7]])  # the first is the limit γ → 1
    >>> near = ig.policy.DiscountedReturn(0.999, [1.0, 0.0])
    >>> for criterion in (ig.policy.AverageReward(), near):
    ...     print(criterion.occupancy(np, P).round(3))
    [0.75 0.25]
    [0.751 0.249]
    """

    horizon: float
    discount: float

    @abstractmethod
    def occupancy(self, xp: Namespace, P: Array) -> Array:
        """The distribution of states over time, shape (..., S): it sums to 1."""

    @abstractmethod
    def values(self, xp: Namespace, P: Array, r: Array) -> tuple[Array, Array]:
        """``(V, gain)``, shapes (..., S) and (..., 1): values of the states, and what every step is worth whatever the state."""

    @abstractmethod
    def total(self, xp: Namespace, V: Array, gain: Array) -> Array:
        """J, shape (...)."""


def _transposed_less(xp: Namespace, P: Array, factor: float) -> Array:
    """I − factor Pᵀ."""
    return xp.eye(P.shape[-1], dtype=P.dtype) - factor * xp.matrix_transpose(P)


@dataclass(frozen=True)
class DiscountedReturn(Criterion):
    """J = ρ·V with V = (I − γP)⁻¹ r; occupancy (1 − γ) (I − γPᵀ)⁻¹ ρ.

    Parameters
    ----------
    discount : float
        γ, in [0, 1).
    start : array, shape (..., S)
        ρ, the distribution of the first state.

    Examples
    --------
    >>> criterion = ig.policy.DiscountedReturn(0.9, [0.5, 0.5])
    >>> V, gain = criterion.values(np, np.eye(2), np.array([1.0, 3.0]))
    >>> V.round(6), float(criterion.total(np, V, gain).round(6))  # r / (1 − γ)
    (array([10., 30.]), 20.0)
    """

    discount: float
    start: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", arrays(self.start)[1])

    @property
    def horizon(self) -> float:         # type: ignore[override]
        return 1.0 / (1.0 - self.discount)

    def occupancy(self, xp: Namespace, P: Array) -> Array:
        return (1.0 - self.discount) * solve(xp, _transposed_less(xp, P, self.discount), self.start)

    def values(self, xp: Namespace, P: Array, r: Array) -> tuple[Array, Array]:
        V = solve(xp, xp.eye(P.shape[-1], dtype=P.dtype) - self.discount * P, r)
        return V, xp.zeros_like(V[..., :1])

    def total(self, xp: Namespace, V: Array, gain: Array) -> Array:
        return xp.sum(self.start * V, axis=-1)


@dataclass(frozen=True)
class AverageReward(Criterion):
    """J = ρ·r with the stationary distribution ρ = Pᵀρ; V is relative, (I − P) V = r − J with ρ·V = 0.

    Mathematically, (I − Pᵀ + 1 1ᵀ) ρ = 1 and (I − P + 1 ρᵀ) V = r − J. Source: Kakade, A natural policy gradient (2002).

    Examples
    --------
    >>> P, r = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0.0, 4.0])
    >>> average = ig.policy.AverageReward()
    >>> average.occupancy(np, P).round(6)           # ρ = Pᵀ ρ
    array([0.75, 0.25])
    >>> V, gain = average.values(np, P, r)
    >>> gain.round(6)                               # ρ · r
    array([1.])
    """

    horizon, discount = 1.0, 1.0

    def occupancy(self, xp: Namespace, P: Array) -> Array:
        ones = xp.ones_like(P[..., 0])
        return solve(xp, _transposed_less(xp, P, 1.0) + ones[..., :, None], ones)

    def values(self, xp: Namespace, P: Array, r: Array) -> tuple[Array, Array]:
        stationary = self.occupancy(xp, P)
        gain = xp.sum(stationary * r, axis=-1, keepdims=True)
        fundamental = xp.eye(P.shape[-1], dtype=P.dtype) - P + stationary[..., None, :]
        V = solve(xp, fundamental, r - gain)
        return V - matvec(xp, stationary[..., None, :], V), gain

    def total(self, xp: Namespace, V: Array, gain: Array) -> Array:
        return gain[..., 0]
