"""What boosting predicts of each row: a law, with intervals that may be calibrated."""
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..backend import Array, to_numpy
from ..errors import require
from ..statistics.predicted import PredictedLaw
from .scoring import CRPS

__all__ = ["Prediction"]


@dataclass(frozen=True, eq=False)
class Prediction(PredictedLaw):
    """One law of a family for every row.

    Attributes
    ----------
    family : ExponentialFamily
    theta : array (n, d)
    widened : callable (level) -> level, or None
        The level of the law's own interval that covers as often as asked, where the model is calibrated.

    Examples
    --------
    >>> M = ig.Normal()
    >>> law = ig.boosting.Prediction(M, M.theta_from(mean=[0.0, 5.0],
    ...                                              variance=[1.0, 4.0]))
    >>> law.interval(0.9).round(2)                  # mean ∓ 1.645 deviations
    array([[-1.64,  1.64],
           [ 1.71,  8.29]])
    """

    widened: Callable[[float], float] | None = None

    def interval(self, level: float = 0.9) -> Array:
        """The central interval that holds y with this probability, shape (n, 2); conformal where the model is calibrated."""
        require("level", "0 < level < 1", isinstance(level, Real) and 0 < float(level) < 1, level)
        own = level if self.widened is None else self.widened(level)
        return self.quantile(np.asarray([0.5 - 0.5 * own, 0.5 + 0.5 * own]))

    def crps(self, y: Array) -> Array:
        """The continuous ranked probability score, shape (n,), in the units of y."""
        return CRPS().value(self.family, self.theta, np.asarray(to_numpy(y), dtype=float))

    def energy_score(self, y: Array, rng: np.random.Generator, draws: int = 200) -> Array:
        """E|Y − y| − ½ E|Y − Y′| of vectors, by this many draws, shape (n,); of numbers it is the CRPS.

        Source: Gneiting & Raftery, JASA 102 (2007), equation 22.
        """
        first, second = self.sample(rng, draws), self.sample(rng, draws)
        axes = tuple(range(2, first.ndim))
        to_y, apart = (np.sqrt(np.sum(gap * gap, axis=axes)) for gap in (first - y, first - second))
        return np.mean(to_y, axis=0) - 0.5 * np.mean(apart, axis=0)
