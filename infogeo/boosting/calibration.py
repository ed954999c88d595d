"""Whether predicted laws are right on data: probability integral transforms, and conformal intervals."""
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import ShapeError, require_count, takes
from ..pictures.axes import axes_or_new
from .prediction import Prediction

__all__ = ["ConformalLevel", "pit_histogram", "plot_pit", "plot_reliability", "reliability"]


class ConformalLevel:
    """The level of the central intervals of predicted laws that covers new observations as often as asked.

    Mathematically, the observation y lies in the interval of level l from s = max(1 − 2 P(Y ≤ y), 2 P(Y < y) − 1) on. Of n scores
    s of data that the model has not seen, the ⌈(n + 1) level⌉-th covers a further one with at least this probability, whatever
    the true law, where the rows are exchangeable.

    Source: Chernozhukov, Wüthrich & Zhu, Distributional conformal prediction, PNAS 118 (2021).

    Examples
    --------
    >>> M, y = ig.Normal(), 2 * np.random.default_rng(0).standard_normal(999)
    >>> theta = M.theta_from(mean=np.zeros(999), variance=np.ones(999))
    >>> law = ig.boosting.Prediction(M, theta)      # y deviates by 2, not by 1
    >>> level = ig.boosting.ConformalLevel(law, y)
    >>> round(level(0.5), 1)                        # that covers half of them
    0.8
    """

    @takes(prediction=Prediction)
    def __init__(self, prediction: Prediction, y: Array) -> None:
        below, upto = prediction.probability_integral(y)
        self.scores = np.sort(np.maximum(np.maximum(1.0 - 2.0 * upto, 2.0 * below - 1.0), 0.0))
        if self.scores.size == 0:
            raise ShapeError("calibration needs at least one row; got none")

    def __call__(self, level: float) -> float:
        """1, the whole support, where there are fewer rows than the level needs."""
        rank = int(np.ceil((len(self.scores) + 1) * level - 1e-9))
        if rank > len(self.scores):
            return 1.0
        return min(1.0, float(self.scores[rank - 1]) + 4.0 * float(np.finfo(float).eps))       # a count at the very end is inside


@takes(Prediction)
def reliability(prediction: Prediction, y: Array, q: Array) -> Array:
    """The share of rows whose y is below the predicted q-quantile, shape of q: q itself, where the laws are right.

    A count's y is below by the part of its own probability that q takes: no draws are needed.

    Source: Czado, Gneiting & Held, Predictive model assessment for count data, Biometrics 65 (2009), equation 2.

    Examples
    --------
    >>> M, y = ig.Normal(), np.random.default_rng(0).standard_normal(1000)
    >>> theta = M.theta_from(mean=np.zeros(1000), variance=np.full(1000, 1.0))
    >>> law = ig.boosting.Prediction(M, theta)
    >>> ig.boosting.reliability(law, y, [0.1, 0.5, 0.9]).round(1)
    array([0.1, 0.5, 0.9])
    """
    below, upto = (side[:, None] for side in prediction.probability_integral(y))
    q = np.atleast_1d(np.asarray(q, dtype=float))
    wide = upto > below
    share = np.where(wide, np.clip((q - below) / np.where(wide, upto - below, 1.0), 0.0, 1.0), q >= upto)
    return np.mean(share, axis=0)


@takes(Prediction)
def pit_histogram(prediction: Prediction, y: Array, bins: int = 10) -> Array:
    """The share of probability integral transforms in each of the bins of [0, 1], shape (bins,): 1 / bins each, if right.

    Examples
    --------
    >>> M, y = ig.Normal(), np.random.default_rng(0).standard_normal(1000)
    >>> theta = M.theta_from(mean=np.zeros(1000), variance=np.full(1000, 0.25))
    >>> law = ig.boosting.Prediction(M, theta)
    >>> ig.boosting.pit_histogram(law, y, bins=4).round(1)  # a cup: too narrow
    array([0.4, 0.1, 0.1, 0.3])
    """
    ends = np.linspace(0.0, 1.0, require_count("bins", bins) + 1)
    return np.diff(np.concatenate([[0.0], reliability(prediction, y, ends[1:-1]), [1.0]]))


@takes(Prediction)
def plot_pit(prediction: Prediction, y: Array, bins: int = 10, ax: Any = None) -> Any:
    """The histogram of the probability integral transforms, with the band in which 95 % of bins of right laws lie.

    A cup says that the laws are too narrow, a hill that they are too wide, a slope that they are off to one side.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> M, y = ig.Normal(), np.random.default_rng(0).standard_normal(1000)
    >>> theta = M.theta_from(mean=np.zeros(1000), variance=np.full(1000, 1.0))
    >>> law = ig.boosting.Prediction(M, theta)
    >>> ax = ig.boosting.plot_pit(law, y, bins=4, ax=Figure().subplots())
    >>> [round(bar.get_height()) for bar in ax.patches[:4]]     # 1, if right
    [1, 1, 1, 1]
    """
    ax = axes_or_new(ax, (4.0, 3.4))
    share, n = pit_histogram(prediction, y, bins), len(prediction)
    ax.bar((np.arange(bins) + 0.5) / bins, share * bins, width=0.9 / bins, color="#4477aa")
    ax.axhspan(*(1.0 + 1.96 * sign * np.sqrt((bins - 1.0) / n) for sign in (-1.0, 1.0)), color="0.6", alpha=0.35, lw=0)
    ax.axhline(1.0, color="0.3", lw=1)
    ax.set(xlabel="probability integral transform", ylabel="density", xlim=(0, 1))
    return ax


@takes(Prediction)
def plot_reliability(prediction: Prediction, y: Array, ax: Any = None) -> Any:
    """The share of observations below each predicted quantile, which lies on the diagonal where the laws are right.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> M, y = ig.Normal(), np.random.default_rng(0).standard_normal(1000)
    >>> theta = M.theta_from(mean=np.zeros(1000), variance=np.full(1000, 1.0))
    >>> law = ig.boosting.Prediction(M, theta)
    >>> ax = ig.boosting.plot_reliability(law, y, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('predicted probability', 'observed share')
    """
    ax, q = axes_or_new(ax, (4.0, 3.4)), np.linspace(0.0, 1.0, 101)
    share = np.concatenate([[0.0], reliability(prediction, y, q[1:-1]), [1.0]])
    band = 1.96 * np.sqrt(q * (1.0 - q) / len(prediction))
    ax.fill_between(q, q - band, q + band, color="0.6", alpha=0.35, lw=0)
    ax.plot(q, q, color="0.3", lw=1)
    ax.plot(q, share, color="#4477aa", lw=2)
    ax.set(xlabel="predicted probability", ylabel="observed share", xlim=(0, 1), ylim=(0, 1))
    return ax
