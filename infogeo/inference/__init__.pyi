# variational posteriors
# information theory
# models with data
from .bayesian_mixture import BayesianMixture as BayesianMixture
from .capacity import Capacity as Capacity
from .capacity import Guaranteed as Guaranteed
from .capacity import RateDistortion as RateDistortion
from .capacity import channel_capacity as channel_capacity
from .capacity import rate_distortion as rate_distortion
from .conjugate_model import ConjugateModel as ConjugateModel
from .conjugate_model import ExactExpectation as ExactExpectation
from .coordinate import CoordinateUpdate as CoordinateUpdate
from .expectations import Expectation as Expectation
from .expectations import GaussianExpectation as GaussianExpectation
from .expectations import MonteCarloExpectation as MonteCarloExpectation
from .expectations import QuadratureExpectation as QuadratureExpectation
from .linear_regression import LinearRegression as LinearRegression
from .negative_elbo import NegativeELBO as NegativeELBO
from .regression import LogisticRegression as LogisticRegression
from .regression import PoissonRegression as PoissonRegression
from .regression import Regression as Regression
from .retraction import PrecisionRetraction as PrecisionRetraction
from .weight_posterior import WeightPosterior as WeightPosterior
