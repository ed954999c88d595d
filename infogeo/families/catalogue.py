"""All exponential families by their names."""
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial, Multinomial
from .boltzmann import BoltzmannMachine
from .categorical import Categorical
from .chi import Chi, ChiSquared
from .complex_normal import ComplexNormal
from .continuous_bernoulli import ContinuousBernoulli
from .conway_maxwell_poisson import ConwayMaxwellPoisson
from .diagonal_normal import DiagonalNormal
from .dirichlet import Dirichlet
from .erlang import Erlang
from .exponential import Exponential
from .gamma import Gamma
from .generalized_dirichlet import GeneralizedDirichlet
from .generalized_inverse_gaussian import GeneralizedInverseGaussian
from .geometric import Geometric, NegativeBinomial
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .hierarchical import Hierarchical
from .inverse_gamma import InverseGamma
from .inverse_gaussian import InverseGaussian
from .isotropic_normal import IsotropicNormal
from .known_covariance import MatrixNormalKnownCovariances, MultivariateNormalKnownCovariance
from .laplace import Laplace
from .log_linear import LogLinear
from .log_normal import LogitNormal, LogNormal
from .log_series import LogSeries
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .normal_gamma import NormalGamma
from .normal_inverse_wishart import NormalInverseWishart
from .normal_known import NormalKnownMean, NormalKnownVariance
from .normal_wishart import NormalWishart
from .pareto import Pareto
from .poisson import Poisson
from .product import Independent, Product
from .truncated import Truncated
from .von_mises import VonMises
from .von_mises_fisher import VonMisesFisher
from .weibull import Rayleigh, Weibull
from .wishart import InverseWishart, Wishart
from .zeta import Zeta

__all__ = ["FAMILIES"]

FAMILIES = {cls.__name__: cls for cls in (
    # counts
    Bernoulli, Binomial, Categorical, ConwayMaxwellPoisson, Geometric, LogSeries, Multinomial, NegativeBinomial, Poisson, Zeta,
    # positive numbers
    Chi, ChiSquared, Erlang, Exponential, Gamma, GeneralizedInverseGaussian, HalfNormal, InverseGamma, InverseGaussian, LogNormal,
    Pareto, Rayleigh, Weibull,
    # unit interval and simplex
    Beta, ContinuousBernoulli, Dirichlet, GeneralizedDirichlet, LogitNormal,
    # the line
    Gumbel, Laplace, Normal, NormalKnownMean, NormalKnownVariance,
    # vectors and matrices
    ComplexNormal, DiagonalNormal, InverseWishart, IsotropicNormal, MatrixNormalKnownCovariances, MultivariateNormal,
    MultivariateNormalKnownCovariance, NormalGamma, NormalInverseWishart, NormalWishart, Wishart,
    # directions
    VonMises, VonMisesFisher,
    # finite state spaces
    BoltzmannMachine, Hierarchical, LogLinear,
    # compositions
    Independent, Product, Truncated,
)}
