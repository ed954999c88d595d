"""What a model predicts of each row: a law."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array
from ..domains.supports import Integers
from ..errors import require
from ..families.base import ExponentialFamily
from .scoring import CRPS

__all__ = ["Prediction"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """One law of a family for every row.

    Attributes
    ----------
    family : ExponentialFamily
    theta : array (n, d)
    widened : callable (level) -> level, or None
        The level of the law's own interval that covers as often as asked, where the model is calibrated.
    """

    family: ExponentialFamily
    theta: Array
    widened: Callable[[float], float] | None = None

    def __len__(self) -> int:
        return len(self.theta)

    def __getitem__(self, rows: Any) -> "Prediction":
        return Prediction(self.family, np.atleast_2d(self.theta[rows]), self.widened)

    @property
    def parameters(self) -> dict[str, Array]:
        """The ordinary parameters by name, shapes (n, …)."""
        return self.family.parameters(self.theta)

    @property
    def mean(self) -> Array:
        """E[y], shape (n, …)."""
        return self.family.mean(self.theta)

    @property
    def variance(self) -> Array:
        """The variance of each entry of y, shape (n, …)."""
        return self.family.variance(self.theta)

    def log_density(self, y: Array) -> Array:
        """log p(y), shape (n,), nats."""
        return self.family.log_density(self.theta, y)

    def cdf(self, y: Array) -> Array:
        """P(Y ≤ y), shape (n,); y is one number a row, or one for all."""
        return self.family.cdf(self.theta, y)

    def survival(self, y: Array) -> Array:
        """P(Y > y), shape (n,)."""
        return self.family.survival(self.theta, y)

    def quantile(self, q: Array) -> Array:
        """The smallest y with P(Y ≤ y) ≥ q: shape (n,) of one probability, (n, m) of m."""
        q = np.asarray(q, dtype=float)
        return self.family.quantile(self.theta if q.ndim == 0 else self.theta[:, None, :], q)

    def interval(self, level: float = 0.9) -> Array:
        """The central interval that holds y with this probability, shape (n, 2); conformal where the model is calibrated."""
        require("level", "0 < level < 1", 0 < level < 1, level)
        own = level if self.widened is None else self.widened(level)
        return self.quantile(np.asarray([0.5 - 0.5 * own, 0.5 + 0.5 * own]))

    def sample(self, rng: np.random.Generator, shape: Any = ()) -> Array:
        """Draws, shape (*shape, n, …)."""
        return self.family.sample(rng, self.theta, shape)

    def crps(self, y: Array) -> Array:
        """The continuous ranked probability score, shape (n,), in the units of y."""
        return CRPS().value(self.family, self.theta, np.asarray(y, dtype=float))

    def energy_score(self, y: Array, rng: np.random.Generator, draws: int = 200) -> Array:
        """E|Y − y| − ½ E|Y − Y′| of vectors, by this many draws, shape (n,); of numbers it is the CRPS.

        Source: Gneiting & Raftery, JASA 102 (2007), equation 22.
        """
        first, second = self.sample(rng, draws), self.sample(rng, draws)
        axes = tuple(range(2, first.ndim))
        to_y, apart = (np.sqrt(np.sum(gap * gap, axis=axes)) for gap in (first - y, first - second))
        return np.mean(to_y, axis=0) - 0.5 * np.mean(apart, axis=0)

    def probability_integral(self, y: Array) -> tuple[Array, Array]:
        """(P(Y < y), P(Y ≤ y)), shapes (n,): one number twice, where the law has a density."""
        y = np.asarray(y, dtype=float)
        upper = self.cdf(y)
        return (self.cdf(y - 1.0) if isinstance(self.family.support, Integers) else upper), upper
