# manifolds
from .families.base import ExponentialFamily as ExponentialFamily
from .geometry.manifolds.manifold import Dual as Dual, DuallyFlat as DuallyFlat, Riemannian as Riemannian

# families: counts
from .families.bernoulli import Bernoulli as Bernoulli
from .families.binomial import Binomial as Binomial, Multinomial as Multinomial
from .families.categorical import Categorical as Categorical
from .families.conway_maxwell_poisson import ConwayMaxwellPoisson as ConwayMaxwellPoisson
from .families.geometric import Geometric as Geometric, NegativeBinomial as NegativeBinomial
from .families.log_series import LogSeries as LogSeries
from .families.poisson import Poisson as Poisson
from .families.zeta import Zeta as Zeta

# families: positive numbers
from .families.chi import Chi as Chi, ChiSquared as ChiSquared
from .families.erlang import Erlang as Erlang
from .families.exponential import Exponential as Exponential
from .families.gamma import Gamma as Gamma
from .families.generalized_inverse_gaussian import GeneralizedInverseGaussian as GeneralizedInverseGaussian
from .families.half_normal import HalfNormal as HalfNormal
from .families.inverse_gamma import InverseGamma as InverseGamma
from .families.inverse_gaussian import InverseGaussian as InverseGaussian
from .families.log_normal import LogNormal as LogNormal
from .families.pareto import Pareto as Pareto
from .families.weibull import Rayleigh as Rayleigh, Weibull as Weibull

# families: unit interval and simplex
from .families.beta import Beta as Beta
from .families.continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
from .families.dirichlet import Dirichlet as Dirichlet
from .families.generalized_dirichlet import GeneralizedDirichlet as GeneralizedDirichlet
from .families.log_normal import LogitNormal as LogitNormal

# families: the line
from .families.gumbel import Gumbel as Gumbel
from .families.laplace import Laplace as Laplace
from .families.normal import Normal as Normal
from .families.normal_known import NormalKnownMean as NormalKnownMean, NormalKnownVariance as NormalKnownVariance

# families: vectors and matrices
from .families.complex_normal import ComplexNormal as ComplexNormal
from .families.diagonal_normal import DiagonalNormal as DiagonalNormal
from .families.isotropic_normal import IsotropicNormal as IsotropicNormal
from .families.known_covariance import (
    MatrixNormalKnownCovariances as MatrixNormalKnownCovariances,
    MultivariateNormalKnownCovariance as MultivariateNormalKnownCovariance,
)
from .families.multivariate_normal import MultivariateNormal as MultivariateNormal
from .families.normal_gamma import NormalGamma as NormalGamma
from .families.normal_inverse_wishart import NormalInverseWishart as NormalInverseWishart
from .families.normal_wishart import NormalWishart as NormalWishart
from .families.wishart import InverseWishart as InverseWishart, Wishart as Wishart

# families: directions
from .families.von_mises import VonMises as VonMises
from .families.von_mises_fisher import VonMisesFisher as VonMisesFisher

# families: finite state spaces
from .families.boltzmann import BoltzmannMachine as BoltzmannMachine
from .families.hierarchical import Hierarchical as Hierarchical
from .families.log_linear import LogLinear as LogLinear

# families made of families, and what goes with them
from .families.generalized_linear import GeneralizedLinear as GeneralizedLinear
from .families.mixture import MixtureFamily as MixtureFamily
from .families.product import Independent as Independent, Product as Product
from .families.transformed import Transformed as Transformed
from .families.truncated import Truncated as Truncated

# mirror maps
from .geometry.manifolds.burg import Burg as Burg
from .geometry.manifolds.euclidean import Euclidean as Euclidean
from .geometry.manifolds.log_det import LogDet as LogDet
from .geometry.manifolds.negative_entropy import NegativeEntropy as NegativeEntropy
from .geometry.manifolds.p_norm import PNorm as PNorm
from .geometry.manifolds.quadratic import Quadratic as Quadratic
from .geometry.manifolds.simplex import Simplex as Simplex
from .geometry.manifolds.tsallis import Tsallis as Tsallis

# divergences
from .geometry.divergences.alpha import (
    alpha_divergence as alpha_divergence, chi_squared as chi_squared, hellinger as hellinger, renyi as renyi,
    squared_hellinger as squared_hellinger, tsallis as tsallis,
)
from .geometry.divergences.chernoff import (
    ChernoffInformation as ChernoffInformation, chernoff_information as chernoff_information,
)
from .geometry.divergences.divergence import (
    bregman as bregman, canonical_divergence as canonical_divergence, fenchel_young as fenchel_young, jeffreys as jeffreys,
)
from .geometry.divergences.f_divergence import (
    f_divergence as f_divergence, jensen_shannon as jensen_shannon, total_variation as total_variation,
)
from .geometry.divergences.skew import bhattacharyya as bhattacharyya, jensen_bregman as jensen_bregman
from .geometry.divergences.total_bregman import total_bregman as total_bregman

# connections, curvature, geodesics, distances
from .families.calvo_oller import calvo_oller_bound as calvo_oller_bound
from .geometry.connections.connection import (
    christoffel as christoffel, christoffel_first as christoffel_first, covariant_derivative as covariant_derivative,
    cubic_tensor as cubic_tensor, parallel_transport as parallel_transport,
)
from .geometry.connections.curvature_tensor import (
    ricci as ricci, riemann_tensor as riemann_tensor, scalar_curvature as scalar_curvature,
    sectional_curvature as sectional_curvature,
)
from .geometry.connections.geodesic import (
    alpha_exp_map as alpha_exp_map, alpha_geodesic as alpha_geodesic, e_geodesic as e_geodesic, exp_map as exp_map,
    log_map as log_map, m_geodesic as m_geodesic, riemannian_distance as riemannian_distance,
    riemannian_geodesic as riemannian_geodesic,
)
from .geometry.divergences.divergence import jeffreys_bound as jeffreys_bound

# projections, centroids, clusters
from .geometry.centroids.centroid import (
    bregman_information as bregman_information, frechet_mean as frechet_mean, jeffreys_centroid as jeffreys_centroid,
    jensen_centroid as jensen_centroid, jensen_shannon_centroid as jensen_shannon_centroid, left_centroid as left_centroid,
    right_centroid as right_centroid, total_bregman_centroid as total_bregman_centroid,
)
from .geometry.centroids.enclosing_ball import (
    EnclosingBall as EnclosingBall, badoiu_clarkson as badoiu_clarkson, enclosing_ball as enclosing_ball,
)
from .geometry.centroids.kmeans import (
    BregmanClusters as BregmanClusters, bregman_kmeans as bregman_kmeans, kmeans_plus_plus as kmeans_plus_plus,
)
from .geometry.divergences.exponents import (
    bayes_error_exponent as bayes_error_exponent, hoeffding_exponents as hoeffding_exponents,
)
from .geometry.projections.alternating import (
    AlternatingProjections as AlternatingProjections, alternating_projections as alternating_projections,
    cyclic_projections as cyclic_projections,
)
from .geometry.projections.flat_sets import (
    AffineConstraints as AffineConstraints, AffineSubmanifold as AffineSubmanifold, FlatSet as FlatSet, Halfspaces as Halfspaces,
    Intersection as Intersection,
)
from .geometry.projections.projection import e_project as e_project, m_project as m_project
from .geometry.projections.proportional_fitting import proportional_fitting as proportional_fitting
from .geometry.projections.sinkhorn import sinkhorn as sinkhorn

# objectives and solvers
from .solvers.descend import descend as descend
from .solvers.flow import flow as flow
from .objectives.affine_map import AffineMap as AffineMap
from .objectives.alpha_chart import AlphaChart as AlphaChart
from .objectives.base import Objective as Objective
from .objectives.divergence import CrossEntropy as CrossEntropy, ReverseKL as ReverseKL
from .objectives.field import VectorField as VectorField
from .objectives.least_squares import LeastSquares as LeastSquares
from .objectives.poisson_loss import PoissonLoss as PoissonLoss
from .objectives.jensen_shannon import JensenShannonDivergence as JensenShannonDivergence
from .objectives.power_divergence import (
    AlphaDivergence as AlphaDivergence, BhattacharyyaDistance as BhattacharyyaDistance,
    ChiSquaredDivergence as ChiSquaredDivergence, RenyiDivergence as RenyiDivergence,
    SquaredHellingerDistance as SquaredHellingerDistance,
)
from .objectives.random import MiniBatch as MiniBatch, Noisy as Noisy
from .objectives.stream import Stream as Stream
from .solvers.accelerated import AcceleratedMirror as AcceleratedMirror, GradientRestart as GradientRestart
from .solvers.accelerated_bregman import AcceleratedBregman as AcceleratedBregman
from .solvers.averages import Average as Average
from .solvers.barzilai_borwein import BarzilaiBorwein as BarzilaiBorwein
from .solvers.composite import Composite as Composite
from .solvers.corrected import CorrectedNatural as CorrectedNatural
from .solvers.dual_averaging import DualAveraging as DualAveraging
from .solvers.extragradient import MirrorProx as MirrorProx, Optimistic as Optimistic
from .solvers.geodesic import Geodesic as Geodesic
from .solvers.growing import Growing as Growing
from .solvers.lbfgs import lbfgs as lbfgs
from .solvers.newton import Damped as Damped, Newton as Newton
from .solvers.noisy_flow import noisy_flow as noisy_flow
from .solvers.polyak import Polyak as Polyak
from .solvers.projected import Projected as Projected
from .solvers.prox import Box as Box, L1 as L1, Prox as Prox, SumTo as SumTo
from .solvers.records import Every as Every
from .solvers.result import Result as Result, Status as Status
from .solvers.riemannian_momentum import RiemannianMomentum as RiemannianMomentum
from .solvers.step import (
    Backtracking as Backtracking, Constant as Constant, Diminishing as Diminishing, Exact as Exact,
    RelativeSmooth as RelativeSmooth, Step as Step,
)
from .solvers.trust_region import TrustRegion as TrustRegion
from .solvers.update import (
    GradientUpdate as GradientUpdate, MirrorUpdate as MirrorUpdate, NaturalUpdate as NaturalUpdate, Update as Update,
)

# errors
from .errors import (
    ConvergenceError as ConvergenceError, DomainError as DomainError, InfogeoError as InfogeoError, ShapeError as ShapeError,
)

# arrays, and what outside a domain is
from .backend import use_backend as use_backend
from .geometry.manifolds.interface import checked as checked
from .domains.packing import pack as pack
from .numerics.packing import unpack as unpack

# packages
from . import (
    backend as backend, boosting as boosting, clustering as clustering, curvature as curvature, domains as domains,
    families as families, geometry as geometry, inference as inference, networks as networks, objectives as objectives,
    operators as operators, pictures as pictures, policy as policy, solvers as solvers, statistics as statistics, studies as studies,
    symbolic as symbolic, testing as testing, training as training,
)

__version__: str
