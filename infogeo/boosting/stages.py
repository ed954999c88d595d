"""The loop of boosting: natural gradients of every row, a tree for each coordinate, until no more is gained."""
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..arrays.memo import standing
from ..backend import Array
from ..errors import DomainError, first_bad, require
from .charts import ParameterChart
from .engine import Trees
from .leaves import Leaf
from .scoring import ScoringRule

__all__ = ["History", "MeanScore", "boost"]

REMEDY = "A smaller learning_rate, larger leaves, fewer stages, or leaf=LeafMetric() in place of Pointwise() will hold them back"


@dataclass
class MeanScore:
    """What is minimised: the mean of a score over rows, in the coordinates of a chart.

    Attributes
    ----------
    base, unit : arrays (d,)
        u of the marginal law, and the units of its coordinates: u = base + unit · (sum of the leaves).
    """

    chart: ParameterChart
    rule: ScoringRule
    leaf: Leaf
    base: Array
    unit: Array

    def at(self, scores: Array) -> tuple[Array, Array]:
        """(u, θ) of sums of leaves."""
        u = self.base + self.unit * scores
        with np.errstate(all="ignore"):
            return u, self.chart.to_theta(u)

    def mean_score(self, theta: Array, y: Array, weights: Array) -> float:
        try:
            with np.errstate(all="ignore"):
                value = self.rule.value(self.chart.family, theta, y)
        except DomainError as error:
            raise DomainError(f"the laws leave the family: {error}. {REMEDY}") from error
        return float(np.sum(weights * value) / np.sum(weights))

    def rows(self, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        """The gradient and the information of every row, finite."""
        with np.errstate(all="ignore"):
            gradient, information = self.leaf.rows(self.rule, self.chart, u, theta, y, self.unit)
        if not np.isfinite(np.sum(gradient) + np.sum(information)):
            good = np.all(np.isfinite(gradient) & np.isfinite(information), axis=-1)
            count, first = first_bad(~good)
            raise DomainError(f"the natural gradient is beyond the numbers in {count} rows, first at row {first[0]}, where "
                              f"{_told(self.chart, u[first])}. {REMEDY}")
        return gradient, information


def _told(chart: ParameterChart, u: Array) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(chart.columns, u))


def unit_of(chart: ParameterChart, rule: ScoringRule, base: Array, theta: Array) -> Array:
    """M_jj^{−1/2} at the marginal law, shape (d,)."""
    diagonal = np.diagonal(rule.metric(chart, base[None], theta[None])[0])
    good = np.isfinite(diagonal) & (diagonal > 0)
    require("the information of every coordinate at the marginal law", "a positive number", good, diagonal)
    return 1.0 / np.sqrt(diagonal)


@dataclass
class History:
    """The course of a run: scores before each stage and at the end, and the trees that there were after each."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    counts: list[list[int]] = field(default_factory=list)


def boost(aim: MeanScore, trees: Trees, y: Array, weights: Array, stages: int, history: History,
          valid: tuple[Array, Array] | None, patience: Callable[[list[float]], bool], report: Callable[[History], None],
          random: bool) -> None:
    """Grow up to `stages` stages in all, adding to the history.

    Parameters
    ----------
    valid : (y, weights) of the validation rows, or None
    patience : callable (validation scores) -> bool
        Whether to stop.
    random : bool
        Whether rows or features are drawn: then a stage without a split says nothing of the next.
    """
    with standing() as stand:           # the score and the gradient of a stage share what is known of its laws
        u, theta = aim.at(trees.scores())
        stand(theta)
        _note(aim, trees, theta, y, weights, history, valid)
        while len(history.counts) < stages and not (valid and patience(history.validation)):
            gradient, information = aim.rows(u, theta, y)
            grown = trees.grow(gradient * weights[:, None], information * weights[:, None])
            if not grown and not random:
                break                   # no leaf can be split, now or later
            u, theta = aim.at(trees.scores())
            stand(theta)
            history.counts.append(trees.counts())
            _note(aim, trees, theta, y, weights, history, valid)
            report(history)


def _note(aim: MeanScore, trees: Trees, theta: Array, y: Array, weights: Array, history: History,
          valid: tuple[Array, Array] | None) -> None:
    if len(history.train) > len(history.counts):            # of the last stage of an earlier run
        return
    history.train.append(aim.mean_score(theta, y, weights))
    if valid is not None:
        history.validation.append(aim.mean_score(aim.at(trees.valid_scores())[1], *valid))
