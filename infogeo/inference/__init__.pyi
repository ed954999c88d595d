# variational posteriors
# information theory
# models with data
from .bayesian_mixture import BayesianMixture as BayesianMixture
from .capacity import Capacity as Capacity
from .capacity import Guaranteed as Guaranteed
from .capacity import RateDistortion as RateDistortion
from .capacity import channel_capacity as channel_capacity
from .capacity import rate_distortion as rate_distortion
from .checks import Check as Check
from .checks import plot_check as plot_check
from .checks import plot_intervals as plot_intervals
from .checks import plot_ranks as plot_ranks
from .checks import predictive_check as predictive_check
from .checks import predictive_ranks as predictive_ranks
from .conjugate_model import ConjugateModel as ConjugateModel
from .conjugate_model import ExactExpectation as ExactExpectation
from .coordinate import CoordinateUpdate as CoordinateUpdate
from .expectations import Expectation as Expectation
from .expectations import GaussianExpectation as GaussianExpectation
from .expectations import MonteCarloExpectation as MonteCarloExpectation
from .expectations import QuadratureExpectation as QuadratureExpectation
# models with latent variables, for infogeo.statistics.em
from .experts import Experts as Experts
from .factor_analysis import FactorAnalysis as FactorAnalysis
from .factor_analysis import ProbabilisticPCA as ProbabilisticPCA
from .hidden_markov import HiddenMarkov as HiddenMarkov
from .linear_experts import LinearExperts as LinearExperts
from .linear_regression import LinearRegression as LinearRegression
from .low_rank_normal import LowRankNormal as LowRankNormal
from .missing_normal import MissingNormal as MissingNormal
from .negative_elbo import NegativeELBO as NegativeELBO
from .pathwise import PathwiseExpectation as PathwiseExpectation
# what is found
from .predictive import Predictive as Predictive
from .predictive import predictive as predictive
from .reference import Reference as Reference
from .reference import reference as reference
from .regression import LogisticRegression as LogisticRegression
from .regression import PoissonRegression as PoissonRegression
from .regression import Regression as Regression
from .retraction import PrecisionRetraction as PrecisionRetraction
from .vector_regression import SoftmaxRegression as SoftmaxRegression
from .vector_regression import VectorRegression as VectorRegression
from .weight_posterior import WeightPosterior as WeightPosterior
