"""Classification by boosted log-odds."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import DomainError, from_extra
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from .charts import ParameterChart
from .estimator import DistributionBooster
from .leaves import LeafMetric
from .scoring import LogScore

with from_extra("the estimators need scikit-learn", "boosting"):
    from sklearn.base import ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d

__all__ = ["NaturalGradientBoostingClassifier"]


class NaturalGradientBoostingClassifier(ClassifierMixin, DistributionBooster):        # type: ignore[misc]
    """Trees that predict class probabilities: `Bernoulli` of two classes, `Categorical` of more, in log-odds.

    The leaf form stops where the data say no more: pointwise natural gradients of probabilities near 0 and 1 run away.

    Parameters
    ----------
    scoring_rule : ScoringRule, or its class
        `LogScore` or `Brier`.
    chart, leaf, max_iter, learning_rate, …
        As of `NaturalGradientBoostingRegressor`.

    Attributes
    ----------
    classes_ : array of the labels, sorted
    family_, n_iter_, …
        As of `NaturalGradientBoostingRegressor`.

    Examples
    --------
    >>> from infogeo.boosting import NaturalGradientBoostingClassifier
    >>> X = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> est = NaturalGradientBoostingClassifier(max_iter=10, learning_rate=0.3)
    >>> est.fit(X, y).predict([[0.5, 0.5], [-0.5, 0.5]]).tolist()
    ['same', 'other']
    """

    def __init__(self, *, scoring_rule: Any = LogScore, chart: Any = None, leaf: Any = LeafMetric, max_iter: int = 500,
                 learning_rate: Any = 0.05, max_leaf_nodes: Any = 8, max_depth: Any = None, min_samples_leaf: Any = 20,
                 l2_regularization: Any = 0.0, subsample: float = 1.0, max_features: float = 1.0, max_bins: int = 255,
                 categorical_features: Any = "from_dtype", monotonic_cst: Any = None, early_stopping: Any = "auto",
                 validation_fraction: float = 0.1, n_iter_no_change: int = 20, tol: float = 0.0, warm_start: bool = False,
                 n_jobs: int | None = None, verbose: int = 0, random_state: Any = None) -> None:
        super().__init__(
            scoring_rule=scoring_rule, chart=chart, leaf=leaf, max_iter=max_iter, learning_rate=learning_rate,
            max_leaf_nodes=max_leaf_nodes, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            l2_regularization=l2_regularization, subsample=subsample, max_features=max_features, max_bins=max_bins,
            categorical_features=categorical_features, monotonic_cst=monotonic_cst, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change, tol=tol, warm_start=warm_start,
            n_jobs=n_jobs, verbose=verbose, random_state=random_state)

    def _family_of(self, y: Array) -> ExponentialFamily:
        k = len(self.classes_)
        return Bernoulli() if k == 2 else Categorical(k)

    def _observations(self, y: Any, first: bool) -> Array:
        """The number of the class of every row."""
        y = column_or_1d(y, warn=True)
        if first:
            check_classification_targets(y)
            self.classes_ = np.unique(y)
        place = np.searchsorted(self.classes_, y)
        known = self.classes_[np.minimum(place, len(self.classes_) - 1)] == y
        if not np.all(known):
            raise ValueError(f"y must be of the classes of the training data, {', '.join(map(str, self.classes_))}; got "
                             f"{np.asarray(y)[~known][0]}")
        if first and len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes or more; y has one class, {self.classes_[0]}: there is nothing "
                             "to tell apart")
        return place.astype(float)

    def _marginal(self, family: ExponentialFamily, chart: ParameterChart, y: Array, weights: Array) -> Array:
        missing = np.bincount(y.astype(int), weights, len(self.classes_)) == 0
        if np.any(missing):
            raise DomainError(f"class {self.classes_[missing][0]} has no row of positive weight")
        return family.fit(y, weights)

    def _strata(self, y: Array) -> Array | None:
        return y if np.min(np.unique(y, return_counts=True)[1]) > 1 else None

    def predict_proba(self, X: Any) -> Array:
        """The probability of every class, shape (n, classes), in the order of `classes_`."""
        return self._probabilities(self.predict_dist(X).parameters)

    def _probabilities(self, parameters: dict[str, Array]) -> Array:
        if len(self.classes_) > 2:
            return parameters["probabilities"]
        p = parameters["probability"]
        return np.stack([1.0 - p, p], axis=-1)

    def predict(self, X: Any) -> Array:
        """The most probable class, shape (n,)."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def staged_predict_proba(self, X: Any) -> Iterator[Array]:
        """`predict_proba` after each stage."""
        return (self._probabilities(law.parameters) for law in self.staged_predict_dist(X))

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """`predict` after each stage."""
        return (self.classes_[np.argmax(p, axis=1)] for p in self.staged_predict_proba(X))
