"""Regression that predicts a law."""
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..backend import Array
from ..errors import ShapeError, from_extra
from ..families.base import ExponentialFamily
from ..families.normal import Normal
from .calibration import ConformalLevel, plot_pit, plot_reliability
from .charts import ParameterChart
from .estimator import DistributionBooster
from .leaves import Pointwise
from .scoring import LogScore

with from_extra("the estimators need scikit-learn", "boosting"):
    from sklearn.base import RegressorMixin
    from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

__all__ = ["Intervals", "NaturalGradientBoostingRegressor", "family_object"]


def family_object(family: Any) -> ExponentialFamily:
    """The family, of which the class may be given."""
    if isinstance(family, type) and issubclass(family, ExponentialFamily):
        try:
            return family()
        except TypeError as error:
            raise TypeError(f"family {family.__name__} has to be told more than its class: {error}") from error
    if not isinstance(family, ExponentialFamily):
        raise TypeError(f"family must be an infogeo.ExponentialFamily, such as infogeo.Normal() or infogeo.Gamma(); got "
                        f"{family!r}. Laws that are no exponential families (Student t, a negative binomial of unknown size) "
                        "cannot be boosted here")
    return family


class Intervals(DistributionBooster):
    """What is asked of laws on the line: quantiles and intervals."""

    def predict_quantiles(self, X: Any, q: Array) -> Array:
        """The q-quantiles, shape (n,) of one probability, (n, m) of m."""
        return self.predict_dist(X).quantile(q)

    def predict_interval(self, X: Any, level: float = 0.9) -> Array:
        """Central intervals, shape (n, 2), that hold y with this probability; after `calibrate`, conformal ones."""
        return self.predict_dist(X).interval(level)


class NaturalGradientBoostingRegressor(RegressorMixin, Intervals):      # type: ignore[misc]
    """Trees that predict the parameters of a family of laws of y, grown along natural gradients.

    Mathematically, u = u₀ + Σ_k learning_rate · tree_k(x) in a chart of the family, θ = θ(u): the tree of stage k fits minus the
    natural gradient of the score at the current θ of each row, one tree for every coordinate.

    Parameters
    ----------
    family : ExponentialFamily, or its class
        Of numbers, or of vectors for a y of several columns.
    scoring_rule : ScoringRule, or its class
        `LogScore` or `CRPS`.
    chart : ParameterChart, or its class, optional
        `default_chart` of the family: its ordinary parameters, positive ones by their logarithm.
    leaf : Leaf, or its class
        `Pointwise`, or `LeafMetric`, which does not run away where the metric degenerates.
    max_iter : int
        Stages: trees of each parameter.
    learning_rate, max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization : number, or a dict by parameter
        As in scikit-learn's `HistGradientBoostingRegressor`; ``{"mean": 0.1, "variance": 0.02}`` sets them one by one.
    subsample, max_features : float
        The share of rows of a stage, and of features of a split.
    max_bins : int
    categorical_features : "from_dtype", None, names, indices or mask
    monotonic_cst : dict, optional
        ``{"variance": {"x3": 1}}``: by parameter and feature, 1 for rising, -1 for falling.
    early_stopping : "auto", True or False
        "auto" holds a part of more than 10 000 rows back. A validation set given to `fit` is used in any case.
    validation_fraction, n_iter_no_change, tol
        The stages after which nothing is gained end the run; `n_iter_`, the best of them, is what predictions use.
    warm_start : bool
        Whether a further `fit`, of the same data, family and score, goes on where the last one ended.
    n_jobs : int, optional
        Threads; None is one.
    verbose : int
    random_state : int, numpy.random.RandomState or None

    Attributes
    ----------
    family_, chart_, base_theta_ : the family, the chart, and θ of the marginal law
    boosters_ : dict of lightgbm.Booster by coordinate
    n_iter_, train_score_, validation_score_ : stages in use; mean scores before the first stage and after each
    feature_importances_, feature_importances_names_, parameter_names_, n_features_in_, feature_names_in_

    Source: Duan et al., NGBoost: Natural gradient boosting for probabilistic prediction, ICML (2020).

    Examples
    --------
    >>> from infogeo.boosting import NaturalGradientBoostingRegressor
    >>> rng = np.random.default_rng(0)     # noise of variance 1, then 9
    >>> X = rng.uniform(-2, 2, (500, 1))
    >>> y = np.where(X[:, 0] < 0, 1.0, 3.0) * rng.standard_normal(500)
    >>> est = NaturalGradientBoostingRegressor(ig.Normal, max_iter=10,
    ...                                        learning_rate=0.3,
    ...                                        max_leaf_nodes=2)
    >>> est.fit(X, y).predict_dist([[-1.0], [1.0]]).variance.round()
    array([1., 8.])
    """

    def __init__(self, family: Any = Normal, *, scoring_rule: Any = LogScore, chart: Any = None, leaf: Any = Pointwise,
                 max_iter: int = 500, learning_rate: Any = 0.05, max_leaf_nodes: Any = 8, max_depth: Any = None,
                 min_samples_leaf: Any = 20, l2_regularization: Any = 0.0, subsample: float = 1.0, max_features: float = 1.0,
                 max_bins: int = 255, categorical_features: Any = "from_dtype", monotonic_cst: Any = None,
                 early_stopping: Any = "auto", validation_fraction: float = 0.1, n_iter_no_change: int = 20, tol: float = 0.0,
                 warm_start: bool = False, n_jobs: int | None = None, verbose: int = 0, random_state: Any = None) -> None:
        self.family = family
        super().__init__(
            scoring_rule=scoring_rule, chart=chart, leaf=leaf, max_iter=max_iter, learning_rate=learning_rate,
            max_leaf_nodes=max_leaf_nodes, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            l2_regularization=l2_regularization, subsample=subsample, max_features=max_features, max_bins=max_bins,
            categorical_features=categorical_features, monotonic_cst=monotonic_cst, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change, tol=tol, warm_start=warm_start,
            n_jobs=n_jobs, verbose=verbose, random_state=random_state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        shape = family_object(self.family).support.shape
        tags.target_tags.multi_output, tags.target_tags.single_output = len(shape) == 1, len(shape) == 0
        return tags

    def _family_of(self, y: Array) -> ExponentialFamily:
        return family_object(self.family)

    def _observations(self, y: Any, first: bool) -> Array:
        shape = family_object(self.family).support.shape
        if shape == ():
            y = column_or_1d(y, warn=True)
        y = check_array(y, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="y")
        if y.shape[1:] != shape:
            raise ShapeError(f"y must have shape (n{''.join(f', {size}' for size in shape)}) for {self.family!r}; got {y.shape}")
        return y

    def _marginal(self, family: ExponentialFamily, chart: ParameterChart, y: Array, weights: Array) -> Array:
        return family.fit(y, weights)

    def predict(self, X: Any) -> Array:
        """E[y | x], shape (n,), or (n, p) of vectors."""
        return self.predict_dist(X).mean

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """`predict` after each stage."""
        check_is_fitted(self)
        return (law.mean for law in self.staged_predict_dist(X))

    def calibrate(self, X: Any, y: Any) -> Self:
        """Widen or narrow the intervals so that they cover as often as asked, by data that `fit` has not seen.

        Of n rows, an interval of level l covers a further row with at least this probability, whatever the true law; see
        `ConformalLevel`. A level above n / (n + 1) gives the whole support.
        """
        self.__dict__.pop("_conformal", None)
        law = self.predict_dist(X)
        self._conformal = ConformalLevel(law, self._beside(law, y))
        return self

    def crps(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean of the continuous ranked probability score, in the units of y: smaller is better."""
        law = self.predict_dist(X)
        return self._mean_score(law.crps(self._beside(law, y)), sample_weight)

    def plot_pit(self, X: Any, y: Any, bins: int = 10, ax: Any = None) -> Any:
        """The histogram of the probability integral transforms of these rows."""
        law = self.predict_dist(X)
        return plot_pit(law, self._beside(law, y), bins, ax)

    def plot_reliability(self, X: Any, y: Any, ax: Any = None) -> Any:
        """The share of y below each predicted quantile."""
        law = self.predict_dist(X)
        return plot_reliability(law, self._beside(law, y), ax)
