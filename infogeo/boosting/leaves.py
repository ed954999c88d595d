"""What a leaf of a tree holds: the mean of natural gradients, or the natural gradient of the leaf's own parameter."""
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ..backend import Array
from ..errors import require
from .charts import ParameterChart
from .scoring import ScoringRule

__all__ = ["Leaf", "LeafMetric", "Pointwise"]


class Leaf(ABC):
    """The gradient g and the information h of every row, with which a leaf is −Σ w g / Σ w h, in marginal units.

    A unit of a coordinate is its standard deviation by the metric at the marginal law: gradients are of order 1, as trees hold
    them in float32.

    Examples
    --------
    >>> M = ig.Bernoulli()                          # p is ½ and 0.99, y is 0
    >>> chart = ig.boosting.NaturalChart(M)
    >>> theta, y = M.theta_from(probability=[0.5, 0.99]), np.array([0, 0])
    >>> for leaf in (ig.boosting.Pointwise(), ig.boosting.LeafMetric()):
    ...     g, h = leaf.rows(ig.boosting.LogScore(), chart, theta, theta, y,
    ...                      np.ones(1))
    ...     print(round(float(-g.sum() / h.sum()), 2))        # in log-odds
    -51.0
    -5.73
    """

    @abstractmethod
    def rows(self, rule: ScoringRule, chart: ParameterChart, u: Array, theta: Array, y: Array,
             unit: Array) -> tuple[Array, Array]:
        """(g, h), shapes (n, d)."""


@dataclass(frozen=True)
class Pointwise(Leaf):
    """The mean over the leaf of each row's natural gradient M⁻¹ ∂S, as NGBoost fits: h = 1.

    Where the metric degenerates, a confident class probability that is wrong, one row outweighs the others.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> chart = ig.boosting.NaturalChart(M)
    >>> theta = M.theta_from(probability=[0.5, 0.99])
    >>> g, h = ig.boosting.Pointwise().rows(ig.boosting.LogScore(), chart,
    ...                                     theta, theta, np.array([0, 0]),
    ...                                     np.ones(1))
    >>> -g[:, 0].round(2), h[:, 0]     # −1 / (1 − p): one row rules
    (array([  -2., -100.]), array([1., 1.]))
    """

    def rows(self, rule: ScoringRule, chart: ParameterChart, u: Array, theta: Array, y: Array,
             unit: Array) -> tuple[Array, Array]:
        gradient = rule.natural_gradient(chart, u, theta, y) / unit
        return gradient, np.ones_like(gradient)


@dataclass(frozen=True)
class LeafMetric(Leaf):
    """(Σ M)⁻¹ Σ ∂S: the natural gradient of a parameter that all rows of the leaf share, whose metric is the sum of theirs.

    Coordinate by coordinate, with the diagonal of M. A leaf whose rows tell less than `min_samples_leaf` rows tell at the
    marginal law is not split off, and no row counts for less than `floor` times the mean: growth stops where the data say no
    more.

    Parameters
    ----------
    floor : float
        Of the information of a row, as a share of the mean; in (0, 1].

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> chart = ig.boosting.NaturalChart(M)
    >>> theta = M.theta_from(probability=[0.5, 0.99])
    >>> g, h = ig.boosting.LeafMetric().rows(ig.boosting.LogScore(), chart,
    ...                                      theta, theta, np.array([0, 0]),
    ...                                      np.ones(1))
    >>> g[:, 0].round(4), h[:, 0].round(4)          # p − y, p (1 − p)
    (array([0.5 , 0.99]), array([0.25  , 0.0099]))
    """

    floor: float = 1e-3

    def __post_init__(self) -> None:
        require("floor", "0 < floor <= 1", 0 < self.floor <= 1, self.floor)

    def rows(self, rule: ScoringRule, chart: ParameterChart, u: Array, theta: Array, y: Array,
             unit: Array) -> tuple[Array, Array]:
        covector, diagonal = rule.lowered(chart, u, theta, y)
        information = diagonal * unit**2
        return covector * unit, np.maximum(information, self.floor * np.mean(information, axis=0))
