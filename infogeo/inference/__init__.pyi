# variational posteriors
# information theory
from .capacity import Capacity as Capacity
from .capacity import Guaranteed as Guaranteed
from .capacity import RateDistortion as RateDistortion
from .capacity import channel_capacity as channel_capacity
from .capacity import rate_distortion as rate_distortion
from .expectations import Expectation as Expectation
from .expectations import GaussianExpectation as GaussianExpectation
from .expectations import MonteCarloExpectation as MonteCarloExpectation
from .expectations import QuadratureExpectation as QuadratureExpectation
from .negative_elbo import NegativeELBO as NegativeELBO
# models with data
from .regression import LogisticRegression as LogisticRegression
from .regression import PoissonRegression as PoissonRegression
from .regression import Regression as Regression
from .retraction import PrecisionRetraction as PrecisionRetraction
from .weight_posterior import WeightPosterior as WeightPosterior
