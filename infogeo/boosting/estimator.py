"""What the estimators share: data in, trees, laws out."""
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np

from ..arrays.from_any_library import FromAnyLibrary
from ..arrays.weights import sample_weights
from ..backend import Array
from ..errors import DomainError, from_extra, made, require, require_count, require_tolerance
from ..families.base import ExponentialFamily
from .charts import ParameterChart, default_chart
from .engine import Forest, Trees
from .features import Categories
from .leaves import Leaf
from .prediction import Prediction
from .scoring import ScoringRule
from .settings import threads, tree_settings
from .stages import History, MeanScore, boost, unit_of

with from_extra("the estimators need scikit-learn", "boosting"):
    from sklearn.base import BaseEstimator
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

__all__ = ["DistributionBooster", "log_scorer"]

MANY = 10_000           # rows from which "auto" stops early, as scikit-learn's histogram gradient boosting


class DistributionBooster(FromAnyLibrary, BaseEstimator):         # type: ignore[misc]
    """Boosting of the parameters of a family; the regressor, the classifier and the survival estimator are of this kind."""

    family_: ExponentialFamily
    chart_: ParameterChart
    base_theta_: Array
    boosters_: dict[str, Any]
    n_iter_: int
    train_score_: Array
    validation_score_: Array | None
    _seed: int
    _history: History
    _forest: Forest
    _aim: MeanScore
    _categories: Categories

    def __init__(self, *, scoring_rule: Any, chart: Any, leaf: Any, max_iter: int, learning_rate: Any, max_leaf_nodes: Any,
                 max_depth: Any, min_samples_leaf: Any, l2_regularization: Any, subsample: float, max_features: float,
                 max_bins: int, categorical_features: Any, monotonic_cst: Any, early_stopping: Any, validation_fraction: float,
                 n_iter_no_change: int, tol: float, warm_start: bool, n_jobs: int | None, verbose: int,
                 random_state: Any) -> None:
        self.scoring_rule = scoring_rule
        self.chart = chart
        self.leaf = leaf
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.subsample = subsample
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    # What the three kinds differ in

    @abstractmethod
    def _family_of(self, y: Array) -> ExponentialFamily:
        """The family of prepared observations."""

    @abstractmethod
    def _observations(self, y: Any, first: bool) -> Array:
        """y as an array of floats; with `first`, that of the training data."""

    def _rule(self) -> ScoringRule:
        rule: ScoringRule = made("scoring_rule", self.scoring_rule, ScoringRule)
        return rule

    def _leaf(self) -> Leaf:
        leaf: Leaf = made("leaf", self.leaf, Leaf)
        return leaf

    @abstractmethod
    def _marginal(self, family: ExponentialFamily, chart: ParameterChart, y: Array, weights: Array) -> Array:
        """θ of the marginal law."""

    def _require(self, family: ExponentialFamily, y: Array) -> None:
        """Nothing, if these observations are ones of the family."""
        family.require_observations("y", y)

    def _strata(self, y: Array) -> Array | None:
        """Labels of which a validation set is to have its share."""
        return None

    # Fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None,
            sample_weight_val: Any = None) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : array or DataFrame, shape (n, p)
            NaN is a value of its own: missing. DataFrames keep their names and categories.
        y : array, shape (n,), or (n, …) for a family of vectors
        sample_weight : array, shape (n,), optional
            A weight of 2 is a row that is there twice, in leaves and scores, and in splits where bins hold several rows; rows of
            weight 0 are left out.
        X_val, y_val, sample_weight_val : optional
            A validation set, which then decides when to stop; it is never replaced.

        Raises
        ------
        DomainError, ShapeError, ValueError
            For y outside the support, weights that are negative, a sample without a marginal law, such as one of a constant y.
        """
        self._check_settings()
        again = self.warm_start and hasattr(self, "_history")
        self.__dict__.pop("_conformal", None)           # of the laws before
        rng = check_random_state(self.random_state)
        seed = self._seed if again else int(rng.randint(2**31 - 1))
        X, y, weights = self._data(X, y, sample_weight, first=not again)
        if not np.any(X != X[:1]):              # of such a sample LightGBM says: Check failed: (train_data->num_features()) > (0)
            raise DomainError("X must have a feature that is not constant: there is nothing to split")
        family = self._family_of(y)
        self._require(family, y)
        valid = self._validation(X_val, y_val, sample_weight_val)
        if valid is None and self._stops_early(len(y)):
            X, y, weights, valid = self._split(X, y, weights, seed)
        if again:
            self._go_on(family)
        else:
            self._seed, self._history = seed, History()
            self._start(family, y, weights)
        self._grow(X, y, weights, valid, self._forest.boosters if again else None)
        return self

    def _check_settings(self) -> None:
        require_count("max_iter", self.max_iter, 0)
        require_count("n_iter_no_change", self.n_iter_no_change)
        require_count("max_bins", self.max_bins, 2)
        require_count("verbose", self.verbose, 0)
        require_tolerance(self.tol)
        for name in ("subsample", "max_features"):
            value = getattr(self, name)
            require(name, f"0 < {name} <= 1", isinstance(value, Real) and 0 < float(value) <= 1, value)
        share = self.validation_fraction
        require("validation_fraction", "0 < validation_fraction < 1", isinstance(share, Real) and 0 < float(share) < 1, share)
        require("early_stopping", 'True, False or "auto"', self.early_stopping in (True, False, "auto"), str(self.early_stopping))
        self._rule(), self._leaf()

    def _data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Array, Array, Array]:
        """Training data as arrays of floats, without the rows of weight 0."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        X = self._features(X, first)
        y = self._observations(y, first)
        check_consistent_length(X, y)
        weights = sample_weights(sample_weight, len(X))
        kept = weights > 0
        if not np.any(kept):
            raise DomainError("sample_weight is zero for every row: there is nothing to fit")
        return (X, y, weights) if np.all(kept) else (X[kept], y[kept], weights[kept])

    def _features(self, X: Any, first: bool) -> Array:
        if first:
            self._categories = Categories(X, self.categorical_features)
        return validate_data(self, self._categories.encoded(X), dtype=np.float64, ensure_all_finite="allow-nan", reset=first,
                             ensure_min_samples=2 if first else 1)

    def _stops_early(self, n: int) -> bool:
        return self.early_stopping is True or self.early_stopping == "auto" and n > MANY

    def _validation(self, X: Any, y: Any, sample_weight: Any) -> tuple[Array, Array, Array] | None:
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val belong together, and sample_weight_val to both; got a part of them")
        valid = self._data(X, y, sample_weight, first=False)
        self._require(self._family_of(valid[1]), valid[1])
        return valid

    def _split(self, X: Array, y: Array, weights: Array, seed: int) -> tuple[Array, Array, Array, tuple[Array, Array, Array]]:
        X, held, y, y_held, weights, w_held = train_test_split(
            X, y, weights, test_size=self.validation_fraction, random_state=seed, stratify=self._strata(y))
        return X, y, weights, (held, y_held, w_held)

    def _go_on(self, family: ExponentialFamily) -> None:
        """With the trees that there are, of the same family and score; the leaves of further ones may be of another form."""
        if family != self.family_ or self._rule() != self._aim.rule:
            raise ValueError(f"warm_start=True goes on with {self.family_!r} and {self._aim.rule!r}; got {family!r} and "
                             f"{self._rule()!r}")
        self._aim.leaf = self._leaf()

    def _start(self, family: ExponentialFamily, y: Array, weights: Array) -> None:
        """The marginal law, and the units of the coordinates there."""
        chart = default_chart(family) if self.chart is None else self.chart(family) if callable(self.chart) else self.chart
        if not isinstance(chart, ParameterChart) or chart.family != family:
            raise TypeError(f"chart must be a ParameterChart of {family!r}, or a class of them; got {self.chart!r}")
        self._rule().require(chart)
        try:
            theta = self._marginal(family, chart, y, weights)
        except (DomainError, ValueError) as error:
            raise DomainError(f"boosting starts at the marginal law of y, and there is none: {error}. A y that does not vary "
                              "needs no model; a family with fewer parameters, or on the support of y, may have one") from error
        base = chart.from_theta(theta)
        self.family_, self.chart_, self.base_theta_ = family, chart, theta
        self._aim = MeanScore(chart, self._rule(), self._leaf(), base, unit_of(chart, self._rule(), base, theta))

    def _grow(self, X: Array, y: Array, weights: Array, valid: tuple[Array, Array, Array] | None,
              grown: Sequence[Any] | None) -> None:
        aim, history = self._aim, self._history
        if grown is None or len(history.counts) < self.max_iter:
            names = list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None
            settings = tree_settings(self, self.chart_, names, self.n_features_in_)
            data = {"max_bin": self.max_bins, "num_threads": threads(self.n_jobs), "seed": self._seed}
            trees = Trees(X, None if valid is None else valid[0], settings, data, self._categories.columns, grown)
            boost(aim, trees, y, weights, self.max_iter, history, None if valid is None else valid[1:], self._is_over,
                  self._report, self.subsample < 1 or self.max_features < 1)
            counts = np.reshape(np.asarray(history.counts, dtype=int), (-1, len(aim.base)))
            self._forest = Forest(trees.boosters, counts, threads(self.n_jobs))
        self.boosters_ = dict(zip(self.chart_.columns, self._forest.boosters))
        self.train_score_ = np.asarray(history.train)
        self.validation_score_ = np.asarray(history.validation) if history.validation else None
        stages = len(history.counts)
        followed = len(history.validation) == stages + 1
        self.n_iter_ = int(np.argmin(history.validation)) if followed else stages

    def _is_over(self, scores: list[float]) -> bool:
        """Whether the last n_iter_no_change stages gained no more than tol on the best before."""
        n = self.n_iter_no_change
        return len(scores) > n and min(scores[-n:]) >= min(scores[:-n]) - self.tol

    def _report(self, history: History) -> None:
        stage = len(history.counts)
        if self.verbose and (stage % 10 == 0 or self.verbose > 1):
            held = f", validation {history.validation[-1]:.6g}" if history.validation else ""
            print(f"stage {stage}: {self._rule().name} {history.train[-1]:.6g}{held}")

    # Predicting

    def _scores(self, X: Any) -> Array:
        return self._forest.scores(self._features(X, first=False), self.n_iter_)

    def _law(self, theta: Array) -> Prediction:
        return Prediction(self.family_, theta, getattr(self, "_conformal", None))

    def predict_dist(self, X: Any) -> Prediction:
        """The predicted law of every row."""
        check_is_fitted(self)
        return self._law(self._aim.at(self._scores(X))[1])

    def predict_parameters(self, X: Any) -> Any:
        """The ordinary parameters, shape (n, k), in the order of `parameter_names_`; of a DataFrame one with these names."""
        found = self.predict_dist(X).parameters
        table = np.concatenate([np.reshape(value, (len(value), -1)) for value in found.values()], axis=1)
        if hasattr(X, "iloc"):
            return type(X)(table, index=X.index, columns=self.parameter_names_)
        return table

    @property
    def parameter_names_(self) -> list[str]:
        """The names of the columns of `predict_parameters`."""
        check_is_fitted(self)
        return [name + (str(list(place)) if place else "") for name, domain in self.family_.ordinary.items()
                for place in np.ndindex(*domain.shape)]

    def staged_predict_dist(self, X: Any) -> Iterator[Prediction]:
        """The predicted laws after each stage, in one pass over the trees."""
        check_is_fitted(self)
        X = self._features(X, first=False)
        scores = np.zeros((len(X), len(self._aim.base)))
        for stage in range(self.n_iter_):
            scores += self._forest.scores(X, stage + 1, stage)
            yield self._law(self._aim.at(scores)[1])

    def log_score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean of −log p(y), nats: smaller is better."""
        law = self.predict_dist(X)
        return self._mean_score(-law.log_density(self._beside(law, y)), sample_weight)

    def _beside(self, law: Prediction, y: Any) -> Array:
        """The observations of the rows of these laws."""
        y = self._observations(y, first=False)
        check_consistent_length(law.theta, y)
        return y

    @staticmethod
    def _mean_score(values: Array, sample_weight: Any) -> float:
        return float(np.average(values, weights=sample_weights(sample_weight, len(values))))

    def explain(self, X: Any) -> Array:
        """Exact Shapley values of every feature in every coordinate, shape (n, d, p + 1), the last of them the mean.

        They sum to u, the coordinates of the predicted law in the chart; `feature_importances_names_` says what these are.

        Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees, Nat. Mach. Intell.
        2 (2020).
        """
        check_is_fitted(self)
        found = self._forest.contributions(self._features(X, first=False), self.n_iter_)
        found = found * self._aim.unit[:, None]
        found[:, :, -1] += self._aim.base
        return found

    @property
    def feature_importances_(self) -> Array:
        """The share of each feature in the gain of every coordinate, shape (d, p); 0 throughout where no tree has a split."""
        check_is_fitted(self)
        gains = self._forest.gains(self.n_features_in_, self.n_iter_)
        total = np.sum(gains, axis=1, keepdims=True)
        return gains / np.where(total > 0, total, 1.0)

    @property
    def feature_importances_names_(self) -> list[str]:
        """What the coordinates are, for instance `mean` and `log variance`."""
        check_is_fitted(self)
        return list(self.chart_.columns)


def log_scorer(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    """Minus the `log_score`, larger for better: ``GridSearchCV(model, grid, scoring=log_scorer)``.

    Examples
    --------
    >>> X, y = np.arange(40.0)[:, None], np.arange(40.0)
    >>> est = ig.boosting.NaturalGradientBoostingRegressor(max_iter=3)
    >>> est = est.fit(X, y)
    >>> ig.boosting.log_scorer(est, X, y) == -est.log_score(X, y)
    True
    """
    if isinstance(model, type) or not hasattr(model, "log_score"):
        raise TypeError(f"log_scorer takes an estimator with a log_score, such as those of infogeo.boosting; got {model!r}")
    return -float(model.log_score(X, y, sample_weight))
