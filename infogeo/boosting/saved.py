"""A fitted model as data: arrays, and the trees as LightGBM writes them."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import DomainError, ShapeError
from ..families.base import ExponentialFamily
from .charts import ParameterChart, default_chart
from .engine import Forest, booster_of
from .prediction import Prediction

__all__ = ["SavedModel"]


@dataclass(frozen=True)
class SavedModel:
    """What predictions need of a fitted estimator with the default chart.

    Attributes
    ----------
    chart : ParameterChart
    forest : Forest
    base, unit : arrays (d,)
    stages, features : int

    Examples
    --------
    >>> X, y = np.arange(40.0)[:, None], np.arange(40.0)
    >>> est = ig.boosting.NaturalGradientBoostingRegressor(max_iter=3)
    >>> est = est.fit(X, y)
    >>> arrays = ig.boosting.SavedModel.of(est).arrays()      # for numpy.savez
    >>> again = ig.boosting.SavedModel.from_arrays(ig.Normal(), arrays)
    >>> one, two = (model.predict_dist(X).theta for model in (est, again))
    >>> bool(np.array_equal(one, two))
    True
    """

    chart: ParameterChart
    forest: Forest
    base: Array
    unit: Array
    stages: int
    features: int

    @classmethod
    def of(cls, model: Any) -> "SavedModel":
        """Of an estimator.

        Raises
        ------
        DomainError
            Where it has a chart of its own.
        """
        if model.chart is not None:
            raise DomainError("a model with a chart of its own is no data; save it with pickle or joblib")
        aim = model._aim
        return cls(model.chart_, model._forest, aim.base, aim.unit, model.n_iter_, model.n_features_in_)

    def arrays(self) -> dict[str, Array]:
        """By name, as `from_arrays` takes them."""
        trees = np.asarray([booster.model_to_string() for booster in self.forest.boosters])
        return {"trees": trees, "counts": self.forest.counts, "base": self.base, "unit": self.unit,
                "stages": np.asarray(self.stages), "features": np.asarray(self.features)}

    @classmethod
    def from_arrays(cls, family: ExponentialFamily, arrays: Mapping[str, Array]) -> "SavedModel":
        """The model of a family."""
        boosters = [booster_of(str(text)) for text in arrays["trees"]]
        return cls(default_chart(family), Forest(boosters, arrays["counts"], 1), arrays["base"], arrays["unit"],
                   int(arrays["stages"]), int(arrays["features"]))

    def predict_dist(self, X: Array) -> Prediction:
        """The predicted law of every row of numbers (n, features)."""
        if X.ndim != 2 or X.shape[1] != self.features:
            raise ShapeError(f"X must have shape (n, {self.features}); got {X.shape}")
        u = self.base + self.unit * self.forest.scores(X, self.stages)
        return Prediction(self.chart.family, self.chart.to_theta(u))
