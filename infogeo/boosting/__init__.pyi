# estimators
from .classifier import NaturalGradientBoostingClassifier as NaturalGradientBoostingClassifier
from .estimator import log_scorer as log_scorer
from .regressor import NaturalGradientBoostingRegressor as NaturalGradientBoostingRegressor
from .survival import NaturalGradientBoostingSurvival as NaturalGradientBoostingSurvival

# what they predict, and whether it is right
from .calibration import (
    ConformalLevel as ConformalLevel, pit_histogram as pit_histogram, plot_pit as plot_pit, plot_reliability as plot_reliability,
    reliability as reliability,
)
from .prediction import Prediction as Prediction
from .saved import SavedModel as SavedModel

# scores and leaves
from .leaves import Leaf as Leaf, LeafMetric as LeafMetric, Pointwise as Pointwise
from .scoring import CRPS as CRPS, Brier as Brier, LogScore as LogScore, ScoringRule as ScoringRule

# charts
from .charts import (
    ExpectationChart as ExpectationChart, NaturalChart as NaturalChart, OrdinaryChart as OrdinaryChart,
    ParameterChart as ParameterChart, default_chart as default_chart,
)
