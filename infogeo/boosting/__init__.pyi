# estimators
# what they predict, and whether it is right
from .calibration import ConformalLevel as ConformalLevel
from .calibration import pit_histogram as pit_histogram
from .calibration import plot_pit as plot_pit
from .calibration import plot_reliability as plot_reliability
from .calibration import reliability as reliability
# charts
from .charts import ExpectationChart as ExpectationChart
from .charts import NaturalChart as NaturalChart
from .charts import OrdinaryChart as OrdinaryChart
from .charts import ParameterChart as ParameterChart
from .charts import default_chart as default_chart
from .classifier import NaturalGradientBoostingClassifier as NaturalGradientBoostingClassifier
from .estimator import log_scorer as log_scorer
# scores and leaves
from .leaves import Leaf as Leaf
from .leaves import LeafMetric as LeafMetric
from .leaves import Pointwise as Pointwise
from .prediction import Prediction as Prediction
from .saved import SavedModel as SavedModel
from .regressor import NaturalGradientBoostingRegressor as NaturalGradientBoostingRegressor
from .scoring import CRPS as CRPS
from .scoring import Brier as Brier
from .scoring import LogScore as LogScore
from .scoring import ScoringRule as ScoringRule
from .survival import NaturalGradientBoostingSurvival as NaturalGradientBoostingSurvival
