"""Times to an event, of which some are known by bounds alone."""
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..backend import Array
from ..errors import DomainError, from_extra, made
from ..families.base import ExponentialFamily
from ..families.log_normal import LogNormal
from .censoring import CensoredLogScore, censored
from .charts import ParameterChart
from .leaves import Pointwise
from .regressor import Intervals, family_object
from .scoring import LogScore, ScoringRule

with from_extra("the estimators need scikit-learn", "boosting"):
    from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

__all__ = ["NaturalGradientBoostingSurvival"]


class NaturalGradientBoostingSurvival(Intervals):
    """Trees that predict the law of a time that is seen, or known to lie in an interval, from an entry on.

    Mathematically, the score of a row is −log p(y) of an event, −log P(lower < y ≤ upper) where the time is censored (∞ above:
    from the right; −∞ below: from the left), plus log P(y > entry) for a row that could only be seen from its entry on.

    y is an array of times, of (lower, upper) or (lower, upper, entry), or structured with the fields `event` and `time`, or
    `lower` and `upper`, and perhaps `entry`.

    Parameters
    ----------
    family : ExponentialFamily, or its class
        Of numbers.
    scoring_rule : LogScore
    chart, leaf, max_iter, learning_rate, …
        As of `NaturalGradientBoostingRegressor`.

    Examples
    --------
    >>> from infogeo.boosting import NaturalGradientBoostingSurvival
    >>> rng = np.random.default_rng(0)     # means 1 and 3, seen up to 2
    >>> X = rng.integers(0, 2, (500, 1)).astype(float)
    >>> time = rng.exponential(1 + 2 * X[:, 0])
    >>> y = np.stack([time.clip(max=2), np.where(time > 2, np.inf, time)], -1)
    >>> est = NaturalGradientBoostingSurvival(ig.Exponential, max_iter=20,
    ...                                       learning_rate=0.3)
    >>> est.fit(X, y).predict_dist([[0.0], [1.0]]).mean.round()
    array([1., 3.])
    """

    def __init__(self, family: Any = LogNormal, *, scoring_rule: Any = LogScore, chart: Any = None, leaf: Any = Pointwise,
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
        tags.target_tags.required = True
        tags.target_tags.positive_only = bool(getattr(family_object(self.family).support, "lower", -np.inf) >= 0)
        return tags

    def _family_of(self, y: Array) -> ExponentialFamily:
        family = family_object(self.family)
        if family.support.shape:
            raise TypeError(f"a survival time is one number; {family!r} has observations of shape {family.support.shape}")
        return family

    def _rule(self) -> ScoringRule:
        if not isinstance(made("scoring_rule", self.scoring_rule, ScoringRule), LogScore):
            raise TypeError(f"censored observations are scored by LogScore(); got {self.scoring_rule!r}")
        return CensoredLogScore()

    def _observations(self, y: Any, first: bool) -> Array:
        if not hasattr(y, "to_records") and np.asarray(y).dtype.names is None:
            y = np.asarray(y)
            if y.ndim < 2 or y.shape[1] == 1:
                y = column_or_1d(y, warn=True)
                check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        return censored(y)

    def _require(self, family: ExponentialFamily, y: Array) -> None:
        event = y[:, 0] == y[:, 1]
        if np.any(event):
            family.require_observations("y", y[event, 0])
        if np.all(y[:, 1] == np.inf):
            raise DomainError(f"y has no event: all {len(y)} times are censored from the right, which say that times are long "
                              "and not how long; wait for events, or give upper bounds")

    def _marginal(self, family: ExponentialFamily, chart: ParameterChart, y: Array, weights: Array) -> Array:
        """By a quasi-Newton method in the chart, from the fit to one time in every interval."""
        lower, upper = y[:, 0], y[:, 1]
        with np.errstate(invalid="ignore"):
            middle = np.where(upper == np.inf, lower, np.where(lower == -np.inf, upper, 0.5 * (lower + upper)))
        kept = family.support.interior(middle)
        start = chart.from_theta(family.fit(middle[kept], weights[kept]))
        rule, shares = CensoredLogScore(), weights / np.sum(weights)

        def mean_score(u: Array) -> tuple[float, Array]:
            rows = np.broadcast_to(u, (len(y), len(u)))
            with np.errstate(all="ignore"):
                theta = chart.to_theta(rows)
                value, slope = rule.value(family, theta, y), rule.covector(chart, rows, theta, y)
            good = bool(np.all(np.isfinite(value)) and np.all(np.isfinite(slope)))
            return (float(shares @ value), shares @ slope) if good else (np.inf, np.zeros_like(u))

        found = minimize(mean_score, start, jac=True, method="BFGS", options={"gtol": 1e-8})
        if not np.all(np.isfinite(found.x)) or np.max(np.abs(found.jac)) > 1e-3:
            raise DomainError(f"the marginal law was not found: {found.message}")
        return chart.to_theta(found.x)

    def log_score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean of the score of what was seen, nats: smaller is better."""
        law = self.predict_dist(X)
        values = CensoredLogScore().value(law.family, law.theta, self._beside(law, y))
        return self._mean_score(values, sample_weight)

    def predict(self, X: Any) -> Array:
        """E[y | x], shape (n,)."""
        return self.predict_dist(X).mean

    def predict_survival(self, X: Any, times: Array) -> Array:
        """P(y > t | x), shape (n,) of one time, (n, m) of m."""
        law, times = self.predict_dist(X), np.asarray(times, dtype=float)
        return law.family.survival(law.theta if times.ndim == 0 else law.theta[:, None, :], times)

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """`predict` after each stage."""
        check_is_fitted(self)
        return (law.mean for law in self.staged_predict_dist(X))

    def score(self, X: Any, y: Any) -> float:
        """The concordance of predicted medians: of the pairs of rows of which one is known to come first, the share that is told.

        Source: Harrell, Lee & Mark, Statist. Med. 15 (1996).
        """
        return _concordance(self.predict_quantiles(X, 0.5), self._observations(y, first=False))


def _concordance(predicted: Array, y: Array) -> float:
    told = pairs = 0.0
    for i in range(len(y)):
        later = (y[:, 0] > y[i, 1]) | (y[:, 0] == y[i, 1]) & (y[:, 1] > y[i, 1])        # known to come after row i
        pairs += float(np.sum(later))
        told += float(np.sum(predicted[later] > predicted[i]) + 0.5 * np.sum(predicted[later] == predicted[i]))
    return told / pairs if pairs else 0.5
