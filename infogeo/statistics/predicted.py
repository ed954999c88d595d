"""What a model predicts of each row: a law."""
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np

from ..backend import Array, to_numpy
from ..domains.supports import Integers
from ..errors import require
from ..families.base import ExponentialFamily

__all__ = ["PredictedLaw"]


@dataclass(frozen=True, eq=False)
class PredictedLaw:
    """One law of a family for every row.

    Attributes
    ----------
    family : ExponentialFamily
    theta : array (n, d)

    Examples
    --------
    >>> M = ig.NormalKnownVariance(4.0)
    >>> law = ig.statistics.PredictedLaw(M, M.theta_from(mean=[0.0, 10.0]))
    >>> law.mean.round(9), law.interval(0.95).round(2)
    (array([ 0., 10.]), array([[-3.92,  3.92],
           [ 6.08, 13.92]]))
    """

    family: ExponentialFamily
    theta: Array

    def __len__(self) -> int:
        return len(self.theta)

    def __getitem__(self, rows: Any) -> Self:
        return replace(self, theta=np.atleast_2d(self.theta[rows]))

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
        q = np.asarray(to_numpy(q), dtype=float)
        return self.family.quantile(self.theta if q.ndim == 0 else self.theta[:, None, :], q)

    def interval(self, level: float = 0.9) -> Array:
        """The central interval that holds y with this probability, shape (n, 2)."""
        require("level", "0 < level < 1", isinstance(level, Real) and 0 < float(level) < 1, level)
        return self.quantile(np.asarray([0.5 - 0.5 * level, 0.5 + 0.5 * level]))

    def sample(self, rng: np.random.Generator, shape: Any = ()) -> Array:
        """Draws, shape (*shape, n, …)."""
        return self.family.sample(rng, self.theta, shape)

    def probability_integral(self, y: Array) -> tuple[Array, Array]:
        """(P(Y < y), P(Y ≤ y)), shapes (n,): one number twice, where the law has a density."""
        y = np.asarray(to_numpy(y), dtype=float)
        upper = self.cdf(y)
        return (self.cdf(y - 1.0) if isinstance(self.family.support, Integers) else upper), upper
