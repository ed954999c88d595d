"""Updates that divide every coordinate by the size of its own differential: Adam and RMSprop."""
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..backend import Array, arrays, column
from ..errors import require
from ..solvers.update import SameForAllRows

__all__ = ["Adam", "RMSprop"]


class Moments(NamedTuple):
    """Steps taken, and the running averages of c and of c², which start at 0."""

    t: int
    first: Array
    second: Array


@dataclass(frozen=True)
class Adam(SameForAllRows):
    """x − h m̂ / (√v̂ + ε) with running averages m of c and v of c², each over its own sum of weights.

    Mathematically, m ← β₁ m + (1 − β₁) c, v ← β₂ v + (1 − β₂) c², m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).

    Parameters
    ----------
    decay, second_decay : float
        β₁ and β₂, from 0 to 1.
    epsilon : float
        ε, a part of the rule: it bounds the step where a coordinate has had no differential yet.

    Source: Kingma & Ba, Adam: a method for stochastic optimization (2015), algorithm 1.

    Examples
    --------
    >>> run = ig.descend(lambda x: (x[0]**2, [2 * x[0]]), [1.0], update=ig.training.Adam(), step=0.1, max_steps=3)
    >>> run.path[:, 0].round(3)
    array([1.   , 0.9  , 0.8  , 0.702])
    """

    decay: float = 0.9
    second_decay: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("decay", "second_decay"):
            value = getattr(self, name)
            require(name, f"0 <= {name} < 1", 0 <= value < 1, value)
        require("epsilon", "epsilon >= 0", self.epsilon >= 0, self.epsilon)

    def init(self, x: Array) -> Moments:
        return Moments(0, 0.0 * x, 0.0 * x)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        xp, x, c = arrays(x, covector)
        b1, b2, t = self.decay, self.second_decay, state.t + 1
        m, v = b1 * state.first + (1.0 - b1) * c, b2 * state.second + (1.0 - b2) * c**2
        direction = m / (1.0 - b1**t) / (xp.sqrt(v / (1.0 - b2**t)) + self.epsilon)
        return x - column(h) * direction, Moments(t, m, v)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """−c / (|c| + ε), the limit of small steps: the averages then know the differential at x only."""
        xp, x, c = arrays(x, covector)
        return -c / (xp.abs(c) + self.epsilon)


@dataclass(frozen=True)
class RMSprop(SameForAllRows):
    """x − h c / (√v̂ + ε): `Adam` without an average of c, β₁ = 0.

    Mathematically, v̂ is a running average of c². With mini-batches of one example c cᵀ is the empirical Fisher, and v̂ the
    diagonal of its running average; c is the mean over a mini-batch otherwise, and c² is less than the mean of the squares. That
    the square root of v̂ and not v̂ itself is divided by keeps it from being a natural gradient.

    Parameters
    ----------
    decay : float
        Of the average of c², from 0 to 1.
    epsilon : float
        As of `Adam`.

    Source: Tieleman & Hinton, Neural networks for machine learning, lecture 6.5 (2012), with the weights normalised.

    Examples
    --------
    >>> f = lambda x: (x[0]**2 + 100 * x[1]**2, [2 * x[0], 200 * x[1]])
    >>> run = ig.descend(f, [1.0, 1.0], update=ig.training.RMSprop(), step=0.1,
    ...                  max_steps=1)
    >>> run.x.round(6)                              # h, whatever the scale
    array([0.9, 0.9])
    """

    decay: float = 0.9
    epsilon: float = 1e-8
    _adam: Adam = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_adam", Adam(0.0, self.decay, self.epsilon))

    def init(self, x: Array) -> Moments:
        return self._adam.init(x)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return self._adam(geometry, x, covector, h, state)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """−c / (|c| + ε), the limit of small steps."""
        return self._adam.velocity(geometry, x, covector)
